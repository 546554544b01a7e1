/* SPDX-License-Identifier: ISC
 *
 * journal_reader.h: the records of a segment, in order, many at a time. What is damaged is passed
 * over, to the next whole record; what nothing whole follows is a torn tail, and ends the segment.
 * Memory: READ_BYTES, more while one record is longer, or while damage is looked over. One thread.
 * For db/ only.
 */
#ifndef PGPGATE_DB_JOURNAL_READER_H
#define PGPGATE_DB_JOURNAL_READER_H

#include <sys/types.h>

#include "db/record/journal_format.h"

struct journal_reader {
	struct journal_header name;
	int fd;		       /* borrowed */
	int64_t offset;	       /* of the next record */
	int64_t limit;	       /* what is behind it is not there yet */
	uint64_t after;	       /* sequences up to this are passed over, without being damage */
	int64_t damaged_bytes; /* passed over, with whole records behind them */
	unsigned char *buffer; /* what was read at buffer_offset */
	size_t room, len;
	int64_t buffer_offset;
};

/* Zero-initialised before the first use; its buffer is kept from segment to segment. */
void journal_reader_begin(struct journal_reader *r, int fd, const struct journal_header *name,
			  int64_t limit, uint64_t after);

/* The next record. With may_read false only from what is in memory: so all items since the last
 * call with may_read stay valid. 1: *item is set; 0: no more (now, or with may_read: in this
 * segment); -1: reading failed, or no memory (errno). */
int journal_reader_next(struct journal_reader *r, bool may_read, struct journal_item *item);

void journal_reader_free(struct journal_reader *r);

#endif
