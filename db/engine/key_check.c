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

static int load(struct db *d)
{
	char sentence[DB_ERROR_MAX];

	if (hashed_load(&d->hashed, d->settings, sentence, sizeof sentence) != 0)
		return db_fail(d, DB_ABSENT, "%s", sentence);
	return 0;
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

/* The settings may have changed: keys of recipients are kept as they say now. What cannot be read
 * waits for whoever changes keys. */
static int settle_keys(struct db *d, const char *known)
{
	char found[HASHED_CHECK_MAX];

	return d->hashed.has_key && strcmp(known, hashed_check(&d->hashed, found)) == 0
		       ? sealed_settle(d)
		       : 0;
}

/* Within a write transaction, so that of two who come at once only one makes a key. The key has its
 * name before the database knows it: one that was killed in between leaves a key that is taken the
 * next time. */
static int settle_in_transaction(struct db *d, bool is_anew)
{
	struct hashed before = d->hashed;
	char check[HASHED_CHECK_MAX];
	int64_t has_hashed = 0;
	int result;

	if (read_check(d, check) != 0 || db_one(d, SQL_STATE_HAS_HASHED, &has_hashed) != 0)
		return -1;
	if (!is_anew && check[0] != '\0')
		return settle_keys(d, check);
	/* Hashing is off while we look: what is there may be missing, or cut. */
	d->hashed.is_on = false;
	if (is_anew || !d->hashed.has_key) {
		if (!is_anew && has_hashed)
			return refuse_lost(d);
		/* One of a version that was killed while it wrote has no 32 octets, and nothing was
		 * stored under it. */
		if (file_make_key(d, true, NULL) != 0)
			return -1;
		hashed_forget();
	}
	if (load(d) != 0)
		return -1;
	result = is_anew ? sealed_settle_anew(d, &before) : sealed_settle(d);
	explicit_bzero(&before, sizeof before);
	return result == 0 ? remember(d) : -1;
}

static int settle(struct db *d)
{
	const bool is_anew = d->mode == DB_NEW_KEY;

	if (file_lock(d, false, d->busy_ms) != 1)
		return d->failure != DB_OK ? -1 : db_fail(d, DB_BUSY, "the lock file is held");
	if (db_run(d, db_statement(d, SQL_BEGIN_WRITE)) != 0) {
		file_unlock(d);
		return -1;
	}
	d->is_in_transaction = true;
	return db_end(d, settle_in_transaction(d, is_anew));
}

int key_check(struct db *d)
{
	char known[HASHED_CHECK_MAX], found[HASHED_CHECK_MAX], sentence[DB_ERROR_MAX];
	int failed = hashed_load(&d->hashed, d->settings, sentence, sizeof sentence);
	const bool is_making = d->mode == DB_CREATE || d->mode == DB_NEW_KEY;

	if (is_making && settle(d) != 0)
		return -1;
	if (is_making)
		failed = hashed_load(&d->hashed, d->settings, sentence, sizeof sentence);
	if (read_check(d, known) != 0)
		return -1;
	if (!d->hashed.is_on) {
		/* Only to look into what is on record under it: another key finds nothing, and is
		 * as good as none. */
		d->hashed.has_key = d->hashed.has_key &&
				    (known[0] == '\0' ||
				     strcmp(known, hashed_check(&d->hashed, found)) == 0);
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
	if (strcmp(known, hashed_check(&d->hashed, found)) != 0)
		return refuse_wrong(d);
	hashed_confirm(&d->hashed, d->settings);
	return 0;
}

static int take_in_transaction(struct db *d, const unsigned char *key)
{
	struct hashed before = d->hashed;
	int64_t has_hashed = 0;
	int result;

	if (db_one(d, SQL_STATE_HAS_RECORD, &has_hashed) != 0)
		return -1;
	if (has_hashed)
		return db_fail(
			d, DB_BUSY,
			"there are addresses on record under the key of this host alone; \"pgpgate "
			"db init --new-key\" gives them up");
	if (file_make_key(d, true, key) != 0)
		return -1;
	hashed_forget();
	result = load(d) != 0 ? -1 : sealed_settle_anew(d, &before);
	explicit_bzero(&before, sizeof before);
	return result == 0 ? remember(d) : -1;
}

int db_take_key(struct db *d, const unsigned char *key)
{
	return db_begin_write(d) == 0 ? db_end(d, take_in_transaction(d, key)) : -1;
}
