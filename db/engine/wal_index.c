/* SPDX-License-Identifier: ISC */
#include "db/engine/wal_index.h"

#include <stdatomic.h>
#include <string.h>

static void copy(unsigned char out[WAL_INDEX_HEADER_BYTES], volatile const unsigned char *from)
{
	for (size_t i = 0; i < WAL_INDEX_HEADER_BYTES; i += sizeof(uint64_t)) {
		const uint64_t word = *(volatile const uint64_t *)(from + i);

		memcpy(out + i, &word, sizeof word);
	}
}

volatile const unsigned char *wal_index_map(struct db *d)
{
	sqlite3_file *file = NULL, *log = NULL;
	volatile void *region = NULL;

	if (d->index.head != NULL)
		return d->index.head;
	/* Without a log, the engine would make an index now. With one, it lets go of its mapping no
	 * sooner than of the database: nobody chooses another journal here. */
	if (sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) !=
		    SQLITE_OK ||
	    log == NULL || log->pMethods == NULL ||
	    sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) !=
		    SQLITE_OK ||
	    file == NULL || file->pMethods == NULL || file->pMethods->iVersion < 2 ||
	    file->pMethods->xShmMap(file, 0, WAL_INDEX_BYTES, 0, &region) != SQLITE_OK ||
	    region == NULL)
		return NULL;
	d->index.file = file;
	d->index.head = region;
	return d->index.head;
}

/* After the first statement that reads. False: it is being written at this moment, or cannot be
 * seen. */
static bool wal_index_header(struct db *d, unsigned char out[WAL_INDEX_HEADER_BYTES])
{
	volatile const unsigned char *head = wal_index_map(d);
	unsigned char second[WAL_INDEX_HEADER_BYTES];

	if (head == NULL)
		return false;
	/* There are two, and who commits writes the second one first. */
	copy(out, head);
	atomic_thread_fence(memory_order_seq_cst);
	copy(second, head + WAL_INDEX_HEADER_BYTES);
	return memcmp(out, second, sizeof second) == 0;
}

void wal_index_take_mark(struct db *d, struct wal_index_mark *out)
{
	memset(out, 0, sizeof *out);
	if (d->handle == NULL || d->must_reopen || !d->companions.are_known ||
	    !db_is_still_the_file(d))
		return;
	out->device = d->opened.st_dev;
	out->inode = d->opened.st_ino;
	out->is_known = wal_index_header(d, out->header);
}

bool wal_index_is_same(const struct wal_index_mark *a, const struct wal_index_mark *b)
{
	return a->is_known && b->is_known && a->device == b->device && a->inode == b->inode &&
	       memcmp(a->header, b->header, sizeof a->header) == 0;
}
