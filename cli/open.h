/* SPDX-License-Identifier: ISC
 *
 * open.h: the configuration and the database, opened for a subcommand or explained in one line on
 * standard error. A system whose enforcement is paused says so once, whatever the command.
 *
 * Whoever is in the group of the state directory can plant links there. So root becomes the `user`
 * of the settings before it touches that directory, for good; what root names on the command line
 * (a file to read or to write) is opened before. What is to be written as root from what the
 * database holds is read by a process of its own, which has become that user (apart.h). What
 * strangers wrote (a message, a certificate) is never read by root.
 */
#ifndef PGPGATE_CLI_OPEN_H
#define PGPGATE_CLI_OPEN_H

#include <sys/types.h>

#include "cli/cli.h"
#include "cli/mail_open.h"
#include "common/settings.h"
#include "db/db.h"

/* The settings in force (one reference). Ends the process with 78 (EX_CONFIG) when they are wrong.
 */
struct settings *open_settings(const struct cli *cli);

/* settings_ask_postfix(), with a warning. After open_database(): it is to see what the daemons see.
 */
void open_ask_postfix(struct settings *s);

/* Root becomes settings' user, for good. Ends the process when that cannot be. For others, with an
 * empty user, and where the default user is not there (yet), nothing happens. */
void open_become_user(const struct settings *s);

/* The same with a group more, or (gid_t)-1; returns 0, or an exit code after having said why. */
int open_try_user(const struct settings *s, gid_t other_gid);

/* Who is still root after that becomes nobody: to read what strangers wrote. */
void open_leave_root(void);

/* Ends the process of who is still root after that, and cannot do without the database: "a
 * stranger's certificate". */
void open_refuse_root(const char *what);

/* mail_opener_new(), or ends the process: before this process becomes somebody else. */
struct mail_opener *open_mail(char *const *operands, size_t n);

/* A connection, usable or not, as that user. Ends the process when memory is short. */
struct db *open_connection(struct settings *s, enum db_mode mode);

/* A usable connection, or ends the process with db_sysexit(). Shows a pause. */
struct db *open_database(struct settings *s, enum db_mode mode);

/* The same, without a word about a pause: for the commands that begin and end one. */
struct db *open_database_silently(struct settings *s, enum db_mode mode);

/* Shows a pause, once a command. */
void open_show_pause(struct db *d);

/* For commands that need no database: becomes the user, if that can be, shows a pause if there is a
 * database to ask, and says nothing otherwise. */
void open_pause_notice(struct settings *s);

/* One line from db_error(), and the exit code for it. */
int open_failed(const struct db *d);

#endif
