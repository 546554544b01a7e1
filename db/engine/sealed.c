/* SPDX-License-Identifier: ISC */
#include "db/engine/sealed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/hmac.h>
#include <nettle/siv-cmac.h>

#define MARK "s:"
#define MARK_LEN 2
#define OCTETS_MAX 32 /* of a fingerprint */

static const char digits_lower[] = "0123456789abcdef", digits_upper[] = "0123456789ABCDEF";

/* ---- octets ---- */

static void set_key(const struct hashed *h, struct siv_cmac_aes128_ctx *siv)
{
	static const char text[] = "pgpgate: keys of recipients"; /* as in hashed_check() */
	struct hmac_sha256_ctx hmac;
	uint8_t key[SIV_CMAC_AES128_KEY_SIZE];

	hmac_sha256_set_key(&hmac, sizeof h->key, h->key);
	hmac_sha256_update(&hmac, sizeof text, (const uint8_t *)text);
	hmac_sha256_digest(&hmac, sizeof key, key);
	siv_cmac_aes128_set_key(siv, key);
	explicit_bzero(key, sizeof key);
}

/* What it is, so that none can be put in the other's place. */
static const uint8_t of_fingerprint[] = {'f'}, of_packets[] = {'p'};

/* out: SIV_DIGEST_SIZE octets more than len. */
static void seal(const struct hashed *h, const uint8_t kind[1], const uint8_t *in, size_t len,
		 uint8_t *out)
{
	struct siv_cmac_aes128_ctx siv;

	set_key(h, &siv);
	siv_cmac_aes128_encrypt_message(&siv, 1, kind, 0, NULL, len + SIV_DIGEST_SIZE, out, in);
	explicit_bzero(&siv, sizeof siv);
}

/* out: SIV_DIGEST_SIZE octets less than len. 0, or -1: another key. */
static int open_sealed(const struct hashed *h, const uint8_t kind[1], const uint8_t *in, size_t len,
		       uint8_t *out)
{
	struct siv_cmac_aes128_ctx siv;
	int is_ours;

	if (!h->has_key || len < SIV_DIGEST_SIZE)
		return -1;
	set_key(h, &siv);
	is_ours = siv_cmac_aes128_decrypt_message(&siv, 1, kind, 0, NULL, len - SIV_DIGEST_SIZE,
						  out, in);
	explicit_bzero(&siv, sizeof siv);
	return is_ours == 1 ? 0 : -1;
}

/* ---- fingerprints ---- */

/* Octets, or 0: there are other characters, or an odd number. */
static size_t from_digits(const char *text, size_t len, const char *digits, uint8_t *out)
{
	for (size_t i = 0; i < len; i++) {
		const char *at = memchr(digits, text[i], 16);

		if (at == NULL)
			return 0;
		out[i / 2] = (uint8_t)(i % 2 == 0 ? (at - digits) << 4
						  : out[i / 2] | (at - digits));
	}
	return len % 2 == 0 ? len / 2 : 0;
}

static void to_digits(const uint8_t *octets, size_t n, const char *digits, char *out)
{
	for (size_t i = 0; i < n; i++) {
		*out++ = digits[octets[i] >> 4];
		*out++ = digits[octets[i] & 15];
	}
	*out = '\0';
}

bool sealed_is(const char *text)
{
	return strncmp(text, MARK, MARK_LEN) == 0;
}

char *sealed_form(const struct hashed *h, const char *fingerprint, char out[SEALED_TEXT_MAX])
{
	uint8_t plain[OCTETS_MAX], sealed[OCTETS_MAX + SIV_DIGEST_SIZE];
	const size_t len = strlen(fingerprint);
	size_t n = 0;

	if (h->is_on && (len == 40 || len == 64))
		n = from_digits(fingerprint, len, digits_upper, plain);
	if (n == 0) {
		snprintf(out, SEALED_TEXT_MAX, "%s", fingerprint);
		return out;
	}
	seal(h, of_fingerprint, plain, n, sealed);
	memcpy(out, MARK, MARK_LEN);
	to_digits(sealed, n + SIV_DIGEST_SIZE, digits_lower, out + MARK_LEN);
	return out;
}

int sealed_open(const struct hashed *h, const char *text, char out[FINGERPRINT_MAX])
{
	uint8_t plain[OCTETS_MAX], sealed[OCTETS_MAX + SIV_DIGEST_SIZE];
	const size_t len = strlen(text);
	size_t n;

	if (!sealed_is(text)) {
		snprintf(out, FINGERPRINT_MAX, "%s", text);
		return 0;
	}
	out[0] = '\0';
	if (len - MARK_LEN > 2 * sizeof sealed)
		return -1;
	n = from_digits(text + MARK_LEN, len - MARK_LEN, digits_lower, sealed);
	if (open_sealed(h, of_fingerprint, sealed, n, plain) != 0)
		return -1;
	to_digits(plain, n - SIV_DIGEST_SIZE, digits_upper, out);
	return 0;
}

/* ---- packets ---- */

static bool is_sealed_blob(const unsigned char *kept, size_t len)
{
	return len >= MARK_LEN && memcmp(kept, MARK, MARK_LEN) == 0; /* a packet has bit 7 set */
}

unsigned char *sealed_packets(const struct hashed *h, const unsigned char *packets, size_t len,
			      size_t *out_len)
{
	unsigned char *out = malloc(MARK_LEN + SIV_DIGEST_SIZE + len);

	if (out == NULL)
		return NULL;
	if (!h->is_on) {
		*out_len = len;
		return len > 0 ? memcpy(out, packets, len) : out;
	}
	memcpy(out, MARK, MARK_LEN);
	seal(h, of_packets, packets, len, out + MARK_LEN);
	*out_len = MARK_LEN + SIV_DIGEST_SIZE + len;
	return out;
}

unsigned char *sealed_packets_open(const struct hashed *h, const unsigned char *kept, size_t len,
				   size_t *out_len)
{
	/* What the engine could not hand out for want of memory is NULL, too. */
	unsigned char *out = kept != NULL || len == 0 ? malloc(len + 1) : NULL;

	errno = ENOMEM;
	if (out == NULL)
		return NULL;
	if (!is_sealed_blob(kept, len)) {
		*out_len = len;
		return len > 0 ? memcpy(out, kept, len) : out;
	}
	if (open_sealed(h, of_packets, kept + MARK_LEN, len - MARK_LEN, out) != 0) {
		free(out);
		errno = EBADMSG;
		return NULL;
	}
	*out_len = len - MARK_LEN - SIV_DIGEST_SIZE;
	return out;
}

/* ---- lines of the history ---- */

/* Digits of a fingerprint that stand by themselves. */
static size_t fingerprint_at(const char *line, const char *at)
{
	const size_t n = strspn(at, digits_upper);

	return (n == 40 || n == 64) && (at == line || strchr(" =", at[-1]) != NULL) &&
			       (at[n] == ' ' || at[n] == '\0')
		       ? n
		       : 0;
}

char *sealed_line(const struct hashed *h, const char *line)
{
	char fingerprint[FINGERPRINT_MAX], form[SEALED_TEXT_MAX], *out = NULL;
	const char *note = strstr(line, " note=");
	size_t size = 0;
	FILE *to = open_memstream(&out, &size);

	if (to == NULL)
		return NULL;
	for (const char *at = line; *at != '\0';) {
		const size_t n = note == NULL || at < note ? fingerprint_at(line, at) : 0;

		if (n == 0) {
			fputc(*at++, to);
			continue;
		}
		memcpy(fingerprint, at, n);
		fingerprint[n] = '\0';
		fputs(sealed_form(h, fingerprint, form), to);
		at += n;
	}
	if (fclose(to) == 0)
		return out;
	free(out);
	return NULL;
}

void sealed_line_open(const struct hashed *h, char *line)
{
	char *to = line;

	for (const char *from = line; *from != '\0';) {
		char sealed[SEALED_TEXT_MAX], plain[FINGERPRINT_MAX];
		const size_t n = sealed_is(from) ? MARK_LEN + strspn(from + MARK_LEN, digits_lower)
						 : 0;

		if (n == 0 || n >= sizeof sealed) {
			*to++ = *from++;
			continue;
		}
		memcpy(sealed, from, n);
		sealed[n] = '\0';
		if (sealed_open(h, sealed, plain) != 0)
			memcpy(plain, "", 1);
		if (plain[0] != '\0') {
			memcpy(to, plain, strlen(plain));
			to += strlen(plain);
		} else {
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	*to = '\0';
}
