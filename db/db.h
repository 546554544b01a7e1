/* SPDX-License-Identifier: ISC
 *
 * db.h: connections to the database, its schema, and its upkeep. Nothing outside db/ sees the
 * engine.
 *
 * A connection belongs to one thread at a time; a pool hands connections from thread to thread
 * under a lock. Every function that can fail returns -1 and leaves one sentence (what failed, on
 * which file, and the mend where there is one) in db_error(); a connection whose engine has failed
 * reopens itself at the next use, so that a mended database needs no restart.
 *
 * SQLite, as measured: WAL; wal_autocheckpoint=0; our writers hold DATABASE.lock shared (flock) for
 * each write transaction and whoever checkpoints holds it exclusively. Who closes the last
 * connection of all processes has the file for itself: the engine then writes the WAL back and
 * removes it, so that after a clean stop the database is one file.
 */
#ifndef PGPGATE_DB_DB_H
#define PGPGATE_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"

#define DB_ERROR_MAX 512

enum db_mode {
	DB_READ,    /* no writes; the file must exist */
	DB_WRITE,   /* the file must exist with a schema that this program knows */
	DB_CREATE,  /* makes file and schema, and a key where the database knows none (db init) */
	DB_NEW_KEY, /* the same, and another key, whatever was there (db init --new-key) */
};

/* Why an open or an operation failed, for exit codes and replies. */
enum db_failure {
	DB_OK = 0,
	DB_ABSENT,	  /* no such file */
	DB_NO_PERMISSION, /* file, directory, WAL or lock file: unreadable, unwritable */
	DB_NOT_OURS,	  /* not a database, or not of pgpgate */
	DB_TOO_NEW,	  /* schema from the future */
	DB_TOO_OLD,	  /* schema to be migrated first (`pgpgate db migrate`) */
	DB_NETWORK_FS,	  /* on a network file system */
	DB_BUSY,	  /* a lock was not had in time */
	DB_FULL,	  /* no space */
	DB_BROKEN,	  /* I/O error, corruption */
};

struct db;

/* s is borrowed for the life of the connection (a reference is taken). Always returns a connection
 * unless memory is short (NULL); db_failure() says whether it is usable. */
struct db *db_open(struct settings *s, enum db_mode mode);
void db_close(struct db *d);
enum db_failure db_failure(const struct db *d);
const char *db_error(const struct db *d); /* "" when the last call succeeded; borrowed */
/* For a connection that lies idle: closes it when its files were replaced, and opens it anew; some
 * stat(2) otherwise. What fails is told by the next use. */
void db_look(struct db *d);
int db_sysexit(enum db_failure f); /* the sysexits(3) code of the command line for a failure */

/* A pool for threads: db_pool_get() reuses an idle connection or opens one. Never NULL unless
 * memory is short. db_pool_put() takes it back (a broken one is closed). */
struct db_pool;
struct db_pool *db_pool_new(struct settings *s, enum db_mode mode, size_t max_idle);
struct db *db_pool_get(struct db_pool *p);
void db_pool_put(struct db_pool *p, struct db *d);
void db_pool_free(struct db_pool *p);

/* The schema version of this program, and of the open file (-1 on failure). */
int db_schema_current(void);
int db_schema_version(struct db *d);

/* To the current version, in one transaction. progress, which may be NULL, is called at the
 * beginning of a step and several times a second during it: from which version, and about how many
 * verdicts there are, for a step that reads them all (some seconds a million). 0 or -1. */
int db_migrate(struct db *d, void (*progress)(void *context, int from_version, int64_t n_verdicts),
	       void *context);

struct db_status {
	char path[4096];
	int schema_version;
	int64_t file_bytes, wal_bytes, free_bytes; /* of the database, its WAL, its file system */
	int64_t unused_bytes; /* within the database: for new rows, or for db_compact() */
	int64_t n_rules, n_verdicts, n_pairs; /* n_verdicts: estimated from the first and last id */
	int64_t first_verdict_unix, last_verdict_unix; /* 0: none */
	int64_t paused_until_unix;		       /* 0: not paused */
};
int db_get_status(struct db *d, struct db_status *out);
int db_get_vitals(struct db *d,
		  struct db_status *out); /* without n_pairs, which takes seconds per 10 million */

/* PRAGMA integrity_check, foreign_key_check and our own invariants; each complaint is told. Returns
 * the number of complaints, or -1. */
int db_check(struct db *d, void (*tell)(void *context, const char *complaint), void *context);

/* Where a backup goes: FILE, which must not exist. It is written as FILE.partial, which an
 * interrupted one leaves behind and the next one writes anew, and named FILE when it is whole.
 * db_copy_begin() and db_copy_end() name files and are called by whoever may write there;
 * db_backup() in between names none. Both give DB_OK, or why not with a sentence. db_copy_end() and
 * db_copy_abandon() (NULL allowed) release c, and so does a failed db_copy_end(). */
struct db_copy;
enum db_failure db_copy_begin(const char *file, struct db_copy **out, char err[DB_ERROR_MAX]);
enum db_failure db_copy_end(struct db_copy *c, char err[DB_ERROR_MAX]);
void db_copy_abandon(struct db_copy *c);

/* Online backup, while the daemons run. progress(done, total pages) may be NULL. 0 or -1. */
int db_backup(struct db *d, struct db_copy *c, void (*progress)(void *context, int done, int total),
	      void *context);

/* The key of hashed addresses, as a file of its own. 0, or -1 when there is none or it cannot be
 * written. */
int db_backup_key(struct db *d, struct db_copy *c);

/* DATABASE.key becomes this one (HASHED_KEY_BYTES), unless something is on record under the one
 * that is there: as a host takes that of its site. The connection has it afterwards. 0 or -1. */
int db_take_key(struct db *d, const unsigned char *key);

/* Keys of recipients that nobody could read any more when this connection replaced the key. */
int64_t db_keys_dropped(const struct db *d);

/* `pgpgate db restore`: FILE in place of the database. db_restore_begin() names FILE, FILE-wal (of
 * a copy that was made with one) and FILE.key (where it is there), and is called by whoever may
 * read them; db_restore() names only what is beside the database. It refuses what is damaged, not
 * ours, too new, without its key while log_addresses = hashed, and while any process has the
 * database open; what was there is kept under another name. Both give DB_OK, or why not with a
 * sentence. */
struct db_restore;
struct db_restored {
	char kept[4096];    /* where what was there is now; "": nothing was */
	int schema_version; /* of what is there now: older than ours, it is to be migrated */
	bool has_new_key;   /* FILE.key was put in place, the old one kept beside `kept` */
	bool lacks_key;	    /* addresses are no longer hashed, and what is on record under its key
			       cannot be found */
};
enum db_failure db_restore_begin(const char *file, struct db_restore **out, char err[DB_ERROR_MAX]);
enum db_failure db_restore(struct db_restore *r, struct settings *s, struct db_restored *out,
			   char err[DB_ERROR_MAX]);
void db_restore_end(struct db_restore *r); /* NULL allowed */

/* Gives the space of what was removed back to the file system. In steps of some 20 ms while mail
 * flows; interrupted, the next call goes on. A database that an older version made has to be
 * rebuilt first, which keeps all writers out: without may_rebuild, must_rebuild is set and nothing
 * is done. progress(done, total pages) may be NULL; total 0: not known. 0 or -1. */
struct db_compaction {
	bool may_rebuild;
	void (*progress)(void *context, int64_t done, int64_t total);
	void *context;
	bool must_rebuild;		   /* out */
	int64_t before_bytes, after_bytes; /* out: the file's */
};
int db_compact(struct db *d, struct db_compaction *c);

/* Checkpoints the WAL if it is longer than `threshold_bytes` and the lock is free: 1 done, 0 not
 * needed or not now, -1 failed. */
int db_checkpoint(struct db *d, int64_t threshold_bytes);

/* Another process that reads an old state, which keeps the WAL from being written back: "process
 * 1234 (sqlite3)" in out. False: none at this moment, or it cannot be seen from here. */
bool db_wal_holder(struct db *d, char *out, size_t out_size);

/* Changes that are made elsewhere: on a host that belongs to a site, at its centre
 * (pgpgate-site(7)). Whoever changes rules, pauses or the record of pairs with this connection
 * looks at what is here and then hands the change over; it comes back, as everybody's does, through
 * site.h. row() is called for each rule, then commit() once. Each returns 0, or -1 with a sentence
 * in err. The struct is borrowed until the connection closes or NULL is set. */
struct db_remote_row {
	const char *text; /* rule_format() of the rule, or of what is removed */
	const char *recipient, *sender, *client; /* its key, as it is stored */
	bool is_removal;
	int64_t id; /* of the rule from now on */
	const char *author;
	int64_t created_at_unix;
};
struct db_remote_change {
	int64_t time_unix;
	const char *author, *what, *owner; /* owner: NULL or "": none */
	int64_t undoes;
	bool is_pause;
	int64_t paused_until_unix;  /* 0: a pause ends */
	const char *before, *after; /* of what is no rule, as people read it; NULL: none */
	const char *sender_key[2],
		*recipient_key[2]; /* forget-history: forms of the pair; NULL: no (second) one */
	const char *person,
		*person_key[2]; /* forget-person: whom, and forms of the key; NULL likewise */
};
struct db_remote {
	void *context;
	int64_t next_rule; /* ids of new rules are taken from here */
	int (*row)(void *context, const struct db_remote_row *row, char err[DB_ERROR_MAX]);
	int (*commit)(void *context, const struct db_remote_change *change, int64_t *no,
		      char err[DB_ERROR_MAX]);
};
void db_set_remote(struct db *d, struct db_remote *r);

/* Judge and log, refuse nothing, until then (0 ends it). Audited, unless it is so already. undoes:
 * the change that this takes back, or 0. *no: its number, 0 when nothing changed; may be NULL. */
int db_pause_as(struct db *d, int64_t until_unix, int64_t now_unix, const char *author,
		int64_t undoes, int64_t *no);
int db_paused_until(struct db *d, int64_t now_unix, int64_t *until_unix); /* 0 when not paused */

#endif
