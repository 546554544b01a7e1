/* SPDX-License-Identifier: ISC
 *
 * open.h: the configuration and the database, opened for a subcommand or explained in one line on standard
 * error. A system whose enforcement is paused says so once, whatever the command.
 */
#ifndef PGPGATE_CLI_OPEN_H
#define PGPGATE_CLI_OPEN_H

#include "cli/cli.h"
#include "common/settings.h"
#include "db/db.h"

/* The settings in force (one reference). Ends the process with 78 (EX_CONFIG) when they are wrong. */
struct settings *open_settings(const struct cli *cli);

/* A usable connection, or ends the process with db_sysexit(). Shows a pause. */
struct db *open_database(struct settings *s, enum db_mode mode);

/* The same, without a word about a pause: for the commands that begin and end one. */
struct db *open_database_silently(struct settings *s, enum db_mode mode);

/* For commands that need no database: shows a pause if there is a database to ask, and says nothing
 * otherwise. */
void open_pause_notice(struct settings *s);

/* One line from db_error(), and the exit code for it. */
int open_failed(const struct db *d);

#endif
