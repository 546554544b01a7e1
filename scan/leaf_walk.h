/* SPDX-License-Identifier: ISC
 *
 * leaf_walk.h: the way of one leaf's octets: from the body through the transfer decoding into
 * leaf.h, beside it into the scan of a message within the message, and at its end into the facts.
 * The text before the first and after the last part of a multipart is such a leaf, too, for it may
 * be all there is to it.
 *
 * Works on the structure that it is given (structure.h), whose `leaf`, `transfer` and `channel` are
 * its own. One thread, no memory.
 */
#ifndef PGPGATE_SCAN_LEAF_WALK_H
#define PGPGATE_SCAN_LEAF_WALK_H

#include <stddef.h>

#include "scan/structure.h"

/* A leaf begins. type: its media type, lower case, which need not be the one in h. */
void leaf_walk_begin(struct structure *s, const char *type, const struct header *h);

/* Text outside the parts begins: PLACE_PREAMBLE or PLACE_EPILOGUE. */
void leaf_walk_outside(struct structure *s, enum place place);

/* Octets of the leaf as they stand in the body. leaf.is_decided says that it may be ended now. */
void leaf_walk_content(struct structure *s, const unsigned char *bytes, size_t len);

/* The content of the leaf (or of a multipart without boundaries, which is read as text) is
 * complete. Returns what its multipart must know. */
struct part leaf_walk_end(struct structure *s);

#endif
