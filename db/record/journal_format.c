/* SPDX-License-Identifier: ISC */
#include "db/record/journal_format.h"

#include <string.h>

#include "db/record/checksum.h"

#define RECORD_MARK 0x43455250u /* "PREC" */

static const unsigned char magic[8] = {'P', 'G', 'P', 'G', 'J', 'R', 'N', 1};

void journal_put(unsigned char *out, uint64_t value, size_t n_octets)
{
	for (size_t i = 0; i < n_octets; i++, value >>= 8)
		out[i] = (unsigned char)value;
}

uint64_t journal_get(const unsigned char *in, size_t n_octets)
{
	uint64_t value = 0;

	while (n_octets-- > 0)
		value = value << 8 | in[n_octets];
	return value;
}

void journal_write_header(const struct journal_header *h, unsigned char out[JOURNAL_HEADER_BYTES])
{
	memcpy(out, magic, sizeof magic);
	journal_put(out + 8, h->stream, 8);
	journal_put(out + 16, h->number, 4);
	journal_put(out + 20, checksum(0, out, 20), 4);
}

bool journal_read_header(const unsigned char *in, size_t len, struct journal_header *h)
{
	if (len < JOURNAL_HEADER_BYTES || memcmp(in, magic, sizeof magic) != 0 ||
	    journal_get(in + 20, 4) != checksum(0, in, 20))
		return false;
	h->stream = journal_get(in + 8, 8);
	h->number = (uint32_t)journal_get(in + 16, 4);
	return true;
}

static uint32_t head_checksum(uint64_t stream, const unsigned char *head)
{
	unsigned char of_stream[8];

	journal_put(of_stream, stream, 8);
	return checksum(checksum(0, of_stream, 8), head, 20);
}

void journal_write_record(uint64_t stream, uint64_t sequence, size_t len, uint32_t payload_checksum,
			  unsigned char out[JOURNAL_RECORD_BYTES])
{
	journal_put(out, RECORD_MARK, 4);
	journal_put(out + 4, len, 4);
	journal_put(out + 8, sequence, 8);
	journal_put(out + 16, payload_checksum, 4);
	journal_put(out + 20, head_checksum(stream, out), 4);
}

enum journal_look journal_look(uint64_t stream, const unsigned char *in, size_t len,
			       struct journal_item *item, size_t *used)
{
	size_t payload_len;

	*used = JOURNAL_RECORD_BYTES;
	if (len < JOURNAL_RECORD_BYTES)
		return JOURNAL_MORE;
	payload_len = (size_t)journal_get(in + 4, 4);
	if (journal_get(in, 4) != RECORD_MARK || payload_len == 0 ||
	    payload_len > JOURNAL_PAYLOAD_MAX ||
	    journal_get(in + 20, 4) != head_checksum(stream, in))
		return JOURNAL_DAMAGED;
	*used += payload_len;
	if (len < *used)
		return JOURNAL_MORE;
	in += JOURNAL_RECORD_BYTES;
	if (journal_get(in - 8, 4) != checksum(0, in, payload_len) ||
	    (in[0] != JOURNAL_VERDICT && in[0] != JOURNAL_VOID))
		return JOURNAL_DAMAGED;
	item->sequence = journal_get(in - 16, 8);
	item->kind = (enum journal_kind)in[0];
	item->payload = in + 1;
	item->payload_len = payload_len - 1;
	return JOURNAL_WHOLE;
}

size_t journal_find(uint64_t stream, const unsigned char *in, size_t len)
{
	unsigned char mark[4];
	struct journal_item item;
	size_t used;

	journal_put(mark, RECORD_MARK, 4);
	for (size_t at = 0; at < len; at++) {
		const unsigned char *found = memmem(in + at, len - at, mark, sizeof mark);

		if (found == NULL)
			break;
		at = (size_t)(found - in);
		if (journal_look(stream, found, len - at, &item, &used) == JOURNAL_WHOLE)
			return at;
	}
	return len;
}

uint64_t journal_voided(const struct journal_item *item)
{
	return item->kind == JOURNAL_VOID && item->payload_len == 8 ? journal_get(item->payload, 8)
								    : 0;
}
