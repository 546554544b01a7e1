/* SPDX-License-Identifier: ISC
 *
 * verdict.h: the words that every part of pgpgate shares: what a message is (verdict, form), what a
 * recipient wants (requirement), what became of the message (action), and the plain value in which
 * the scanner's judgement travels to the policy, the verdict log and the command line.
 *
 * Values only: nothing here allocates, nothing owns memory, every function may be called from any
 * thread. The names are the ones written to the log, the database and JSON; they never change.
 */
#ifndef PGPGATE_COMMON_VERDICT_H
#define PGPGATE_COMMON_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict {
	VERDICT_CLEARTEXT,
	VERDICT_ENCRYPTED,
	VERDICT_SMIME,
	VERDICT_SIGNED,
	VERDICT_PARTIAL,
	VERDICT_INVALID,
	VERDICT_REPORT,
	VERDICT_HANDSHAKE,
};
#define VERDICT_COUNT 8

enum form {
	FORM_NONE,
	FORM_PGP_MIME,	 /* exactly RFC 3156 section 4 */
	FORM_PGP_MIXED,	 /* the same parts in another MIME structure */
	FORM_PGP_INLINE, /* leaves that are OpenPGP messages themselves */
	FORM_PGP_HTML	 /* any of these, with HTML that shows nothing else */
};
#define FORM_COUNT 5

enum requirement {
	REQUIREMENT_EXEMPT,
	REQUIREMENT_OBSERVE,
	REQUIREMENT_SIGNED,
	REQUIREMENT_ENCRYPTED,
	REQUIREMENT_RATCHET,
};
#define REQUIREMENT_COUNT 5

/* Where a requirement comes from. */
enum policy_source {
	SOURCE_RULE,
	SOURCE_DEFAULT, /* default_requirement or local_requirement */
	SOURCE_EXEMPT_RECIPIENTS,
	SOURCE_HISTORY, /* a ratchet that locked, or the reply window */
};

enum action {
	ACTION_ACCEPT,	   /* "not refused by us" */
	ACTION_REFUSE,	   /* 5xx, or refuse_code */
	ACTION_SPLIT,	   /* 451: mixed recipients, evidence recorded */
	ACTION_QUARANTINE, /* Postfix's hold queue */
	ACTION_TAG,	   /* delivered with the header */
	ACTION_TEMPFAIL,   /* our own fault: 451 */
};
#define ACTION_COUNT 6

/* What accept_reports says. */
enum report_acceptance {
	REPORTS_NO,
	REPORTS_HEADERS, /* only if they return headers or ciphertext */
	REPORTS_YES,
};

/* The settings that say what counts as encrypted: inputs of the judgement, never of the scan. */
struct acceptance {
	unsigned forms; /* bit mask of 1u << enum form */
	bool smime;
	bool password_only;
	bool legacy_encryption;
	bool handshakes;
	bool hidden_subject;
	enum report_acceptance reports;
	int64_t max_cleartext_bytes;
};

#define REASON_MAX 32  /* bytes with NUL; slugs are [a-z-]+ */
#define DETAIL_MAX 240 /* bytes with NUL; printable ASCII, English, for the administrator */
#define KEY_IDS_MAX 32 /* more session keys than this are counted, not listed */

/* The judgement of one message. */
struct judgement {
	enum verdict verdict;
	enum form form;
	char reason[REASON_MAX];
	char detail[DETAIL_MAX];
	int64_t size_bytes;	       /* of the body, as far as it was seen */
	int64_t cleartext_bytes;       /* readable octets that are not white space */
	bool returns_readable;	       /* verdict report: it returns a readable body */
	size_t n_key_ids;	       /* entries in key_ids */
	size_t n_session_keys;	       /* all public-key session keys seen */
	uint64_t key_ids[KEY_IDS_MAX]; /* 0: hidden recipient (RFC 9580 section 5.1.8) */
};

/* Names as in the log. Never NULL; an out-of-range value is a bug (assert). */
const char *verdict_name(enum verdict v);
const char *form_name(enum form f);
const char *requirement_name(enum requirement r);
const char *action_name(enum action a);
const char *policy_source_name(enum policy_source source);

/* The inverse, exact match. 0 and *out set, or -1 and *out untouched. */
int verdict_from_name(const char *name, enum verdict *out);
int form_from_name(const char *name, enum form *out);
int requirement_from_name(const char *name, enum requirement *out);
int action_from_name(const char *name, enum action *out);

#endif
