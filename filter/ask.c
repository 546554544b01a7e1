/* SPDX-License-Identifier: ISC
 *
 * ask.c: the questions that a transaction asks the database.
 */
#include "filter/transaction_state.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"

void ask_failed(struct transaction *t, const char *why)
{
	const char *fate = t->mail.settings->accept_on_database_error ? "accepted"
								      : "deferred with 451";
	unsigned n = 0;

	if (!log_limit_allows(t->context->database_trouble, clock_monotonic_ms(), &n))
		return;
	if (n > 0)
		log_error("the database fails; until it is mended mail is %s (%u more times): %s",
			  fate, n, why);
	else
		log_error("the database fails; until it is mended mail is %s: %s", fate, why);
}

int ask_policy(struct transaction *t, const struct address *recipient,
	       const struct from_header *header_from, struct policy_answer *answer)
{
	const struct mail *m = &t->mail;
	const struct policy_query query = {
		.recipient = recipient,
		.sender = &m->sender,
		.header_from = header_from,
		.client = t->has_client ? &t->client : NULL,
		.client_name = t->client_name,
		.is_authenticated = m->authenticated[0] != '\0',
		.is_submitted_locally = t->is_submitted_locally,
		.declared_size_bytes = m->declared_size_bytes,
		.now_unix = t->context->now_unix(),
	};
	struct db *d = db_pool_get(t->context->pool);
	int result;

	if (d == NULL) {
		ask_failed(t, "out of memory");
		return -1;
	}
	memset(answer, 0, sizeof *answer);
	result = policy_decide(d, m->settings, &query, answer);
	if (result != 0)
		ask_failed(t, db_error(d));
	db_pool_put(t->context->pool, d);
	return result;
}

int ask_own_key(struct transaction *t, const struct address *recipient, const struct judgement *j,
		struct own_key *out)
{
	struct db *d = db_pool_get(t->context->pool);
	const int result = d == NULL ? -1
				     : policy_own_key(d, t->mail.settings, recipient, j,
						      t->context->now_unix(), out);

	if (result != 0)
		ask_failed(t, d == NULL ? "out of memory" : db_error(d));
	if (d != NULL)
		db_pool_put(t->context->pool, d);
	return result;
}

/* What a recipient gets while the database fails and on_database_error is accept. */
void ask_nobody(struct policy_answer *answer)
{
	memset(answer, 0, sizeof *answer);
	answer->requirement = REQUIREMENT_OBSERVE;
	answer->demand = REQUIREMENT_OBSERVE;
	answer->source = SOURCE_DEFAULT;
}

/* How often this message came together before. */
int ask_attempts(struct transaction *t, const unsigned char digest[DIGEST_SIZE], int *n)
{
	struct db *d = db_pool_get(t->context->pool);

	*n = d == NULL ? -1 : policy_split_attempts(d, digest, t->context->now_unix());
	if (*n < 0)
		ask_failed(t, d == NULL ? "out of memory" : db_error(d));
	if (d != NULL)
		db_pool_put(t->context->pool, d);
	return *n < 0 ? -1 : 0;
}
