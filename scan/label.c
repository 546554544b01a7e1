/* SPDX-License-Identifier: ISC */
#include "scan/label.h"

#include <string.h>

#include "scan/base64.h"
#include "scan/text.h"

#define ENDING 4     /* octets of ".pgp" */
#define WORD_MAX 100 /* octets of text in an encoded word; RFC 2047 section 2 allows 75 in all */

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

/* Is there a control character, as it is or in one of the ways to encode it? Some programs cut a
 * name there. */
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

/* One encoded word, RFC 2047 section 2. */
struct word {
	const unsigned char *text, *end; /* end: behind its "?=" */
	size_t len;
	bool is_base64;
};

/* Is there a word at name? */
static bool read_word(const unsigned char *name, size_t len, struct word *w)
{
	const unsigned char *end = name + len, *at, *close;

	if (len < 8 || name[0] != '=' || name[1] != '?')
		return false;
	at = memchr(name + 2, '?', len - 2); /* behind the character set */
	if (!at || end - at < 5 || at[2] != '?')
		return false;
	close = memchr(at + 3, '?', (size_t)(end - at - 3));
	if (!close || end - close < 2 || close[1] != '=')
		return false;
	*w = (struct word){.text = at + 3,
			   .end = close + 2,
			   .len = (size_t)(close - at - 3),
			   .is_base64 = text_lower(at[1]) == 'b'};
	return w->is_base64 || text_lower(at[1]) == 'q';
}

/* The ending of what a word says; in quoted-printable, letters and dots stand for themselves.
 * False: it says what no name should. */
static bool of_word(const struct word *w, enum label *label)
{
	unsigned char decoded[WORD_MAX];
	struct base64 base64;
	size_t n_decoded;

	if (w->len > WORD_MAX)
		return false;
	if (!w->is_base64) {
		*label = of_ending(w->text, w->len);
		return !has_control(w->text, w->len);
	}
	base64_reset(&base64);
	if (base64_decode(&base64, w->text, w->len, decoded, &n_decoded) < w->len)
		return false;
	*label = of_ending(decoded, n_decoded);
	return !has_control(decoded, n_decoded);
}

/* The ending of a name of encoded words, perhaps with other text among them, and folded. All of
 * them are decoded: a name is cut at a control character in any. */
static enum label of_encoded_words(const unsigned char *name, size_t len)
{
	enum label label = LABEL_OTHER;
	const unsigned char *end = name + len;
	struct word w;

	for (const unsigned char *p = name; p < end; p++) /* in a character set, too */
		if (*p < ' ' && !memchr("\t\r\n", *p, 3))
			return LABEL_OTHER;
	while (name < end) {
		if (read_word(name, (size_t)(end - name), &w)) {
			if (!of_word(&w, &label))
				return LABEL_OTHER;
			name = w.end;
		} else {
			label = LABEL_OTHER; /* of a name that does not end in a word */
			name++;
		}
	}
	return label;
}

enum label label_of_name(const unsigned char *name, size_t len)
{
	len = strip(&name, len);
	if (len > 2 && name[len - 2] == '?' && name[len - 1] == '=')
		return of_encoded_words(name, len);
	return of_ending(name, len);
}

/* Counts characters as octets come: those of UTF-8 once. */
struct counter {
	size_t n;
	unsigned n_following; /* octets of the present character that may come */
};

static void count(struct counter *c, unsigned char octet)
{
	if (octet >= 0x80 && octet < 0xc0 && c->n_following > 0) {
		c->n_following--;
		return;
	}
	c->n++;
	c->n_following = octet < 0xc0 ? 0 : octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3;
}

static int hex_value(unsigned char c)
{
	c = text_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Text in which mark and two digits are an octet. */
static void count_escaped(struct counter *c, const unsigned char *text, size_t len,
			  unsigned char mark)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == mark && i + 2 < len && hex_value(text[i + 1]) >= 0 &&
		    hex_value(text[i + 2]) >= 0) {
			count(c, (unsigned char)(hex_value(text[i + 1]) * 16 +
						 hex_value(text[i + 2])));
			i += 2;
		} else {
			count(c, text[i]);
		}
	}
}

static void count_word(struct counter *c, const struct word *w)
{
	unsigned char decoded[WORD_MAX];
	struct base64 base64;
	size_t n_decoded = 0;

	base64_reset(&base64);
	if (!w->is_base64 || w->len > WORD_MAX ||
	    base64_decode(&base64, w->text, w->len, decoded, &n_decoded) < w->len) {
		count_escaped(c, w->text, w->len, '=');
		return;
	}
	for (size_t i = 0; i < n_decoded; i++)
		count(c, decoded[i]);
}

size_t label_count_characters(const unsigned char *name, size_t len, bool is_extended)
{
	struct counter c = {0};
	const unsigned char *end, *quote;
	struct word w;

	len = strip(&name, len);
	end = name + len;
	if (is_extended) {
		quote = memchr(name, '\'', len); /* charset'language'name */
		quote = quote ? memchr(quote + 1, '\'', (size_t)(end - quote - 1)) : NULL;
		if (quote && quote - name <= 32)
			name = quote + 1;
		count_escaped(&c, name, (size_t)(end - name), '%');
		return c.n;
	}
	while (name < end) {
		if (read_word(name, (size_t)(end - name), &w)) {
			count_word(&c, &w);
			name = w.end;
		} else {
			count(&c, *name++);
		}
	}
	return c.n;
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
