/* SPDX-License-Identifier: ISC */
#include "db/record/journal_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)1 << 20) /* about 1,700 records */

void journal_reader_begin(struct journal_reader *r, int fd, const struct journal_header *name,
			  int64_t limit, uint64_t after)
{
	r->fd = fd;
	r->name = *name;
	r->offset = JOURNAL_HEADER_BYTES;
	r->limit = limit;
	r->after = after;
	r->damaged_bytes = 0;
	r->len = 0;
	r->buffer_offset = r->offset;
}

void journal_reader_free(struct journal_reader *r)
{
	free(r->buffer);
	memset(r, 0, sizeof *r);
}

/* `wanted` octets from r->offset, or what is there up to the limit. 0 or -1. */
static int read_at(struct journal_reader *r, size_t wanted)
{
	const int64_t left = r->limit - r->offset;

	if ((int64_t)wanted > left)
		wanted = left > 0 ? (size_t)left : 0;
	if (wanted > r->room) {
		unsigned char *more = realloc(r->buffer, wanted);

		if (more == NULL) {
			errno = ENOMEM;
			return -1;
		}
		r->buffer = more;
		r->room = wanted;
	}
	r->buffer_offset = r->offset;
	r->len = 0;
	while (r->len < wanted) {
		const ssize_t n = pread(r->fd, r->buffer + r->len, wanted - r->len,
					(off_t)(r->buffer_offset + (int64_t)r->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) {
			/* Shorter than it was: what is missing will not come. */
			r->limit = r->buffer_offset + (int64_t)r->len;
			break;
		}
		r->len += (size_t)n;
	}
	return 0;
}

static const unsigned char *at_offset(const struct journal_reader *r, size_t *len)
{
	const size_t used = (size_t)(r->offset - r->buffer_offset);

	*len = used < r->len ? r->len - used : 0;
	return *len > 0 ? r->buffer + (r->len - *len) : r->buffer;
}

/* From r->offset on nothing is whole: on to the next whole record, or to the end. 0 or -1. */
static int pass_over_damage(struct journal_reader *r)
{
	size_t len, at;
	const unsigned char *in;

	if (read_at(r, (size_t)(r->limit - r->offset)) != 0)
		return -1;
	in = at_offset(r, &len);
	at = journal_find(r->name.stream, in, len);
	if (at < len)
		r->damaged_bytes += (int64_t)at;
	r->offset += (int64_t)at;
	return 0;
}

int journal_reader_next(struct journal_reader *r, bool may_read, struct journal_item *item)
{
	size_t wanted = READ_BYTES;

	while (r->offset < r->limit) {
		size_t len, used;
		const unsigned char *in = at_offset(r, &len);
		enum journal_look look = JOURNAL_MORE;

		if (len > 0)
			look = journal_look(r->name.stream, in, len, item, &used);
		if (look == JOURNAL_WHOLE) {
			r->offset += (int64_t)used;
			if (item->sequence <= r->after)
				continue;
			r->after = item->sequence;
			return 1;
		}
		if (!may_read)
			return 0;
		if (look == JOURNAL_MORE && r->offset + (int64_t)len < r->limit) {
			if (len > 0 && used > wanted)
				wanted = used;
			if (read_at(r, wanted) != 0)
				return -1;
			continue;
		}
		if (pass_over_damage(r) != 0)
			return -1;
	}
	return 0;
}
