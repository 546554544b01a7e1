/* SPDX-License-Identifier: ISC
 *
 * address_header.c: the mailboxes of From: fields. Comments and folding are passed over (RFC 5322
 * section 3.2.2). What stands before the angle brackets may be anything: display names with
 * unquoted dots and at signs are common, and a field that a mail program shows must not escape
 * notice for want of quotes, nor because it names somebody else as well.
 */
#include "common/address.h"

#include <string.h>

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

/* Copies a quoted string with its quotes; the reader stands behind the first. -1: it does not end.
 */
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

static void add(struct from_header *f, const struct spec *spec)
{
	struct address address;

	if (spec->is_malformed || spec->len == 0)
		return;
	address_canonical(spec->text, spec->len, &address);
	if (address.kind != ADDRESS_MAILBOX || address_domain(&address)[0] == '\0')
		return;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->address[i].text, address.text) == 0)
			return;
	if (f->n == FROM_MAX) {
		f->has_more = true;
		return;
	}
	f->address[f->n++] = address;
}

void from_header_add(struct from_header *f, const char *value, size_t value_len)
{
	struct reader r = {value, value + value_len};
	struct spec word, spec;
	bool has_brackets = false; /* in this element of the list */
	int stop;

	/* The word before ':' names a group, and is no address unless somebody plays tricks. */
	while ((stop = read_spec(&r, &word, "<>,;:")) >= 0) {
		if (stop == '<') {
			while (read_spec(&r, &spec, "<>") == '<')
				;
			add(f, &spec);
			has_brackets = true;
			continue;
		}
		if (!has_brackets)
			add(f, &word);
		if (stop == '\0')
			return;
		has_brackets = has_brackets && stop == '>';
	}
}

const struct address *from_header_single(const struct from_header *f)
{
	return f->n == 1 && !f->has_more ? &f->address[0] : NULL;
}
