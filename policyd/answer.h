/* SPDX-License-Identifier: ISC
 *
 * answer.h: from a policy request to Postfix's action (access(5)): the deferral of a recipient who
 * must come another time (mixed recipients, step 3), or what policy_actions says for the
 * requirement that the policy found. Only at protocol state RCPT with an instance; at any other
 * DUNNO, and nothing is remembered.
 *
 * One thread.
 */
#ifndef PGPGATE_POLICYD_ANSWER_H
#define PGPGATE_POLICYD_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"
#include "db/db.h"
#include "policyd/counts.h"
#include "policyd/instances.h"
#include "policyd/request.h"

#define ANSWER_MAX 1200 /* bytes with NUL: "action=", an access(5) result, two line ends */

struct answer_context {
	struct settings *settings; /* in force; the server changes it at a reload */
	struct db *db;
	struct instances *instances;
	struct counts *counts; /* added to */
};

/* Writes "action=...\n\n". 0, or -1: there is no answer, and why is in err: close the connection.
 * now_unix: the wall clock, for rules; now_s: a clock that never goes back. */
int answer_request(const struct answer_context *c, const struct request *r, int64_t now_unix,
		   int64_t now_s, char out[ANSWER_MAX], char *err, size_t err_size);

#endif
