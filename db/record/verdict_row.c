/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_row.h"

#include <string.h>

#include "db/engine/column.h"
#include "db/engine/key.h"
#include "db/record/key_ids.h"

static void fill_row(struct arena *a, sqlite3_stmt *st, struct verdict_row *row)
{
	struct verdict_record *r = &row->record;
	struct judgement *j = &row->judgement;

	memset(row, 0, sizeof *row);
	row->id = sqlite3_column_int64(st, 0);
	r->time_unix = sqlite3_column_int64(st, 1);
	r->queue_id = column_keep(a, st, 2);
	r->host = column_keep(a, st, 3);
	r->client = column_keep(a, st, 4);
	r->authenticated = column_keep(a, st, 5);
	r->sender = column_keep_address(a, st, 6);
	r->header_from = column_keep_address(a, st, 7);
	r->is_local = sqlite3_column_int(st, 8) != 0;
	r->message_id = column_keep(a, st, 9);
	r->declared_size_bytes = sqlite3_column_type(st, 10) == SQLITE_NULL
					 ? SIZE_NOT_DECLARED
					 : sqlite3_column_int64(st, 10);
	r->size_bytes = column_count(st, 11);
	verdict_from_name(column_text(st, 12), &j->verdict);
	form_from_name(column_text(st, 13), &j->form);
	db_column_text(st, 14, j->reason, sizeof j->reason);
	db_column_text(st, 15, j->detail, sizeof j->detail);
	j->cleartext_bytes = column_count(st, 16);
	j->returns_readable = sqlite3_column_int(st, 17) != 0;
	j->size_bytes = r->size_bytes;
	action_from_name(column_text(st, 18), &r->action);
	action_from_name(column_text(st, 19), &r->would);
	r->reply = column_keep(a, st, 20);
	key_ids_parse(column_text(st, 21), j);
}

static void fill_recipient(struct arena *a, sqlite3_stmt *st, struct verdict_recipient *r)
{
	r->address = column_keep_address(a, st, 0);
	r->is_trustworthy = sqlite3_column_int(st, 1) != 0;
	requirement_from_name(column_text(st, 2), &r->requirement);
	requirement_from_name(column_text(st, 3), &r->demand);
	r->source = column_source(st, 4);
	r->rule_id = sqlite3_column_int64(st, 5);
	r->passes = sqlite3_column_int(st, 6) != 0;
}

/* The recipients of one verdict, in an array that lives in the arena and doubles as it fills. */
static int load_recipients(struct db *d, struct arena *a, struct verdict_row *row)
{
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_RECIPIENTS);
	struct verdict_recipient *all = NULL;
	size_t n = 0, room = 0;
	int got = -1;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, row->id);
	while ((got = db_step(d, st)) == 1) {
		if (n == room) {
			struct verdict_recipient *more;

			room = room == 0 ? 4 : room * 2;
			more = arena_take(a, room * sizeof *more);
			if (more == NULL)
				return db_fail(d, DB_BROKEN, "out of memory");
			if (n > 0)
				memcpy(more, all, n * sizeof *more);
			all = more;
		}
		fill_recipient(a, st, &all[n++]);
	}
	row->record.recipients = all;
	row->record.n_recipients = n;
	return got;
}

/* 1 loaded, 0 gone since, -1. */
static int load_row(struct db *d, struct arena *a, int64_t id, struct verdict_row *row)
{
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_OF_ID);
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, id);
	got = db_step(d, st);
	if (got != 1)
		return got;
	fill_row(a, st, row);
	sqlite3_reset(st);
	return load_recipients(d, a, row) == 0 ? 1 : -1;
}

int verdict_rows_load(struct db *d, struct arena *a, const int64_t *ids, size_t n_ids,
		      struct verdict_row *rows)
{
	int n = 0, got = 0;

	if (db_begin_read(d) != 0)
		return -1;
	for (size_t i = 0; i < n_ids && got >= 0; i++) {
		got = load_row(d, a, ids[i], &rows[n]);
		if (got == 1)
			n++;
	}
	if (db_end(d, got < 0 ? -1 : 0) != 0)
		return -1;
	for (int i = 0; i < n; i++)
		rows[i].record.judgement = &rows[i].judgement;
	return a->n_failed == 0 ? n : db_fail(d, DB_BROKEN, "out of memory");
}

static const char *keep_address(struct arena *a, const char *key)
{
	char address[KEY_MAX];

	return arena_keep(a, key_to_address(key, address, sizeof address));
}

int verdict_row_of(struct arena *a, const struct stored_verdict *v, struct verdict_row *row)
{
	const size_t n = v->record.n_recipients;
	struct verdict_recipient *recipients = arena_take(a, (n + 1) * sizeof recipients[0]);

	if (recipients == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct stored_recipient *r = &v->recipients[i];

		recipients[i] = (struct verdict_recipient){.address = keep_address(a, r->key),
							   .is_trustworthy = r->is_trustworthy,
							   .requirement = r->requirement,
							   .demand = r->demand,
							   .source = r->source,
							   .rule_id = r->rule_id,
							   .passes = r->passes};
	}
	*row = (struct verdict_row){
		.id = INT64_MAX, .record = v->record, .judgement = v->judgement};
	key_ids_parse(v->key_ids, &row->judgement);
	row->record.judgement = &row->judgement;
	row->record.sender = keep_address(a, v->record.sender);
	row->record.header_from = keep_address(a, v->record.header_from);
	row->record.recipients = recipients;
	return a->n_failed == 0 ? 0 : -1;
}
