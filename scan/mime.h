/* SPDX-License-Identifier: ISC
 *
 * mime.h: finds the lines that make a body's structure (RFC 2046 section 5.1.1): boundary lines and
 * the headers of parts. All else is content and goes to structure.h as it comes, in runs as long as
 * the input allows.
 *
 * A boundary line is "--", the boundary, optionally "--", and linear white space; a line that
 * begins so and goes on is text. Of the open multiparts the innermost is asked first; a closed one
 * no more. CR LF and LF end lines; the line end before a boundary line belongs to it
 * (section 5.1.1).
 *
 * Push parser, any chunking, fixed memory, one thread.
 */
#ifndef PGPGATE_SCAN_MIME_H
#define PGPGATE_SCAN_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/header.h"
#include "scan/structure.h"

/* Octets of a line that begins with "--" which are kept until its end tells what it is. */
#define MIME_LINE_MAX HEADER_LINE_MAX

struct mime {
	struct structure structure;
	/* private */
	bool is_in_header; /* of a part */
	bool is_at_line_start;
	bool is_in_candidate; /* within a line that may be a boundary line */
	size_t line_len, line_whole;
	size_t n_held;
	unsigned char held[2]; /* a line end that may belong to a boundary line */
	unsigned char line[MIME_LINE_MAX];
	struct header header; /* of the message, then of parts */
};

void mime_reset(struct mime *m);

/* The message's own header is in m->header (header_field()): the body follows. */
void mime_begin(struct mime *m);
void mime_feed(struct mime *m, const unsigned char *bytes, size_t len);
void mime_finish(struct mime *m);

#endif
