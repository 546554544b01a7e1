/* SPDX-License-Identifier: ISC */
#include "scan/html.h"

#include <string.h>

#include "scan/html_attribute.h"
#include "scan/html_sheet.h"
#include "scan/text.h"

enum state {
	STATE_TEXT,
	STATE_TAG,	 /* after '<', up to '>' */
	STATE_REFERENCE, /* after '&', up to ';' */
	STATE_SPACE,	 /* within the octets of a white space character */
	STATE_SHEET,	 /* within a style sheet */
};

enum kind {
	KIND_INLINE,
	KIND_UNDERLINE, /* can be seen where there is no text */
	KIND_CODE,	/* may have a ground of the reader's */
	KIND_PLACE,	/* where a line may be broken: holds nothing */
	KIND_BLOCK,	/* begins and ends a paragraph */
	KIND_CANVAS,	/* so does it, and its ground is that of all */
	KIND_QUOTATION, /* so does it, and a reader may draw a bar beside it */
	KIND_BREAK,
	KIND_PRE,
	KIND_TITLE,
	KIND_LINK,
};

static const struct tag {
	const char *name;
	enum kind kind;
} tags[] = {
	{"html", KIND_CANVAS},	{"head", KIND_BLOCK},  {"meta", KIND_INLINE},
	{"title", KIND_TITLE},	{"body", KIND_CANVAS}, {"div", KIND_BLOCK},
	{"p", KIND_BLOCK},	{"pre", KIND_PRE},     {"blockquote", KIND_QUOTATION},
	{"center", KIND_BLOCK}, {"br", KIND_BREAK},    {"wbr", KIND_PLACE},
	{"span", KIND_INLINE},	{"font", KIND_INLINE}, {"tt", KIND_INLINE},
	{"code", KIND_CODE},	{"b", KIND_INLINE},    {"strong", KIND_INLINE},
	{"i", KIND_INLINE},	{"em", KIND_INLINE},   {"u", KIND_UNDERLINE},
	{"small", KIND_INLINE}, {"big", KIND_INLINE},  {"o:p", KIND_INLINE},
	{"a", KIND_LINK},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A value without its quotes, cut out of *at, which goes behind it. NULL where it is none: with
 * octets in it that could be markup. */
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

/* Markup that belongs to the row. */
static void put(struct html *h, const char *before, const char *text)
{
	html_row_put(&h->rows, before);
	html_row_put(&h->rows, text);
}

/* Programs differ in which character set they believe. */
static void see_charset(struct html *h, const char *name, const char *value)
{
	char charset[16];
	size_t len;

	if (strcmp(name, "charset") != 0) {
		value = strstr(value, "charset=");
		if (!value)
			return;
		value += strlen("charset=");
	}
	len = strcspn(value, " \t\r\n;,'\"");
	if (len >= sizeof(charset))
		len = 0;
	memcpy(charset, value, len);
	charset[len] = '\0';
	if (charset_spaces_of(charset) != h->spaces)
		h->spaces = CHARSET_SPACES_UNSURE;
}

/* The attributes of a tag. True if they are in the subset. */
static bool read_attributes(struct html *h, const struct tag *tag, char *at,
			    struct html_paint *paint)
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
		put(h, " ", name);
		put(h, "\1", value);
		html_row_put(&h->rows, "\2"); /* a blank at its end is none that shows */
		if (strcmp(tag->name, "meta") == 0)
			see_charset(h, name, value);
		if (tag->kind == KIND_LINK && strcmp(name, "href") == 0) {
			if (h->link_len > 0 || !take_address(h, value))
				return false;
		} else if (!html_attribute_is_plain(tag->name, name, value, paint)) {
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

/* What a tag draws, as its attributes say or by itself. */
static void draw_tag(struct html *h, enum kind kind, struct html_paint *paint)
{
	paint->is_underlined |= kind == KIND_UNDERLINE;
	paint->is_styled |= kind == KIND_CODE;
	paint->keeps_blanks |= kind == KIND_PRE;
	if (kind == KIND_QUOTATION && paint->bars == 0)
		paint->bars = 1;
	html_row_draw(&h->rows, paint, kind == KIND_CANVAS);
}

/* What a tag does to the lines of text. */
static void apply_tag(struct html *h, enum kind kind, bool is_end)
{
	switch (kind) {
	case KIND_UNDERLINE:
	case KIND_CODE:
	case KIND_INLINE:
		tell(h, HTML_STYLE);
		break;
	case KIND_PLACE:
		html_row_place(&h->rows);
		break;
	case KIND_BLOCK:
	case KIND_CANVAS:
	case KIND_QUOTATION:
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

/* A style sheet begins: in front of all text, and not within something. */
static bool begin_sheet(struct html *h)
{
	h->state = STATE_SHEET;
	h->len = 0;
	return h->visible == 0 && !h->is_in_title && h->link_len == 0;
}

/* The tag that was gathered, without its brackets, in small letters and ending in NUL. */
static bool read_tag(struct html *h)
{
	char *text = h->gathered;
	const bool is_end = *text == '/';
	const struct tag *tag;
	struct html_paint paint = {0};
	size_t len;
	char after;

	if (strncmp(text, "!doctype ", 9) == 0)
		return !h->has_begun && html_attribute_is_doctype(text + 9);
	if (html_sheet_is_begun(text))
		return begin_sheet(h);
	text += is_end;
	len = strcspn(text, " \t\r\n/");
	after = text[len];
	text[len] = '\0';
	tag = find_tag(text);
	if (!tag || !may_stand(h, tag->kind, is_end))
		return false;
	put(h, is_end ? "</" : "<", tag->name);
	text[len] = after;
	if (is_end ? text[len + strspn(text + len, " \t\r\n")] != '\0'
		   : !read_attributes(h, tag, text + len, &paint))
		return false;
	html_row_put(&h->rows, ">");
	if (tag->kind == KIND_LINK && !is_end && h->link_len == 0)
		return false;
	h->has_begun = true;
	if (!is_end)
		draw_tag(h, tag->kind, &paint);
	apply_tag(h, tag->kind, is_end);
	return html_row_is_plain(&h->rows);
}

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
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

	if (memchr(bytes, '\f', len)) /* nothing to a browser, a sign to a terminal */
		return false;
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
	html_row_text(&h->rows, bytes, len);
	if (!html_row_is_plain(&h->rows))
		return false;
	h->sink(h->context, HTML_TEXT, bytes, len);
	return !h->is_wrong;
}

/* One of the three characters of base64 that are no letters or digits, as a reference: Exchange
 * writes "+" so. */
static bool base64_sign(struct html *h)
{
	static const struct {
		const char *name, *sign;
	} signs[] = {{"#43", "+"}, {"#x2b", "+"}, {"plus", "+"}, {"#47", "/"},	 {"#x2f", "/"},
		     {"sol", "/"}, {"#61", "="},  {"#x3d", "="}, {"equals", "="}};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strcmp(h->gathered, signs[i].name) == 0)
			return text(h, (const unsigned char *)signs[i].sign, 1);
	return false;
}

/* White space that shows, as it is written: to the receiver it is a blank. */
static bool space(struct html *h, const char *written, size_t len)
{
	if (h->link_len > 0)
		return false;
	html_row_space(&h->rows, written, len);
	h->odd_spaces += charset_odd_octets(h->spaces, (const unsigned char *)written, len);
	if (!html_row_is_plain(&h->rows))
		return false;
	h->sink(h->context, HTML_TEXT, (const unsigned char *)" ", 1);
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
		return is_space_reference(h->gathered) ? space(h, h->gathered, h->len)
						       : base64_sign(h);
	}
	if (c == '<' || c == '\0' || c >= 0x7f || (c < ' ' && !text_is_space(c)))
		return false;
	return gather(h, c);
}

/* One octet of a style sheet. */
static bool gather_sheet(struct html *h, unsigned char c)
{
	h->markup++;
	if (c == '\0' || !gather(h, c))
		return false;
	if (!html_sheet_is_ended(h->gathered, h->len))
		return true;
	h->state = STATE_TEXT;
	return is_within_bound(h) && html_sheet_is_known(h->gathered, h->len);
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
		return space(h, h->gathered, h->len);
	}
	return false;
}

/* One octet that ends a run of plain text. */
static bool special(struct html *h, unsigned char c)
{
	html_row_text_end(&h->rows, c == '\n');
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
		else
			html_row_line_feed(&h->rows);
		return !h->is_wrong;
	case 0xa0: /* as ISO 8859-1 has it */
		return space(h, "\xa0", 1);
	case 0xc2:
	case 0xe2:
	case 0xef:
		h->state = STATE_SPACE;
		h->len = 0;
		return gather_space(h, c);
	default: /* NUL, the vertical tab, which is no white space here, and what may be the first
		    half of a '<' in some character set */
		return false;
	}
}

static bool is_special(unsigned char c)
{
	return c == '<' || c == '&' || c == '\n' || c == '\v' || c == '\0' || c >= 0x80;
}

static bool take_octet(struct html *h, unsigned char c)
{
	switch ((enum state)h->state) {
	case STATE_TAG:
	case STATE_REFERENCE:
		return gather_markup(h, c) && !h->is_wrong;
	case STATE_SPACE:
		return gather_space(h, c);
	case STATE_SHEET:
		return gather_sheet(h, c);
	case STATE_TEXT:
		break;
	}
	return special(h, c);
}

void html_begin(struct html *h, html_sink *sink, void *context, unsigned looks)
{
	memset(h, 0, offsetof(struct html, rows));
	html_row_begin(&h->rows, looks);
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

void html_end_row(struct html *h, enum html_row_kind kind)
{
	h->is_wrong |= !html_row_end(&h->rows, kind);
}

bool html_finish(struct html *h)
{
	return !h->is_wrong && h->state == STATE_TEXT && h->link_len == 0 && !h->is_in_title &&
	       html_row_is_plain(&h->rows);
}
