/* SPDX-License-Identifier: ISC */
#include "scan/wording.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "scan/wording_gain.h"

#ifndef HAS_SSE2 /* a unit test says that there is none */
#ifdef __SSE2__
#define HAS_SSE2 1
#else
#define HAS_SSE2 0
#endif
#endif

#define BOUND (WORDING_NATS * WORDING_NAT)
#define CHARGE ((WORDING_NAT * 2 + 4) / 5) /* of a line: 0.4 nats */
#define N_BESIDE 8			   /* lines that are weighed side by side */
#define FEW 2				   /* so many are faster one by one */
#define N_JOINED \
	16 /* characters of a line after which its runs are those of the line alone, mostly */
#define MOST (255 - WORDING_BIAS) /* where a lane ends: it is this much, or more */

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
	const struct wording_gain *g = &wording_gain[wording_pair(w->previous, next)];

	w->lower = at_least_0(w->lower + g->of[0] - WORDING_BIAS);
	w->upper = at_least_0(w->upper + g->of[1] - WORDING_BIAS);
	w->previous = next;
	return w->lower > BOUND || w->upper > BOUND;
}

bool wording_feed(struct wording *w, const unsigned char *chars, size_t len)
{
	for (size_t i = 0; i < len && !w->is_text; i++)
		w->is_text = weigh(w, chars[i]);
	return w->is_text;
}

/* What noise has in a line of so many characters: see the header file. */
static int best_of_noise(size_t len)
{
	static const struct {
		size_t len;
		int best; /* WORDING_NAT * (2 + ln(2 * len)) */
	} table[] = {{64, 110}, {76, 113}, {128, 121}, {256, 132}, {512, 143}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (len <= table[i].len)
			return table[i].best;
	return 154; /* 1024 */
}

/* n lines, of which none has a run that noise does not have. */
static void take_noise(struct wording_lines *w, int n)
{
	w->sum = at_least_0(w->sum - n * CHARGE);
}

/* A line with such a best run. */
static void take_best(struct wording_lines *w, int best, size_t len)
{
	w->sum = at_least_0(w->sum + at_least_0(best - best_of_noise(len)) - CHARGE);
	w->is_text |= w->sum > WORDING_LINES_NATS * WORDING_NAT;
}

bool wording_weigh_line(struct wording_lines *w, const unsigned char *chars, size_t len)
{
	struct wording line;
	int best = 0;

	wording_reset(&line);
	for (size_t i = 0; i < len; i++) {
		weigh(&line, chars[i]);
		best = line.lower > best ? line.lower : best;
		best = line.upper > best ? line.upper : best;
	}
	take_best(w, best, len);
	return w->is_text;
}

/* Two lanes a line, of the runs that begin in it: lower and upper. From MOST on they say nothing
 * but that. */
typedef unsigned char lanes __attribute__((vector_size(2 * N_BESIDE)));

struct runs {
	lanes now, most;
};

#if HAS_SSE2
static inline __m128i two_gains(unsigned pair)
{
	int32_t two;

	memcpy(&two, &wording_gain[pair], sizeof(two));
	return _mm_cvtsi32_si128(two);
}

static inline int one_gain(unsigned pair)
{
	uint16_t gain;

	memcpy(&gain, &wording_gain[pair], sizeof(gain));
	return gain;
}

#define WITH_GAIN(gains, k, pair) _mm_insert_epi16(gains, one_gain(pair), k)

static inline lanes gains_of(const unsigned pair[N_BESIDE])
{
	__m128i a = two_gains(pair[0]), b = two_gains(pair[4]);

	a = WITH_GAIN(a, 1, pair[1]);
	b = WITH_GAIN(b, 1, pair[5]);
	a = WITH_GAIN(a, 2, pair[2]);
	b = WITH_GAIN(b, 2, pair[6]);
	a = WITH_GAIN(a, 3, pair[3]);
	b = WITH_GAIN(b, 3, pair[7]);
	return (lanes)_mm_unpacklo_epi64(a, b);
}

/* Of one line; what the other lanes have is nobody's. */
static inline lanes gains_of_one(unsigned pair)
{
	return (lanes)two_gains(pair);
}

static inline void add(struct runs *r, lanes gains)
{
	const __m128i sum = _mm_adds_epu8((__m128i)r->now, (__m128i)gains);
	const __m128i now = _mm_subs_epu8(sum, _mm_set1_epi8(WORDING_BIAS));

	r->now = (lanes)now;
	r->most = (lanes)_mm_max_epu8((__m128i)r->most, now);
}
#else
static inline lanes gains_of(const unsigned pair[N_BESIDE])
{
	struct wording_gain gains[N_BESIDE];
	lanes value;

	for (size_t k = 0; k < N_BESIDE; k++)
		gains[k] = wording_gain[pair[k]];
	memcpy(&value, gains, sizeof(value));
	return value;
}

static inline lanes gains_of_one(unsigned pair)
{
	return (lanes){wording_gain[pair].of[0], wording_gain[pair].of[1]};
}

static inline void add(struct runs *r, lanes gains)
{
	const lanes sum = r->now + gains, capped = sum | (lanes)(sum < gains);
	const lanes now = (capped - WORDING_BIAS) & (lanes)(capped > WORDING_BIAS);
	const lanes is_more = (lanes)(now > r->most);

	r->now = now;
	r->most = (now & is_more) | (r->most & ~is_more);
}
#endif

/* Lines that are weighed side by side, each by itself; line[k] is in lanes 2k and 2k + 1. */
struct group {
	const unsigned char *line[N_BESIDE];
	size_t n_lines, n_chars;
	struct runs end;
	lanes gains[N_JOINED], now[N_JOINED]; /* at the first characters, of whole groups */
};

/* Of the lines at a to h the character behind offset i. */
#define GAINS_AT(i)                                                                             \
	gains_of((const unsigned[N_BESIDE]){wording_pair_at(a + (i)), wording_pair_at(b + (i)), \
					    wording_pair_at(c + (i)), wording_pair_at(d + (i)), \
					    wording_pair_at(e + (i)), wording_pair_at(f + (i)), \
					    wording_pair_at(g + (i)), wording_pair_at(h + (i))})

/* By itself, so that all of the pointers are in registers. */
static __attribute__((noinline)) void weigh_group(struct group *group)
{
	const unsigned char *const *line = group->line;
	const unsigned char *a = line[0], *b = line[1], *c = line[2], *d = line[3];
	const unsigned char *e = line[4], *f = line[5], *g = line[6], *h = line[7];
	struct runs r = {.now = {0}};
	size_t i;

	add(&r, gains_of((const unsigned[N_BESIDE]){wording_pair('+', *a), wording_pair('+', *b),
						    wording_pair('+', *c), wording_pair('+', *d),
						    wording_pair('+', *e), wording_pair('+', *f),
						    wording_pair('+', *g), wording_pair('+', *h)}));
	group->now[0] = r.now;
	for (i = 1; i < N_JOINED && i < group->n_chars; i++) {
		group->gains[i] = GAINS_AT(i - 1);
		add(&r, group->gains[i]);
		group->now[i] = r.now;
	}
	for (; i < group->n_chars; i++)
		add(&r, GAINS_AT(i - 1));
	group->end = r;
}

static void weigh_one(const unsigned char *line, size_t n_chars, struct runs *runs)
{
	struct runs r = {.now = {0}};

	add(&r, gains_of_one(wording_pair('+', *line)));
	for (size_t i = 0; i + 1 < n_chars; i++)
		add(&r, gains_of_one(wording_pair_at(line + i)));
	*runs = r;
}

static inline bool is_any(lanes is)
{
	uint64_t half[2];

	memcpy(half, &is, sizeof(half));
	return (half[0] | half[1]) != 0;
}

static int best_of(const struct runs *r, size_t k)
{
	const unsigned char *most = (const unsigned char *)&r->most + 2 * k;

	return most[0] > most[1] ? most[0] : most[1];
}

static void take_line(struct wording_lines *lines, const unsigned char *line, size_t n_chars,
		      int best)
{
	if (best < MOST)
		take_best(lines, best, n_chars);
	else
		wording_weigh_line(lines, line, n_chars);
}

/* The first n lines. */
static void take_lines(struct wording_lines *lines, const struct group *g, size_t n)
{
	const lanes noise = (lanes){0} + (unsigned char)best_of_noise(g->n_chars);

	if (!is_any((lanes)(g->end.most > noise))) {
		take_noise(lines, (int)n);
		return;
	}
	for (size_t k = 0; k < n; k++)
		take_line(lines, g->line[k], g->n_chars, best_of(&g->end, k));
}

/* A line that was weighed by itself: w is what there was before it. Weighs its beginning again,
 * until both ways meet, which is where a run ends; w becomes what is true at the line's end. */
static void join(struct wording *w, const unsigned char *line, size_t n_chars, const struct runs *r,
		 size_t k)
{
	const unsigned char *now = (const unsigned char *)&r->now + 2 * k;
	struct wording alone;

	if (best_of(r, k) >= MOST) {
		wording_feed(w, line, n_chars);
		return;
	}
	wording_reset(&alone);
	for (size_t i = 0; i < n_chars && !w->is_text; i++) {
		if (w->lower == alone.lower && w->upper == alone.upper &&
		    w->previous == alone.previous) {
			*w = (struct wording){now[0], now[1], line[n_chars - 1], false};
			return;
		}
		w->is_text = weigh(w, line[i]);
		weigh(&alone, line[i]);
	}
}

/* The same with a whole group, each line after the one before it. False: not all meet early, or are
 * far from the bound. */
static bool join_group(struct wording *w, const struct group *g)
{
	unsigned char now[2 + sizeof(lanes)] = {(unsigned char)w->lower, (unsigned char)w->upper};
	unsigned pair[N_BESIDE] = {wording_pair(w->previous, *g->line[0])};
	struct runs r;

	if (g->n_chars < N_JOINED || w->lower >= MOST || w->upper >= MOST ||
	    is_any((lanes)(g->end.most == MOST)))
		return false;
	memcpy(now + 2, &g->end.now, sizeof(lanes));
	memcpy(&r.now, now, sizeof(lanes));
	r.most = r.now;
	for (size_t k = 1; k < N_BESIDE; k++)
		pair[k] = wording_pair(g->line[k - 1][g->n_chars - 1], *g->line[k]);
	add(&r, gains_of(pair));
	for (size_t i = 1; is_any((lanes)(r.now != g->now[i - 1])); i++) {
		if (i == N_JOINED)
			return false;
		add(&r, g->gains[i]);
	}
	if (is_any((lanes)(r.most == MOST)))
		return false;
	w->lower = now[2 * g->n_lines];
	w->upper = now[2 * g->n_lines + 1];
	w->previous = g->line[g->n_lines - 1][g->n_chars - 1];
	return true;
}

static void look_one_by_one(struct wording *w, struct wording_lines *lines, size_t n_alone,
			    const struct group *g)
{
	for (size_t k = 0; k < g->n_lines; k++) {
		struct runs r;

		weigh_one(g->line[k], g->n_chars, &r);
		if (k < n_alone)
			take_line(lines, g->line[k], g->n_chars, best_of(&r, 0));
		if (!w->is_text)
			join(w, g->line[k], g->n_chars, &r, 0);
	}
}

static void look_side_by_side(struct wording *w, struct wording_lines *lines, size_t n_alone,
			      struct group *g)
{
	weigh_group(g);
	if (n_alone > 0)
		take_lines(lines, g, n_alone < g->n_lines ? n_alone : g->n_lines);
	if (w->is_text || join_group(w, g))
		return;
	for (size_t k = 0; k < g->n_lines && !w->is_text; k++)
		join(w, g->line[k], g->n_chars, &g->end, k);
}

void wording_look_at_lines(struct wording *w, struct wording_lines *lines, size_t n_alone,
			   const unsigned char *chars, size_t n_lines, size_t n_chars,
			   size_t stride)
{
	for (size_t n = 0; n < n_lines; n += N_BESIDE) {
		const size_t n_left = n_lines - n, n_counted = n < n_alone ? n_alone - n : 0;
		struct group g;

		g.n_lines = n_left < N_BESIDE ? n_left : N_BESIDE;
		g.n_chars = n_chars;
		for (size_t k = 0; k < N_BESIDE; k++)
			g.line[k] = chars + (n + (k < g.n_lines ? k : 0)) * stride;
		if (g.n_lines <= FEW)
			look_one_by_one(w, lines, n_counted, &g);
		else
			look_side_by_side(w, lines, n_counted, &g);
	}
}
