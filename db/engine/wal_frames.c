/* SPDX-License-Identifier: ISC */
#include "db/engine/wal_frames.h"

#include <stdlib.h>
#include <string.h>

/* walformat.html section 2.1: the header, in the machine's own order. */
#define HEADER_BYTES 48
#define PAGE_SIZE_AT 14
#define MX_FRAME_AT 16
#define SALTS_AT 32
#define SUMMED_BYTES 40
#define WRITTEN_BACK_AT 96 /* section 2.2 */
#define READ_MARKS_AT 100
#define N_READERS 5
#define BEGUN_AT 128
#define FIRST_PAGE_AT 136
#define READ_LOCK 3 /* section 2.3: the first of N_READERS */

/* fileformat2.html section 4.1: the log. */
#define LOG_HEADER_BYTES 32
#define LOG_SALTS_AT 16
#define LOG_SUM_AT 24
#define LOG_MAGIC 0x377f0682 /* or one more: sums of big-endian words */
#define FRAME_HEADER_BYTES 24
#define FRAME_COMMIT_AT 4
#define FRAME_SALTS_AT 8
#define FRAME_SUM_AT 16

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t own32(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return value;
}

/* fileformat2.html section 4.2. len is a multiple of 8. */
static void add_sum(uint32_t sums[2], const unsigned char *p, size_t len, bool is_big_endian)
{
	uint32_t a = sums[0], b = sums[1];

	for (size_t i = 0; i < len; i += 8) {
		uint32_t one = own32(p + i), two = own32(p + i + 4);

		if (is_big_endian) {
			one = be32(p + i);
			two = be32(p + i + 4);
		}
		a += one + b;
		b += two + a;
	}
	sums[0] = a;
	sums[1] = b;
}

/* ---- the index ---- */

bool wal_frames_parse(const unsigned char head[WAL_FRAMES_HEAD_BYTES], struct wal_frames *out)
{
	uint32_t sums[2] = {0, 0};
	uint16_t page_bytes;

	add_sum(sums, head, SUMMED_BYTES, false);
	if (memcmp(head, head + HEADER_BYTES, HEADER_BYTES) != 0 ||
	    sums[0] != own32(head + SUMMED_BYTES) || sums[1] != own32(head + SUMMED_BYTES + 4))
		return false;
	memcpy(&page_bytes, head + PAGE_SIZE_AT, sizeof page_bytes);
	out->page_bytes = page_bytes == 1 ? 65536 : page_bytes;
	out->n_frames = own32(head + MX_FRAME_AT);
	out->n_written_back = own32(head + WRITTEN_BACK_AT);
	out->n_begun = own32(head + BEGUN_AT);
	out->first_page = own32(head + FIRST_PAGE_AT);
	if (out->n_begun < out->n_written_back)
		out->n_begun = out->n_written_back;
	memcpy(out->salts, head + SALTS_AT, sizeof out->salts);
	/* While the log begins anew the header is written first. */
	out->is_nonsense = out->n_frames > 0 && out->n_begun > out->n_frames;
	return true;
}

/* The head of the index. False: there is none. */
static bool read_head(struct db *d, unsigned char head[WAL_FRAMES_HEAD_BYTES])
{
	volatile const unsigned char *region = wal_index_map(d);

	if (region == NULL)
		return false;
	for (size_t i = 0; i < WAL_FRAMES_HEAD_BYTES; i += sizeof(uint32_t)) {
		const uint32_t word = *(volatile const uint32_t *)(region + i);

		memcpy(head + i, &word, sizeof word);
	}
	return true;
}

bool wal_frames_read(struct db *d, struct wal_frames *out)
{
	unsigned char head[WAL_FRAMES_HEAD_BYTES];

	return read_head(d, head) && wal_frames_parse(head, out);
}

bool wal_frames_is_read_behind(struct db *d)
{
	unsigned char head[WAL_FRAMES_HEAD_BYTES];
	sqlite3_file *file;
	struct wal_frames x;

	if (!read_head(d, head) || !wal_frames_parse(head, &x) || x.is_nonsense)
		return false;
	file = d->index.file;
	/* The first slot, whose mark is 0, is for those who read nothing of the log: they keep what
	 * has come since from being written back. Where nothing has, they are in nobody's way. */
	for (int i = x.n_frames > x.n_written_back ? 0 : 1; i < N_READERS; i++) {
		if (own32(head + READ_MARKS_AT + 4 * (size_t)i) >= x.n_frames)
			continue;
		if (file->pMethods->xShmLock(file, READ_LOCK + i, 1,
					     SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) != SQLITE_OK)
			return true;
		file->pMethods->xShmLock(file, READ_LOCK + i, 1,
					 SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
	}
	return false;
}

int64_t wal_frames_log_bytes(const struct wal_frames *x)
{
	if (x->n_frames == 0)
		return 0;
	return LOG_HEADER_BYTES +
	       (int64_t)x->n_frames * (int64_t)(FRAME_HEADER_BYTES + x->page_bytes);
}

/* ---- the log ---- */

static sqlite3_int64 frame_at(const struct wal_frames *x, uint32_t n)
{
	return LOG_HEADER_BYTES +
	       (sqlite3_int64)n * (sqlite3_int64)(FRAME_HEADER_BYTES + x->page_bytes);
}

uint32_t wal_frames_first_page(struct db *d, const struct wal_frames *x)
{
	unsigned char frame[FRAME_HEADER_BYTES];
	sqlite3_file *log = NULL;

	if (sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) !=
		    SQLITE_OK ||
	    log == NULL || log->pMethods == NULL ||
	    log->pMethods->xRead(log, frame, sizeof frame, LOG_HEADER_BYTES) != SQLITE_OK ||
	    memcmp(frame + FRAME_SALTS_AT, x->salts, sizeof x->salts) != 0)
		return 0;
	return be32(frame);
}

bool wal_frames_first_fits(const struct wal_frames *x,
			   const unsigned char frame[WAL_FRAMES_FIRST_BYTES])
{
	return memcmp(frame + FRAME_SALTS_AT, x->salts, sizeof x->salts) != 0 ||
	       be32(frame) == x->first_page;
}

/* A disk that fails says nothing about what the log holds. */
static bool read_log(sqlite3_file *log, struct wal_walk *w, void *out, size_t len, sqlite3_int64 at)
{
	const int rc = log->pMethods->xRead(log, out, (int)len, at);

	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		w->is_unread = true;
	return rc == SQLITE_OK;
}

/* The header of the log, whose sum is the first of the chain. False: it is none of this generation.
 */
static bool begin_walk(sqlite3_file *log, const struct wal_frames *x, struct wal_walk *w)
{
	unsigned char head[LOG_HEADER_BYTES], frame[FRAME_HEADER_BYTES];
	const uint32_t from = w->from < x->n_frames ? w->from : x->n_frames;

	memset(w, 0, sizeof *w);
	w->from = from;
	if (!read_log(log, w, head, sizeof head, 0) || (be32(head) & ~1U) != LOG_MAGIC ||
	    memcmp(head + LOG_SALTS_AT, x->salts, sizeof x->salts) != 0)
		return false;
	w->is_big_endian = (be32(head) & 1) != 0;
	add_sum(w->sums, head, LOG_SUM_AT, w->is_big_endian);
	if (w->sums[0] != be32(head + LOG_SUM_AT) || w->sums[1] != be32(head + LOG_SUM_AT + 4))
		return false;
	if (from > 0) {
		if (!read_log(log, w, frame, sizeof frame, frame_at(x, from - 1)))
			return false;
		w->sums[0] = be32(frame + FRAME_SUM_AT);
		w->sums[1] = be32(frame + FRAME_SUM_AT + 4);
		w->n = w->n_committed = from;
	}
	memcpy(w->salts, x->salts, sizeof w->salts);
	w->has_begun = true;
	return true;
}

static bool is_frame_whole(sqlite3_file *log, const struct wal_frames *x, struct wal_walk *w,
			   unsigned char *frame)
{
	uint32_t sums[2] = {w->sums[0], w->sums[1]};

	if (!read_log(log, w, frame, FRAME_HEADER_BYTES + x->page_bytes, frame_at(x, w->n)) ||
	    memcmp(frame + FRAME_SALTS_AT, x->salts, sizeof x->salts) != 0)
		return false;
	add_sum(sums, frame, FRAME_SALTS_AT, w->is_big_endian);
	add_sum(sums, frame + FRAME_HEADER_BYTES, x->page_bytes, w->is_big_endian);
	if (sums[0] != be32(frame + FRAME_SUM_AT) || sums[1] != be32(frame + FRAME_SUM_AT + 4))
		return false;
	w->sums[0] = sums[0];
	w->sums[1] = sums[1];
	w->n++;
	if (be32(frame + FRAME_COMMIT_AT) != 0)
		w->n_committed = w->n;
	return true;
}

int wal_walk(struct db *d, const struct wal_frames *x, struct wal_walk *w,
	     bool (*keep)(void *context, sqlite3_int64 offset, const unsigned char *frame,
			  size_t len),
	     void *context)
{
	const size_t frame_bytes = FRAME_HEADER_BYTES + x->page_bytes;
	sqlite3_file *log = NULL;
	unsigned char *frame;
	int result = 1;

	w->is_unread = false;
	if (x->n_frames == 0 || x->n_frames == w->from)
		return 1;
	if (sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) !=
		    SQLITE_OK ||
	    log == NULL || log->pMethods == NULL)
		return 0;
	if ((!w->has_begun || memcmp(w->salts, x->salts, sizeof w->salts) != 0 ||
	     w->n > x->n_frames) &&
	    !begin_walk(log, x, w))
		return w->is_unread ? -1 : 0;
	frame = malloc(frame_bytes);
	if (frame == NULL)
		return -1;
	while (result == 1 && w->n < x->n_frames) {
		if (!is_frame_whole(log, x, w, frame))
			result = w->is_unread ? -1 : 0;
		else if (keep != NULL && !keep(context, frame_at(x, w->n - 1), frame, frame_bytes))
			result = -1;
	}
	free(frame);
	return result;
}
