/* SPDX-License-Identifier: ISC
 *
 * journal.h: the journal of a filter that runs: its stream, to which records are appended before
 * their messages are answered, and from which the writer moves them into the database.
 * journal_format.h says what the files hold.
 *
 * Append: any thread, one at a time (there is a lock). A group is in the files as a whole or not at
 * all: with verdict_sync = power after fdatasync(2), otherwise after write(2), which a killed
 * process survives. What is appended is for the writer to see when it is published, so that what is
 * voided in the same breath is known by then. The writer's functions are for one thread. For db/
 * only.
 */
#ifndef PGPGATE_DB_JOURNAL_H
#define PGPGATE_DB_JOURNAL_H

#include <pthread.h>

#include "db/record/journal_files.h"

struct journal_entry {
	struct journal_entry *next;
	unsigned char *payload; /* its kind included */
	size_t payload_len;
	uint32_t payload_checksum;
	uint64_t sequence; /* set by journal_append() */
};

struct journal_segment {
	struct journal_segment *next;
	struct journal_header name;
	int fd;
	int64_t bytes, published_bytes;
	uint64_t last_sequence; /* 0: none yet */
};

struct journal {
	pthread_mutex_t append_lock; /* held while appending */
	struct db files;	     /* path and error of what appends; never open */
	uint64_t stream, next_sequence;
	uint32_t next_number;
	int64_t segment_bytes; /* a segment that is longer is followed by the next */
	bool must_roll;	       /* the last segment may not be written to any more */

	pthread_mutex_t lock; /* guards what follows */
	struct journal_segment *first, *last;
	uint64_t published;  /* highest sequence that the writer may see */
	int64_t bytes;	     /* of all segments */
	int64_t other_bytes; /* of what others have left and is not moved yet */
	uint64_t *voided;    /* ascending, not yet moved */
	size_t n_voided, voided_room, n_voids_written;
};

#define JOURNAL_VOIDED_ROOM \
	4096 /* without asking for memory: twice as many messages as are under way at once */

/* 0, or -1: no memory, no random number. No file is made before the first append. */
int journal_init(struct journal *j, struct settings *s);
/* Closes the segments; they stay. */
void journal_destroy(struct journal *j);

/* A list of entries. 0 or -1 with err (DB_ERROR_MAX): then nothing of it is there. s says max and
 * sync. */
int journal_append(struct journal *j, const struct settings *s, struct journal_entry *list,
		   char *err);
void journal_publish(struct journal *j);

/* The verdict with this sequence was answered with a temporary failure. Told to the writer at once,
 * and to the files now or before the next append. */
void journal_void(struct journal *j, uint64_t sequence);

/* ---- the writer's ---- */

uint64_t journal_published(struct journal *j);
/* The segment that holds sequence `after` + 1, and how much of it is published. NULL: no record
 * after it is published. Stays until journal_forget() passes it. */
struct journal_segment *journal_segment_after(struct journal *j, uint64_t after, int64_t *limit);
/* The highest sequence that was published before the segment behind s began. *last_written: of the
 * records in s. */
uint64_t journal_end_of(struct journal *j, const struct journal_segment *s, uint64_t *last_written);
bool journal_is_voided(struct journal *j, uint64_t sequence);
int64_t journal_bytes(struct journal *j); /* of all segments, and of what others have left */
/* Everything up to `moved` is in the database: segments that hold nothing else go, and what was
 * voided in them; with `all` (nobody appends any more) the last one, too. What is moved again, when
 * the database went back, is still there with its voids. d: for files and errors. */
void journal_forget(struct journal *j, struct db *d, uint64_t moved, bool all);
/* Everything up to `covered` stays in the database, whatever comes: nobody asks any more what was
 * voided in it. */
void journal_forget_voids(struct journal *j, uint64_t covered);

#endif
