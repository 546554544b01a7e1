/* SPDX-License-Identifier: ISC
 *
 * multipart.h: one multipart of a message, and what the standards ask of its kind: RFC 3156
 * (encrypted, signed), RFC 6522 with RFC 3464 and RFC 8098 (reports). Questions about a multipart
 * whose parts are all there; plain values, any thread.
 */
#ifndef PGPGATE_SCAN_MULTIPART_H
#define PGPGATE_SCAN_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/field.h"
#include "scan/leaf.h"
#include "scan/part.h"

/* Octets of a report that are not white space, and come from whoever sends it with a null sender.
 * The most in real reports: 2,067 of text, 2,722 of fields. */
#define REPORT_TEXT_MAX 4096
#define REPORT_FIELDS_MAX 8192
#define REPORT_HEADER_MAX 16384 /* of a returned header */

#define MULTIPART_PARTS_KEPT 3 /* parts whose kind matters to RFC 3156 and RFC 6522 */

enum multipart {
	MULTIPART_OTHER,
	MULTIPART_MIXED,
	MULTIPART_ENCRYPTED,
	MULTIPART_SIGNED,
	MULTIPART_REPORT,
	MULTIPART_DIGEST
};

struct level {
	enum multipart kind;
	bool has_protocol; /* the OpenPGP one of its kind */
	char type[FIELD_TYPE_MAX];
	char report_type[FIELD_VALUE_MAX];
	char boundary[BOUNDARY_MAX + 1];
	size_t boundary_len;
	bool has_begun; /* its first boundary line was seen */
	bool is_closed; /* its closing one */
	unsigned n_parts;
	struct part part[MULTIPART_PARTS_KEPT];
	unsigned readable_before, messages_before; /* counts when it was opened */
};

/* type: lower case, "multipart/mixed". */
enum multipart multipart_kind(const char *type);

/* RFC 3156 section 4, the whole of it. */
bool multipart_is_pgp_mime(const struct level *l);

/* RFC 3156 section 5: two parts, the second a signature. What the first is does not matter. */
bool multipart_is_pgp_signed(const struct level *l);

/* RFC 6522: a delivery report or a disposition notification, well-formed. Its first part is one
 * short text, where RFC 6522 section 3 allows anything: it is shown to the recipient, and anybody
 * can send it. Accepts OpenSMTPD's, which is a multipart/mixed, and a message that is returned as
 * plain text. */
bool multipart_is_report(const struct level *l);

/* Ciphertext, and a CMS signature over it: the one place where such a signature says nothing more.
 */
bool multipart_is_cms_signed_ciphertext(const struct level *l);

#endif
