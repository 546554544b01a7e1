/* SPDX-License-Identifier: ISC */
#include "scan/armor.h"

#include <assert.h>
#include <string.h>

#include "scan/armor_header.h"
#include "scan/finding.h"
#include "scan/text.h"

#define CRC_BEGIN 0xb704ceu

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
	a->is_like_first = true;
	a->is_summed = channel->n_checksums >= ARMOR_CHECKSUMS_FREE;
	a->crc = CRC_BEGIN;
	wording_reset(&a->wording);
	spread_reset(&a->spread);
	packet_init(walk, label == ARMOR_MESSAGE ? PACKETS_OF_MESSAGE : PACKETS_OF_SIGNATURES);
}

void armor_fault(struct armor *a, const char *what)
{
	finding_set(&a->fault, "bad-armor", "armor: %s", what);
}

/* CRC-24, RFC 9580 section 6.1.1. */
static uint32_t sum(uint32_t crc, const unsigned char *octets, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint32_t)octets[i] << 16;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x800000 ? 0x1864cfbu : 0);
	}
	return crc & 0xffffff;
}

/* Lines of characters that are base64: do they spell words, or draw letters? */
static void look_for_words(struct armor *a, const unsigned char *lines, size_t n_lines,
			   size_t n_chars, size_t stride)
{
	const size_t left = a->n_worded < ARMOR_WORDING_MAX ? ARMOR_WORDING_MAX - a->n_worded : 0;
	/* lines that begin before ARMOR_LINES_MAX */
	const size_t alone = a->n_worded < ARMOR_LINES_MAX
				     ? (ARMOR_LINES_MAX - a->n_worded + n_chars - 1) / n_chars
				     : 0;

	if (n_lines > left / n_chars)
		n_lines = (left + n_chars - 1) / n_chars;
	wording_look_at_lines(&a->wording, &a->channel->lines, alone, lines, n_lines, n_chars,
			      stride);
	a->n_worded += n_lines * n_chars;
	spread_feed(&a->spread, lines, n_lines, n_chars, stride, packet_is_in_ciphertext(a->walk));
	if (a->channel->lines.is_text)
		armor_fault(a, "words in the lines of the data");
	if (n_lines > 0 && a->wording.is_text)
		armor_fault(a, "words among the data");
}

/* Lines have one length, but for the last, which is shorter. Beyond ARMOR_BROKEN_MIN characters
 * they may have been cut by a relay, that puts a blank in front of the next and counts it
 * (Postfix's smtp_line_length_limit). */
static void check_width(struct armor *a, size_t len)
{
	if (a->is_short_seen)
		armor_fault(a, "a short line within the data");
	else if (a->is_blank_seen)
		armor_fault(a, "an empty line within the data");
	else if (a->width == 0)
		a->width = len;
	else if (a->width < ARMOR_WIDTH_MIN)
		armor_fault(a, "lines of less than 40 characters");
	else if (len > a->width)
		armor_fault(a, "a line longer than the first");
	else if (len < a->width && !(a->width >= ARMOR_BROKEN_MIN && len + 1 == a->width))
		a->is_short_seen = true;
}

/* Data that the packet walk would pass over anyway is checked, not decoded. */
static bool pass_over(struct armor *a, const unsigned char *line, size_t len)
{
	uint64_t octets = len / 4 * 3;

	if (a->is_summed || len % 4 != 0 || a->base64.n_chars != 0 || a->base64.is_ended ||
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
	if (pass_over(a, line, len)) {
		look_for_words(a, line, 1, len, len);
		return;
	}
	if (base64_decode(&a->base64, line, len, octets, &n_octets) < len) {
		armor_fault(a, "a line that is not base64");
		return;
	}
	look_for_words(a, line, 1, len, len);
	if (a->is_summed)
		a->crc = sum(a->crc, octets, n_octets);
	packet_feed(a->walk, octets, n_octets);
	finding_adopt(&a->fault, &a->walk->fault);
}

/* Are these four characters the checksum of what came? */
static bool is_checksum(const struct armor *a, const unsigned char *chars)
{
	struct base64 base64;
	unsigned char octets[6];
	size_t n;

	base64_reset(&base64);
	return base64_decode(&base64, chars, 4, octets, &n) == 4 && n == 3 &&
	       ((uint32_t)octets[0] << 16 | (uint32_t)octets[1] << 8 | octets[2]) == a->crc;
}

/* A line that begins with '=': padding that slipped into a line of its own, or the checksum, which
 * nobody needs (section 6.1): '=' and at most 8 characters. A longer one is text that a mail
 * program shows. */
static void equals_line(struct armor *a, const unsigned char *line, size_t len)
{
	if (a->base64.n_chars >= 2 && a->base64.n_chars + a->base64.n_padding + len <= 4 &&
	    (len == 1 || line[1] == '=')) {
		data_line(a, line, len);
		return;
	}
	for (size_t i = 1; i < len; i++) {
		if (len > 9 || (!base64_is_char(line[i]) && line[i] != '=')) {
			armor_fault(a, "text after '='");
			return;
		}
	}
	a->state = ARMOR_IN_CHECKSUM;
	if (len == 1)
		return;
	if (len != ARMOR_CHECKSUM_SIZE || (a->is_summed && !is_checksum(a, line + 1)))
		a->checksum_bytes = len;
	a->channel->n_checksums++;
}

static void end_line(struct armor *a, const unsigned char *line, size_t len)
{
	if (!text_is(line, len, end_lines[a->label]) ||
	    !text_begins(line, len, end_lines[a->label])) {
		armor_fault(a, "a line that begins with '-' and is not the END line");
	} else if (!base64_is_complete(&a->base64)) {
		armor_fault(a, "the base64 data ends within a group of four");
	} else {
		packet_finish(a->walk);
		finding_adopt(&a->fault, &a->walk->fault);
		if (spread_finish(&a->spread))
			armor_fault(a, "characters that are not evenly spread");
	}
}

/* Lines of data whose octets go into the packet walk's sample, and nowhere else. In this order, as
 * if they came one by one: the sample is looked at with the last line at the earliest. */
static void sample_lines(struct armor *a, const unsigned char *lines, size_t n_lines,
			 size_t n_chars, size_t stride)
{
	unsigned char octets[CIPHERTEXT_SAMPLE + 6];
	size_t n_octets = 0;

	look_for_words(a, lines, n_lines, n_chars, stride);
	for (size_t i = 0; i < n_lines; i++) {
		size_t n;

		base64_decode(&a->base64, lines + i * stride, n_chars, octets + n_octets, &n);
		n_octets += n;
	}
	packet_feed(a->walk, octets, n_octets);
	finding_adopt(&a->fault, &a->walk->fault);
}

size_t armor_run(struct armor *a, const unsigned char *bytes, size_t len)
{
	const uint64_t opaque = packet_opaque(a->walk);
	const uint64_t room = opaque > 0 ? opaque : packet_sampled(a->walk);
	const unsigned char *lf;
	uint64_t octets; /* of one line, decoded */
	size_t stride, n_chars, n_lines;

	if (a->is_summed || a->is_short_seen || a->is_blank_seen || room == 0 ||
	    a->state != ARMOR_IN_DATA || a->base64.n_chars != 0 || a->base64.is_ended ||
	    finding_is_set(&a->fault))
		return 0;
	lf = memchr(bytes, '\n', len < ARMOR_BROKEN_MIN ? len : ARMOR_BROKEN_MIN);
	if (!lf || lf == bytes)
		return 0;
	stride = (size_t)(lf + 1 - bytes);
	n_chars = lf[-1] == '\r' ? stride - 2 : stride - 1;
	if (n_chars == 0 || n_chars % 4 != 0 || n_chars != a->width || n_chars < ARMOR_WIDTH_MIN)
		return 0;
	octets = n_chars / 4 * 3;
	n_lines = len / stride;
	if (n_lines > room / octets)
		n_lines = (size_t)(room / octets);
	n_lines = base64_count_lines(bytes, n_lines, n_chars, stride);
	if (n_lines == 0)
		return 0;
	if (opaque == 0) {
		sample_lines(a, bytes, n_lines, n_chars, stride);
	} else {
		look_for_words(a, bytes, n_lines, n_chars, stride);
		packet_skip(a->walk, n_lines * octets);
	}
	a->line_bytes = n_chars;
	return n_lines * stride;
}

/* Data at the beginning of a line. */
static void begin_data(struct armor *a, const unsigned char *line, size_t len)
{
	/* Where Postfix breaks a long line the next one begins with a blank
	 * (smtp_line_length_limit). */
	if (len > 1 && line[0] == ' ' && a->line_bytes >= ARMOR_BROKEN_MIN) {
		line++;
		len--;
	}
	if (a->state == ARMOR_IN_CHECKSUM)
		armor_fault(a, "text after the checksum");
	else if (line[0] == '=')
		equals_line(a, line, len);
	else
		data_line(a, line, len);
}

/* More of a line of which pieces were taken. */
static void go_on(struct armor *a, const unsigned char *bytes, size_t len)
{
	if (a->state == ARMOR_IN_HEADERS)
		armor_header_octets(a, bytes, len);
	else if (len > 0 && a->is_tail)
		armor_fault(a, "a line that is not base64");
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
		armor_fault(a, "a line that begins with '-' and is not the END line");
	} else if (a->state == ARMOR_IN_HEADERS && armor_header_is(bytes, len)) {
		a->has_long_headers = true;
		armor_header_begin(a, bytes, len);
	} else {
		if (a->state == ARMOR_IN_HEADERS)
			armor_header_end(a);
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
	if (a->state == ARMOR_IN_DATA)
		check_width(a, a->line_bytes);
	a->is_within_line = a->is_tail = false;
	return !finding_is_set(&a->fault);
}

bool armor_line(struct armor *a, const unsigned char *line, size_t len)
{
	len = text_trimmed(line, len);
	if (a->is_within_line)
		return end_long_line(a, line, len);
	if (len > 0 && line[0] == '-') {
		if (a->state == ARMOR_IN_HEADERS)
			armor_header_end(a);
		end_line(a, line, len);
		return false;
	}
	if (a->state == ARMOR_IN_HEADERS) {
		if (len > 0 && armor_header_is(line, len)) {
			armor_header_line(a, line, len);
			return !finding_is_set(&a->fault);
		}
		armor_header_end(a); /* the empty line, or, without one, data that is no header */
	}
	if (len == 0) {
		a->is_blank_seen |= a->width > 0;
		return true;
	}
	if (line[0] != '=') /* padding that slipped into a line of its own, or the checksum */
		check_width(a, len);
	if (!finding_is_set(&a->fault))
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

size_t armor_readable_bytes(const struct armor *a)
{
	bool is_talkative = a->header_bytes > ARMOR_BLOCK_CHANNEL_MAX || a->has_long_headers ||
			    a->channel->is_overflown;

	return (is_talkative ? a->header_bytes : 0) + a->checksum_bytes;
}
