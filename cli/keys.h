/* SPDX-License-Identifier: ISC
 *
 * keys.h: the subcommands of `pgpgate keys`, and what they share. One thread.
 */
#ifndef PGPGATE_CLI_KEYS_H
#define PGPGATE_CLI_KEYS_H

#include <stdbool.h>

#include "cli/cli.h"
#include "db/keys.h"

int keys_run_import(struct cli *cli, int argc, char **argv);
int keys_run_export(struct cli *cli, int argc, char **argv);
int keys_run_check(struct cli *cli, int argc, char **argv);
int keys_run_learn(struct cli *cli, int argc, char **argv);
int keys_run_list(struct cli *cli, int argc, char **argv);
int keys_run_expiring(struct cli *cli, int argc, char **argv);
int keys_run_forget(struct cli *cli, int argc, char **argv);
int keys_run_group(struct cli *cli, int argc, char **argv);

/* The tell() of struct keys_change: a line or an object for each key; context is a struct
 * keys_show. */
struct keys_show {
	const struct cli *cli;
	bool is_dry_run;
	bool tells_unchanged;
};
void keys_show_change(void *context, enum rule_outcome o, const struct recipient_key *k);

/* "2 added, 1 changed, 40 unchanged (change 12)". */
void keys_show_result(const struct cli *cli, const struct keys_result *r, bool is_dry_run);

/* The tell() of keys_groups(); context is the struct cli. */
int keys_show_group(void *context, const char *pattern, const char *member, bool wants_all);

/* The state now: an active key may have expired since it was put. */
enum key_state keys_state_at(const struct recipient_key *k, int64_t now_unix);

/* Upper-case digits without blanks and "0x"; 0, or -1: it is no fingerprint. */
int keys_fingerprint(const char *text, char out[FINGERPRINT_MAX]);

#endif
