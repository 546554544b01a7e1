/* SPDX-License-Identifier: ISC
 *
 * certificate_split.h: takes a file of OpenPGP certificates apart, armored (RFC 9580 section 6.2)
 * or not, one after the other or each in its own armor, at their primary keys: so that one that gpg
 * cannot read hides no other. Nothing but the framing is read.
 *
 * Pure; one thread.
 */
#ifndef PGPGATE_CLI_CERTIFICATE_SPLIT_H
#define PGPGATE_CLI_CERTIFICATE_SPLIT_H

#include <stddef.h>

#define CERTIFICATE_WHY_MAX 200

struct certificate_sink {
	/* A certificate's packets, borrowed; number: 1 and up within the file. version: of its
	 * primary key. */
	int (*certificate)(void *context, size_t number, const unsigned char *packets, size_t len,
			   unsigned version);
	/* What stands where a certificate should be. */
	int (*bad)(void *context, size_t number, const char *why);
	void *context;
};

/* Returns how many there were, good and bad; 0: the file holds nothing that looks like one (why
 * says so). -1: no memory, or certificate() or bad() returned nonzero. */
int certificate_split(const unsigned char *bytes, size_t len, const struct certificate_sink *sink,
		      char why[CERTIFICATE_WHY_MAX]);

#endif
