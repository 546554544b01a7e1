/* SPDX-License-Identifier: ISC
 *
 * verdict_log.c: what those see that judge messages: a record goes into the journal
 * (verdict_queue.c, journal.c), and, where the next message's answer may depend on it, with the
 * mover's next step into the database (verdict_mover.c).
 */
#include "db/verdict_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "db/record/checksum.h"
#include "db/record/verdict_log_internal.h"
#include "db/record/verdict_mover.h"

#define WRITER_LOOK_MS 60000 /* the writing thread is woken when there is something */

/* ---- the journal ---- */

static struct settings *settings_of(struct verdict_log *l)
{
	struct settings *s;

	pthread_mutex_lock(&l->lock);
	s = settings_ref(l->settings);
	pthread_mutex_unlock(&l->lock);
	return s;
}

/* Those that have gone were answered with a temporary failure. */
static void void_gone(struct verdict_log *l, struct submission *gone, bool is_written)
{
	while (gone != NULL) {
		struct submission *s = gone;

		gone = s->next;
		if (is_written && !s->stands_unrecorded)
			journal_void(&l->journal, s->entry.sequence);
		submission_free(s);
	}
}

/* The mover is woken for what it need not wait a second for. */
static void publish(struct verdict_log *l)
{
	const uint64_t before = journal_published(&l->journal);
	uint64_t now;

	journal_publish(&l->journal);
	now = journal_published(&l->journal);
	if (now / BATCH_RECORDS != before / BATCH_RECORDS || atomic_load(&l->tickets.n_waiting) > 0)
		tickets_wake(&l->tickets);
}

static void write_group(void *context, struct submission *group)
{
	struct verdict_log *l = context;
	struct settings *s;
	char err[DB_ERROR_MAX] = "";
	int result;

	if (group == NULL)
		return;
	s = settings_of(l);
	for (struct submission *one = group; one != NULL; one = one->next)
		one->entry.next = one->next != NULL ? &one->next->entry : NULL;
	result = journal_append(&l->journal, s, &group->entry, err);
	settings_unref(s);
	void_gone(l, verdict_queue_answer(group, result, err), result == 0);
	if (result == 0)
		publish(l);
}

/* With verdict_sync = power: a sync may take longer than a message waits. */
static void *run_writer(void *context)
{
	struct verdict_log *l = context;
	bool must_stop = false;

	while (!must_stop)
		write_group(l, verdict_queue_take(&l->queue, clock_monotonic_ms() + WRITER_LOOK_MS,
						  &must_stop));
	return NULL;
}

/* ---- start and stop ---- */

static int start_threads(struct verdict_log *l)
{
	int rc = pthread_create(&l->mover, NULL, verdict_mover_run, l);

	if (rc != 0 || !l->has_writer)
		return rc;
	rc = pthread_create(&l->writer, NULL, run_writer, l);
	if (rc == 0)
		return 0;
	l->must_stop = true;
	tickets_wake(&l->tickets);
	pthread_join(l->mover, NULL);
	return rc;
}

static void destroy(struct verdict_log *l)
{
	settings_unref(l->settings);
	explicit_bzero(&l->hashed, sizeof l->hashed);
	urgent_destroy(&l->urgent);
	tickets_destroy(&l->tickets);
	verdict_queue_destroy(&l->queue);
	journal_destroy(&l->journal);
	batch_free(&l->batch);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

struct verdict_log *verdict_log_start(struct settings *s, char *err, size_t err_size)
{
	struct verdict_log *l = calloc(1, sizeof *l);
	char sentence[DB_ERROR_MAX];
	int rc;

	if (l == NULL || batch_init(&l->batch) != 0) {
		free(l);
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	if (journal_init(&l->journal, s) != 0) {
		batch_free(&l->batch);
		free(l);
		snprintf(err, err_size, "no memory, or no random number, is to be had");
		return NULL;
	}
	l->has_writer = s->verdict_sync == SYNC_POWER;
	verdict_queue_init(&l->queue, l->has_writer ? NULL : write_group, l);
	tickets_init(&l->tickets);
	urgent_init(&l->urgent, s);
	l->patience_ms = VERDICT_LOG_WAIT_MS;
	l->batch_max = BATCH_RECORDS;
	l->settings = settings_ref(s);
	/* A key that is not there now may be there at the first submit. */
	hashed_load(&l->hashed, s, sentence, sizeof sentence);
	pthread_mutex_init(&l->lock, NULL);
	rc = start_threads(l);
	if (rc == 0)
		return l;
	snprintf(err, err_size, "cannot start a thread: %s", strerror(rc));
	destroy(l);
	return NULL;
}

void verdict_log_stop(struct verdict_log *l)
{
	if (l == NULL)
		return;
	verdict_queue_stop(&l->queue);
	if (l->has_writer)
		pthread_join(l->writer, NULL);
	l->must_stop = true;
	tickets_wake(&l->tickets);
	pthread_join(l->mover, NULL);
	destroy(l);
}

/* ---- submitting ---- */

/* Copies what is needed to store records, the key read if it was not there before. 0 or -1 with
 * err. */
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

static struct submission *make_submission(int64_t until_ms, const struct stored_verdict *v)
{
	struct submission *made = submission_new(until_ms);

	if (made == NULL)
		return NULL;
	made->stands_unrecorded = v->record.stands_unrecorded;
	made->entry.payload = journal_record_encode(v, &made->entry.payload_len);
	if (made->entry.payload == NULL) {
		submission_free(made);
		return NULL;
	}
	made->entry.payload_checksum = checksum(0, made->entry.payload, made->entry.payload_len);
	return made;
}

static int too_late(const struct verdict_log *l, const struct settings *s, char *err)
{
	snprintf(err, DB_ERROR_MAX, "%s: not committed within %d s", s->database_path,
		 l->patience_ms / 1000);
	return -1;
}

static int submit(struct verdict_log *l, const struct settings *s, const struct stored_verdict *v,
		  char *err)
{
	const int64_t until_ms = clock_monotonic_ms() + l->patience_ms;
	const bool is_urgent = urgent_is(&l->urgent, s, v);
	struct submission *made = make_submission(until_ms, v);
	uint64_t sequence;

	if (made == NULL) {
		snprintf(err, DB_ERROR_MAX, "out of memory");
		return -1;
	}
	if (verdict_queue_submit(&l->queue, made, err, &sequence) != 0)
		return err[0] != '\0' ? -1 : too_late(l, s, err);
	if (!is_urgent)
		return 0;
	if (tickets_wait(&l->tickets, sequence, until_ms, err) == 0) {
		urgent_remember(&l->urgent, v);
		return 0;
	}
	if (err[0] != '\0')
		return -1;
	if (!v->record.stands_unrecorded)
		journal_void(&l->journal, sequence);
	return too_late(l, s, err);
}

int verdict_log_submit(struct verdict_log *l, const struct verdict_record *r, char *err)
{
	struct stored_verdict v = {.arena = {.blocks = NULL}};
	struct hashed hashed;
	struct settings *settings;
	int result = -1;

	if (borrow(l, &hashed, &settings, err) == 0) {
		if (stored_verdict_fill(&v, &hashed, settings, r) == 0)
			result = submit(l, settings, &v, err);
		else
			snprintf(err, DB_ERROR_MAX, "out of memory");
		arena_reset(&v.arena);
	}
	explicit_bzero(&hashed, sizeof hashed);
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
