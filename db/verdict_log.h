/* SPDX-License-Identifier: ISC
 *
 * verdict_log.h: the record of every verdict. One writer thread with its own connection gathers what many
 * messages submit and commits them together; verdict_log_submit() returns when the record is on disk (as
 * verdict_sync says), so that what was answered is never lost.
 *
 * The same transaction keeps the pairs' record (accepted mail only) and the evidence for mixed recipients.
 * Hits of rules and times of answers are gathered and written once a second and at the end: a process that is
 * killed takes those of its last second with it. Between transactions the writer checkpoints and removes old rows in small steps.
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

/* The longest that submit waits: smtpd's patience is 300 s, ours is not. */
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
	const char *host;	   /* our name, {j} */
	const char *client;	   /* address as text; "" for sendmail(1) */
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
	const char *reply; /* outcome_reply_text() */
	bool stands_unrecorded; /* this is the answer also where submit fails (on_database_error = accept) */
	const struct verdict_recipient *recipients;
	size_t n_recipients;
	/* Mixed recipients (pgpgate-rules(7)). Of the content, where the message is split or was before: */
	bool has_split_digest;
	unsigned char split_digest[32];
	/* Of content and recipients, where the client may be one that cannot be recognised: */
	bool counts_attempt;
	unsigned char attempt_digest[32];
	/* No verdict: a transaction of a message that was split ended before its content. Only sender, declared size
	 * and time are used; the rest is as of a message without recipients that got `tempfail`. */
	bool is_vain;
};

struct verdict_log;

/* Starts the writer. NULL with a sentence in err only when memory or threads are short: a database that
 * cannot be opened now is tried again at each submit. */
struct verdict_log *verdict_log_start(struct settings *s, char *err, size_t err_size);

/* 0 when committed; -1 when it could not be, within VERDICT_LOG_WAIT_MS: err says why (DB_ERROR_MAX). A commit that was
 * under way when this gave up may yet be had: then, unless the answer stands unrecorded, the row is changed at once to
 * say `tempfail` and the reply of outcome_tempfail(), and counts for no pair. */
int verdict_log_submit(struct verdict_log *l, const struct verdict_record *r, char *err);

/* How long the answer to a message took, for the metrics; they are written once a second. */
void verdict_log_took(struct verdict_log *l, int64_t duration_us);

/* New settings for retention and the like (SIGUSR1). */
void verdict_log_reload(struct verdict_log *l, struct settings *s);

/* Commits what is queued, checkpoints, ends the thread, frees. */
void verdict_log_stop(struct verdict_log *l);

#endif
