/* SPDX-License-Identifier: ISC
 *
 * armor_header.h: the lines "Key: value" between BEGIN and the data, RFC 9580 section 6.2.2, and
 * what they cost of the channel that a message has (struct armor_channel). Private to armor.c.
 */
#ifndef PGPGATE_SCAN_ARMOR_HEADER_H
#define PGPGATE_SCAN_ARMOR_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/armor.h"

bool armor_header_is(const unsigned char *line, size_t len);

/* A whole header; the beginning of one whose end is further off; more of it. */
void armor_header_line(struct armor *a, const unsigned char *line, size_t len);
void armor_header_begin(struct armor *a, const unsigned char *line, size_t len);
void armor_header_octets(struct armor *a, const unsigned char *bytes, size_t len);

/* The headers are complete: data follows. */
void armor_header_end(struct armor *a);

/* Of armor.c: the block is `bad-armor`, in words. */
void armor_fault(struct armor *a, const char *what);

#endif
