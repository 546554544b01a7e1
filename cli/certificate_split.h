/* SPDX-License-Identifier: ISC
 *
 * certificate_split.h: takes a file of OpenPGP certificates apart, armored (RFC 9580 section 6.2) or not, one after the other or
 * each in its own armor, at their primary keys: so that one that gpg cannot read hides no other. Nothing but the framing is read.
 *
 * Pure; one thread.
 */
#ifndef PGPGATE_CLI_CERTIFICATE_SPLIT_H
#define PGPGATE_CLI_CERTIFICATE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#define CERTIFICATE_WHY_MAX 200

struct certificate_sink {
	/* A certificate's packets, borrowed; number: 1 and up within the file. version: of its primary key. */
	int (*certificate)(void *context, size_t number, const unsigned char *packets, size_t len,
			   unsigned version);
	/* What stands where a certificate should be. */
	int (*bad)(void *context, size_t number, const char *why);
	void *context;
};

/* Returns how many there were, good and bad; 0: the file holds nothing that looks like one (why says so). -1: no memory, or
 * certificate() or bad() returned nonzero. */
int certificate_split(const unsigned char *bytes, size_t len, const struct certificate_sink *sink,
		      char why[CERTIFICATE_WHY_MAX]);

/* Is there anything that is encrypted to keys of this algorithm (RFC 9580 section 9.1)? What nobody has heard of yet counts. */
bool certificate_can_encrypt(unsigned algorithm);

/* Is its primary key of a version or an algorithm that gpg cannot have checked? */
bool certificate_is_beyond_gpg(const unsigned char *packets, size_t len);

/* The fingerprint of each subkey of versions 4 to 6 that can be encrypted to, for what gpg does not tell. Nothing is checked. */
void certificate_subkeys(const unsigned char *packets, size_t len,
			 void (*tell)(void *context, const char *fingerprint), void *context);

#endif
