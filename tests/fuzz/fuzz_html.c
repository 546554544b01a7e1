/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: HTML. Whole and in pieces the same text comes out; where all of it is in the subset
 * nothing is left in the text that began with '<' or '&', and markup is bounded by text.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "scan/html.h"
#include "scan/text.h"
#include "tests/fuzz/same.h"

struct seen {
	struct html html;
	uint64_t hash; /* of the text and of the events */
	size_t visible;
	size_t taken;
};

static void mix(struct seen *s, unsigned char c)
{
	s->hash = (s->hash ^ c) * 0x100000001b3u;
}

static void take(void *context, enum html_event event, const unsigned char *bytes, size_t len)
{
	struct seen *s = context;

	if (event != HTML_TEXT)
		mix(s, (unsigned char)event);
	for (size_t i = 0; i < len; i++) {
		assert(bytes[i] != '<' && bytes[i] != '&' && bytes[i] < 0x80 && bytes[i] != '\0');
		mix(s, bytes[i]);
	}
	s->visible += text_count_visible(bytes, len);
	if (event == HTML_LINE_END)
		html_end_row(&s->html, s->visible > 0 ? HTML_ROW_DATA : HTML_ROW_EMPTY);
}

static void feed(void *context, const unsigned char *bytes, size_t len)
{
	struct seen *s = context;

	s->taken += html_feed(&s->html, bytes, len);
}

static void begin(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	html_begin(&s->html, take, s, 0);
	s->html.may_link = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen whole, pieces;
	bool is_read;

	begin(&whole);
	feed(&whole, data, size);
	is_read = html_finish(&whole.html);
	begin(&pieces);
	same_in_pieces(feed, &pieces, data, size);
	assert(html_finish(&pieces.html) == is_read);
	if (is_read) {
		assert(whole.hash == pieces.hash && whole.taken == size && pieces.taken == size);
		assert(size <= 3 * whole.visible + HTML_MARKUP_MAX +
				       (size - text_count_visible(data, size)) * 5);
	}
	return 0;
}
