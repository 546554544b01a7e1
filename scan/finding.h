/* SPDX-License-Identifier: ISC
 *
 * finding.h: notes the first thing of its kind that was found, with words that name the place.
 * Later ones of the same kind are dropped: what decided is what the administrator must hear. Any
 * thread.
 */
#ifndef PGPGATE_SCAN_FINDING_H
#define PGPGATE_SCAN_FINDING_H

#include <stdbool.h>

#include "scan/scan.h"

static inline bool finding_is_set(const struct finding *f)
{
	return f->reason[0] != '\0';
}

/* Sets *f unless it is set. reason is a slug; detail is cut at DETAIL_MAX. Arguments that come from
 * a message must be escaped before. */
void finding_set(struct finding *f, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets *f, unless it is set, to *from (which may be none). Asked at every line of armor. */
static inline void finding_adopt(struct finding *f, const struct finding *from)
{
	if (finding_is_set(from) && !finding_is_set(f))
		*f = *from;
}

#endif
