/* SPDX-License-Identifier: ISC */
#include "scan/spread.h"

#include <string.h>

#define N_CHARS 64
#define N_OF_ASCII 128

void spread_reset(struct spread *s)
{
	memset(s, 0, sizeof(*s));
}

/* The present half and the one before, if there is one. Loops of a length that is known over
 * numbers of 16 bits, where all of it has room: compilers make vectors of them. */
static void look(struct spread *s)
{
	int16_t both[N_OF_ASCII];
	uint16_t n_all = 0;
	int32_t sum_of_squares = 0;
	uint32_t n, squares;

	for (unsigned c = 0; c < N_OF_ASCII; c++)
		both[c] = (int16_t)(s->n_of[c] + s->last[c]);
	for (unsigned c = 0; c < N_OF_ASCII; c++)
		n_all = (uint16_t)(n_all + both[c]);
	for (unsigned c = 0; c < N_OF_ASCII; c++)
		sum_of_squares += both[c] * both[c];
	n = n_all;
	squares = (uint32_t)sum_of_squares;
	s->is_uneven |= n >= SPREAD_ENOUGH && squares * N_CHARS > (n + SPREAD_BOUND) * n;
}

static void end_half(struct spread *s)
{
	if (s->has_last)
		look(s);
	memcpy(s->last, s->n_of, sizeof(s->last));
	memset(s->n_of, 0, sizeof(s->n_of));
	s->has_last = true;
	s->n = 0;
}

/* Four a turn: this is each character of a message. */
static void count(uint16_t n_of[256], const unsigned char *chars, size_t n)
{
	for (; n >= 4; n -= 4, chars += 4) {
		n_of[chars[0]]++;
		n_of[chars[1]]++;
		n_of[chars[2]]++;
		n_of[chars[3]]++;
	}
	while (n-- > 0)
		n_of[*chars++]++;
}

void spread_feed(struct spread *s, const unsigned char *chars, size_t n_lines, size_t n_chars,
		 size_t stride, bool is_plain)
{
	for (size_t line = 0; line < n_lines; line++, chars += stride) {
		for (size_t at = 0; at < n_chars;) {
			const size_t room = SPREAD_HALF - s->n;
			const size_t n = n_chars - at < room ? n_chars - at : room;
			const uint16_t n_zeros = s->n_of['A'];

			count(s->n_of, chars + at, n);
			if (!is_plain)
				s->n_of['A'] = n_zeros;
			s->n_of['='] = 0;
			s->n += (unsigned)n;
			at += n;
			if (s->n == SPREAD_HALF)
				end_half(s);
		}
	}
}

bool spread_finish(struct spread *s)
{
	look(s);
	return s->is_uneven;
}
