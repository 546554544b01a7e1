/* SPDX-License-Identifier: ISC
 *
 * copy.h: text into a buffer, cut where it does not fit, always ended with NUL: what snprintf("%s")
 * does in ten times as many instructions. For what is done for each message.
 */
#ifndef PGPGATE_COMMON_COPY_H
#define PGPGATE_COMMON_COPY_H

#include <stddef.h>
#include <string.h>

/* out_size is at least 1. Returns the length of what is in out. */
static inline size_t copy_text(char *out, size_t out_size, const char *text)
{
	const size_t len = strnlen(text, out_size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
	return len;
}

#endif
