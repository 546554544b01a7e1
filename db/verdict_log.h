/* SPDX-License-Identifier: ISC
 *
 * verdict_log.h: the record of every verdict. verdict_log_submit() returns when the record stands
 * in the journal, files beside the database (db/record/journal_format.h), as surely as verdict_sync
 * says: so what was answered is never lost, and a database that is slow, locked, full or broken
 * holds up no mail. A thread, the mover, moves records into the database, at most a second or 1,000
 * records behind while that is well, each once whatever happens. What is in the journal when a
 * process is killed is moved by the next that starts, or that runs.
 *
 * What policy can ask for at once is in the database before submit returns: see
 * db/record/verdict_urgent.h. It waits for the mover, VERDICT_LOG_WAIT_MS at most.
 *
 * The transaction that moves a verdict keeps the pairs' record (accepted mail only) and the
 * evidence for mixed recipients. Hits of rules and times of answers are gathered and written once a
 * second and at the end: a process that is killed takes those of its last second with it. Between
 * transactions the mover checkpoints and removes old rows in small steps.
 *
 * What those can rely on who copy the rows elsewhere (table verdict): ids grow in the order of
 * commits, with gaps at most, and are never used again; a row is there whole, with its recipients,
 * or not at all; rows of one filter come in the order in which their messages were answered, those
 * of two filters as they are moved, and those that a killed one has left later than newer ones. So
 * whoever remembers the last id it has seen misses nothing. A row never changes, with one
 * exception: `action`, `would` and `reply` become those of a temporary failure where the database
 * took longer to commit a verdict that a message waited for (above) than the message did; that is
 * in the mover's next transaction. Rows are removed by age, and removed or stripped where a person
 * is to be forgotten (db/person.h). What is not in the table yet is in the journal, and of no
 * concern: it will have a greater id.
 *
 * verdict_log_submit() may be called from any number of threads.
 */
#ifndef PGPGATE_DB_VERDICT_LOG_H
#define PGPGATE_DB_VERDICT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/verdict.h"
#include "db/hashed.h"
#include "db/policy.h"

/* The longest that submit waits for others: smtpd's patience is 300 s, ours is not. */
#define VERDICT_LOG_WAIT_MS 10000

struct verdict_recipient {
	const char *address; /* canonical */
	bool is_trustworthy; /* address_is_trustworthy() */
	enum requirement requirement;
	enum requirement demand;
	enum policy_source source;
	int64_t rule_id; /* 0: none */
	bool passes;	 /* the message meets the demand */
};

/* All strings borrowed during the call, canonical or log_escape()d as noted; NULL means empty. */
struct verdict_record {
	int64_t time_unix;
	const char *queue_id;
	const char *host;   /* our name, {j} */
	const char *client; /* address as text; "" for sendmail(1) */
	const char
		*client_name; /* see policy.h: only to know the client of a split message again */
	const char *authenticated; /* login name, escaped */
	const char *sender;	   /* canonical text; "<>" */
	bool is_sender_trustworthy;
	const char *header_from;     /* canonical address of From:, or "" */
	bool is_local;		     /* one of ours sent it: opens the reply window */
	const char *message_id;	     /* escaped */
	int64_t declared_size_bytes; /* or SIZE_NOT_DECLARED */
	int64_t size_bytes;
	const struct judgement *judgement;
	enum action action;
	enum action would;
	const char *reply;	/* outcome_reply_text() */
	bool stands_unrecorded; /* this is the answer also where submit fails (on_database_error =
				   accept) */
	const struct verdict_recipient *recipients;
	size_t n_recipients;
	/* Mixed recipients (pgpgate-rules(7)). Of the content, where the message is split or was
	 * before: */
	bool has_split_digest;
	unsigned char split_digest[32];
	/* Of content and recipients, where the client may be one that cannot be recognised: */
	bool counts_attempt;
	unsigned char attempt_digest[32];
	/* No verdict: a transaction of a message that was split ended before its content. Only
	 * sender, client, declared size and time are used; the rest is as of a message without
	 * recipients that got `tempfail`. */
	bool is_vain;
};

struct verdict_log;

/* Starts the mover. NULL with a sentence in err only when memory or threads are short: a database
 * that cannot be opened now is tried again once a second, and a journal at each submit. */
struct verdict_log *verdict_log_start(struct settings *s, char *err, size_t err_size);

/* 0: on record. -1: it is not, or not in time; err says why (DB_ERROR_MAX). It then counts as
 * answered with a temporary failure, unless it stands unrecorded: where it comes to be on record
 * all the same, its row says `tempfail` with the reply of outcome_tempfail(), and it counts for no
 * pair.
 *
 * How long it takes: with verdict_sync = process a write(2), which is done by the threads that
 * submit for each other; there is no other bound on that than the kernel's. With power a sync as
 * well, for which, as for what must be in the database at once, VERDICT_LOG_WAIT_MS is waited at
 * most. -1 at once when the journal is full (journal_max), cannot be written, or VERDICT_QUEUE_MAX
 * messages wait. */
int verdict_log_submit(struct verdict_log *l, const struct verdict_record *r, char *err);

/* How long the answer to a message took, for the metrics; they are written once a second. */
void verdict_log_took(struct verdict_log *l, int64_t duration_us);

/* New settings for retention and the like (SIGUSR1). */
void verdict_log_reload(struct verdict_log *l, struct settings *s);

/* Nobody submits any more: moves what is in the journal, for VERDICT_LOG_WAIT_MS at most (the rest
 * is for the next start), checkpoints, ends the threads, frees. */
void verdict_log_stop(struct verdict_log *l);

#endif
