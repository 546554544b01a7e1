/* SPDX-License-Identifier: ISC */
#include "common/closest.h"

#include <string.h>

#define SLIPS_MAX 2 /* of the finger, in a short word */

static size_t distance(const char *a, const char *b)
{
	size_t row[CLOSEST_WORD_MAX + 1];
	const size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > CLOSEST_WORD_MAX || b_len > CLOSEST_WORD_MAX)
		return CLOSEST_WORD_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

const char *closest_word(const char *misspelt, const char *(*name)(size_t index), size_t n)
{
	const size_t third = strlen(misspelt) / 3;
	size_t best = (third < SLIPS_MAX ? SLIPS_MAX : third) + 1;
	const char *closest = NULL;

	for (size_t i = 0; i < n; i++) {
		const size_t d = distance(misspelt, name(i));

		/* As many changes as it has letters make any word of any other. */
		if (d < best && d < strlen(name(i))) {
			best = d;
			closest = name(i);
		}
	}
	return closest;
}
