/* SPDX-License-Identifier: ISC
 *
 * verdict_batch.h: records on their way from a segment of the journal into the database. One
 * transaction stores a batch and how far its stream is moved by it, so that whatever happens each
 * record is stored once. One thread. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_BATCH_H
#define PGPGATE_DB_VERDICT_BATCH_H

#include "db/record/journal_reader.h"
#include "db/record/journal_record.h"

#define BATCH_RECORDS 1000 /* a transaction at most: some 50 ms */

struct batch_row {
	uint64_t sequence;
	bool was_voided, is_stored;
	struct stored_verdict verdict; /* strings point into the reader's memory */
};

#define BATCH_LOST_MAX 8 /* a batch ends where more could follow */

/* What is passed over without being stored, though somebody may wait for it. */
struct batch_lost {
	uint64_t first, last; /* sequences */
	const char *why;      /* a sentence, static */
};

struct batch {
	struct batch_row *rows; /* room for BATCH_RECORDS */
	size_t n;
	uint64_t last_sequence; /* of the last record looked at, whatever its kind; 0: none */
	struct batch_lost lost[BATCH_LOST_MAX]; /* up to last_sequence */
	size_t n_lost;
	bool went_back; /* batch_store(): the database has less than it had */
	struct arena arena;
};

/* 0 or -1: no memory. */
int batch_init(struct batch *b);
void batch_free(struct batch *b);

/* Fills b with the next records, up to max: with those that were read at once. is_voided says whose
 * message was answered with a temporary failure: their rows say so. 1: some, 0: none are left, -1:
 * reading failed (errno). What is no verdict although its checksum holds is told to the log and
 * left out. */
int batch_read(struct batch *b, struct journal_reader *r, size_t max,
	       bool (*is_voided)(void *context, uint64_t sequence), void *context);

/* The only row of b is to be left out: the schema does not take it. */
void batch_leave_out(struct batch *b);

/* Stores b and that its stream is moved up to b->last_sequence: what the database says is moved
 * already is left out. *stored: how far the database had
 * the stream moved when we knew last, and has now: with less than that, what was committed was lost
 * with the write-ahead log; nothing is stored then, and b->went_back is set. 0, or -1 with
 * db_error(). */
int batch_store(struct batch *b, struct db *d, uint64_t stream, uint64_t *stored, int64_t now_unix);

/* After batch_store() failed: for a row that the schema does not take. */
bool batch_was_refused(const struct db *d);

/* How far a stream is moved, within a transaction. 0 or -1. */
int batch_moved(struct db *d, uint64_t stream, uint64_t *moved);

#endif
