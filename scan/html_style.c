/* SPDX-License-Identifier: ISC
 *
 * CSS of one tag: declarations, RFC-less; names as in CSS 2.2, and those of browsers and of
 * Outlook.
 */
#include "scan/html_style.h"

#include <stdlib.h>
#include <string.h>

#include "scan/html_value.h"

enum special {
	NOTHING,
	TEXT_COLOUR,
	ANY_COLOUR, /* of what is not there */
	GROUND,
	LINE,	   /* is seen unless one of its numbers is 0 */
	BAR,	   /* a line, as the one beside a quotation */
	WIDTH,	   /* of lines: may be that of one which was 0 before */
	UNDERLINE, /* is seen */
	BLANKS,	   /* white space may show */
	FONTS,
	OWN_WORDS /* not even those that all properties share */
};

static const char shared[] = "|inherit|initial|unset|revert|normal|auto|none|";
static const char spacing[] = "|start|end|";
static const char breaking[] = "|break-word|break-all|break-spaces|keep-all|anywhere|after-white-"
			       "space|space|manual|loose|strict|";
static const char line_words[] = "|solid|dashed|dotted|double|thin|medium|thick|hidden|"
				 "currentcolor|windowtext|collapse|separate|";

static const struct property {
	const char *name;
	const char *words; /* between bars */
	enum html_numbers numbers;
	enum special special;
} properties[] = {
	{"-moz-text-size-adjust", "|", HTML_WIDE, NOTHING},
	{"-ms-text-size-adjust", "|", HTML_WIDE, NOTHING},
	{"-ms-word-break", breaking, HTML_NO_NUMBER, NOTHING},
	{"-ms-word-wrap", breaking, HTML_NO_NUMBER, NOTHING},
	{"-webkit-line-break", breaking, HTML_NO_NUMBER, NOTHING},
	{"-webkit-nbsp-mode", breaking, HTML_NO_NUMBER, NOTHING},
	{"-webkit-tap-highlight-color", "|", HTML_NO_NUMBER, ANY_COLOUR},
	{"-webkit-text-decorations-in-effect", "|", HTML_NO_NUMBER, NOTHING},
	{"-webkit-text-size-adjust", "|", HTML_WIDE, NOTHING},
	{"-webkit-text-stroke-width", "|", HTML_ZERO, NOTHING},
	{"-webkit-user-select", "|text|all|", HTML_NO_NUMBER, NOTHING},
	{"background", "|repeat|no-repeat|scroll|", HTML_ZERO, GROUND},
	{"background-attachment", "|scroll|", HTML_NO_NUMBER, NOTHING},
	{"background-clip", "|border-box|padding-box|", HTML_NO_NUMBER, NOTHING},
	{"background-color", "|", HTML_NO_NUMBER, GROUND},
	{"background-image", "|", HTML_NO_NUMBER, NOTHING},
	{"background-origin", "|border-box|padding-box|", HTML_NO_NUMBER, NOTHING},
	{"background-position", "|", HTML_ZERO, NOTHING},
	{"background-repeat", "|repeat|no-repeat|", HTML_NO_NUMBER, NOTHING},
	{"background-size", "|", HTML_NO_NUMBER, NOTHING},
	{"border", line_words, HTML_THIN, LINE},
	{"border-bottom", line_words, HTML_THIN, LINE},
	{"border-collapse", line_words, HTML_NO_NUMBER, NOTHING},
	{"border-color", line_words, HTML_NO_NUMBER, ANY_COLOUR},
	{"border-left", line_words, HTML_THIN, BAR},
	{"border-radius", "|", HTML_SMALL, NOTHING},
	{"border-right", line_words, HTML_THIN, LINE},
	{"border-spacing", "|", HTML_SMALL, NOTHING},
	{"border-style", line_words, HTML_NO_NUMBER, LINE},
	{"border-top", line_words, HTML_THIN, LINE},
	{"border-width", line_words, HTML_THIN, WIDTH},
	{"box-sizing", "|border-box|content-box|", HTML_NO_NUMBER, NOTHING},
	{"caret-color", "|", HTML_NO_NUMBER, ANY_COLOUR},
	{"clear", "|both|left|right|", HTML_NO_NUMBER, NOTHING},
	{"color", "|", HTML_NO_NUMBER, TEXT_COLOUR},
	{"cursor", "|text|default|pointer|", HTML_NO_NUMBER, NOTHING},
	{"direction", "|ltr|rtl|", HTML_NO_NUMBER, NOTHING},
	{"display", "|block|inline|inherit|initial|", HTML_NO_NUMBER, OWN_WORDS},
	{"float", "|none|initial|unset|", HTML_NO_NUMBER, OWN_WORDS},
	{"font",
	 "|italic|oblique|bold|bolder|lighter|small|medium|large|smaller|larger|x-small|x-large|",
	 HTML_FONT, FONTS},
	{"font-family", "|", HTML_NO_NUMBER, FONTS},
	{"font-feature-settings", "|", HTML_NO_NUMBER, NOTHING},
	{"font-kerning", "|", HTML_NO_NUMBER, NOTHING},
	{"font-optical-sizing", "|", HTML_NO_NUMBER, NOTHING},
	{"font-size", "|small|medium|large|smaller|larger|x-small|x-large|xx-small|xx-large|",
	 HTML_FONT_SIZE, NOTHING},
	{"font-size-adjust", "|", HTML_NO_NUMBER, NOTHING},
	{"font-stretch", "|condensed|expanded|", HTML_NO_NUMBER, NOTHING},
	{"font-style", "|italic|oblique|", HTML_NO_NUMBER, NOTHING},
	{"font-variant", "|", HTML_NO_NUMBER, NOTHING},
	{"font-variant-alternates", "|", HTML_NO_NUMBER, NOTHING},
	{"font-variant-caps", "|", HTML_NO_NUMBER, NOTHING},
	{"font-variant-east-asian", "|", HTML_NO_NUMBER, NOTHING},
	{"font-variant-ligatures", "|", HTML_NO_NUMBER, NOTHING},
	{"font-variant-numeric", "|", HTML_NO_NUMBER, NOTHING},
	{"font-variant-position", "|", HTML_NO_NUMBER, NOTHING},
	{"font-variation-settings", "|", HTML_NO_NUMBER, NOTHING},
	{"font-weight", "|bold|bolder|lighter|", HTML_WEIGHT, NOTHING},
	{"height", "|", HTML_WIDE, NOTHING},
	{"hyphens", breaking, HTML_NO_NUMBER, NOTHING},
	{"letter-spacing", spacing, HTML_HAIR, NOTHING},
	{"line-break", breaking, HTML_NO_NUMBER, NOTHING},
	{"line-height", "|", HTML_LINE_HEIGHT, NOTHING},
	{"margin", "|", HTML_SMALL, NOTHING},
	{"margin-bottom", "|", HTML_SMALL, NOTHING},
	{"margin-left", "|", HTML_SMALL, NOTHING},
	{"margin-right", "|", HTML_SMALL, NOTHING},
	{"margin-top", "|", HTML_SMALL, NOTHING},
	{"max-height", "|", HTML_NO_NUMBER, NOTHING},
	{"max-width", "|", HTML_WIDE, NOTHING},
	{"min-height", "|", HTML_SMALL, NOTHING},
	{"min-width", "|", HTML_SMALL, NOTHING},
	{"mso-ansi-language", "|en-us|en-gb|de|de-de|fr|fr-fr|es|it|nl|", HTML_NO_NUMBER, NOTHING},
	{"mso-ascii-font-family", "|", HTML_NO_NUMBER, FONTS},
	{"mso-ascii-theme-font", "|minor-latin|major-latin|", HTML_NO_NUMBER, NOTHING},
	{"mso-bidi-font-family", "|minor-bidi|", HTML_NO_NUMBER, FONTS},
	{"mso-bidi-font-size", "|", HTML_FONT_SIZE, NOTHING},
	{"mso-bidi-theme-font", "|minor-bidi|", HTML_NO_NUMBER, NOTHING},
	{"mso-fareast-font-family", "|", HTML_NO_NUMBER, FONTS},
	{"mso-fareast-language", "|en-us|en-gb|de|de-de|fr|fr-fr|es|it|nl|", HTML_NO_NUMBER,
	 NOTHING},
	{"mso-hansi-font-family", "|", HTML_NO_NUMBER, FONTS},
	{"mso-hansi-theme-font", "|minor-latin|", HTML_NO_NUMBER, NOTHING},
	{"mso-margin-bottom-alt", "|", HTML_SMALL, NOTHING},
	{"mso-margin-top-alt", "|", HTML_SMALL, NOTHING},
	{"mso-style-priority", "|", HTML_COUNT, NOTHING},
	{"orphans", "|", HTML_COUNT, NOTHING},
	{"outline", line_words, HTML_THIN, LINE},
	{"overflow-wrap", breaking, HTML_NO_NUMBER, NOTHING},
	{"padding", "|", HTML_SMALL, NOTHING},
	{"padding-bottom", "|", HTML_SMALL, NOTHING},
	{"padding-left", "|", HTML_SMALL, NOTHING},
	{"padding-right", "|", HTML_SMALL, NOTHING},
	{"padding-top", "|", HTML_SMALL, NOTHING},
	{"tab-size", "|", HTML_COUNT, NOTHING},
	{"text-align", "|left|right|center|justify|start|end|", HTML_NO_NUMBER, NOTHING},
	{"text-decoration", "|underline|", HTML_NO_NUMBER, UNDERLINE},
	{"text-decoration-color", "|currentcolor|", HTML_NO_NUMBER, ANY_COLOUR},
	{"text-decoration-line", "|underline|", HTML_NO_NUMBER, UNDERLINE},
	{"text-decoration-style", "|solid|", HTML_NO_NUMBER, NOTHING},
	{"text-decoration-thickness", "|from-font|", HTML_NO_NUMBER, NOTHING},
	{"text-indent", spacing, HTML_SMALL, NOTHING},
	{"text-size-adjust", "|", HTML_WIDE, NOTHING},
	{"text-transform", "|", HTML_NO_NUMBER, NOTHING},
	{"text-wrap", "|wrap|nowrap|", HTML_NO_NUMBER, NOTHING},
	{"text-wrap-mode", "|wrap|nowrap|", HTML_NO_NUMBER, NOTHING},
	{"unicode-bidi", "|embed|isolate|plaintext|", HTML_NO_NUMBER, NOTHING},
	{"user-select", "|text|all|", HTML_NO_NUMBER, NOTHING},
	{"vertical-align", "|baseline|top|middle|bottom|", HTML_NO_NUMBER, NOTHING},
	{"white-space", "|pre|pre-wrap|pre-line|nowrap|break-spaces|", HTML_NO_NUMBER, BLANKS},
	{"white-space-collapse", "|collapse|preserve|preserve-breaks|break-spaces|", HTML_NO_NUMBER,
	 BLANKS},
	{"widows", "|", HTML_COUNT, NOTHING},
	{"width", "|", HTML_WIDE, NOTHING},
	{"word-break", breaking, HTML_NO_NUMBER, NOTHING},
	{"word-spacing", spacing, HTML_HAIR, NOTHING},
	{"word-wrap", breaking, HTML_NO_NUMBER, NOTHING},
};

/* What the words of one value say of a line. */
struct line {
	bool is_zero;	   /* one of its numbers is */
	bool is_drawn;	   /* if none is */
	bool is_always_so; /* drawn, whatever its width */
};

/* A word that all properties share. */
static void see_shared_word(const struct property *p, const char *word, struct html_paint *paint,
			    struct line *line)
{
	const bool is_inherited = strcmp(word, "inherit") == 0;

	switch (p->special) {
	case LINE:
	case BAR: /* what is around it is drawn again; a browser has a width for "auto" */
		line->is_always_so |= is_inherited || strcmp(word, "auto") == 0;
		break;
	case UNDERLINE:
		line->is_drawn |= is_inherited;
		break;
	case GROUND:
		paint->has_ground |= is_inherited;
		break;
	case WIDTH: /* "initial" is "medium" */
		line->is_drawn = true;
		break;
	case NOTHING:
	case TEXT_COLOUR:
	case ANY_COLOUR:
	case BLANKS:
	case FONTS:
	case OWN_WORDS:
		break;
	}
}

/* A number. True if the property takes it. */
static bool see_number(const struct property *p, const char *word, struct line *line)
{
	bool is_zero = false;

	if (!html_value_is_number(word, p->numbers, &is_zero))
		return false;
	if (p->special == WIDTH) /* those of other sides may not be 0 */
		line->is_drawn |= !is_zero;
	else
		line->is_zero |= is_zero;
	return true;
}

/* One word of a value. */
static bool is_value_word(const struct property *p, const char *word, struct html_paint *paint,
			  struct line *line)
{
	if (p->special != OWN_WORDS && html_value_is_among(shared, word)) {
		see_shared_word(p, word, paint, line);
		return true;
	}
	if (html_value_is_among(p->words, word)) {
		line->is_drawn |= p->special == UNDERLINE || p->special == WIDTH ||
				  ((p->special == LINE || p->special == BAR) &&
				   html_value_is_among("|solid|dashed|dotted|double|", word));
		return true;
	}
	if (see_number(p, word, line))
		return true;
	switch (p->special) {
	case TEXT_COLOUR:
		return html_value_is_text_colour(word) || strcmp(word, "currentcolor") == 0;
	case GROUND:
		if (!html_value_is_ground_colour(word))
			return false;
		paint->has_ground |= !html_value_is_clear(word);
		return true;
	case ANY_COLOUR:
	case LINE:
	case BAR:
		return html_value_is_any_colour(word);
	case FONTS:
		return html_value_is_font(word);
	case NOTHING:
	case WIDTH:
	case UNDERLINE:
	case BLANKS:
	case OWN_WORDS:
		return false;
	}
	return false;
}

static int compare_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct property *)element)->name);
}

static bool is_declaration(const char *name, char *value, struct html_paint *paint)
{
	const struct property *p = bsearch(name, properties,
					   sizeof(properties) / sizeof(properties[0]),
					   sizeof(properties[0]), compare_name);
	char *important = strstr(value, "!important");
	struct line line = {false, false, false};

	if (!p)
		return false;
	if (important && important[10 + strspn(important + 10, " \t\r\n")] == '\0')
		*important = '\0';
	for (char *word; (word = html_value_next_word(&value));)
		if (!is_value_word(p, word, paint, &line))
			return false;
	paint->keeps_blanks |= p->special == BLANKS;
	if (line.is_always_so || (line.is_drawn && !line.is_zero)) {
		paint->is_underlined |= p->special == UNDERLINE;
		paint->bars += p->special == BAR;
		paint->lines += p->special == LINE || p->special == WIDTH;
	}
	return true;
}

bool html_style_is_plain(char *value, struct html_paint *paint)
{
	static const char blanks[] = " \t\r\n;";

	for (char *at; (at = strstr(value, "&quot;"));)
		memset(at, ' ', 6);
	for (;;) {
		char *name = value + strspn(value, blanks), *colon, *end;
		size_t len;

		if (*name == '\0')
			return true;
		end = name + strcspn(name, ";");
		value = *end ? end + 1 : end;
		*end = '\0';
		colon = strchr(name, ':');
		if (!colon)
			return false;
		for (len = (size_t)(colon - name); len > 0 && strchr(blanks, name[len - 1]); len--)
			;
		name[len] = '\0';
		if (!is_declaration(name, colon + 1, paint))
			return false;
		paint->is_styled = true;
	}
}
