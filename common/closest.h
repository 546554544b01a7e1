/* SPDX-License-Identifier: ISC
 *
 * closest.h: "did you mean ...?": which of the known words was a misspelt one meant to be? Pure;
 * any thread.
 */
#ifndef PGPGATE_COMMON_CLOSEST_H
#define PGPGATE_COMMON_CLOSEST_H

#include <stddef.h>

/* The nearest of n words, which name(0) to name(n - 1) tell, or NULL when none is near: letters to
 * insert, remove or change (Levenshtein) two at most, or a third of the misspelt word. Words of
 * more than CLOSEST_WORD_MAX bytes are near to nothing. What name() returned is returned. */
#define CLOSEST_WORD_MAX 64
const char *closest_word(const char *misspelt, const char *(*name)(size_t index), size_t n);

#endif
