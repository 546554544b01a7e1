/* SPDX-License-Identifier: ISC */
#include "db/engine/key_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db/engine/file.h"
#include "db/engine/sealed.h"

static int read_check(struct db *d, char out[HASHED_CHECK_MAX])
{
	sqlite3_stmt *st = db_statement(d, SQL_STATE_KEY_CHECK);

	if (st == NULL || db_step(d, st) < 0)
		return -1;
	db_column_text(st, 0, out, HASHED_CHECK_MAX);
	sqlite3_reset(st);
	return 0;
}

static bool is_key_of(const struct hashed *h, const char *check)
{
	char found[HASHED_CHECK_MAX];

	return h->has_key && check[0] != '\0' && strcmp(check, hashed_check(h, found)) == 0;
}

/* Did one that replaced the key not get to give it its name? */
static bool has_unnamed(struct db *d, const char *check, struct hashed *out)
{
	return hashed_load_new(out, d->settings) == 0 && is_key_of(out, check);
}

static int refuse_lost(struct db *d)
{
	return db_fail(
		d, DB_ABSENT,
		"the key of its hashed addresses is lost (%.150s.key); restore it from where "
		"you keep it, or give up what is on record with \"pgpgate db init --new-key\"",
		d->path);
}

static int refuse_wrong(struct db *d)
{
	return db_fail(
		d, DB_ABSENT,
		"%.150s.key is not the key of its hashed addresses; restore the right one, or "
		"give up what is on record with \"pgpgate db init --new-key\"",
		d->path);
}

static int remember(struct db *d)
{
	char check[HASHED_CHECK_MAX];
	sqlite3_stmt *st = db_statement(d, SQL_STATE_SET_KEY_CHECK);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, hashed_check(&d->hashed, check));
	return db_run(d, st);
}

/* Within a write transaction, so that nobody writes another one meanwhile. */
static int name_key(struct db *d)
{
	char check[HASHED_CHECK_MAX];
	struct hashed unnamed;
	int result = read_check(d, check);

	if (result == 0 && has_unnamed(d, check, &unnamed))
		result = file_name_key(d);
	explicit_bzero(&unnamed, sizeof unnamed);
	return result;
}

/* The settings may have changed: keys of recipients are kept as they say now. What cannot be read
 * waits for whoever changes keys. */
static int settle_keys(struct db *d, const char *known)
{
	return is_key_of(&d->hashed, known) ? sealed_settle(d) : 0;
}

/* Another key, or the first. It gets its name when the database knows it for good: until then what
 * is kept is to be read with the old one, and from then on with this one alone. */
static int replace(struct db *d, const unsigned char *given, bool is_first)
{
	struct hashed before = d->hashed;
	int result = name_key(d); /* of whom we come after */

	if (result == 0)
		result = file_make_key(d, given, d->hashed.key);
	if (result == 0) {
		d->hashed.is_on = d->settings->hash_addresses;
		d->hashed.has_key = true;
		result = is_first ? sealed_settle(d) : sealed_settle_anew(d, &before);
	}
	if (result == 0)
		result = remember(d);
	if (result == 0)
		hashed_forget();
	else
		d->hashed = before;
	explicit_bzero(&before, sizeof before);
	return result;
}

/* The order of both on the disk: a commit that a loss of power takes back would leave the database
 * with a key that it does not know. Outside of a transaction. */
static int commit_for_good(struct db *d)
{
	return sqlite3_exec(d->handle, "PRAGMA synchronous = FULL", NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : db_fail_engine(d, "opening");
}

/* Within a write transaction, so that of two who come at once only one makes a key. */
static int settle_in_transaction(struct db *d, bool is_anew)
{
	char check[HASHED_CHECK_MAX];
	int64_t has_hashed = 0;
	struct hashed unnamed;

	if (read_check(d, check) != 0 || db_one(d, SQL_STATE_HAS_HASHED, &has_hashed) != 0)
		return -1;
	if (has_unnamed(d, check, &unnamed))
		d->hashed = unnamed;
	explicit_bzero(&unnamed, sizeof unnamed);
	if (is_anew)
		return replace(d, NULL, false);
	if (check[0] != '\0')
		return settle_keys(d, check);
	if (!d->hashed.has_key && has_hashed)
		return refuse_lost(d);
	/* One of a version that was killed while it wrote has no 32 octets, and nothing was stored
	 * under it. */
	if (!d->hashed.has_key)
		return replace(d, NULL, true);
	return sealed_settle(d) == 0 ? remember(d) : -1;
}

static int begin(struct db *d)
{
	if (file_lock(d, false, d->busy_ms) != 1)
		return d->failure != DB_OK ? -1 : db_fail(d, DB_BUSY, "the lock file is held");
	if (db_run(d, db_statement(d, SQL_BEGIN_WRITE)) != 0) {
		file_unlock(d);
		return -1;
	}
	d->is_in_transaction = true;
	return 0;
}

static int name_in_transaction(struct db *d)
{
	return begin(d) == 0 ? db_end(d, name_key(d)) : -1;
}

static int settle(struct db *d)
{
	if (commit_for_good(d) != 0 || begin(d) != 0 ||
	    db_end(d, settle_in_transaction(d, d->mode == DB_NEW_KEY)) != 0)
		return -1;
	return name_in_transaction(d);
}

/* The key that is there, by whichever name, while it is the database's. */
static int load(struct db *d, char known[HASHED_CHECK_MAX], char sentence[DB_ERROR_MAX])
{
	int failed = hashed_load(&d->hashed, d->settings, sentence, DB_ERROR_MAX);
	struct hashed unnamed;

	if (read_check(d, known) != 0)
		return -1;
	if (is_key_of(&d->hashed, known))
		return failed != 0 ? 1 : 0;
	if (!has_unnamed(d, known, &unnamed)) {
		/* It may have got its name between the two looks. */
		failed = hashed_load(&d->hashed, d->settings, sentence, DB_ERROR_MAX);
		return failed != 0 ? 1 : 0;
	}
	if (d->mode != DB_READ && name_in_transaction(d) != 0) {
		d->failure = DB_OK; /* the next one will */
		d->error[0] = '\0';
	}
	failed = d->hashed.is_on && hashed_is_another(&unnamed, d->settings);
	if (failed)
		snprintf(sentence, DB_ERROR_MAX,
			 "%.300s.key: not the key that this process began with; restart", d->path);
	else
		d->hashed = unnamed;
	explicit_bzero(&unnamed, sizeof unnamed);
	return failed;
}

int key_check(struct db *d)
{
	char known[HASHED_CHECK_MAX], sentence[DB_ERROR_MAX];
	int failed = 0;

	if (d->mode == DB_CREATE || d->mode == DB_NEW_KEY) {
		hashed_load(&d->hashed, d->settings, sentence, sizeof sentence);
		if (settle(d) != 0)
			return -1;
	}
	failed = load(d, known, sentence);
	if (failed < 0)
		return -1;
	if (!d->hashed.is_on) {
		/* Only to look into what is on record under it: another key finds nothing, and is
		 * as good as none. */
		d->hashed.has_key = d->hashed.has_key &&
				    (known[0] == '\0' || is_key_of(&d->hashed, known));
		return 0;
	}
	if (failed != 0 && known[0] != '\0' && !d->hashed.has_key) {
		char path[DB_PATH_MAX + 8];

		snprintf(path, sizeof path, "%s.key", d->path);
		if (access(path, F_OK) != 0)
			return refuse_lost(d);
	}
	if (failed != 0)
		return db_fail(d, DB_ABSENT, "%s", sentence);
	if (known[0] == '\0')
		return db_fail(d, DB_ABSENT, "does not know its key yet; run \"pgpgate db init\"");
	if (!is_key_of(&d->hashed, known))
		return refuse_wrong(d);
	hashed_confirm(&d->hashed, d->settings);
	return 0;
}

static int take_in_transaction(struct db *d, const unsigned char *key)
{
	int64_t has_hashed = 0;

	if (db_one(d, SQL_STATE_HAS_RECORD, &has_hashed) != 0)
		return -1;
	if (has_hashed)
		return db_fail(
			d, DB_BUSY,
			"there are addresses on record under the key of this host alone; \"pgpgate "
			"db init --new-key\" gives them up");
	return replace(d, key, false);
}

int db_take_key(struct db *d, const unsigned char *key)
{
	if (db_ready(d) != 0 || commit_for_good(d) != 0 || db_begin_write(d) != 0 ||
	    db_end(d, take_in_transaction(d, key)) != 0)
		return -1;
	return name_in_transaction(d);
}

int64_t db_keys_dropped(const struct db *d)
{
	return d->n_keys_dropped;
}
