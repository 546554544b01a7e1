/* SPDX-License-Identifier: ISC */
#include "cli/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/clock.h"

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

static void show_pause(struct db *d)
{
	int64_t now = clock_now_unix();
	int64_t until;
	char when[CLOCK_TEXT_MAX];
	char left[OUTPUT_NUMBER_MAX];

	if (db_paused_until(d, now, &until) != 0 || until <= now)
		return;
	cli_warning("PAUSED until %s (%s): nothing is refused; `pgpgate resume` ends it",
		    clock_format(until, when), output_duration(left, until - now));
}

struct db *open_database_silently(struct settings *s, enum db_mode mode)
{
	struct db *d = db_open(s, mode);
	int code;

	if (d == NULL) {
		cli_error("out of memory");
		exit(EX_OSERR);
	}
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

	show_pause(d);
	return d;
}

void open_pause_notice(struct settings *s)
{
	struct db *d;

	if (s->database_path == NULL || access(s->database_path, R_OK) != 0)
		return;
	d = db_open(s, DB_READ);
	if (d != NULL && db_failure(d) == DB_OK)
		show_pause(d);
	if (d != NULL)
		db_close(d);
}

int open_failed(const struct db *d)
{
	int code = db_sysexit(db_failure(d));

	cli_error("%s", db_error(d)[0] != '\0' ? db_error(d) : "the database failed");
	return code != 0 ? code : EX_SOFTWARE;
}
