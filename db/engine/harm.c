/* SPDX-License-Identifier: ISC */
#include "db/engine/harm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "db/engine/wal_frames.h"
#include "db/engine/wal_index.h"

static int stat_beside(const struct db *d, const char *suffix, struct stat *out)
{
	char path[DB_PATH_MAX + 8];
	const size_t len = strlen(d->path);

	/* Not by snprintf(), which takes longer than what the kernel does. */
	memcpy(path, d->path, len);
	memcpy(path + len, suffix, strlen(suffix) + 1);
	return lstat(path, out);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Is that a line of proc(5)'s maps of what lies at that address, and of another file than st? Its
 * name and its number have to tell so: either may differ by right, where a file system makes them
 * up. 1, 0, -1: it is of something else. */
static int is_another_file(const char *line, uintptr_t address, const struct stat *st)
{
	unsigned long long start, end, inode;
	size_t len;
	int at = 0;

	if (sscanf(line, "%llx-%llx %*s %*s %*s %llu %n", &start, &end, &inode, &at) != 3 ||
	    at == 0 || address < start || address >= end)
		return -1;
	line += at;
	len = strcspn(line, "\n");
	return line[0] == '/' && (len < 4 || strncmp(line + len - 4, "-shm", 4) != 0) &&
	       inode != st->st_ino;
}

/* Was the index removed or replaced since the engine opened it, here or for another connection of
 * this process? The engine tells nobody which file it has, but the kernel does, where there is
 * proc(5). False where it cannot be told. */
static bool index_is_another(struct db *d)
{
	const uintptr_t address = (uintptr_t)wal_index_map(d);
	FILE *maps = address != 0 ? fopen("/proc/self/maps", "re") : NULL;
	char *line = NULL;
	size_t size = 0;
	int result = -1;

	while (maps != NULL && result < 0 && getline(&line, &size, maps) > 0)
		result = is_another_file(line, address, &d->companions.index);
	free(line);
	if (maps != NULL)
		fclose(maps);
	return result == 1;
}

void harm_remember(struct db *d)
{
	struct wal_frames x;

	memset(d->companions.salts, 0, sizeof d->companions.salts);
	d->companions.first_page = 0;
	memset(&d->companions.wal, 0, sizeof d->companions.wal);
	memset(&d->companions.index, 0, sizeof d->companions.index);
	/* Otherwise somebody chose another journal for the database. Where the engine has an index
	 * all the same, what is missing was removed since it opened it: the next look finds that.
	 */
	d->companions.are_known = (stat_beside(d, "-wal", &d->companions.wal) == 0 &&
				   stat_beside(d, "-shm", &d->companions.index) == 0) ||
				  wal_frames_read(d, &x);
	/* No file is that: the next look finds it gone. */
	if (d->companions.are_known && index_is_another(d))
		memset(&d->companions.index, 0, sizeof d->companions.index);
}

/* The file that the engine has open, which never becomes shorter while it does. */
static enum harm look_at_index(struct db *d)
{
	struct stat st;

	if (stat_beside(d, "-shm", &st) != 0 || !is_same(&st, &d->companions.index))
		return HARM_INDEX_GONE;
	if (st.st_size < d->companions.index.st_size)
		return HARM_INDEX_SHORT;
	d->companions.index.st_size = st.st_size;
	return HARM_NONE;
}

static bool log_is_there(const struct db *d, struct stat *st)
{
	return stat_beside(d, "-wal", st) == 0 && is_same(st, &d->companions.wal);
}

/* Which page the log begins with; asked once for each generation. 0: not known. */
static uint32_t first_page(struct db *d, const struct wal_frames *x)
{
	if (memcmp(d->companions.salts, x->salts, sizeof x->salts) != 0 ||
	    d->companions.first_page == 0) {
		d->companions.first_page = wal_frames_first_page(d, x);
		memcpy(d->companions.salts, x->salts, sizeof x->salts);
	}
	return d->companions.first_page;
}

static bool is_unchanged(struct db *d, const struct wal_frames *x)
{
	struct wal_frames again;

	return wal_frames_read(d, &again) &&
	       memcmp(&again.salts, &x->salts, sizeof x->salts) == 0 &&
	       again.n_frames >= x->n_frames && again.first_page == x->first_page &&
	       again.is_nonsense == x->is_nonsense;
}

enum harm harm_find(struct db *d)
{
	enum harm h;
	struct wal_frames x;
	struct stat st;

	if (!d->companions.are_known)
		return HARM_NONE;
	h = look_at_index(d);
	if (h == HARM_INDEX_GONE && !log_is_there(d, &st))
		return HARM_LOG_GONE;
	if (h != HARM_NONE)
		return h;
	for (;;) {
		const bool is_read = wal_frames_read(d, &x);

		if (!log_is_there(d, &st))
			return HARM_LOG_GONE;
		if (!is_read)
			return d->is_in_transaction && d->has_lock ? HARM_INDEX_WRONG : HARM_NONE;
		if (st.st_size < wal_frames_log_bytes(&x))
			h = HARM_LOG_SHORT;
		else if (x.is_nonsense)
			h = HARM_INDEX_WRONG;
		else if (x.n_frames > 0 && first_page(d, &x) != 0 &&
			 first_page(d, &x) != x.first_page)
			h = HARM_INDEX_WRONG;
		else
			return HARM_NONE;
		/* The log began anew in between, and is other by right? */
		if (is_unchanged(d, &x))
			return h;
		d->companions.first_page = 0;
	}
}

bool harm_index_is_right(struct db *d)
{
	struct wal_frames x;

	return !d->companions.are_known || !wal_frames_read(d, &x) || x.n_frames == 0 ||
	       first_page(d, &x) == 0 || first_page(d, &x) == x.first_page || !is_unchanged(d, &x);
}

const char *harm_suffix(enum harm h)
{
	switch (h) {
	case HARM_INDEX_GONE:
	case HARM_INDEX_SHORT:
	case HARM_INDEX_WRONG:
		return "-shm";
	case HARM_NONE:
	case HARM_LOG_GONE:
	case HARM_LOG_SHORT:
		break;
	}
	return "-wal";
}
