/* SPDX-License-Identifier: ISC
 *
 * html_row.h: do the lines of an HTML text look alike, one as the other? Who can choose the look of
 * each draws: with the lengths of white space on a ground, with the colour, the size or the place
 * of lines of armor, with borders around nothing.
 *
 * A row is all that stands between the end of one line and the end of the next: tags with their
 * attributes, white space that shows, and that there is text. A row like the one before costs
 * nothing. One that is unlike it costs what its tags draw, something for its blanks, and
 * something for being unlike. All texts of a message may cost HTML_LOOKS_MAX, and more is a
 * picture: a letter of five bars takes 20. A row of another kind than the one before may also be
 * like the first such: so each of many blocks has its BEGIN line, its empty line, its first line of
 * data and what stands behind it.
 *
 * Rows are compared octet by octet, up to HTML_ROW_MAX; a longer one is unlike all others. No
 * memory, one thread.
 */
#ifndef PGPGATE_SCAN_HTML_ROW_H
#define PGPGATE_SCAN_HTML_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/html_style.h"

#define HTML_LOOKS_MAX 64      /* the most that mail programs need is 44: seven quotations */
#define HTML_ROW_FIRST_MAX 256 /* of a block's first rows: a longer one counts again */
#define HTML_ROW_MAX 1536      /* octets of a row that are kept: what Chrome pastes takes 800 */

/* What the line is that a row ends with. */
enum html_row_kind {
	HTML_ROW_EMPTY,
	HTML_ROW_HEADER,      /* of armor, and its BEGIN line */
	HTML_ROW_HEADERS_END, /* the empty line behind them */
	HTML_ROW_DATA
};
#define HTML_ROW_KINDS (HTML_ROW_DATA + 1)

struct html_rows {
	/* private */
	unsigned used;	  /* by rows that have ended */
	unsigned pending; /* by the present one, if it is unlike the last */
	unsigned n_blanks;
	unsigned n_letters, last_place; /* between places where a line may be broken */
	unsigned n_cr;
	bool is_after_blank; /* which shows if the line has begun and goes on */
	bool is_shown;	     /* the line has begun */
	bool keeps_blanks;   /* white space may show as it is */
	bool is_cut, is_last_cut;
	size_t len, last_len;
	enum html_row_kind last_kind;
	unsigned n_of_kind; /* rows since the kind changed */
	size_t first_len[HTML_ROW_KINDS]
			[2];	/* of the first two rows of a kind behind another; 0: none */
	char row[HTML_ROW_MAX]; /* from here on nothing is cleared */
	char last[HTML_ROW_MAX];
	char first[HTML_ROW_KINDS][2][HTML_ROW_FIRST_MAX];
};

/* used: by the other texts of the message. */
void html_row_begin(struct html_rows *r, unsigned used);

/* Text as it comes. A run of white space within a line shows as one blank, or as it is where it is
 * kept, and a carriage return without a line feed may end a line. */
void html_row_text(struct html_rows *r, const unsigned char *bytes, size_t len);

/* A line feed that ends no line: white space. */
void html_row_line_feed(struct html_rows *r);

/* White space that shows, as it is written, of up to eight octets. */
void html_row_space(struct html_rows *r, const char *space, size_t len);

/* Markup, as it is written; runs of white space count as one blank. */
void html_row_put(struct html_rows *r, const char *text);

/* Something else than text comes; is_lf: a line feed. */
void html_row_text_end(struct html_rows *r, bool is_lf);

/* What the tag that was put says of its looks. is_canvas: its ground is that of all. */
void html_row_draw(struct html_rows *r, const struct html_paint *paint, bool is_canvas);

/* A place where a line may be broken: they, too, draw, unless they are as far from each other. */
void html_row_place(struct html_rows *r);

/* The line has ended. False: it is a picture. */
bool html_row_end(struct html_rows *r, enum html_row_kind kind);

/* What it has used in all, once no line is open. */
unsigned html_row_used(const struct html_rows *r);

/* Is all of it within the bound so far? */
bool html_row_is_plain(const struct html_rows *r);

#endif
