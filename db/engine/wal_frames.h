/* SPDX-License-Identifier: ISC
 *
 * wal_frames.h: what the index of the write-ahead log (DATABASE-shm) says of the log, and whether
 * the log holds it. The engine reads pages by the index and never looks at their checksums again:
 * what was cut off, or overwritten, is read as pages all the same, and written into the database by
 * the next checkpoint.
 *
 * Formats: https://sqlite.org/walformat.html. A connection by its owner, which has read at least
 * once. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_WAL_FRAMES_H
#define PGPGATE_DB_ENGINE_WAL_FRAMES_H

#include "db/engine/internal.h"
#include "db/engine/wal_index.h"

#define WAL_INDEX_BYTES 32768  /* the least that a -shm in use has */
#define WAL_FRAMES_FIRST_AT 32 /* of the log: the header of the first frame */
#define WAL_FRAMES_FIRST_BYTES 24
#define WAL_FRAMES_HEAD_BYTES \
	140 /* two copies of the header, what was written back, the first page */

struct wal_frames {
	uint32_t n_frames;	 /* committed */
	uint32_t n_written_back; /* of them, in the database and synced */
	uint32_t n_begun;	 /* at least as many: may be in the database in part */
	bool is_nonsense; /* these are: the index was overwritten, and its header written since */
	size_t page_bytes;
	uint32_t first_page; /* which page the first frame holds, where there is one */
	unsigned char salts[WAL_SALTS_BYTES]; /* of this generation of the log */
};

/* How far the log was looked through. */
struct wal_walk {
	bool has_begun, is_big_endian;
	bool is_unread;		 /* the disk failed: says nothing about what it holds */
	uint32_t from;		 /* frames that are not looked at */
	uint32_t n, n_committed; /* what is whole: up to this frame; up to the last commit */
	uint32_t sums[2];
	unsigned char salts[WAL_SALTS_BYTES];
};

/* Of the first octets of a -shm. False: it is being written, or is none. */
bool wal_frames_parse(const unsigned char head[WAL_FRAMES_HEAD_BYTES], struct wal_frames *out);
/* Of the index that the engine has mapped: SIGBUS where it was cut short. False as above, or the
 * engine has none. */
bool wal_frames_read(struct db *d, struct wal_frames *out);
/* The same as x->first_page, as the log has it: another one, or 0 where the index is none of this
 * log. 0 too where it cannot be read. */
uint32_t wal_frames_first_page(struct db *d, const struct wal_frames *x);
/* The same of what was read there. True as well where it is of another generation. */
bool wal_frames_first_fits(const struct wal_frames *x,
			   const unsigned char frame[WAL_FRAMES_FIRST_BYTES]);
/* What the log has to hold, at the least. */
int64_t wal_frames_log_bytes(const struct wal_frames *x);

/* Somebody reads a state before the last one at this moment. A checkpoint leaves out what they must
 * not see yet, and with it what is older on the same pages: the database is then of no one time. */
bool wal_frames_is_read_behind(struct db *d);

/* Goes on in w up to x->n_frames: from w->n, or, in a walk that is new (zeroed) or of another
 * generation, from w->from, of which the sum that stands in it is believed. Reads what the engine
 * has open, whatever its name is now. keep, which may be NULL, gets each frame. 1: all frames are
 * what was written; 0: those behind w->n are not; -1: that cannot be seen: no memory, or the disk
 * does not give them (w->is_unread). */
int wal_walk(struct db *d, const struct wal_frames *x, struct wal_walk *w,
	     bool (*keep)(void *context, sqlite3_int64 offset, const unsigned char *frame,
			  size_t len),
	     void *context);

#endif
