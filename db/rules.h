/* SPDX-License-Identifier: ISC
 *
 * rules.h: the rules as the administrator keeps them: edit, list, history, undo. Whatever changes
 * rules is an edit, from one typed rule to an import of a million; it happens at once or not at
 * all, and is one change of the history, with a number and its author. What is so already is left
 * as it is. One thread a connection.
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
#define OWNER_MAX 40
#define RULE_TEXT_MAX 2624 /* bytes with NUL of the longest rule_format() */

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
	int64_t last_hit_at_unix;  /* 0: never */
	char owner[OWNER_MAX + 1]; /* whose import keeps it: "ldap"; "": typed */
};

/* Client as text: "" for any, "authenticated", or the network. Returns out. */
char *rule_client_text(const struct rule *r, char out[NETADDR_TEXT_MAX]);
/* The inverse of what the administrator types for --client. 0, or -1 with err. */
int rule_client_parse(const char *text, struct rule *r, char *err, size_t err_size);
/* Sets note and help_url (NULL leaves one as it is). 0, or -1 with err, which begins with "note" or
 * "help-url": too long, not UTF-8, control characters, no URL (settings_is_url()). */
int rule_set_text(struct rule *r, const char *note, const char *help_url, char *err,
		  size_t err_size);
/* Sets owner: letters, digits, '.', '_', '-'. 0, or -1 with err. */
int rule_set_owner(struct rule *r, const char *owner, char *err, size_t err_size);
/* One rule a line, the text form that import reads and export writes (pgpgate.8). out_size
 * RULE_TEXT_MAX. */
char *rule_format(const struct rule *r, char *out, size_t out_size);
/* Parses one line of that form. now_unix for offsets in dates. 0, 1 for a blank or comment line, -1
 * with err. */
int rule_parse(const char *line, const char *delimiters, int64_t now_unix, struct rule *out,
	       char *err, size_t err_size);

/* A rule's key as the database stores it; borrowed from r, but for client. */
struct rule_key {
	const char *recipient, *sender; /* "": any */
	char client[48];
};
void rule_key(const struct rule *r, struct rule_key *out);
/* The number of the last change, and the id that the next new rule gets. 0 or -1. */
int rules_numbers(struct db *d, int64_t *last_no, int64_t *next_rule);

/* ---- edits ---- */

enum rule_outcome {
	RULE_ADDED,
	RULE_CHANGED,	/* there was one with the same recipient, sender and client: replaced */
	RULE_UNCHANGED, /* it was so already: number, hits, author stay, and the history knows
			   nothing of it */
	RULE_REMOVED,
	RULE_KEPT,   /* belongs to another owner than the edit's: left as it is */
	RULE_ABSENT, /* to be removed, and not there */
	RULE_OUTCOME_COUNT
};
const char *rule_outcome_name(enum rule_outcome o); /* "added"... Static. */

typedef void rules_edit_progress(void *context, int64_t done, int64_t total);

struct rules_edit_options {
	const char *author;
	int64_t now_unix;
	const char *what;  /* for the history: "import", "undo"; NULL: "rules" */
	const char *owner; /* set in what is put; rules of others are kept. NULL: whatever each rule
			      says */
	bool is_bulk;	   /* one at a time; rejects another at the beginning, and cleans up after a
			      killed one */
	bool replaces;	 /* at the end, what was not put is removed (of that owner, if there is one)
			  */
	bool is_dry_run; /* only tells what would be; the connection may be DB_READ */
	int64_t undoes;	 /* number of a change; 0: none */
	/* What the centre of a site changed: its number and mark there; rules are put with their
	 * ids. With `replaces` it is all rules of the site, and what the history here has from that
	 * number on goes. 0: made here. */
	int64_t site_no;
	const char *site_mark;
	/* Each rule, when what becomes of it is settled: before is NULL for RULE_ADDED and
	 * RULE_ABSENT, after for RULE_REMOVED and RULE_ABSENT (then before holds what was asked
	 * for). Of an edit that is too large for memory only what is unchanged, kept or absent is
	 * told, but for a dry run, which tells all. */
	void (*tell)(void *context, enum rule_outcome o, const struct rule *before,
		     const struct rule *after);
	rules_edit_progress *progress; /* of cleaning up; NULL: none */
	void *context;
};

/* How many rules were put or removed with which outcome, and the number of the change (0: nothing
 * changed). */
struct rules_result {
	int64_t n[RULE_OUTCOME_COUNT];
	int64_t no;
};

/* An edit. Nothing holds the write lock over 50 ms, and nothing is locked while only unchanged
 * rules come. Up to EDIT_ROWS_MAX differences are kept in memory and are one transaction at the
 * commit; more are staged in steps, and switched on at once. Whoever is killed while cleaning up
 * has lost nothing: the next bulk edit goes on. */
#define EDIT_ROWS_MAX 300
struct rules_edit;
struct rules_edit *rules_edit_begin(struct db *d,
				    const struct rules_edit_options *o); /* NULL: failed */
/* With the id of a rule that is gone, put brings it back under that number. A key that is put
 * twice: the later counts. */
int rules_edit_put(struct rules_edit *e, const struct rule *r);
int rules_edit_remove(struct rules_edit *e, const struct rule *key);
int rules_edit_commit(struct rules_edit *e,
		      struct rules_result *out); /* frees, even when it fails */
void rules_edit_abort(struct rules_edit *e);	 /* frees; nothing happened */

int rules_of_id(struct db *d, int64_t id, struct rule *out); /* 1, 0 or -1 */

/* Takes a change back: no, or 0 for the newest that is no undo and was not taken back. All of it or
 * nothing. o: author, now_unix, is_dry_run, tell and its context. 0 done; 1 it cannot be, and err
 * says why; -1 failed. *out holds the number of the change that was taken back. */
struct rules_undone {
	int64_t no;
	char what[32];
	int64_t paused_until_unix; /* of a pause or its end: what holds again */
	struct rules_result result;
};
int rules_undo(struct db *d, int64_t no, const struct rules_edit_options *o,
	       struct rules_undone *out, char *err, size_t err_size);

/* Listing, in pages, oldest id first; no snapshot is held while tell() runs. */
struct rules_filter {
	const struct pattern *recipient; /* NULL: all */
	bool only_unused;		 /* never hit */
	bool only_expired;		 /* expired at now_unix */
	const char *owner;		 /* "": typed; NULL: all */
	int64_t now_unix;
};
int rules_list(struct db *d, const struct rules_filter *f,
	       int (*tell)(void *context, const struct rule *r),
	       void *context); /* 0, -1 failed; a tell() that returns nonzero ends the list,
				  returned as it is */

/* The history of changes, by number. Texts are rule_format() of before and after, "" where there is
 * none. */
struct rule_change {
	int64_t no; /* of the change; one that concerns several rules is told once for each */
	int64_t time_unix;
	int64_t undoes; /* number of the change that it took back; 0: none */
	char author[AUTHOR_MAX + 1];
	char owner[OWNER_MAX + 1]; /* of an import; "": none */
	char what[32]; /* "add", "replace", "forget", "import", "undo", "pause", "resume",
			  "forget-history", "forget-person" */
	char before[RULE_TEXT_MAX];
	char after[RULE_TEXT_MAX];
};
int rules_history(struct db *d, const struct pattern *recipient, /* NULL: all */
		  int (*tell)(void *context, const struct rule_change *c), void *context);

#endif
