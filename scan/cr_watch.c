/* SPDX-License-Identifier: ISC */
#include "scan/cr_watch.h"

#include <string.h>

void cr_watch_begin(struct cr_watch *w, bool is_watching)
{
	memset(w, 0, sizeof(*w));
	w->is_watching = is_watching;
}

/* Whatever comes next, up to a boundary of an open multipart, may follow on a lone CR. */
static void follow_cr(struct cr_watch *w, unsigned n_levels)
{
	w->levels = 0;
	w->len = 0;
	for (unsigned i = 0; i < n_levels; i++)
		w->levels |= 1u << i;
}

/* One octet more of a line that began after CR: which levels' boundary lines may it still be? */
static void follow_octet(struct cr_watch *w, const struct level *levels, unsigned n_levels,
			 unsigned char c)
{
	const size_t at = w->len++;

	for (unsigned i = 0; i < n_levels; i++) {
		const struct level *l = &levels[i];

		if (!(w->levels & 1u << i))
			continue;
		if (c != (at < 2 ? '-' : (unsigned char)l->boundary[at - 2]))
			w->levels &= ~(1u << i);
		else if (w->len == 2 + l->boundary_len)
			w->is_watching = false;
	}
}

bool cr_watch_feed(struct cr_watch *w, const struct level *levels, unsigned n_levels,
		   const unsigned char *bytes, size_t len)
{
	const unsigned char *end = bytes + len;

	if (!w->is_watching)
		return false;
	while (bytes && bytes < end) {
		if (*bytes == '\r')
			follow_cr(w, n_levels);
		else if (w->levels != 0)
			follow_octet(w, levels, n_levels, *bytes);
		if (!w->is_watching)
			return true;
		bytes++;
		if (w->levels == 0)
			bytes = memchr(bytes, '\r', (size_t)(end - bytes));
	}
	return false;
}
