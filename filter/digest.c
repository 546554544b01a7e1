/* SPDX-License-Identifier: ISC */
#include "filter/digest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Every string ends in a NUL, which none of them holds, so that no two inputs run together. */
static void add_string(struct digest *d, const char *text, size_t len)
{
	sha256_update(&d->sha256, len, (const uint8_t *)text);
	sha256_update(&d->sha256, 1, (const uint8_t *)"");
}

void digest_begin(struct digest *d)
{
	memset(d, 0, sizeof *d);
	sha256_init(&d->sha256);
	d->is_on = true;
}

void digest_header(struct digest *d, const char *name, size_t name_len, const char *value,
		   size_t value_len)
{
	static const char *const fields[] = {"Date", "From", "Subject", "Message-ID"};

	if (!d->is_on)
		return;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (strlen(fields[i]) == name_len && strncasecmp(name, fields[i], name_len) == 0) {
			add_string(d, fields[i], name_len);
			add_string(d, value, value_len);
			return;
		}
	}
}

void digest_body(struct digest *d, const unsigned char *bytes, size_t len)
{
	if (!d->is_on)
		return;
	if (len > DIGEST_BODY_MAX - d->body_bytes)
		len = DIGEST_BODY_MAX - d->body_bytes;
	sha256_update(&d->sha256, len, bytes);
	d->body_bytes += len;
}

void digest_finish(struct digest *d, unsigned char out[DIGEST_SIZE])
{
	sha256_digest(&d->sha256, DIGEST_SIZE, out);
	d->is_on = false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int digest_together(const unsigned char content[DIGEST_SIZE], const struct recipients *recipients,
		    unsigned char out[DIGEST_SIZE])
{
	const char **sorted = calloc(recipients->n + 1, sizeof *sorted);
	struct digest d;

	if (sorted == NULL)
		return -1;
	for (size_t i = 0; i < recipients->n; i++)
		sorted[i] = recipients->list[i].address;
	qsort(sorted, recipients->n, sizeof *sorted, by_text);
	digest_begin(&d);
	sha256_update(&d.sha256, DIGEST_SIZE, content);
	for (size_t i = 0; i < recipients->n; i++)
		add_string(&d, sorted[i], strlen(sorted[i]));
	digest_finish(&d, out);
	free(sorted);
	return 0;
}
