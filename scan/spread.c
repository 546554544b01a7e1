/* SPDX-License-Identifier: ISC */
#include "scan/spread.h"

#include <string.h>

#define N_CHARS 64

void spread_reset(struct spread *s)
{
	s->n = 0;
	s->has_last = s->is_uneven = false;
	memset(s->n_of, 0, sizeof(s->n_of));
}

/* The present half and the one before, if there is one. */
static void look(struct spread *s)
{
	uint32_t n = 0, squares = 0;

	for (unsigned c = 0; c < 128; c++) {
		const uint32_t k = s->n_of[c] + (s->has_last ? s->last[c] : 0u);

		n += k;
		squares += k * k;
	}
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

void spread_feed(struct spread *s, const unsigned char *chars, size_t n_lines, size_t n_chars,
		 size_t stride, bool is_plain)
{
	for (size_t line = 0; line < n_lines; line++, chars += stride) {
		for (size_t at = 0; at < n_chars;) {
			const size_t room = SPREAD_HALF - s->n;
			const size_t n = n_chars - at < room ? n_chars - at : room;
			const uint16_t n_zeros = s->n_of['A'];

			for (size_t i = at; i < at + n; i++)
				s->n_of[chars[i] & 0x7f]++;
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
