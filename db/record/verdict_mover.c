/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_mover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/record/journal_leftover.h"
#include "db/record/verdict_cover.h"
#include "db/record/verdict_late.h"

#define BUSY_MS 1000	       /* one try at a lock */
#define TICK_MS 1000	       /* how often everything is moved, and upkeep gets a turn */
#define COMPLAINT_MS 60000     /* between two complaints of a database that does not take records */
#define LEFTOVER_MS 60000      /* between two looks for streams of others */
#define LEFTOVER_AGAIN_MS 5000 /* after one that failed */

static const char unreadable[] = "the journal cannot be read";

/* ---- moving ---- */

/* Hits that the database does not take while there is no room left are not counted. */
static void count_hits(struct verdict_log *l)
{
	for (size_t n = 0; n < l->batch.n; n++) {
		const struct batch_row *row = &l->batch.rows[n];
		const struct verdict_record *r = &row->verdict.record;

		for (size_t i = 0; row->is_stored && i < r->n_recipients; i++) {
			const int64_t rule_id = row->verdict.recipients[i].rule_id;

			if (rule_id != 0 && !rule_hits_count(&l->hits, rule_id, r->time_unix) &&
			    rule_hits_write(l->db, &l->hits) == 0)
				rule_hits_count(&l->hits, rule_id, r->time_unix);
		}
	}
}

static void complain(struct verdict_log *l, const char *text)
{
	const int64_t now_ms = clock_monotonic_ms();

	if (now_ms < l->next_complaint_ms)
		return;
	l->next_complaint_ms = now_ms + COMPLAINT_MS;
	log_warning("%s; verdicts wait in the journal", text);
}

/* On a full disk the WAL is written back: then it begins again from its start, instead of taking
 * what little space there is. */
static int store(struct verdict_log *l, uint64_t stream, uint64_t *stored)
{
	int result = batch_store(&l->batch, l->db, stream, stored, clock_now_unix());

	if (result != 0 && db_failure(l->db) == DB_FULL && db_checkpoint(l->db, 0) == 1)
		result = batch_store(&l->batch, l->db, stream, stored, clock_now_unix());
	return result;
}

/* A record that the schema does not take must not hold up the others: it is looked for one by one,
 * told, left out. */
static int store_the_rest(struct verdict_log *l, struct journal_reader *r, uint64_t *stored)
{
	if (!batch_was_refused(l->db) || l->batch.n == 0)
		return -1;
	if (l->batch_max > 1) {
		l->batch_max = 1;
		return -1;
	}
	log_error("%s: the record of a message is left out: %s",
		  l->batch.rows[0].verdict.record.queue_id, db_error(l->db));
	batch_leave_out(&l->batch);
	return store(l, r->name.stream, stored);
}

int verdict_mover_step(struct verdict_log *l, struct journal_reader *r, uint64_t *stored,
		       bool (*is_voided)(void *context, uint64_t sequence), void *context)
{
	const int64_t offset = r->offset;
	const int64_t damaged_bytes = r->damaged_bytes;
	const uint64_t after = r->after;
	int got;

	l->db->was_constraint = false;
	l->batch.went_back = false;
	got = batch_read(&l->batch, r, l->batch_max, is_voided, context);

	if (got < 0)
		complain(l, errno == ENOMEM ? "out of memory" : strerror(errno));
	if (got == 1 && store(l, r->name.stream, stored) != 0 &&
	    store_the_rest(l, r, stored) != 0) {
		if (!batch_was_refused(l->db) && !l->batch.went_back)
			complain(l, db_error(l->db));
		got = -1;
	}
	if (got < 0) {
		r->offset = offset;
		r->after = after;
		r->damaged_bytes = damaged_bytes;
		r->len = 0;
		return -1;
	}
	if (got == 1 && l->batch.n > 1)
		l->batch_max = BATCH_RECORDS;
	else if (got == 1 && l->batch_max < BATCH_RECORDS)
		l->batch_max *= 2;
	if (got == 1)
		count_hits(l);
	return got;
}

static bool own_is_voided(void *context, uint64_t sequence)
{
	return journal_is_voided(context, sequence);
}

static void void_refused(void *context, uint64_t sequence)
{
	journal_void(context, sequence);
}

/* Those who wait will not be helped by waiting longer. */
static void refuse(struct verdict_log *l, const char *error)
{
	tickets_refuse(&l->tickets, journal_published(&l->journal), error, void_refused,
		       &l->journal);
}

/* The write-ahead log was cut short or lost, and with it what had been moved: it is in the journal
 * still, as far as no checkpoint has it. */
static void go_back(struct verdict_log *l)
{
	log_warning(
		"%s: what was moved from the journal after record %llu is no longer there, and is "
		"moved again",
		l->mover_settings->database_path, (unsigned long long)l->stored);
	if (l->stored < l->covered)
		log_error("%s: the database is older than its last checkpoint: records %llu to "
			  "%llu may be lost",
			  l->mover_settings->database_path, (unsigned long long)l->stored + 1,
			  (unsigned long long)l->covered);
	l->moved = l->stored;
	l->reader.fd = -1;
	tickets_go_back(&l->tickets, l->moved);
	late_forget(l, l->stored);
}

/* One batch of the own stream. 1, 0, -1 as above. */
static int move_own(struct verdict_log *l)
{
	struct journal *j = &l->journal;
	int64_t limit = 0;
	struct journal_segment *s = journal_segment_after(j, l->moved, &limit);
	int got;

	/* Who waits for what is behind us waits for what was lost: all others were answered. */
	if (tickets_has(&l->tickets, l->moved))
		tickets_refuse(&l->tickets, l->moved, unreadable, void_refused, j);
	if (s == NULL)
		return 0;
	if (l->reader.fd != s->fd || l->reader.name.number != s->name.number)
		journal_reader_begin(&l->reader, s->fd, &s->name, limit, l->moved);
	l->reader.limit = limit;
	got = verdict_mover_step(l, &l->reader, &l->stored, own_is_voided, j);
	if (got < 0 && l->batch.went_back) {
		go_back(l);
		return 1;
	}
	if (got < 0)
		return -1;
	if (got == 0) {
		/* What is published is whole, unless the disk lost it; numbers may have been left
		 * out. */
		uint64_t last_written;
		const uint64_t end = journal_end_of(j, s, &last_written);

		if (last_written > l->moved) {
			tickets_lose(&l->tickets, l->moved + 1, last_written, unreadable,
				     void_refused, j);
			log_error("%s: journal: records %llu to %llu cannot be read any more",
				  l->mover_settings->database_path,
				  (unsigned long long)l->moved + 1,
				  (unsigned long long)last_written);
		}
		if (end <= l->moved)
			return 0;
		l->moved = end;
		return 1;
	}
	for (size_t i = 0; i < l->batch.n_lost; i++)
		tickets_lose(&l->tickets, l->batch.lost[i].first, l->batch.lost[i].last,
			     l->batch.lost[i].why, void_refused, j);
	l->moved = l->batch.last_sequence;
	tickets_answer(&l->tickets, l->moved, late_note, l);
	late_retract(l);
	cover_step(l);
	return 1;
}

int verdict_mover_own(struct verdict_log *l, bool all)
{
	int got = 1;

	while (got == 1 && (all || journal_published(&l->journal) >= l->moved + BATCH_RECORDS ||
			    tickets_has(&l->tickets, journal_published(&l->journal))))
		got = move_own(l);
	if (got < 0 && db_failure(l->db) != DB_BUSY && !batch_was_refused(l->db))
		refuse(l, db_error(l->db)[0] != '\0' ? db_error(l->db) : unreadable);
	return got < 0 ? -1 : 0;
}

/* ---- once a second ---- */

static void use_settings(struct verdict_log *l)
{
	pthread_mutex_lock(&l->lock);
	if (l->mover_settings != l->settings) {
		settings_unref(l->mover_settings);
		l->mover_settings = settings_ref(l->settings);
	}
	pthread_mutex_unlock(&l->lock);
}

/* A connection that memory was too short for is tried again. */
static bool has_database(struct verdict_log *l)
{
	if (l->db == NULL) {
		l->db = db_open(l->mover_settings, DB_WRITE);
		if (l->db != NULL)
			l->db->busy_ms = BUSY_MS;
	}
	return l->db != NULL;
}

/* What the database does not take now is tried again with the next tick. */
static void write_counts(struct verdict_log *l)
{
	pthread_mutex_lock(&l->lock);
	histogram_merge(&l->times, &l->took);
	memset(&l->took, 0, sizeof l->took);
	pthread_mutex_unlock(&l->lock);
	rule_hits_write(l->db, &l->hits);
	answer_times_write(l->db, &l->times);
}

/* Were records of pairs removed? That is a change with a number, as those of rules are. Was what we
 * stored? */
static void look_at_changes(struct verdict_log *l)
{
	int64_t changed = 0;
	uint64_t stored = 0;
	int result;

	if (db_begin_read(l->db) != 0)
		return;
	result = db_one(l->db, SQL_METRICS_RULES_CHANGED, &changed);
	if (result == 0)
		result = batch_moved(l->db, l->journal.stream, &stored);
	if (db_end(l->db, result) != 0)
		return;
	if (stored < l->stored) {
		l->stored = stored;
		go_back(l);
	}
	if (changed != l->last_audit)
		urgent_forget(&l->urgent);
	l->last_audit = changed;
}

static int64_t tick(struct verdict_log *l)
{
	const int64_t now_unix = clock_now_unix();
	const bool is_steady = clock_watch_is_steady(&l->clock, now_unix, clock_monotonic_ms());

	use_settings(l);
	if (!has_database(l))
		return TICK_MS;
	look_at_changes(l);
	late_retract(l);
	verdict_mover_own(l, true);
	write_counts(l);
	if (clock_monotonic_ms() >= l->next_leftover_ms)
		l->next_leftover_ms = clock_monotonic_ms() +
				      (journal_leftover_move(l, is_steady) == 0
					       ? LEFTOVER_MS
					       : LEFTOVER_AGAIN_MS);
	cover_tick(l);
	return upkeep_step(l->db, l->mover_settings, now_unix, is_steady, &l->upkeep);
}

/* ---- the thread ---- */

static uint64_t published(void *context)
{
	return journal_published(context);
}

/* What is not moved within the time stays in its segments, for the next start. */
static void finish(struct verdict_log *l)
{
	const int64_t until_ms = clock_monotonic_ms() + VERDICT_LOG_WAIT_MS;

	if (!has_database(l)) {
		log_warning("out of memory; verdicts stay in the journal");
		return;
	}
	journal_publish(&l->journal); /* what was voided last, too */
	while (verdict_mover_own(l, true) != 0 && clock_monotonic_ms() < until_ms)
		if (db_failure(l->db) != DB_BUSY && !batch_was_refused(l->db))
			break;
	late_retract(l);
	write_counts(l);
	if (l->moved >= journal_published(&l->journal) && cover_now(l))
		journal_forget(&l->journal, l->db, l->covered, true);
	db_checkpoint(l->db, 0);
}

void *verdict_mover_run(void *context)
{
	struct verdict_log *l = context;
	int64_t next_tick_ms = clock_monotonic_ms();

	use_settings(l);
	cover_begin(l);
	while (!l->must_stop) {
		tickets_sleep(&l->tickets, published, &l->journal, next_tick_ms);
		if (l->must_stop)
			break;
		if (has_database(l)) {
			verdict_mover_own(l, false);
			cover_step(l);
		} else {
			refuse(l, "out of memory");
		}
		if (clock_monotonic_ms() >= next_tick_ms)
			next_tick_ms = clock_monotonic_ms() + tick(l);
	}
	finish(l);
	late_give_up(l);
	db_close(l->db);
	settings_unref(l->mover_settings);
	journal_reader_free(&l->reader);
	return NULL;
}
