/* SPDX-License-Identifier: ISC
 *
 * report.h: many verdicts at once, for `pgpgate report`, `simulate` and `suggest`: leaner rows than
 * those of verdicts.h, in the order of time, read in pages. No snapshot is held while tell() runs,
 * none for long. What is counted is decided by the caller. One thread a connection.
 */
#ifndef PGPGATE_DB_REPORT_H
#define PGPGATE_DB_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"
#include "db/db.h"
#include "db/policy.h"
#include "db/rules.h"

/* Strings live during tell(). Where log_addresses = hashed, addresses and clients are hashes. */
struct report_recipient {
	const char *address;
	bool is_trustworthy;
	enum requirement requirement, demand;
	enum policy_source source;
	int64_t rule_id; /* 0: none */
	bool passes;
};

struct report_row {
	int64_t id, time_unix;
	const char *sender; /* "<>" for the null sender */
	const char *client; /* "": sendmail(1) */
	bool is_authenticated, is_local;
	int64_t size_bytes;
	struct judgement
		judgement; /* verdict, form, reason, cleartext_bytes, returns_readable, size */
	enum action action, would;
	struct report_recipient *recipients;
	size_t n_recipients;
};

/* Tells all verdicts with since <= time < until (0: open), oldest first. 0, -1 failed; a nonzero
 * tell() ends it and is returned. */
int report_rows(struct db *d, int64_t since_unix, int64_t until_unix,
		int (*tell)(void *context, const struct report_row *row), void *context);

/* When the first and the last stored verdict with since <= time < until (0: open) came. 1, 0 when
 * there is none, -1. */
int report_span(struct db *d, int64_t since_unix, int64_t until_unix, int64_t *first_unix,
		int64_t *last_unix);

/* A pattern against addresses as they are stored, plain or hashed. */
struct report_matcher {
	struct pattern pattern;
	const char *delimiters;
	char hashed[96]; /* of the address or the domain; "": only plain addresses can match */
	bool is_whole;	 /* hashed is a whole address */
};

/* The same with those that have a recipient that `to` matches; others may be among them. Of one
 * address, with what may follow it behind a delimiter, an index is asked. Else, or NULL, it is
 * report_rows(). */
bool report_has_index(const struct report_matcher *m);
int report_rows_to(struct db *d, const struct report_matcher *to, int64_t since_unix,
		   int64_t until_unix, int (*tell)(void *context, const struct report_row *row),
		   void *context);

/* p's text is copied, delimiters are borrowed. */
void report_matcher_init(struct db *d, const struct pattern *p, const char *delimiters,
			 struct report_matcher *m);
bool report_matches(const struct report_matcher *m, const char *stored_address);

/* Is the domain one below which anybody can have a domain (public suffix list)? */
bool report_is_public_suffix(const char *domain);

/* The live rule with this id. 1 found, 0 none, -1 failed. */
int report_rule(struct db *d, int64_t id, struct rule *out);

#endif
