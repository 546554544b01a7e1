/* SPDX-License-Identifier: ISC */
#include "scan/base64.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

/* 32 octets at a time: one instruction each where the machine has AVX2, two of SSE2 elsewhere, and
 * what the compiler finds on other machines. A comparison gives all ones where it holds. Vectors
 * are handed on by address: returned, they would be of the ABI. */
#if !defined(__x86_64__)
#define WITH_AVX2
#define HAS_AVX2 false
#else
#define WITH_AVX2 __attribute__((target("avx2")))
#ifndef HAS_AVX2 /* a unit test says that there is none */
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#endif
#endif
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define WIDTH 32
typedef unsigned char octets __attribute__((vector_size(WIDTH)));
typedef signed char lanes __attribute__((vector_size(WIDTH)));

bool base64_is_char(unsigned char c)
{
	return value_of[c] != NOT_A_CHAR;
}

/* Leaves all ones in *all where they are, and an octet of in is of the alphabet. A range costs one
 * comparison when it is moved so that its last octet becomes 127: everything above it turns
 * negative, or small. */
ALWAYS_INLINE void check_chars(const unsigned char *in, lanes *all)
{
	octets c;
	lanes is_letter, is_digit_or_slash;

	memcpy(&c, in, sizeof(c));
	is_letter = (lanes)((c | 0x20) + (127 - 'z')) > 127 - 26;
	is_digit_or_slash = (lanes)(c + (127 - '9')) > 127 - 11;
	*all &= is_letter | is_digit_or_slash | (lanes)(c == '+');
}

ALWAYS_INLINE bool is_all_ones(const lanes *v)
{
	uint64_t part[WIDTH / 8], all = UINT64_MAX;

	memcpy(part, v, sizeof(part));
	for (size_t i = 0; i < WIDTH / 8; i++)
		all &= part[i];
	return all == UINT64_MAX;
}

/* Where the length is known the loop becomes straight code. */
ALWAYS_INLINE bool is_all_chars(const unsigned char *in, size_t len)
{
	lanes all = ~(lanes){0};
	size_t i = 0;

	if (len < WIDTH) {
		while (i < len && base64_is_char(in[i]))
			i++;
		return i == len;
	}
	for (; i + WIDTH <= len; i += WIDTH)
		check_chars(in + i, &all);
	if (i < len)
		check_chars(in + len - WIDTH, &all);
	return is_all_ones(&all);
}

static WITH_AVX2 bool is_all_chars_avx2(const unsigned char *in, size_t len)
{
	return is_all_chars(in, len);
}

bool base64_is_all_chars(const unsigned char *in, size_t len)
{
	return HAS_AVX2 ? is_all_chars_avx2(in, len) : is_all_chars(in, len);
}

ALWAYS_INLINE size_t count_lines(const unsigned char *in, size_t n_lines, size_t n_chars,
				 size_t stride)
{
	size_t i = 0;

	while (i < n_lines && in[stride - 1] == '\n' &&
	       (stride == n_chars + 1 || in[n_chars] == '\r') && is_all_chars(in, n_chars)) {
		in += stride;
		i++;
	}
	return i;
}

/* What nearly everybody writes has code of its own. */
ALWAYS_INLINE size_t count_lines_of(const unsigned char *in, size_t n_lines, size_t n_chars,
				    size_t stride)
{
	if (n_chars == 64 && stride == 66)
		return count_lines(in, n_lines, 64, 66);
	return count_lines(in, n_lines, n_chars, stride);
}

static WITH_AVX2 size_t count_lines_avx2(const unsigned char *in, size_t n_lines, size_t n_chars,
					 size_t stride)
{
	return count_lines_of(in, n_lines, n_chars, stride);
}

size_t base64_count_lines(const unsigned char *in, size_t n_lines, size_t n_chars, size_t stride)
{
	return HAS_AVX2 ? count_lines_avx2(in, n_lines, n_chars, stride)
			: count_lines_of(in, n_lines, n_chars, stride);
}

#if defined(__x86_64__)
#define DECODED (WIDTH / 4 * 3)

/* 32 characters of the alphabet into 24 octets. What is added to a character to make it its value
 * depends on its upper four bits, and '/' is the exception; then values of 6 bits are joined two by
 * two, and the octets put in order. */
static WITH_AVX2 void decode_block(const unsigned char *in, unsigned char *out)
{
	const __m256i offsets = _mm256_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0,
						 0, 0, 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0,
						 0, 0, 0, 0);
	const __m256i order = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1,
					       -1, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1,
					       -1, -1);
	const __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)in);
	const __m256i upper = _mm256_and_si256(_mm256_srli_epi32(c, 4), _mm256_set1_epi8(0x0f));
	const __m256i is_slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
	__m256i v = _mm256_add_epi8(c,
				    _mm256_shuffle_epi8(offsets, _mm256_add_epi8(upper, is_slash)));

	v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
	v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
	v = _mm256_shuffle_epi8(v, order);
	v = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 0, 0));
	_mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(v));
	_mm_storel_epi64((__m128i *)(void *)(out + 16), _mm256_extracti128_si256(v, 1));
}

static WITH_AVX2 size_t decode_blocks(const unsigned char *in, size_t len, unsigned char **out)
{
	size_t i = 0;

	for (; i + WIDTH <= len; i += WIDTH) {
		lanes all = ~(lanes){0};

		check_chars(in + i, &all);
		if (!is_all_ones(&all))
			break;
		decode_block(in + i, *out);
		*out += DECODED;
	}
	return i;
}
#else
static size_t decode_blocks(const unsigned char *in, size_t len, unsigned char **out)
{
	(void)in;
	(void)len;
	(void)out;
	return 0;
}
#endif

/* Whole groups while nothing but the alphabet comes. */
static size_t decode_groups(const unsigned char *in, size_t len, unsigned char **out)
{
	size_t i = HAS_AVX2 ? decode_blocks(in, len, out) : 0;
	unsigned char *o = *out;

	for (; i + 4 <= len; i += 4) {
		unsigned a = value_of[in[i]], b = value_of[in[i + 1]];
		unsigned c = value_of[in[i + 2]], d = value_of[in[i + 3]];
		unsigned group = a << 18 | b << 12 | c << 6 | d;

		if ((a | b | c | d) & 0xc0)
			break;
		o[0] = (unsigned char)(group >> 16);
		o[1] = (unsigned char)(group >> 8);
		o[2] = (unsigned char)group;
		o += 3;
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
