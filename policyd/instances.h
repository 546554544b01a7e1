/* SPDX-License-Identifier: ISC
 *
 * instances.h: what the policy server remembers of the messages that are being delivered: for each
 * instance (Postfix's name of one message transaction) what its recipients so far stand for (mixed
 * recipients, step 3). Only instances with recipients of a split message are kept, which are few.
 *
 * Bounded: INSTANCES_MAX entries; the one that was used longest ago makes room. An entry that was
 * not used for INSTANCES_EXPIRY_S is forgotten. One thread.
 */
#ifndef PGPGATE_POLICYD_INSTANCES_H
#define PGPGATE_POLICYD_INSTANCES_H

#include <stddef.h>
#include <stdint.h>

#include "db/policy.h"

#define INSTANCES_MAX 4096
#define INSTANCES_EXPIRY_S 3600 /* longer than a sane client takes between its recipients */

struct instances;

/* NULL when memory is short. */
struct instances *instances_new(void);
void instances_free(struct instances *i);

/* The entry of this instance, made if there is none. now_s: any clock of seconds that never goes
 * back. Borrowed until the next call. */
struct policy_split *instances_get(struct instances *i, const char *name, int64_t now_s);
size_t instances_count(const struct instances *i);

#endif
