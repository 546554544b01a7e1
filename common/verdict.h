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
	REQUIREMENT_OWN_KEY,  /* encrypted, each OpenPGP message to a key of this recipient */
	REQUIREMENT_READABLE, /* the reverse: not encrypted */
};
#define REQUIREMENT_COUNT 7

/* What holds the ciphertext of an OpenPGP message. */
enum container {
	CONTAINER_MDC,	/* packet 18 version 1, RFC 9580 section 5.13.1: what everybody reads */
	CONTAINER_AEAD, /* packet 18 version 2, section 5.13.2 */
	CONTAINER_OCB,	/* packet 20: GnuPG 2.3 and later, LibrePGP */
	CONTAINER_SED,	/* packet 9, see accept_legacy_encryption */
};
#define CONTAINER_COUNT 4

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
	unsigned refused_containers; /* bit mask of 1u << enum container; CONTAINER_SED is
					legacy_encryption's */
};

#define REASON_MAX 32  /* bytes with NUL; slugs are [a-z-]+ */
#define DETAIL_MAX 240 /* bytes with NUL; printable ASCII, English, for the administrator */
#define KEY_IDS_MAX                                                                   \
	32 /* more session keys than this, and more messages, are counted, not listed \
	    */

/* The judgement of one message. */
struct judgement {
	enum verdict verdict;
	enum form form;
	char reason[REASON_MAX];
	char detail[DETAIL_MAX];
	int64_t size_bytes;			/* of the body, as far as it was seen */
	int64_t cleartext_bytes;		/* readable octets that are not white space */
	bool returns_readable;			/* verdict report: it returns a readable body */
	size_t n_key_ids;			/* entries in key_ids */
	size_t n_session_keys;			/* all public-key session keys seen */
	uint64_t key_ids[KEY_IDS_MAX];		/* 0: hidden recipient (RFC 9580 section 5.1.8) */
	unsigned char key_message[KEY_IDS_MAX]; /* which OpenPGP message it belongs to, 0 and up;
						   ascending */
	size_t n_messages;	 /* OpenPGP messages; those only a password opens have no key */
	unsigned containers;	 /* of them: bit mask of 1u << enum container */
	bool has_hashed_key_ids; /* as they are on record where log_addresses = hashed */
};

/* Are there more session keys, or messages, than are listed? Then a key that is not listed may be
 * there all the same. */
bool judgement_has_more_keys(const struct judgement *j);

/* Names as in the log. Never NULL; an out-of-range value is a bug (assert). */
const char *verdict_name(enum verdict v);
const char *form_name(enum form f);
const char *requirement_name(enum requirement r);
const char *action_name(enum action a);
const char *policy_source_name(enum policy_source source);
const char *container_name(enum container c);

/* The inverse, exact match. 0 and *out set, or -1 and *out untouched. */
int verdict_from_name(const char *name, enum verdict *out);
int form_from_name(const char *name, enum form *out);
int requirement_from_name(const char *name, enum requirement *out);
int action_from_name(const char *name, enum action *out);
int container_from_name(const char *name, enum container *out);

#endif
