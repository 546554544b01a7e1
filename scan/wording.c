/* SPDX-License-Identifier: ISC */
#include "scan/wording.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NAT 16 /* the unit of the logarithms below is a sixteenth of a nat */
#define N_KINDS 28
#define KIND_DIGIT 26
#define KIND_BREAK 27 /* '+' and '/': what stands between words */
#define BOUND (WORDING_NATS * NAT)
#define N_STREAMS 4 /* pieces of many lines that are weighed side by side */
#define BLOCK 256   /* characters between looks at the bound; 256 * 60 + 512 is below INT16_MAX */

/* ln(P(next | this) / P(next in noise)), rounded down: letters without regard to case, then digits,
 * then breaks. P is from the texts of this project and a few hundred everyday words, with and
 * without breaks between. Each row is a distribution, so the bound in the header holds however good
 * it is. */
static const signed char ratio[N_KINDS][N_KINDS] = {
	/* clang-format off */
	{-30, -3, 4, 12, -18, -12, 3, -33, 6, -75, -15, 10, 1, 27, -32, -18, -58, 18, 15, 23, -13, -19, -36, -35, -1, -70, -80, 12},
	{13, -51, -18, -33, 39, -42, -50, -36, 0, -17, -63, 14, -13, -33, 25, -40, -75, 4, -7, -25, -2, -60, -48, -67, 13, -78, -80, 9},
	{22, -49, -18, -33, 20, -35, -52, 24, 10, -72, 9, 4, -26, -31, 25, -23, -75, 5, -18, 22, -19, -52, -41, -67, -14, -70, -80, 6},
	{14, -8, -15, 3, 24, -23, -21, -20, 11, -63, -55, -23, -16, -17, 9, -29, -59, 2, 14, -5, -23, -49, -9, -14, -10, -74, -80, 37},
	{9, -32, 2, 7, -1, -8, -21, -19, -9, -57, -35, -4, -2, 17, -12, -11, -34, 22, 19, 9, -33, -11, -14, -8, -12, -74, -80, 31},
	{12, -45, 2, -33, 6, -11, -49, -31, 29, -76, -56, -28, -36, -28, 29, -29, -66, 17, -17, 13, 3, -50, -34, -67, -39, -78, -80, 28},
	{20, -36, -30, -35, 30, -36, -19, 11, 8, -76, -63, -17, -18, 2, 8, 14, -75, 7, 6, -2, -8, -52, -18, -67, -54, -71, -80, 28},
	{28, -45, -41, -38, 40, -43, -50, -33, 21, -74, -59, -38, -33, -29, 19, -41, -75, -9, -23, 1, -19, -61, -35, -67, -16, -75, -80, 15},
	{-18, -27, 10, 1, 7, -6, -1, -37, -27, -76, -46, 13, -1, 31, 4, -4, -75, 0, 23, 27, -49, -18, -49, -16, -54, -36, -80, -10},
	{-12, -55, -46, -41, 29, -51, -52, -37, -34, -76, -63, -42, -32, -33, 40, -51, -75, -35, 5, -28, 35, -64, -50, -67, -54, -78, -80, -8},
	{-10, -51, -37, -29, 41, -22, -31, -29, 8, -14, -56, -29, -9, 5, -21, -15, -75, -29, 22, -17, -15, -57, -10, -67, -54, -52, -80, 30},
	{6, -26, -33, 18, 27, -14, -40, -19, 24, -76, -42, 18, -35, -30, 20, -19, -72, -27, 0, 7, -8, -41, -23, -65, 3, -71, -80, 20},
	{29, -5, -35, -29, 35, -34, -48, -23, 13, -72, -51, -18, -5, -23, 19, 5, -75, -32, 0, -5, -2, -55, -35, -58, -48, -78, -80, 18},
	{0, -36, 1, 24, 21, -18, 15, -31, 3, -71, -11, -7, -29, -11, 17, -18, -48, -26, 8, 18, -7, -34, -25, -67, -7, -61, -80, 25},
	{-15, -11, -1, -7, -7, 10, -10, -29, -15, -66, -27, 4, 11, 26, -6, -4, -75, 26, 0, 13, 17, -14, 2, -40, -41, -72, -80, 13},
	{26, -40, -43, 1, 19, -34, 19, -1, 8, -76, -37, 17, -24, -33, 13, -13, -75, 12, -2, 19, -7, -36, -43, -67, -29, -78, -80, 10},
	{-31, -55, -46, -41, -23, -51, -52, -37, -34, -76, -26, 15, -35, -33, -33, -51, -75, -35, -32, -23, 52, -41, -50, -67, -54, -78, -80, -7},
	{8, -27, -11, 2, 34, -13, -23, -26, 9, -74, -18, -16, -7, -4, 14, -29, -69, -8, 8, 8, -2, -24, -24, -66, 3, -76, -80, 28},
	{12, -26, -2, -22, 24, -22, -40, 0, 4, -58, -22, -21, -19, -14, 5, -7, -44, -18, 11, 21, -14, -49, -8, -66, -31, -74, -80, 37},
	{6, -27, -19, -33, 22, -18, -43, 35, 10, -71, -54, -25, -21, -23, 9, -26, -67, -1, 12, -1, -14, -54, -11, -60, -16, -72, -80, 29},
	{-15, -5, -2, -6, 9, -41, -16, -36, -4, -76, -63, 27, 3, 22, -9, 0, -70, 23, 21, 22, -50, -64, -49, -59, -54, -42, -80, -1},
	{15, -50, -38, -41, 51, -51, -42, -35, 1, -76, -63, -30, -42, -29, -30, -41, -75, -33, -31, -25, -50, -64, -50, -67, -54, -78, -80, -2},
	{15, -55, -46, -40, 19, -42, -52, 37, 27, -76, -63, -33, -31, 0, 20, -46, -75, 7, -3, -14, -48, -64, -41, -67, -54, -78, -80, 8},
	{18, -28, -9, -30, 13, -30, -47, -26, 8, -76, -53, 3, -30, -31, -17, 8, -46, -26, -9, 37, -38, -64, -27, -28, -24, -78, -80, 32},
	{-2, -7, -19, -12, 9, -23, -44, -25, -9, -69, -47, -13, -12, -14, 18, 15, -55, -15, 15, 11, -38, -41, -4, -67, -52, -78, -80, 41},
	{-31, -19, -46, -41, 49, -51, -27, -23, -10, -76, -63, -42, -47, -21, -21, -51, -75, -10, -21, -28, -50, -64, -50, -30, -12, 15, -80, 19},
	{11, -13, -3, 1, 19, -8, -10, 5, 8, -34, -21, 0, -5, 9, 10, -8, -33, 8, 10, 14, -8, -21, -7, -25, -12, -35, -37, 22},
	{20, 3, 4, -2, 1, 3, -21, 2, 14, -37, -25, 0, 5, 3, 13, 1, -41, 4, 12, 22, -17, -23, 13, -56, -22, -57, -80, -21},
	/* clang-format on */
};

/* clang-format off */
static const unsigned char kind_of[128] = {
	27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27,
	27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27,
	27, 27, 27, 27, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 27, 27, 27, 27, 27, 27, 27, 0,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
	25, 27, 27, 27, 27, 27, 27, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 27, 27, 27, 27,
};

/* ln(0.85 / 0.5) and ln(0.15 / 0.5), for words are mostly of one case: here of lower case. With the bit of case the
 * other way round it is upper case. */
static const signed char case_of[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20,
	-20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, -20, 0, 0, 0, 0, 0, 0, 8, 8,
	8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0, 0,
};
/* clang-format on */

/* What a character adds to both runs, lower in [0] and upper in [1], by the two octets that the one
 * before it and itself are in memory. Both fit one lane of 32 bits, so four characters of different
 * places go side by side. */
struct gain {
	int16_t of[2];
};

static struct gain gain_of[1 << 16];

static unsigned pair_at(const unsigned char *two)
{
	uint16_t pair;

	memcpy(&pair, two, sizeof(pair));
	return pair;
}

static unsigned pair_of(unsigned char previous, unsigned char next)
{
	return pair_at((const unsigned char[]){previous, next});
}

__attribute__((constructor)) static void fill_gains(void)
{
	for (unsigned a = '+'; a <= 'z'; a++) {
		for (unsigned b = '+'; b <= 'z'; b++) {
			const int step = ratio[kind_of[a]][kind_of[b]];
			const unsigned swapped = b ^ (kind_of[b] < KIND_DIGIT ? 0x20 : 0);
			struct gain *g = &gain_of[pair_of((unsigned char)a, (unsigned char)b)];

			g->of[0] = (int16_t)(step + case_of[b]);
			g->of[1] = (int16_t)(step + case_of[swapped]);
		}
	}
}

typedef int16_t lanes __attribute__((vector_size(4 * N_STREAMS)));
typedef int32_t doubles __attribute__((vector_size(4 * N_STREAMS)));

/* Two lanes a stream. */
struct runs {
	lanes now, most;
};

static inline lanes max_of(lanes a, lanes b)
{
#ifdef __SSE2__
	return (lanes)_mm_max_epi16((__m128i)a, (__m128i)b);
#else
	const lanes is_more = a > b;

	return (a & is_more) | (b & ~is_more);
#endif
}

static inline int32_t both(unsigned pair)
{
	int32_t value;

	memcpy(&value, &gain_of[pair], sizeof(value));
	return value;
}

static inline void add(struct runs *r, doubles gains)
{
	r->now = max_of(r->now + (lanes)gains, (lanes){0});
	r->most = max_of(r->most, r->now);
}

static bool is_beyond(const struct runs *r)
{
	for (size_t i = 0; i < 2 * N_STREAMS; i++)
		if (r->most[i] > BOUND)
			return true;
	return false;
}

void wording_reset(struct wording *w)
{
	memset(w, 0, sizeof(*w));
	w->previous = '+';
}

static inline int at_least_0(int n)
{
	return n > 0 ? n : 0;
}

/* One more character. True: the bound is passed. */
static inline bool weigh(struct wording *w, unsigned char next)
{
	const struct gain *g = &gain_of[pair_of(w->previous, next)];

	w->lower = at_least_0(w->lower + g->of[0]);
	w->upper = at_least_0(w->upper + g->of[1]);
	w->previous = next;
	return w->lower > BOUND || w->upper > BOUND;
}

bool wording_feed(struct wording *w, const unsigned char *chars, size_t len)
{
	struct runs r = {.now = {(int16_t)w->lower, (int16_t)w->upper}};

	for (size_t at = 0; at < len && !w->is_text; at += BLOCK) {
		const size_t end = len - at < BLOCK ? len : at + BLOCK;

		add(&r, (doubles){both(pair_of(w->previous, chars[at]))});
		for (size_t i = at + 1; i < end; i++)
			add(&r, (doubles){both(pair_at(chars + i - 1))});
		w->previous = chars[end - 1];
		w->is_text = is_beyond(&r);
	}
	w->lower = r.now[0];
	w->upper = r.now[1];
	return w->is_text;
}

/* Many lines in streams: the lines of each follow those of the one before it. */
struct stream {
	const unsigned char *lines;
	struct wording w; /* at its end, as if nothing had been before it */
};

/* Weighs of each the line that begins at offset `at`. True: the bound is passed in one. */
static bool weigh_line(struct runs *runs, struct stream stream[N_STREAMS], size_t at,
		       size_t n_chars)
{
	const unsigned char *a = stream[0].lines + at, *b = stream[1].lines + at;
	const unsigned char *c = stream[2].lines + at, *d = stream[3].lines + at;
	struct runs r = *runs;

	add(&r, (doubles){both(pair_of(stream[0].w.previous, *a)),
			  both(pair_of(stream[1].w.previous, *b)),
			  both(pair_of(stream[2].w.previous, *c)),
			  both(pair_of(stream[3].w.previous, *d))});
	for (size_t i = 0; i + 1 < n_chars; i++)
		add(&r, (doubles){both(pair_at(a + i)), both(pair_at(b + i)), both(pair_at(c + i)),
				  both(pair_at(d + i))});
	*runs = r;
	for (size_t k = 0; k < N_STREAMS; k++)
		stream[k].w.previous = stream[k].lines[at + n_chars - 1];
	return is_beyond(&r);
}

/* Weighs the streams side by side. True: the bound is passed in one. */
static bool weigh_streams(struct stream stream[N_STREAMS], size_t n_lines, size_t n_chars,
			  size_t stride)
{
	struct runs r = {.now = {(int16_t)stream[0].w.lower, (int16_t)stream[0].w.upper}};

	for (size_t n = 0; n < n_lines; n++)
		if (weigh_line(&r, stream, n * stride, n_chars))
			return true;
	for (size_t k = 0; k < N_STREAMS; k++) {
		stream[k].w.lower = r.now[2 * k];
		stream[k].w.upper = r.now[2 * k + 1];
	}
	return false;
}

/* A stream was weighed as if nothing had been before it: w is what there was. Weighs its beginning
 * again, until both ways meet, which is where a run ends; w becomes what is true at the stream's
 * end. */
static void join(struct wording *w, const struct stream *s, size_t n_lines, size_t n_chars,
		 size_t stride)
{
	struct wording alone = {.previous = w->previous};

	for (size_t n = 0; n < n_lines; n++) {
		for (size_t i = 0; i < n_chars; i++) {
			if (w->lower == alone.lower && w->upper == alone.upper) {
				*w = s->w;
				return;
			}
			w->is_text = weigh(w, s->lines[n * stride + i]);
			if (w->is_text)
				return;
			weigh(&alone, s->lines[n * stride + i]);
		}
	}
}

bool wording_feed_lines(struct wording *w, const unsigned char *lines, size_t n_lines,
			size_t n_chars, size_t stride)
{
	const size_t n_each = n_chars <= BLOCK && !w->is_text ? n_lines / N_STREAMS : 0;
	struct stream stream[N_STREAMS] = {{.lines = lines, .w = *w}};

	for (size_t k = 1; k < N_STREAMS && n_each > 0; k++) {
		stream[k].lines = lines + k * n_each * stride;
		stream[k].w.previous = lines[(k * n_each - 1) * stride + n_chars - 1];
	}
	if (n_each > 0) {
		w->is_text = weigh_streams(stream, n_each, n_chars, stride);
		if (!w->is_text)
			*w = stream[0].w;
	}
	for (size_t k = 1; k < N_STREAMS && n_each > 0 && !w->is_text; k++)
		join(w, &stream[k], n_each, n_chars, stride);
	for (size_t i = n_each * N_STREAMS; i < n_lines && !w->is_text; i++)
		wording_feed(w, lines + i * stride, n_chars);
	return w->is_text;
}

/* What noise has in a line of so many characters: see the header file. */
static int best_of_noise(size_t len)
{
	static const struct {
		size_t len;
		int best; /* NAT * (2 + ln(2 * len)) */
	} table[] = {{64, 110}, {76, 113}, {128, 121}, {256, 132}, {512, 143}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (len <= table[i].len)
			return table[i].best;
	return 154; /* 1024 */
}

/* A line with such a best run. */
static void take_best(struct wording_lines *w, int best, size_t len)
{
	const int charge = (NAT * 2 + 4) / 5; /* 0.4 nats */
	const int excess = at_least_0(best - best_of_noise(len));

	w->sum = at_least_0(w->sum + excess - charge);
	w->is_text |= w->sum > WORDING_LINES_NATS * NAT;
}

bool wording_weigh_line(struct wording_lines *w, const unsigned char *chars, size_t len)
{
	int lower = 0, upper = 0, best = 0;
	unsigned char previous = '+';

	for (size_t i = 0; i < len; i++) {
		const struct gain *g = &gain_of[pair_of(previous, chars[i])];

		lower = at_least_0(lower + g->of[0]);
		upper = at_least_0(upper + g->of[1]);
		previous = chars[i];
		best = lower > best ? lower : best;
		best = upper > best ? upper : best;
	}
	take_best(w, best, len);
	return w->is_text;
}

/* The best runs of N_STREAMS lines, each by itself. */
static struct runs weigh_beside(const unsigned char *lines, size_t n_chars, size_t stride)
{
	const unsigned char *a = lines, *b = a + stride, *c = b + stride, *d = c + stride;
	struct runs r = {.now = {0}};

	add(&r, (doubles){both(pair_of('+', *a)), both(pair_of('+', *b)), both(pair_of('+', *c)),
			  both(pair_of('+', *d))});
	for (size_t i = 0; i + 1 < n_chars; i++)
		add(&r, (doubles){both(pair_at(a + i)), both(pair_at(b + i)), both(pair_at(c + i)),
				  both(pair_at(d + i))});
	return r;
}

bool wording_weigh_lines(struct wording_lines *w, const unsigned char *lines, size_t n_lines,
			 size_t n_chars, size_t stride)
{
	size_t n = 0;

	for (; n_chars <= BLOCK && n + N_STREAMS <= n_lines; n += N_STREAMS) {
		const struct runs r = weigh_beside(lines + n * stride, n_chars, stride);

		for (size_t k = 0; k < N_STREAMS; k++)
			take_best(w,
				  r.most[2 * k] > r.most[2 * k + 1] ? r.most[2 * k]
								    : r.most[2 * k + 1],
				  n_chars);
	}
	for (; n < n_lines; n++)
		wording_weigh_line(w, lines + n * stride, n_chars);
	return w->is_text;
}
