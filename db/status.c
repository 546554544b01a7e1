/* SPDX-License-Identifier: ISC
 *
 * status.c: `pgpgate db status`, `check`, `backup`, and the pause.
 */
#include "db/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define BACKUP_PAGES 256 /* a step: 1 MiB, under one read lock */

/* ---- status ---- */

static int64_t bytes_of(const char *path, const char *suffix)
{
	char full[DB_PATH_MAX + 8];
	struct stat st;

	snprintf(full, sizeof full, "%s%s", path, suffix);
	return stat(full, &st) == 0 ? (int64_t)st.st_size : 0;
}

static int read_verdict_span(struct db *d, struct db_status *out)
{
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_SPAN);

	if (st == NULL || db_step(d, st) != 1)
		return -1;
	if (sqlite3_column_int64(st, 0) > 0) /* as all of ours are: what is none counts as nothing */
		out->n_verdicts = sqlite3_column_int64(st, 1) - sqlite3_column_int64(st, 0) + 1;
	out->first_verdict_unix = sqlite3_column_int64(st, 2);
	out->last_verdict_unix = sqlite3_column_int64(st, 3);
	sqlite3_reset(st);
	return 0;
}

/* Counted only when they have changed: a million takes 100 ms, and the policy server does nothing else then. */
static int count_rules(struct db *d, int64_t *n)
{
	sqlite3_stmt *st = db_statement(d, SQL_METRICS_RULES_CHANGED);
	int64_t last_audit, last_rule;

	if (st == NULL || db_step(d, st) != 1)
		return -1;
	last_audit = sqlite3_column_int64(st, 0);
	last_rule = sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
	if (!d->rules_counted.is_known || d->rules_counted.last_audit != last_audit ||
	    d->rules_counted.last_rule != last_rule) {
		if (db_one(d, SQL_COUNT_RULES, &d->rules_counted.n) != 0)
			return -1;
		d->rules_counted.is_known = true;
		d->rules_counted.last_audit = last_audit;
		d->rules_counted.last_rule = last_rule;
	}
	*n = d->rules_counted.n;
	return 0;
}

static int get_status(struct db *d, bool count_pairs, struct db_status *out)
{
	struct statvfs fs;
	struct db_state state;
	int result = -1;

	memset(out, 0, sizeof *out);
	snprintf(out->path, sizeof out->path, "%s", d->path);
	out->file_bytes = bytes_of(d->path, "");
	out->wal_bytes = bytes_of(d->path, "-wal");
	if (statvfs(d->path, &fs) == 0)
		out->free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	out->schema_version = db_schema_version(d);
	if (db_begin_read(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0 && count_rules(d, &out->n_rules) == 0 &&
	    (!count_pairs || db_one(d, SQL_COUNT_PAIRS, &out->n_pairs) == 0) &&
	    read_verdict_span(d, out) == 0)
		result = 0;
	if (result == 0 && state.paused_until_unix > clock_now_unix())
		out->paused_until_unix = state.paused_until_unix;
	return db_end(d, result);
}

int db_get_status(struct db *d, struct db_status *out)
{
	return get_status(d, true, out);
}

int db_get_vitals(struct db *d, struct db_status *out)
{
	return get_status(d, false, out);
}

/* ---- check ---- */

struct complaints {
	void (*tell)(void *context, const char *complaint);
	void *context;
	int n;
};

static void complain(struct complaints *c, const char *complaint)
{
	c->n++;
	c->tell(c->context, complaint);
}

static int check_integrity(struct db *d, struct complaints *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHECK_INTEGRITY);
	int got;

	if (st == NULL)
		return -1;
	while ((got = db_step(d, st)) == 1) {
		const char *text = (const char *)sqlite3_column_text(st, 0);

		if (text != NULL && strcmp(text, "ok") != 0)
			complain(c, text);
	}
	return got;
}

static int check_foreign_keys(struct db *d, struct complaints *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHECK_FOREIGN_KEYS);
	char text[200];
	int got;

	if (st == NULL)
		return -1;
	while ((got = db_step(d, st)) == 1) {
		snprintf(text, sizeof text, "a row of %.60s names a row of %.60s that is not there",
			 (const char *)sqlite3_column_text(st, 0),
			 (const char *)sqlite3_column_text(st, 2));
		complain(c, text);
	}
	return got;
}

static int check_invariants(struct db *d, struct complaints *c)
{
	static const struct {
		enum sql_statement which;
		int64_t expected;
		const char *complaint;
	} checks[] = {
		{SQL_CHECK_STATE, 1, "the table state should have one row"},
		{SQL_CHECK_VERDICTS_WITHOUT_RECIPIENTS, 0, "there are verdicts without recipients"},
		{SQL_CHECK_PAIRS, 0, "there are pairs whose counts and times disagree"},
	};
	int64_t found;

	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		if (db_one(d, checks[i].which, &found) != 0)
			return -1;
		if (found != checks[i].expected)
			complain(c, checks[i].complaint);
	}
	return 0;
}

int db_check(struct db *d, void (*tell)(void *context, const char *complaint), void *context)
{
	struct complaints c = {.tell = tell, .context = context};
	int result = 0;

	/* Each in its own snapshot, so that the WAL can be written back in between. */
	if (db_ready(d) != 0 || check_integrity(d, &c) != 0 || check_foreign_keys(d, &c) != 0)
		result = -1;
	if (result == 0 && c.n == 0)
		result = check_invariants(d, &c);
	return result == 0 ? c.n : -1;
}

/* ---- backup ---- */

static int run_backup(struct db *d, sqlite3 *to, const char *file,
		      void (*progress)(void *context, int done, int total), void *context)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", d->handle, "main");
	int rc = backup != NULL ? SQLITE_OK : sqlite3_errcode(to);
	int n_waits = 0;

	while (backup != NULL) {
		rc = sqlite3_backup_step(backup, BACKUP_PAGES);
		if (progress != NULL && sqlite3_backup_pagecount(backup) > 0)
			progress(context,
				 sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup),
				 sqlite3_backup_pagecount(backup));
		if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
			break;
		if (rc != SQLITE_OK && ++n_waits > DB_BUSY_MS)
			break;
		if (rc != SQLITE_OK)
			nanosleep(&pause, NULL);
	}
	sqlite3_backup_finish(backup);
	if (rc == SQLITE_DONE)
		return 0;
	return db_fail(d, (rc & 0xff) == SQLITE_FULL ? DB_FULL : DB_BROKEN, "backup to %.200s: %s",
		       file, sqlite3_errstr(rc));
}

int db_backup(struct db *d, const char *file, void (*progress)(void *context, int done, int total),
	      void *context)
{
	sqlite3 *to = NULL;
	int fd, result;

	if (db_ready(d) != 0)
		return -1;
	/* Never over something that is there: it may be the last good backup. */
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return db_fail(d, errno == ENOSPC ? DB_FULL : DB_NO_PERMISSION,
			       "backup to %.200s: %s%s", file, strerror(errno),
			       errno == EEXIST ? "; choose another name, or remove it" : "");
	close(fd);
	if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		result = db_fail(d, DB_NO_PERMISSION, "backup to %.200s: %s", file, sqlite3_errmsg(to));
	/* One snapshot for all steps: the engine begins again whenever another connection has written. The WAL
	 * grows meanwhile, and mail goes on. */
	else if (db_begin_read(d) != 0)
		result = -1;
	else
		result = db_end(d, run_backup(d, to, file, progress, context));
	if (sqlite3_close(to) != SQLITE_OK && result == 0)
		result = db_fail(d, DB_BROKEN, "backup to %.200s: cannot be closed", file);
	fd = result == 0 ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (result == 0 && (fd < 0 || fsync(fd) != 0))
		result = db_fail(d, DB_BROKEN, "backup to %.200s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (result != 0)
		unlink(file); /* half a backup would be taken for one */
	return result;
}

/* ---- pause ---- */

static int pause_in_transaction(struct db *d, int64_t until_unix, int64_t now_unix, const char *author)
{
	char until[CLOCK_TEXT_MAX] = "";
	struct db_state state;
	sqlite3_stmt *st;

	if (db_read_state(d, &state) != 0 || (st = db_statement(d, SQL_STATE_PAUSE)) == NULL)
		return -1;
	db_bind_int_or_null(st, 1, until_unix);
	if (db_run(d, st) != 0)
		return -1;
	if (until_unix != 0)
		clock_format(until_unix, until);
	return db_audit(d, state.live_generation, now_unix, author,
			until_unix != 0 ? "pause" : "resume", NULL, NULL, until);
}

int db_pause(struct db *d, int64_t until_unix, int64_t now_unix, const char *author)
{
	if (db_begin_write(d) != 0)
		return -1;
	return db_end(d, pause_in_transaction(d, until_unix, now_unix, author));
}

int db_paused_until(struct db *d, int64_t now_unix, int64_t *until_unix)
{
	struct db_state state;
	int result;

	if (db_begin_read(d) != 0)
		return -1;
	result = db_end(d, db_read_state(d, &state));
	*until_unix = result == 0 && state.paused_until_unix > now_unix ? state.paused_until_unix : 0;
	return result;
}
