/* SPDX-License-Identifier: ISC
 *
 * field.h: the header fields that decide a message's structure, read strictly: Content-Type (RFC
 * 2045 section 5.1), Content-Transfer-Encoding (section 6.1), MIME-Version (section 4), and
 * Subject.
 *
 * A field that two readers could take differently is ambiguous: duplicate boundary or protocol
 * parameters, RFC 2231 forms of them, a boundary that RFC 2047 would decode, malformed quoting,
 * comments or quoted strings that could be taken for structure, backslashes on a multipart, control
 * characters, a lone CR. Accepts: folding, comments, quoting, any letter case, a parameter name
 * without value (ignored, Delta Chat writes "protected;"), an unquoted value with '=', '/', ':' or
 * '?' in it (many programs write it), an unquoted file name with blanks, parentheses or 8-bit
 * letters on what is no multipart.
 *
 * Plain values, any thread.
 */
#ifndef PGPGATE_SCAN_FIELD_H
#define PGPGATE_SCAN_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/charset.h"
#include "scan/label.h"
#include "scan/transfer.h"

#define BOUNDARY_MAX 200      /* octets */
#define BOUNDARY_USUAL_MAX 70 /* RFC 2046 section 5.1.1 allows no more; so has real mail */
#define FIELD_TYPE_MAX 100
#define FIELD_VALUE_MAX 80
#define FIELD_COMMENT_MAX                                                                          \
	24 /* octets of comments in all headers of parts: s-nail prints them in the body, and real \
	      mail has none */

struct content_type {
	bool is_present;
	const char *ambiguity;	   /* in words, NULL: none */
	char type[FIELD_TYPE_MAX]; /* "text/plain", lower case; "" when it could not be read */
	char boundary[BOUNDARY_MAX + 1]; /* "": none */
	size_t boundary_len;
	char protocol[FIELD_VALUE_MAX]; /* lower case; "": none; cut */
	char report_type[FIELD_VALUE_MAX];
	char smime_type[FIELD_VALUE_MAX];
	char name[FIELD_VALUE_MAX]; /* lower case; cut */
	enum label label;	    /* by the endings of all its names */
	size_t name_characters;	    /* of the longest form of its name, as a reader shows it */
	size_t other_bytes;	    /* of comments and of parameters that mean nothing here */
	size_t comment_bytes;	    /* of comments */
	size_t mark_letters; /* letters of parameters that mean something, names and dates apart */
	bool has_comment;
	bool has_bad_charset; /* not known to show ASCII as it is */
	bool has_charset;
	bool has_odd_charset;	    /* a backslash in its name */
	enum charset_spaces spaces; /* UNSURE, too, where two differ */
};

/* value: of the field, after the colon, folds as they came. */
void field_content_type(const unsigned char *value, size_t len, struct content_type *out);

/* Content-Disposition: its file names go into *out (name, label, name_characters, other_bytes)
 * beside those of Content-Type. Ambiguity is none here: what cannot be read is LABEL_OTHER. */
void field_content_disposition(const unsigned char *value, size_t len, struct content_type *out);

/* ENCODING_UNKNOWN for what it does not know; *ambiguity is set (or left) in words. name: at least
 * 32 octets, gets the encoding's name, lower case, escaped. *comment_bytes: those of comments are
 * added. */
enum encoding field_encoding(const unsigned char *value, size_t len, const char **ambiguity,
			     char name[32], size_t *comment_bytes);

#define FIELD_VERSION_MAX 16 /* octets of a MIME version with NUL; there has been one, "1.0" */

/* version: "1.0", without comments; "" where it is no single token. RFC 2045 section 4 asks readers
 * to take any version: only that there is one, and one only, matters. */
void field_mime_version(const unsigned char *value, size_t len, const char **ambiguity,
			char version[FIELD_VERSION_MAX]);

/* Does this Subject say nothing? Empty, "...", "[...]" (RFC 9788), "Encrypted Message", or pEp's
 * encoded word; encoded words of the others are not looked for: nobody writes them. */
bool field_is_hidden_subject(const unsigned char *value, size_t len);

#endif
