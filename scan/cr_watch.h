/* SPDX-License-Identifier: ISC
 *
 * cr_watch.h: looks for a boundary line of an open multipart that follows a lone CR. Some readers
 * take a lone CR for a line end. In what is text they find nothing that we do not; but in opaque
 * octets there could be a boundary line for them, and a readable part behind it.
 *
 * Raw octets of one leaf go in, in pieces of any size. Fixed memory, linear time, one thread.
 */
#ifndef PGPGATE_SCAN_CR_WATCH_H
#define PGPGATE_SCAN_CR_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/multipart.h"

#define CR_WATCH_LEVELS_MAX 32 /* multiparts: one bit each */

struct cr_watch {
	bool is_watching; /* false once one was found */
	/* private */
	uint32_t levels; /* whose boundary lines may be under way after a lone CR: bit i is level i
			  */
	size_t len;	 /* octets of it */
};

/* A leaf begins. is_watching: can there be a CR that its readers see in the raw octets? */
void cr_watch_begin(struct cr_watch *w, bool is_watching);

/* levels: the n_levels open multiparts, at most CR_WATCH_LEVELS_MAX, borrowed. True when one was
 * found now. */
bool cr_watch_feed(struct cr_watch *w, const struct level *levels, unsigned n_levels,
		   const unsigned char *bytes, size_t len);

#endif
