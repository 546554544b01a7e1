/* SPDX-License-Identifier: ISC
 *
 * site.h: a host that belongs to a site (pgpgate-site(7)), as its own database sees it: how far it
 * has come, what the centre changed, what is to be told to the centre. Nothing here knows
 * PostgreSQL; what travels is JSON text, which SQLite reads and writes.
 *
 * Order. Changes of rules are applied by number, each in the transaction that stores how far this
 * host is. So is the feed. Whoever applies holds site_lock(), since pgpgate-sync and the command
 * line both do.
 *
 * One thread a connection. Functions return 0 or -1 (db_error()) where nothing else is said.
 */
#ifndef PGPGATE_DB_SITE_H
#define PGPGATE_DB_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "db/rules.h"

#define SITE_ID_MAX 40		   /* bytes with NUL of an id and of a mark: a UUID */
#define SITE_STARTED_MAX 100	   /* of a server and its start */
#define SITE_HERE_MAX_S (6 * 3600) /* the longest of what holds on one host alone */

struct site_state {
	char site_id[SITE_ID_MAX], host_id[SITE_ID_MAX];
	char started[SITE_STARTED_MAX]; /* which server, started when; "": none yet */
	int64_t rules_no;		/* the last change that was applied */
	char rules_mark[SITE_ID_MAX];
	int64_t feed_no, pushed_no;
	int64_t last_pull_unix, offset_ms;
	int64_t here_paused_until_unix; /* 0: not */
	int64_t incarnation;		/* how often the centre gave this host a mark, and the */
	char incarnation_mark[SITE_ID_MAX]; /* last: a copy has an older one; 0, "": none yet */
};
int site_read(struct db *d, struct site_state *out); /* 1, 0: belongs to none, -1 */
/* The host belongs to a site from now on, whose changes up to rules_no it has. */
int site_enter(struct db *d, const char *site_id, const char *host_id, int64_t rules_no,
	       const char *mark);
int site_leave(struct db *d); /* what was copied stays */
/* Its id is another one from now on, and rows up to pushed_no are at the centre. */
int site_renew(struct db *d, const char *host_id, int64_t pushed_no);

/* The lock of those who apply: DATABASE.site. A descriptor to close(2), -1 failed, -2 not had
 * within wait_ms. */
int site_lock(struct db *d, int wait_ms);

/* What the centre says of itself: when it answered, by how much our clock is ahead, how far it has
 * our rows. */
int site_note_pull(struct db *d, int64_t now_unix, int64_t offset_ms, int64_t pushed_no);
/* Under site_lock(); one that is not later than that which is here is left. */
int site_note_incarnation(struct db *d, int64_t incarnation, const char *mark);
/* Another server, or one that was started anew: the feed is read from its beginning, and told
 * again. */
int site_note_started(struct db *d, const char *started);

/* The feed is read from its beginning: of what a snapshot forgot by time, some came after that. */
int site_feed_again(struct db *d);

/* ---- changes of rules ---- */

struct site_change {
	int64_t no, time_unix, undoes, paused_until_unix;
	const char *mark, *author, *what, *owner, *before, *after;
	bool is_pause;
};
struct site_rule {
	const char *text, *author;
	int64_t id, created_at_unix;
	bool is_removal;
};
/* A change of rules, or, as a snapshot, all rules; rows in any number, then commit, which frees. */
struct site_edit;
struct site_edit *site_edit_begin(struct db *d, const struct site_change *c, bool is_snapshot);
/* 0, -1, or SITE_UNREADABLE: no rule that this version knows. */
#define SITE_UNREADABLE (-2)
int site_edit_row(struct site_edit *e, const struct site_rule *r);
int site_edit_commit(struct site_edit *e);
void site_edit_abort(struct site_edit *e);
/* A pause or its end. */
int site_apply_pause(struct db *d, const struct site_change *c);
/* What a snapshot says of the pause. */
int site_set_pause(struct db *d, int64_t until_unix);
/* A pair was forgotten at c's time; n forms of its keys. */
int site_apply_forget(struct db *d, const struct site_change *c, size_t n,
		      const char *const sender_key[], const char *const recipient_key[]);
/* Pairs that a snapshot says were forgotten: rows of [sender key, recipient key, time] as JSON. */
int site_forget_pairs(struct db *d, const char *rows);
/* Changes here that the centre does not have among its last ones, [number, time, author, what]
 * each, go. */
int site_drop_unlike(struct db *d, const char *heads);

/* Keys of recipients, certificates, groups: items [kind, a, b, what is kept, or null] as JSON. A
 * change of them, in one transaction; with c NULL they replace all that is here. */
int site_apply_keys(struct db *d, const struct site_change *c, size_t n, const char *const items[]);
/* All that are here: -1, too, where some are sealed under a key that is not, and would be missing.
 */
int site_keys_list(struct db *d, int (*tell)(void *context, const char *item), void *context);

/* ---- verdicts and feed: JSON, malloc()ed ---- */

struct site_batch {
	int64_t from_no, to_no;	       /* verdicts after, up to; equal: none */
	char *rows, *feed, *retracted; /* arrays; "[]": nothing */
	int64_t retracted_to;
};
int site_batch_read(struct db *d, int64_t from_no, int n_rows, int64_t now_unix,
		    struct site_batch *out);
int site_batch_done(struct db *d, const struct site_batch *b); /* the centre has it */
void site_batch_free(struct site_batch *b);
/* All of history that the centre was not told, in steps of n_rows: for a host that joins with one,
 * and a centre that lost some. Zero-initialised; out has a feed only. 1: there is more, 0: that was
 * all, -1. */
struct site_walk {
	int table;
	char a[1300], b[1300]; /* after this key */
};
int site_walk_read(struct db *d, struct site_walk *w, int n_rows, struct site_batch *out);
/* Items [kind, a, b, c, x, y], each as it should be (sync/answer.h). */
int site_apply_feed(struct db *d, const char *feed, int64_t feed_no, int64_t now_unix);
/* What need not be known any more: some steps. 1: there is more, 0, -1. */
int site_expire(struct db *d, int64_t now_unix);

/* The record of all hosts in the place of this one's, for whoever reads the record with this
 * connection from then on: begin, pages as the centre gives them (verdict_page), end. *last_id: of
 * the rows that are there, 0 at first. The connection is good for reading, and ends when its
 * database is replaced. */
int site_rows_begin(struct db *d);
int site_rows_add(struct db *d, const char *page, int64_t *last_id);
int site_rows_end(struct db *d);

/* n: rows to push, about; *oldest_unix: 0: none; *n_lost: removed by age before they were pushed.
 */
int site_backlog(struct db *d, int64_t *n, int64_t *oldest_unix, int64_t *n_lost);
int64_t site_last_verdict(struct db *d); /* id; 0: none, -1 failed */

/* ---- on this host alone, while the centre is away ---- */

int site_here_pause(struct db *d, int64_t until_unix); /* 0 ends it */
int site_here_exempt(struct db *d, const struct pattern *recipient, const char *author,
		     int64_t now_unix, int64_t expires_unix);
int site_here_list(struct db *d, int64_t now_unix,
		   int (*tell)(void *context, const char *recipient, const char *author,
			       int64_t expires_unix),
		   void *context);

#endif
