/* SPDX-License-Identifier: ISC
 *
 * verdict_split.c: what a verdict leaves for mixed recipients (db/policy/split.h): evidence where
 * the message is split, the end of it where it is answered for good.
 */
#include "db/policy/split.h"
#include "db/record/verdict_write.h"

static bool is_final(enum action a)
{
	return a == ACTION_ACCEPT || a == ACTION_TAG || a == ACTION_QUARANTINE ||
	       a == ACTION_REFUSE;
}

static int write_evidence(struct db *d, const struct stored_verdict *v,
			  const struct split_message *m)
{
	const size_t n = v->record.n_recipients;
	size_t n_of[2] = {0, 0}; /* failed, passed */

	if (split_forget_other_sizes(d, m) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		n_of[v->recipients[i].passes ? 1 : 0]++;
	for (size_t i = 0; i < n; i++) {
		const struct stored_recipient *r = &v->recipients[i];
		const bool yields = n_of[r->passes ? 0 : 1] > SPLIT_DEFER_MAX;

		if (split_write(d, m, r->key, r->passes, yields) != 0)
			return -1;
	}
	return v->record.counts_attempt ? split_attempt(d, v->record.attempt_digest, m->time_unix)
					: 0;
}

static int end_evidence(struct db *d, const struct stored_verdict *v, const struct split_message *m)
{
	for (size_t i = 0; i < v->record.n_recipients; i++)
		if (split_done(d, m, v->recipients[i].key) != 0)
			return -1;
	return split_progress(d, m);
}

int stored_verdict_split(struct db *d, const struct stored_verdict *v)
{
	const struct verdict_record *r = &v->record;
	const struct split_message m = {
		.sender_key = v->split_sender_key,
		.declared_size_bytes = r->declared_size_bytes,
		.digest = r->split_digest,
		.time_unix = r->time_unix,
	};

	if (r->is_vain)
		return split_vain(d, &m);
	if (!r->has_split_digest)
		return 0;
	if (r->action == ACTION_SPLIT)
		return write_evidence(d, v, &m);
	return is_final(r->action) ? end_evidence(d, v, &m) : 0;
}
