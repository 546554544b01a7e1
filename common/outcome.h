/* SPDX-License-Identifier: ISC
 *
 * outcome.h: the one table that turns a judgement and what each recipient demands into an action
 * and an SMTP reply. The filter answers Postfix with it; `pgpgate explain --message` prints the
 * same reply. Pure: no clock, no storage, no allocation; any thread.
 */
#ifndef PGPGATE_COMMON_OUTCOME_H
#define PGPGATE_COMMON_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/own_key.h"
#include "common/settings.h"
#include "common/verdict.h"

#define OUTCOME_LINES_MAX 24 /* of libmilter's 32 */
#define OUTCOME_LINE_MAX                                                                         \
	600		    /* bytes with NUL; libmilter takes 980; RFC 5321 4.5.3.1.5 wants 512 \
			     */
#define OUTCOME_NAMED_MAX 8 /* recipients named in a reply, then "and N more" */

struct outcome_recipient {
	const char *address; /* canonical, borrowed */
	enum requirement
		demand; /* what must be met now: a ratchet is resolved to observe or encrypted */
	const char *help_url;	       /* the rule's, or NULL or "" */
	bool passes;		       /* out: outcome_decide() sets it */
	const struct own_key *own_key; /* NULL: nobody asked, counts as unknown */
};

struct outcome_input {
	const struct settings *settings;
	const struct judgement *judgement;
	struct outcome_recipient *recipients;
	size_t n_recipients;
	bool is_paused; /* `pgpgate pause` */
	bool may_split; /* the client can be split: it declared SIZE, it is not one of ours, and it
			 * has not used up its attempts (pgpgate-rules(7), MIXED RECIPIENTS, 4 and
			 * 5) */
	bool is_own_bounce; /* the MTA's own, if it is a report: it would be made again without end
			     */
	bool is_one_line;   /* a refusal in one line: for sendmail(1), whose bounce keeps one */
	const char *queue_id; /* the reference in a refusal, or NULL */
	bool is_stale; /* at a site: what is known here may be old, and a refusal is for another
			  time */
	bool expects_bounce; /* mail of the null sender to one who wrote to the outside
				(accept_bounces) */
};

struct outcome {
	enum action action;
	enum action
		would; /* the action if enforce were yes and no pause: equals action otherwise */
	char code[4];  /* "250", "550", "451" */
	char enhanced[12];	 /* "5.7.1"; "" for accept */
	bool is_bounce_expected; /* passes for somebody only because of that */
	size_t n_lines;
	char line[OUTCOME_LINES_MAX]
		 [OUTCOME_LINE_MAX]; /* without code; no '%' doubling, no control bytes */
};

/* Does a message so judged meet `demand` under these settings? */
bool outcome_meets(const struct judgement *j, enum requirement demand, const struct acceptance *a);

/* The same with what is known of the recipient's keys. It passes with hidden_recipients = observe,
 * too. */
bool outcome_passes(const struct judgement *j, enum requirement demand,
		    const struct own_key *own_key, const struct settings *s);

/* Does the reply need to know the recipient's keys, although what is demanded does not: key_url has
 * %f? */
bool outcome_shows_fingerprints(const struct settings *s);

/* The reason in the log where own-key was demanded, and only that made it fail; where it passes,
 * the detail says when no key is known, or when its recipients are hidden. Names no address and no
 * key. After outcome_decide(). */
void outcome_note_keys(const struct outcome_input *in, const struct outcome *o,
		       struct judgement *j);

/* The reason in the log of mail that passes because a bounce is expected; what it would have been
 * goes to the detail. */
void outcome_note_bounce(const struct outcome *o, struct judgement *j);

/* Decides. Never fails. */
void outcome_decide(const struct outcome_input *in, struct outcome *out);

/* The answers that need no judgement: our own fault (451 4.7.1 "... try again later"), and the
 * deferral of the other class at RCPT (450 4.7.1). Their text holds no address and no comma. */
void outcome_tempfail(struct outcome *out);
void outcome_defer_class(struct outcome *out);

/* Why mail fails for its keys: "it is encrypted to another key". Static. */
const char *outcome_explain_key(enum own_key_state state);

/* Why it does not meet: "this message is not encrypted". Static text by reason slug, or the
 * detail where no text fits better. */
const char *outcome_explain(const struct judgement *j);

/* The reply as one text, "550-5.7.1 first\n550 5.7.1 last", for the log and explain. Returns out.
 */
char *outcome_reply_text(const struct outcome *o, char *out, size_t out_size);

#endif
