/* SPDX-License-Identifier: ISC */
#include "cli/mbox.h"

#include <string.h>

static const char from[] = "From ";
#define FROM_LEN (sizeof(from) - 1)

void mbox_init(struct mbox *m, const struct mbox_sink *sink)
{
	memset(m, 0, sizeof(*m));
	m->sink = *sink;
	m->may_separate = true;
}

bool mbox_is_likely(const unsigned char *bytes, size_t len)
{
	return len >= FROM_LEN && memcmp(bytes, from, FROM_LEN) == 0;
}

static void put(struct mbox *m, const unsigned char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (!m->is_in_message) { /* text before any separator: a message all the same */
		m->is_in_message = true;
		m->sink.begin(m->sink.context);
	}
	m->sink.bytes(m->sink.context, bytes, len);
}

static void put_blank(struct mbox *m)
{
	put(m, m->blank, m->blank_len);
	m->blank_len = 0;
}

static bool has_time(const unsigned char *line, size_t len)
{
	for (size_t i = 0; i + 4 < len; i++) {
		const unsigned char *p = line + i;

		if (p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' && p[2] == ':' &&
		    p[3] >= '0' && p[3] <= '9' && p[4] >= '0' && p[4] <= '9')
			return true;
	}
	return false;
}

/* The held line is text after all. */
static void release_line(struct mbox *m)
{
	size_t skip = 0;

	put_blank(m);
	/* mboxrd: a line of '>' and then "From " was quoted with one '>' more. */
	if (m->line_len > FROM_LEN && m->line[0] == '>' &&
	    memcmp(m->line + m->line_len - FROM_LEN, from, FROM_LEN) == 0)
		skip = 1;
	put(m, m->line + skip, m->line_len - skip);
	m->line_len = 0;
	m->state = MBOX_IN_LINE;
}

/* A whole line "From ..." is held, its end too. */
static void end_from_line(struct mbox *m)
{
	if (!has_time(m->line, m->line_len)) {
		release_line(m);
		m->may_separate = false;
	} else {
		if (m->is_in_message)
			m->sink.end(m->sink.context);
		m->sink.begin(m->sink.context);
		m->is_in_message = true;
		m->blank_len = 0;
		m->line_len = 0;
		m->may_separate = false;
	}
	m->state = MBOX_AT_LINE;
}

static void hold(struct mbox *m, unsigned char c)
{
	m->line[m->line_len++] = c;
}

/* One octet at the beginning of a line, or in one that may turn out special. */
static void feed_special(struct mbox *m, unsigned char c)
{
	hold(m, c);
	if (m->state == MBOX_AT_LINE)
		m->state = c == '>' ? MBOX_QUOTES : MBOX_FROM;
	if (m->line_len == MBOX_LINE_MAX) {
		release_line(m);
		return;
	}
	if (m->state == MBOX_QUOTES) {
		size_t quotes = 0;
		size_t rest;

		while (quotes < m->line_len && m->line[quotes] == '>')
			quotes++;
		rest = m->line_len - quotes;
		if (rest > FROM_LEN || memcmp(m->line + quotes, from, rest) != 0 ||
		    rest == FROM_LEN)
			release_line(m);
		return;
	}
	if (m->line_len <= FROM_LEN && memcmp(m->line, from, m->line_len) != 0)
		release_line(m);
	else if (m->line_len == FROM_LEN && !m->may_separate)
		release_line(m);
	else if (c == '\n')
		end_from_line(m);
}

/* An empty line is held back until the next line is known. True: c was one, or a part of one. */
static bool feed_blank(struct mbox *m, unsigned char c)
{
	if (m->line_len == 1 && m->line[0] == '\r' && c == '\n') {
		m->line_len = 0;
		put_blank(m);
		m->blank[0] = '\r';
		m->blank[1] = '\n';
		m->blank_len = 2;
	} else if (m->line_len == 0 && c == '\n') {
		put_blank(m);
		m->blank[0] = '\n';
		m->blank_len = 1;
	} else if (m->line_len == 0 && c == '\r') {
		hold(m, c);
		return true;
	} else {
		return false;
	}
	m->may_separate = true;
	m->state = MBOX_AT_LINE;
	return true;
}

void mbox_feed(struct mbox *m, const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		const unsigned char *end;
		size_t n;

		if (m->state != MBOX_IN_LINE) {
			if (m->state == MBOX_AT_LINE && feed_blank(m, *bytes)) {
				bytes++;
				len--;
				continue;
			}
			feed_special(m, *bytes);
			if (m->state == MBOX_IN_LINE && *bytes == '\n') {
				m->state = MBOX_AT_LINE;
				m->may_separate = false;
			}
			bytes++;
			len--;
			continue;
		}
		end = memchr(bytes, '\n', len);
		n = end != NULL ? (size_t)(end - bytes) + 1 : len;
		put(m, bytes, n);
		if (end != NULL) {
			m->state = MBOX_AT_LINE;
			m->may_separate = false;
		}
		bytes += n;
		len -= n;
	}
}

void mbox_finish(struct mbox *m)
{
	if (m->state == MBOX_FROM && m->line_len > FROM_LEN && has_time(m->line, m->line_len))
		end_from_line(m); /* a separator without a line end: an empty message */
	else if (m->line_len > 0)
		release_line(m);
	m->blank_len = 0; /* the empty line after the last message */
	if (m->is_in_message)
		m->sink.end(m->sink.context);
	m->is_in_message = false;
}
