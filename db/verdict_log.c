/* SPDX-License-Identifier: ISC
 *
 * verdict_log.c: the queue and the writer thread. What a message submits is copied, so that a thread which
 * has waited long enough can leave, whatever the writer is doing with the copy.
 */
#include "db/verdict_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "db/policy_internal.h"
#include "db/rule_hits.h"
#include "db/upkeep.h"
#include "db/verdict_write.h"

#define QUEUE_MAX 4096	    /* waiting messages; more than smtpd processes of any sane Postfix */
#define GROUP_MAX 256	    /* messages a transaction: about 10 ms */
#define WRITER_BUSY_MS 1000 /* one try at a lock; tried again until the group's patience ends */
#define TICK_MS 1000	    /* how often upkeep gets a turn */
/* WAL beyond this is written back: some ten ms. Most pages are written again and again: of a WAL four times as
 * long a quarter of the syncs is enough. */
#define CHECKPOINT_BYTES (16 << 20)

struct submission {
	struct submission *next;
	pthread_cond_t answered;
	bool is_taken, is_answered, is_abandoned;
	int64_t until_ms;
	int result;
	char error[DB_ERROR_MAX];
	struct stored_verdict verdict;
};

struct verdict_log {
	pthread_mutex_t lock; /* guards all but the writer's own */
	pthread_cond_t work;
	struct submission *first, **last;
	size_t n_waiting;
	struct settings *settings;
	struct hashed hashed;
	bool must_stop;
	pthread_t writer;
	/* the writer's own */
	struct db *db;
	struct upkeep upkeep;
	struct rule_hits hits; /* of groups that are committed; not yet written */
	bool was_full;	       /* the last group failed for want of space */
};

static void free_submission(struct submission *s)
{
	arena_reset(&s->verdict.arena);
	pthread_cond_destroy(&s->answered);
	free(s);
}

static void init_monotonic_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

static struct timespec timespec_of(int64_t monotonic_ms)
{
	return (struct timespec){.tv_sec = (time_t)(monotonic_ms / 1000),
				 .tv_nsec = (long)(monotonic_ms % 1000) * 1000000L};
}

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

static void answer(struct verdict_log *l, struct submission *group, int result, const char *error)
{
	pthread_mutex_lock(&l->lock);
	while (group != NULL) {
		struct submission *s = group;

		group = s->next;
		s->result = result;
		if (result != 0)
			snprintf(s->error, sizeof s->error, "%s", error);
		s->is_answered = true;
		if (s->is_abandoned)
			free_submission(s);
		else
			pthread_cond_signal(&s->answered);
	}
	pthread_mutex_unlock(&l->lock);
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

static void commit_group(struct verdict_log *l, struct submission *group)
{
	if (l->db == NULL) {
		answer(l, group, -1, "out of memory");
		return;
	}
	if (write_group_patiently(l, group) == 0) {
		count_hits(l, group);
		answer(l, group, 0, "");
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
	answer(l, group, -1, db_error(l->db));
}

/* Takes up to GROUP_MAX submissions, waiting until `until_ms` for the first. NULL: none came, or stop. */
static struct submission *take_group(struct verdict_log *l, int64_t until_ms, bool *must_stop)
{
	const struct timespec until = timespec_of(until_ms);
	struct submission *group, *s;

	pthread_mutex_lock(&l->lock);
	while (l->first == NULL && !l->must_stop)
		if (pthread_cond_timedwait(&l->work, &l->lock, &until) == ETIMEDOUT)
			break;
	group = s = l->first;
	for (size_t n = 1; s != NULL; s = s->next, n++) {
		s->is_taken = true;
		l->n_waiting--;
		if (n == GROUP_MAX || s->next == NULL) {
			l->first = s->next;
			s->next = NULL;
			if (l->first == NULL)
				l->last = &l->first;
			break;
		}
	}
	*must_stop = l->must_stop && group == NULL;
	pthread_mutex_unlock(&l->lock);
	return group;
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

static void *run_writer(void *context)
{
	struct verdict_log *l = context;
	struct settings *mine = NULL;
	int64_t next_upkeep_ms = clock_monotonic_ms() + TICK_MS;
	bool must_stop = false;

	use_settings(l, &mine);
	l->db = db_open(mine, DB_WRITE);
	if (l->db != NULL)
		l->db->busy_ms = WRITER_BUSY_MS;
	while (!must_stop) {
		struct submission *group = take_group(l, next_upkeep_ms, &must_stop);

		if (group != NULL)
			commit_group(l, group);
		if (l->db == NULL)
			continue;
		db_checkpoint(l->db, CHECKPOINT_BYTES);
		if (clock_monotonic_ms() < next_upkeep_ms || must_stop)
			continue;
		use_settings(l, &mine);
		rule_hits_write(l->db, &l->hits);
		next_upkeep_ms = clock_monotonic_ms() +
				 upkeep_step(l->db, mine, clock_now_unix(), &l->upkeep);
	}
	if (l->db != NULL) {
		rule_hits_write(l->db, &l->hits);
		db_checkpoint(l->db, 0);
	}
	db_close(l->db);
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
	l->last = &l->first;
	l->settings = settings_ref(s);
	/* A key that is not there now may be there at the first submit. */
	hashed_load(&l->hashed, s, sentence, sizeof sentence);
	pthread_mutex_init(&l->lock, NULL);
	init_monotonic_cond(&l->work);
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

static struct submission *make_submission(const struct hashed *h, const struct settings *s,
					  const struct verdict_record *r)
{
	struct submission *made = calloc(1, sizeof *made);

	if (made == NULL)
		return NULL;
	init_monotonic_cond(&made->answered);
	made->until_ms = clock_monotonic_ms() + VERDICT_LOG_WAIT_MS;
	if (stored_verdict_fill(&made->verdict, h, s, r) == 0)
		return made;
	free_submission(made);
	return NULL;
}

/* Under the lock. */
static void unlink_submission(struct verdict_log *l, struct submission *s)
{
	struct submission **link = &l->first;

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	if (l->last == &s->next)
		l->last = link;
	l->n_waiting--;
}

/* Under the lock. Queues and waits; the submission is freed, here or by the writer. */
static int queue_and_wait(struct verdict_log *l, struct submission *s, char *err)
{
	const struct timespec until = timespec_of(s->until_ms);
	int result = -1;

	if (l->must_stop || l->n_waiting >= QUEUE_MAX) {
		snprintf(err, DB_ERROR_MAX,
			 l->must_stop ? "stopping" : "%d messages wait for the database", QUEUE_MAX);
		free_submission(s);
		return -1;
	}
	*l->last = s;
	l->last = &s->next;
	l->n_waiting++;
	pthread_cond_signal(&l->work);
	while (!s->is_answered)
		if (pthread_cond_timedwait(&s->answered, &l->lock, &until) == ETIMEDOUT)
			break;
	if (s->is_answered) {
		result = s->result;
		snprintf(err, DB_ERROR_MAX, "%s", s->error);
		free_submission(s);
		return result;
	}
	snprintf(err, DB_ERROR_MAX, "%s: not committed within %d s", l->settings->database_path,
		 VERDICT_LOG_WAIT_MS / 1000);
	if (s->is_taken) {
		s->is_abandoned = true; /* the writer frees it */
	} else {
		unlink_submission(l, s);
		free_submission(s);
	}
	return -1;
}

int verdict_log_submit(struct verdict_log *l, const struct verdict_record *r, char *err)
{
	struct hashed hashed;
	struct settings *settings;
	struct submission *s = NULL;
	int result = -1;

	if (borrow(l, &hashed, &settings, err) == 0) {
		s = make_submission(&hashed, settings, r);
		if (s == NULL)
			snprintf(err, DB_ERROR_MAX, "out of memory");
	}
	settings_unref(settings);
	explicit_bzero(&hashed, sizeof hashed);
	if (s == NULL)
		return -1;
	pthread_mutex_lock(&l->lock);
	result = queue_and_wait(l, s, err);
	pthread_mutex_unlock(&l->lock);
	return result;
}

const char *verdict_log_shown(struct verdict_log *l, enum hashed_kind kind, const char *text,
			      char out[HASHED_ADDRESS_MAX])
{
	struct hashed hashed;

	pthread_mutex_lock(&l->lock);
	hashed = l->hashed;
	pthread_mutex_unlock(&l->lock);
	return hashed_shown(&hashed, kind, text, out);
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
	pthread_mutex_lock(&l->lock);
	l->must_stop = true;
	pthread_cond_signal(&l->work);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->writer, NULL);
	settings_unref(l->settings);
	explicit_bzero(&l->hashed, sizeof l->hashed);
	pthread_cond_destroy(&l->work);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

int verdict_log_attempts(struct db *d, const unsigned char digest[32], int64_t now_unix)
{
	sqlite3_stmt *st;
	int got = -1, n = 0;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_POLICY_ATTEMPTS);
	if (st != NULL) {
		sqlite3_bind_blob(st, 1, digest, 32, SQLITE_STATIC);
		got = db_step(d, st);
	}
	if (got == 1) {
		n = sqlite3_column_int(st, 0);
		/* Less than 5 minutes after the last one this is the same attempt. */
		if (now_unix - sqlite3_column_int64(st, 1) < ATTEMPT_INTERVAL_S)
			n--;
		sqlite3_reset(st);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? n : -1;
}
