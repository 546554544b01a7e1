/* SPDX-License-Identifier: ISC */
#include "scan/html_attribute.h"

#include <stddef.h>
#include <string.h>

#include "scan/html_value.h"

#define BETWEEN " \t\r\n"

/* Classes, names and marks of mail programs. They do nothing without a style sheet. */
static const char *const names[] = {
	"appendonsend",
	"apple-converted-space",
	"apple-interchange-newline",
	"apple-style-span",
	"apple-tab-span",
	"bodyfragment",
	"composer_signature",
	"default-style",
	"elementtoproof",
	"emailquote",
	"gmail_default",
	"gmail_attr",
	"gmail_extra",
	"gmail_quote",
	"gmail_quote_container",
	"gmail_signature",
	"gmail_signature_prefix",
	"js-helper",
	"k9mail",
	"js-readmsg-msg",
	"linebreakatbeginningofmessage",
	"mail-editor-reference-message-container",
	"moz-forward-container",
	"moz-quote-pre",
	"moz-signature",
	"moz-text-flowed",
	"moz-text-html",
	"moz-text-plain",
	"ms-outlook-mobile-body-separator-line",
	"ms-outlook-mobile-signature",
	"msonormal",
	"msoplaintext",
	"plaintext",
	"pre",
	"protonmail_quote",
	"protonmail_signature_block",
	"protonmail_signature_block-empty",
	"protonmail_signature_block-proton",
	"protonmail_signature_block-user",
	"section1",
	"signature",
	"tutanota_quote",
	"v1signature",
	"wordsection1",
	"yahoo-style-wrap",
	"__mailbirdstylecontent",
	"__sig_pre__",
	"__sig_post__",
	"__quoted_text__",
	"divtagdefaultwrapper",
	"ox-default-style",
	"wrappedtext",
};

/* Words of the meta tags of mail programs. */
static const char *const meta_words[] = {
	"1",
	"1.0",
	"11",
	"15",
	"5",
	"8",
	"ascii",
	"charset",
	"code",
	"content-language",
	"content-style-type",
	"content-type",
	"device-width",
	"edge",
	"exchange",
	"filtered",
	"format-detection",
	"generator",
	"html",
	"ie",
	"initial-scale",
	"iso-8859-1",
	"iso-8859-15",
	"iso-8859-2",
	"iso-8859-9",
	"koi8-r",
	"maximum-scale",
	"medium",
	"microsoft",
	"no",
	"originator",
	"outlook",
	"progid",
	"server",
	"telephone",
	"text",
	"thunderbird",
	"tinymce",
	"us-ascii",
	"user-scalable",
	"utf-8",
	"viewport",
	"width",
	"windows-1250",
	"windows-1251",
	"windows-1252",
	"word",
	"word.document",
	"x-ua-compatible",
	"yes",
	"css",
	"en",
	"en-us",
	"de",
	"color-scheme",
	"supported-color-schemes",
	"light",
	"dark",
	"only",
	"referrer",
	"gb2312",
	"big5",
	"iso-2022-jp",
	"euc-kr",
	"shift_jis",
	"koi8-u",
	"16",
	"14",
	"12",
};

static const char *const doctype_words[] = {
	"-",
	"html",
	"public",
	"system",
	"w3c",
	"dtd",
	"3.2",
	"4.0",
	"4.01",
	"transitional",
	"strict",
	"frameset",
	"final",
	"en",
	"xhtml",
	"1.0",
	"1.1",
	"http:",
	"www.w3.org",
	"tr",
	"html4",
	"rec-html40",
	"loose.dtd",
	"strict.dtd",
	"xhtml1",
	"xhtml11",
	"xhtml1-strict.dtd",
	"xhtml1-transitional.dtd",
	"xhtml11.dtd",
	"about:legacy-compat",
};

static const char *const namespaces[] = {
	"http://www.w3.org/1999/xhtml",
	"http://www.w3.org/tr/rec-html40",
	"urn:schemas-microsoft-com:vml",
	"urn:schemas-microsoft-com:office:office",
	"urn:schemas-microsoft-com:office:word",
	"urn:schemas-microsoft-com:office:excel",
	"urn:schemas-microsoft-com:office:powerpoint",
	"http://schemas.microsoft.com/office/2004/12/omml",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

/* Are all words of it, between any of the separators, in the list? */
static bool is_made_of(char *value, const char *separators, const char *const *list, size_t n)
{
	for (;;) {
		char *word = value + strspn(value, separators),
		     *end = word + strcspn(word, separators);

		if (*word == '\0')
			return true;
		value = *end ? end + 1 : end;
		*end = '\0';
		if (!is_one_of(word, list, n))
			return false;
	}
}

/* Without what programs put in front of a class that they pass on. */
static const char *without_prefix(const char *name)
{
	const char *at = name;

	while (strncmp(at, "x_", 2) == 0)
		at += 2;
	if (strncmp(at, "m_", 2) == 0) {
		const char *digits = at + 2 + (at[2] == '-');
		const size_t n = strspn(digits, "0123456789");

		if (n > 0 && n <= 20)
			at = digits + n;
	} else if (strncmp(at, "ydp", 3) == 0) {
		const size_t n = strspn(at + 3, "0123456789abcdef");

		if (n <= 10)
			at += 3 + n;
	}
	return at;
}

static bool is_name_list(char *value)
{
	for (;;) {
		char *name = value + strspn(value, BETWEEN), *end = name + strcspn(name, BETWEEN);
		const char *known;

		if (*name == '\0')
			return true;
		value = *end ? end + 1 : end;
		*end = '\0';
		known = without_prefix(name);
		if (*known != '\0' && !is_one_of(known, names, COUNT(names)))
			return false;
	}
}

/* "de", "en-us" */
static bool is_language(const char *t)
{
	const size_t len = strlen(t);

	for (size_t i = 0; i < len; i++)
		if (i == 2 ? t[i] != '-' : t[i] < 'a' || t[i] > 'z')
			return false;
	return len == 0 || len == 2 || len == 5;
}

static bool is_alignment(const char *value)
{
	static const char *const words[] = {"left", "right", "center", "justify", "start",
					    "end",  "top",   "middle", "bottom"};

	return is_one_of(value, words, COUNT(words));
}

static bool is_direction(const char *value)
{
	static const char *const words[] = {"ltr", "rtl", "auto"};

	return is_one_of(value, words, COUNT(words));
}

/* "3", "+1" */
static bool is_size(const char *value)
{
	value += *value == '+' || *value == '-';
	return *value >= '1' && *value <= '7' && value[1] == '\0';
}

static bool is_link_word(char *value)
{
	static const char *const words[] = {"_blank", "nofollow", "noopener", "noreferrer",
					    "external"};

	return is_made_of(value, BETWEEN, words, COUNT(words));
}

static bool is_wrap(const char *value)
{
	static const char *const words[] = {"", "soft", "hard", "off", "virtual"};

	return is_one_of(value, words, COUNT(words));
}

static bool is_yes_or_no(const char *value)
{
	static const char *const words[] = {"", "true", "false", "yes", "no", "1"};

	return is_one_of(value, words, COUNT(words));
}

static bool is_fonts(char *value)
{
	for (char *word; (word = html_value_next_word(&value));)
		if (!html_value_is_font(word))
			return false;
	return true;
}

static bool is_meta(const char *tag, char *value)
{
	return strcmp(tag, "meta") == 0 &&
	       is_made_of(value, BETWEEN ",;:/()'!=\"", meta_words, COUNT(meta_words));
}

static bool is_colour_of(const char *name, const char *value, struct html_paint *paint)
{
	paint->is_styled = true;
	if (!html_value_is_old_colour(value))
		return false;
	if (strcmp(name, "bgcolor") != 0)
		return html_value_is_text_colour(value);
	paint->has_ground |= !html_value_is_clear(value);
	return html_value_is_ground_colour(value);
}

/* What moves text or changes its letters. */
static bool is_look(const char *name, char *value)
{
	if (strcmp(name, "face") == 0)
		return is_fonts(value);
	if (strcmp(name, "size") == 0)
		return is_size(value);
	if (strcmp(name, "align") == 0)
		return is_alignment(value);
	if (strcmp(name, "dir") == 0)
		return is_direction(value);
	return strcmp(name, "wrap") == 0 && is_wrap(value);
}

bool html_attribute_is_plain(const char *tag, const char *name, char *value,
			     struct html_paint *paint)
{
	static const char *const named[] = {"class", "id", "data-marker", "data-setdir",
					    "data-smartmail"};
	static const char *const coloured[] = {"color", "text",	 "link",
					       "alink", "vlink", "bgcolor"};
	static const char *const meta[] = {"content", "http-equiv", "name", "charset"};
	static const char *const linked[] = {"rel", "target"};
	static const char *const flags[] = {"spellcheck", "data-setdir", "contenteditable",
					    "aria-hidden"};

	if (strcmp(name, "style") == 0)
		return html_style_is_plain(value, paint);
	if (is_one_of(name, flags, COUNT(flags)) && is_yes_or_no(value))
		return true;
	if (is_one_of(name, named, COUNT(named)))
		return is_name_list(value);
	if (is_one_of(name, coloured, COUNT(coloured)))
		return is_colour_of(name, value, paint);
	if (strcmp(name, "lang") == 0 || strcmp(name, "xml:lang") == 0)
		return is_language(value);
	if (is_look(name, value)) {
		/* Text runs from the left in any case, and <pre> breaks no lines but where they
		 * end. */
		paint->is_styled |= strcmp(name, "wrap") != 0 &&
				    (strcmp(name, "dir") != 0 || strcmp(value, "rtl") == 0);
		return true;
	}
	if (strcmp(name, "type") == 0)
		return strcmp(value, "cite") == 0;
	if (is_one_of(name, meta, COUNT(meta)))
		return is_meta(tag, value);
	if (is_one_of(name, linked, COUNT(linked)))
		return is_link_word(value);
	return strncmp(name, "xmlns", 5) == 0 && is_one_of(value, namespaces, COUNT(namespaces));
}

bool html_attribute_is_doctype(char *value)
{
	return is_made_of(value, BETWEEN "/\"'", doctype_words, COUNT(doctype_words));
}
