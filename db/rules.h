/* SPDX-License-Identifier: ISC
 *
 * rules.h: the rules as the administrator keeps them: add, remove, list, import, audit. Every change is
 * written to the audit table in the same transaction, with its author. One thread a connection.
 */
#ifndef PGPGATE_DB_RULES_H
#define PGPGATE_DB_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/netaddr.h"
#include "common/verdict.h"
#include "db/db.h"

#define NOTE_MAX 500
#define HELP_URL_MAX 300
#define AUTHOR_MAX 64
#define RULE_TEXT_MAX 2560 /* bytes with NUL of the longest rule_format() */

/* To which clients a rule is narrowed. */
enum rule_client { RULE_CLIENT_ANY, RULE_CLIENT_AUTHENTICATED, RULE_CLIENT_NETWORK };

struct rule {
	int64_t id;
	struct pattern recipient;
	bool has_sender;
	struct pattern sender;
	enum rule_client client_kind;
	struct netaddr client; /* RULE_CLIENT_NETWORK */
	enum requirement requirement;
	int64_t starts_at_unix;	 /* 0: at once */
	int64_t expires_at_unix; /* 0: never; the first second at which it does not hold */
	char note[NOTE_MAX + 1];
	char help_url[HELP_URL_MAX + 1];
	char author[AUTHOR_MAX + 1];
	int64_t created_at_unix;
	int64_t hits;
	int64_t last_hit_at_unix; /* 0: never */
};

/* Client as text: "" for any, "authenticated", or the network. Returns out. */
char *rule_client_text(const struct rule *r, char out[NETADDR_TEXT_MAX]);
/* The inverse of what the administrator types for --client. 0, or -1 with err. */
int rule_client_parse(const char *text, struct rule *r, char *err, size_t err_size);
/* Sets note and help_url (NULL leaves one as it is). 0, or -1 with err, which begins with "note" or
 * "help-url": too long, not UTF-8, control characters, no URL (settings_is_url()). */
int rule_set_text(struct rule *r, const char *note, const char *help_url, char *err, size_t err_size);
/* One rule a line, the text form that import reads and export writes (pgpgate.8). out_size RULE_TEXT_MAX. */
char *rule_format(const struct rule *r, char *out, size_t out_size);
/* Parses one line of that form. now_unix for offsets in dates. 0, 1 for a blank or comment line, -1 with err. */
int rule_parse(const char *line, const char *delimiters, int64_t now_unix, struct rule *out,
	       char *err, size_t err_size);

/* Adds; a rule with the same recipient, sender and client is replaced: then *replaced holds the old one
 * and *was_replaced is true. r->id, created_at are set. Either pointer may be NULL. 0 or -1. */
int rules_add(struct db *d, struct rule *r, int64_t now_unix, bool *was_replaced, struct rule *replaced);

/* Removes the rule with exactly that recipient, sender and client; with all, also those that narrow that
 * recipient pattern. Returns how many, or -1. */
int rules_forget(struct db *d, const struct rule *key, bool all, int64_t now_unix, const char *author);
int rules_forget_id(struct db *d, int64_t id, int64_t now_unix, const char *author); /* 1, 0 or -1 */

/* Listing, in pages, oldest id first; no snapshot is held while tell() runs. */
struct rules_filter {
	const struct pattern *recipient; /* NULL: all */
	bool only_unused;		 /* never hit */
	bool only_expired;		 /* expired at now_unix */
	int64_t now_unix;
};
int rules_list(struct db *d, const struct rules_filter *f,
	       int (*tell)(void *context, const struct rule *r),
	       void *context); /* 0, -1 failed; a tell() that returns nonzero ends the list, returned as it is */

/* The audit trail, oldest first. Texts are rule_format() of before and after, "" where there is none. */
struct rule_change {
	int64_t time_unix;
	char author[AUTHOR_MAX + 1];
	char what[32]; /* "add", "replace", "forget", "import", "pause", "resume", "forget-history" */
	char before[RULE_TEXT_MAX];
	char after[RULE_TEXT_MAX];
};
int rules_history(struct db *d, const struct pattern *recipient, /* NULL: all */
		  int (*tell)(void *context, const struct rule_change *c), void *context);

/* Bulk import: begin, any number of adds (staged in batches), then commit (switched on at once) or abort
 * (nothing happened). Mail flows meanwhile: no write lock is held over 50 ms.
 *
 * Three of them may take a while to remove rules, and tell progress (which may be NULL): begin, what an import
 * that was killed left; commit, what was replaced; abort, what was staged. Whoever is killed then has lost
 * nothing: the next begin goes on. */
typedef void rules_import_progress(void *context, int64_t done, int64_t total);
struct rules_import;
struct rules_import *rules_import_begin(struct db *d, const char *author, int64_t now_unix,
					rules_import_progress *progress, void *context); /* NULL: failed */
int rules_import_add(struct rules_import *i, const struct rule *r);
/* n_replaced: how many older rules had the same key. */
int rules_import_commit(struct rules_import *i, int64_t *n_added, int64_t *n_replaced);
void rules_import_abort(struct rules_import *i); /* frees too; rules_import_commit() frees by itself */

#endif
