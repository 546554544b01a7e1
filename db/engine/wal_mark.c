/* SPDX-License-Identifier: ISC */
#include "db/engine/wal_mark.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "db/engine/file.h"

/* https://sqlite.org/fileformat2.html section 4.1 */
#define WAL_HEADER_BYTES 32
#define FRAME_HEADER_BYTES 24
#define SALTS_AT 16	 /* in the header of the log */
#define FRAME_SALTS_AT 8 /* in that of a frame */
#define SALTS_BYTES 8
#define PAGE_BYTES_MAX 65536
#define HEAD_BYTES                                                                    \
	65536 /* of a copy: the table state is the first that is made, on page 2 or 3 \
	       */

static const char prefix[] = "pgpgate-wal:";
#define DIGITS 16
#define BEFORE_AT (sizeof prefix - 1)	/* 16 hex digits: of the mark before */
#define OWN_AT (BEFORE_AT + DIGITS + 1) /* 16 more: its own */
#define MARK_BYTES (OWN_AT + DIGITS)

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* NULL where the page holds none. */
static const char *find_mark(const unsigned char *page, size_t page_bytes)
{
	const char *mark = memmem(page, page_bytes, prefix, sizeof prefix - 1);

	return mark != NULL && mark + MARK_BYTES <= (const char *)page + page_bytes ? mark : NULL;
}

/* The mark of the file itself, whatever the log says. False when its page holds none. */
static bool read_file_mark(struct db *d, uint32_t page_number, size_t page_bytes,
			   char out[MARK_BYTES + 1])
{
	sqlite3_file *file = NULL;
	unsigned char *page = malloc(page_bytes);
	const char *mark = NULL;

	if (page != NULL &&
	    sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
		    SQLITE_OK &&
	    file != NULL && file->pMethods != NULL &&
	    file->pMethods->xRead(file, page, (int)page_bytes,
				  (sqlite3_int64)(page_number - 1) * (sqlite3_int64)page_bytes) ==
		    SQLITE_OK)
		mark = find_mark(page, page_bytes);
	if (mark != NULL)
		snprintf(out, MARK_BYTES + 1, "%.*s", (int)MARK_BYTES, mark);
	free(page);
	return mark != NULL;
}

/* Reads the marks of the log in their order. 1: it is the file's, or holds none; 0: it is not. */
static int compare(struct db *d, int fd)
{
	unsigned char head[WAL_HEADER_BYTES], *frame;
	char own[MARK_BYTES + 1] = "";
	bool is_first = true, has_own = false;
	size_t page_bytes;
	off_t at = WAL_HEADER_BYTES;
	int result = 1;

	if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
	    (be32(head) & 0xfffffffe) != 0x377f0682)
		return 1;
	page_bytes = be32(head + 8);
	if (page_bytes < 512 || page_bytes > PAGE_BYTES_MAX)
		return 1;
	frame = malloc(FRAME_HEADER_BYTES + page_bytes);
	if (frame == NULL)
		return 1;
	for (; pread(fd, frame, FRAME_HEADER_BYTES + page_bytes, at) ==
	       (ssize_t)(FRAME_HEADER_BYTES + page_bytes);
	     at += (off_t)(FRAME_HEADER_BYTES + page_bytes)) {
		const char *mark;

		if (memcmp(frame + FRAME_SALTS_AT, head + SALTS_AT, SALTS_BYTES) != 0)
			break; /* of an earlier generation */
		mark = find_mark(frame + FRAME_HEADER_BYTES, page_bytes);
		if (mark == NULL || be32(frame) == 0)
			continue;
		if (is_first) {
			has_own = read_file_mark(d, be32(frame), page_bytes, own);
			/* Nothing was ever marked: the log is the first since the file was made, or
			 * migrated. */
			result = !has_own &&
				 strncmp(mark + BEFORE_AT, "0000000000000000", DIGITS) == 0;
			result |= has_own && strncmp(mark + BEFORE_AT, own + OWN_AT, DIGITS) == 0;
			is_first = false;
		}
		result |= has_own && strncmp(mark + OWN_AT, own + OWN_AT, DIGITS) == 0;
		if (result == 1)
			break;
	}
	free(frame);
	return result;
}

int wal_mark_check(struct db *d)
{
	char path[DB_PATH_MAX + 8];
	struct stat st;
	int lock_fd = d->lock_fd, fd, result = 1;

	snprintf(path, sizeof path, "%s-wal", d->path);
	if (stat(path, &st) != 0 || st.st_size <= WAL_HEADER_BYTES)
		return 0;
	/* While others write, they have looked. */
	if (lock_fd < 0) {
		lock_fd = file_open_beside(d, ".lock", O_RDONLY, 0, NULL);
		d->failure = DB_OK;
		d->error[0] = '\0';
	}
	if (lock_fd < 0)
		return 0;
	if (flock(lock_fd, LOCK_EX | LOCK_NB) == 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd >= 0) {
			result = compare(d, fd);
			close(fd);
		}
		flock(lock_fd, LOCK_UN);
	}
	if (lock_fd != d->lock_fd)
		close(lock_fd);
	if (result == 1)
		return 0;
	return db_fail(
		d, DB_BROKEN,
		"the write-ahead log beside it (-wal) is that of another file: was a backup copied "
		"over it? Stop the daemons and put the backup in place with \"pgpgate db restore "
		"FILE\"; or move the -wal away");
}

void wal_mark_close(struct db *d)
{
	if (db_run(d, db_statement(d, SQL_BEGIN_WRITE)) != 0)
		return;
	if ((db_run(d, db_statement(d, SQL_STATE_MARK_WAL)) != 0 ||
	     db_run(d, db_statement(d, SQL_COMMIT)) != 0) &&
	    !sqlite3_get_autocommit(d->handle))
		sqlite3_exec(d->handle, sql_statements[SQL_ROLLBACK].text, NULL, NULL, NULL);
}

void wal_mark_write(struct db *d)
{
	if (d->wal_pages < 0)
		return;
	if (d->wal_marked_pages < 0 || d->wal_pages < d->wal_marked_pages)
		wal_mark_close(d);
	d->wal_marked_pages = d->wal_pages;
}

int wal_mark_copy(int fd)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char head[HEAD_BYTES], octets[DIGITS];
	char own[DIGITS];
	const ssize_t n = pread(fd, head, sizeof head, 0);
	const char *mark = n > 0 ? find_mark(head, (size_t)n) : NULL;

	if (n < 0 || getrandom(octets, sizeof octets, 0) != (ssize_t)sizeof octets)
		return -1;
	if (mark == NULL)
		return 0; /* nothing was ever marked */
	for (size_t i = 0; i < DIGITS; i++)
		own[i] = digits[octets[i] & 15];
	return pwrite(fd, own, DIGITS, mark - (const char *)head + (off_t)OWN_AT) == DIGITS ? 0
											    : -1;
}
