/* SPDX-License-Identifier: ISC */
#include "scan/armor_header.h"

#include <string.h>

#include "scan/text.h"

/* Letters, digits and what real programs put between them. */
static bool is_key_char(unsigned char c)
{
	const unsigned char letter = text_lower(c);

	return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

/* RFC 9580 section 6.2.2: "Key: value"; the blank after the colon may be trimmed off an empty
 * value. */
bool armor_header_is(const unsigned char *line, size_t len)
{
	size_t i = 0;

	while (i < len && is_key_char(line[i]))
		i++;
	return i > 0 && i < len && line[i] == ':' && (i + 1 == len || line[i + 1] == ' ');
}

/* Names of fields that mean something in the header of a message or of a part: IANA's registry by
 * its beginnings. */
static bool is_field_name(const unsigned char *line, size_t len)
{
	static const char *const beginnings[] = {
		"Content-",	   "MIME-",	 "Resent-",    "List-",	    "Received",
		"Return-",	   "Reply-",	 "Message-ID", "In-Reply-", "Refer",
		"Disposition-",	   "Original-",	 "Autocrypt",  "DKIM-",	    "ARC-",
		"Authentication-", "X-Mozilla-", "X-MIME",
	};
	static const char *const names[] = {
		"From",	       "To",	       "Cc",	      "Bcc",	    "Sender",
		"Subject",     "Date",	       "Comments",    "Keywords",   "Lines",
		"Status",      "X-Status",     "Encoding",    "Encrypted",  "Newsgroups",
		"Path",	       "Organization", "Followup-To", "Importance", "Priority",
		"Sensitivity", "Delivered-To", "Secure-Join",
	};
	const unsigned char *colon = memchr(line, ':', len);
	size_t name_len = (size_t)(colon - line);

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (name_len >= strlen(beginnings[i]) &&
		    text_is(line, strlen(beginnings[i]), beginnings[i]) &&
		    !text_is(line, name_len, "MessageID"))
			return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(line, name_len, names[i]))
			return true;
	return false;
}

/* A header line beside the first block's: is this block still like it? */
static void compare_with_first(struct armor *a, const unsigned char *line, size_t len)
{
	struct armor_channel *c = a->channel;

	if (!c->has_first) {
		size_t room = sizeof(c->first) - c->first_len;

		if (len + 1 > room) /* more than goes for nothing in any case */
			return;
		memcpy(c->first + c->first_len, line, len);
		c->first_len += len;
		c->first[c->first_len++] = '\n';
	} else if (a->is_like_first && c->first_len - a->first_at > len &&
		   memcmp(c->first + a->first_at, line, len) == 0 &&
		   c->first[a->first_at + len] == '\n') {
		a->first_at += len + 1;
	} else {
		a->is_like_first = false;
	}
}

/* The block's headers are complete: are they paid for? Fewer lines than the first had say
 * something, too. */
void armor_header_end(struct armor *a)
{
	struct armor_channel *c = a->channel;
	const bool is_first = !c->has_first;

	a->state = ARMOR_IN_DATA;
	c->has_first = true;
	if (!is_first && a->is_like_first && a->first_at == c->first_len)
		return;
	c->used += a->header_bytes;
	c->is_overflown |= c->used > ARMOR_CHANNEL_MAX;
}

/* A header, or a piece of one. Beyond the bounds it is text that can be read, no fault: programs
 * decrypt what follows all the same. */
void armor_header_octets(struct armor *a, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f) {
			armor_fault(a, "a control character in a header");
			return;
		}
	}
	a->header_bytes += len;
}

/* A header begins. */
void armor_header_begin(struct armor *a, const unsigned char *line, size_t len)
{
	if (is_field_name(line, len))
		armor_fault(a, "a field of a message or part among the headers");
	else
		armor_header_octets(a, line, len);
}

/* An address, or a link without a query, between angle brackets: no tag. Its octets, or 0. */
static size_t bracketed_address(const unsigned char *at, size_t len)
{
	const bool is_link = (len > 7 && text_is(at, 7, "http://")) ||
			     (len > 8 && text_is(at, 8, "https://"));
	bool has_at = false;

	for (size_t i = 0; i < len; i++) {
		if (at[i] == '>')
			return is_link || has_at ? i : 0;
		has_at |= at[i] == '@';
		if (!is_key_char(at[i]) && at[i] != '@' && at[i] != '+' &&
		    !(is_link && (at[i] == ':' || at[i] == '/')))
			return 0;
	}
	return 0;
}

/* Some programs show a part as HTML for its name (octet-stream called x.html): what looks like a
 * tag there draws with the white space around armor. */
static bool has_tag(const unsigned char *line, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		const unsigned char next = text_lower(line[i + 1]);

		if (line[i] == '<' &&
		    ((next >= 'a' && next <= 'z') || next == '/' || next == '!' || next == '?') &&
		    bracketed_address(line + i + 1, len - i - 1) == 0)
			return true;
	}
	return false;
}

void armor_header_line(struct armor *a, const unsigned char *line, size_t len)
{
	armor_header_begin(a, line, len);
	if (++a->n_headers > ARMOR_HEADERS_MAX || len > ARMOR_HEADER_MAX || has_tag(line, len))
		a->has_long_headers = true;
	else
		compare_with_first(a, line, len);
}
