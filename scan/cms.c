/* SPDX-License-Identifier: ISC */
#include "scan/cms.h"

#include <string.h>

struct known {
	enum cms_type type;
	size_t len;
	unsigned char oid[13];
};

static const struct known known_types[] = {
	/* 1.2.840.113549.1.7.3, RFC 5652 section 6 */
	{CMS_ENVELOPED, 11, {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03}},
	/* 1.2.840.113549.1.9.16.1.23, RFC 5083 section 2 */
	{CMS_AUTH_ENVELOPED,
	 13,
	 {0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17}},
	/* 1.2.840.113549.1.7.2, RFC 5652 section 5 */
	{CMS_SIGNED, 11, {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}},
};

/* The header of the outer SEQUENCE, X.690 section 8.1. Its octets, or 0 when it is none or does not
 * fit. */
static size_t sequence_header(const unsigned char *head, size_t len, int64_t total)
{
	size_t n;
	int64_t length = 0;

	if (len < 2 || head[0] != 0x30)
		return 0;
	if (head[1] == 0x80)
		return 2; /* indefinite length, as streaming writers do */
	if (head[1] < 0x80)
		return total == 2 + head[1] ? 2 : 0;
	n = head[1] & 0x7f;
	if (n > 6 || len < 2 + n)
		return 0;
	for (size_t i = 0; i < n; i++)
		length = length << 8 | head[2 + i];
	return total == (int64_t)(2 + n) + length ? 2 + n : 0;
}

/* A definite length, or -1: none or indefinite; *at goes behind its octets. */
static int64_t take_length(const unsigned char *head, size_t len, size_t *at)
{
	int64_t length = 0;
	size_t n;

	if (*at >= len)
		return -1;
	n = head[(*at)++];
	if (n < 0x80)
		return (int64_t)n;
	n &= 0x7f;
	if (n == 0 || n > 6 || len - *at < n)
		return -1;
	for (; n > 0; n--)
		length = length << 8 | head[(*at)++];
	return length;
}

/* The tag here, and its length likewise. */
static bool take_tag(const unsigned char *head, size_t len, size_t *at, unsigned tag,
		     int64_t *length)
{
	if (*at >= len || head[*at] != tag)
		return false;
	++*at;
	*length = take_length(head, len, at);
	return true;
}

bool cms_is_detached(const unsigned char *head, size_t len)
{
	size_t at = 0;
	int64_t n, oid;

	if (!take_tag(head, len, &at, 0x30, &n) || !take_tag(head, len, &at, 0x06, &n) || n != 9)
		return false;
	at += 9;
	if (!take_tag(head, len, &at, 0xa0, &n) || !take_tag(head, len, &at, 0x30, &n) ||
	    !take_tag(head, len, &at, 0x02, &n) || n != 1)
		return false;
	at++;
	if (!take_tag(head, len, &at, 0x31, &n) || n > (int64_t)len)
		return false;
	if (n >= 0) {
		at += (size_t)n;
	} else { /* of indefinite length: algorithms, then the end */
		while (take_tag(head, len, &at, 0x30, &n)) {
			if (n < 0 || n > (int64_t)len)
				return false;
			at += (size_t)n;
		}
		if (len < at + 2 || head[at] != 0 || head[at + 1] != 0)
			return false;
		at += 2;
	}
	if (!take_tag(head, len, &at, 0x30, &n) || !take_tag(head, len, &at, 0x06, &oid) ||
	    oid < 0 || oid > (int64_t)len)
		return false;
	if (n >= 0)
		return n == oid + 2;
	at += (size_t)oid;
	return len >= at + 2 && head[at] == 0 && head[at + 1] == 0;
}

enum cms_type cms_type(const unsigned char *head, size_t head_len, int64_t total)
{
	size_t at = sequence_header(head, head_len, total);

	if (at == 0 || head_len < at + 13)
		return CMS_NONE;
	for (size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++) {
		const struct known *k = &known_types[i];

		/* the content, [0] EXPLICIT, must follow */
		if (head_len > at + k->len && memcmp(head + at, k->oid, k->len) == 0)
			return head[at + k->len] == 0xa0 ? k->type : CMS_NONE;
	}
	return head[at] == 0x06 ? CMS_OTHER : CMS_NONE;
}
