/* SPDX-License-Identifier: ISC
 *
 * html_sheet.h: the style sheets that may stand in a page. What a sheet can draw has no end, so
 * that only those are known which programs write into each page word by word: that of Outlook on
 * the web and of the new Outlook, which takes the margins off paragraphs. Plain questions, any
 * thread.
 */
#ifndef PGPGATE_SCAN_HTML_SHEET_H
#define PGPGATE_SCAN_HTML_SHEET_H

#include <stdbool.h>
#include <stddef.h>

/* Is it the tag that begins one? tag: without its brackets, in small letters. */
bool html_sheet_is_begun(const char *tag);

/* Is its end tag behind the text so far? text: in small letters, from behind the tag. */
bool html_sheet_is_ended(const char *text, size_t len);

/* Is it a known one? text: to the end tag and with it. */
bool html_sheet_is_known(const char *text, size_t len);

#endif
