/* SPDX-License-Identifier: ISC
 *
 * html_value.h: numbers, colours and fonts as html_style.h and html_attribute.h take them in HTML:
 * such that text that has them is seen. Words are in small letters and end in NUL. No memory, any
 * thread.
 */
#ifndef PGPGATE_SCAN_HTML_VALUE_H
#define PGPGATE_SCAN_HTML_VALUE_H

#include <stdbool.h>

#define HTML_MARGIN_MAX 120 /* pixels of one margin; Outlook indents by 48 */

#define HTML_LINE_MAX 8 /* pixels of a line */

/* What a property takes besides its words. */
enum html_numbers {
	HTML_NO_NUMBER,
	HTML_ZERO,	  /* of any unit */
	HTML_SMALL,	  /* 0 to HTML_MARGIN_MAX pixels, or a tenth of the width */
	HTML_THIN,	  /* 0 to HTML_LINE_MAX pixels */
	HTML_HAIR,	  /* up to a pixel */
	HTML_FONT_SIZE,	  /* 8 to 40 pixels, half to two and a half times the size around it */
	HTML_LINE_HEIGHT, /* at least the height of a line */
	HTML_COUNT,	  /* 0 to 99 */
	HTML_WEIGHT,	  /* 100 to 900 */
	HTML_WIDE,	  /* all of the width, or 600 to 1,200 pixels */
	HTML_FONT	  /* sizes, heights and weights */
};

/* Is word between two bars of "|one|two|"? */
bool html_value_is_among(const char *bars, const char *word);

/* Cuts off the next word, at white space, quotes, commas and slashes; parentheses keep it together.
 * NULL: no more. */
char *html_value_next_word(char **at);

/* *is_zero is set where it is 0. */
bool html_value_is_number(const char *word, enum html_numbers kind, bool *is_zero);

/* Of text, that shows on a light ground; of a ground, which may be none; any. */
bool html_value_is_text_colour(const char *value);
bool html_value_is_ground_colour(const char *value);
bool html_value_is_any_colour(const char *value);
bool html_value_is_clear(const char *value); /* a colour that cannot be seen */
/* Is it a colour to an attribute as to a style? There every word is some colour. */
bool html_value_is_old_colour(const char *value);

/* A word of the name of a font in which letters are the letters that they are. */
bool html_value_is_font(const char *word);

#endif
