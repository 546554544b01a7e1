/* SPDX-License-Identifier: ISC */
#include "scan/armor.h"

#include <assert.h>
#include <string.h>

#include "scan/finding.h"
#include "scan/text.h"

static const char *const begin_lines[] = {
	[ARMOR_MESSAGE] = "-----BEGIN PGP MESSAGE-----",
	[ARMOR_SIGNATURE] = "-----BEGIN PGP SIGNATURE-----",
};
static const char *const end_lines[] = {
	[ARMOR_MESSAGE] = "-----END PGP MESSAGE-----",
	[ARMOR_SIGNATURE] = "-----END PGP SIGNATURE-----",
};

bool armor_is_begin(const unsigned char *line, size_t len, enum armor_label label)
{
	if (len == 0 || line[0] != '-' || !text_begins(line, len, begin_lines[label]))
		return false;
	return text_trimmed(line, len) == strlen(begin_lines[label]);
}

void armor_begin(struct armor *a, enum armor_label label, struct packet_walk *walk,
		 struct armor_channel *channel)
{
	memset(a, 0, sizeof(*a));
	a->label = label;
	a->walk = walk;
	a->channel = channel;
	packet_init(walk, label == ARMOR_MESSAGE ? PACKETS_OF_MESSAGE : PACKETS_OF_SIGNATURES);
}

static void fault(struct armor *a, const char *what)
{
	finding_set(&a->fault, "bad-armor", "armor: %s", what);
}

/* RFC 9580 section 6.2.2: "Key: value"; the blank after the colon may be trimmed off an empty value. */
static bool is_header(const unsigned char *line, size_t len)
{
	size_t i = 0;

	while (i < len && line[i] > ' ' && line[i] < 0x7f && line[i] != ':')
		i++;
	return i > 0 && i < len && line[i] == ':' && (i + 1 == len || line[i + 1] == ' ');
}

/* Adds a header line to what the message has; a line that is there already costs nothing. */
static void channel_add(struct armor_channel *c, const unsigned char *line, size_t len)
{
	if (c->n_lines++ >= ARMOR_CHANNEL_LINES_MAX)
		c->is_overflown = true;
	if (c->is_overflown)
		return;
	for (size_t at = 0; at < c->used;) {
		const unsigned char *end = memchr(c->lines + at, '\n', c->used - at);
		size_t n = (size_t)(end - (c->lines + at));

		if (n == len && memcmp(c->lines + at, line, len) == 0)
			return;
		at += n + 1;
	}
	if (c->used + len + 1 > sizeof(c->lines)) {
		c->is_overflown = true;
		return;
	}
	memcpy(c->lines + c->used, line, len);
	c->used += len;
	c->lines[c->used++] = '\n';
}

/* A header, or a piece of one. Beyond the bounds it is text that can be read, no fault: programs decrypt what
 * follows all the same. */
static void header_octets(struct armor *a, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f) {
			fault(a, "a control character in a header");
			return;
		}
	}
	a->header_bytes += len;
}

static void header_line(struct armor *a, const unsigned char *line, size_t len)
{
	header_octets(a, line, len);
	if (++a->n_headers > ARMOR_HEADERS_MAX || len > ARMOR_HEADER_MAX)
		a->has_long_headers = true;
	else
		channel_add(a->channel, line, len);
}

/* Data that the packet walk would pass over anyway is checked, not decoded. */
static bool pass_over(struct armor *a, const unsigned char *line, size_t len)
{
	uint64_t octets = len / 4 * 3;

	if (len % 4 != 0 || a->base64.n_chars != 0 || a->base64.is_ended ||
	    packet_opaque(a->walk) < octets || !base64_is_all_chars(line, len))
		return false;
	packet_skip(a->walk, octets);
	return true;
}

static void data_line(struct armor *a, const unsigned char *line, size_t len)
{
	unsigned char octets[ARMOR_PIECE_MAX / 4 * 3 + 6];
	size_t n_octets;

	assert(len <= ARMOR_PIECE_MAX);
	if (pass_over(a, line, len))
		return;
	if (base64_decode(&a->base64, line, len, octets, &n_octets) < len) {
		fault(a, "a line that is not base64");
		return;
	}
	packet_feed(a->walk, octets, n_octets);
	finding_adopt(&a->fault, &a->walk->fault);
}

/* A line that begins with '=': padding that slipped into a line of its own, or the checksum, which nobody
 * needs (section 6.1): '=' and at most 8 characters. A longer one is text that a mail program shows. */
static void equals_line(struct armor *a, const unsigned char *line, size_t len)
{
	if (a->base64.n_chars >= 2 && a->base64.n_chars + a->base64.n_padding + len <= 4 &&
	    (len == 1 || line[1] == '=')) {
		data_line(a, line, len);
		return;
	}
	if (len > 9) {
		fault(a, "text after '='");
		return;
	}
	for (size_t i = 1; i < len; i++) {
		if (!base64_is_char(line[i]) && line[i] != '=') {
			fault(a, "text after '='");
			return;
		}
	}
	a->state = ARMOR_IN_CHECKSUM;
}

static void end_line(struct armor *a, const unsigned char *line, size_t len)
{
	if (!text_is(line, len, end_lines[a->label]) || !text_begins(line, len, end_lines[a->label])) {
		fault(a, "a line that begins with '-' and is not the END line");
	} else if (!base64_is_complete(&a->base64)) {
		fault(a, "the base64 data ends within a group of four");
	} else {
		packet_finish(a->walk);
		finding_adopt(&a->fault, &a->walk->fault);
	}
}

size_t armor_run(struct armor *a, const unsigned char *bytes, size_t len)
{
	const uint64_t opaque = packet_opaque(a->walk);
	const unsigned char *lf;
	uint64_t octets; /* of one line, decoded */
	size_t stride, n_chars, n_lines;

	if (opaque == 0 || a->state != ARMOR_IN_DATA || a->base64.n_chars != 0 || a->base64.is_ended)
		return 0;
	lf = memchr(bytes, '\n', len < ARMOR_BROKEN_MIN ? len : ARMOR_BROKEN_MIN);
	if (!lf || lf == bytes)
		return 0;
	stride = (size_t)(lf + 1 - bytes);
	n_chars = lf[-1] == '\r' ? stride - 2 : stride - 1;
	if (n_chars == 0 || n_chars % 4 != 0)
		return 0;
	octets = n_chars / 4 * 3;
	n_lines = len / stride;
	if (n_lines > opaque / octets)
		n_lines = (size_t)(opaque / octets);
	n_lines = base64_count_lines(bytes, n_lines, n_chars, stride);
	packet_skip(a->walk, n_lines * octets);
	if (n_lines > 0)
		a->line_bytes = n_chars;
	return n_lines * stride;
}

/* Data at the beginning of a line. */
static void begin_data(struct armor *a, const unsigned char *line, size_t len)
{
	/* Where Postfix breaks a long line the next one begins with a blank (smtp_line_length_limit). */
	if (len > 1 && line[0] == ' ' && a->line_bytes >= ARMOR_BROKEN_MIN) {
		line++;
		len--;
	}
	if (a->state == ARMOR_IN_CHECKSUM)
		fault(a, "text after the checksum");
	else if (line[0] == '=')
		equals_line(a, line, len);
	else
		data_line(a, line, len);
}

/* More of a line of which pieces were taken. */
static void go_on(struct armor *a, const unsigned char *bytes, size_t len)
{
	if (a->state == ARMOR_IN_HEADERS)
		header_octets(a, bytes, len);
	else if (len > 0 && a->is_tail)
		fault(a, "a line that is not base64");
	else if (len > 0)
		data_line(a, bytes, len);
}

size_t armor_piece(struct armor *a, const unsigned char *bytes, size_t len)
{
	size_t trimmed = text_trimmed(bytes, len);

	if (finding_is_set(&a->fault))
		return len;
	if (a->is_within_line) {
		go_on(a, bytes, a->state == ARMOR_IN_HEADERS ? len : trimmed);
	} else if (trimmed > 0 && bytes[0] == '-') {
		fault(a, "a line that begins with '-' and is not the END line");
	} else if (a->state == ARMOR_IN_HEADERS && is_header(bytes, len)) {
		a->has_long_headers = true;
		header_octets(a, bytes, len);
	} else {
		a->state = a->state == ARMOR_IN_HEADERS ? ARMOR_IN_DATA : a->state;
		if (trimmed > 0)
			begin_data(a, bytes, trimmed);
		a->line_bytes = 0;
	}
	a->is_within_line = true;
	a->line_bytes += trimmed;
	if (trimmed > 0 && a->state != ARMOR_IN_HEADERS)
		return trimmed; /* what is behind may be the end of the line */
	a->is_tail = true;
	return len;
}

static bool end_long_line(struct armor *a, const unsigned char *rest, size_t len)
{
	if (!finding_is_set(&a->fault))
		go_on(a, rest, len);
	a->line_bytes += len;
	a->is_within_line = a->is_tail = false;
	return !finding_is_set(&a->fault);
}

bool armor_line(struct armor *a, const unsigned char *line, size_t len)
{
	len = text_trimmed(line, len);
	if (a->is_within_line)
		return end_long_line(a, line, len);
	if (len > 0 && line[0] == '-') {
		end_line(a, line, len);
		return false;
	}
	if (a->state == ARMOR_IN_HEADERS) {
		if (len > 0 && is_header(line, len)) {
			header_line(a, line, len);
			return !finding_is_set(&a->fault);
		}
		a->state = ARMOR_IN_DATA; /* the empty line, or, without one, data that is no header */
	}
	if (len == 0)
		return true;
	begin_data(a, line, len);
	a->line_bytes = len;
	return !finding_is_set(&a->fault);
}

void armor_cut(struct armor *a)
{
	finding_set(&a->fault, "truncated", "armor: no END line");
}

bool armor_is_in_headers(const struct armor *a)
{
	return a->state == ARMOR_IN_HEADERS;
}

bool armor_is_talkative(const struct armor *a)
{
	return a->header_bytes > ARMOR_BLOCK_CHANNEL_MAX || a->has_long_headers ||
	       a->channel->is_overflown;
}
