/* SPDX-License-Identifier: ISC */
#include "scan/message.h"

#include <stdlib.h>
#include <string.h>

#include "scan/text.h"

struct message {
	struct scan *scan;
	message_field *field;
	void *context;
	bool is_body;
	bool is_begun;	  /* the first line was seen */
	bool is_line_end; /* the last octet of the field was LF: the next tells whether it goes on
			   */
	size_t len;
	size_t capacity;
	unsigned char *buffer; /* the field under way, its last line end included */
};

#define MESSAGE_BUFFER_FIRST \
	1024 /* octets: most fields are shorter; it grows to MESSAGE_FIELD_MAX */

struct message *message_new(struct scan *scan, message_field *field, void *context)
{
	struct message *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->buffer = malloc(MESSAGE_BUFFER_FIRST);
	if (!m->buffer) {
		free(m);
		return NULL;
	}
	m->capacity = MESSAGE_BUFFER_FIRST;
	m->scan = scan;
	m->field = field;
	m->context = context;
	return m;
}

void message_free(struct message *m)
{
	if (!m)
		return;
	free(m->buffer);
	free(m);
}

void message_reset(struct message *m)
{
	m->is_body = m->is_begun = m->is_line_end = false;
	m->len = 0;
}

static void begin_body(struct message *m)
{
	scan_end_of_header(m->scan);
	m->is_body = true;
}

/* What is kept turned out to be no field: it is the body's beginning (Postfix does the same). */
static void kept_is_body(struct message *m)
{
	begin_body(m);
	scan_body(m->scan, m->buffer, m->len);
	m->len = 0;
}

static bool is_mbox_line(const unsigned char *line, size_t len)
{
	return text_begins(line, len, "From ") || text_begins(line, len, ">From ");
}

/* RFC 5322 section 2.2; blanks may stand before the colon (section 4.5). */
static bool is_field_name(const unsigned char *name, size_t len)
{
	while (len > 0 && text_is_blank(name[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		if (name[i] < 33 || name[i] > 126)
			return false;
	return len > 0;
}

static size_t without_line_end(const unsigned char *bytes, size_t len)
{
	while (len > 0 && bytes[len - 1] == '\n')
		len -= len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
	return len;
}

/* A field with its folds is complete, or the header is. */
static void end_field(struct message *m)
{
	const unsigned char *colon;
	size_t len = m->len, name_len;
	bool is_first = !m->is_begun;

	m->is_begun = true;
	if (is_first && is_mbox_line(m->buffer, len)) {
		/* Postfix makes a field of it, X-Mailbox-Line: what it may not hold, this may not
		 * either. */
		scan_header(m->scan, (const unsigned char *)"X-Mailbox-Line", 14, m->buffer,
			    without_line_end(m->buffer, len));
		m->len = 0;
		return;
	}
	colon = memchr(m->buffer, ':', len);
	name_len = colon ? (size_t)(colon - m->buffer) : 0;
	if (!is_field_name(m->buffer, name_len)) {
		kept_is_body(m);
		return;
	}
	len = without_line_end(m->buffer, len);
	scan_header(m->scan, m->buffer, name_len, colon + 1, len - name_len - 1);
	if (m->field)
		m->field(m->context, (const char *)m->buffer, name_len, (const char *)colon + 1,
			 len - name_len - 1);
	m->len = 0;
}

/* Makes room for `len` octets more, up to MESSAGE_FIELD_MAX; returns how many there is room for. */
static size_t make_room(struct message *m, size_t len)
{
	while (m->capacity - m->len < len && m->capacity < MESSAGE_FIELD_MAX) {
		unsigned char *larger = realloc(m->buffer, m->capacity * 4);

		if (!larger)
			break;
		m->buffer = larger;
		m->capacity *= 4;
	}
	return m->capacity - m->len;
}

static void keep(struct message *m, const unsigned char *bytes, size_t len)
{
	size_t room = make_room(m, len);

	if (len > room)
		len = room;
	memcpy(m->buffer + m->len, bytes, len);
	m->len += len;
}

/* A line of the header has ended and `next` is the first octet after it: does the field go on? */
static void between_lines(struct message *m, unsigned char next)
{
	m->is_line_end = false;
	if (text_is_blank(next) && m->len > 0)
		return;
	end_field(m);
}

/* Is what is kept, up to its LF, the empty line that ends the header? */
static bool is_empty_line(const struct message *m)
{
	return m->len == 1 || (m->len == 2 && m->buffer[0] == '\r');
}

/* Takes from the header up to the end of a line; returns how many octets. */
static size_t feed_header(struct message *m, const unsigned char *bytes, size_t len)
{
	const unsigned char *lf;

	if (m->is_line_end)
		between_lines(m, *bytes);
	if (m->is_body) /* the kept line was no field */
		return 0;
	lf = memchr(bytes, '\n', len);
	if (lf)
		len = (size_t)(lf - bytes) + 1;
	keep(m, bytes, len);
	if (!lf)
		return len;
	if (is_empty_line(m)) {
		begin_body(m);
		m->len = 0;
	} else {
		m->is_line_end = true;
	}
	return len;
}

void message_feed(struct message *m, const unsigned char *bytes, size_t len)
{
	while (len > 0 && !m->is_body) {
		size_t n = feed_header(m, bytes, len);

		bytes += n;
		len -= n;
	}
	if (len > 0)
		scan_body(m->scan, bytes, len);
}

void message_finish(struct message *m, struct scan_facts *facts)
{
	if (!m->is_body && m->len > 0)
		end_field(m);
	if (!m->is_body)
		begin_body(m);
	scan_finish(m->scan, facts);
}
