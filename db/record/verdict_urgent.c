/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_urgent.h"

#include <string.h>
#include <sys/random.h>

#include "db/record/bounce.h"

#define POOL_IDLE_MAX 8
#define AHEAD_S 3600  /* clocks of a site differ by less, and so do messages under way */
#define KNOWN_S 86400 /* the longest that something is taken for known without a message */

enum about { ABOUT_PAIR, ABOUT_WINDOW, ABOUT_BOUNCE };

void urgent_init(struct urgent *u, struct settings *s)
{
	memset(u, 0, sizeof *u);
	u->pool = db_pool_new(s, DB_READ, POOL_IDLE_MAX);
	if (getrandom(&u->seed, sizeof u->seed, 0) != (ssize_t)sizeof u->seed)
		u->seed = 0;
	pthread_mutex_init(&u->lock, NULL);
}

void urgent_destroy(struct urgent *u)
{
	db_pool_free(u->pool);
	pthread_mutex_destroy(&u->lock);
}

/* FNV-1a from a secret start. */
static uint64_t hash_of(const struct urgent *u, enum about about, const char *a, const char *b)
{
	uint64_t hash = (14695981039346656037u ^ u->seed) + (uint64_t)about;

	for (; *a != '\0'; a++)
		hash = (hash ^ (unsigned char)*a) * 1099511628211u;
	hash *= 1099511628211u; /* the end of a */
	for (; *b != '\0'; b++)
		hash = (hash ^ (unsigned char)*b) * 1099511628211u;
	return hash ^ hash >> 32;
}

/* How long before the end of `lasts_s` (0: never ends) a message must have been, to be none that
 * prolongs it in the last moment. */
static int64_t known_for_s(int64_t lasts_s)
{
	return lasts_s == 0 || lasts_s / 2 > KNOWN_S ? KNOWN_S : lasts_s / 2;
}

/* Known, and if so, known from this message on. */
static bool is_known(struct urgent *u, uint64_t hash, int64_t lasts_s, int64_t time_unix)
{
	const size_t at = hash % URGENT_KNOWN;
	bool result;

	pthread_mutex_lock(&u->lock);
	result = u->known[at].hash == hash &&
		 u->known[at].time_unix + known_for_s(lasts_s) > time_unix &&
		 u->known[at].time_unix <= time_unix + 1;
	if (result && u->known[at].time_unix < time_unix)
		u->known[at].time_unix = time_unix;
	pthread_mutex_unlock(&u->lock);
	return result;
}

static void learn(struct urgent *u, uint64_t hash, int64_t time_unix)
{
	const size_t at = hash % URGENT_KNOWN;

	pthread_mutex_lock(&u->lock);
	u->known[at].hash = hash;
	u->known[at].time_unix = time_unix;
	pthread_mutex_unlock(&u->lock);
}

/* The time of the last message; 0: none, or it cannot be had. */
static int64_t ask(struct db *d, enum about about, const char *a, const char *b)
{
	static const enum sql_statement which[] = {SQL_POLICY_PAIR, SQL_POLICY_OUTGOING,
						   SQL_POLICY_BOUNCE};
	int64_t last_unix = 0;
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return 0;
	st = db_statement(d, which[about]);
	if (st != NULL) {
		db_bind_text(st, 1, a);
		if (about != ABOUT_BOUNCE)
			db_bind_text(st, 2, b);
		got = db_step(d, st);
		if (got == 1)
			last_unix = sqlite3_column_int64(st, about == ABOUT_PAIR ? 1 : 0);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? last_unix : 0;
}

static bool ask_ratchet(struct db *d)
{
	int64_t found = 0;

	if (db_begin_read(d) != 0)
		return true;
	return db_end(d, db_one(d, SQL_JOURNAL_USES_RATCHET, &found)) != 0 || found != 0;
}

/* Is there a rule with a ratchet, just now? True as well where that cannot be known. */
static bool has_ratchet(struct urgent *u, struct db *d)
{
	struct wal_index_mark now;
	bool is_same, result;

	wal_index_take_mark(d, &now);
	pthread_mutex_lock(&u->lock);
	is_same = wal_index_is_same(&u->ratchets_at, &now);
	result = u->has_ratchet;
	pthread_mutex_unlock(&u->lock);
	if (is_same)
		return result;
	result = ask_ratchet(d);
	pthread_mutex_lock(&u->lock);
	u->ratchets_at = now;
	u->has_ratchet = result;
	pthread_mutex_unlock(&u->lock);
	return result;
}

/* A pair that nothing asks for is not new. */
static bool is_new(struct urgent *u, enum about about, const char *a, const char *b,
		   int64_t lasts_s, bool is_asked, int64_t time_unix)
{
	const uint64_t hash = hash_of(u, about, a, b);
	int64_t last_unix = 0;
	struct db *d;

	if (is_known(u, hash, lasts_s, time_unix))
		return false;
	d = u->pool != NULL ? db_pool_get(u->pool) : NULL;
	if (d == NULL)
		return true;
	is_asked = is_asked || has_ratchet(u, d);
	if (is_asked)
		last_unix = ask(d, about, a, b);
	db_pool_put(u->pool, d);
	if (!is_asked)
		return false;
	/* What is later was written by a clock that was ahead, and counts for nothing
	 * (policy_is_within()). */
	if (last_unix == 0 || last_unix <= time_unix - known_for_s(lasts_s) ||
	    last_unix > time_unix + AHEAD_S)
		return true;
	learn(u, hash, last_unix);
	return false;
}

static bool is_recipient_urgent(struct urgent *u, const struct settings *s,
				const struct stored_verdict *v, const struct stored_recipient *r)
{
	const struct verdict_record *m = &v->record;
	const char *const senders[] = {m->sender, m->header_from};
	const bool is_default = s->default_requirement == REQUIREMENT_RATCHET ||
				s->local_requirement == REQUIREMENT_RATCHET;

	if (r->outgoing_domain[0] != '\0' && is_new(u, ABOUT_WINDOW, m->sender, r->outgoing_domain,
						    s->reply_window_s, true, m->time_unix))
		return true;
	if (v->judgement.verdict != VERDICT_ENCRYPTED)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (stored_verdict_counts(v, r, i) &&
		    is_new(u, ABOUT_PAIR, senders[i], r->key, s->pair_retention_s, is_default,
			   m->time_unix))
			return true;
	return false;
}

bool urgent_is(struct urgent *u, const struct settings *s, const struct stored_verdict *v)
{
	if (v->record.action == ACTION_SPLIT || v->record.has_split_digest ||
	    v->record.counts_attempt || v->record.is_vain)
		return true;
	if (bounce_counts(v) ||
	    (v->opens_bounce_window && is_new(u, ABOUT_BOUNCE, v->record.sender, "",
					      BOUNCE_WINDOW_S, true, v->record.time_unix)))
		return true;
	if (!v->counts_for_pairs)
		return false;
	for (size_t i = 0; i < v->record.n_recipients; i++)
		if (is_recipient_urgent(u, s, v, &v->recipients[i]))
			return true;
	return false;
}

void urgent_remember(struct urgent *u, const struct stored_verdict *v)
{
	const struct verdict_record *m = &v->record;
	const char *const senders[] = {m->sender, m->header_from};

	if (v->opens_bounce_window)
		learn(u, hash_of(u, ABOUT_BOUNCE, m->sender, ""), m->time_unix);
	if (!v->counts_for_pairs)
		return;
	for (size_t n = 0; n < m->n_recipients; n++) {
		const struct stored_recipient *r = &v->recipients[n];

		if (r->outgoing_domain[0] != '\0')
			learn(u, hash_of(u, ABOUT_WINDOW, m->sender, r->outgoing_domain),
			      m->time_unix);
		for (size_t i = 0; i < 2 && v->judgement.verdict == VERDICT_ENCRYPTED; i++)
			if (stored_verdict_counts(v, r, i))
				learn(u, hash_of(u, ABOUT_PAIR, senders[i], r->key), m->time_unix);
	}
}

void urgent_forget(struct urgent *u)
{
	pthread_mutex_lock(&u->lock);
	memset(u->known, 0, sizeof u->known);
	pthread_mutex_unlock(&u->lock);
}
