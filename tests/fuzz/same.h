/* SPDX-License-Identifier: ISC
 *
 * same.h: what the fuzz targets of scan/ share: feeding the same octets whole and in pieces. The
 * pieces follow from the octets themselves, so that a corpus is made of plain messages.
 */
#ifndef PGPGATE_TESTS_FUZZ_SAME_H
#define PGPGATE_TESTS_FUZZ_SAME_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* FNV-1a; never 0. */
static inline uint64_t same_seed(const uint8_t *data, size_t size)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 0x100000001b3u;
	return h ? h : 1;
}

/* The size of the next piece, 1 to rest. */
static inline size_t same_piece(uint64_t *seed, size_t rest)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	size_t n = 1 + (size_t)(*seed & 0xf00 ? *seed % 13 : *seed % 900);
	return n < rest ? n : rest;
}

typedef void same_feed(void *parser, const unsigned char *bytes, size_t len);

static inline void same_in_pieces(same_feed *feed, void *parser, const uint8_t *data, size_t size)
{
	uint64_t seed = same_seed(data, size);
	for (size_t at = 0; at < size;) {
		size_t n = same_piece(&seed, size - at);
		feed(parser, data + at, n);
		at += n;
	}
}

#endif
