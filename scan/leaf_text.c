/* SPDX-License-Identifier: ISC */
#include "scan/leaf_text.h"

#include <string.h>

#include "scan/finding.h"
#include "scan/text.h"

#define BEGIN_LINE_MIN                                                            \
	27 /* octets of the shortest line that begins anything: BEGIN PGP MESSAGE \
	    */

/* Leaves in which nothing is looked for: to a reader they are documents. */
bool leaf_text_is_document(const struct leaf *l)
{
	return l->type == LEAF_HTML || l->type == LEAF_MESSAGE || l->type == LEAF_HEADERS ||
	       l->type == LEAF_DELIVERY_STATUS || l->type == LEAF_DISPOSITION || l->is_returned;
}

static void keep_tiny(struct leaf *l, const unsigned char *text, size_t len)
{
	size_t room = sizeof(l->tiny) - l->tiny_len;

	for (; l->tiny_len == 0 && len > 0 && text_is_space(*text); len--) {
		l->is_tiny_indented = true;
		text++;
	}
	if (len > room) {
		l->is_tiny_cut = true;
		len = room;
	}
	memcpy(l->tiny + l->tiny_len, text, len);
	l->tiny_len += len;
}

/* White space that may be seen where its character set is another: n octets of it. How many of
 * them are too many. */
static size_t take_odd(struct leaf *l, size_t n)
{
	l->channel->odd_spaces += n;
	return l->channel->odd_spaces > ARMOR_ODD_SPACES_MAX ? n : 0;
}

static size_t take_spaces(struct leaf *l, const unsigned char *text, size_t len)
{
	return take_odd(l, charset_odd_octets(l->spaces, text, len));
}

/* The same behind a line of armor, where programs put some of it behind every line: what is there
 * again, octet by octet, counts nothing. */
static size_t take_tail(struct leaf *l, const unsigned char *line, size_t len)
{
	struct armor_channel *c = l->channel;
	const unsigned char *tail = line + text_trimmed(line, len);
	const size_t tail_len = (size_t)(line + len - tail);
	const size_t odd = charset_odd_octets(l->spaces, tail, tail_len);
	const size_t seen = odd > 0 ? tail_len : 0; /* else it is nothing */

	if (seen == c->tail_len && seen <= sizeof(c->tail) && memcmp(tail, c->tail, seen) == 0)
		return 0;
	if (seen <= sizeof(c->tail))
		memcpy(c->tail, tail, seen);
	c->tail_len = seen;
	return take_odd(l, odd + 1);
}

/* A line that a reader sees. */
static void visible_line(struct leaf *l, const unsigned char *line, size_t len, int64_t beyond)
{
	int64_t visible = (int64_t)text_count_visible(line, len) + beyond;

	/* HTML that was made text leaves such for empty paragraphs. In another character set they
	 * are letters. */
	if (beyond == 0 && !l->has_bad_charset && l->type != LEAF_HTML &&
	    text_is_blank_line(line, len))
		visible = (int64_t)take_spaces(l, line, len);
	if (visible == 0)
		len = 0;
	l->visible_bytes += visible;
	if (l->state == LEAF_IN_TEXT)
		l->text_visible += visible;
	if (memchr(line, '\0', len))
		l->has_nul = true;
	if (l->type != LEAF_HTML && !l->is_tiny_cut && (visible > 0 || l->tiny_len > 0)) {
		l->is_tiny_cut |= take_spaces(l, line + text_trimmed(line, len),
					      len - text_trimmed(line, len)) > 0;
		keep_tiny(l, line, text_trimmed(line, len));
		keep_tiny(l, (const unsigned char *)"\n", 1);
		l->is_tiny_cut |= beyond > 0;
	}
}

static void begin_block(struct leaf *l, enum armor_label label, enum leaf_state state)
{
	armor_begin(&l->armor, label, &l->walk, l->channel);
	l->state = state;
}

static bool is_clearsigned_begin(const unsigned char *line, size_t len)
{
	static const char begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";

	return text_begins(line, len, begin) && text_trimmed(line, len) == sizeof(begin) - 1;
}

static void text_line(struct leaf *l, const unsigned char *line, size_t len, int64_t beyond)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (beyond == 0 && len >= BEGIN_LINE_MIN && !leaf_text_is_document(l)) {
		if (armor_is_begin(line, len, ARMOR_MESSAGE)) {
			l->visible_bytes += (int64_t)take_tail(l, line, len);
			l->has_claim = true;
			begin_block(l, ARMOR_MESSAGE, LEAF_IN_MESSAGE);
			return;
		}
		if (l->type == LEAF_PGP_SIGNATURE && armor_is_begin(line, len, ARMOR_SIGNATURE)) {
			l->visible_bytes += (int64_t)take_tail(l, line, len);
			begin_block(l, ARMOR_SIGNATURE, LEAF_IN_SIGNATURE);
			return;
		}
		if (line[0] == '-' && is_clearsigned_begin(line, len)) {
			l->state = LEAF_IN_CLEARSIGNED_HEADERS;
			return;
		}
		if (text_begins(line, len, bom) && armor_is_begin(line + 3, len - 3, ARMOR_MESSAGE))
			l->is_bom_first = true;
	}
	if (l->type == LEAF_HEADERS) {
		l->has_body |= l->is_header_over &&
			       text_count_visible(line, len) + (size_t)beyond > 0;
		l->is_header_over |= text_trimmed(line, len) == 0 && beyond == 0;
	}
	visible_line(l, line, len, beyond);
	l->is_decided = l->is_whole_body && leaf_text_is_document(l) && l->visible_bytes > 0;
	if (l->type == LEAF_DELIVERY_STATUS || l->type == LEAF_DISPOSITION)
		report_line(&l->report, line, len);
}

/* Armor headers beyond their allowance are readable text. */
static void weigh_armor_headers(struct leaf *l)
{
	int64_t bytes = (int64_t)armor_readable_bytes(&l->armor);

	if (bytes == 0)
		return;
	l->is_header_channel = l->visible_bytes == l->channel_bytes;
	l->visible_bytes += bytes;
	l->channel_bytes += bytes;
}

/* The block has ended, well or not. */
static void end_block(struct leaf *l)
{
	bool is_faulty = finding_is_set(&l->armor.fault);

	if (l->state == LEAF_IN_MESSAGE) {
		if (is_faulty) {
			leaf_become_faulty(l, &l->armor.fault);
			return;
		}
		leaf_take_message(l, true);
		weigh_armor_headers(l);
	} else if (l->state == LEAF_IN_SIGNATURE) {
		if (is_faulty)
			finding_adopt(&l->fault, &l->armor.fault);
		else
			leaf_take_signatures(l);
		weigh_armor_headers(l);
	} else if (is_faulty) {
		l->has_bad_clearsigned = true;
	} else {
		l->n_clearsigned++;
	}
	l->state = LEAF_IN_TEXT;
}

/* A line of a clearsigned text, RFC 9580 section 7. All of it is readable; the question is only
 * whether the signature covers it. */
static void clearsigned_line(struct leaf *l, const unsigned char *line, size_t len, int64_t beyond)
{
	size_t trimmed = text_trimmed(line, len);

	if (l->state == LEAF_IN_CLEARSIGNED_HEADERS) {
		if (trimmed == 0) {
			l->state = LEAF_IN_CLEARSIGNED_TEXT;
			return;
		}
		if (!text_begins(line, len, "Hash: ") && !text_begins(line, len, "Charset: "))
			l->has_bad_clearsigned = true; /* text that nothing signs */
		visible_line(l, line, len, beyond);
		return;
	}
	if (trimmed > 0 && line[0] == '-' && beyond == 0) {
		if (armor_is_begin(line, len, ARMOR_SIGNATURE)) {
			begin_block(l, ARMOR_SIGNATURE, LEAF_IN_CLEARSIGNED_SIGNATURE);
			return;
		}
		if (len < 2 || line[1] != ' ') { /* not dash-escaped: section 7.2 */
			l->has_bad_clearsigned = true;
			l->state = LEAF_IN_TEXT;
			text_line(l, line, len, beyond);
			return;
		}
	}
	visible_line(l, line, len, beyond);
}

/* One line without its LF; beyond: visible octets of it after LEAF_LINE_MAX. */
static void take_line(struct leaf *l, const unsigned char *line, size_t len, size_t whole,
		      int64_t beyond)
{
	switch (l->state) {
	case LEAF_IN_TEXT:
		if (whole > 0 || l->tiny_len > 0 || leaf_text_is_document(l))
			text_line(l, line, len, beyond);
		return;
	case LEAF_IN_CLEARSIGNED_HEADERS:
	case LEAF_IN_CLEARSIGNED_TEXT:
		clearsigned_line(l, line, len, beyond);
		return;
	case LEAF_IN_MESSAGE:
	case LEAF_IN_SIGNATURE:
	case LEAF_IN_CLEARSIGNED_SIGNATURE:
		l->visible_bytes += (int64_t)take_tail(l, line, len);
		if (armor_line(&l->armor, line, len))
			return;
		end_block(l);
		return;
	case LEAF_IN_PREFIX:
	case LEAF_IN_BINARY:
	case LEAF_IN_HTML:
	case LEAF_IN_OTHER_BINARY:
	case LEAF_IN_FAULT:
		return; /* no lines */
	}
}

static bool is_in_block(const struct leaf *l)
{
	return l->state == LEAF_IN_MESSAGE || l->state == LEAF_IN_SIGNATURE ||
	       l->state == LEAF_IN_CLEARSIGNED_SIGNATURE;
}

/* The line goes on, and what is kept of it is all there is room for. */
void leaf_give_piece(struct leaf *l)
{
	size_t taken = armor_piece(&l->armor, l->line, l->line_len), odd = 0;

	if (!armor_is_in_headers(&l->armor))
		odd = take_spaces(l, l->line, taken);
	if (l->state != LEAF_IN_HTML)
		l->visible_bytes += (int64_t)odd;
	else if (odd > 0) /* all of its octets are counted as they come */
		html_stop(&l->html);
	l->line_len -= taken;
	memmove(l->line, l->line + taken, l->line_len);
}

/* Armor takes a line that is longer than what is kept, a piece at a time. */
static void keep_armor_piece(struct leaf *l, const unsigned char *bytes, size_t len)
{
	l->line_whole += len;
	while (len > 0) {
		size_t n = sizeof(l->line) - l->line_len;

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

/* Keeps a piece of a line whose end is not there yet. */
static void keep_text_piece(struct leaf *l, const unsigned char *bytes, size_t len)
{
	size_t room = sizeof(l->line) - l->line_len;
	size_t n = len < room ? len : room;

	memcpy(l->line + l->line_len, bytes, n);
	l->line_len += n;
	l->line_whole += len;
	l->line_beyond_visible += (int64_t)text_count_visible(bytes + n, len - n);
}

static void keep_piece(struct leaf *l, const unsigned char *bytes, size_t len)
{
	if (is_in_block(l))
		keep_armor_piece(l, bytes, len);
	else
		keep_text_piece(l, bytes, len);
}

static void end_kept_line(struct leaf *l)
{
	size_t len = l->line_len, whole = l->line_whole;
	int64_t beyond = l->line_beyond_visible;

	l->line_len = l->line_whole = 0;
	l->line_beyond_visible = 0;
	take_line(l, l->line, len, whole, beyond);
}

void leaf_text_feed(struct leaf *l, const unsigned char *bytes, size_t len)
{
	while (len > 0 && l->state != LEAF_IN_FAULT && !l->is_decided) {
		const unsigned char *lf;
		size_t n = 0;

		if (l->state == LEAF_IN_MESSAGE && l->line_whole == 0)
			n = armor_run(&l->armor, bytes, len);
		if (n > 0)
			l->visible_bytes += (int64_t)take_tail(l, bytes, 0); /* they have none */
		bytes += n;
		len -= n;
		if (len == 0)
			return;
		lf = *bytes == '\n' ? bytes : memchr(bytes, '\n', len);
		n = lf ? (size_t)(lf - bytes) : len;
		if (!lf) {
			keep_piece(l, bytes, n);
			return;
		}
		if (l->line_whole == 0 && n <= LEAF_LINE_MAX) {
			take_line(l, bytes, n, n, 0);
		} else {
			keep_piece(l, bytes, n);
			end_kept_line(l);
		}
		bytes += n + 1;
		len -= n + 1;
	}
}

/* The leaf ended within a block or a clearsigned text. */
void leaf_text_finish(struct leaf *l)
{
	if (l->line_whole > 0)
		end_kept_line(l);
	if (l->state == LEAF_IN_MESSAGE || l->state == LEAF_IN_SIGNATURE) {
		armor_cut(&l->armor);
		end_block(l);
	} else if (l->state > LEAF_IN_SIGNATURE && l->state < LEAF_IN_BINARY) {
		l->has_bad_clearsigned = true;
	}
}
