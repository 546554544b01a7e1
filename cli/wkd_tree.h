/* SPDX-License-Identifier: ISC
 *
 * wkd_tree.h: what a Web Key Directory made of the keys kept would hold
 * (draft-koch-openpgp-webkey-service section 3.1), for both methods:
 *
 *     .well-known/openpgpkey/DOMAIN/hu/HASH, .well-known/openpgpkey/DOMAIN/policy openpgpkey.DOMAIN
 *     direct/DOMAIN/.well-known/openpgpkey/hu/HASH, .../policy                        DOMAIN
 *
 * One thread.
 */
#ifndef PGPGATE_CLI_WKD_TREE_H
#define PGPGATE_CLI_WKD_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "common/key_url.h"
#include "db/keys.h"

#define WKD_PATH_MAX 2048

enum wkd_method { WKD_ADVANCED, WKD_DIRECT };

struct wkd_entry {
	const char *address, *domain;
	char hash[WKD_HASH_MAX];
	const unsigned char
		*bytes; /* its certificates, one after the other, without armor; borrowed */
	size_t len;
};

/* The entry of an address. 0, or -1: its domain is none that can be a part of a path. */
int wkd_tree_entry(const char *address, const unsigned char *bytes, size_t len,
		   struct wkd_entry *out);

struct wkd_teller {
	/* Nonzero ends it and is returned. */
	int (*entry)(void *context, const struct wkd_entry *e);
	/* There is a certificate, and it does not name the address: programs would not take it. */
	void (*unnamed)(void *context, const char *address, const char *fingerprint);
	void *context;
};

/* Tells each address that has a certificate with a key that can be encrypted to, in the order of
 * addresses. 0, -1: the database failed or there is no memory, or what entry() returned. */
int wkd_tree_tell(struct db *d, int64_t now_unix, const struct wkd_teller *t);

/* Of the entry's file, or with name "policy" of its domain's; relative to the tree. Returns out. */
char *wkd_tree_path(const struct wkd_entry *e, enum wkd_method m, const char *name,
		    char out[WKD_PATH_MAX]);

#endif
