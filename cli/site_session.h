/* SPDX-License-Identifier: ISC
 *
 * site_session.h: a change that the centre of a site makes (pgpgate-site(7)). This program has no
 * libpq: pgpgate-sync speaks to the centre, beside this process, over pipes (sync/commands.h).
 * Without `centre` nothing happens here. One command, one session.
 */
#ifndef PGPGATE_CLI_SITE_SESSION_H
#define PGPGATE_CLI_SITE_SESSION_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/cli.h"
#include "common/settings.h"
#include "db/db.h"

/* Before a change: afterwards the connection's changes go to the centre, which is locked until
 * site_session_end(), and the database here has all that came before. Returns 0, or an exit code
 * after having said why. is_away, if not NULL: the centre cannot be reached is set there, and
 * nothing said. */
int site_session_begin(const struct cli *cli, struct settings *s, struct db *d, bool *is_away);

/* After it: waits until this host has the change, and a little for the others (--wait), and says
 * who has it. Called before db_close() by whoever called begin; does nothing without a session.
 * Returns code, the command's exit code so far; or, when that is 0 and --wait was over first,
 * EX_TEMPFAIL. */
int site_session_end(int code);

/* The words of pgpgate-sync with this process' options: argv for it, malloc()ed. Does not return
 * where memory is short. */
char **site_session_words(const struct cli *cli, const char *command, int n, char *const *more);
/* Starts it beside this process, with pipes for what it reads and says. 0, or an exit code after
 * having said why. Then its next line, as JSON; NULL: there is none. site_session_stop() waits for
 * its end. */
int site_session_start(char **words);
json_t *site_session_line(void);
void site_session_stop(void);
/* Replaces this process by pgpgate-sync. Returns an exit code after having said why it cannot. */
int site_session_exec(char **words);

#endif
