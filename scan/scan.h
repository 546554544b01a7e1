/* SPDX-License-Identifier: ISC
 *
 * scan.h: reads one message as it comes and finds out what in its body a reader without a key could
 * read. It proves structure, not secrecy.
 *
 * Input: the header fields of the message, then its body in chunks of any size; the same bytes give
 * the same facts however they are cut. Output: struct scan_facts, which judge() (judge.h) turns
 * into a verdict under the administrator's settings. What is odd in a mail is a finding, never an
 * error.
 *
 * Limits: memory is made with the scan and does not grow with the message, but for the longest
 * header field of a message that a report returns (message.h); SCAN_MEMORY_MAX bytes hold it all.
 * Time is linear. A scan belongs to one thread at a time; two scans share nothing.
 *
 * Standards: RFC 5322, RFC 2045-2047, RFC 2231, RFC 3156, RFC 9580 (and RFC 4880, LibrePGP packet
 * 20), RFC 8551 (outermost CMS type only), RFC 3464, RFC 8098, RFC 6533. Deviations:
 * pgpgate-verdicts(7).
 */
#ifndef PGPGATE_SCAN_SCAN_H
#define PGPGATE_SCAN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"

#define SCAN_MEMORY_MAX (128 * 1024)

/* One finding: a slug and where, in words. reason[0] == 0: none. The first of its kind is kept. */
struct finding {
	char reason[REASON_MAX];
	char detail[DETAIL_MAX];
};

enum report_returns { RETURNS_NOTHING, RETURNS_HEADERS, RETURNS_CIPHERTEXT, RETURNS_READABLE };

/* What was seen: facts, no judgement. */
struct scan_facts {
	int64_t size_bytes; /* body octets fed, line ends as they came */

	bool has_claim;	      /* something says "OpenPGP-encrypted" (multipart/encrypted, ...) */
	struct finding claim; /* what says so */
	struct finding fault; /* first thing that makes the message ambiguous or malformed */

	unsigned n_messages;	      /* valid OpenPGP encrypted messages */
	bool is_pgp_mime;	      /* exactly RFC 3156 section 4 */
	bool has_pgp_mime_parts;      /* its parts, in another structure */
	bool has_html;		      /* HTML that shows nothing but armor, if that */
	struct finding password_only; /* a message that only passwords open */
	struct finding legacy;	      /* a message in packet 9, without integrity protection */

	int64_t cleartext_bytes; /* readable octets that are not white space */
	struct finding readable; /* the first of them */

	bool is_signed; /* wholly covered by an OpenPGP signature */
	bool is_smime;	/* the whole body is CMS enveloped data */
	bool is_report; /* a well-formed multipart/report, whoever sent it */
	enum report_returns returns;
	bool is_securejoin;	 /* a SecureJoin request */
	bool is_autocrypt_setup; /* an Autocrypt setup message, whoever it is for */
	bool is_subject_hidden;	 /* no Subject, or "...", "[...]", "Encrypted Message" */

	size_t n_key_ids;
	size_t n_session_keys;
	uint64_t key_ids[KEY_IDS_MAX];
	unsigned char key_message[KEY_IDS_MAX]; /* struct judgement */
	unsigned containers;
};

/* One leaf or multipart, told at its end, for `check --explain`. Strings live during the call. */
struct scan_part {
	const char *path; /* "1", "2.1"; "" is the message's own body */
	unsigned depth;	  /* 0 is the message itself */
	bool is_multipart;
	const char *type;     /* "text/plain", lower case, escaped */
	const char *encoding; /* "7bit", ... */
	const char *finding;  /* "OpenPGP message, 2 recipients", "readable text: 140 bytes", ... */
};
typedef void scan_observer(void *context, const struct scan_part *part);

struct scan;

/* NULL when memory is short. Free with scan_free() (NULL allowed). */
struct scan *scan_new(void);
void scan_free(struct scan *s);

/* Makes s ready for the next message, whatever state it is in; the observer stays. */
void scan_reset(struct scan *s);
void scan_observe(struct scan *s, scan_observer *observer, void *context);

/* One field of the message's own header, as a milter gets it: name without colon (white space
 * before the colon, if any, still on it), value without the final line end, folds as LF or CR LF.
 */
void scan_header(struct scan *s, const unsigned char *name, size_t name_len,
		 const unsigned char *value, size_t value_len);
/* The header is complete. The first scan_body() says so too. */
void scan_end_of_header(struct scan *s);

/* Body octets. True: the verdict can no longer change, and the caller may skip the rest (feeding on
 * is harmless). */
bool scan_body(struct scan *s, const unsigned char *bytes, size_t len);

/* The end of the message. Fills *facts. Call once, then scan_reset(). */
void scan_finish(struct scan *s, struct scan_facts *facts);

#endif
