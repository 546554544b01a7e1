/* SPDX-License-Identifier: ISC
 *
 * html.h: reads a small and strict subset of HTML as it comes, so that armor in it can be told from
 * text: what mail programs write around an armored block that somebody pasted into them, and what
 * they send when nothing was typed. It takes away the markup and hands on text, and where its lines
 * end; whoever gets them decides what the text is. Whatever is not in the subset makes it stop for
 * good: a reader may see more than we do.
 *
 * Accepts: the tags in html.c; attributes and their values as html_attribute.h and html_style.h
 * have them: all of the text is seen, where it stands; a DOCTYPE; character references and
 * characters for white space, nothing else beyond ASCII; <a> within a line that may have one
 * (may_link), where its text is its address. What is left over says nothing to anybody. Refuses:
 * comments, CDATA, processing instructions, scripts, styles as elements, links, images, forms,
 * frames, addresses in attributes: what has been used to carry decrypted text away (EFAIL) can not
 * be written.
 *
 * Lines look alike: see html_row.h. Markup is bounded: HTML_MARKUP_MAX octets, and two more for
 * each octet of text that is no white space.
 *
 * Push parser, any chunking, fixed memory, linear time, one thread.
 */
#ifndef PGPGATE_SCAN_HTML_H
#define PGPGATE_SCAN_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/charset.h"
#include "scan/html_row.h"

#define HTML_TAG_MAX 1024 /* octets of one tag: what Chrome pastes takes 700 */
#define HTML_MARKUP_MAX \
	2048 /* octets of tags and references that go for nothing; the most seen is 870 */
#define HTML_LINK_MAX 100 /* octets of an address */
#define HTML_REFERENCE_MAX 16

enum html_event {
	HTML_TEXT,	/* octets of text; references are in it as a blank */
	HTML_LINE_END,	/* <br>, or a line end that shows */
	HTML_LINE_EDGE, /* a paragraph's beginning or end: ends a line that has begun */
	HTML_STYLE	/* from here on text may look otherwise, or not be seen at all */
};
typedef void html_sink(void *context, enum html_event event, const unsigned char *bytes,
		       size_t len);

struct html {
	bool may_link; /* set by whoever gets the events: <a> may stand where the text is now */
	enum charset_spaces spaces; /* likewise, before the first octet */
	size_t odd_spaces; /* octets of white space that may be seen: charset_odd_octets() */

	/* private */
	html_sink *sink;
	void *context;
	bool is_wrong;
	bool has_begun; /* something but white space was seen: no DOCTYPE any more */
	bool is_after_edge;
	bool is_in_title;
	unsigned state;
	unsigned n_pre; /* <pre> within each other */
	int64_t markup, visible;
	size_t len;		  /* of what is gathered */
	size_t link_len, link_at; /* link_len is not 0 within <a> */
	struct html_rows rows;	  /* from here on nothing is cleared by html_begin() itself */
	char link[HTML_LINK_MAX];
	char gathered[HTML_TAG_MAX + 1];
};

/* The context is borrowed until html_finish(). looks: what other texts of the message have used of
 * html_row.h's bound. */
void html_begin(struct html *h, html_sink *sink, void *context, unsigned looks);

/* Returns how many octets it took: less than len where something is not in the subset, which stands
 * right there; then and from then on html_finish() is false. */
size_t html_feed(struct html *h, const unsigned char *bytes, size_t len);

/* A line of the text has ended: whoever gets the text knows of what kind it was. */
void html_end_row(struct html *h, enum html_row_kind kind);

/* The text has ended. True if all of it was in the subset. */
bool html_finish(struct html *h);

/* What this text and those before it have used. */
static inline unsigned html_looks(const struct html *h)
{
	return html_row_used(&h->rows);
}

/* Is there white space in the line so far that shows? */
static inline bool html_has_blanks(const struct html *h)
{
	return h->rows.n_blanks > 0;
}

/* Something is wrong that the receiver of the text has found. */
static inline void html_stop(struct html *h)
{
	h->is_wrong = true;
}

#endif
