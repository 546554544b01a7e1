/* SPDX-License-Identifier: ISC
 *
 * whole.h: judges messages that are held in memory, for the tests: one scan, used again and again,
 * fed whole, byte by byte, or cut at places that a seed decides. Output is what `pgpgate check`
 * would say. One thread.
 */
#ifndef PGPGATE_TESTS_GOLDEN_WHOLE_H
#define PGPGATE_TESTS_GOLDEN_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/judge.h"
#include "scan/message.h"

struct whole {
	struct scan *scan;
	struct message *message;
};

#define WHOLE_UNCUT 0	       /* feed everything at once */
#define WHOLE_BYTES UINT64_MAX /* feed byte by byte */
			       /* any other seed: chunks of 1 to 200 bytes, as the seed decides */

/* Exits with a message when memory is short. */
void whole_init(struct whole *w);
void whole_free(struct whole *w);

/* What the settings are if nobody sets any. */
void whole_defaults(struct acceptance *accept);

/* Scans and judges; *facts may be NULL. */
void whole_judge(struct whole *w, const unsigned char *bytes, size_t len, uint64_t seed,
		 const struct acceptance *accept, const struct judge_envelope *envelope,
		 struct scan_facts *facts, struct judgement *out);

/* Are these the same in every respect that anyone can see? */
bool whole_same(const struct judgement *a, const struct judgement *b);

#endif
