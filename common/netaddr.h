/* SPDX-License-Identifier: ISC
 *
 * netaddr.h: IP addresses and networks of clients. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291
 * section 2.5.5.2), so that one comparison serves both; yet no IPv6 network holds an IPv4 address
 * (::/0 means IPv6 only, as in Postfix's CIDR tables), unless it is written within ::ffff:0:0/96.
 * Plain values; any thread.
 */
#ifndef PGPGATE_COMMON_NETADDR_H
#define PGPGATE_COMMON_NETADDR_H

#include <stdbool.h>
#include <stddef.h>

#define NETADDR_TEXT_MAX 64 /* bytes with NUL of the longest printed form with prefix */

struct netaddr {
	unsigned char octets[16];
	unsigned prefix_bits; /* 0..128; an IPv4 network's is its own plus 96; 128 is one address */
};

/* Reads "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", with or without brackets or Postfix's
 * "IPv6:". Bits behind the prefix must be zero. 0, or -1 with a sentence for the administrator in
 * err. */
int netaddr_parse(const char *text, struct netaddr *out, char *err, size_t err_size);

/* Is `address` within `network`? */
bool netaddr_contains(const struct netaddr *network, const struct netaddr *address);

/* Canonical text: no prefix for one address. Returns out (NETADDR_TEXT_MAX bytes). */
char *netaddr_format(const struct netaddr *address, char out[NETADDR_TEXT_MAX]);

#endif
