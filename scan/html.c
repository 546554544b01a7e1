/* SPDX-License-Identifier: ISC */
#include "scan/html.h"

#include <stdlib.h>
#include <string.h>

#include "scan/text.h"

enum state {
	STATE_TEXT,
	STATE_TAG,	 /* after '<', up to '>' */
	STATE_REFERENCE, /* after '&', up to ';' */
	STATE_SPACE,	 /* within the octets of a white space character */
};

enum kind {
	KIND_INLINE,
	KIND_PLACE, /* where a line may be broken: holds nothing */
	KIND_BLOCK, /* begins and ends a paragraph */
	KIND_BREAK,
	KIND_PRE,
	KIND_TITLE,
	KIND_LINK,
};

static const struct tag {
	const char *name;
	enum kind kind;
} tags[] = {
	{"html", KIND_BLOCK},	{"head", KIND_BLOCK},  {"meta", KIND_INLINE},
	{"title", KIND_TITLE},	{"body", KIND_BLOCK},  {"div", KIND_BLOCK},
	{"p", KIND_BLOCK},	{"pre", KIND_PRE},     {"blockquote", KIND_BLOCK},
	{"center", KIND_BLOCK}, {"br", KIND_BREAK},    {"wbr", KIND_PLACE},
	{"span", KIND_INLINE},	{"font", KIND_INLINE}, {"tt", KIND_INLINE},
	{"code", KIND_INLINE},	{"b", KIND_INLINE},    {"strong", KIND_INLINE},
	{"i", KIND_INLINE},	{"em", KIND_INLINE},   {"u", KIND_INLINE},
	{"small", KIND_INLINE}, {"big", KIND_INLINE},  {"o:p", KIND_INLINE},
	{"a", KIND_LINK},
};

/* Each of them says how something looks or is written, none is shown, none makes a reader fetch or do something
 * by its value, since values are made of the words below. */
static const char *const attributes[] = {
	"align",    "alink", "bgcolor",	   "charset", "class",	 "color",   "content",
	"dir",	    "face",  "http-equiv", "lang",    "link",	 "name",    "rel",
	"size",	    "style", "target",	   "text",    "vlink",	 "width",   "wrap",
	"xml:lang", "xmlns", "xmlns:m",	   "xmlns:o", "xmlns:v", "xmlns:w",
};

/* All words that may stand in a value, sorted. Not one that would make a reader act is among them: no url, no
 * refresh, no import, no expression. */
static const char *const words[] = {
	"-",
	"-apple-system",
	"-moz-text-size-adjust",
	"-ms-text-size-adjust",
	"-ms-word-break",
	"-ms-word-wrap",
	"-webkit-line-break",
	"-webkit-nbsp-mode",
	"-webkit-tap-highlight-color",
	"-webkit-text-size-adjust",
	"-webkit-text-stroke-width",
	"-webkit-user-select",
	"_blank",
	"after-white-space",
	"andale",
	"anywhere",
	"apple",
	"apple-converted-space",
	"apple-interchange-newline",
	"apple-style-span",
	"apple-tab-span",
	"aptos",
	"aptos_embeddedfont",
	"aptos_msfontservice",
	"aqua",
	"arial",
	"ascii",
	"auto",
	"background",
	"background-color",
	"background-image",
	"baseline",
	"black",
	"blinkmacsystemfont",
	"block",
	"blue",
	"bodyfragment",
	"bold",
	"bolder",
	"border",
	"border-bottom",
	"border-collapse",
	"border-color",
	"border-left",
	"border-radius",
	"border-right",
	"border-spacing",
	"border-style",
	"border-top",
	"border-width",
	"both",
	"bottom",
	"box-sizing",
	"break-all",
	"break-word",
	"calibri",
	"calibri_embeddedfont",
	"calibri_msfontservice",
	"cambria",
	"caret-color",
	"center",
	"charset",
	"clear",
	"code",
	"collapse",
	"color",
	"comic",
	"consolas",
	"console",
	"content-type",
	"courier",
	"currentcolor",
	"cursive",
	"cursor",
	"darkblue",
	"darkgreen",
	"darkred",
	"dashed",
	"dejavu",
	"device-width",
	"direction",
	"display",
	"doctype",
	"dotted",
	"double",
	"dtd",
	"edge",
	"elementtoproof",
	"emailquote",
	"en",
	"end",
	"exchange",
	"filtered",
	"fixed",
	"float",
	"font",
	"font-family",
	"font-size",
	"font-stretch",
	"font-style",
	"font-variant",
	"font-variant-caps",
	"font-variant-east-asian",
	"font-variant-ligatures",
	"font-variant-numeric",
	"font-weight",
	"format-detection",
	"frameset",
	"fuchsia",
	"garamond",
	"generator",
	"georgia",
	"gmail-m",
	"gmail_default",
	"gmail_extra",
	"gmail_quote",
	"gmail_signature",
	"grande",
	"gray",
	"green",
	"grey",
	"height",
	"helvetica",
	"helveticaneue",
	"html",
	"html4",
	"http",
	"https",
	"hyphens",
	"ie",
	"important",
	"inherit",
	"initial",
	"initial-scale",
	"inline",
	"inline-block",
	"iso-8859-1",
	"iso-8859-15",
	"iso-8859-2",
	"italic",
	"justify",
	"keep-all",
	"koi8-r",
	"large",
	"larger",
	"left",
	"letter-spacing",
	"liberation",
	"lighter",
	"lime",
	"line-break",
	"line-height",
	"loose.dtd",
	"lowercase",
	"ltr",
	"lucida",
	"mail",
	"manual",
	"margin",
	"margin-bottom",
	"margin-left",
	"margin-right",
	"margin-top",
	"maroon",
	"math",
	"max-height",
	"max-width",
	"maximum-scale",
	"medium",
	"menlo",
	"microsoft",
	"middle",
	"min-height",
	"min-width",
	"minor-bidi",
	"minor-latin",
	"monaco",
	"mono",
	"monospace",
	"moz-forward-container",
	"moz-quote-pre",
	"moz-signature",
	"moz-text-flowed",
	"moz-text-html",
	"moz-text-plain",
	"ms",
	"mso-ansi-language",
	"mso-ascii-font-family",
	"mso-bidi-font-family",
	"mso-bidi-font-size",
	"mso-fareast-font-family",
	"mso-fareast-language",
	"mso-hansi-font-family",
	"mso-margin-bottom-alt",
	"mso-margin-top-alt",
	"mso-style-priority",
	"msonormal",
	"msoplaintext",
	"name",
	"navy",
	"neue",
	"new",
	"no",
	"nofollow",
	"none",
	"noopener",
	"noreferrer",
	"normal",
	"noto",
	"nowrap",
	"oblique",
	"office",
	"olive",
	"omml",
	"open",
	"orange",
	"orphans",
	"outline",
	"outlook",
	"overflow-wrap",
	"padding",
	"padding-bottom",
	"padding-left",
	"padding-right",
	"padding-top",
	"palatino",
	"plaintext",
	"pre",
	"pre-line",
	"pre-wrap",
	"pro",
	"progid",
	"protonmail_quote",
	"public",
	"purple",
	"rec-html40",
	"red",
	"rgb",
	"rgba",
	"right",
	"roboto",
	"roman",
	"rtl",
	"sans",
	"sans-serif",
	"schemas-microsoft-com",
	"schemas.microsoft.com",
	"section1",
	"segoe",
	"serif",
	"server",
	"sf",
	"silver",
	"small",
	"small-caps",
	"smaller",
	"solid",
	"source",
	"space",
	"start",
	"strict",
	"strict.dtd",
	"symbol",
	"system-ui",
	"tab-size",
	"tahoma",
	"teal",
	"telephone",
	"text",
	"text-align",
	"text-decoration",
	"text-decoration-color",
	"text-decoration-line",
	"text-decoration-style",
	"text-decoration-thickness",
	"text-indent",
	"text-size-adjust",
	"text-transform",
	"thunderbird",
	"times",
	"tinymce",
	"top",
	"tr",
	"transitional",
	"transparent",
	"trebuchet",
	"tutanota_quote",
	"ubuntu",
	"ui",
	"underline",
	"unicode-bidi",
	"unset",
	"uppercase",
	"urn",
	"us-ascii",
	"user-select",
	"utf-8",
	"verdana",
	"vertical-align",
	"viewport",
	"visible",
	"vml",
	"w3c",
	"white",
	"white-space",
	"white-space-collapse",
	"widows",
	"width",
	"windows-1250",
	"windows-1251",
	"windows-1252",
	"windowtext",
	"word",
	"word-break",
	"word-spacing",
	"word-wrap",
	"word.document",
	"wordsection1",
	"wrap",
	"www.w3.org",
	"x-large",
	"x-small",
	"x-ua-compatible",
	"x_msonormal",
	"x_plaintext",
	"x_wordsection1",
	"xhtml",
	"xhtml1",
	"xhtml1-strict.dtd",
	"xhtml1-transitional.dtd",
	"xx-large",
	"xx-small",
	"yahoo-style-wrap",
	"ydp",
	"yellow",
	"yes",
};

static int compare_word(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

static bool is_word(const char *text)
{
	return bsearch(text, words, sizeof(words) / sizeof(words[0]), sizeof(words[0]),
		       compare_word) != NULL;
}

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "12", "0.5pt", "100%", none below zero, which puts text beyond an edge or over other text: up to five digits, a fraction of up to four, a unit of CSS. */
static bool is_number(const char *t)
{
	static const char *const units[] = {"",	  "px", "pt", "em", "ex", "rem", "ch",
					    "in", "cm", "mm", "vw", "vh", "%"};
	size_t n;

	t += *t == '+';
	n = strspn(t, "0123456789");
	if (n > 5 || (n == 0 && *t != '.'))
		return false;
	t += n;
	if (*t == '.') {
		n = strspn(t + 1, "0123456789");
		if (n == 0 || n > 4)
			return false;
		t += n + 1;
	}
	return is_one_of(t, units, sizeof(units) / sizeof(units[0]));
}

static bool is_colour(const char *t)
{
	size_t n = strspn(t + (*t == '#'), "0123456789abcdef");

	return *t == '#' && t[1 + n] == '\0' && (n == 3 || n == 6 || n == 8);
}

/* "de", "en-us" */
static bool is_language(const char *t)
{
	size_t len = strlen(t);

	for (size_t i = 0; i < len; i++)
		if (i == 2 ? t[i] != '-' : t[i] < 'a' || t[i] > 'z')
			return false;
	return len == 2 || len == 5;
}

/* Cuts the value (len octets) into words, in place; true if each of them is one of markup. It is in small letters. */
static bool is_markup_value(char *value)
{
	static const char separators[] = " \t\r\n,;:/()'!=\"";
	char *rest = value;

	for (char *at; (at = strstr(value, "&quot;"));)
		memset(at, ' ', 6);
	while (*(rest += strspn(rest, separators))) {
		char *word = rest;

		rest += strcspn(rest, separators);
		if (*rest)
			*rest++ = '\0';
		if (!is_word(word) && !is_number(word) && !is_colour(word))
			return false;
	}
	return true;
}

/* A value without its quotes, cut out of *at, which goes behind it. NULL where it is none: with octets in it that
 * could be markup. */
static char *take_value(char **at)
{
	const char quote = **at;
	char *value;
	size_t len;

	if (quote == '"' || quote == '\'') {
		value = ++*at;
		len = strcspn(value, quote == '"' ? "\"<>`\\" : "'<>`\\");
		if (value[len] != quote)
			return NULL;
	} else {
		value = *at;
		len = strcspn(value, " \t\r\n\"'<>`\\&=");
		if (len == 0 || (value[len] && !text_is_space((unsigned char)value[len])))
			return NULL;
	}
	*at = value + len + (value[len] != '\0');
	value[len] = '\0';
	return value;
}

/* Is it an address that a program puts into an armor header? Kept without the slash at its end. */
static bool take_address(struct html *h, const char *value)
{
	size_t len = strlen(value);

	if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
		return false;
	for (const char *c = value; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || is_digit(*c) || strchr(":/.-_", *c)))
			return false;
	if (len > 0 && value[len - 1] == '/')
		len--;
	if (len == 0 || len > sizeof(h->link))
		return false;
	memcpy(h->link, value, len);
	h->link_len = len;
	h->link_at = 0;
	return true;
}

static bool is_attribute(const char *name, char *value)
{
	if (!is_one_of(name, attributes, sizeof(attributes) / sizeof(attributes[0])))
		return false;
	if (strcmp(name, "lang") == 0 || strcmp(name, "xml:lang") == 0)
		return is_language(value);
	return is_markup_value(value);
}

/* The attributes of a tag. True if they are in the subset. */
static bool read_attributes(struct html *h, enum kind kind, char *at)
{
	bool is_parted = false; /* a blank, which must stand between attributes, was taken away */

	for (;;) {
		size_t blanks = strspn(at, " \t\r\n");
		char *name = at + blanks, *value;
		size_t len = strcspn(name, "= \t\r\n/");

		if (*name == '\0' || strcmp(name, "/") == 0) /* as XHTML closes what is empty */
			return true;
		if ((blanks == 0 && !is_parted) || len == 0 || name[len] != '=')
			return false;
		name[len] = '\0';
		at = name + len + 1;
		is_parted = *at != '"' && *at != '\'';
		value = take_value(&at);
		if (!value)
			return false;
		if (kind == KIND_LINK && strcmp(name, "href") == 0) {
			if (h->link_len > 0 || !take_address(h, value))
				return false;
		} else if (!is_attribute(name, value)) {
			return false;
		}
	}
}

static void tell(struct html *h, enum html_event event)
{
	h->sink(h->context, event, NULL, 0);
	if (event != HTML_STYLE && h->n_pre == 0)
		h->is_after_edge = true;
}

/* What a tag does to the lines of text. */
static void apply_tag(struct html *h, enum kind kind, bool is_end)
{
	switch (kind) {
	case KIND_INLINE:
		tell(h, HTML_STYLE);
		break;
	case KIND_PLACE:
		break;
	case KIND_BLOCK:
		tell(h, HTML_LINE_EDGE);
		break;
	case KIND_BREAK:
		tell(h, HTML_LINE_END);
		break;
	case KIND_PRE:
		if (!is_end)
			h->n_pre++;
		else if (h->n_pre > 0)
			h->n_pre--;
		tell(h, HTML_LINE_EDGE);
		break;
	case KIND_TITLE:
		h->is_in_title = !is_end;
		break;
	case KIND_LINK:
		if (is_end)
			h->link_len = 0;
		break;
	}
}

static const struct tag *find_tag(const char *name)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strcmp(name, tags[i].name) == 0)
			return &tags[i];
	return NULL;
}

/* May this tag stand here? In a title nothing is a tag but its end; in an address neither. */
static bool may_stand(const struct html *h, enum kind kind, bool is_end)
{
	if (h->is_in_title)
		return kind == KIND_TITLE && is_end;
	if (kind == KIND_TITLE)
		return !is_end;
	if (h->link_len > 0)
		return kind == KIND_LINK && is_end && h->link_at == h->link_len;
	if (kind == KIND_LINK)
		return !is_end && h->may_link;
	return true;
}

/* The tag that was gathered, without its brackets, in small letters and ending in NUL. */
static bool read_tag(struct html *h)
{
	char *text = h->gathered;
	const bool is_end = *text == '/';
	const struct tag *tag;
	size_t len;
	char after;

	if (strncmp(text, "!doctype ", 9) == 0)
		return !h->has_begun && is_markup_value(text + 9);
	text += is_end;
	len = strcspn(text, " \t\r\n/");
	after = text[len];
	text[len] = '\0';
	tag = find_tag(text);
	if (!tag || !may_stand(h, tag->kind, is_end))
		return false;
	text[len] = after;
	if (is_end ? text[len + strspn(text + len, " \t\r\n")] != '\0'
		   : !read_attributes(h, tag->kind, text + len))
		return false;
	if (tag->kind == KIND_LINK && !is_end && h->link_len == 0)
		return false;
	h->has_begun = true;
	apply_tag(h, tag->kind, is_end);
	return true;
}

/* White space that is written as a reference, and nothing else. */
static bool is_space_reference(const char *name)
{
	static const char *const names[] = {"nbsp",  "#160",   "#xa0",		"#32",	 "#x20",
					    "#9",    "#10",    "#13",		"#8203", "#x200b",
					    "#8204", "#65279", "#xfeff",	"zwnj",	 "ensp",
					    "emsp",  "thinsp", "zerowidthspace"};

	return is_one_of(name, names, sizeof(names) / sizeof(names[0]));
}

/* Adds an octet to what is gathered; false when there is no room. */
static bool gather(struct html *h, unsigned char c)
{
	size_t max = h->state == STATE_REFERENCE ? HTML_REFERENCE_MAX : HTML_TAG_MAX;

	if (h->len == max)
		return false;
	h->gathered[h->len++] = (char)text_lower(c);
	h->gathered[h->len] = '\0';
	return true;
}

static bool is_within_bound(const struct html *h)
{
	return h->markup <= HTML_MARKUP_MAX + 2 * h->visible;
}

static bool text(struct html *h, const unsigned char *bytes, size_t len)
{
	size_t visible = text_count_visible(bytes, len);

	if (visible > 0) {
		if (h->is_in_title)
			return false;
		h->has_begun = true;
		h->is_after_edge = false;
		h->visible += (int64_t)visible;
	}
	for (size_t i = 0; i < len && h->link_len > 0; i++)
		if (h->link_at == h->link_len || bytes[i] != (unsigned char)h->link[h->link_at++])
			return false;
	h->sink(h->context, HTML_TEXT, bytes, len);
	return !h->is_wrong;
}

/* One octet after '<' or '&'. A '<' within a tag or a NUL is never right. */
static bool gather_markup(struct html *h, unsigned char c)
{
	const bool is_tag = h->state == STATE_TAG;

	h->markup++;
	if (c == (is_tag ? '>' : ';')) {
		h->state = STATE_TEXT;
		if (!is_within_bound(h))
			return false;
		if (is_tag)
			return read_tag(h);
		return is_space_reference(h->gathered) && text(h, (const unsigned char *)" ", 1);
	}
	if (c == '<' || c == '\0' || c >= 0x7f || (c < ' ' && !text_is_space(c)))
		return false;
	return gather(h, c);
}

/* U+00A0, U+200B and U+FEFF in UTF-8: true while the octets may become one of them. */
static bool gather_space(struct html *h, unsigned char c)
{
	static const char *const spaces[] = {"\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf"};

	h->gathered[h->len++] = (char)c;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (memcmp(h->gathered, spaces[i], h->len) != 0)
			continue;
		if (spaces[i][h->len] != '\0')
			return true;
		h->state = STATE_TEXT;
		return text(h, (const unsigned char *)" ", 1);
	}
	return false;
}

/* One octet that ends a run of plain text. */
static bool special(struct html *h, unsigned char c)
{
	switch (c) {
	case '<':
	case '&':
		h->state = c == '<' ? STATE_TAG : STATE_REFERENCE;
		h->markup++;
		h->len = 0;
		h->gathered[0] = '\0';
		return c == '<' || h->link_len == 0;
	case '\n':
		/* In <pre> each shows; elsewhere those behind a paragraph's end do not. */
		if (h->link_len > 0)
			return false;
		if (h->n_pre > 0 || !h->is_after_edge)
			h->sink(h->context, HTML_LINE_END, NULL, 0);
		return !h->is_wrong;
	case 0xa0: /* as ISO 8859-1 has it */
		return text(h, (const unsigned char *)" ", 1);
	case 0xc2:
	case 0xe2:
	case 0xef:
		h->state = STATE_SPACE;
		h->len = 0;
		return gather_space(h, c);
	default: /* NUL, and what may be the first half of a '<' in some character set */
		return false;
	}
}

static bool is_special(unsigned char c)
{
	return c == '<' || c == '&' || c == '\n' || c == '\0' || c >= 0x80;
}

static bool take_octet(struct html *h, unsigned char c)
{
	switch (h->state) {
	case STATE_TAG:
	case STATE_REFERENCE:
		return gather_markup(h, c) && !h->is_wrong;
	case STATE_SPACE:
		return gather_space(h, c);
	default:
		return special(h, c);
	}
}

void html_begin(struct html *h, html_sink *sink, void *context)
{
	memset(h, 0, offsetof(struct html, link));
	h->sink = sink;
	h->context = context;
}

size_t html_feed(struct html *h, const unsigned char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && !h->is_wrong) {
		size_t n = 0;

		while (h->state == STATE_TEXT && at + n < len && !is_special(bytes[at + n]))
			n++;
		h->is_wrong = n > 0 ? !text(h, bytes + at, n) : !take_octet(h, bytes[at]);
		at += h->is_wrong ? 0 : n > 0 ? n : 1;
	}
	return at;
}

bool html_finish(struct html *h)
{
	return !h->is_wrong && h->state == STATE_TEXT && h->link_len == 0 && !h->is_in_title;
}
