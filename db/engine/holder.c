/* SPDX-License-Identifier: ISC
 *
 * holder.c: who reads an old state of the database, so that the write-ahead log cannot be written
 * back. The kernel's list of locks is read, no file is opened: closing one would drop the engine's
 * own locks.
 */
#include "db/engine/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* In the index of the log: https://sqlite.org/walformat.html section 2.3.1. Who holds read lock 0
 * began when all of the log was in the database, and what comes after is not written back over what
 * he reads. */
#define READ_LOCKS_FIRST 123
#define READ_LOCKS_LAST 127

static void name_of(long pid, char out[32])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/comm", pid);
	f = fopen(path, "re");
	if (f == NULL || fgets(out, 32, f) == NULL)
		snprintf(out, 32, "?");
	if (f != NULL)
		fclose(f);
	out[strcspn(out, "\n")] = '\0';
}

bool db_wal_holder(struct db *d, char *out, size_t out_size)
{
	char path[DB_PATH_MAX + 8], line[300], name[32];
	struct stat st;
	bool is_found = false;
	FILE *f;

	snprintf(path, sizeof path, "%s-shm", d->path);
	f = stat(path, &st) == 0 ? fopen("/proc/locks", "re") : NULL;
	while (f != NULL && !is_found && fgets(line, sizeof line, f) != NULL) {
		unsigned major_number, minor_number;
		uint64_t inode, first;
		long pid;

		/* 1: POSIX  ADVISORY  READ 1234 fe:00:5678 124 124 */
		if (sscanf(line, "%*d: POSIX %*s READ %ld %x:%x:%" SCNu64 " %" SCNu64, &pid,
			   &major_number, &minor_number, &inode, &first) != 5 ||
		    inode != st.st_ino || makedev(major_number, minor_number) != st.st_dev ||
		    first < READ_LOCKS_FIRST || first > READ_LOCKS_LAST || pid == (long)getpid())
			continue;
		name_of(pid, name);
		snprintf(out, out_size, "process %ld (%s)", pid, name);
		is_found = true;
	}
	if (f != NULL)
		fclose(f);
	return is_found;
}
