/* SPDX-License-Identifier: ISC */
#include "db/engine/wal_copy.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

#define ROOM_FIRST ((size_t)1 << 20)

static bool keep(void *context, sqlite3_int64 offset, const unsigned char *frame, size_t len)
{
	struct wal_copy *c = context;

	if (c->len == 0)
		c->from = offset;
	if (offset != c->from + (sqlite3_int64)c->len || c->len + len > WAL_COPY_MAX)
		return true;
	if (c->len + len > c->room) {
		const size_t room = c->room == 0 ? ROOM_FIRST : 2 * c->room;
		unsigned char *more = realloc(c->bytes, room);

		if (more == NULL)
			return false;
		c->bytes = more;
		c->room = room;
	}
	memcpy(c->bytes + c->len, frame, len);
	c->len += len;
	return true;
}

int wal_copy_read(struct wal_copy *c, struct db *d)
{
	struct wal_frames x, again;
	int got;

	if (!wal_frames_read(d, &x) || x.is_nonsense)
		return -1;
	if (!c->walk.has_begun || memcmp(c->walk.salts, x.salts, sizeof x.salts) != 0) {
		memset(&c->walk, 0, sizeof c->walk);
		c->walk.from = x.n_written_back;
		c->len = 0;
	}
	got = wal_walk(d, &x, &c->walk, keep, c);
	/* It may have begun anew meanwhile. */
	if (got == 0 && (!wal_frames_read(d, &again) || again.n_frames < x.n_frames ||
			 memcmp(x.salts, again.salts, sizeof x.salts) != 0))
		return -1;
	return got;
}

static int read_log(sqlite3_file *log, void *out, int len, sqlite3_int64 offset)
{
	const struct wal_copy *c = (const struct wal_copy *)(const void *)log->pMethods;

	if (offset >= c->from && offset + len <= c->from + (sqlite3_int64)c->len) {
		memcpy(out, c->bytes + (offset - c->from), (size_t)len);
		return SQLITE_OK;
	}
	return c->real->xRead(log, out, len, offset);
}

/* 1, 0, -1. */
static int write_back(struct wal_copy *c, struct db *d)
{
	sqlite3_file *log = NULL;
	int rc, n_log = -1, n_done = -1;

	if (sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) ==
		    SQLITE_OK &&
	    log != NULL && log->pMethods != NULL && c->len > 0) {
		c->real = log->pMethods;
		c->methods = *c->real;
		c->methods.xRead = read_log;
		log->pMethods = &c->methods;
	}
	rc = sqlite3_wal_checkpoint_v2(d->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &n_log, &n_done);
	if (c->real != NULL)
		log->pMethods = c->real;
	c->real = NULL;
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		return -1;
	return rc == SQLITE_OK && n_log >= 0 && n_log == n_done;
}

int wal_copy_write_back(struct wal_copy *c, struct db *d, int wait_ms)
{
	static const struct timespec pause = {.tv_nsec = 200000};
	const int64_t until_ms = clock_monotonic_ms() + wait_ms;
	const int busy_ms = d->busy_ms;
	int got;

	d->busy_ms = 0;
	/* Who begins to read now reads the last state: those who read an older one become fewer. */
	while ((got = wal_frames_is_read_behind(d) ? 0 : write_back(c, d)) == 0 &&
	       clock_monotonic_ms() < until_ms)
		nanosleep(&pause, NULL);
	d->busy_ms = busy_ms;
	return got;
}

void wal_copy_free(struct wal_copy *c)
{
	free(c->bytes);
	memset(c, 0, sizeof *c);
}
