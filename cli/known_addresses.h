/* SPDX-License-Identifier: ISC
 *
 * known_addresses.h: whose the hash of an address on record is (log_addresses = hashed), as far as
 * that is no secret from who asks: the addresses that keys, groups and rules are for stand in the
 * database as they were typed, and others are named by certificates that are given. Whoever has
 * neither database nor its key finds nobody.
 *
 * Takes some 60 octets and 2 us an address. One thread.
 */
#ifndef PGPGATE_CLI_KNOWN_ADDRESSES_H
#define PGPGATE_CLI_KNOWN_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/keys.h"

struct known_address {
	uint64_t hash; /* of the whole address: the first half of its form on record */
	char *text;
};

struct known_addresses {
	struct known_address *list;
	size_t n, room;
	bool is_sorted;
};

/* Those that keys and groups are for, or rules, too. Where the database has no key of hashed
 * addresses none is wanted. 0, or -1: the database failed. */
int known_addresses_load(struct known_addresses *k, struct db *d, bool with_rules);

void known_addresses_add(struct known_addresses *k, struct db *d, const char *address);

/* An address on record: itself where it is no hash; whose hash it is; or NULL. Borrowed. */
const char *known_addresses_find(struct known_addresses *k, const char *on_record);

void known_addresses_free(struct known_addresses *k);

#endif
