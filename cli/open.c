/* SPDX-License-Identifier: ISC */
#include "cli/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/clock.h"
#include "common/user.h"
#include "db/site.h"

#define DEFAULT_USER "pgpgate" /* of the setting user */

struct settings *open_settings(const struct cli *cli)
{
	char err[1024];
	struct settings *s = settings_load(cli->config_path, !cli->config_is_explicit,
					   cli->overrides, cli->n_overrides, err, sizeof(err));

	if (s == NULL) {
		cli_error("%s", err);
		exit(EX_CONFIG);
	}
	return s;
}

void open_ask_postfix(struct settings *s)
{
	char err[1024];

	if (settings_ask_postfix(s, NULL, err, sizeof(err)) != 0)
		cli_warning("%s", err);
}

/* 1: root, and to become u. 0: nothing to do. Otherwise an exit code, negative. */
static int find_user(const struct settings *s, struct user *u)
{
	char err[400];
	int code;

	if (geteuid() != 0 || s->user[0] == '\0')
		return 0;
	cli_author(); /* who we are now is who makes a change */
	code = user_find(s->user, u, err, sizeof(err));
	if (code == 0)
		return 1;
	/* Where nobody has made the default user yet, no daemon runs as it, and nobody is in its
	 * group. */
	if (code == EX_NOUSER && strcmp(s->user, DEFAULT_USER) == 0)
		return 0;
	cli_error("%s", err);
	return -code;
}

int open_try_user(const struct settings *s, gid_t other_gid)
{
	struct user u;
	char err[400];
	int code = find_user(s, &u);

	if (code <= 0)
		return -code;
	u.other_gid = other_gid;
	code = user_become(&u, err, sizeof(err));
	if (code != 0)
		cli_error("%s", err);
	return code;
}

void open_become_user(const struct settings *s)
{
	const int code = open_try_user(s, (gid_t)-1);

	if (code != 0)
		exit(code);
}

void open_leave_root(void)
{
	struct user u;
	char err[400];
	int code;

	user_nobody(&u);
	code = geteuid() == 0 ? user_become(&u, err, sizeof(err)) : 0;
	if (code == 0)
		return;
	cli_error("%s", err);
	exit(code);
}

void open_refuse_root(const char *what)
{
	if (geteuid() != 0)
		return;
	cli_error("%s is not read as root, and there is no other user to become: set user in the "
		  "configuration, or make the user " DEFAULT_USER,
		  what);
	exit(EX_CONFIG);
}

struct mail_opener *open_mail(char *const *operands, size_t n)
{
	struct mail_opener *o = mail_opener_new(operands, n);

	if (o != NULL)
		return o;
	cli_error("cannot start a process: %s", strerror(errno));
	exit(EX_OSERR);
}

struct db *open_connection(struct settings *s, enum db_mode mode)
{
	struct db *d;

	open_become_user(s);
	d = db_open(s, mode);
	if (d != NULL)
		return d;
	cli_error("out of memory");
	exit(EX_OSERR);
}

static int show_exemption(void *context, const char *recipient, const char *author,
			  int64_t expires_unix)
{
	char when[CLOCK_TEXT_MAX];

	(void)context;
	cli_warning("exempt on this host alone until %s: %s (by %s)",
		    output_time(expires_unix, when), recipient, author);
	return 0;
}

/* What holds on this host alone, since the centre of its site was away. */
static void show_here(struct db *d, int64_t now)
{
	struct site_state state;
	char when[CLOCK_TEXT_MAX];

	if (site_read(d, &state) != 1)
		return;
	if (state.here_paused_until_unix > now)
		cli_warning("PAUSED on this host alone until %s: nothing is refused here; `pgpgate "
			    "resume` ends it",
			    output_time(state.here_paused_until_unix, when));
	site_here_list(d, now, show_exemption, NULL);
}

void open_show_pause(struct db *d)
{
	int64_t now = clock_now_unix();
	int64_t until;
	char when[CLOCK_TEXT_MAX];
	char left[OUTPUT_NUMBER_MAX];

	show_here(d, now);
	if (db_paused_until(d, now, &until) != 0)
		cli_warning("whether a pause is on cannot be told: %s", db_error(d));
	else if (until > now)
		cli_warning("PAUSED until %s (%s): nothing is refused; `pgpgate resume` ends it",
			    output_time(until, when), output_duration(left, until - now));
}

struct db *open_database_silently(struct settings *s, enum db_mode mode)
{
	struct db *d = open_connection(s, mode);
	int code;

	if (db_failure(d) != DB_OK) {
		code = open_failed(d);
		db_close(d);
		exit(code);
	}
	return d;
}

struct db *open_database(struct settings *s, enum db_mode mode)
{
	struct db *d = open_database_silently(s, mode);

	open_show_pause(d);
	return d;
}

void open_pause_notice(struct settings *s)
{
	struct db *d;

	if (s->database_path == NULL || open_try_user(s, (gid_t)-1) != 0)
		return;
	if (faccessat(AT_FDCWD, s->database_path, R_OK, AT_EACCESS) == 0) {
		d = db_open(s, DB_READ);
		if (d != NULL && db_failure(d) == DB_OK)
			open_show_pause(d);
		db_close(d);
	}
}

int open_failed(const struct db *d)
{
	int code = db_sysexit(db_failure(d));

	cli_error("%s", db_error(d)[0] != '\0' ? db_error(d) : "the database failed");
	return code != 0 ? code : EX_SOFTWARE;
}
