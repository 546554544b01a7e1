/* SPDX-License-Identifier: ISC
 *
 * leaf_html.h: the side of a leaf (leaf.h) that reads HTML: as long as the text is in the subset of
 * html.h, and nothing stands in it but armored messages and white space, there is nothing in it
 * that a reader shows. As soon as that is not so the leaf is a document like any other. Private to
 * leaf.c.
 */
#ifndef PGPGATE_SCAN_LEAF_HTML_H
#define PGPGATE_SCAN_LEAF_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/leaf.h"

void leaf_html_begin(struct leaf *l);

/* Returns how many octets it took: less than len if the text from there on must be read as a
 * document. What was found before counts no more then; visible_bytes counts what was taken. */
size_t leaf_html_feed(struct leaf *l, const unsigned char *bytes, size_t len);

/* The text has ended as it began. False: it is a document after all. */
bool leaf_html_finish(struct leaf *l);

#endif
