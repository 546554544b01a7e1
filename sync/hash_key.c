/* SPDX-License-Identifier: ISC */
#include "sync/hash_key.h"

#include <stdio.h>
#include <string.h>

char *hash_key_text(const struct hashed *h, char out[HASH_KEY_TEXT_MAX])
{
	for (size_t i = 0; i < sizeof h->key; i++)
		snprintf(out + 2 * i, 3, "%02x", h->key[i]);
	return out;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hash_key_read(const char *text, struct hashed *out)
{
	if (strlen(text) != HASH_KEY_TEXT_MAX - 1)
		return -1;
	for (size_t i = 0; i < sizeof out->key; i++) {
		const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out->key[i] = (unsigned char)(high << 4 | low);
	}
	out->has_key = true;
	return 0;
}
