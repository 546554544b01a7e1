/* SPDX-License-Identifier: ISC */
#include "scan/signature.h"

#include <stdbool.h>
#include <string.h>

#include "scan/text.h"

enum subpacket { /* RFC 9580 section 5.2.3.7 */
		 SUBPACKET_NOTATION = 20,
		 SUBPACKET_USER_ID = 28,
};

/* Those that hold times, flags, algorithms, key ids, fingerprints. */
static bool is_plain(unsigned type)
{
	static const unsigned char types[] = {2,  3,  4,  5,  7,  9,  11, 12, 16, 21,
					      22, 23, 25, 27, 30, 31, 33, 34, 35, 39};

	return memchr(types, (int)type, sizeof(types)) != NULL;
}

/* GnuPG puts the signer's address here. */
static bool is_address(const unsigned char *text, size_t len)
{
	if (len > SIGNATURE_USER_ID_MAX || !memchr(text, '@', len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return true;
}

static bool is_hexadecimal(const unsigned char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') ||
		      (text_lower(text[i]) >= 'a' && text_lower(text[i]) <= 'f')))
			return false;
	return true;
}

/* The notations that programs write by themselves: a fingerprint, and salts, which no program
 * shows. Section 5.2.3.24: four octets of flags, the lengths of name and value, both. */
static bool is_usual_notation(const unsigned char *content, size_t len)
{
	static const char *const salts[] = {"salt@notations.sequoia-pgp.org",
					    "salt@notations.openpgpjs.org"};
	size_t name_len, value_len;
	const unsigned char *name;

	if (len < 8)
		return false;
	name = content + 8;
	name_len = (size_t)content[4] << 8 | content[5];
	value_len = (size_t)content[6] << 8 | content[7];
	if (8 + name_len + value_len != len)
		return false;
	if (text_is(name, name_len, "issuer-fpr@notations.openpgp.fifthhorseman.net"))
		return (value_len == 40 || value_len == 64) &&
		       is_hexadecimal(name + name_len, value_len);
	for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++)
		if (text_is(name, name_len, salts[i]))
			return !(content[0] & 0x80) && value_len <= 64 &&
			       text_count_visible(name + name_len, value_len) > 0;
	return false;
}

static bool is_silent(unsigned type, const unsigned char *content, size_t len)
{
	if (type == SUBPACKET_NOTATION)
		return is_usual_notation(content, len);
	if (type == SUBPACKET_USER_ID)
		return is_address(content, len);
	return is_plain(type) && len <= SIGNATURE_PLAIN_MAX;
}

/* The subpackets of an area, section 5.2.3.7. What is malformed is text. */
static size_t read_area(const unsigned char *area, size_t len)
{
	size_t readable = 0;

	while (len > 0) {
		size_t head = area[0] < 192 ? 1 : area[0] < 255 ? 2 : 5, n;

		if (len < head)
			return readable + len;
		n = head == 1	? area[0]
		    : head == 2 ? (((size_t)area[0] - 192) << 8) + area[1] + 192
				: (size_t)area[1] << 24 | (size_t)area[2] << 16 |
					  (size_t)area[3] << 8 | area[4];
		if (n == 0 || n > len - head)
			return readable + len;
		if (!is_silent(area[head] & 0x7f, area + head + 1, n - 1))
			readable += n - 1;
		area += head + n;
		len -= head + n;
	}
	return readable;
}

size_t signature_readable_bytes(const unsigned char *body, size_t have, uint64_t whole)
{
	size_t at = 4, readable = 0, count_octets;

	if (have < 1 || body[0] < 4) /* version 3 has no subpackets */
		return 0;
	count_octets = body[0] == 6 ? 4 : 2;
	for (int area = 0; area < 2; area++) {
		size_t len = 0;

		if (at + count_octets > have)
			return (size_t)whole;
		for (size_t i = 0; i < count_octets; i++)
			len = len << 8 | body[at + i];
		at += count_octets;
		if (len > have - at) /* more than any real one has */
			return (size_t)whole;
		readable += read_area(body + at, len);
		at += len;
	}
	return readable;
}
