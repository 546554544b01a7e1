/* SPDX-License-Identifier: ISC
 *
 * address_header.c: the one mailbox of a From: field. Comments and folding are passed over (RFC 5322
 * section 3.2.2). What stands before the angle brackets may be anything that is not a list or a group:
 * display names with unquoted dots and at signs are common, and a field that a mail program shows must
 * not escape notice for want of quotes.
 */
#include "common/address.h"

#include <string.h>

#include "common/log.h"

#define ADDR_SPEC_MAX 1024 /* bytes of one address as written, comments not counted */

struct reader {
	const char *at;
	const char *end;
};

struct spec {
	char text[ADDR_SPEC_MAX];
	size_t len;
	bool has_gap;	   /* white space or a comment since the last octet */
	bool is_malformed; /* as an address; a display name may still be */
};

/* Passes over a comment; the reader stands behind its '('. -1: it does not end. */
static int skip_comment(struct reader *r)
{
	unsigned depth = 1;

	while (r->at < r->end) {
		char c = *r->at++;

		if (c == '\\' && r->at < r->end)
			r->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return 0;
	}
	return -1;
}

static void append(struct spec *s, char c)
{
	/* Two words with a gap between them are no address, unless '.' or '@' joins them (obsolete
	 * syntax, RFC 5322 section 4.4). */
	if (s->has_gap && s->len > 0 && strchr(".@", c) == NULL &&
	    strchr(".@", s->text[s->len - 1]) == NULL)
		s->is_malformed = true;
	s->has_gap = false;
	if (s->len == sizeof(s->text))
		s->is_malformed = true;
	else
		s->text[s->len++] = c;
}

/* Copies a quoted string with its quotes; the reader stands behind the first. -1: it does not end. */
static int copy_quoted(struct reader *r, struct spec *s)
{
	append(s, '"');
	while (r->at < r->end) {
		char c = *r->at++;

		if (c == '\r' || c == '\n')
			continue;
		append(s, c);
		if (c == '"')
			return 0;
		if (c == '\\' && r->at < r->end)
			append(s, *r->at++);
	}
	return -1;
}

/* Reads up to one of `stops` or the end; returns which ('\0': the end), or -1: malformed. */
static int read_spec(struct reader *r, struct spec *s, const char *stops)
{
	memset(s, 0, sizeof(*s));
	while (r->at < r->end) {
		char c = *r->at++;

		if (c == '\0')
			return -1;
		if (strchr(stops, c) != NULL)
			return (unsigned char)c;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			s->has_gap = true;
		} else if (c == '(') {
			s->has_gap = true;
			if (skip_comment(r) != 0)
				return -1;
		} else if (c == '"') {
			if (copy_quoted(r, s) != 0)
				return -1;
		} else {
			append(s, c);
		}
	}
	return '\0';
}

static int read_mailbox(struct reader *r, struct address *out)
{
	struct spec name, spec;
	struct spec *address = &name;
	int stop = read_spec(r, &name, "<>,;:");

	if (stop == '<') {
		address = &spec;
		if (read_spec(r, &spec, "<>") != '>' || read_spec(r, &name, "<>,;:") != '\0' ||
		    name.len > 0)
			return -1;
	} else if (stop != '\0') {
		return -1;
	}
	if (address->is_malformed || address->len == 0)
		return -1;
	address_canonical(address->text, address->len, out);
	return out->kind == ADDRESS_MAILBOX && address_domain(out)[0] != '\0' ? 0 : -1;
}

int address_from_header(const char *value, size_t value_len, struct address *out)
{
	struct reader r = {value, value + value_len};

	if (read_mailbox(&r, out) == 0)
		return 0;
	memset(out, 0, sizeof(*out));
	out->kind = ADDRESS_BAD;
	log_escape(out->text, sizeof(out->text), value, value_len);
	return -1;
}
