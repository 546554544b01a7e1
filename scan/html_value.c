/* SPDX-License-Identifier: ISC */
#include "scan/html_value.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DARKEST_GROUND 224 /* brightness, of 255; the text on it has LIGHTEST_TEXT at most */
#define LIGHTEST_TEXT 192
#define LEAST_ALPHA 50 /* of text, in hundredths */
#define PIXELS_PER_INCH 96

/* Words of the names of fonts in which letters are the letters that they are: none of symbols. */
static const char font_words[] =
	"|-apple-system|andale|aptos|aptos_embeddedfont|aptos_msfontservice|arial|avenir|bitstream|"
	"black|blinkmacsystemfont|book|calibri|calibri_embeddedfont|calibri_msfontservice|cambria|"
	"candara|cantarell|century|charter|code|comic|consolas|console|constantia|corbel|courier|"
	"cursive|dejavu|droid|fira|fixed|free|freemono|freesans|garamond|geneva|georgia|gothic|"
	"grande|helvetica|helveticaneue|impact|inconsolata|inter|lato|liberation|light|linotype|"
	"lucida|math|menlo|microsoft|monaco|mono|monospace|ms|neue|new|nimbus|noto|open|oxygen|"
	"palatino|pro|regular|roboto|roman|sans|sans-serif|sans-serif-light|segoe|serif|sf|sfmono|"
	"source|system-ui|tahoma|text|times|trebuchet|typewriter|ubuntu|ui|ui-monospace|"
	"ui-sans-serif|ui-serif|unicode|uni|var|verdana|vera|";

static const struct {
	const char *name;
	unsigned char brightness;
} colours[] = {
	{"aqua", 178},	   {"black", 0},     {"blue", 29},	{"brown", 82},
	{"cyan", 178},	   {"darkblue", 16}, {"darkgreen", 59}, {"darkred", 42},
	{"fuchsia", 105},  {"gray", 128},    {"green", 75},	{"grey", 128},
	{"lime", 150},	   {"magenta", 105}, {"maroon", 38},	{"navy", 15},
	{"olive", 113},	   {"orange", 173},  {"purple", 53},	{"red", 76},
	{"silver", 192},   {"teal", 90},     {"white", 255},	{"whitesmoke", 245},
	{"windowtext", 0},
};

bool html_value_is_among(const char *bars, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = bars; len > 0 && (at = strstr(at, word)); at++)
		if (at > bars && at[-1] == '|' && at[len] == '|')
			return true;
	return false;
}

char *html_value_next_word(char **at)
{
	char *word;
	bool is_open = false;

	*at += strspn(*at, " \t\r\n,/\"'");
	if (**at == '\0')
		return NULL;
	word = *at;
	for (; **at && (is_open || !strchr(" \t\r\n,/\"'", **at)); (*at)++)
		is_open = **at == '(' ? true : **at == ')' ? false : is_open;
	if (**at)
		*(*at)++ = '\0';
	return word;
}

/* "12", "0.5pt": in hundredths, up to five digits and four decimals. NULL: no number, else what is
 * behind it. */
static const char *read_number(const char *t, long *hundredths)
{
	size_t n, decimals;

	t += *t == '+';
	n = strspn(t, "0123456789");
	if (n > 5 || (n == 0 && *t != '.'))
		return NULL;
	*hundredths = 100 * strtol(n ? t : "0", NULL, 10);
	t += n;
	if (*t != '.')
		return t;
	decimals = strspn(++t, "0123456789");
	if (decimals == 0 || decimals > 4)
		return NULL;
	*hundredths += 10 * (t[0] - '0') + (decimals > 1 ? t[1] - '0' : 0);
	/* A border of 0.001 pixels is drawn as one of a pixel. */
	if (*hundredths == 0 && strspn(t, "0") < decimals)
		*hundredths = 1;
	return t + decimals;
}

enum unit { UNIT_NONE, UNIT_LENGTH, UNIT_PERCENT, UNIT_WRONG };

/* A number of a unit; lengths become hundredths of a pixel, those by the font that of 16 pixels. */
static enum unit read_length(const char *word, long *hundredths, bool *is_by_font)
{
	static const struct {
		const char *name;
		long numerator, denominator;
		bool is_by_font;
	} units[] = {{"px", 1, 1, false},
		     {"pt", PIXELS_PER_INCH, 72, false},
		     {"em", 16, 1, true},
		     {"rem", 16, 1, true},
		     {"ex", 8, 1, true},
		     {"ch", 8, 1, true},
		     {"pc", 16, 1, false},
		     {"in", PIXELS_PER_INCH, 1, false},
		     {"cm", PIXELS_PER_INCH * 100, 254, false},
		     {"mm", PIXELS_PER_INCH * 10, 254, false}};
	const char *unit = read_number(word, hundredths);

	*is_by_font = false;
	if (!unit)
		return UNIT_WRONG;
	if (*unit == '\0')
		return UNIT_NONE;
	if (strcmp(unit, "%") == 0)
		return UNIT_PERCENT;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].name) == 0) {
			*hundredths = *hundredths * units[i].numerator / units[i].denominator;
			*is_by_font = units[i].is_by_font;
			return UNIT_LENGTH;
		}
	}
	return UNIT_WRONG;
}

static bool is_between(long hundredths, long least, long most)
{
	return hundredths >= 100 * least && hundredths <= 100 * most;
}

static bool is_font_size(enum unit unit, long n)
{
	return unit == UNIT_PERCENT ? is_between(n, 50, 250)
				    : unit == UNIT_LENGTH && is_between(n, 8, 40);
}

static bool is_line_height(enum unit unit, long n, bool is_by_font)
{
	if (unit == UNIT_LENGTH)
		return is_by_font ? is_between(n, 16, 48) : is_between(n, 12, 60);
	return unit == UNIT_PERCENT ? is_between(n, 100, 300) : is_between(n, 1, 3);
}

bool html_value_is_number(const char *word, enum html_numbers kind, bool *is_zero)
{
	long n = 0;
	bool is_by_font;
	const enum unit unit = read_length(word, &n, &is_by_font);

	if (unit == UNIT_WRONG)
		return false;
	*is_zero |= n == 0;
	switch (kind) {
	case HTML_NO_NUMBER:
		return false;
	case HTML_ZERO:
		return n == 0;
	case HTML_SMALL:
		return n == 0 || (unit == UNIT_PERCENT ? is_between(n, 0, 10)
						       : unit == UNIT_LENGTH &&
								 is_between(n, 0, HTML_MARGIN_MAX));
	case HTML_THIN:
		return n == 0 || (unit == UNIT_LENGTH && is_between(n, 0, HTML_LINE_MAX));
	case HTML_HAIR:
		return n == 0 || (unit == UNIT_LENGTH && is_between(n, 0, 1));
	case HTML_FONT_SIZE:
		return is_font_size(unit, n);
	case HTML_LINE_HEIGHT:
		return is_line_height(unit, n, is_by_font);
	case HTML_COUNT:
		return unit == UNIT_NONE && is_between(n, 0, 99);
	case HTML_WEIGHT:
		return unit == UNIT_NONE && is_between(n, 100, 900);
	case HTML_WIDE:
		return unit == UNIT_PERCENT ? n == 10000
					    : unit == UNIT_LENGTH && is_between(n, 600, 1200);
	case HTML_FONT:
		return is_font_size(unit, n) || is_line_height(unit, n, is_by_font) ||
		       (unit == UNIT_NONE && is_between(n, 100, 900));
	}
	return false;
}

static int brightness_of(const long rgb[3])
{
	return (int)((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000);
}

/* "#abc", "#aabbcc" */
static int read_hex_colour(const char *t)
{
	const size_t n = strspn(t, "0123456789abcdef");
	long rgb[3];

	if (t[n] != '\0' || (n != 3 && n != 6))
		return -1;
	for (size_t i = 0; i < 3; i++) {
		const size_t digits = n / 3;
		char part[3] = {t[i * digits], t[i * digits + digits - 1], '\0'};

		rgb[i] = strtol(part, NULL, 16);
	}
	return brightness_of(rgb);
}

/* "rgb(1, 2, 3)", "rgba(1, 2, 3, 0.5)": *alpha in hundredths, 0 where nothing is seen of it. */
static int read_rgb(const char *t, long *alpha)
{
	const bool has_alpha = strncmp(t, "rgba(", 5) == 0;
	long rgb[3];

	t += has_alpha ? 5 : 4;
	for (size_t i = 0; i < (has_alpha ? 4u : 3u); i++) {
		long *n = i < 3 ? &rgb[i] : alpha;

		t += strspn(t, i ? " ," : " ");
		t = read_number(t, n);
		if (!t || *n > 25500)
			return -1;
		if (i < 3)
			*n /= 100;
	}
	t += strspn(t, " ");
	return strcmp(t, ")") == 0 ? brightness_of(rgb) : -1;
}

/* Brightness, 0 to 255; -1: no colour. */
static int read_colour(const char *word, long *alpha)
{
	*alpha = 100;
	if (strcmp(word, "transparent") == 0) {
		*alpha = 0;
		return 255;
	}
	if (*word == '#')
		return read_hex_colour(word + 1);
	if (strncmp(word, "rgb(", 4) == 0 || strncmp(word, "rgba(", 5) == 0)
		return read_rgb(word, alpha);
	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(word, colours[i].name) == 0)
			return colours[i].brightness;
	return -1;
}

bool html_value_is_text_colour(const char *value)
{
	long alpha;
	const int brightness = read_colour(value, &alpha);

	return brightness >= 0 && brightness <= LIGHTEST_TEXT && alpha >= LEAST_ALPHA;
}

bool html_value_is_ground_colour(const char *value)
{
	long alpha;
	const int brightness = read_colour(value, &alpha);

	return brightness >= (alpha == 0 ? 0 : DARKEST_GROUND);
}

bool html_value_is_any_colour(const char *word)
{
	long alpha;

	return read_colour(word, &alpha) >= 0;
}

bool html_value_is_clear(const char *value)
{
	long alpha;

	return read_colour(value, &alpha) >= 0 && alpha == 0;
}

/* HTML's "rules for parsing a legacy color value": of what is neither a name nor #hex it takes some
 * letters for digits. */
bool html_value_is_old_colour(const char *value)
{
	return !strchr(value, '(') && strcmp(value, "windowtext") != 0 &&
	       html_value_is_any_colour(value);
}

bool html_value_is_font(const char *word)
{
	return html_value_is_among(font_words, word);
}
