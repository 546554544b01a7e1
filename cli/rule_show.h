/* SPDX-License-Identifier: ISC
 *
 * rule_show.h: rules as text for people and as JSON, the same in every command that prints one.
 */
#ifndef PGPGATE_CLI_RULE_SHOW_H
#define PGPGATE_CLI_RULE_SHOW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "db/rules.h"

/* id, recipient, sender, client, requirement, starts_at, expires_at, note, help_url, author,
 * created_at, hits, last_hit_at, owner. What is not there is null. New reference. */
json_t *rule_show_json(const struct rule *r);

/* "exempt alice@example.org from shop.test, client 192.0.2.0/24, until 2027-01-01T00:00:00Z".
 * Returns out. */
char *rule_show_phrase(const struct rule *r, char *out, size_t out_size);

/* "" in force, "starts 2026-12-01T00:00:00Z", "expired 2026-11-01T00:00:00Z". Returns out. */
#define RULE_SHOW_STATE_MAX 64
char *rule_show_state(const struct rule *r, int64_t now_unix, char out[RULE_SHOW_STATE_MAX]);

#endif
