/* SPDX-License-Identifier: ISC */
#include "cli/tally.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

#define DAY_S 86400

static const char *const names[TALLY_COUNT] = {"day",	  "recipient", "sender", "domain",
					       "verdict", "reason",    "pair",	 "rule"};

const char *tally_name(enum tally_by by)
{
	return names[by];
}

int tally_from_name(const char *name, enum tally_by *out)
{
	for (int i = 0; i < TALLY_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum tally_by)i;
			return 0;
		}
	}
	return -1;
}

char *tally_day(int64_t time_unix, char out[TALLY_DAY_MAX])
{
	char when[CLOCK_TEXT_MAX];

	snprintf(out, TALLY_DAY_MAX, "%.10s", clock_format(time_unix, when));
	return out;
}

const char *tally_domain(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : address;
}

/* Does this action keep mail from its recipient? */
static bool is_refused(enum action a)
{
	return a == ACTION_REFUSE || a == ACTION_QUARANTINE;
}

static void count(struct sum *s, const struct report_row *row)
{
	s->n_messages++;
	s->n_encrypted += row->judgement.verdict == VERDICT_ENCRYPTED;
	s->n_refused += is_refused(row->action);
	s->n_would += !is_refused(row->action) && is_refused(row->would);
	s->n_deferred += row->action == ACTION_SPLIT || row->action == ACTION_TEMPFAIL;
	s->bytes += row->size_bytes;
	s->by_verdict[row->judgement.verdict]++;
	if (s->first_unix == 0)
		s->first_unix = row->time_unix;
	s->last_unix = row->time_unix;
}

static bool is_wanted(const struct tally *t, enum tally_by by)
{
	return t->only == 0 || (t->only & 1u << by) != 0;
}

static void count_key(struct tally *t, enum tally_by by, const char *key,
		      const struct report_row *row)
{
	if (is_wanted(t, by))
		count(sums_get(&t->by[by], key), row);
}

/* Who wrote to whom without encrypting, and what decided. */
static void count_recipient(struct tally *t, const struct report_row *row,
			    const struct report_recipient *r)
{
	char key[2 * ADDRESS_MAX + 16];

	count_key(t, TALLY_RECIPIENT, r->address, row);
	if (row->judgement.verdict != VERDICT_ENCRYPTED && is_wanted(t, TALLY_PAIR)) {
		snprintf(key, sizeof(key), "%s -> %s", row->sender, r->address);
		count_key(t, TALLY_PAIR, key, row);
	}
	if (is_wanted(t, TALLY_RULE)) {
		if (r->rule_id != 0)
			snprintf(key, sizeof(key), "rule %lld", (long long)r->rule_id);
		else
			snprintf(key, sizeof(key), "%s", policy_source_name(r->source));
		count_key(t, TALLY_RULE, key, row);
	}
}

void tally_add(struct tally *t, const struct report_row *row)
{
	char day[TALLY_DAY_MAX];

	count(&t->total, row);
	t->by_verdict[row->judgement.verdict]++;
	t->by_action[row->action]++;
	if (is_wanted(t, TALLY_DAY))
		count_key(t, TALLY_DAY, tally_day(row->time_unix, day), row);
	count_key(t, TALLY_SENDER, row->sender, row);
	count_key(t, TALLY_DOMAIN, tally_domain(row->sender), row);
	count_key(t, TALLY_VERDICT, verdict_name(row->judgement.verdict), row);
	count_key(t, TALLY_REASON, row->judgement.reason, row);
	for (size_t i = 0; i < row->n_recipients; i++)
		count_recipient(t, row, &row->recipients[i]);
}

static void count_day(struct sum *s, const struct verdicts_day *day)
{
	s->n_messages += day->n_messages;
	s->n_encrypted += day->verdict == VERDICT_ENCRYPTED ? day->n_messages : 0;
	s->n_refused += is_refused(day->action) ? day->n_messages : 0;
	s->n_would += !is_refused(day->action) && is_refused(day->would) ? day->n_messages : 0;
	s->n_deferred += day->action == ACTION_SPLIT || day->action == ACTION_TEMPFAIL
				 ? day->n_messages
				 : 0;
	s->bytes += day->size_bytes;
	s->by_verdict[day->verdict] += day->n_messages;
	/* When they came within the day the sums do not know. */
}

void tally_add_day(struct tally *t, const struct verdicts_day *day)
{
	char text[TALLY_DAY_MAX];
	struct sum *of_day = sums_get(&t->by[TALLY_DAY], tally_day(day->day * DAY_S, text));
	struct sum *of_verdict = sums_get(&t->by[TALLY_VERDICT], verdict_name(day->verdict));

	count_day(&t->total, day);
	count_day(of_day, day);
	count_day(of_verdict, day);
	t->by_verdict[day->verdict] += day->n_messages;
	t->by_action[day->action] += day->n_messages;
}

void tally_free(struct tally *t)
{
	for (int i = 0; i < TALLY_COUNT; i++)
		sums_free(&t->by[i]);
}
