/* SPDX-License-Identifier: ISC */
#include "scan/leaf_html.h"

#include <string.h>

#include "scan/finding.h"
#include "scan/leaf_text.h"
#include "scan/text.h"

/* A block has ended. Where it is faulty, or says more in front than it may, the HTML around it is a
 * document. */
static void end_block(struct leaf *l)
{
	l->is_in_html_block = false;
	if (finding_is_set(&l->armor.fault) || armor_readable_bytes(&l->armor) > 0) {
		html_stop(&l->html);
		return;
	}
	leaf_take_message(l, true);
	l->has_claim = false; /* not before all of it is known */
}

static enum html_row_kind kind_of_line(const struct leaf *l)
{
	const bool is_empty = text_trimmed(l->line, l->line_len) == 0;

	if (!l->is_in_html_block)
		return is_empty ? HTML_ROW_EMPTY : HTML_ROW_HEADER;
	if (!armor_is_in_headers(&l->armor))
		return HTML_ROW_DATA;
	return is_empty ? HTML_ROW_HEADERS_END : HTML_ROW_HEADER;
}

static void take_line(struct leaf *l)
{
	const unsigned char *line = l->line;
	size_t len = l->line_len;

	html_end_row(&l->html, kind_of_line(l));
	l->line_len = 0;
	l->is_html_line_styled = false;
	for (; len > 0 && (text_is_blank(*line) || *line == '\r');
	     len--) /* what HTML passes over */
		line++;
	if (l->is_in_html_block) {
		if (!armor_line(&l->armor, line, len))
			end_block(l);
		return;
	}
	if (text_trimmed(line, len) == 0)
		return;
	if (!armor_is_begin(line, len, ARMOR_MESSAGE)) {
		html_stop(&l->html);
		return;
	}
	armor_begin(&l->armor, ARMOR_MESSAGE, &l->walk, l->channel);
	l->is_in_html_block = true;
}

/* Adds to the line. Outside armor a line too long to be kept is text. */
static void keep(struct leaf *l, const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = sizeof(l->line) - l->line_len;

		if (n == 0 && !l->is_in_html_block) {
			html_stop(&l->html);
			return;
		}
		if (n == 0) {
			leaf_give_piece(l);
			continue;
		}
		n = len < n ? len : n;
		memcpy(l->line + l->line_len, bytes, n);
		l->line_len += n;
		bytes += n;
		len -= n;
	}
}

static void take_event(void *context, enum html_event event, const unsigned char *bytes, size_t len)
{
	struct leaf *l = context;

	l->channel->odd_spaces += l->html.odd_spaces;
	l->html.odd_spaces = 0;
	if (event == HTML_TEXT) {
		if (l->channel->odd_spaces > ARMOR_ODD_SPACES_MAX ||
		    (l->is_html_line_styled && text_count_visible(bytes, len) > 0))
			html_stop(&l->html);
		else
			keep(l, bytes, len);
	} else if (event == HTML_STYLE) {
		/* Who can hide some letters of the data can spell with the others. */
		l->is_html_line_styled |= l->is_in_html_block && !armor_is_in_headers(&l->armor) &&
					  (l->armor.is_within_line ||
					   text_trimmed(l->line, l->line_len) > 0);
	} else if (event == HTML_LINE_END || text_trimmed(l->line, l->line_len) > 0) {
		take_line(l);
	} else {
		if (!l->is_in_html_block && html_has_blanks(&l->html))
			html_end_row(&l->html, HTML_ROW_EMPTY);
		l->line_len = 0;
	}
	l->html.may_link = l->is_in_html_block && armor_is_in_headers(&l->armor);
}

void leaf_html_begin(struct leaf *l)
{
	l->before = *l->channel;
	html_begin(&l->html, take_event, l, l->channel->looks);
	l->is_in_html_block = false;
	if (l->has_bad_charset)
		html_stop(&l->html);
}

/* It is a document: what was found in it is part of its text. How far that went depends on the
 * pieces it came in. */
static void forget(struct leaf *l)
{
	*l->channel = l->before;
	l->n_messages = l->n_armored = 0;
	l->n_session_keys = l->n_key_ids = 0;
	l->containers = 0;
	l->has_password_only = l->has_legacy = l->has_claim = false;
	l->line_len = 0;
}

size_t leaf_html_feed(struct leaf *l, const unsigned char *bytes, size_t len)
{
	size_t taken = html_feed(&l->html, bytes, len);

	l->visible_bytes += (int64_t)text_count_visible(bytes, taken);
	if (taken < len)
		forget(l);
	return taken;
}

bool leaf_html_finish(struct leaf *l)
{
	if (l->line_len > 0)
		take_line(l);
	l->channel->looks = html_looks(&l->html);
	if (!html_finish(&l->html) || l->is_in_html_block) {
		forget(l);
		return false;
	}
	l->has_claim = l->n_messages > 0;
	l->is_html = l->visible_bytes > 0;
	l->visible_bytes = 0;
	return true;
}
