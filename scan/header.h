/* SPDX-License-Identifier: ISC
 *
 * header.h: one header, of the message or of a part: gathers the three fields that decide structure
 * (Content-Type, Content-Transfer-Encoding, MIME-Version) and notices what makes it ambiguous: two
 * of one of them, white space before a colon, a lone CR, a line of white space, a line that is no
 * field or could be a boundary line. Two MIME-Version fields that say the same are one: a program
 * and the gateway behind it each write one.
 *
 * The message's own fields come whole (header_field); a part's come line by line (header_line).
 * Fixed memory, one thread.
 */
#ifndef PGPGATE_SCAN_HEADER_H
#define PGPGATE_SCAN_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/field.h"

#define HEADER_LINE_MAX 1024 /* octets of one line of a part's header that are looked at */
#define HEADER_FIELD_MAX \
	2048 /* octets of a structural field with its folds: the largest seen is 300 */

#define HEADER_GATHERED 10 /* fields that are looked at */

struct header {
	struct content_type type;
	enum encoding encoding;
	char encoding_name[32]; /* "7bit" when there is no such field */
	const char *ambiguity;	/* in words, NULL: none */
	size_t bytes;		/* of a part's header, line ends not counted */
	bool has_blank_name; /* white space stands before the colon of one of the message's fields
			      */
	bool is_late;	     /* a line of white space stands in one of them, and a structural one
				follows */
	/* after header_end() */
	enum label file_label;	/* by the endings of all file names */
	size_t name_characters; /* of its file name, the longest form of it */
	size_t other_bytes;   /* fields, parameters and comments of a part's header that say nothing
				 that is known */
	size_t comment_bytes; /* of comments in all its fields */
	size_t mark_letters;  /* letters of what says something, but of names and dates */
	size_t described_bytes; /* of Content-Description that mail programs show, and that is no
				   usual one */
	/* private */
	char file_name[FIELD_VALUE_MAX];
	char description[LABEL_DESCRIPTION_MAX];
	unsigned n_of[HEADER_GATHERED];
	char version[FIELD_VERSION_MAX]; /* MIME-Version */
	bool has_white_line;
	bool is_over;	  /* to some, after two lines of white space */
	bool is_preamble; /* what follows is that of a multipart, then */
	int current;	  /* which structural field is being gathered, -1: none */
	bool has_field;
	size_t len;
	unsigned char field[HEADER_FIELD_MAX];
};

void header_reset(struct header *h);

/* A whole field. White space before the colon, if there was any, ends the name. */
void header_field(struct header *h, const unsigned char *name, size_t name_len,
		  const unsigned char *value, size_t value_len);

/* A line of a part's header, without LF: its first len octets, of `whole` (more than len where it
 * was longer than HEADER_LINE_MAX). False: the empty line that ends the header. */
bool header_line(struct header *h, const unsigned char *line, size_t len, size_t whole);

/* The end: the field under way is complete. */
void header_end(struct header *h);

#endif
