/* SPDX-License-Identifier: ISC
 *
 * bounce.h: keeps who of ours wrote to the outside, and how many bounces passed for that reason
 * (accept_bounces, db/policy/policy_bounce.c asks). Part of writing a verdict, in its transaction.
 * The writer's thread.
 */
#ifndef PGPGATE_DB_RECORD_BOUNCE_H
#define PGPGATE_DB_RECORD_BOUNCE_H

#include <stdbool.h>

#include "common/settings.h"
#include "db/verdict_log.h"

struct db;
struct stored_verdict;

#define BOUNCE_WINDOW_STEP_S 3600 /* a window that was opened so lately is not written again */

/* Is the message one of ours to the outside, delivered: some recipient's registrable domain is not
 * the sender's? */
bool bounce_opens_window(const struct settings *s, const struct verdict_record *r);

/* Is it one of the bounces that are counted? */
bool bounce_counts(const struct stored_verdict *v);

/* Opens the window, or counts the bounce. 0 or -1. */
int bounce_write(struct db *d, const struct stored_verdict *v);

#endif
