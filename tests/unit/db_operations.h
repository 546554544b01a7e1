/* SPDX-License-Identifier: ISC
 *
 * db_operations.h: a small database with something of everything in it, and a table of what can be
 * asked of one, so that tests can do all of it while something is wrong. Included once in a test
 * program; everything is static.
 */
#ifndef PGPGATE_TESTS_DB_OPERATIONS_H
#define PGPGATE_TESTS_DB_OPERATIONS_H

#include "tests/unit/verdict_log_fixture.h"

#include "db/engine/internal.h"
#include "db/metrics.h"
#include "db/pair.h"
#include "db/policy.h"
#include "db/report.h"
#include "db/rules.h"
#include "db/record/upkeep.h"

static struct fixture base;
static char backup_path[400];

/* The file is whole by itself afterwards: it can be copied. */
static inline void fill_base(void)
{
	static const char *const rules[] = {"exempt alice@mail.example.org", "ratchet example.org",
					    "signed example.org sender=x.test client=192.0.2.0/24",
					    "observe * client=authenticated",
					    "exempt old@example.org"};
	struct verdict_record r;
	struct verdict_log *l;
	struct db *d;

	fixture_begin(&base);
	fixture_use(&base,
		    fixture_settings(&base, "verdict_retention=7d", "reply_window=7d", NULL));
	snprintf(backup_path, sizeof backup_path, "%s/backup", base.directory);
	d = fixture_open(&base, DB_WRITE);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		struct rule rule = fixture_rule(rules[i], NOW);

		assert_int_equal(rules_add(d, &rule, NOW, NULL, NULL), 0);
	}
	l = start(&base);
	for (int i = 0; i < 30; i++) {
		r = record(i < 10 ? "OLD" : "NEW", i % 2 != 0 ? "s@x.test" : "t@y.test",
			   i < 10 ? NOW - 8 * 86400 : NOW);
		if (i % 3 == 0) {
			r.judgement = &encrypted;
			r.action = r.would = ACTION_ACCEPT;
		}
		submit(l, &r);
	}
	verdict_log_stop(l);
	assert_int_equal(db_checkpoint(d, -1), 1);
	db_close(d);
}

/* ---- what can be asked ---- */

static inline int see_row(void *context, const struct verdict_row *row)
{
	++*(int *)context;
	return strlen(row->record.sender) == 0 && row->record.n_recipients > 100;
}

static inline int see_report_row(void *context, const struct report_row *row)
{
	++*(int *)context;
	return row->n_recipients > 100;
}

static inline int see_rule(void *context, const struct rule *r)
{
	char text[RULE_TEXT_MAX];

	++*(int *)context;
	return rule_format(r, text, sizeof text)[0] == '\0';
}

static inline int see_change(void *context, const struct rule_change *c)
{
	++*(int *)context;
	return strlen(c->after) > RULE_TEXT_MAX;
}

static inline int see_day(void *context, const struct verdicts_day *day)
{
	++*(int *)context;
	return day->n_messages == INT64_MIN;
}

static inline void see_loser(void *context, const struct rule *r, const char *why_lost)
{
	*(int *)context += r->id > 0 && why_lost != NULL;
}

static inline void see_complaint(void *context, const char *complaint)
{
	*(int *)context += complaint[0] != '\0';
}

static inline int ask_policy(struct db *d, bool explain, struct policy_answer *a)
{
	struct address recipient, sender;
	struct netaddr client;
	char err[100];
	int n = 0;
	struct policy_query q = {.recipient = &recipient,
				 .sender = &sender,
				 .client = &client,
				 .declared_size_bytes = 4321,
				 .now_unix = NOW};

	netaddr_parse("192.0.2.9", &client, err, sizeof err);
	address_canonical("bob@example.org", strlen("bob@example.org"), &recipient);
	address_canonical("s@x.test", strlen("s@x.test"), &sender);
	return explain ? policy_explain(d, base.settings, &q, a, see_loser, &n)
		       : policy_decide(d, base.settings, &q, a);
}

static inline int op_decide(struct db *d)
{
	struct policy_answer a;

	return ask_policy(d, false, &a);
}

static inline int op_explain(struct db *d)
{
	struct policy_answer a;

	return ask_policy(d, true, &a);
}

static inline int op_status(struct db *d)
{
	struct db_status status;

	return db_get_status(d, &status);
}

static inline int op_check(struct db *d)
{
	int n = 0;

	return db_check(d, see_complaint, &n);
}

static inline int op_backup(struct db *d)
{
	char err[DB_ERROR_MAX];
	struct db_copy *copy;

	unlink(backup_path);
	if (db_copy_begin(backup_path, &copy, err) != DB_OK)
		return -1;
	if (db_backup(d, copy, NULL, NULL) == 0)
		return db_copy_end(copy, err) == DB_OK ? 0 : -1;
	db_copy_abandon(copy);
	return -1;
}

static inline int op_pause(struct db *d)
{
	return db_pause(d, NOW + 60, NOW, "root");
}

static inline int op_paused_until(struct db *d)
{
	int64_t until;

	return db_paused_until(d, NOW, &until);
}

static inline int op_add(struct db *d)
{
	struct rule r = fixture_rule("encrypted new@example.org", NOW);

	return rules_add(d, &r, NOW, NULL, NULL);
}

static inline int op_replace(struct db *d)
{
	struct rule r = fixture_rule("signed alice@mail.example.org", NOW), old;
	bool was_replaced;

	return rules_add(d, &r, NOW, &was_replaced, &old);
}

static inline int op_forget(struct db *d)
{
	struct rule r = fixture_rule("exempt example.org", NOW);

	return rules_forget(d, &r, true, NOW, "root");
}

static inline int op_forget_id(struct db *d)
{
	return rules_forget_id(d, 5, NOW, "root");
}

static inline int op_rules(struct db *d)
{
	const struct rules_filter all = {.now_unix = NOW};
	int n = 0;

	return rules_list(d, &all, see_rule, &n);
}

static inline int op_rules_of_recipient(struct db *d)
{
	struct rule r = fixture_rule("exempt example.org", NOW);
	const struct rules_filter some = {.now_unix = NOW, .recipient = &r.recipient};
	int n = 0;

	return rules_list(d, &some, see_rule, &n);
}

static inline int op_history(struct db *d)
{
	int n = 0;

	return rules_history(d, NULL, see_change, &n);
}

static inline int import_two(struct db *d, int n_more)
{
	const struct rules_edit_options o = {
		.author = "root", .now_unix = NOW, .what = "import", .is_bulk = true};
	struct rules_edit *e = rules_edit_begin(d, &o);
	struct rule one = fixture_rule("signed alice@mail.example.org", NOW),
		    two = fixture_rule("signed imported@example.org", NOW), more;
	struct rules_result result;
	int failed;

	if (e == NULL)
		return -1;
	failed = rules_edit_put(e, &one) != 0 || rules_edit_put(e, &two) != 0;
	for (int i = 0; i < n_more && !failed; i++) {
		char line[60];

		snprintf(line, sizeof line, "signed more%d@example.org", i);
		more = fixture_rule(line, NOW);
		failed = rules_edit_put(e, &more) != 0;
	}
	if (!failed)
		return rules_edit_commit(e, &result);
	/* What is told is why it failed: the clean-up may have gone well. */
	rules_edit_abort(e);
	return -2;
}

static inline int op_import(struct db *d)
{
	return import_two(d, 0);
}

static inline int op_import_staged(struct db *d)
{
	return import_two(d, EDIT_ROWS_MAX);
}

static inline int op_undo(struct db *d)
{
	const struct rules_edit_options o = {.author = "root", .now_unix = NOW};
	struct rules_undone out;
	char err[800];
	const int got = rules_undo(d, 0, &o, &out, err, sizeof err);

	return got < 0 ? -1 : 0;
}

static inline int list_verdicts(struct db *d, struct verdicts_filter f)
{
	int n = 0;

	return verdicts_list(d, &f, see_row, &n);
}

static inline int op_log(struct db *d)
{
	return list_verdicts(d, FILTER(.last_n = 20));
}

static inline int op_log_of_recipient(struct db *d)
{
	return list_verdicts(d, FILTER(.recipient = "bob@example.org"));
}

static inline int op_log_of_domain(struct db *d)
{
	return list_verdicts(d, FILTER(.recipient = ".example.org", .sender = "s@x.test"));
}

static inline int op_log_to_domain(struct db *d)
{
	return list_verdicts(d, FILTER(.recipient = "example.org"));
}

static inline int op_log_from_domain(struct db *d)
{
	return list_verdicts(d, FILTER(.sender = "x.test"));
}

static inline int op_log_of_queue_id(struct db *d)
{
	return list_verdicts(d, FILTER(.queue_id = "OLD"));
}

static inline int op_log_since(struct db *d)
{
	return list_verdicts(d, FILTER(.since_unix = NOW - 9 * 86400, .until_unix = NOW));
}

static inline int op_daily(struct db *d)
{
	int n = 0;

	return verdicts_daily(d, 0, INT32_MAX, see_day, &n);
}

static inline int op_report(struct db *d)
{
	int n = 0;

	return report_rows(d, 0, 0, see_report_row, &n);
}

static inline int op_report_to(struct db *d)
{
	struct report_matcher m;
	struct pattern p;
	char err[200];
	int n = 0;

	if (pattern_parse("alice@mail.example.org", "+", false, &p, err, sizeof err) != 0)
		return -1;
	report_matcher_init(d, &p, "+", &m);
	return report_rows_to(d, &m, 0, 0, see_report_row, &n);
}

static inline int op_rule_of_id(struct db *d)
{
	struct rule r;

	return report_rule(d, 2, &r);
}

static inline int op_metrics(struct db *d)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int result;

	assert_non_null(to);
	result = metrics_write(d, base.settings, to);
	fclose(to);
	if (result != 0)
		assert_int_equal(size, 0);
	free(text);
	return result;
}

static inline int op_prune(struct db *d)
{
	return verdicts_prune(d, NOW - 7 * 86400, NULL, NULL) < 0 ? -1 : 0;
}

static inline int op_upkeep(struct db *d)
{
	struct upkeep u = {0};

	upkeep_step(d, base.settings, NOW, true, &u);
	return 0; /* whatever fails is left to the next step */
}

static inline int op_pair_get(struct db *d)
{
	struct pair_record pair;

	return pair_get(d, "s@x.test", "bob@example.org", &pair);
}

static inline int op_pair_forget(struct db *d)
{
	return pair_forget(d, "t@y.test", "bob@example.org", NOW, "root");
}

static inline int op_attempts(struct db *d)
{
	static const unsigned char digest[32] = {1};

	return policy_split_attempts(d, digest, NOW);
}

static const struct operation {
	const char *name;
	int (*run)(struct db *d); /* negative: failed */
	bool writes;
	bool is_one_transaction;
} operations[] = {
	{"decide", op_decide, false, false},
	{"explain", op_explain, false, false},
	{"status", op_status, false, false},
	{"check", op_check, false, false},
	{"backup", op_backup, false, false},
	{"paused_until", op_paused_until, false, false},
	{"rules", op_rules, false, false},
	{"rules of recipient", op_rules_of_recipient, false, false},
	{"history", op_history, false, false},
	{"log", op_log, false, false},
	{"log of recipient", op_log_of_recipient, false, false},
	{"log of domain", op_log_of_domain, false, false},
	{"log to domain", op_log_to_domain, false, false},
	{"log from domain", op_log_from_domain, false, false},
	{"log of queue id", op_log_of_queue_id, false, false},
	{"log since", op_log_since, false, false},
	{"daily", op_daily, false, false},
	{"report", op_report, false, false},
	{"report to", op_report_to, false, false},
	{"rule of id", op_rule_of_id, false, false},
	{"metrics", op_metrics, false, false},
	{"pair_get", op_pair_get, false, false},
	{"attempts", op_attempts, false, false},
	{"pause", op_pause, true, true},
	{"add", op_add, true, true},
	{"replace", op_replace, true, true},
	{"forget", op_forget, true, true},
	{"forget_id", op_forget_id, true, true},
	{"pair_forget", op_pair_forget, true, true},
	{"import", op_import, true, true},
	{"import, staged", op_import_staged, true, true},
	{"undo", op_undo, true, true},
	{"prune", op_prune, true, false},
	{"upkeep", op_upkeep, true, false},
};
#define N_OPERATIONS (sizeof operations / sizeof operations[0])

#endif
