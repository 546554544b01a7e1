/* SPDX-License-Identifier: ISC */
#include "scan/base64.h"

#include <string.h>

#define NOT_A_CHAR 0xff

/* Value of each character, RFC 4648 table 1. */
static const unsigned char value_of[256] = {
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 62,	255, 255, 255, 63,  52,	 53,  54,  55,	56,  57,
	58,  59,  60,  61,  255, 255, 255, 255, 255, 255, 255, 0,   1,	 2,   3,   4,	5,   6,
	7,   8,	  9,   10,  11,	 12,  13,  14,	15,  16,  17,  18,  19,	 20,  21,  22,	23,  24,
	25,  255, 255, 255, 255, 255, 255, 26,	27,  28,  29,  30,  31,	 32,  33,  34,	35,  36,
	37,  38,  39,  40,  41,	 42,  43,  44,	45,  46,  47,  48,  49,	 50,  51,  255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255,
};

void base64_reset(struct base64 *b)
{
	memset(b, 0, sizeof(*b));
}

/* Sixteen octets at a time; gcc and clang make of it what the machine has. A comparison gives all ones where
 * it holds. */
typedef unsigned char octets16 __attribute__((vector_size(16)));
typedef signed char signed16 __attribute__((vector_size(16)));

bool base64_is_char(unsigned char c)
{
	return value_of[c] != NOT_A_CHAR;
}

/* All ones where an octet is of the alphabet. A range costs one comparison when it is moved so that its last
 * octet becomes 127: everything above it turns negative, or small. */
static inline signed16 are_chars(octets16 c)
{
	signed16 is_letter = (signed16)((c | 0x20) + (127 - 'z')) > 127 - 26;
	signed16 is_digit_or_slash = (signed16)(c + (127 - '9')) > 127 - 11;

	return is_letter | is_digit_or_slash | (signed16)(c == '+');
}

static inline octets16 load16(const unsigned char *in)
{
	octets16 v;

	memcpy(&v, in, sizeof(v));
	return v;
}

static inline bool is_all_ones(signed16 v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(v));
	return (half[0] & half[1]) == UINT64_MAX;
}

/* Always inline: where the length is known the loop becomes straight code. */
static inline __attribute__((always_inline)) bool is_all_chars(const unsigned char *in, size_t len)
{
	signed16 all = ~(signed16){0};
	size_t i = 0;

	if (len < 16) {
		while (i < len && base64_is_char(in[i]))
			i++;
		return i == len;
	}
	for (; i + 16 <= len; i += 16)
		all &= are_chars(load16(in + i));
	if (i < len)
		all &= are_chars(load16(in + len - 16));
	return is_all_ones(all);
}

bool base64_is_all_chars(const unsigned char *in, size_t len)
{
	return is_all_chars(in, len);
}

static inline __attribute__((always_inline)) size_t count_lines(const unsigned char *in, size_t n_lines,
								size_t n_chars, size_t stride)
{
	size_t i = 0;

	while (i < n_lines && in[stride - 1] == '\n' &&
	       (stride == n_chars + 1 || in[n_chars] == '\r') && is_all_chars(in, n_chars)) {
		in += stride;
		i++;
	}
	return i;
}

size_t base64_count_lines(const unsigned char *in, size_t n_lines, size_t n_chars, size_t stride)
{
	/* What nearly everybody writes, in code of its own. */
	if (n_chars == 64 && stride == 66)
		return count_lines(in, n_lines, 64, 66);
	return count_lines(in, n_lines, n_chars, stride);
}

/* Whole groups, four characters at a time, while nothing but the alphabet comes. */
static size_t decode_groups(const unsigned char *in, size_t len, unsigned char **out)
{
	unsigned char *o = *out;
	size_t i = 0;

	for (; i + 4 <= len; i += 4) {
		unsigned a = value_of[in[i]], b = value_of[in[i + 1]];
		unsigned c = value_of[in[i + 2]], d = value_of[in[i + 3]];

		if ((a | b | c | d) & 0xc0)
			break;
		*o++ = (unsigned char)(a << 2 | b >> 4);
		*o++ = (unsigned char)(b << 4 | c >> 2);
		*o++ = (unsigned char)(c << 6 | d);
	}
	*out = o;
	return i;
}

/* '=': allowed as the third and fourth, or the fourth, character of a group. */
static bool take_padding(struct base64 *b, unsigned char **out)
{
	if (b->is_ended || b->n_chars < 2 || b->n_chars + b->n_padding >= 4)
		return false;
	b->n_padding++;
	if (b->n_chars + b->n_padding < 4)
		return true;
	*(*out)++ = (unsigned char)(b->bits >> (b->n_chars == 2 ? 4 : 10));
	if (b->n_chars == 3)
		*(*out)++ = (unsigned char)(b->bits >> 2);
	b->n_chars = 0;
	b->is_ended = true;
	return true;
}

static void take_char(struct base64 *b, unsigned char value, unsigned char **out)
{
	b->bits = b->bits << 6 | value;
	if (++b->n_chars < 4)
		return;
	*(*out)++ = (unsigned char)(b->bits >> 16);
	*(*out)++ = (unsigned char)(b->bits >> 8);
	*(*out)++ = (unsigned char)b->bits;
	b->n_chars = 0;
}

size_t base64_decode(struct base64 *b, const unsigned char *in, size_t len, unsigned char *out,
		     size_t *out_len)
{
	unsigned char *o = out;
	size_t i = 0;

	while (i < len) {
		unsigned char value = value_of[in[i]];

		if (b->n_chars == 0 && !b->is_ended) {
			size_t n = decode_groups(in + i, len - i, &o);

			i += n;
			if (i == len)
				break;
			value = value_of[in[i]];
		}
		if (in[i] == '=') {
			if (!take_padding(b, &o))
				break;
		} else if (value == NOT_A_CHAR || b->is_ended || b->n_padding > 0) {
			break;
		} else {
			take_char(b, value, &o);
		}
		i++;
	}
	*out_len = (size_t)(o - out);
	return i;
}

bool base64_is_complete(const struct base64 *b)
{
	return b->n_chars == 0 && (b->n_padding == 0 || b->is_ended);
}
