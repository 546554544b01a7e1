/* SPDX-License-Identifier: ISC
 *
 * part.h: what one part of a message turned out to be: the leaf's findings, put into the few words
 * that the rules about multiparts ask for. Pure functions of a finished leaf (leaf_finish()); any
 * thread.
 */
#ifndef PGPGATE_SCAN_PART_H
#define PGPGATE_SCAN_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/leaf.h"

enum part_class {
	PART_EMPTY,
	PART_CONTROL, /* "Version: 1" */
	PART_CIPHERTEXT,
	PART_SIGNATURE,	    /* OpenPGP signature packets only */
	PART_CMS_SIGNATURE, /* may accompany ciphertext (multipart/signed), else readable */
	PART_READABLE,
	PART_FAULTY,
};

/* What a SecureJoin request asks for, in its header and again in its text. */
enum securejoin {
	SECUREJOIN_NONE,
	SECUREJOIN_CONTACT, /* vc-request */
	SECUREJOIN_GROUP,   /* vg-request */
};

struct part {
	enum leaf_type type;
	enum part_class class;
	bool is_multipart;
	bool is_embedded;      /* message/rfc822 or message/global */
	bool is_report_fields; /* well-formed */
	bool has_body;	       /* of a header, and more behind it */
	bool is_setup;	       /* application/autocrypt-setup with one password-only message */
	enum securejoin securejoin;
	int64_t visible_bytes; /* octets that are not white space */
	unsigned n_armored; /* armored OpenPGP messages; where there is one, there is no binary one
			     */
	int64_t pending_bytes; /* of a CMS signature, readable unless it finds its place */
};

/* A type that real programs give to OpenPGP, to what stands beside it, or to a multipart; lower
 * case. */
bool part_is_usual_type(const char *type);

/* Is this the type of a whole message within a message? */
bool part_is_embedded_type(const char *type);

/* A part from its leaf; type: its media type, lower case. */
struct part part_of_leaf(const struct leaf *l, const char *type);

/* The same in words, for `check --explain`: into out, or static. */
const char *part_describe(const struct leaf *l, enum part_class class, char *out, size_t size);

/* Is the leaf CMS enveloped data, and does smime_type ("" when there is none) agree? RFC 8551
 * section 3.2.2. */
bool part_is_smime(const struct leaf *l, const char *smime_type);

#endif
