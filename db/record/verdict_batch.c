/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/outcome.h"

int batch_init(struct batch *b)
{
	memset(b, 0, sizeof *b);
	b->rows = calloc(BATCH_RECORDS, sizeof b->rows[0]);
	return b->rows != NULL ? 0 : -1;
}

void batch_free(struct batch *b)
{
	arena_reset(&b->arena);
	free(b->rows);
	memset(b, 0, sizeof *b);
}

/* ---- from the journal ---- */

static void make_void(struct batch *b, struct stored_verdict *v)
{
	struct verdict_record *r = &v->record;
	char reply[OUTCOME_LINES_MAX * OUTCOME_LINE_MAX];
	struct outcome tempfail;

	outcome_tempfail(&tempfail);
	r->action = r->would = ACTION_TEMPFAIL;
	r->reply = arena_keep(&b->arena, outcome_reply_text(&tempfail, reply, sizeof reply));
	v->counts_for_pairs = v->opens_bounce_window = false;
	for (size_t i = 0; i < r->n_recipients; i++)
		v->recipients[i].outgoing_domain = "";
}

static void lose(struct batch *b, uint64_t first, uint64_t last, const char *why)
{
	if (b->n_lost < BATCH_LOST_MAX)
		b->lost[b->n_lost++] = (struct batch_lost){first, last, why};
}

/* For what a record more may lose, before it and itself, and for batch_leave_out(): a batch ends
 * before a loss could go untold. */
static bool has_room_for_losses(const struct batch *b)
{
	return b->n_lost + 3 <= BATCH_LOST_MAX;
}

void batch_leave_out(struct batch *b)
{
	b->n = 0;
	lose(b, b->rows[0].sequence, b->rows[0].sequence, "the database does not take the record");
}

static void add_row(struct batch *b, const struct journal_item *item,
		    const struct journal_reader *from, bool is_voided)
{
	struct batch_row *row = &b->rows[b->n];

	memset(row, 0, sizeof *row);
	row->sequence = item->sequence;
	if (journal_record_decode(item->payload, item->payload_len, &b->arena, &row->verdict) !=
	    0) {
		if (b->arena.n_failed == 0)
			log_error("journal %016" PRIx64 ": record %" PRIu64
				  " is no verdict; it is left out",
				  from->name.stream, item->sequence);
		lose(b, item->sequence, item->sequence, "the record cannot be read");
		return;
	}
	row->was_voided = is_voided && !row->verdict.record.stands_unrecorded;
	if (row->was_voided && row->verdict.record.is_vain)
		return;
	if (row->was_voided)
		make_void(b, &row->verdict);
	b->n++;
}

int batch_read(struct batch *b, struct journal_reader *r, size_t max,
	       bool (*is_voided)(void *context, uint64_t sequence), void *context)
{
	uint64_t before = r->after;
	struct journal_item item;
	int got = 0;

	b->n = b->n_lost = 0;
	b->last_sequence = 0;
	arena_reset(&b->arena);
	while (b->n < max && has_room_for_losses(b) &&
	       (got = journal_reader_next(r, b->last_sequence == 0, &item)) == 1) {
		if (item.sequence > before + 1)
			lose(b, before + 1, item.sequence - 1, "the journal cannot be read");
		b->last_sequence = before = item.sequence;
		if (item.kind == JOURNAL_VERDICT)
			add_row(b, &item, r, is_voided(context, item.sequence));
	}
	if (b->arena.n_failed > 0)
		return -1;
	if (b->last_sequence == 0)
		return got;
	/* A decoded verdict knows where it is itself. */
	for (size_t i = 0; i < b->n; i++)
		b->rows[i].verdict.record.judgement = &b->rows[i].verdict.judgement;
	return 1;
}

/* ---- into the database ---- */

int batch_moved(struct db *d, uint64_t stream, uint64_t *moved)
{
	sqlite3_stmt *st = db_statement(d, SQL_JOURNAL_MOVED);
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, (int64_t)stream);
	got = db_step(d, st);
	*moved = got == 1 ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return got < 0 ? -1 : 0;
}

static int set_moved(struct db *d, uint64_t stream, uint64_t moved, int64_t now_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_JOURNAL_SET_MOVED);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, (int64_t)stream);
	db_bind_int(st, 2, (int64_t)moved);
	db_bind_int(st, 3, now_unix);
	return db_run(d, st);
}

static int store_rows(struct batch *b, struct db *d, uint64_t moved)
{
	struct daily_sums daily = {.n = 0};

	for (size_t i = 0; i < b->n; i++) {
		b->rows[i].is_stored = b->rows[i].sequence > moved;
		if (b->rows[i].is_stored &&
		    stored_verdict_write(d, &b->rows[i].verdict, &daily) != 0)
			return -1;
	}
	return daily_sums_write(d, &daily);
}

int batch_store(struct batch *b, struct db *d, uint64_t stream, uint64_t *stored, int64_t now_unix)
{
	uint64_t moved;
	int result;

	d->was_constraint = false;
	b->went_back = false;
	if (db_begin_write(d) != 0)
		return -1;
	result = batch_moved(d, stream, &moved);
	if (result == 0 && moved < *stored) {
		b->went_back = true;
		*stored = moved;
		result = db_fail(d, DB_BROKEN,
				 "what was moved from the journal last is no longer there");
	}
	if (result == 0)
		result = store_rows(b, d, moved);
	if (result == 0)
		result = set_moved(d, stream, b->last_sequence, now_unix);
	if (db_end(d, result) != 0)
		return -1;
	*stored = b->last_sequence;
	return 0;
}

bool batch_was_refused(const struct db *d)
{
	return d->was_constraint;
}
