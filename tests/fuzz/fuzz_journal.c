/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the journal. First the input is a record's payload as it is: whatever is read is
 * written and read again the same. Then it is cut into payloads of a segment, which is damaged in
 * one place or cut: what the reader finds is what was written, in order, and everything that was
 * not touched.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "db/record/checksum.h"
#include "db/record/journal_reader.h"
#include "db/record/journal_record.h"

#define STREAM UINT64_C(0x1122334455667788)
#define RECORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as_payload(const uint8_t *data, size_t size)
{
	struct arena a = {0}, b = {0};
	struct stored_verdict v, again;
	unsigned char *first, *second;
	size_t first_len, second_len;

	if (journal_record_decode(data, size, &a, &v) == 0) {
		first = journal_record_encode(&v, &first_len);
		assert(first != NULL && first_len <= size + 1);
		assert(journal_record_decode(first + 1, first_len - 1, &b, &again) == 0);
		second = journal_record_encode(&again, &second_len);
		assert(second != NULL && second_len == first_len &&
		       memcmp(first, second, first_len) == 0);
		free(first);
		free(second);
	}
	arena_reset(&a);
	arena_reset(&b);
}

struct written {
	size_t at, len; /* of the payload in the segment */
};

/* A segment of the input's pieces, the first octet of each its length. Returns its length. */
static size_t write_segment(const uint8_t *data, size_t size, unsigned char *out,
			    struct written *list, size_t *n)
{
	const struct journal_header header = {.stream = STREAM, .number = 1};
	size_t used = JOURNAL_HEADER_BYTES;

	journal_write_header(&header, out);
	for (*n = 0; size > 1 && *n < RECORDS_MAX; ++*n) {
		size_t len = data[0];
		unsigned char *payload = out + used + JOURNAL_RECORD_BYTES;

		data++;
		size--;
		if (len > size)
			len = size;
		payload[0] = JOURNAL_VERDICT;
		memcpy(payload + 1, data, len);
		journal_write_record(STREAM, *n + 1, len + 1, checksum(0, payload, len + 1),
				     out + used);
		list[*n] = (struct written){used + JOURNAL_RECORD_BYTES, len + 1};
		used += JOURNAL_RECORD_BYTES + len + 1;
		data += len;
		size -= len;
	}
	return used;
}

static void read_segment(const unsigned char *octets, size_t len, const unsigned char *original,
			 const struct written *list, size_t n, size_t from, size_t to)
{
	const struct journal_header name = {.stream = STREAM, .number = 1};
	struct journal_reader r = {.buffer = NULL};
	struct journal_item item;
	uint64_t last = 0;
	bool seen[RECORDS_MAX + 1] = {false};
	int fd = memfd_create("segment", MFD_CLOEXEC), got;

	assert(fd >= 0 && write(fd, octets, len) == (ssize_t)len);
	journal_reader_begin(&r, fd, &name, (int64_t)len, 0);
	while ((got = journal_reader_next(&r, true, &item)) == 1) {
		assert(item.sequence > last && item.sequence <= n);
		last = item.sequence;
		seen[last] = true;
		assert(item.payload_len + 1 == list[last - 1].len);
		assert(memcmp(item.payload, original + list[last - 1].at + 1, item.payload_len) ==
		       0);
	}
	assert(got == 0);
	for (size_t i = 0; i < n; i++)
		if (list[i].at + list[i].len <= from ||
		    (list[i].at - JOURNAL_RECORD_BYTES >= to && list[i].at + list[i].len <= len))
			assert(seen[i + 1]);
	journal_reader_free(&r);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *original, *damaged;
	struct written list[RECORDS_MAX];
	size_t len, n, from, to;

	read_as_payload(data, size);
	if (size < 6)
		return 0;
	original = malloc(JOURNAL_HEADER_BYTES + size + RECORDS_MAX * (JOURNAL_RECORD_BYTES + 1));
	assert(original != NULL);
	len = write_segment(data + 5, size - 5, original, list, &n);
	damaged = malloc(len);
	assert(damaged != NULL);
	memcpy(damaged, original, len);
	from = JOURNAL_HEADER_BYTES +
	       (size_t)(data[0] | data[1] << 8) % (len - JOURNAL_HEADER_BYTES + 1);
	to = from + data[2] % 64;
	if (to > len || (data[3] & 1) != 0) {
		read_segment(damaged, from, original, list, n, from, from); /* cut */
	} else {
		for (size_t i = from; i < to; i++)
			damaged[i] ^= data[4] | 1;
		read_segment(damaged, len, original, list, n, from, to);
	}
	free(original);
	free(damaged);
	return 0;
}
