/* SPDX-License-Identifier: ISC
 *
 * notes.h: writes what was found in a message into its facts, with the place ("part 2.1: ", "body:
 * ") before what is said. Of each kind the first one counts; most findings are not the first, and
 * then no path is printed.
 *
 * Everywhere n_levels is how many multiparts the place is within: the path is that of the present
 * part of each. Borrows everything for the call; one thread, that of the structure.
 */
#ifndef PGPGATE_SCAN_NOTES_H
#define PGPGATE_SCAN_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "scan/structure.h"

/* Sets *f unless it is set. */
void notes_set(const struct structure *s, struct finding *f, unsigned n_levels, const char *reason,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Something says that it is OpenPGP. */
void notes_claim(struct structure *s, unsigned n_levels, const char *what);

/* Something is malformed or ambiguous. */
void notes_fault(struct structure *s, unsigned n_levels, const char *reason, const char *what);

/* So many octets can be read; readable is never nothing. */
void notes_readable(struct structure *s, unsigned n_levels, const char *reason, int64_t bytes,
		    const char *what);

/* A claim and a fault are the verdict: the rest need not be looked at. */
void notes_settle(struct structure *s);

/* Tells the observer, if there is one, of a part that is complete. */
void notes_observe(struct structure *s, unsigned depth, bool is_multipart, const char *type,
		   const char *encoding, const char *text);

#endif
