/* SPDX-License-Identifier: ISC
 *
 * feed.c: verdicts and what other hosts ask of history, to and from JSON (site.h).
 */
#include "db/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/engine/internal.h"
#include "db/policy.h"
#include "db/policy/split.h"

#define DIGEST_BYTES 32

/* The one text of a statement with up to three numbers, malloc()ed. */
static char *read_text(struct db *d, enum sql_statement which, int n, const int64_t *numbers)
{
	sqlite3_stmt *st = db_statement(d, which);
	char *text = NULL;

	if (st == NULL)
		return NULL;
	for (int i = 0; i < n; i++)
		db_bind_int(st, i + 1, numbers[i]);
	if (db_step(d, st) == 1 && sqlite3_column_text(st, 0) != NULL)
		text = strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_reset(st);
	return text;
}

static int read_end(struct db *d, enum sql_statement which, int n, const int64_t *numbers,
		    int64_t *out)
{
	sqlite3_stmt *st = db_statement(d, which);
	int got;

	if (st == NULL)
		return -1;
	for (int i = 0; i < n; i++)
		db_bind_int(st, i + 1, numbers[i]);
	got = db_step(d, st);
	if (got == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return got < 0 ? -1 : 0;
}

static int read_batch(struct db *d, int n_rows, int64_t now_unix, struct site_batch *out)
{
	const int64_t end[] = {out->from_no, n_rows};
	int64_t range[3];

	out->to_no = out->from_no;
	if (read_end(d, SQL_SITE_PUSH_END, 2, end, &out->to_no) != 0 ||
	    read_end(d, SQL_SITE_RETRACTED_END, 0, NULL, &out->retracted_to) != 0)
		return -1;
	range[0] = out->from_no;
	range[1] = out->to_no;
	range[2] = now_unix - SPLIT_EVIDENCE_S;
	out->rows = read_text(d, SQL_SITE_PUSH_ROWS, 2, range);
	out->feed = read_text(d, SQL_SITE_FEED_ROWS, 3, range);
	out->retracted = read_text(d, SQL_SITE_RETRACTED_ROWS, 1, &out->retracted_to);
	return out->rows != NULL && out->feed != NULL && out->retracted != NULL ? 0 : -1;
}

int site_batch_read(struct db *d, int64_t from_no, int n_rows, int64_t now_unix,
		    struct site_batch *out)
{
	memset(out, 0, sizeof *out);
	out->from_no = from_no;
	if (db_begin_read(d) != 0)
		return -1;
	if (db_end(d, read_batch(d, n_rows, now_unix, out)) == 0)
		return 0;
	site_batch_free(out);
	return -1;
}

void site_batch_free(struct site_batch *b)
{
	free(b->rows);
	free(b->feed);
	free(b->retracted);
	memset(b, 0, sizeof *b);
}

static int run_with_text(struct db *d, enum sql_statement which, const char *text)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, text);
	return db_run(d, st);
}

static int run_with_number(struct db *d, enum sql_statement which, int64_t number)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, number);
	return db_run(d, st);
}

int site_batch_done(struct db *d, const struct site_batch *b)
{
	int result = 0;

	if (strcmp(b->feed, "[]") == 0 && b->retracted_to == 0)
		return 0;
	if (db_begin_write(d) != 0)
		return -1;
	if (strcmp(b->feed, "[]") != 0)
		result = run_with_text(d, SQL_SITE_FEED_KNOWN, b->feed);
	if (result == 0 && strcmp(b->feed, "[]") != 0)
		result = run_with_text(d, SQL_SITE_FEED_OVER, b->feed);
	if (result == 0 && b->retracted_to != 0)
		result = run_with_text(d, SQL_SITE_RETRACTED_DONE, b->retracted);
	return db_end(d, result);
}

/* ---- all of it ---- */

static const struct {
	enum sql_statement end, rows;
} walked[] = {{SQL_PAIR_SWEEP_END, SQL_SITE_FEED_PAIRS_ALL},
	      {SQL_OUTGOING_SWEEP_END, SQL_SITE_FEED_WINDOWS_ALL},
	      {SQL_SITE_FEED_BOUNCE_END, SQL_SITE_FEED_BOUNCES_ALL}};
#define N_WALKED ((int)(sizeof walked / sizeof walked[0]))
static const char highest[] = "\xf4\x8f\xbf\xbf"; /* after every key */

/* The key that ends the next step. 1, 0: the rest is one step, -1. */
static int walk_end(struct db *d, const struct site_walk *w, int n_rows, char a[1300], char b[1300])
{
	sqlite3_stmt *st = db_statement(d, walked[w->table].end);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, w->a);
	db_bind_text(st, 2, w->b);
	db_bind_int(st, 3, n_rows);
	got = db_step(d, st);
	snprintf(a, 1300, "%s", highest);
	snprintf(b, 1300, "%s", highest);
	if (got == 1) {
		db_column_text(st, 0, a, 1300);
		db_column_text(st, 1, b, 1300);
	}
	sqlite3_reset(st);
	return got;
}

static int walk_step(struct db *d, struct site_walk *w, int n_rows, struct site_batch *out)
{
	char a[1300], b[1300];
	const int got = walk_end(d, w, n_rows, a, b);
	sqlite3_stmt *st = got < 0 ? NULL : db_statement(d, walked[w->table].rows);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, w->a);
	db_bind_text(st, 2, w->b);
	db_bind_text(st, 3, a);
	db_bind_text(st, 4, b);
	if (db_step(d, st) == 1 && sqlite3_column_text(st, 0) != NULL)
		out->feed = strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_reset(st);
	out->rows = strdup("[]");
	out->retracted = strdup("[]");
	if (out->feed == NULL || out->rows == NULL || out->retracted == NULL)
		return -1;
	memcpy(w->a, a, sizeof w->a);
	memcpy(w->b, b, sizeof w->b);
	if (got == 0) {
		w->table++;
		w->a[0] = w->b[0] = '\0';
	}
	return w->table < N_WALKED ? 1 : 0;
}

int site_walk_read(struct db *d, struct site_walk *w, int n_rows, struct site_batch *out)
{
	int more;

	memset(out, 0, sizeof *out);
	if (db_begin_read(d) != 0)
		return -1;
	more = walk_step(d, w, n_rows, out);
	if (db_end(d, more < 0 ? -1 : 0) == 0)
		return more;
	site_batch_free(out);
	return -1;
}

/* ---- what comes ---- */

#define SPLIT_OVER 4 /* flag of an item: its message got its last answer */

/* Room for a split item of a feed. */
struct split_item {
	char sender[1300], recipient[1300], which[128];
	int64_t flags, time_unix;
};

static int unhex(const char *text, unsigned char out[DIGEST_BYTES])
{
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		unsigned octet;

		if (sscanf(text + 2 * i, "%2x", &octet) != 1)
			return -1;
		out[i] = (unsigned char)octet;
	}
	return 0;
}

static int put_split(struct db *d, const struct split_item *item)
{
	const char *colon = strchr(item->which, ':');
	unsigned char digest[DIGEST_BYTES];
	sqlite3_stmt *st;

	if (colon == NULL || strlen(colon + 1) != 2 * DIGEST_BYTES || unhex(colon + 1, digest) != 0)
		return 0; /* not written by us */
	st = db_statement(d, item->flags & SPLIT_OVER ? SQL_SITE_SPLIT_OVER : SQL_SPLIT_INSERT);
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, item->sender);
	db_bind_int(st, 2, strtoll(item->which, NULL, 10));
	db_bind_text(st, 3, item->recipient);
	sqlite3_bind_blob(st, 4, digest, DIGEST_BYTES, SQLITE_STATIC);
	if (item->flags & SPLIT_OVER) {
		db_bind_int(st, 5, item->time_unix);
		return db_run(d, st);
	}
	db_bind_int(st, 5, item->flags & 1);
	db_bind_int(st, 6, item->flags >> 1 & 1);
	db_bind_int(st, 7, item->time_unix);
	return db_run(d, st);
}

static int apply_splits(struct db *d, const char *feed, int64_t now_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_SITE_FEED_SPLITS);
	struct split_item item;
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, feed);
	db_bind_int(st, 2, now_unix - SPLIT_EVIDENCE_S);
	while ((got = db_step(d, st)) == 1) {
		db_column_text(st, 0, item.sender, sizeof item.sender);
		db_column_text(st, 1, item.recipient, sizeof item.recipient);
		db_column_text(st, 2, item.which, sizeof item.which);
		item.flags = sqlite3_column_int64(st, 3);
		item.time_unix = sqlite3_column_int64(st, 4);
		if (put_split(d, &item) != 0)
			return -1;
	}
	return got;
}

int site_apply_feed(struct db *d, const char *feed, int64_t feed_no, int64_t now_unix)
{
	static const enum sql_statement which[] = {SQL_SITE_FEED_PAIRS,	  SQL_SITE_FEED_WINDOWS,
						   SQL_SITE_FEED_BOUNCES, SQL_SITE_FEED_COUNTS,
						   SQL_SITE_FEED_KNOWN,	  SQL_SITE_FEED_OVER};
	int result;

	if (db_begin_write(d) != 0)
		return -1;
	result = apply_splits(d, feed, now_unix); /* they ask what was known before */
	for (size_t i = 0; i < sizeof which / sizeof which[0] && result == 0; i++)
		result = run_with_text(d, which[i], feed);
	if (result == 0)
		result = run_with_number(d, SQL_SITE_SET_FEED, feed_no);
	return db_end(d, result);
}

/* ---- what is over ---- */

#define EXPIRE_ROWS 500
#define SECONDS_A_DAY 86400

/* How many rows went, or -1. */
static int expire_kind(struct db *d, const char *kind, int64_t before_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_SITE_KNOWN_EXPIRE_KIND);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, kind);
	db_bind_int(st, 2, before_unix);
	db_bind_int(st, 3, EXPIRE_ROWS);
	return db_run(d, st) == 0 ? sqlite3_changes(d->handle) : -1;
}

int site_expire(struct db *d, int64_t now_unix)
{
	const int64_t pairs_s = d->settings->pair_retention_s;
	/* What is asked for no longer than this need not be known longer; told once more it does no
	 * harm. */
	const struct {
		const char *kind;
		int64_t age_s;
	} kinds[] = {{"split", 2 * SPLIT_EVIDENCE_S},
		     {"bounce", BOUNCE_WINDOW_S + SECONDS_A_DAY},
		     {"window", pairs_s},
		     {"pair", pairs_s}};
	int n = 0, more = 0, result;

	if (db_begin_write(d) != 0)
		return -1;
	result = run_with_number(d, SQL_SITE_BOUNCES_EXPIRE, now_unix / SECONDS_A_DAY - 1);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && result == 0; i++) {
		n = kinds[i].age_s > 0 ? expire_kind(d, kinds[i].kind, now_unix - kinds[i].age_s)
				       : 0;
		result = n < 0 ? -1 : 0;
		more |= n == EXPIRE_ROWS;
	}
	return db_end(d, result) == 0 ? more : -1;
}

int site_backlog(struct db *d, int64_t *n, int64_t *oldest_unix, int64_t *n_lost)
{
	struct site_state state;
	sqlite3_stmt *st;
	int got = site_read(d, &state);

	*n = *oldest_unix = *n_lost = 0;
	if (got != 1)
		return got;
	if (db_begin_read(d) != 0)
		return -1;
	got = -1;
	st = db_statement(d, SQL_SITE_UNPUSHED);
	if (st != NULL) {
		db_bind_int(st, 1, state.pushed_no);
		got = db_step(d, st);
	}
	if (got == 1) {
		*n = sqlite3_column_int64(st, 0);
		*oldest_unix = sqlite3_column_int64(st, 1);
		*n_lost = sqlite3_column_int64(st, 2);
	}
	return db_end(d, got < 0 ? -1 : 0);
}

int64_t site_last_verdict(struct db *d)
{
	int64_t id = -1;

	if (db_begin_read(d) != 0)
		return -1;
	return db_end(d, db_one(d, SQL_VERDICT_LAST_ID, &id)) == 0 ? id : -1;
}
