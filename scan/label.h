/* SPDX-License-Identifier: ISC
 *
 * label.h: what the header of a part shows of itself in a mail program: the ending of a file name,
 * by which many decide whether to show what is in it, and the description, which mutt and s-nail
 * print in the body.
 *
 * Input is a parameter's or field's value as it came, quotes and folds included. Names may be
 * encoded words (RFC 2047), as many programs write them against section 5. Plain questions, any
 * thread.
 */
#ifndef PGPGATE_SCAN_LABEL_H
#define PGPGATE_SCAN_LABEL_H

#include <stdbool.h>
#include <stddef.h>

#define LABEL_DESCRIPTION_MAX 80 /* octets; "PGP/MIME version identification" has 31 */

/* By the ending of a name; a later one is the less trusted. */
enum label {
	LABEL_NONE,
	LABEL_PGP,	 /* .pgp, .gpg */
	LABEL_SIGNATURE, /* .sig, .asc */
	LABEL_OTHER,	 /* some program may know how to show it */
};

enum label label_of_name(const unsigned char *name, size_t len);

#define LABEL_NAME_MAX \
	64 /* characters of a file name that go for nothing; the longest in real mail has 31 */

/* Characters that a reader shows of a name: encoded words (RFC 2047) are decoded, or, where it
 * is_extended (RFC 2231), "%20" and the like, without the character set in front. UTF-8 counts by
 * characters, anything else by octets. */
size_t label_count_characters(const unsigned char *name, size_t len, bool is_extended);

/* Is it made of the words with which programs describe the parts of PGP/MIME, and of nothing else?
 */
bool label_is_usual_description(const unsigned char *text, size_t len);

#endif
