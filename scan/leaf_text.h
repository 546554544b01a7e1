/* SPDX-License-Identifier: ISC
 *
 * leaf_text.h: the side of a leaf (leaf.h) that reads lines of text: armored blocks, clearsigned
 * texts, and what stands between them. Private to leaf.c and leaf_html.c.
 */
#ifndef PGPGATE_SCAN_LEAF_TEXT_H
#define PGPGATE_SCAN_LEAF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/leaf.h"

/* Nothing is looked for in it: to a reader it is a document. */
bool leaf_text_is_document(const struct leaf *l);

void leaf_text_feed(struct leaf *l, const unsigned char *bytes, size_t len);

/* The leaf has ended, perhaps within a block or a clearsigned text. */
void leaf_text_finish(struct leaf *l);

/* l->line is full of a line of armor that goes on: makes room. */
void leaf_give_piece(struct leaf *l);

/* Of leaf.c: the leaf claims to be OpenPGP and cannot be: final. */
void leaf_become_faulty(struct leaf *l, const struct finding *f);

/* Of leaf.c: the message, or the signatures, in l->walk are proper: their facts become the leaf's.
 */
void leaf_take_message(struct leaf *l, bool is_armored);
void leaf_take_signatures(struct leaf *l);

#endif
