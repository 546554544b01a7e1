/* SPDX-License-Identifier: ISC
 *
 * internal.h: what the files of db/ share: the connection, its statements, its transactions. Nobody
 * outside db/ includes it (unit tests of db/ do).
 *
 * How a public function looks: db_begin_read() or db_begin_write(), statements, db_end() with 0 or
 * -1. Each of these opens the connection if it must, and sets db_failure() and db_error() when it
 * fails.
 */
#ifndef PGPGATE_DB_INTERNAL_H
#define PGPGATE_DB_INTERNAL_H

#include <sys/stat.h>
#include <sys/types.h>

#include <sqlite3.h>

#include "common/log_limit.h"
#include "db/db.h"
#include "db/hashed.h"
#include "db/sql_statements.h"

#define DB_APPLICATION_ID 1346850887 /* 'PGPG', as in migration 1 */
#define DB_PATH_MAX 4096
#define DB_BUSY_MS 5000	  /* the longest that a statement waits for another process */
#define DB_CACHE_KIB 1024 /* a connection's page cache: the file system has one too */
#define DB_FILE_MODE 0660

/* Where the engine locks its files: os_unix.c, SHARED_FIRST and SHARED_SIZE. Whoever has it open
 * holds it shared. */
#define DB_SHARED_FIRST 0x40000002
#define DB_SHARED_SIZE 510

#define WAL_SALTS_BYTES 8 /* of a generation of the log */

/* The one row of the table state, within a transaction. */
struct db_state {
	int64_t live_generation;
	int64_t paused_until_unix; /* 0: not paused */
	int64_t import_first_rule; /* -1: nothing to clean up */
	int64_t import_change_key; /* -1 likewise */
	/* Of a host of a site (policy_site.c): what a decision asks at once with the rest. */
	bool is_at_site, has_exemptions_here;
	int64_t last_pull_unix, here_paused_until_unix;
};

struct db {
	struct settings *settings; /* one reference */
	enum db_mode mode;
	char path[DB_PATH_MAX];
	sqlite3 *handle;				  /* NULL: closed */
	sqlite3_stmt *statements[SQL_STATEMENT_COUNT];	  /* prepared at first use */
	enum sql_statement prepared[SQL_STATEMENT_COUNT]; /* which they are */
	size_t n_prepared;
	struct stat opened; /* the file that handle has open */
	int lock_fd;	    /* DATABASE.lock, or -1 */
	bool has_lock;	    /* flock held */
	bool is_in_transaction;
	bool is_relied_on;  /* its end is told to somebody, and nothing else brings it back */
	bool must_reopen;   /* the engine failed */
	bool is_suspect;    /* in a way that a log or index that was harmed would explain */
	bool has_site_rows; /* db/site/rows.c: another record than the file's, which would come back
			       if it were opened anew */
	bool was_constraint; /* the last failure: a row that the schema does not take */
	int schema_version;  /* of the file when it was looked at last */
	struct {
		bool is_known;	      /* never where this connection writes itself */
		int64_t data_version; /* as long as it is that of the transaction */
		bool has_state;
		struct db_state state;
		bool has_splits, is_any_split; /* split.c */
	} seen;
	int busy_ms;
	int64_t busy_until_ms;	    /* of the wait under way */
	int wal_pages;		    /* after our last commit; -1: not known */
	int wal_marked_pages;	    /* the same when wal_mark.c looked last; -1: it has not */
	int64_t next_checkpoint_ms; /* somebody reads for long */
	struct log_limit wal_is_held;
	struct {
		struct opened_file *file; /* NULL: the engine has none open */
		bool are_known;
		struct stat wal, index;
		unsigned char salts[WAL_SALTS_BYTES]; /* of the log, when first_page was read */
		uint32_t first_page;
	} companions;
	struct {
		sqlite3_file *file;
		volatile const unsigned char *head; /* NULL: not known yet */
	} index;				    /* of handle: wal_index.c */
	struct hashed hashed;
	const struct hashed *hashed_before; /* while a key is replaced: sealed.h */
	int64_t n_keys_dropped;		    /* when it was */
	struct {
		bool is_known;
		int64_t last_change, last_rule; /* as long as these are the last */
		int64_t n;
	} rules_counted; /* status.c */
	struct {
		void (*progress)(void *context, int from_version, int64_t n_verdicts);
		void *context;
		int from_version;
		int64_t n_verdicts;
	} migrating;		  /* schema.c */
	struct db_remote *remote; /* borrowed; NULL: changes are made here */
	enum db_failure failure;
	char error[DB_ERROR_MAX];
};

/* Opens if needed: closed, failed before, or the file was replaced, moved or made unreadable
 * meanwhile. */
int db_ready(struct db *d);

/* By its name: not moved, replaced or made unreadable. One stat(2). */
bool db_is_still_the_file(const struct db *d);

/* Closes what lies idle in the pools of this process. */
void db_pools_drop_idle(void);

/* Transactions. db_end(d, 0) commits, db_end(d, -1) rolls back and keeps the error; returns 0 or
 * -1. */
int db_begin_read(struct db *d);
int db_begin_write(struct db *d);
int db_end(struct db *d, int result);

/* A statement, reset, without bindings; NULL with the error set. Valid until the connection closes.
 */
sqlite3_stmt *db_statement(struct db *d, enum sql_statement which);
/* 1: a row is there, 0: no more (reset), -1: failed (reset, error set). */
int db_step(struct db *d, sqlite3_stmt *st);
/* Runs a statement without rows. 0 or -1. */
int db_run(struct db *d, sqlite3_stmt *st);
/* The first column of the first row of a statement without parameters, as integer. 0 or -1. */
int db_one(struct db *d, enum sql_statement which, int64_t *out);

/* Bindings. Text is borrowed until the next db_statement() of the same name; NULL binds NULL. */
void db_bind_text(sqlite3_stmt *st, int n, const char *text);
void db_bind_int(sqlite3_stmt *st, int n, int64_t value);
void db_bind_int_or_null(sqlite3_stmt *st, int n, int64_t value);     /* 0 is NULL */
void db_bind_text_or_null(sqlite3_stmt *st, int n, const char *text); /* "" is NULL */
/* A column into a buffer, cut if need be; NULL is "". */
void db_column_text(sqlite3_stmt *st, int column, char *out, size_t out_size);

/* Sets failure and the sentence "PATH: text". Returns -1. */
int db_fail(struct db *d, enum db_failure failure, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what the engine said last. Returns -1. */
int db_fail_engine(struct db *d, const char *doing);
bool db_is_mounted_read_only(struct db *d);
#define DB_MOUNT_MEND                                                                        \
	"; its file system is mounted read-only: mount it for writing, after a look at why " \
	"(dmesg)"

/* Within a transaction. */
int db_read_state(struct db *d, struct db_state *out);

#endif
