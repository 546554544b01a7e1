/* SPDX-License-Identifier: ISC
 *
 * transfer.h: content transfer encodings (RFC 2045 section 6), decoded strictly and in pieces: what
 * two readers could decode differently is a fault. Octets go in, decoded octets go to a sink. Any
 * chunking, fixed memory, one thread.
 *
 * Accepts: white space anywhere between base64 characters; lower-case hexadecimal digits and blanks
 * behind a soft line break in quoted-printable; 8-bit octets in quoted-printable (they stand for
 * themselves to every reader).
 */
#ifndef PGPGATE_SCAN_TRANSFER_H
#define PGPGATE_SCAN_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/base64.h"

enum encoding {
	ENCODING_IDENTITY, /* 7bit, 8bit, binary, or none */
	ENCODING_BASE64,
	ENCODING_QUOTED_PRINTABLE,
	ENCODING_UNKNOWN, /* read as it stands */
};

#define TRANSFER_BLANKS_MAX \
	998 /* blanks in a row that are kept until it is clear whether the line ends */

typedef void transfer_sink(void *context, const unsigned char *bytes, size_t len);

/* Within quoted-printable. */
enum transfer_state {
	TRANSFER_QP_TEXT,
	TRANSFER_QP_EQUALS, /* '=' seen */
	TRANSFER_QP_HIGH,   /* '=' and one digit seen */
	TRANSFER_QP_SOFT,   /* '=' and blanks or CR seen: LF must come */
};

struct transfer {
	const char
		*wrong; /* in words; NULL while the encoding is proper. Input goes on being read. */
	/* private */
	enum encoding encoding;
	transfer_sink *sink;
	void *context;
	struct base64 base64;
	enum transfer_state state;
	unsigned char high; /* first hexadecimal digit after '=' */
	size_t n_blanks;
	unsigned char blanks[TRANSFER_BLANKS_MAX];
	size_t n_out;
	unsigned char out[256]; /* decoded quoted-printable, empty between calls */
};

/* The sink is called from transfer_feed() and transfer_finish(), with pieces of any size, never
 * empty ones. */
void transfer_begin(struct transfer *t, enum encoding encoding, transfer_sink *sink, void *context);
void transfer_feed(struct transfer *t, const unsigned char *bytes, size_t len);
/* The end of the encoded text: what is missing sets `wrong`. */
void transfer_finish(struct transfer *t);

#endif
