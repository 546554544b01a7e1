/* SPDX-License-Identifier: ISC */
#include "db/engine/internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "db/engine/companions.h"
#include "db/engine/file.h"
#include "db/engine/key_check.h"
#include "db/engine/schema.h"
#include "db/engine/sealed.h"
#include "db/engine/wal_mark.h"

/* Waits 1 ms at a time: imports and retention leave short gaps, which the engine's own growing
 * pauses miss. */
static int wait_while_busy(void *context, int n_waits)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	struct db *d = context;
	const int64_t now_ms = clock_monotonic_ms();

	if (n_waits == 0)
		d->busy_until_ms = now_ms + d->busy_ms;
	if (now_ms >= d->busy_until_ms)
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

static int note_wal_pages(void *context, sqlite3 *handle, const char *schema, int n_pages)
{
	struct db *d = context;

	(void)handle;
	(void)schema;
	d->wal_pages = n_pages;
	return SQLITE_OK;
}

static void configure_engine(void)
{
	/* Its statistics would be one lock for all threads. Fails harmlessly when SQLite is in use
	 * already. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool db_is_still_the_file(const struct db *d)
{
	struct stat now;

	return lstat(d->path, &now) == 0 && now.st_ino == d->opened.st_ino &&
	       now.st_dev == d->opened.st_dev && now.st_mode == d->opened.st_mode &&
	       now.st_uid == d->opened.st_uid && now.st_gid == d->opened.st_gid;
}

/* It has written, and may be the last. */
static void mark_at_close(struct db *d)
{
	const int busy_ms = d->busy_ms;
	const enum db_failure failure = d->failure;
	char error[DB_ERROR_MAX];

	memcpy(error, d->error, sizeof error);
	d->busy_ms = 0; /* who holds it is not the last to close, either */
	if (file_lock(d, false, 0) == 1)
		wal_mark_close(d);
	file_unlock(d);
	d->busy_ms = busy_ms;
	d->failure = failure;
	memcpy(d->error, error, sizeof error);
}

static void close_handle(struct db *d)
{
	if (d->handle != NULL && d->must_reopen)
		companions_suspect(d);
	/* The last connection writes the WAL back and removes it, by its name: not when that is
	 * another file's by now, nor when the engine has failed. */
	if (d->handle != NULL &&
	    (d->must_reopen || !db_is_still_the_file(d) || companions_look(d) != 0))
		sqlite3_db_config(d->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	else if (d->handle != NULL && d->wal_pages >= 0 && !d->is_in_transaction)
		mark_at_close(d);
	for (size_t i = 0; i < d->n_prepared; i++) {
		sqlite3_finalize(d->statements[d->prepared[i]]);
		d->statements[d->prepared[i]] = NULL;
	}
	d->n_prepared = 0;
	sqlite3_close(d->handle);
	d->handle = NULL;
	memset(&d->index, 0, sizeof d->index);
	companions_leave(d);
	d->is_in_transaction = false;
	file_unlock(d);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	d->lock_fd = -1;
	d->must_reopen = d->is_suspect = false;
	d->wal_pages = -1;
	d->wal_marked_pages = -1;
	d->rules_counted.is_known = false;
	d->seen.is_known = d->seen.has_state = d->seen.has_splits = false;
}

static int set_up_handle(struct db *d)
{
	char pragmas[512];

	sqlite3_busy_handler(d->handle, wait_while_busy, d);
	sqlite3_extended_result_codes(d->handle, 1);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	snprintf(pragmas, sizeof pragmas,
		 "PRAGMA wal_autocheckpoint = 0;"
		 "PRAGMA cell_size_check = ON;"
		 "PRAGMA mmap_size = 0;"
		 "PRAGMA cache_size = -%d;"
		 "PRAGMA journal_size_limit = 67108864;"
		 "PRAGMA synchronous = %s;"
		 "PRAGMA query_only = %s;",
		 DB_CACHE_KIB, d->settings->verdict_sync == SYNC_POWER ? "FULL" : "NORMAL",
		 d->mode == DB_READ ? "ON" : "OFF");
	if (sqlite3_exec(d->handle, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail_engine(d, "opening");
	sqlite3_wal_hook(d->handle, note_wal_pages, d);
	return 0;
}

static bool is_creating(const struct db *d)
{
	return d->mode == DB_CREATE || d->mode == DB_NEW_KEY;
}

static int open_handle(struct db *d)
{
	if (strlen(d->settings->database_path) > DB_PATH_MAX - 16)
		return db_fail(d, DB_ABSENT, "the path is too long");
	if (is_creating(d) && file_create(d) != 0)
		return -1;
	if (file_check(d, &d->opened) != 0)
		return -1;
	if (file_check_beside(d) != 0 || companions_enter(d) != 0 ||
	    (d->mode != DB_READ && file_open_lock(d) != 0))
		return -1;
	/* Readers too: WAL's shared memory is theirs to make. query_only keeps them from writing.
	 */
	if (sqlite3_open_v2(d->path, &d->handle,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			    NULL) != SQLITE_OK)
		return db_fail_engine(d, "opening");
	if (wal_mark_check(d) != 0 || set_up_handle(d) != 0 || sealed_register(d) != 0)
		return -1;
	if (d->mode != DB_READ && sqlite3_db_readonly(d->handle, "main") == 1)
		return db_fail(d, DB_NO_PERMISSION, "read-only%s",
			       db_is_mounted_read_only(d)
				       ? DB_MOUNT_MEND
				       : "; let this user join the file's group");
	if ((is_creating(d) ? schema_migrate(d, true) : schema_check(d)) != 0)
		return -1;
	companions_remember(d);
	return key_check(d);
}

int db_ready(struct db *d)
{
	/* Three stat(2), under a microsecond each: a database that was moved away must not go on
	 * answering. */
	if (d->handle != NULL && !d->must_reopen &&
	    (d->is_in_transaction || (db_is_still_the_file(d) && companions_look(d) == 0))) {
		d->failure = DB_OK;
		d->error[0] = '\0';
		return 0;
	}
	close_handle(d);
	d->failure = DB_OK;
	d->error[0] = '\0';
	if (d->has_site_rows)
		return db_fail(d, DB_BUSY, "it was replaced meanwhile; try again");
	if (open_handle(d) == 0)
		return 0;
	close_handle(d);
	return -1;
}

void db_look(struct db *d)
{
	db_ready(d);
}

struct db *db_open(struct settings *s, enum db_mode mode)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct db *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	pthread_once(&once, configure_engine);
	d->settings = settings_ref(s);
	d->mode = mode;
	d->lock_fd = -1;
	d->wal_pages = d->wal_marked_pages = -1;
	d->busy_ms = DB_BUSY_MS;
	snprintf(d->path, sizeof d->path, "%s", s->database_path);
	db_ready(d);
	/* From now on as any writer: a file that vanishes later is not made anew. */
	if (is_creating(d) && d->failure == DB_OK)
		d->mode = DB_WRITE;
	return d;
}

void db_close(struct db *d)
{
	if (d == NULL)
		return;
	close_handle(d);
	settings_unref(d->settings);
	explicit_bzero(&d->hashed, sizeof d->hashed);
	free(d);
}

const struct hashed *db_hashed(const struct db *d)
{
	return &d->hashed;
}

int db_schema_version(struct db *d)
{
	/* What is too old or too new has a version all the same. */
	if (db_ready(d) == 0 || d->failure == DB_TOO_OLD || d->failure == DB_TOO_NEW)
		return d->schema_version;
	return -1;
}

int db_migrate(struct db *d, void (*progress)(void *context, int from_version, int64_t n_verdicts),
	       void *context)
{
	/* The connection refuses an old schema at opening: open it as db init does, the file being
	 * there. */
	const enum db_mode mode = d->mode;
	struct stat st;
	int result;

	if (file_check(d, &st) != 0)
		return -1;
	d->mode = DB_CREATE;
	d->must_reopen = true;
	d->migrating.progress = progress;
	d->migrating.context = context;
	result = db_ready(d);
	d->migrating.progress = NULL;
	d->mode = mode == DB_CREATE || mode == DB_NEW_KEY ? DB_WRITE : mode;
	return result;
}

void db_set_remote(struct db *d, struct db_remote *r)
{
	d->remote = r;
}
