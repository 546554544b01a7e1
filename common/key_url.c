/* SPDX-License-Identifier: ISC */
#include "common/key_url.h"

#include <stdio.h>
#include <string.h>

#include <nettle/sha1.h>

#include "common/template.h"

char *zbase32(const unsigned char *octets, size_t n, char *out)
{
	static const char digits[] = "ybndrfg8ejkmcpqxot1uwisza345h769";
	unsigned bits = 0, held = 0;
	char *p = out;

	for (size_t i = 0; i < n; i++) {
		held = (held << 8 | octets[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			*p++ = digits[held >> (bits - 5) & 31];
	}
	if (bits > 0)
		*p++ = digits[held << (5 - bits) & 31];
	*p = '\0';
	return out;
}

char *wkd_hash(const char *local_part, size_t n, char out[WKD_HASH_MAX])
{
	struct sha1_ctx sha1;
	uint8_t digest[SHA1_DIGEST_SIZE];

	sha1_init(&sha1);
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = (uint8_t)local_part[i];
		const uint8_t lower = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;

		sha1_update(&sha1, 1, &lower);
	}
	sha1_digest(&sha1, sizeof digest, digest);
	return zbase32(digest, sizeof digest, out);
}

char *key_url_of(const struct settings *s, const char *address, const char *fingerprint, char *out,
		 size_t out_size)
{
	static const char wkd[] = "https://openpgpkey.%d/.well-known/openpgpkey/%d/hu/%h?l=%l";
	const char *at = strrchr(address, '@');
	const char *text = strcmp(s->key_url, "wkd") == 0 ? wkd : s->key_url;
	size_t len = at != NULL ? (size_t)(at - address) : 0, base;
	char local_part[ADDRESS_MAX + 1], recipient[ADDRESS_MAX + 1], hash[WKD_HASH_MAX];
	const struct template_words words = {.recipient = recipient,
					     .local_part = local_part,
					     .wkd_hash = hash,
					     .fingerprint = fingerprint};

	out[0] = '\0';
	if (text[0] == '\0' || len == 0 || len >= sizeof local_part || at[1] == '\0' ||
	    at[1] == '[')
		return out;
	if (strstr(text, "%f") != NULL && (fingerprint == NULL || fingerprint[0] == '\0'))
		return out;
	base = strcspn(address + 1, s->recipient_delimiter) + 1;
	if (address[0] != '"' && base < len)
		len = base;
	snprintf(local_part, sizeof local_part, "%.*s", (int)len, address);
	if ((size_t)snprintf(recipient, sizeof recipient, "%s%s", local_part, at) >=
	    sizeof recipient)
		return out;
	wkd_hash(local_part, len, hash);
	template_fill(text, true, &words, out, out_size);
	if (strlen(out) + 1 >= out_size)
		out[0] = '\0';
	return out;
}
