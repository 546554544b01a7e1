/* SPDX-License-Identifier: ISC
 *
 * verdict_log.c: the writer thread. What a message submits is copied, so that a thread which has waited long
 * enough can leave, whatever the writer is doing with the copy.
 */
#include "db/verdict_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/policy/policy_internal.h"
#include "db/record/verdict_log_internal.h"

#define WRITER_BUSY_MS 1000 /* one try at a lock; tried again until the group's patience ends */
#define TICK_MS 1000	    /* how often upkeep gets a turn */
/* WAL beyond this is written back: some ten ms. Most pages are written again and again: of a WAL four times as
 * long a quarter of the syncs is enough. */
#define CHECKPOINT_BYTES (16 << 20)

/* ---- the writer ---- */

/* Once through the group: 0 or -1, with what the database says in db_error(). */
static int write_group(struct db *d, struct submission *group)
{
	struct daily_sums daily = {.n = 0};
	int result = 0;

	if (db_begin_write(d) != 0)
		return -1;
	for (struct submission *s = group; s != NULL && result == 0; s = s->next)
		result = stored_verdict_write(d, &s->verdict, &daily);
	if (result == 0)
		result = daily_sums_write(d, &daily);
	return db_end(d, result);
}

/* The same, again while another process holds a lock and the oldest of the group has patience. On a full disk
 * the WAL is written back, here and before the next group: then it begins again from its start, instead of
 * taking what little space there is. */
static int write_group_patiently(struct verdict_log *l, struct submission *group)
{
	if (l->was_full)
		db_checkpoint(l->db, 0);
	while (write_group(l->db, group) != 0) {
		const bool was_full = l->was_full;

		l->was_full = db_failure(l->db) == DB_FULL;
		if (clock_monotonic_ms() >= group->until_ms)
			return -1;
		if (db_failure(l->db) != DB_BUSY &&
		    (!l->was_full || was_full || db_checkpoint(l->db, 0) != 1))
			return -1;
	}
	l->was_full = false;
	return 0;
}

/* Hits that the database does not take while there is no room left are not counted. */
static void count_hits(struct verdict_log *l, const struct submission *group)
{
	for (const struct submission *s = group; s != NULL; s = s->next) {
		const struct verdict_record *r = &s->verdict.record;

		for (size_t i = 0; i < r->n_recipients; i++) {
			const int64_t rule_id = s->verdict.recipients[i].rule_id;

			if (rule_id != 0 && !rule_hits_count(&l->hits, rule_id, r->time_unix) &&
			    rule_hits_write(l->db, &l->hits) == 0)
				rule_hits_count(&l->hits, rule_id, r->time_unix);
		}
	}
}

static void free_all(struct submission *list)
{
	while (list != NULL) {
		struct submission *s = list;

		list = s->next;
		submission_free(s);
	}
}

/* The answer to a group that is not committed: nobody minds those that have gone. */
static void refuse_group(struct submission *group, const char *error)
{
	free_all(verdict_queue_answer(group, -1, error));
}

/* Those that were committed, and answered otherwise meanwhile, wait for their retraction. */
static void accept_group(struct verdict_log *l, struct submission *group)
{
	struct submission *gone = verdict_queue_answer(group, 0, NULL);

	while (gone != NULL) {
		struct submission *s = gone;

		gone = s->next;
		if (s->verdict.record.stands_unrecorded || s->verdict.record.action == ACTION_TEMPFAIL) {
			submission_free(s);
			continue;
		}
		s->next = l->gone;
		l->gone = s;
	}
}

/* One a transaction: they are rare. What the database does not take now is tried again at the next tick. */
static void retract_gone(struct verdict_log *l)
{
	while (l->gone != NULL) {
		struct submission *s = l->gone;
		struct daily_sums daily = {.n = 0};

		if (db_begin_write(l->db) != 0 ||
		    db_end(l->db, stored_verdict_retract(l->db, &s->verdict, &daily)) != 0)
			return;
		log_warning("%s: committed too late: the message was answered with a temporary "
			    "failure, "
			    "and the record says so now",
			    s->verdict.record.queue_id);
		l->gone = s->next;
		submission_free(s);
	}
}

static void commit_group(struct verdict_log *l, struct submission *group)
{
	if (l->db == NULL) {
		refuse_group(group, "out of memory");
		return;
	}
	if (write_group_patiently(l, group) == 0) {
		count_hits(l, group);
		accept_group(l, group);
		retract_gone(l);
		return;
	}
	/* One row that the schema will not take must not fail the others. */
	if (group->next != NULL && l->db->was_constraint) {
		while (group != NULL) {
			struct submission *s = group;

			group = s->next;
			s->next = NULL;
			commit_group(l, s);
		}
		return;
	}
	refuse_group(group, db_error(l->db));
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

static void use_settings(struct verdict_log *l, struct settings **mine)
{
	pthread_mutex_lock(&l->lock);
	if (*mine != l->settings) {
		settings_unref(*mine);
		*mine = settings_ref(l->settings);
	}
	pthread_mutex_unlock(&l->lock);
}

/* A connection that memory was too short for is tried again at each group and tick. */
static void open_database(struct verdict_log *l, struct settings *s)
{
	if (l->db != NULL)
		return;
	l->db = db_open(s, DB_WRITE);
	if (l->db != NULL)
		l->db->busy_ms = WRITER_BUSY_MS;
}

/* What is due once a second. Returns the ms after which it is due again. */
static int64_t tick(struct verdict_log *l, struct settings **mine)
{
	use_settings(l, mine);
	open_database(l, *mine);
	if (l->db == NULL)
		return TICK_MS;
	retract_gone(l);
	write_counts(l);
	return upkeep_step(l->db, *mine, clock_now_unix(), &l->upkeep);
}

static void finish(struct verdict_log *l)
{
	if (l->db != NULL) {
		retract_gone(l);
		write_counts(l);
		db_checkpoint(l->db, 0);
	}
	for (const struct submission *s = l->gone; s != NULL; s = s->next)
		log_error("%s: on record with action %s, and was answered with a temporary failure",
			  s->verdict.record.queue_id, action_name(s->verdict.record.action));
	free_all(l->gone);
	db_close(l->db);
}

static void *run_writer(void *context)
{
	struct verdict_log *l = context;
	struct settings *mine = NULL;
	int64_t next_tick_ms = clock_monotonic_ms() + TICK_MS;
	bool must_stop = false;

	use_settings(l, &mine);
	open_database(l, mine);
	while (!must_stop) {
		struct submission *group = verdict_queue_take(&l->queue, next_tick_ms, &must_stop);

		if (group != NULL) {
			open_database(l, mine);
			commit_group(l, group);
		}
		if (l->db != NULL)
			db_checkpoint(l->db, CHECKPOINT_BYTES);
		if (clock_monotonic_ms() >= next_tick_ms && !must_stop)
			next_tick_ms = clock_monotonic_ms() + tick(l, &mine);
	}
	finish(l);
	settings_unref(mine);
	return NULL;
}

/* ---- for the others ---- */

struct verdict_log *verdict_log_start(struct settings *s, char *err, size_t err_size)
{
	struct verdict_log *l = calloc(1, sizeof *l);
	char sentence[DB_ERROR_MAX];
	int rc;

	if (l == NULL) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	verdict_queue_init(&l->queue);
	l->patience_ms = VERDICT_LOG_WAIT_MS;
	l->settings = settings_ref(s);
	/* A key that is not there now may be there at the first submit. */
	hashed_load(&l->hashed, s, sentence, sizeof sentence);
	pthread_mutex_init(&l->lock, NULL);
	rc = pthread_create(&l->writer, NULL, run_writer, l);
	if (rc == 0)
		return l;
	snprintf(err, err_size, "cannot start a thread: %s", strerror(rc));
	settings_unref(l->settings);
	free(l);
	return NULL;
}

/* Copies what is needed to store records, the key read if it was not there before. 0 or -1 with err. */
static int borrow(struct verdict_log *l, struct hashed *h, struct settings **s, char *err)
{
	int result = 0;

	pthread_mutex_lock(&l->lock);
	if (l->hashed.is_on && !l->hashed.has_key)
		result = hashed_load(&l->hashed, l->settings, err, DB_ERROR_MAX);
	*h = l->hashed;
	*s = settings_ref(l->settings);
	pthread_mutex_unlock(&l->lock);
	return result;
}

static struct submission *make_submission(const struct verdict_log *l, const struct hashed *h,
					  const struct settings *s, const struct verdict_record *r)
{
	struct submission *made = submission_new(clock_monotonic_ms() + l->patience_ms);

	if (made == NULL || stored_verdict_fill(&made->verdict, h, s, r) == 0)
		return made;
	submission_free(made);
	return NULL;
}

int verdict_log_submit(struct verdict_log *l, const struct verdict_record *r, char *err)
{
	struct hashed hashed;
	struct settings *settings;
	struct submission *s = NULL;
	int result = -1;

	if (borrow(l, &hashed, &settings, err) == 0) {
		s = make_submission(l, &hashed, settings, r);
		if (s == NULL)
			snprintf(err, DB_ERROR_MAX, "out of memory");
	}
	explicit_bzero(&hashed, sizeof hashed);
	if (s != NULL) {
		result = verdict_queue_submit(&l->queue, s, err);
		if (result != 0 && err[0] == '\0')
			snprintf(err, DB_ERROR_MAX, "%s: not committed within %d s",
				 settings->database_path, VERDICT_LOG_WAIT_MS / 1000);
	}
	settings_unref(settings);
	return result;
}

void verdict_log_took(struct verdict_log *l, int64_t duration_us)
{
	pthread_mutex_lock(&l->lock);
	histogram_add(&l->took, duration_us);
	pthread_mutex_unlock(&l->lock);
}

void verdict_log_reload(struct verdict_log *l, struct settings *s)
{
	pthread_mutex_lock(&l->lock);
	settings_unref(l->settings);
	l->settings = settings_ref(s);
	pthread_mutex_unlock(&l->lock);
}

void verdict_log_stop(struct verdict_log *l)
{
	if (l == NULL)
		return;
	verdict_queue_stop(&l->queue);
	pthread_join(l->writer, NULL);
	settings_unref(l->settings);
	explicit_bzero(&l->hashed, sizeof l->hashed);
	verdict_queue_destroy(&l->queue);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
