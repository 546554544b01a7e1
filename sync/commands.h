/* SPDX-License-Identifier: ISC
 *
 * commands.h: what pgpgate(8) starts this program for. The database is open as the user of the
 * settings; each returns an exit code.
 */
#ifndef PGPGATE_SYNC_COMMANDS_H
#define PGPGATE_SYNC_COMMANDS_H

#include <stdbool.h>

#include "common/settings.h"
#include "db/db.h"

/* One change. Lines of JSON; first of this program: {next_rule}, or, as always where something
 * failed, {error, away}. Then of the command line, each with its answer: {row: [recipient, sender,
 * client, text, removal, id, author, time]} (none), {commit: {...}} ({no}), {wait_ms: N} ({hosts:
 * [...]}). At the end of input what was not committed is not. */
int command_change(struct settings *s, struct db *d);

/* `pgpgate site ...` (pgpgate.8). */
int command_init(struct settings *s, struct db *d);
int command_join(struct settings *s, struct db *d, bool drops_own);
int command_status(struct settings *s, struct db *d, bool is_json);
int command_leave(struct settings *s, struct db *d);
/* The record of all hosts; about: "SINCE,UNTIL,QUEUEID", times in seconds since 1970, the last one
 * or nothing. Lines of JSON: pages as verdict_page() of the centre gives them, an empty one at the
 * end, or {error}. */
int command_rows(struct settings *s, const char *about);
/* One line of JSON: {too_much, version, knows, is_other_key, is_hashed_here_alone}, or with error.
 */
int command_examine(struct settings *s, struct db *d);
int command_forget(struct settings *s, const char *name);

/* The daemon's work, until a signal. */
struct daemon_options;
int loop_run(const struct daemon_options *o, struct settings *s, struct db *d);

#endif
