/* SPDX-License-Identifier: ISC */
#include "db/record/person_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/engine/change.h"
#include "db/engine/column.h"
#include "db/engine/key.h"

#define STEP_ROWS 200  /* removed in one transaction: about 10 ms */
#define WALK_ROWS 2000 /* looked at in one transaction, where no index helps */
#define PAUSE_MS 2
#define CHECKPOINT_BYTES (512 << 10)

struct forgetting {
	struct db *d;
	char key[KEY_MAX]; /* under which it is stored, in one form */
	const char *address;
};

static void make_room(struct db *d)
{
	const struct timespec time = {.tv_nsec = PAUSE_MS * 1000000L};

	db_checkpoint(d, CHECKPOINT_BYTES);
	nanosleep(&time, NULL);
}

/* Runs a bound statement in its transaction, which is ended. Adds how many rows it changed. */
static int64_t run_step(struct db *d, sqlite3_stmt *st)
{
	const int result = st != NULL ? db_run(d, st) : -1;
	const int64_t n = result == 0 ? sqlite3_changes(d->handle) : 0;

	if (db_end(d, result) != 0)
		return -1;
	make_room(d);
	return n;
}

/* A statement with a limit, until nothing is left. */
static int remove_all(struct forgetting *f, enum sql_statement which, int64_t *n)
{
	int64_t got;

	do {
		sqlite3_stmt *st;

		if (db_begin_write(f->d) != 0)
			return -1;
		st = db_statement(f->d, which);
		if (st != NULL) {
			db_bind_text(st, 1, f->key);
			db_bind_int(st, 2, STEP_ROWS);
		}
		got = run_step(f->d, st);
		*n += got > 0 ? got : 0;
	} while (got >= STEP_ROWS);
	return got < 0 ? -1 : 0;
}

/* A statement over a range of ids, for all of them. */
static int walk_ids(struct forgetting *f, enum sql_statement which, enum sql_statement last,
		    const char *text, int64_t *n)
{
	int64_t to_id = 0;

	if (db_begin_read(f->d) != 0 || db_end(f->d, db_one(f->d, last, &to_id)) != 0)
		return -1;
	for (int64_t at = 0; at < to_id; at += WALK_ROWS) {
		sqlite3_stmt *st;
		int64_t got;

		if (db_begin_write(f->d) != 0)
			return -1;
		st = db_statement(f->d, which);
		if (st != NULL) {
			db_bind_text(st, 1, text);
			db_bind_int(st, 2, at);
			db_bind_int(st, 3, at + WALK_ROWS);
		}
		got = run_step(f->d, st);
		if (got < 0)
			return -1;
		*n += got;
	}
	return 0;
}

/* The key of the pair that ends the next step. 1, 0: the rest is shorter, -1. */
static int find_end(struct db *d, const char from[2][KEY_MAX], char to[2][KEY_MAX])
{
	sqlite3_stmt *st = db_statement(d, SQL_PAIR_SWEEP_END);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, from[0]);
	db_bind_text(st, 2, from[1]);
	db_bind_int(st, 3, WALK_ROWS);
	got = db_step(d, st);
	if (got == 1) {
		db_column_text(st, 0, to[0], KEY_MAX);
		db_column_text(st, 1, to[1], KEY_MAX);
	}
	sqlite3_reset(st);
	return got;
}

/* No index has recipients of pairs first: all are looked at. */
static int walk_pairs(struct forgetting *f, int64_t *n)
{
	char from[2][KEY_MAX] = {"", ""}, to[2][KEY_MAX];
	int more = 1;

	while (more == 1) {
		sqlite3_stmt *st = NULL;
		int64_t got;

		if (db_begin_write(f->d) != 0)
			return -1;
		more = find_end(f->d, from, to);
		if (more == 0) { /* no key is greater than this octet, which UTF-8 does not have */
			memcpy(to[0], "\xff", 2);
			to[1][0] = '\0';
		}
		if (more >= 0)
			st = db_statement(f->d, SQL_PERSON_PAIRS_RECEIVED);
		if (st != NULL) {
			db_bind_text(st, 1, f->key);
			db_bind_text(st, 2, from[0]);
			db_bind_text(st, 3, from[1]);
			db_bind_text(st, 4, to[0]);
			db_bind_text(st, 5, to[1]);
		}
		got = run_step(f->d, st);
		if (got < 0)
			return -1;
		*n += got;
		memcpy(from, to, sizeof from);
	}
	return 0;
}

/* Everything that is kept by key, under one form of it. */
static int forget_form(struct forgetting *f, struct person_counts *out)
{
	int64_t unwanted = 0;

	if (remove_all(f, SQL_PERSON_VERDICTS_SENT, &out->n_verdicts) != 0 ||
	    remove_all(f, SQL_PERSON_VERDICTS_RECEIVED, &out->n_verdicts) != 0 ||
	    remove_all(f, SQL_PERSON_REPLIES, &unwanted) != 0 ||
	    remove_all(f, SQL_PERSON_RECIPIENTS, &out->n_recipients) != 0 ||
	    walk_ids(f, SQL_PERSON_HEADER_FROM, SQL_PERSON_LAST_VERDICT, f->key, &out->n_others) !=
		    0)
		return -1;
	if (remove_all(f, SQL_PERSON_PAIRS_SENT, &out->n_pairs) != 0 ||
	    walk_pairs(f, &out->n_pairs) != 0)
		return -1;
	if (remove_all(f, SQL_PERSON_OUTGOING, &out->n_others) != 0 ||
	    remove_all(f, SQL_PERSON_BOUNCES, &out->n_others) != 0)
		return -1;
	if (remove_all(f, SQL_PERSON_SPLITS, &out->n_others) != 0)
		return -1;
	return remove_all(f, SQL_PERSON_SPLIT_VAIN, &out->n_others);
}

#define PERSON_TEXT_MAX 300

/* What the audit says: how much, never whose. */
static char *person_text(const struct person_counts *n, char out[PERSON_TEXT_MAX])
{
	snprintf(
		out, PERSON_TEXT_MAX,
		"one address: %lld verdicts, %lld times among others, %lld pairs, %lld rules, %lld "
		"rows of this history, %lld other rows",
		(long long)n->n_verdicts, (long long)n->n_recipients, (long long)n->n_pairs,
		(long long)n->n_rules, (long long)n->n_changes, (long long)n->n_others);
	return out;
}

static int audit(struct db *d, const struct person_counts *n, int64_t now_unix, const char *author,
		 int64_t *no)
{
	char text[PERSON_TEXT_MAX];
	struct change c = {.time_unix = now_unix, .author = author, .what = "forget-person"};
	const struct change_row row = {.before = person_text(n, text)};

	if (db_begin_write(d) != 0 || db_end(d, change_single(d, &c, &row)) != 0)
		return -1;
	*no = c.no;
	return 0;
}

int person_remove(struct db *d, const char *address, struct person_counts *out)
{
	struct forgetting f = {.d = d, .address = address};
	struct hashed form;

	memset(out, 0, sizeof *out);
	if (db_ready(d) != 0)
		return -1;
	form = d->hashed;
	for (int is_hashed = 0; is_hashed <= (form.has_key ? 1 : 0); is_hashed++) {
		form.is_on = is_hashed;
		key_stored(&form, address, f.key);
		if (forget_form(&f, out) != 0)
			return -1;
	}
	snprintf(f.key, sizeof f.key, "%s", address); /* keys are kept as rules are */
	if (remove_all(&f, SQL_PERSON_KEYS, &out->n_others) != 0 ||
	    remove_all(&f, SQL_PERSON_GROUPS, &out->n_others) != 0 ||
	    remove_all(&f, SQL_PERSON_CERTIFICATES, &out->n_others) != 0 ||
	    person_certificates(d, address, &out->n_others) != 0)
		return -1;
	if (walk_ids(&f, SQL_PERSON_RULES, SQL_RULE_LAST_ID, address, &out->n_rules) != 0)
		return -1;
	return walk_ids(&f, SQL_PERSON_CHANGES, SQL_PERSON_LAST_CHANGE_ROW, address,
			&out->n_changes);
}

int person_hand_over(struct db *d, const char *address, int64_t now_unix, const char *author,
		     struct person_counts *n)
{
	char keys[2][KEY_MAX], text[PERSON_TEXT_MAX];
	struct hashed form;
	struct db_remote_change c = {.time_unix = now_unix,
				     .author = author,
				     .what = "forget-person",
				     .person = address,
				     .before = person_text(n, text)};
	const struct db_remote_row row = {.recipient = "",
					  .sender = "",
					  .client = "",
					  .author = author,
					  .created_at_unix = now_unix};

	if (db_ready(d) != 0)
		return -1;
	form = d->hashed;
	for (int is_hashed = 0; is_hashed <= (form.has_key ? 1 : 0); is_hashed++) {
		form.is_on = is_hashed;
		c.person_key[is_hashed] = key_stored(&form, address, keys[is_hashed]);
	}
	if (person_certificates_hand_over(d, address, &row) != 0)
		return -1;
	return change_send(d, &c, &n->no);
}

int person_forget(struct db *d, const char *address, int64_t now_unix, const char *author,
		  struct person_counts *out)
{
	if (person_remove(d, address, out) != 0)
		return -1;
	if (out->n_verdicts + out->n_recipients + out->n_pairs + out->n_rules + out->n_changes +
		    out->n_others ==
	    0)
		return 0;
	return audit(d, out, now_unix, author, &out->no);
}

/* ---- telling ---- */

struct pairs_page {
	size_t n;
	struct {
		char sender[KEY_MAX], recipient[KEY_MAX];
		struct pair_record pair;
	} row[STEP_ROWS];
};

/* The next pairs after *from, of which those of the address are kept. How many were looked at, or
 * -1. */
static int read_page(struct db *d, char from[2][KEY_MAX], char keys[2][KEY_MAX], int n_keys,
		     struct pairs_page *page)
{
	sqlite3_stmt *st;
	int got = -1, n = 0;

	page->n = 0;
	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_PERSON_PAIRS_PAGE);
	if (st != NULL) {
		db_bind_text(st, 1, from[0]);
		db_bind_text(st, 2, from[1]);
		db_bind_int(st, 3, STEP_ROWS);
		while ((got = db_step(d, st)) == 1) {
			struct pair_record *pair = &page->row[page->n].pair;
			bool is_asked = false;

			n++;
			for (int i = 0; i < n_keys; i++)
				is_asked = is_asked || strcmp(column_text(st, 0), keys[i]) == 0 ||
					   strcmp(column_text(st, 1), keys[i]) == 0;
			if (n == STEP_ROWS) {
				db_column_text(st, 0, page->row[page->n].sender, KEY_MAX);
				db_column_text(st, 1, page->row[page->n].recipient, KEY_MAX);
				memcpy(from[0], page->row[page->n].sender, KEY_MAX);
				memcpy(from[1], page->row[page->n].recipient, KEY_MAX);
			}
			if (!is_asked)
				continue;
			key_to_address(column_text(st, 0), page->row[page->n].sender, KEY_MAX);
			key_to_address(column_text(st, 1), page->row[page->n].recipient, KEY_MAX);
			*pair = (struct pair_record){
				.first_encrypted_unix = sqlite3_column_int64(st, 2),
				.last_encrypted_unix = sqlite3_column_int64(st, 3),
				.n_encrypted = sqlite3_column_int64(st, 4),
				.first_cleartext_unix = sqlite3_column_int64(st, 5),
				.last_cleartext_unix = sqlite3_column_int64(st, 6),
				.n_cleartext = sqlite3_column_int64(st, 7)};
			page->n++;
		}
	}
	return db_end(d, got) == 0 ? n : -1;
}

int person_pairs(struct db *d, const char *address,
		 int (*tell)(void *context, const char *sender, const char *recipient,
			     const struct pair_record *pair),
		 void *context)
{
	char from[2][KEY_MAX] = {"", ""}, keys[2][KEY_MAX];
	struct pairs_page *page = calloc(1, sizeof *page);
	struct hashed form;
	int n, n_keys = 1, result = 0;

	if (page == NULL || db_ready(d) != 0) {
		free(page);
		return -1;
	}
	form = d->hashed;
	form.is_on = false;
	key_stored(&form, address, keys[0]);
	if (form.has_key) {
		form.is_on = true;
		key_stored(&form, address, keys[n_keys++]);
	}
	do {
		n = read_page(d, from, keys, n_keys, page);
		if (n < 0)
			result = -1;
		for (size_t i = 0; i < page->n && result == 0; i++)
			result = tell(context, page->row[i].sender, page->row[i].recipient,
				      &page->row[i].pair);
	} while (result == 0 && n == STEP_ROWS);
	free(page);
	return result;
}
