/* SPDX-License-Identifier: ISC */
#include "db/record/checksum.h"

#include <pthread.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */
#define SLICES 8	       /* octets at a time: four times as fast as one */

static uint32_t table[SLICES][256];

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (size_t slice = 1; slice < SLICES; slice++)
		for (size_t i = 0; i < 256; i++)
			table[slice][i] = (table[slice - 1][i] >> 8) ^
					  table[0][table[slice - 1][i] & 0xff];
}

uint32_t checksum(uint32_t before, const void *bytes, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const unsigned char *p = bytes;
	uint32_t crc = ~before;

	pthread_once(&once, make_table);
	for (; len >= SLICES; len -= SLICES, p += SLICES)
		crc = table[7][(crc ^ p[0]) & 0xff] ^ table[6][(crc >> 8 ^ p[1]) & 0xff] ^
		      table[5][(crc >> 16 ^ p[2]) & 0xff] ^ table[4][crc >> 24 ^ p[3]] ^
		      table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	while (len-- > 0)
		crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}
