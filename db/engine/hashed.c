/* SPDX-License-Identifier: ISC */
#include "db/hashed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/hmac.h>

#include "common/safe_open.h"

#define HASH_BYTES 8 /* of 32: 10 million addresses collide with a chance of 1 in 370,000 */

/* The key of this process: reading it again must not change what its threads write under. */
static struct {
	pthread_mutex_t lock;
	bool is_known;
	char path[4096];
	unsigned char key[HASHED_KEY_BYTES];
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

void hashed_confirm(const struct hashed *h, const struct settings *s)
{
	pthread_mutex_lock(&process.lock);
	if (!process.is_known || strcmp(process.path, s->database_path) != 0) {
		process.is_known = true;
		snprintf(process.path, sizeof process.path, "%s", s->database_path);
		memcpy(process.key, h->key, sizeof process.key);
	}
	pthread_mutex_unlock(&process.lock);
}

void hashed_forget(void)
{
	pthread_mutex_lock(&process.lock);
	process.is_known = false;
	pthread_mutex_unlock(&process.lock);
}

bool hashed_is_another(const struct hashed *h, const struct settings *s)
{
	bool is_other;

	pthread_mutex_lock(&process.lock);
	is_other = process.is_known && strcmp(process.path, s->database_path) == 0 &&
		   memcmp(process.key, h->key, sizeof process.key) != 0;
	pthread_mutex_unlock(&process.lock);
	return is_other;
}

/* The key is its owner's who may also own the database, or of the same group. */
static int open_key(const struct settings *s, const char *path, char why[SAFE_OPEN_WHY_MAX])
{
	struct stat st = {.st_gid = (gid_t)-1};
	struct safe_open file = {.path = path, .access = O_RDONLY};

	if (lstat(s->database_path, &st) == 0)
		file.owner = st.st_uid;
	file.group = st.st_gid;
	return safe_open(&file, NULL, why);
}

int hashed_load_new(struct hashed *h, const struct settings *s)
{
	char path[4096], why[SAFE_OPEN_WHY_MAX];
	int fd;

	memset(h, 0, sizeof *h);
	h->is_on = s->hash_addresses;
	snprintf(path, sizeof path, "%s.key.new", s->database_path);
	fd = open_key(s, path, why);
	if (fd < 0)
		return -1;
	h->has_key = read(fd, h->key, sizeof h->key) == (ssize_t)sizeof h->key;
	close(fd);
	return h->has_key ? 0 : -1;
}

int hashed_load(struct hashed *h, const struct settings *s, char *err, size_t err_size)
{
	char path[4096], why[SAFE_OPEN_WHY_MAX];
	int fd, saved_errno;
	ssize_t n;

	memset(h, 0, sizeof *h);
	h->is_on = s->hash_addresses;
	snprintf(path, sizeof path, "%s.key", s->database_path);
	fd = open_key(s, path, why);
	if (fd < 0) {
		if (!h->is_on)
			return 0;
		if (errno == ENOENT)
			snprintf(err, err_size,
				 "%.300s: no such file; log_addresses = hashed needs it: run "
				 "\"pgpgate db init\"",
				 path);
		else
			snprintf(err, err_size, "%.300s: %s", path, why);
		return -1;
	}
	n = read(fd, h->key, sizeof h->key);
	saved_errno = errno;
	close(fd);
	h->has_key = n == (ssize_t)sizeof h->key;
	if (h->has_key && h->is_on && hashed_is_another(h, s)) {
		explicit_bzero(h->key, sizeof h->key);
		h->has_key = false;
		snprintf(err, err_size,
			 "%.300s: not the key that this process began with; put that one back, or "
			 "restart",
			 path);
		return -1;
	}
	if (h->has_key || !h->is_on)
		return 0;
	if (n < 0)
		snprintf(err, err_size, "%.300s: %s", path, strerror(saved_errno));
	else
		snprintf(err, err_size, "%.300s: shorter than %d bytes; restore it from a backup",
			 path, HASHED_KEY_BYTES);
	return -1;
}

static void hex(const uint8_t *octets, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[octets[i] >> 4];
		*out++ = digits[octets[i] & 15];
	}
	*out = '\0';
}

char *hashed_check(const struct hashed *h, char out[HASHED_CHECK_MAX])
{
	static const char text[] =
		"pgpgate: is this the key?"; /* begins with no kind of enum hashed_kind */
	struct hmac_sha256_ctx hmac;
	uint8_t hash[(HASHED_CHECK_MAX - 1) / 2];

	hmac_sha256_set_key(&hmac, sizeof h->key, h->key);
	hmac_sha256_update(&hmac, sizeof text, (const uint8_t *)text);
	hmac_sha256_digest(&hmac, sizeof hash, hash);
	hex(hash, sizeof hash, out);
	return out;
}

char *hashed_text(const struct hashed *h, enum hashed_kind kind, const char *text, char *out)
{
	struct hmac_sha256_ctx hmac;
	const uint8_t kind_octet = (uint8_t)kind;
	uint8_t hash[HASH_BYTES];
	char *p = out;

	if (text[0] == '\0') {
		out[0] = '\0';
		return out;
	}
	*p++ = 'h';
	*p++ = ':';
	if (!h->has_key) {
		*p++ = '?';
		*p = '\0';
		return out;
	}
	hmac_sha256_set_key(&hmac, sizeof h->key, h->key);
	hmac_sha256_update(&hmac, 1, &kind_octet);
	hmac_sha256_update(&hmac, strlen(text), (const uint8_t *)text);
	hmac_sha256_digest(&hmac, sizeof hash, hash);
	hex(hash, sizeof hash, p);
	return out;
}

uint64_t hashed_key_id(const struct hashed *h, uint64_t id)
{
	char text[20], hash[HASHED_TEXT_MAX];

	if (id == 0)
		return 0;
	snprintf(text, sizeof text, "%016" PRIX64, id);
	return strtoull(hashed_text(h, HASHED_KEY_ID, text, hash) + 2, NULL, 16);
}

char *hashed_address(const struct hashed *h, const char *address, char *out)
{
	const char *at = strrchr(address, '@');
	size_t len;

	if (strcmp(address, "<>") == 0) {
		memcpy(out, "<>", sizeof "<>");
		return out;
	}
	hashed_text(h, HASHED_ADDRESS, address, out);
	if (at == NULL)
		return out;
	len = strlen(out);
	out[len++] = '@';
	hashed_text(h, HASHED_DOMAIN, at + 1, out + len);
	return out;
}

const char *hashed_shown(const struct hashed *h, enum hashed_kind kind, const char *text,
			 char out[HASHED_ADDRESS_MAX])
{
	if (!h->is_on)
		return text;
	return kind == HASHED_ADDRESS ? hashed_address(h, text, out)
				      : hashed_text(h, kind, text, out);
}
