/* SPDX-License-Identifier: ISC */
#include "cli/certificate_split.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/certificate_packet.h"

static const char secret[] =
	"a secret key; it was not kept. Give the public one: gpg --export --armor";

/* RFC 9580 section 10.1; besides what means nothing: trust, markers, padding, and what others made
 * up. What a certificate holds is kept and handed out again, so nothing else may travel in it: a
 * secret key in a compressed packet. */
static bool is_of_certificate(unsigned tag)
{
	switch (tag) {
	case 2: /* signature */
	case CERTIFICATE_PUBLIC_KEY:
	case CERTIFICATE_PUBLIC_SUBKEY:
	case 10: /* marker */
	case 12: /* trust */
	case 13: /* user id */
	case 17: /* user attribute */
	case 21: /* padding */
		return true;
	default:
		return tag >= 40;
	}
}

#define PACKETS_MAX                                                                   \
	10000 /* of one certificate: gpg takes longer for each, and nobody needs them \
	       */

struct splitting {
	const struct certificate_sink *sink;
	size_t number;
	bool has_failed;
};

static void end_certificate(struct splitting *s, const unsigned char *from, const unsigned char *to,
			    unsigned version, const char *bad)
{
	if (from == NULL)
		return;
	s->number++;
	if ((bad != NULL ? s->sink->bad(s->sink->context, s->number, bad)
			 : s->sink->certificate(s->sink->context, s->number, from,
						(size_t)(to - from), version)) != 0)
		s->has_failed = true;
}

static void split_packets(struct splitting *s, const unsigned char *p, size_t len)
{
	const unsigned char *begin = NULL, *end = p + len;
	const char *bad = NULL;
	unsigned version = 0;
	size_t n_packets = 0;

	while (p < end && !s->has_failed) {
		struct certificate_packet packet;

		if (certificate_packet_read(p, (size_t)(end - p), &packet) != 0) {
			end_certificate(s, begin != NULL ? begin : p, p, version,
					"damaged: its packets are cut off");
			return;
		}
		if (packet.tag == CERTIFICATE_PUBLIC_KEY || packet.tag == CERTIFICATE_SECRET_KEY) {
			end_certificate(s, begin, p, version, bad);
			begin = p;
			n_packets = 0;
			version = packet.body_len > 0 ? packet.body[0] : 0;
			bad = packet.tag == CERTIFICATE_SECRET_KEY ? secret
			      : packet.body_len < 6 ? "damaged: its primary key is cut short"
						    : NULL;
		} else if (begin == NULL) {
			begin = p;
			bad = "something that is no certificate: it begins without a primary key";
		}
		if (++n_packets > PACKETS_MAX && bad == NULL)
			bad = "more than 10,000 packets; give what is used of it: gpg "
			      "--export-options export-minimal --export";
		if (packet.tag == CERTIFICATE_SECRET_SUBKEY)
			bad = secret;
		else if (bad == NULL && !is_of_certificate(packet.tag))
			bad = "holds what belongs in no certificate, as a message does; give what "
			      "gpg --export gives";
		p += packet.whole_len;
	}
	end_certificate(s, begin, p, version, bad);
}

/* ---- armor ---- */

static int value_of(unsigned char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* The next line in [*p, end), without its end and without blanks around it. */
static bool next_line(const unsigned char **p, const unsigned char *end, const unsigned char **line,
		      size_t *len)
{
	const unsigned char *nl;

	if (*p >= end)
		return false;
	nl = memchr(*p, '\n', (size_t)(end - *p));
	*line = *p;
	*len = (size_t)((nl != NULL ? nl : end) - *p);
	*p = nl != NULL ? nl + 1 : end;
	while (*len > 0 && strchr(" \t\r", (*line)[*len - 1]) != NULL)
		--*len;
	while (*len > 0 && (**line == ' ' || **line == '\t')) {
		++*line;
		--*len;
	}
	return true;
}

static bool starts(const unsigned char *line, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

/* Decodes lines up to the end of the armor into out. NULL, or what is wrong. Headers are "Word:
 * text" or empty lines, in any order at the top: some programs leave the blank line out, or begin
 * with one. */
static const char *dearmor(const unsigned char **p, const unsigned char *end, unsigned char *out,
			   size_t *n)
{
	const unsigned char *line;
	uint32_t held = 0;
	unsigned bits = 0;
	bool is_padded = false;
	size_t len;

	*n = 0;
	while (next_line(p, end, &line, &len)) {
		if (starts(line, len, "-----END PGP "))
			return *n > 0 ? NULL : "damaged: its armor is empty";
		if (starts(line, len, "-----"))
			return "damaged: its armor has no end";
		if (*n == 0 && bits == 0 && memchr(line, ':', len) != NULL)
			continue;
		if (len == 5 && line[0] == '=')
			continue; /* the checksum, which RFC 9580 section 6.1 says to ignore */
		for (size_t i = 0; i < len; i++) {
			const int value = value_of(line[i]);

			if (line[i] == '=') {
				is_padded = true;
				continue;
			}
			if (value < 0 || is_padded)
				return "damaged: its armor holds what is no base64";
			held = held << 6 | (uint32_t)value;
			bits += 6;
			if (bits >= 8) {
				bits -= 8;
				out[(*n)++] = (unsigned char)(held >> bits);
			}
		}
	}
	return "damaged: its armor has no end";
}

static int split_armor(struct splitting *s, const unsigned char *p, size_t size)
{
	const unsigned char *end = p + size, *line;
	unsigned char *packets = malloc(size + 1);
	size_t len;

	if (packets == NULL)
		return -1;
	while (!s->has_failed && next_line(&p, end, &line, &len)) {
		const char *bad = NULL;
		size_t n = 0;

		if (!starts(line, len, "-----BEGIN PGP "))
			continue;
		if (starts(line, len, "-----BEGIN PGP PRIVATE KEY"))
			bad = secret;
		else if (!starts(line, len, "-----BEGIN PGP PUBLIC KEY"))
			bad = "not a certificate but a message or a signature";
		if (bad == NULL)
			bad = dearmor(&p, end, packets, &n);
		if (bad != NULL)
			end_certificate(s, p, p, 0, bad);
		else
			split_packets(s, packets, n);
	}
	explicit_bzero(packets, size);
	free(packets);
	return s->has_failed ? -1 : 0;
}

int certificate_split(const unsigned char *bytes, size_t len, const struct certificate_sink *sink,
		      char why[CERTIFICATE_WHY_MAX])
{
	struct splitting s = {.sink = sink};

	why[0] = '\0';
	if (len > 0 && (bytes[0] & 0x80) != 0)
		split_packets(&s, bytes, len);
	else if (split_armor(&s, bytes, len) != 0)
		return -1;
	if (s.has_failed)
		return -1;
	if (s.number == 0)
		snprintf(why, CERTIFICATE_WHY_MAX, "%s",
			 len == 0 ? "empty"
			 : len > 12 && memcmp(bytes + 8, "KBXf", 4) == 0
				 ? "a keybox of GnuPG's own; give what gpg --export gives"
				 : "holds no OpenPGP certificate");
	return (int)s.number;
}
