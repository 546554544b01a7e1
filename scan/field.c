/* SPDX-License-Identifier: ISC */
#include "scan/field.h"

#include <stdio.h>
#include <string.h>

#include "scan/charset.h"
#include "scan/text.h"

/* A reader over a field's value. */
struct cursor {
	const unsigned char *at, *end;
	const char **ambiguity;
	bool is_multipart;
	bool has_comment;
	enum label last_piece;
	unsigned n_name_pieces; /* of a name in RFC 2231's pieces */
	size_t piece_characters;
	size_t other_bytes, comment_bytes;
};

static void ambiguous(struct cursor *c, const char *what)
{
	if (!*c->ambiguity)
		*c->ambiguity = what;
}

/* Folding (RFC 5322 section 2.2.3) leaves CR LF before a blank: to the grammar it is white space. A
 * CR that no LF follows is a line end to some readers. */
static void check_octets(struct cursor *c)
{
	for (const unsigned char *p = c->at; p < c->end; p++) {
		if (*p == '\r' && (p + 1 == c->end || p[1] != '\n'))
			ambiguous(c, "a lone CR");
		else if ((*p < ' ' && *p != '\t' && *p != '\r' && *p != '\n') || *p == 0x7f)
			ambiguous(c, "a control character");
	}
}

/* A comment, RFC 5322 section 3.2.2. Within it nothing may stand that a reader who knows no
 * comments would take for structure. */
static void skip_comment(struct cursor *c)
{
	unsigned depth = 0;

	c->has_comment = true;
	for (; c->at < c->end; c->at++) {
		c->comment_bytes++;
		switch (*c->at) {
		case '(':
			depth++;
			break;
		case ')':
			if (--depth == 0) {
				c->at++;
				return;
			}
			break;
		case '\\':
		case '"':
		case ';':
		case '=':
			ambiguous(c, "a comment that could be taken for a parameter");
			break;
		}
	}
	ambiguous(c, "a comment without end");
}

static void skip_space(struct cursor *c)
{
	while (c->at < c->end) {
		if (text_is_space(*c->at))
			c->at++;
		else if (*c->at == '(')
			skip_comment(c);
		else
			return;
	}
}

static bool is_token_char(unsigned char ch) /* RFC 2045 section 5.1 */
{
	return ch > ' ' && ch < 0x7f && !strchr("()<>@,;:\\\"/[]?=", ch);
}

/* What stands in unquoted values in the wild, and cannot be misread. */
static bool is_loose_char(unsigned char ch)
{
	return is_token_char(ch) || ch == '=' || ch == '/' || ch == ':' || ch == '?' || ch == '@';
}

static size_t take_run(struct cursor *c, bool (*belongs)(unsigned char),
		       const unsigned char **start)
{
	*start = c->at;
	while (c->at < c->end && belongs(*c->at))
		c->at++;
	return (size_t)(c->at - *start);
}

/* A value, copied without quotes; cut when it is longer than size - 1 (then *is_cut). Exact says
 * that the value is structure: a backslash in it is read differently by different programs. */
static size_t take_value(struct cursor *c, char *out, size_t size, bool exact, bool *is_cut)
{
	size_t n = 0;
	const unsigned char *start;

	*is_cut = false;
	if (c->at < c->end && *c->at == '"') {
		for (c->at++; c->at < c->end && *c->at != '"'; c->at++) {
			if (*c->at == '\\') {
				if (exact || c->is_multipart)
					ambiguous(c, "a backslash in a multipart's parameters");
				if (++c->at == c->end)
					break;
			}
			if (*c->at == '\r' || *c->at == '\n')
				continue; /* folded within the quotes */
			if (n + 1 < size)
				out[n++] = (char)*c->at;
			else
				*is_cut = true;
		}
		if (c->at == c->end)
			ambiguous(c, "a quoted string without end");
		else
			c->at++;
	} else {
		size_t len = take_run(c, is_loose_char, &start);

		*is_cut = len + 1 > size;
		n = *is_cut ? size - 1 : len;
		memcpy(out, start, n);
	}
	out[n] = '\0';
	return n;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)text_lower((unsigned char)*text);
}

static void set_boundary(struct cursor *c, struct content_type *out)
{
	const unsigned char *begin = c->at;
	bool is_cut;

	if (out->boundary_len > 0)
		ambiguous(c, "two boundary parameters");
	out->boundary_len = take_value(c, out->boundary, sizeof(out->boundary), true, &is_cut);
	if (is_cut)
		ambiguous(c, "a boundary of more than 200 bytes");
	if (out->boundary_len == 0)
		ambiguous(c, "an empty boundary");
	else if (out->boundary[out->boundary_len - 1] == ' ' || out->boundary[0] == ' ')
		ambiguous(c, "a boundary that begins or ends with a blank");
	if (!c->is_multipart)
		ambiguous(c, "a boundary on what is no multipart");
	if (strstr(out->boundary, "=?")) /* RFC 2047 section 5 forbids it; some decode it */
		ambiguous(c, "a boundary that holds an encoded word");
	if (strstr(out->boundary, "  ")) /* some make one of them */
		ambiguous(c, "a boundary with two blanks in a row");
	for (const unsigned char *p = begin; p < c->at; p++)
		if (*p == '\r' || *p == '\n')
			ambiguous(c, "a folded boundary");
	for (size_t i = 0; i < out->boundary_len; i++)
		if ((unsigned char)out->boundary[i] >= 0x7f || out->boundary[i] == '\t')
			ambiguous(c, "a boundary that is not printable ASCII");
}

/* A reader shows one name of a part: the longest counts. */
static void add_characters(struct content_type *out, size_t n)
{
	if (n > out->name_characters)
		out->name_characters = n;
}

static void set_charset(struct cursor *c, struct content_type *out)
{
	const unsigned char *begin = c->at;
	char charset[FIELD_VALUE_MAX];
	bool is_cut;

	take_value(c, charset, sizeof(charset), false, &is_cut);
	lower(charset);
	out->has_bad_charset |= is_cut || !charset_is_known(charset);
	if (!charset_is_known(charset)) /* s-nail prints it */
		add_characters(out, (size_t)(c->at - begin));
	out->has_odd_charset |= memchr(begin, '\\', (size_t)(c->at - begin)) != NULL;
	/* Of two, each is the one that some program takes. */
	out->spaces = out->has_charset && charset_spaces_of(charset) != out->spaces
			      ? CHARSET_SPACES_UNSURE
			      : charset_spaces_of(charset);
	out->has_charset = true;
}

/* Is name (len octets) the RFC 2231 form of `of`: "boundary*", "boundary*0", ...? */
static bool is_extended(const unsigned char *name, size_t len, const char *of)
{
	size_t n = strlen(of);

	return len > n && name[n] == '*' && text_is(name, n, of);
}

/* twice: what two of them are called, where the value is structure; NULL where it is none. */
static void set_lower(struct cursor *c, char *out, size_t size, const char *twice)
{
	bool is_cut;

	if (out[0] && twice)
		ambiguous(c, twice);
	take_value(c, out, size, twice != NULL, &is_cut);
	lower(out);
}

/* What may follow in a name that should have been quoted: nothing that could begin another
 * parameter. */
static bool is_name_char(unsigned char ch)
{
	return is_token_char(ch) || ch >= 0x80 || text_is_space(ch) || memchr("@,[]/:?", ch, 7);
}

static bool is_hex_digit(unsigned char ch)
{
	return (ch >= '0' && ch <= '9') || (text_lower(ch) >= 'a' && text_lower(ch) <= 'f');
}

/* '=' as an encoded word has it (RFC 2047): beside '?', before "=?" or two digits. Not that of
 * another parameter: no character set that matters begins so. */
static bool is_encoded_word_equals(const unsigned char *begin, const unsigned char *at,
				   const unsigned char *end)
{
	if (*at != '=')
		return false;
	if ((at > begin && at[-1] == '?') || (at + 1 < end && at[1] == '?'))
		return true;
	return at + 2 < end &&
	       ((at[1] == '=' && at[2] == '?') || (is_hex_digit(at[1]) && is_hex_digit(at[2])));
}

/* An unquoted file name with blanks, parentheses, 8-bit letters or encoded words, up to the
 * semicolon: old Apple Mail and many scripts write such. Anything else is left for take_value(). */
static void skip_name(struct cursor *c)
{
	const unsigned char *at = c->at, *begin = c->at;
	bool is_open = false;

	for (; at < c->end && *at != ';'; at++) {
		if (*at == '(' && !is_open)
			is_open = true;
		else if (*at == ')' && is_open)
			is_open = false;
		else if (!is_name_char(*at) && !is_encoded_word_equals(begin, at, c->end))
			return;
	}
	if (!is_open)
		c->at = at;
}

/* The least trusted counts: which of them a program takes is its own affair. */
static void add_label(struct content_type *out, enum label label)
{
	if (label > out->label)
		out->label = label;
}

static void set_name(struct cursor *c, struct content_type *out)
{
	const unsigned char *begin = c->at, *after;
	bool is_cut;

	take_value(c, out->name, sizeof(out->name), false, &is_cut);
	lower(out->name);
	if (!c->is_multipart && begin < c->end && *begin != '"') {
		after = c->at;
		c->at = begin;
		skip_name(c);
		if (c->at == begin)
			c->at = after;
	}
	add_label(out, label_of_name(begin, (size_t)(c->at - begin)));
	add_characters(out, label_count_characters(begin, (size_t)(c->at - begin), false));
}

/* A name in a form of RFC 2231: "name*" whole, or "name*0", "name*1*" and so on, in this order.
 * Percent encoding leaves letters as they are. The last piece has the ending. */
static void set_extended_name(struct cursor *c, const unsigned char *form, size_t len,
			      struct content_type *out)
{
	const unsigned char *begin = c->at;
	char ignored[2], number[12];
	bool is_cut;
	enum label label;
	size_t n_characters;

	take_value(c, ignored, sizeof(ignored), false, &is_cut);
	label = label_of_name(begin, (size_t)(c->at - begin));
	n_characters = label_count_characters(begin, (size_t)(c->at - begin), true);
	if (len == 0) {
		add_label(out, label);
		add_characters(out, n_characters);
		return;
	}
	c->piece_characters += n_characters;
	add_characters(out, c->piece_characters);
	if (form[len - 1] == '*')
		len--;
	snprintf(number, sizeof(number), "%u", c->n_name_pieces);
	if (!text_is(form, len, number))
		add_label(out, LABEL_OTHER);
	c->n_name_pieces++;
	c->last_piece = label;
}

/* Parameters that real mail has and nobody reads here, and how many octets their values have at
 * most. Dates and numbers have no letters beyond those of a date. */
static bool is_quiet_parameter(const unsigned char *name, size_t len, size_t value_len)
{
	static const struct {
		const char *name;
		size_t max;
	} table[] = {{"size", 12},
		     {"format", 10},
		     {"delsp", 5},
		     {"creation-date", 40},
		     {"modification-date", 40},
		     {"read-date", 40},
		     {"x-unix-mode", 6},
		     {"x-mac-type", 12},
		     {"x-mac-creator", 12},
		     {"x-mac-hide-extension", 5},
		     {"micalg", 40},
		     {"type", 44},
		     {"reply-type", 10},
		     {"method", 12},
		     {"x-action", 24},
		     {"protected-headers", 6},
		     {"hp", 12},
		     {"hp-legacy-display", 4},
		     {"report-type", 26},
		     {"smime-type", 32},
		     {"x-apple-part-url", 60},
		     {"start", 70},
		     {"profile", 12}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (text_is(name, len, table[i].name))
			return value_len <= table[i].max;
	return false;
}

/* What a date has beside digits, and no more of it than one date. */
#define DATE_LETTERS 9 /* "Mon", "Nov", "GMT" */

static size_t count_letters(const unsigned char *value, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += value[i] >= 0x80 ||
		     (text_lower(value[i]) >= 'a' && text_lower(value[i]) <= 'z');
	return n;
}

static size_t letters_of_mark(const unsigned char *name, size_t len, const unsigned char *value,
			      size_t value_len)
{
	const size_t n = count_letters(value, value_len);

	if (len > 5 && text_is(name + len - 5, 5, "-date") && n <= DATE_LETTERS)
		return 0;
	return n;
}

static void parameter_value(struct cursor *c, const unsigned char *name, size_t len,
			    struct content_type *out)
{
	const unsigned char *begin = c->at;
	char ignored[2];
	bool is_cut;

	if (text_is(name, len, "boundary")) {
		set_boundary(c, out);
	} else if (text_is(name, len, "protocol")) {
		set_lower(c, out->protocol, sizeof(out->protocol), "two protocol parameters");
	} else if (text_is(name, len, "charset")) {
		set_charset(c, out);
	} else if (text_is(name, len, "report-type")) {
		set_lower(c, out->report_type, sizeof(out->report_type), NULL);
	} else if (text_is(name, len, "smime-type")) {
		set_lower(c, out->smime_type, sizeof(out->smime_type), NULL);
	} else if (text_is(name, len, "name") || text_is(name, len, "filename")) {
		set_name(c, out);
	} else if (is_extended(name, len, "name")) {
		set_extended_name(c, name + 5, len - 5, out);
	} else if (is_extended(name, len, "filename")) {
		set_extended_name(c, name + 9, len - 9, out);
	} else {
		if (is_extended(name, len, "boundary") || is_extended(name, len, "protocol"))
			ambiguous(c, "an RFC 2231 form of boundary or protocol");
		if (is_extended(name, len, "charset"))
			out->has_bad_charset = true; /* what it decodes to is not worth a decoder */
		take_value(c, ignored, sizeof(ignored), false, &is_cut);
		if (!is_quiet_parameter(name, len, (size_t)(c->at - begin)))
			c->other_bytes += len + 1 + (size_t)(c->at - begin);
	}
	if (!text_begins(name, len, "name") && !text_begins(name, len, "filename"))
		out->mark_letters += letters_of_mark(name, len, begin, (size_t)(c->at - begin));
}

/* *(";" name "=" value), RFC 2045 section 5.1. */
static void parameters(struct cursor *c, struct content_type *out)
{
	for (;;) {
		const unsigned char *name;
		size_t len;

		skip_space(c);
		if (c->at == c->end)
			return;
		if (*c->at != ';') {
			ambiguous(c, "something that is no parameter");
			for (; c->at < c->end && *c->at != ';'; c->at++)
				c->other_bytes++;
			continue;
		}
		c->at++;
		skip_space(c);
		len = take_run(c, is_token_char, &name);
		skip_space(c);
		if (c->at == c->end || *c->at != '=') {
			c->other_bytes += len;
			continue; /* a name without a value, or nothing between two semicolons */
		}
		c->at++;
		skip_space(c);
		parameter_value(c, name, len, out);
	}
}

void field_content_type(const unsigned char *value, size_t len, struct content_type *out)
{
	struct cursor c = {.at = value, .end = value + len, .ambiguity = &out->ambiguity};
	const unsigned char *type, *subtype;
	size_t type_len, subtype_len;

	out->is_present = true;
	check_octets(&c);
	skip_space(&c);
	type_len = take_run(&c, is_token_char, &type);
	skip_space(&c);
	if (c.at == c.end && !c.has_comment && (type_len == 0 || text_is(type, type_len, "text")))
		return; /* RFC 2045 section 5.2: as if it were not there. Old Unix mailers write it
			   so. */
	if (type_len == 0 || c.at == c.end || *c.at != '/') {
		ambiguous(&c, "no type/subtype");
		return;
	}
	c.at++;
	skip_space(&c);
	subtype_len = take_run(&c, is_token_char, &subtype);
	if (subtype_len == 0 || type_len + 1 + subtype_len >= sizeof(out->type)) {
		ambiguous(&c, "no type/subtype");
		return;
	}
	memcpy(out->type, type, type_len);
	out->type[type_len] = '/';
	memcpy(out->type + type_len + 1, subtype, subtype_len);
	out->type[type_len + 1 + subtype_len] = '\0';
	lower(out->type);
	c.is_multipart = strncmp(out->type, "multipart/", 10) == 0;
	parameters(&c, out);
	add_label(out, c.last_piece);
	out->has_comment = c.has_comment;
	if (c.has_comment || out->has_odd_charset) /* some take it for the character set's name */
		out->spaces = CHARSET_SPACES_UNSURE;
	out->other_bytes += c.other_bytes + c.comment_bytes;
	out->comment_bytes += c.comment_bytes;
	if (out->boundary_len > BOUNDARY_USUAL_MAX)
		out->other_bytes += out->boundary_len;
}

void field_content_disposition(const unsigned char *value, size_t len, struct content_type *out)
{
	struct content_type own = {.ambiguity = NULL};
	struct cursor c = {.at = value, .end = value + len, .ambiguity = &own.ambiguity};
	const unsigned char *token;
	size_t n;

	skip_space(&c);
	n = take_run(&c, is_token_char, &token);
	if (!text_is(token, n, "inline") && !text_is(token, n, "attachment"))
		c.other_bytes += n;
	parameters(&c, &own);
	add_label(out, own.ambiguity ? LABEL_OTHER : own.label);
	add_label(out, c.last_piece);
	add_characters(out, own.name_characters);
	out->other_bytes += c.other_bytes + c.comment_bytes;
	out->comment_bytes += c.comment_bytes;
	out->mark_letters += own.mark_letters;
	if (!out->name[0])
		memcpy(out->name, own.name, sizeof(out->name));
}

enum encoding field_encoding(const unsigned char *value, size_t len, const char **ambiguity,
			     char name[32], size_t *comment_bytes)
{
	/* Nobody decodes what is written with a dash, as old scripts do. */
	static const char *const identities[] = {"7bit", "8bit", "binary", "7-bit", "8-bit"};
	struct cursor c = {.at = value, .end = value + len, .ambiguity = ambiguity};
	const unsigned char *token;
	size_t n;

	check_octets(&c);
	skip_space(&c);
	n = take_run(&c, is_token_char, &token);
	if (n > 31)
		n = 31;
	memcpy(name, token, n);
	name[n] = '\0';
	lower(name);
	skip_space(&c);
	*comment_bytes += c.comment_bytes;
	if (c.at < c.end)
		return ENCODING_UNKNOWN;
	if (n == 0 && !c.has_comment)
		strcpy(name, "7bit"); /* scripts leave the value out, and all read it as none */
	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++)
		if (strcmp(name, identities[i]) == 0)
			return ENCODING_IDENTITY;
	if (strcmp(name, "base64") == 0)
		return ENCODING_BASE64;
	if (strcmp(name, "quoted-printable") == 0)
		return ENCODING_QUOTED_PRINTABLE;
	return ENCODING_UNKNOWN;
}

void field_mime_version(const unsigned char *value, size_t len, const char **ambiguity,
			char version[FIELD_VERSION_MAX])
{
	struct cursor c = {.at = value, .end = value + len, .ambiguity = ambiguity};
	const char *no_matter = NULL; /* nobody looks for structure in it */
	const unsigned char *token;
	size_t n;

	version[0] = '\0';
	check_octets(&c);
	c.ambiguity = &no_matter;
	skip_space(&c);
	n = take_run(&c, is_token_char, &token);
	skip_space(&c);
	if (c.at < c.end || n >= FIELD_VERSION_MAX)
		return;
	memcpy(version, token, n);
	version[n] = '\0';
	lower(version);
}

bool field_is_hidden_subject(const unsigned char *value, size_t len)
{
	while (len > 0 && text_is_space(*value)) {
		value++;
		len--;
	}
	len = text_trimmed(value, len);
	return len == 0 || text_is(value, len, "...") || text_is(value, len, "[...]") ||
	       text_is(value, len, "Encrypted Message") ||
	       text_is(value, len, "=?utf-8?Q?p=E2=89=A1p?=") /* pEp's mark */;
}
