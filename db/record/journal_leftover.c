/* SPDX-License-Identifier: ISC */
#include "db/record/journal_leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/record/verdict_cover.h"
#include "db/record/verdict_mover.h"

#define GONE_AFTER_S (30 * 86400)

/* One stream that nobody writes any more: its segments, locked. */
struct leftover {
	struct verdict_log *log;
	const struct journal_header *name;
	size_t n;
	int *fd; /* -1: gone meanwhile */
	int64_t *size;
	uint64_t *voided;
	size_t n_voided;
	struct journal_reader reader;
};

static bool is_voided(void *context, uint64_t sequence)
{
	const struct leftover *left = context;

	for (size_t i = 0; i < left->n_voided; i++)
		if (left->voided[i] == sequence)
			return true;
	return false;
}

static int add_voided(struct leftover *left, uint64_t sequence)
{
	uint64_t *more = realloc(left->voided, (left->n_voided + 1) * sizeof more[0]);

	if (more == NULL)
		return -1;
	left->voided = more;
	left->voided[left->n_voided++] = sequence;
	return 0;
}

/* The header of segment i, which must say what the name says: otherwise nothing in it can be read.
 */
static bool has_header(const struct leftover *left, size_t i)
{
	unsigned char bytes[JOURNAL_HEADER_BYTES];
	struct journal_header header;

	return pread(left->fd[i], bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes &&
	       journal_read_header(bytes, sizeof bytes, &header) &&
	       header.stream == left->name[i].stream && header.number == left->name[i].number;
}

/* Opens and locks all. 1, 0: somebody writes the stream, -1. */
static int open_all(struct leftover *left, struct db *d)
{
	for (size_t i = 0; i < left->n; i++) {
		left->fd[i] = journal_files_open(d, &left->name[i], O_RDWR, true, &left->size[i]);
		if (left->fd[i] == -1)
			return -1;
		if (left->fd[i] == -2)
			return 0;
	}
	return 1;
}

/* Which records of the stream are void: that is said behind them. 0 or -1. */
static int find_voided(struct leftover *left)
{
	struct journal_item item;
	uint64_t after = 0;

	for (size_t i = 0; i < left->n; i++) {
		int got;

		journal_reader_begin(&left->reader, left->fd[i], &left->name[i], left->size[i],
				     after);
		while ((got = journal_reader_next(&left->reader, true, &item)) == 1)
			if (journal_voided(&item) != 0 &&
			    add_voided(left, journal_voided(&item)) != 0)
				return -1;
		if (got < 0)
			return -1;
		after = left->reader.after;
	}
	return 0;
}

/* How far the stream was moved before its writer ended. 0 or -1. */
static int ask_moved(struct db *d, uint64_t stream, uint64_t *moved)
{
	if (db_begin_read(d) != 0)
		return -1;
	return db_end(d, batch_moved(d, stream, moved));
}

static int move_segment(struct leftover *left, size_t i, uint64_t *moved, uint64_t *stored)
{
	int got;

	if (!has_header(left, i)) {
		log_error("journal %016" PRIx64 ".%08" PRIx32
			  ": no segment of a journal; removed by hand, if at all",
			  left->name[i].stream, left->name[i].number);
		return 0;
	}
	journal_reader_begin(&left->reader, left->fd[i], &left->name[i], left->size[i], *moved);
	do {
		if (verdict_mover_own(left->log, false) != 0)
			return -1;
		got = verdict_mover_step(left->log, &left->reader, stored, is_voided, left);
		/* A record that the schema does not take is looked for with smaller batches. */
		if (got < 0 && batch_was_refused(left->log->db))
			got = 1;
	} while (got == 1 && !left->log->must_stop);
	if (got != 0)
		return -1;
	*moved = left->reader.after;
	if (left->reader.damaged_bytes > 0)
		log_error("journal %016" PRIx64 ".%08" PRIx32 ": %" PRId64
			  " octets are damaged; what they held is lost",
			  left->name[i].stream, left->name[i].number, left->reader.damaged_bytes);
	return 0;
}

/* Everything in order of the segments. 0 or -1. */
static int move_all(struct leftover *left, struct db *d)
{
	uint64_t first, moved, stored;

	if (ask_moved(d, left->name[0].stream, &first) != 0 || find_voided(left) != 0)
		return -1;
	moved = stored = first;
	for (size_t i = 0; i < left->n; i++)
		if (move_segment(left, i, &moved, &stored) != 0)
			return -1;
	if (!cover_now(left->log))
		return -1;
	for (size_t i = 0; i < left->n; i++)
		if (has_header(left, i) && journal_files_remove(d, &left->name[i]) != 0)
			return -1;
	log_info("journal %016" PRIx64 ": moved what a filter had left, up to record %" PRIu64,
		 left->name[0].stream, moved);
	return 0;
}

/* *bytes: what is left of it, and counts against journal_max. 0 or -1. */
static int move_stream(struct verdict_log *l, const struct journal_header *name, size_t n,
		       int64_t *bytes)
{
	struct leftover left = {.log = l, .name = name, .n = n};
	int result = -1;

	left.fd = malloc(n * sizeof left.fd[0]);
	left.size = calloc(n, sizeof left.size[0]);
	for (size_t i = 0; left.fd != NULL && i < n; i++)
		left.fd[i] = -1;
	if (left.fd != NULL && left.size != NULL) {
		result = open_all(&left, l->db);
		if (result == 1)
			result = move_all(&left, l->db);
	}
	for (size_t i = 0; left.fd != NULL && i < n; i++) {
		if (left.fd[i] < 0)
			continue;
		if (result != 0)
			*bytes += left.size[i];
		close(left.fd[i]);
	}
	free(left.fd);
	free(left.size);
	free(left.voided);
	journal_reader_free(&left.reader);
	return result;
}

static bool has_files(const struct journal_names *names, uint64_t stream)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->name[i].stream == stream)
			return true;
	return false;
}

/* 1: *stream is the next behind `after` that nothing was moved of for long; 0, -1. */
static int next_old_stream(struct db *d, int64_t after, int64_t before_unix, int64_t *stream)
{
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_JOURNAL_OLD_STREAM);
	if (st != NULL) {
		db_bind_int(st, 1, after);
		db_bind_int(st, 2, before_unix);
		got = db_step(d, st);
	}
	if (got == 1)
		*stream = sqlite3_column_int64(st, 0);
	return db_end(d, got < 0 ? -1 : 0) == 0 ? got : -1;
}

static int forget_stream(struct db *d, uint64_t stream)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(d) != 0)
		return -1;
	st = db_statement(d, SQL_JOURNAL_FORGET_STREAM);
	if (st != NULL) {
		db_bind_int(st, 1, (int64_t)stream);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

/* Rows of streams that are long gone. Until then a file of theirs may come back, with a copy of the
 * folder that was made while they went, and what it holds must not be moved again. */
static void forget_gone(struct verdict_log *l, const struct journal_names *names)
{
	const int64_t before_unix = clock_now_unix() - GONE_AFTER_S;
	int64_t stream = INT64_MIN;

	while (next_old_stream(l->db, stream, before_unix, &stream) == 1)
		if (!has_files(names, (uint64_t)stream) && (uint64_t)stream != l->journal.stream &&
		    forget_stream(l->db, (uint64_t)stream) != 0)
			return;
}

int journal_leftover_move(struct verdict_log *l, bool is_clock_steady)
{
	struct journal_names names;
	int64_t bytes = 0;
	int result = 0;

	journal_files_sweep(l->db);
	if (journal_files_list(l->db, &names) != 0)
		return -1;
	for (size_t at = 0, end; at < names.n && !l->must_stop; at = end) {
		for (end = at + 1; end < names.n && names.name[end].stream == names.name[at].stream;
		     end++)
			;
		if (names.name[at].stream != l->journal.stream &&
		    move_stream(l, &names.name[at], end - at, &bytes) != 0)
			result = -1;
	}
	if (result == 0 && is_clock_steady)
		forget_gone(l, &names);
	free(names.name);
	pthread_mutex_lock(&l->journal.lock);
	l->journal.other_bytes = bytes;
	pthread_mutex_unlock(&l->journal.lock);
	return result;
}
