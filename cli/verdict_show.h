/* SPDX-License-Identifier: ISC
 *
 * verdict_show.h: stored verdicts as text and as JSON, the same for `log` and `explain --queue-id`.
 */
#ifndef PGPGATE_CLI_VERDICT_SHOW_H
#define PGPGATE_CLI_VERDICT_SHOW_H

#include <jansson.h>

#include "db/verdicts.h"

/* time, queue_id, host, client, authenticated, sender, recipients (address, requirement, rule),
 * verdict, form, reason, detail, action, reply, size, message_id; and more. New reference. */
json_t *verdict_show_json(const struct verdict_row *row);

/* From now on the brief form names the host of each. */
void verdict_show_hosts(bool shows);

/* Two lines: when, what became of it, what it was; who to whom. */
void verdict_show_brief(const struct verdict_row *row);

/* Everything that is known, in sentences, for 80 columns. */
void verdict_show_full(const struct verdict_row *row);

#endif
