/* SPDX-License-Identifier: ISC
 *
 * checksum.h: CRC-32C (Castagnoli; RFC 3720 appendix B.4), which finds what a disk or a kill has
 * cut or turned over. It is no protection against somebody who may write the file. Pure; any
 * thread. For db/ only.
 */
#ifndef PGPGATE_DB_CHECKSUM_H
#define PGPGATE_DB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Of len bytes; `before` is 0, or the checksum of what comes before them. */
uint32_t checksum(uint32_t before, const void *bytes, size_t len);

#endif
