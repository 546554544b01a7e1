/* SPDX-License-Identifier: ISC */
#include "db/record/journal_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "db/record/journal_files.h"

struct tail_segment {
	struct journal_header name;
	int fd;
	int64_t size;
	uint64_t moved; /* of its stream */
};

struct journal_tail {
	struct tail_segment *segments; /* by stream and number */
	size_t n;
	struct {
		uint64_t stream, sequence;
	} * voided;
	size_t n_voided, voided_room;
	struct journal_reader reader;
	struct batch batch;
	uint64_t stream; /* being read */
};

struct journal_tail *journal_tail_open(struct db *d)
{
	struct journal_tail *t = calloc(1, sizeof *t);
	struct journal_names names = {0};

	if (t == NULL || batch_init(&t->batch) != 0) {
		free(t);
		db_fail(d, DB_BROKEN, "out of memory");
		return NULL;
	}
	/* The record of a site is another one. */
	if (!d->has_site_rows && journal_files_list(d, &names) == 0)
		t->segments = calloc(names.n + 1, sizeof t->segments[0]);
	for (size_t i = 0; t->segments != NULL && i < names.n; i++) {
		struct tail_segment *s = &t->segments[t->n];

		s->name = names.name[i];
		s->fd = journal_files_open(d, &s->name, O_RDONLY, false, &s->size);
		t->n += s->fd >= 0;
	}
	free(names.name);
	return t;
}

void journal_tail_close(struct journal_tail *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		close(t->segments[i].fd);
	free(t->segments);
	free(t->voided);
	journal_reader_free(&t->reader);
	batch_free(&t->batch);
	free(t);
}

int journal_tail_settle_within(struct journal_tail *t, struct db *d, int64_t *last_id)
{
	for (size_t i = 0; i < t->n; i++) {
		struct tail_segment *s = &t->segments[i];

		if (i > 0 && s->name.stream == s[-1].name.stream)
			s->moved = s[-1].moved;
		else if (batch_moved(d, s->name.stream, &s->moved) != 0)
			return -1;
	}
	return db_one(d, SQL_VERDICT_LAST_ID, last_id);
}

int journal_tail_settle(struct journal_tail *t, struct db *d, int64_t *last_id)
{
	if (db_begin_read(d) != 0)
		return -1;
	return db_end(d, journal_tail_settle_within(t, d, last_id));
}

static int fail(struct db *d)
{
	return db_fail(d, DB_BROKEN, "journal: %s", strerror(errno));
}

static int add_voided(struct journal_tail *t, uint64_t sequence)
{
	if (t->n_voided == t->voided_room) {
		const size_t room = t->voided_room == 0 ? 64 : 2 * t->voided_room;
		void *more = realloc(t->voided, room * sizeof t->voided[0]);

		if (more == NULL)
			return -1;
		t->voided = more;
		t->voided_room = room;
	}
	t->voided[t->n_voided].stream = t->stream;
	t->voided[t->n_voided++].sequence = sequence;
	return 0;
}

static bool is_voided(void *context, uint64_t sequence)
{
	const struct journal_tail *t = context;

	for (size_t i = 0; i < t->n_voided; i++)
		if (t->voided[i].stream == t->stream && t->voided[i].sequence == sequence)
			return true;
	return false;
}

static void begin(struct journal_tail *t, const struct tail_segment *s)
{
	t->stream = s->name.stream;
	journal_reader_begin(&t->reader, s->fd, &s->name, s->size, s->moved);
}

/* One reading of everything for what is said behind a verdict. 0 or -1. */
static int find_voided(struct journal_tail *t)
{
	struct journal_item item;
	int got = 0;

	t->n_voided = 0;
	for (size_t i = 0; i < t->n && got == 0; i++) {
		begin(t, &t->segments[i]);
		while ((got = journal_reader_next(&t->reader, true, &item)) == 1)
			if (journal_voided(&item) != 0 && add_voided(t, journal_voided(&item)) != 0)
				return -1;
	}
	return got;
}

int journal_tail_each(struct journal_tail *t, struct db *d,
		      int (*tell)(void *context, const struct stored_verdict *v), void *context)
{
	if (find_voided(t) != 0)
		return fail(d);
	for (size_t i = 0; i < t->n; i++) {
		int got;

		begin(t, &t->segments[i]);
		while ((got = batch_read(&t->batch, &t->reader, BATCH_RECORDS, is_voided, t)) == 1)
			for (size_t n = 0; n < t->batch.n; n++) {
				const struct stored_verdict *v = &t->batch.rows[n].verdict;
				const int result = v->record.is_vain ? 0 : tell(context, v);

				if (result != 0)
					return result;
			}
		if (got < 0)
			return fail(d);
	}
	return 0;
}

/* Of the stream of segments[first] to [last]: the first record that waits, and the number of the
 * last one, without reading all of a gigabyte. 0 or -1. */
static int lag_of_stream(struct journal_tail *t, size_t first, size_t last,
			 struct verdicts_lag *out)
{
	uint64_t newest = t->segments[first].moved;
	bool has_oldest = false;
	struct stored_verdict v;
	struct journal_item item;
	int got = 0;

	for (size_t i = first; i <= last && got >= 0; i++) {
		if (i != last && has_oldest)
			continue;
		begin(t, &t->segments[i]);
		while ((got = journal_reader_next(&t->reader, true, &item)) == 1) {
			newest = item.sequence;
			if (has_oldest || item.kind != JOURNAL_VERDICT)
				continue;
			has_oldest = true;
			arena_reset(&t->batch.arena);
			if (journal_record_decode(item.payload, item.payload_len, &t->batch.arena,
						  &v) == 0 &&
			    (out->oldest_unix == 0 || v.record.time_unix < out->oldest_unix))
				out->oldest_unix = v.record.time_unix;
			if (i != last)
				break;
		}
	}
	out->n_records += (int64_t)(newest - t->segments[first].moved);
	return got < 0 ? -1 : 0;
}

/* After settling. 0 or -1. */
static int journal_tail_lag(struct journal_tail *t, struct db *d, struct verdicts_lag *out)
{
	memset(out, 0, sizeof *out);
	out->n_segments = (int64_t)t->n;
	for (size_t first = 0, last; first < t->n; first = last + 1) {
		for (last = first; last + 1 < t->n && t->segments[last + 1].name.stream ==
							      t->segments[first].name.stream;
		     last++)
			out->bytes += t->segments[last].size;
		out->bytes += t->segments[last].size;
		if (lag_of_stream(t, first, last, out) != 0)
			return fail(d);
	}
	return 0;
}

int verdicts_get_lag(struct db *d, struct verdicts_lag *out)
{
	struct journal_tail *t = journal_tail_open(d);
	int64_t last_id;
	int result = -1;

	if (t != NULL && journal_tail_settle(t, d, &last_id) == 0)
		result = journal_tail_lag(t, d, out);
	journal_tail_close(t);
	return result;
}

/* Whether all that t knows of is in the database by now. 1, 0, -1. */
static int is_moved(struct journal_tail *t, struct db *d)
{
	struct verdicts_lag lag;
	int64_t last_id;

	if (journal_tail_settle(t, d, &last_id) != 0 || journal_tail_lag(t, d, &lag) != 0)
		return -1;
	return lag.n_records == 0;
}

int verdicts_settle(struct db *d, int wait_ms)
{
	static const struct timespec pause = {.tv_nsec = 20000000};
	const int64_t until_ms = clock_monotonic_ms() + wait_ms;
	struct journal_tail *t = journal_tail_open(d);
	int result = t == NULL ? -1 : is_moved(t, d);

	while (result == 0 && clock_monotonic_ms() < until_ms) {
		nanosleep(&pause, NULL);
		result = is_moved(t, d);
	}
	journal_tail_close(t);
	return result;
}
