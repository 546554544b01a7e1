/* SPDX-License-Identifier: ISC
 *
 * journal_format.h: what stands in a segment of the journal. Pure, any thread. For db/ only.
 *
 * A filter that runs has a stream of its own, a random number, and numbers its records from 1 up.
 * The stream is cut into segments: files beside the database named
 *
 *     DATABASE.journal.SSSSSSSSSSSSSSSS.NNNNNNNN     (stream, number of the segment from 1 up;
 * hexadecimal digits)
 *
 * Integers have their least octet first. A segment is a header and records:
 *
 *     header   8 octets "PGPGJRN" and 1, 8 stream, 4 number, 4 checksum of these 20
 *     record   4 octets 0x43455250 ("PREC"), 4 length of the payload, 8 sequence, 4 checksum of the
 * payload, 4 checksum of these 20 and of the stream; then the payload payload  1 octet kind kind 1,
 * a verdict: as journal_record.h writes it kind 2, void: 8 octets sequence of a verdict before it
 * whose message was answered with a temporary failure instead
 *
 * Sequences grow by one. Each record is whole in one segment. What a kill cuts off is the last
 * record: its checksum fails, and nothing after it has one. Where something after it has, the disk
 * has lost what lies between.
 */
#ifndef PGPGATE_DB_JOURNAL_FORMAT_H
#define PGPGATE_DB_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_HEADER_BYTES 24
#define JOURNAL_RECORD_BYTES 24 /* before the payload */
#define JOURNAL_PAYLOAD_MAX \
	((size_t)64 << 20) /* 100,000 recipients with the longest addresses are 52 MiB */

enum journal_kind { JOURNAL_VERDICT = 1, JOURNAL_VOID = 2 };

struct journal_header {
	uint64_t stream;
	uint32_t number;
};

/* A record; payload points into what was read, behind the kind. */
struct journal_item {
	uint64_t sequence;
	enum journal_kind kind;
	const unsigned char *payload;
	size_t payload_len;
};

void journal_write_header(const struct journal_header *h, unsigned char out[JOURNAL_HEADER_BYTES]);
/* False: not a segment of ours. */
bool journal_read_header(const unsigned char *in, size_t len, struct journal_header *h);

/* The octets before a payload of len octets (its kind included) whose checksum is given. */
void journal_write_record(uint64_t stream, uint64_t sequence, size_t len, uint32_t payload_checksum,
			  unsigned char out[JOURNAL_RECORD_BYTES]);

enum journal_look {
	JOURNAL_WHOLE,	 /* *item and *used are set */
	JOURNAL_MORE,	 /* in ends before the record does: *used octets are needed for it, if it is
			    one */
	JOURNAL_DAMAGED, /* no record begins here */
};
/* The record at the beginning of len octets of a stream. */
enum journal_look journal_look(uint64_t stream, const unsigned char *in, size_t len,
			       struct journal_item *item, size_t *used);

/* Where the next whole record begins, after damage; len: nowhere. */
size_t journal_find(uint64_t stream, const unsigned char *in, size_t len);

/* Of a void record the sequence that it is about; 0: not well-formed. */
uint64_t journal_voided(const struct journal_item *item);

/* Integers as they stand in the journal. */
void journal_put(unsigned char *out, uint64_t value, size_t n_octets);
uint64_t journal_get(const unsigned char *in, size_t n_octets);

#endif
