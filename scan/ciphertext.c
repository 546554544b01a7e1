/* SPDX-License-Identifier: ISC */
#include "scan/ciphertext.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ENOUGH_FOR_SHARES 64 /* octets from which shares of values say something: see header */
#define ENOUGH_FOR_ABSENCE \
	256 /* octets from which the absence of controls does: (1 - 27/256)^256 = 4e-13 */
#define ENOUGH_FOR_SPREAD 2048 /* octets from which each value is there some times */

static inline bool is_text(unsigned char c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= '\t' && c <= '\r');
}

void ciphertext_reset(struct ciphertext *c)
{
	memset(c, 0, sizeof(*c));
}

void ciphertext_next(struct ciphertext *c)
{
	c->n = 0;
	memset(c->n_of, 0, sizeof(c->n_of));
}

static void count_values(uint16_t n_of[256], const unsigned char *bytes, size_t len)
{
	size_t i = 0;

	for (; i + 4 <= len; i += 4) {
		n_of[bytes[i]]++;
		n_of[bytes[i + 1]]++;
		n_of[bytes[i + 2]]++;
		n_of[bytes[i + 3]]++;
	}
	for (; i < len; i++)
		n_of[bytes[i]]++;
}

static void end_run(struct ciphertext *c, unsigned octets)
{
	c->has_run |= octets >= CIPHERTEXT_RUN;
}

/* Runs of text, a bit for each octet where the machine compares many at once. A run within so few
 * is shorter than one that counts; those that reach over an end are put together. */
static void watch_runs(struct ciphertext *c, const unsigned char *bytes, size_t len)
{
	unsigned run = c->run;
	size_t i = 0;

#ifdef __SSE2__
	_Static_assert(CIPHERTEXT_RUN > 16, "a run could hide within");
	for (; i + 16 <= len; i += 16) {
		const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
		const __m128i is_print = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(0x1f)),
						       _mm_cmplt_epi8(v, _mm_set1_epi8(0x7f)));
		const __m128i is_space = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('\t' - 1)),
						       _mm_cmplt_epi8(v, _mm_set1_epi8('\r' + 1)));
		const unsigned others =
			(unsigned)_mm_movemask_epi8(_mm_or_si128(is_print, is_space)) ^ 0xffff;

		if (others == 0) {
			run = run < CIPHERTEXT_RUN ? run + 16 : run;
			continue;
		}
		end_run(c, run + (unsigned)__builtin_ctz(others));
		run = (unsigned)__builtin_clz(others) - 16; /* of 32 bits the upper 16 are none */
	}
#endif
	for (; i < len; i++) {
		if (is_text(bytes[i])) {
			run = run < CIPHERTEXT_RUN ? run + 1 : run;
			continue;
		}
		end_run(c, run);
		run = 0;
	}
	end_run(c, run);
	c->run = (uint16_t)run;
}

size_t ciphertext_feed(struct ciphertext *c, const unsigned char *bytes, size_t len)
{
	size_t room = CIPHERTEXT_SAMPLE - c->n;

	if (len > room)
		len = room;
	count_values(c->n_of, bytes, len);
	if (!c->has_run)
		watch_runs(c, bytes, len);
	c->n += (uint16_t)len;
	return len;
}

bool ciphertext_is_full(const struct ciphertext *c)
{
	return c->n >= CIPHERTEXT_SAMPLE;
}

struct shares {
	unsigned text, controls, most;
	uint64_t squares; /* of how often each value is there */
};

static unsigned sum(const struct ciphertext *c, unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned v = from; v <= to; v++)
		n += c->n_of[v];
	return n;
}

static struct shares count(const struct ciphertext *c)
{
	const unsigned space = sum(c, '\t', '\r');
	struct shares s = {.text = sum(c, 0x20, 0x7e) + space, .controls = sum(c, 0, 0x1f) - space};

	uint32_t squares = 0; /* at most CIPHERTEXT_SAMPLE squared */

	for (unsigned v = 0; v < 256; v++) {
		const uint32_t n = c->n_of[v];

		s.most = n > s.most ? n : s.most;
		squares += n * n;
	}
	s.squares = squares;
	return s;
}

/* The share of text octets, in percent, beyond which n octets are no ciphertext. It has 100/256 =
 * 39 % on average; binomial tails of less than 1e-11. */
static unsigned most_text_percent(unsigned n)
{
	static const struct {
		unsigned n, percent;
	} bounds[] = {{2048, 47}, {1024, 50}, {512, 54}, {256, 60}, {128, 68}};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (n >= bounds[i].n)
			return bounds[i].percent;
	return 80;
}

static const char *look(const struct ciphertext *c, unsigned most_text, bool is_strict)
{
	const struct shares s = count(c);

	if (s.text * 100 > c->n * most_text)
		return "mostly text";
	if (c->n >= ENOUGH_FOR_ABSENCE && s.controls == 0)
		return "text without any control octet";
	if (s.most * 4 > c->n)
		return "one octet value in more than a quarter";
	/* Pearson's chi-square over 256 values: 255 on average, deviation 22.6 */
	if (is_strict && c->n >= ENOUGH_FOR_SPREAD && s.squares * 256 / c->n > c->n + 600u)
		return "octet values that are not evenly spread";
	return NULL;
}

const char *ciphertext_looks_like(const struct ciphertext *c)
{
	if (c->has_run)
		return "a run of text";
	if (c->n < ENOUGH_FOR_SHARES) /* the smallest that tells anything: floods of tiny packets
					 cost little */
		return NULL;
	return look(c, most_text_percent(c->n), true);
}

const char *ciphertext_is_prose(const struct ciphertext *c)
{
	return c->n < ENOUGH_FOR_SHARES ? NULL : look(c, 80, false);
}

bool ciphertext_is_short_text(const struct ciphertext *c)
{
	return c->n >= CIPHERTEXT_SHORT && count(c).text * 8 > c->n * 7u;
}
