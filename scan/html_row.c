/* SPDX-License-Identifier: ISC */
#include "scan/html_row.h"

#include <string.h>

#include "scan/text.h"

#define COST_STYLE 2 /* of a tag that says something of its looks */
#define COST_DRAWN 4 /* of a ground, an underline, a line at the left */
#define COST_LINE 16 /* of other lines: one box has the shape of a letter */
#define COST_UNLIKE 4
#define COST_UNLIKE_HEADER 1 /* there are few, and each says what it likes (armor.h) */
#define BLANKS_FREE 4	     /* of an unlike row: one more for each of so many */
#define LETTER 'A'	     /* for text; tags are in small letters */

static void put(struct html_rows *r, char c)
{
	if (r->len == sizeof(r->row))
		r->is_cut = true;
	else
		r->row[r->len++] = c;
}

void html_row_begin(struct html_rows *r, unsigned used)
{
	memset(r, 0, offsetof(struct html_rows, row));
	r->used = used;
}

/* White space has ended that shows as one blank: not at the beginning of a line, and not within
 * text, whose lengths are seen anyway. */
static void end_blank(struct html_rows *r)
{
	if (r->is_after_blank && r->is_shown) {
		r->n_blanks++;
		put(r, ' ');
	}
	r->is_after_blank = false;
}

/* In <pre> each carriage return ends a line. A second one before a line feed is some program's
 * doubling. */
static void end_cr(struct html_rows *r, bool is_lf)
{
	const unsigned n_free = is_lf ? 1 : 0, n_doubled = is_lf ? 2 : 0;

	if (r->n_cr > n_doubled)
		r->pending += COST_UNLIKE;
	for (; r->n_cr > n_free; r->n_cr--)
		if (!is_lf || r->keeps_blanks)
			put(r, '\r');
	r->n_cr = 0;
}

void html_row_text_end(struct html_rows *r, bool is_lf)
{
	end_cr(r, is_lf);
	end_blank(r);
}

static void take_letter(struct html_rows *r)
{
	const bool is_within_text = r->len > 0 && r->row[r->len - 1] == LETTER;

	if (!is_within_text) {
		end_blank(r);
		put(r, LETTER);
	}
	r->is_after_blank = false;
	r->n_letters++;
	r->is_shown = true;
}

void html_row_text(struct html_rows *r, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\r') {
			r->n_cr++;
			continue;
		}
		end_cr(r, false);
		if (!text_is_space(bytes[i]))
			take_letter(r);
		else if (r->keeps_blanks)
			html_row_space(r, (const char *)bytes + i, 1);
		else
			r->is_after_blank = true;
	}
}

void html_row_line_feed(struct html_rows *r)
{
	if (r->keeps_blanks)
		put(r, '\n');
	else
		r->is_after_blank = true;
}

void html_row_space(struct html_rows *r, const char *space, size_t len)
{
	end_blank(r);
	r->is_shown = true;
	r->n_blanks++;
	for (size_t i = 0; i < len; i++)
		put(r, space[i]);
}

void html_row_put(struct html_rows *r, const char *text)
{
	for (; *text; text++) {
		if (!text_is_space((unsigned char)*text))
			put(r, *text);
		else if (!text_is_space((unsigned char)text[1]))
			put(r, ' ');
	}
}

void html_row_draw(struct html_rows *r, const struct html_paint *paint, bool is_canvas)
{
	r->pending += paint->is_styled ? COST_STYLE : 0;
	r->pending += paint->has_ground && !is_canvas ? COST_DRAWN : 0;
	r->pending += paint->is_underlined ? COST_DRAWN : 0;
	r->pending += COST_DRAWN * paint->bars + COST_LINE * paint->lines;
	r->keeps_blanks |= paint->keeps_blanks;
}

void html_row_place(struct html_rows *r)
{
	char digits[12];
	size_t n = 0;

	if (r->last_place > 0 && r->n_letters != r->last_place)
		r->pending++;
	r->last_place = r->n_letters;
	for (unsigned left = r->n_letters; n < sizeof(digits); left /= 10) {
		digits[n++] = (char)('0' + left % 10);
		if (left < 10)
			break;
	}
	while (n > 0)
		put(r, digits[--n]);
	put(r, '>');
	r->n_letters = 0;
}

static bool is_like_last(const struct html_rows *r)
{
	return !r->is_cut && !r->is_last_cut && r->len == r->last_len &&
	       memcmp(r->row, r->last, r->len) == 0;
}

/* The order of kinds is that of armor, so who repeats the looks of the first block chooses
 * nothing. */
static bool is_like_first(struct html_rows *r, enum html_row_kind kind)
{
	size_t *first_len;
	char *first;

	r->n_of_kind = kind == r->last_kind ? r->n_of_kind + 1 : 0;
	r->last_kind = kind;
	if (r->n_of_kind > 1 || r->len > HTML_ROW_FIRST_MAX)
		return false;
	first = r->first[kind][r->n_of_kind];
	first_len = &r->first_len[kind][r->n_of_kind];
	if (*first_len == 0) {
		memcpy(first, r->row, r->len);
		*first_len = r->len;
		return false;
	}
	return r->len == *first_len && memcmp(r->row, first, r->len) == 0;
}

static unsigned cost_of(const struct html_rows *r, enum html_row_kind kind)
{
	unsigned cost = r->pending + r->n_blanks / BLANKS_FREE;

	if (kind == HTML_ROW_DATA || (kind == HTML_ROW_EMPTY && r->n_blanks > 0))
		cost += COST_UNLIKE;
	else if (kind == HTML_ROW_HEADER || kind == HTML_ROW_HEADERS_END)
		cost += COST_UNLIKE_HEADER;
	return cost;
}

bool html_row_end(struct html_rows *r, enum html_row_kind kind)
{
	const bool is_first_again = is_like_first(r, kind);

	if (!is_like_last(r)) {
		r->used += is_first_again ? 0 : cost_of(r, kind);
		memcpy(r->last, r->row, r->len);
		r->last_len = r->len;
		r->is_last_cut = r->is_cut;
	}
	r->len = 0;
	r->is_cut = r->is_shown = r->is_after_blank = false;
	r->pending = r->n_blanks = r->n_letters = 0;
	return html_row_is_plain(r);
}

unsigned html_row_used(const struct html_rows *r)
{
	return r->used + r->pending + r->n_blanks / BLANKS_FREE;
}

bool html_row_is_plain(const struct html_rows *r)
{
	return html_row_used(r) <= HTML_LOOKS_MAX;
}
