/* SPDX-License-Identifier: ISC
 *
 * html_style.h: does a style sheet of one tag (the attribute `style`) say only how text looks, so
 * that all of the text is seen, where it stands, as the letters that it is, and nothing else is? A
 * list of properties, each with what may be its value.
 *
 * Accepts: fonts of letters, in sizes that can be read; colours of text that show on a light
 * ground; light grounds; margins to the right of and below where the text would be, within
 * HTML_MARGIN_MAX (html_value.h); where lines may be broken. Refuses: what could hide text, lay it
 * over other text, set it in columns (float, width, position, inline-block), show other letters for
 * it (text-transform, bidi-override, fonts of symbols), cut it off, or fetch anything; and
 * properties that are not in the list, whatever they do. Tells what can be seen without text:
 * grounds, borders and underlines draw letters on white space, so html.h bounds them. What is
 * inherited counts as drawn, a width counts as a line's unless it is 0.
 *
 * No memory, any thread.
 */
#ifndef PGPGATE_SCAN_HTML_STYLE_H
#define PGPGATE_SCAN_HTML_STYLE_H

#include <stdbool.h>

/* What one tag says of its looks. */
struct html_paint {
	bool is_styled;	    /* anything at all */
	bool has_ground;    /* of its own, which can be seen */
	bool is_underlined; /* white space, too */
	bool keeps_blanks;  /* they may be shown as they are */
	unsigned bars;	    /* lines at the left, as beside a quotation */
	unsigned lines;	    /* elsewhere, and outlines */
};

/* value: small letters, NUL at its end; changed. True if all of it is in the list. */
bool html_style_is_plain(char *value, struct html_paint *paint);

#endif
