/* SPDX-License-Identifier: ISC
 *
 * answer.h: what the centre says, held against what it may be, before anything of it goes into the
 * database of this host. The centre may be damaged, newer, or in hands that mean no good: whatever
 * is too long, of another type, or far from any number or time that can be is found here. What
 * cannot be read of the feed is left out and counted; of changes, all rules are to be taken anew;
 * of the head, nothing is believed.
 *
 * Pure functions over text; memory is the caller's to release with answer_free(). Any thread.
 */
#ifndef PGPGATE_SYNC_ANSWER_H
#define PGPGATE_SYNC_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "db/hashed.h"
#include "db/site.h"

#define ANSWER_NUMBER_MAX \
	INT64_C(1000000000000000) /* of changes, rules, rows: more than there can be */
#define ANSWER_AHEAD_S 300	  /* a time of the feed may be later than ours by so much */
#define ANSWER_TEXT_MAX 16777216  /* bytes of one row: a certificate, in hexadecimal digits */

struct answer {
	char site[SITE_ID_MAX], mark[SITE_ID_MAX], started[SITE_STARTED_MAX];
	char hash_check[HASHED_CHECK_MAX]; /* "": none */
	int64_t version, no, feed_no, pushed_no, now_ms;
	bool needs_snapshot;  /* the centre says so, or a change cannot be read, or one is missing
				 after after_no */
	json_t *changes;      /* objects, numbers one after the other from after_no + 1 on */
	char *feed;	      /* items that can be used, as JSON */
	size_t n_feed, n_bad; /* those; and those that were left out */
	int64_t incarnation;  /* this host's, with its mark; 0: it is given none */
	char incarnation_mark[SITE_ID_MAX];
	bool must_sweep; /* verdicts of a person who is forgotten are to be looked through */
};

/* The answer to a pull. 0, or -1 with a sentence in err. */
int answer_read(const char *text, int64_t after_no, int64_t now_unix, struct answer *out, char *err,
		size_t err_size);
void answer_free(struct answer *a);

/* One item of the feed: [kind, a, b, c, x, y]. */
bool answer_item_is_good(const json_t *item, int64_t now_unix);

bool answer_is_uuid(const char *text);

/* Members of objects; 0 and "" where there is none, or of another type. */
int64_t answer_number(const json_t *o, const char *key);
const char *answer_text(const json_t *o, const char *key);

#endif
