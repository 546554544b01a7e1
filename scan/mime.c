/* SPDX-License-Identifier: ISC */
#include "scan/mime.h"

#include <string.h>

#include "scan/text.h"

void mime_reset(struct mime *m)
{
	structure_reset(&m->structure);
	header_reset(&m->header);
	m->is_in_header = false;
	m->is_at_line_start = true;
	m->is_in_candidate = false;
	m->line_len = m->line_whole = 0;
	m->n_held = 0;
}

void mime_begin(struct mime *m)
{
	structure_begin(&m->structure, &m->header, true);
}

/* Hands content on. The line end at its end stays here until the next line shows whose it is. */
static void content(struct mime *m, const unsigned char *bytes, size_t len)
{
	if (m->structure.state.n_levels == 0) {
		structure_content(&m->structure, bytes, len);
		return;
	}
	if (m->n_held == 1 && m->held[0] == '\r' && len > 0 && bytes[0] == '\n') {
		m->held[m->n_held++] = '\n';
		bytes++;
		len--;
	}
	if (len == 0)
		return;
	structure_content(&m->structure, m->held, m->n_held);
	m->n_held = 0;
	if (bytes[len - 1] == '\n')
		m->n_held = len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
	else if (bytes[len - 1] == '\r')
		m->n_held = 1;
	len -= m->n_held;
	memcpy(m->held, bytes + len, m->n_held);
	structure_content(&m->structure, bytes, len);
}

struct match {
	unsigned level;
	bool is_close;
	bool is_odd; /* readers differ on what stands behind the boundary */
};

/* Does the line begin with the boundary of an open multipart, letter case apart? It is no boundary
 * line by the standard, and one to readers that look at its beginning only (Dovecot, Camel, KMime,
 * Courier), that take other white space for blanks (mutt), or that ignore case. */
static bool resembles_boundary(const struct structure *s, const unsigned char *line, size_t len)
{
	if (len < 3 || line[0] != '-' || line[1] != '-')
		return false;
	for (unsigned i = 0; i < s->state.n_levels; i++) {
		const struct level *l = &s->level[i];

		if (!l->is_closed && len - 2 >= l->boundary_len &&
		    text_lower(line[2]) == text_lower((unsigned char)l->boundary[0]) &&
		    text_is(line + 2, l->boundary_len, l->boundary))
			return true;
	}
	return false;
}

static void note_resemblance(struct mime *m, const unsigned char *line, size_t len)
{
	if (resembles_boundary(&m->structure, line, len))
		structure_fault(&m->structure, "ambiguous-mime",
				"a line that some programs take for a boundary line");
}

/* What may stand behind a boundary: blanks, and the CR of the line end. */
static bool is_rest_blank(const unsigned char *rest, size_t len, struct match *match)
{
	if (len > 0 && rest[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (rest[i] == '\r')
			match->is_odd = true;
		else if (!text_is_blank(rest[i]))
			return false;
	}
	return true;
}

static bool matches_level(const struct level *l, const unsigned char *line, size_t len,
			  struct match *match)
{
	const unsigned char *rest = line + 2 + l->boundary_len;
	size_t rest_len;

	if (l->is_closed || len < 2 + l->boundary_len || line[2] != (unsigned char)l->boundary[0] ||
	    memcmp(line + 2, l->boundary, l->boundary_len) != 0)
		return false;
	rest_len = len - 2 - l->boundary_len;
	match->is_odd = false;
	match->is_close = false;
	if (is_rest_blank(rest, rest_len, match))
		return true;
	match->is_close = true;
	return rest_len >= 2 && rest[0] == '-' && rest[1] == '-' &&
	       is_rest_blank(rest + 2, rest_len - 2, match);
}

/* Is the line (without LF) a boundary line of an open multipart? Innermost first. */
static bool find_boundary(const struct structure *s, const unsigned char *line, size_t len,
			  struct match *match)
{
	if (len < 3 || line[0] != '-' || line[1] != '-')
		return false;
	for (unsigned i = s->state.n_levels; i-- > 0;) {
		if (matches_level(&s->level[i], line, len, match)) {
			match->level = i;
			return true;
		}
	}
	return false;
}

static void end_part_header(struct mime *m)
{
	m->is_in_header = false;
	structure_begin(&m->structure, &m->header, false);
}

static void boundary(struct mime *m, const struct match *match)
{
	if (m->is_in_header)
		end_part_header(m);
	m->n_held = 0;
	structure_boundary(&m->structure, match->level, match->is_close);
	if (match->is_odd)
		structure_fault(&m->structure, "ambiguous-mime",
				"a boundary line with more than its line end");
	m->is_at_line_start = true;
	if (!match->is_close) {
		header_reset(&m->header);
		m->is_in_header = true;
	}
}

/* Adds to the line that is kept; what does not fit is only counted. */
static void keep(struct mime *m, const unsigned char *bytes, size_t len)
{
	size_t room = sizeof(m->line) - m->line_len;
	size_t n = len < room ? len : room;

	memcpy(m->line + m->line_len, bytes, n);
	m->line_len += n;
	m->line_whole += len;
}

/* The empty line behind a part's header. */
static void end_of_header_line(struct mime *m)
{
	const bool is_header = m->header.bytes > 0;

	end_part_header(m);
	if (!is_header)
		structure_no_header(&m->structure);
}

/* A line of a part's header, or the boundary line that cuts the header short, is complete. */
static void header_complete(struct mime *m)
{
	size_t len = m->line_len, whole = m->line_whole;
	struct match match;

	m->line_len = m->line_whole = 0;
	if (len == whole && find_boundary(&m->structure, m->line, len, &match))
		boundary(m, &match);
	else if (!header_line(&m->header, m->line, len, whole))
		end_of_header_line(m);
	else
		note_resemblance(m, m->line, len);
}

static size_t feed_header(struct mime *m, const unsigned char *bytes, size_t len)
{
	const unsigned char *lf = memchr(bytes, '\n', len);

	keep(m, bytes, lf ? (size_t)(lf - bytes) : len);
	if (!lf)
		return len;
	header_complete(m);
	return (size_t)(lf - bytes) + 1;
}

/* The kept line is no boundary line: it is content after all. */
static void give_back(struct mime *m)
{
	size_t len = m->line_len;

	m->is_in_candidate = false;
	m->line_len = m->line_whole = 0;
	content(m, m->line, len);
}

/* A line that begins with '-' comes in pieces. Too long for a boundary line: text, as readers take
 * it, unless it is a boundary and very many blanks. */
static size_t feed_candidate(struct mime *m, const unsigned char *bytes, size_t len)
{
	const unsigned char *lf = memchr(bytes, '\n', len);
	size_t room = sizeof(m->line) - m->line_len;
	size_t n = lf ? (size_t)(lf - bytes) : len;
	struct match match;

	m->is_in_candidate = true;
	if (n >= room) {
		keep(m, bytes, room);
		note_resemblance(m, m->line, m->line_len);
		m->is_at_line_start = false;
		give_back(m);
		return room;
	}
	keep(m, bytes, n);
	if (!lf)
		return n;
	if (find_boundary(&m->structure, m->line, m->line_len, &match)) {
		m->is_in_candidate = false;
		m->line_len = m->line_whole = 0;
		boundary(m, &match);
	} else {
		m->is_at_line_start = true;
		note_resemblance(m, m->line, m->line_len);
		give_back(m);
		content(m, lf, 1);
	}
	return n + 1;
}

/* Is the whole line here, and no boundary line? What is longer than a boundary line can be is not
 * for us. */
static const unsigned char *text_line_end(const struct mime *m, const unsigned char *line,
					  const unsigned char *end)
{
	const unsigned char *lf = memchr(line, '\n', (size_t)(end - line));
	struct match match;

	if (!lf || lf - line >= MIME_LINE_MAX ||
	    find_boundary(&m->structure, line, (size_t)(lf - line), &match) ||
	    resembles_boundary(&m->structure, line,
			       (size_t)(lf - line))) /* content before it goes first */
		return NULL;
	return lf;
}

/* The next line that begins with '-', or the end. Looks from dash to dash, at most one a line:
 * base64 has none, so that most of a large message is one memchr(). */
static const unsigned char *next_candidate(const unsigned char *begin, const unsigned char *end)
{
	const unsigned char *at = begin, *dash;

	while (at && (dash = memchr(at, '-', (size_t)(end - at)))) {
		if (dash > begin && dash[-1] == '\n')
			return dash;
		at = memchr(dash, '\n', (size_t)(end - dash));
	}
	return end;
}

/* The length of the run of lines, and of the beginning of one, among which is no boundary line. It
 * stops before a line that begins with '-' and is not whole, or is one. */
static size_t plain_run(struct mime *m, const unsigned char *bytes, size_t len)
{
	const unsigned char *at = bytes, *end = bytes + len, *lf;

	while (at < end) {
		if (m->is_at_line_start && *at == '-') {
			lf = text_line_end(m, at, end);
			if (!lf)
				return (size_t)(at - bytes);
			at = lf + 1;
		} else {
			at = next_candidate(at, end);
			m->is_at_line_start = at[-1] == '\n';
		}
	}
	return len;
}

static size_t feed_body(struct mime *m, const unsigned char *bytes, size_t len)
{
	size_t n;

	if (m->structure.state.n_levels == 0) {
		content(m, bytes, len);
		return len;
	}
	n = m->is_in_candidate ? 0 : plain_run(m, bytes, len);
	if (n == 0)
		return feed_candidate(m, bytes, len);
	content(m, bytes, n);
	return n;
}

void mime_feed(struct mime *m, const unsigned char *bytes, size_t len)
{
	while (len > 0 && !m->structure.state.is_final) {
		size_t n = m->is_in_header ? feed_header(m, bytes, len) : feed_body(m, bytes, len);

		bytes += n;
		len -= n;
	}
}

void mime_finish(struct mime *m)
{
	struct match match;

	if (m->is_in_header && m->line_whole > 0)
		header_complete(m);
	if (m->is_in_header)
		end_part_header(m);
	if (m->is_in_candidate) {
		if (find_boundary(&m->structure, m->line, m->line_len, &match)) {
			boundary(m, &match);
			if (m->is_in_header)
				end_part_header(m);
		} else {
			note_resemblance(m, m->line, m->line_len);
			give_back(m);
		}
	}
	if (m->n_held > 0)
		structure_content(&m->structure, m->held, m->n_held);
	structure_finish(&m->structure);
}
