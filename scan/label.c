/* SPDX-License-Identifier: ISC */
#include "scan/label.h"

#include <string.h>

#include "scan/base64.h"
#include "scan/text.h"

#define ENDING 4 /* octets of ".pgp" */

/* Drops quotes and white space around it. */
static size_t strip(const unsigned char **name, size_t len)
{
	while (len > 0 && (text_is_space(**name) || **name == '"')) {
		(*name)++;
		len--;
	}
	while (len > 0 && (text_is_space((*name)[len - 1]) || (*name)[len - 1] == '"'))
		len--;
	return len;
}

/* Is there a control character, as it is or in one of the ways to encode it? Some programs cut a name there. */
static bool has_control(const unsigned char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (name[i] < ' ' || name[i] == 0x7f)
			return true;
		if ((name[i] == '%' || name[i] == '=') && i + 2 < len &&
		    (name[i + 1] == '0' || name[i + 1] == '1'))
			return true;
	}
	return false;
}

static enum label of_ending(const unsigned char *name, size_t len)
{
	static const struct {
		const char *ending;
		enum label label;
	} table[] = {{".pgp", LABEL_PGP},
		     {".gpg", LABEL_PGP},
		     {".sig", LABEL_SIGNATURE},
		     {".asc", LABEL_SIGNATURE}};

	if (len == 0)
		return LABEL_NONE;
	if (has_control(name, len))
		return LABEL_OTHER;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (len > ENDING && text_is(name + len - ENDING, ENDING, table[i].ending))
			return table[i].label;
	return LABEL_OTHER;
}

/* Where the text of the last encoded word begins: behind "=?charset?B?". NULL: there is none. */
static const unsigned char *word_text(const unsigned char *name, size_t len, unsigned char *encoding)
{
	const unsigned char *end = name + len - 2, *at = end;
	unsigned n_marks = 0;

	while (at > name && n_marks < 3)
		n_marks += *--at == '?';
	if (n_marks < 3 || at == name || at[-1] != '=')
		return NULL;
	at = memchr(at + 1, '?', (size_t)(end - at - 1)); /* behind the character set */
	if (!at || end - at < 3 || at[2] != '?')
		return NULL;
	*encoding = text_lower(at[1]);
	return at + 3;
}

/* The ending of a name that ends in an encoded word, RFC 2047 section 2. */
static enum label of_encoded_word(const unsigned char *name, size_t len)
{
	unsigned char encoding = 0, decoded[128];
	const unsigned char *text = word_text(name, len, &encoding);
	struct base64 base64;
	size_t n, n_decoded;

	if (!text)
		return LABEL_OTHER;
	n = (size_t)(name + len - 2 - text);
	if (n > 100) /* a word has 75 octets at most */
		return LABEL_OTHER;
	if (encoding == 'q') /* letters and dots stand for themselves there */
		return of_ending(text, n);
	base64_reset(&base64);
	if (encoding != 'b' || base64_decode(&base64, text, n, decoded, &n_decoded) < n)
		return LABEL_OTHER;
	return of_ending(decoded, n_decoded);
}

enum label label_of_name(const unsigned char *name, size_t len)
{
	len = strip(&name, len);
	if (len > 2 && name[len - 2] == '?' && name[len - 1] == '=')
		return of_encoded_word(name, len);
	return of_ending(name, len);
}

static bool is_usual_word(const unsigned char *word, size_t len)
{
	static const char *const words[] = {
		"pgp",	       "mime",	  "openpgp",   "gnupg",
		"gpg",	       "version", "versions",  "identification",
		"information", "code",	  "encrypted", "message",
		"data",	       "part",	  "content",   "control",
		"signature",   "digital", "digitally", "signed",
		"detached",    "this",	  "is",	       "a",
		"an",	       "the",	  "of",	       "with",
		"and",	       "key",	  "public",    "attachment",
		"file",	       "asc",	  "msg",       "mail",
		"email",       "text",	  "body",      "mdc",
		"rfc",	       "using",	  "s",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_is(word, len, words[i]))
			return true;
	return false;
}

static bool is_letter(unsigned char c)
{
	return text_lower(c) >= 'a' && text_lower(c) <= 'z';
}

bool label_is_usual_description(const unsigned char *text, size_t len)
{
	len = strip(&text, len);
	if (len > LABEL_DESCRIPTION_MAX)
		return false;
	while (len > 0) {
		size_t n = 0;

		if (!is_letter(*text) && !memchr(" \t\r\n/.,()-", *text, 10))
			return false;
		while (n < len && is_letter(text[n]))
			n++;
		if (n > 0 && !is_usual_word(text, n))
			return false;
		n += n == 0;
		text += n;
		len -= n;
	}
	return true;
}
