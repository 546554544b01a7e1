/* SPDX-License-Identifier: ISC */
#include "scan/header.h"

#include <assert.h>
#include <string.h>

#include "scan/text.h"

/* Fields that are gathered; those from CONTENT_DISPOSITION on say nothing of structure. */
enum structural {
	CONTENT_TYPE,
	CONTENT_TRANSFER_ENCODING,
	MIME_VERSION,
	CONTENT_DISPOSITION,
	CONTENT_DESCRIPTION,
	CONTENT_ID,
	X_ATTACHMENT_ID,
	CONTENT_LANGUAGE,
	CONTENT_LENGTH,
	CONTENT_MD5,
	STRUCTURAL_COUNT
};
static_assert(STRUCTURAL_COUNT == HEADER_GATHERED, "header.h has the number");

static const char *const structural_names[STRUCTURAL_COUNT] = {
	[CONTENT_TYPE] = "content-type",
	[CONTENT_TRANSFER_ENCODING] = "content-transfer-encoding",
	[MIME_VERSION] = "mime-version",
	[CONTENT_DISPOSITION] = "content-disposition",
	[CONTENT_DESCRIPTION] = "content-description",
	[CONTENT_ID] = "content-id",
	[X_ATTACHMENT_ID] = "x-attachment-id",
	[CONTENT_LANGUAGE] = "content-language",
	[CONTENT_LENGTH] = "content-length",
	[CONTENT_MD5] = "content-md5",
};

/* Octets of those that are marks of programs, without blanks; more is text, and so is a second one.
 */
static const size_t quiet_max[STRUCTURAL_COUNT] = {
	[CONTENT_ID] = 100,    [X_ATTACHMENT_ID] = 40, [CONTENT_LANGUAGE] = 12,
	[CONTENT_LENGTH] = 12, [CONTENT_MD5] = 24,
};

static const char too_long[] = "a structural field of more than 2048 bytes";

void header_reset(struct header *h)
{
	memset(h, 0, offsetof(struct header, field));
	strcpy(h->encoding_name, "7bit");
	h->current = -1;
}

static void ambiguous(struct header *h, const char *what)
{
	if (!h->ambiguity)
		h->ambiguity = what;
}

static int which(const unsigned char *name, size_t len)
{
	for (int i = 0; i < STRUCTURAL_COUNT; i++)
		if (text_is(name, len, structural_names[i]))
			return i;
	return -1;
}

static void take_version(struct header *h, const unsigned char *value, size_t len)
{
	char version[FIELD_VERSION_MAX];

	field_mime_version(value, len, &h->ambiguity, version);
	if (h->n_of[MIME_VERSION]++ == 0)
		memcpy(h->version, version, sizeof(version));
	else if (!version[0] || strcmp(version, h->version) != 0)
		ambiguous(h, "two MIME-Version fields");
}

/* Content-Type may come later: it does not know of these. */
static void take_names(struct header *h, const struct content_type *names)
{
	if (names->label > h->file_label)
		h->file_label = names->label;
	if (names->name_characters > h->name_characters)
		h->name_characters = names->name_characters;
	memcpy(h->file_name, names->name, sizeof(h->file_name));
}

/* Two of them, or one that is no usual one: weighed at the header's end. */
static void take_description(struct header *h, const unsigned char *value, size_t len)
{
	size_t n = 0;

	if (label_is_usual_description(value, len))
		return;
	h->described_bytes += text_count_visible(value, len);
	h->description[0] = '\0';
	if (h->n_of[CONTENT_DESCRIPTION]++ > 0)
		return; /* of two, one says more than the name */
	len = text_trimmed(value, len);
	for (; len > 0 && text_is_blank(*value); len--)
		value++;
	for (; n < len && n + 1 < sizeof(h->description); n++)
		h->description[n] = (char)text_lower(value[n]);
	h->description[n < len ? 0 : n] = '\0'; /* a longer one is no name */
}

/* A mark that a program sets. */
static void take_quiet(struct header *h, int field, const unsigned char *value, size_t len)
{
	len = text_trimmed(value, len);
	for (; len > 0 && text_is_space(*value); len--)
		value++;
	for (size_t i = 0; i < len; i++)
		if (text_is_space(value[i]))
			h->n_of[field] = 1;
	for (size_t i = 0; i < len; i++)
		h->mark_letters += value[i] >= 0x80 ||
				   (text_lower(value[i]) >= 'a' && text_lower(value[i]) <= 'z');
	if (h->n_of[field]++ > 0 || len > quiet_max[field])
		h->other_bytes += len;
}

static void take_structural(struct header *h, int field, const unsigned char *value, size_t len)
{
	static const char *const twice[MIME_VERSION] = {
		[CONTENT_TYPE] = "two Content-Type fields",
		[CONTENT_TRANSFER_ENCODING] = "two Content-Transfer-Encoding fields",
	};

	if (field == MIME_VERSION) {
		take_version(h, value, len);
		return;
	}
	if (field == CONTENT_DISPOSITION) {
		struct content_type names = {.label = LABEL_NONE};

		field_content_disposition(value, len, &names);
		h->other_bytes += names.other_bytes;
		h->comment_bytes += names.comment_bytes;
		h->mark_letters += names.mark_letters;
		take_names(h, &names);
		return;
	}
	if (field == CONTENT_DESCRIPTION) {
		take_description(h, value, len);
		return;
	}
	if (field > CONTENT_DESCRIPTION) {
		take_quiet(h, field, value, len);
		return;
	}
	if (h->n_of[field]++ > 0) {
		ambiguous(h, twice[field]);
		return;
	}
	if (field == CONTENT_TYPE) {
		field_content_type(value, len, &h->type);
		if (h->type.ambiguity)
			ambiguous(h, h->type.ambiguity);
	} else {
		h->encoding = field_encoding(value, len, &h->ambiguity, h->encoding_name,
					     &h->comment_bytes);
	}
}

static bool has_lone_cr(const unsigned char *bytes, size_t len)
{
	for (const unsigned char *p = bytes; (p = memchr(p, '\r', len - (size_t)(p - bytes))); p++)
		if (p + 1 == bytes + len || p[1] != '\n')
			return true;
	return false;
}

/* Below the field's first line, and another follows if `within`, be it white, too. Exim and
 * SpamAssassin write such into their reports; a program that took it for the end of the header
 * would not read structure that follows. */
static bool has_white_line(const unsigned char *bytes, size_t len, bool within)
{
	const unsigned char *end = bytes + len, *lf;

	for (const unsigned char *p = memchr(bytes, '\n', len); p; p = lf) {
		p++;
		lf = memchr(p, '\n', (size_t)(end - p));
		if (text_trimmed(p, (size_t)((lf ? lf : end) - p)) == 0 && (!within || lf))
			return true;
	}
	return false;
}

/* In any field libetpan is done with two of them at its end, and what is behind is the body: the
 * preamble, if a multipart has begun. */
static bool ends_in_white_lines(const unsigned char *bytes, size_t len)
{
	size_t n = text_trimmed(bytes, len), n_lf = 0;

	for (; n < len; n++)
		n_lf += bytes[n] == '\n';
	return n_lf > 1 && bytes[len - 1] != '\n';
}

static bool has_multipart_begun(const struct header *h)
{
	return strncmp(h->type.type, "multipart/", 10) == 0 && h->n_of[MIME_VERSION] > 0;
}

/* libetpan, which reads these to their grammar's end, is done with one at a line of white space:
 * what goes on is no field, and with it the body begins. */
static bool is_read_by_grammar(const unsigned char *name, size_t len)
{
	static const char *const names[] = {
		"from",	    "to",	  "cc",		 "bcc",	       "sender",
		"reply-to", "message-id", "in-reply-to", "references",
	};
	static const char resent[] = "resent-";

	if (len > sizeof(resent) - 1 && text_is(name, sizeof(resent) - 1, resent))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(name, len, names[i]))
			return true;
	return false;
}

void header_field(struct header *h, const unsigned char *name, size_t name_len,
		  const unsigned char *value, size_t value_len)
{
	size_t trimmed = name_len;
	int field;

	while (trimmed > 0 && text_is_space(name[trimmed - 1]))
		trimmed--;
	field = which(name, trimmed);
	h->has_blank_name |= trimmed < name_len;
	if (has_lone_cr(value, value_len))
		ambiguous(h, "a lone CR");
	if (h->is_over && (!h->is_preamble || text_begins(name, name_len, "--")))
		ambiguous(h, "a field behind two lines of white space");
	if (!h->is_over && ends_in_white_lines(value, value_len)) {
		h->is_over = true;
		h->is_preamble = has_multipart_begun(h);
	}
	if (is_read_by_grammar(name, trimmed) && has_white_line(value, value_len, true))
		ambiguous(h, "a line of white space in a field of addresses");
	if (field < 0 || field >= CONTENT_DISPOSITION)
		h->has_white_line |= has_white_line(value, value_len, false);
	else if (has_white_line(value, value_len, false))
		ambiguous(h, "a line of white space");
	else
		h->is_late |= h->has_white_line;
	if (field < 0)
		return;
	if (trimmed < name_len && field < CONTENT_DISPOSITION)
		ambiguous(h, "white space before the colon");
	if (value_len > HEADER_FIELD_MAX && field < CONTENT_DISPOSITION)
		ambiguous(h, too_long);
	take_structural(h, field, value, value_len);
}

static void gather(struct header *h, const unsigned char *bytes, size_t len)
{
	if (h->current < 0) {
		h->other_bytes += len;
		return;
	}
	if (len > sizeof(h->field) - h->len) {
		if (h->current < CONTENT_DISPOSITION)
			ambiguous(h, too_long);
		h->other_bytes += len - (sizeof(h->field) - h->len);
		h->file_label = LABEL_OTHER;
		len = sizeof(h->field) - h->len;
	}
	memcpy(h->field + h->len, bytes, len);
	h->len += len;
}

static void end_field(struct header *h)
{
	if (h->current >= 0)
		take_structural(h, h->current, h->field, h->len);
	h->current = -1;
	h->len = 0;
}

/* The line that begins a field, RFC 5322 section 2.2. */
static void begin_field(struct header *h, const unsigned char *line, size_t len)
{
	const unsigned char *colon = memchr(line, ':', len);
	size_t name_len;

	end_field(h);
	h->has_field = true;
	if (!colon || colon == line) {
		ambiguous(h, "a line that is no header field");
		return;
	}
	if (text_begins(line, len, "--"))
		ambiguous(h, "a header field that could be taken for a boundary line");
	name_len = (size_t)(colon - line);
	if (text_is_blank(line[name_len - 1]))
		ambiguous(h, "white space before the colon");
	for (size_t i = 0; i < name_len; i++)
		if (line[i] <= ' ' || line[i] >= 0x7f)
			ambiguous(h, "a field name that is none");
	while (name_len > 0 && text_is_blank(line[name_len - 1]))
		name_len--;
	h->current = which(line, name_len);
	if (h->current < 0)
		h->other_bytes += name_len;
	gather(h, colon + 1, len - (size_t)(colon + 1 - line));
}

bool header_line(struct header *h, const unsigned char *line, size_t len, size_t whole)
{
	bool is_cut = whole > len;

	if (!is_cut && len > 0 && line[len - 1] == '\r') {
		len--;
		whole--;
	}
	if (whole == 0)
		return false;
	h->bytes += whole;
	if (memchr(line, '\r', len))
		ambiguous(h, "a lone CR");
	if (memchr(line, '\0', len))
		ambiguous(h, "a NUL");
	if (memchr(line, '\v', len) || memchr(line, '\f', len))
		ambiguous(h,
			  "a form feed or vertical tab"); /* white space to some, so a line's end */
	if (!text_is_blank(line[0])) {
		begin_field(h, line, len);
	} else if (!h->has_field) {
		ambiguous(h, "a continuation of no field");
	} else {
		if (text_trimmed(line, len) == 0)
			ambiguous(h, "a line of white space");
		gather(h, (const unsigned char *)"\n", 1);
		gather(h, line, len);
	}
	if (is_cut && (h->current < 0 || h->current >= CONTENT_DISPOSITION))
		h->other_bytes += whole - len;
	if (is_cut && h->current >= CONTENT_DISPOSITION)
		h->file_label = LABEL_OTHER;
	else if (is_cut && h->current >= 0)
		ambiguous(h, "a line of more than 1024 bytes in a structural field");
	return true;
}

void header_end(struct header *h)
{
	end_field(h);
	if (h->type.label > h->file_label)
		h->file_label = h->type.label;
	if (h->type.name_characters > h->name_characters)
		h->name_characters = h->type.name_characters;
	h->other_bytes += h->type.other_bytes;
	h->comment_bytes += h->type.comment_bytes;
	h->mark_letters += h->type.mark_letters;
	/* Outlook and Exchange write the file's name. */
	if (h->description[0] && (strcmp(h->description, h->type.name) == 0 ||
				  strcmp(h->description, h->file_name) == 0))
		h->described_bytes = 0;
}
