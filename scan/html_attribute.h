/* SPDX-License-Identifier: ISC
 *
 * html_attribute.h: may this attribute stand on a tag of the subset of html.h? A list of names, and
 * for each what may be its value: a word of a list, a colour, a number, fonts, a language; a style
 * is html_style.h's. No value is shown, none makes a reader fetch something or do something.
 *
 * Names of classes and such are those that mail programs give, perhaps with what they put in front:
 * "x_" of Outlook, "m_123" of Gmail, "ydp1a2b" of Yahoo.
 *
 * No memory, any thread.
 */
#ifndef PGPGATE_SCAN_HTML_ATTRIBUTE_H
#define PGPGATE_SCAN_HTML_ATTRIBUTE_H

#include <stdbool.h>

#include "scan/html_style.h"

/* tag, name, value: small letters, NUL at their ends; value is changed. */
bool html_attribute_is_plain(const char *tag, const char *name, char *value,
			     struct html_paint *paint);

/* What stands behind "!doctype ". Changed. */
bool html_attribute_is_doctype(char *value);

#endif
