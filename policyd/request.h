/* SPDX-License-Identifier: ISC
 *
 * request.h: push parser of one Postfix policy request (SMTPD_POLICY_README): lines "name=value",
 * ended by an empty line. Bytes may come in chunks of any size; the result is the same.
 *
 * Hostile input is expected, not from Postfix but through it: what does not look exactly like
 * Postfix's own is malformed, and the connection is closed without an answer (Postfix then answers
 * 451): a line without
 * '=' or without a name, NUL, an attribute given twice, over 64 KiB or 128 attributes, no
 * request=smtpd_access_policy; other control octets (CR too) but in values that hold a client's
 * words, such as sender and recipient: those make a doubtful address. Unknown attributes are
 * ignored.
 *
 * Fixed memory, about 4 KiB; one thread at a time.
 */
#ifndef PGPGATE_POLICYD_REQUEST_H
#define PGPGATE_POLICYD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_BYTES_MAX (64 * 1024)
#define REQUEST_ATTRIBUTES_MAX 128 /* Postfix 3.7 sends 36 */
#define REQUEST_NAME_MAX 64	   /* bytes with NUL: the longest known is 20 */

/* Bytes with NUL. What is longer is cut for an address, which ADDRESS_MAX makes bad anyway, and
 * malformed for the others. */
#define REQUEST_ADDRESS_MAX 1024
#define REQUEST_WORD_MAX 256

enum request_result { REQUEST_MORE, REQUEST_COMPLETE, REQUEST_MALFORMED };

/* The attributes that are used; "" where one was not given. */
struct request {
	char type[REQUEST_WORD_MAX]; /* request= */
	char protocol_state[REQUEST_WORD_MAX];
	char instance[REQUEST_WORD_MAX];
	char sender[REQUEST_ADDRESS_MAX];
	char recipient[REQUEST_ADDRESS_MAX];
	char client_address[REQUEST_WORD_MAX];
	char client_name[REQUEST_WORD_MAX];
	char sasl_username[REQUEST_WORD_MAX];
	char size[REQUEST_WORD_MAX];
};

struct request_parser {
	struct request request;	   /* whole when REQUEST_COMPLETE was returned */
	const char *why_malformed; /* static text */
	size_t n_bytes;
	size_t n_attributes;
	bool is_in_value;
	char name[REQUEST_NAME_MAX];
	size_t name_len;
	char *value; /* within request, or NULL: ignored */
	size_t value_size, value_len;
	bool may_cut;
	uint64_t seen[REQUEST_ATTRIBUTES_MAX]; /* hashes of the names */
	uint64_t seen_bits[4];		       /* a bit for each hash; others may share it */
};

/* Makes p ready for the next request, whatever state it is in. */
void request_reset(struct request_parser *p);

/* Takes bytes up to the end of the request at most; *n_used says how many. After REQUEST_COMPLETE
 * or REQUEST_MALFORMED call request_reset() first. */
enum request_result request_feed(struct request_parser *p, const unsigned char *bytes, size_t len,
				 size_t *n_used);

/* Nothing of a request has come yet. */
bool request_is_empty(const struct request_parser *p);

#endif
