/* SPDX-License-Identifier: ISC
 *
 * Rules as the administrator keeps them: their text, adding and replacing, removing, listing, the
 * audit trail, and the bulk import.
 */
#include "tests/unit/db_fixture.h"

#include "db/engine/internal.h"
#include "db/rules.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */

/* ---- text ---- */

static void text_is_read_and_written_back(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: as in */
	} rows[] = {
		{"exempt alice@example.org", NULL},
		{"encrypted .example.org sender=shop.test client=192.0.2.0/24", NULL},
		{"signed user@ sender=<> client=authenticated", NULL},
		{"ratchet * starts=2027-02-01T00:00:00Z expires=2027-03-01T00:00:00Z", NULL},
		{"observe a@b.test help-url=https://x.test/?a=1 note=\"until her key is "
		 "\\\"new\\\" \\\\\"",
		 NULL},
		{"  exempt\tAlice@EXAMPLE.org  ", "exempt alice@example.org"},
		{"exempt @example.org", "exempt example.org"},
		{"exempt a@b.test client=2001:db8::/32", NULL},
		{"exempt a@b.test expires=2027-02-01",
		 "exempt a@b.test expires=2027-02-02T00:00:00Z"},
		{"exempt a@b.test note=one", "exempt a@b.test note=\"one\""},
		{"exempt a+b@c.test sender=*", NULL},
		{"exempt recipient=\"recipient=x@c.test\"", NULL},
		{"exempt recipient=x@c.test", "exempt x@c.test"},
		{"exempt sender=x@c.test", NULL},
	};
	char text[RULE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rule r = fixture_rule(rows[i].in, NOW);

		assert_string_equal(rule_format(&r, text, sizeof text),
				    rows[i].out != NULL ? rows[i].out : rows[i].in);
	}
}

static void text_that_is_no_rule_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *in, *words;
	} rows[] = {
		{"permit a@b.test", "none of exempt"},
		{"exempt", "no recipient"},
		{"exempt sender=x.test", "is no pattern"},
		{"exempt a@b.test colour=red", "none of sender="},
		{"exempt a@b.test sender=x.test sender=y.test", "twice"},
		{"exempt a@b.test note=\"open", "not closed"},
		{"exempt a@b.test note=\"a\x01\"", "control"},
		{"exempt a@b.test note=\"\xff\"", "UTF-8"},
		{"exempt a@b.test help-url=example", "URL"},
		{"exempt a@b.test help-url=ftp://x.test/", "URL"},
		{"exempt a@b.test help-url=https://\xc3\xbc.test/", "URL"},
		{"exempt a@b.test note=\"\xe2\x80\xae\"", "control"},
		{"exempt a@b.test starts=2027-02-01 expires=2027-01-01", "before it starts"},
		{"exempt a@b.test client=192.0.2.1/24", ""},
		{"exempt a@b@c", ""},
		{"exempt <>", ""},
		{"exempt a@b.test starts=never", ""},
	};
	struct rule r;
	char err[300];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		err[0] = '\0';
		if (rule_parse(rows[i].in, "+", NOW, &r, err, sizeof err) != -1)
			fail_msg("\"%s\" was taken", rows[i].in);
		if (err[0] == '\0' || strstr(err, rows[i].words) == NULL)
			fail_msg("\"%s\": \"%s\" should say \"%s\"", rows[i].in, err,
				 rows[i].words);
	}
	assert_int_equal(rule_parse("", "+", NOW, &r, err, sizeof err), 1);
	assert_int_equal(rule_parse("  \t", "+", NOW, &r, err, sizeof err), 1);
	assert_int_equal(rule_parse(" # exempt a@b.test", "+", NOW, &r, err, sizeof err), 1);
}

static void the_longest_rule_fits_its_text(void **state)
{
	struct rule r = fixture_rule("exempt a@b.test", NOW), back;
	char text[RULE_TEXT_MAX], err[300];

	(void)state;
	memset(r.note, '"', NOTE_MAX);
	strcpy(r.help_url, "https://");
	memset(r.help_url + 8, 'u', HELP_URL_MAX - 8);
	memset(r.recipient.text, 'r', 250);
	strcpy(r.recipient.text + 64, "@example.org");
	r.has_sender = true;
	r.sender = r.recipient;
	rule_format(&r, text, sizeof text);
	assert_int_equal(rule_parse(text, "+", NOW, &back, err, sizeof err), 0);
	assert_string_equal(back.note, r.note);
	assert_string_equal(back.help_url, r.help_url);
}

/* ---- keeping ---- */

static void add(struct db *d, const char *line, bool expect_replaced)
{
	struct rule r = fixture_rule(line, NOW), old = {0};
	bool was_replaced = false;

	if (rules_add(d, &r, NOW, &was_replaced, &old) != 0)
		fail_msg("%s", db_error(d));
	assert_int_equal(was_replaced, expect_replaced);
	assert_true(r.id > 0);
	if (was_replaced)
		assert_true(old.id > 0 && old.id != r.id);
}

struct texts {
	size_t n;
	char text[64][300];
};

static int gather(void *context, const struct rule *r)
{
	struct texts *t = context;
	char text[RULE_TEXT_MAX];

	assert_true(t->n < 64);
	snprintf(t->text[t->n++], 300, "%.299s", rule_format(r, text, sizeof text));
	return 0;
}

static struct texts list(struct db *d, const struct rules_filter *f)
{
	static const struct rules_filter all;
	struct texts t = {0};

	assert_int_equal(rules_list(d, f != NULL ? f : &all, gather, &t), 0);
	return t;
}

static void same_key_replaces_and_anything_else_adds(void **state)
{
	struct fixture f;
	struct db *d;
	struct texts t;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "exempt a@b.test", false);
	add(d, "exempt a@b.test sender=x.test", false);
	add(d, "exempt a@b.test client=192.0.2.0/24", false);
	add(d, "exempt a@b.test client=192.0.2.0/25", false);
	add(d, "exempt a@b.test client=authenticated", false);
	add(d, "encrypted a@b.test note=\"changed\"", true);
	add(d, "encrypted a@b.test client=192.0.2.0/24", true);
	t = list(d, NULL);
	assert_int_equal(t.n, 5);
	assert_string_equal(t.text[0], "exempt a@b.test sender=x.test");
	assert_string_equal(t.text[1], "exempt a@b.test client=192.0.2.0/25");
	assert_string_equal(t.text[2], "exempt a@b.test client=authenticated");
	assert_string_equal(t.text[3], "encrypted a@b.test note=\"changed\"");
	assert_string_equal(t.text[4], "encrypted a@b.test client=192.0.2.0/24");
	db_close(d);
	fixture_end(&f);
}

static void forget_takes_the_exact_rule_or_all_that_narrow_it(void **state)
{
	struct fixture f;
	struct db *d;
	struct rule key = fixture_rule("exempt a@b.test", NOW),
		    narrow = fixture_rule("exempt a@b.test sender=x.test", NOW);

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "exempt a@b.test", false);
	add(d, "exempt a@b.test sender=x.test", false);
	add(d, "exempt a@b.test sender=y.test client=authenticated", false);
	add(d, "exempt c@b.test", false);
	assert_int_equal(rules_forget(d, &narrow, false, NOW, "root"), 1);
	assert_int_equal(rules_forget(d, &narrow, false, NOW, "root"), 0);
	assert_int_equal(list(d, NULL).n, 3);
	assert_int_equal(rules_forget(d, &key, true, NOW, "root"), 2);
	assert_int_equal(rules_forget(d, &key, true, NOW, "root"), 0);
	assert_int_equal(list(d, NULL).n, 1);
	assert_int_equal(rules_forget_id(d, 4, NOW, "root"), 1);
	assert_int_equal(rules_forget_id(d, 4, NOW, "root"), 0);
	assert_int_equal(list(d, NULL).n, 0);
	db_close(d);
	fixture_end(&f);
}

static int count(void *context, const struct rule *r)
{
	(void)r;
	++*(int *)context;
	return 0;
}

static void forget_all_and_list_go_beyond_a_page(void **state)
{
	struct fixture f;
	struct db *d;
	struct rule key = fixture_rule("exempt *", NOW);
	const struct rules_filter filter = {.recipient = &key.recipient};
	char line[100];
	int n = 0;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "exempt *", false);
	for (int i = 0; i < 450; i++) {
		snprintf(line, sizeof line, "exempt * sender=s%d.test", i);
		add(d, line, false);
	}
	assert_int_equal(rules_list(d, &filter, count, &n), 0);
	assert_int_equal(n, 451);
	assert_int_equal(rules_forget(d, &key, true, NOW, "root"), 451);
	assert_int_equal(list(d, NULL).n, 0);
	db_close(d);
	fixture_end(&f);
}

static void list_filters(void **state)
{
	struct fixture f;
	struct db *d;
	const struct rules_filter expired = {.only_expired = true, .now_unix = NOW};
	const struct rules_filter unused = {.only_unused = true, .now_unix = NOW};
	struct rule wanted = fixture_rule("exempt b@b.test", NOW);
	const struct rules_filter one = {.recipient = &wanted.recipient};
	struct texts t;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "exempt a@b.test expires=2027-01-14", false);
	add(d, "exempt b@b.test expires=2027-01-15", false);
	add(d, "exempt b@b.test sender=x.test", false);
	t = list(d, &expired);
	assert_int_equal(t.n, 1);
	assert_non_null(strstr(t.text[0], "a@b.test"));
	assert_int_equal(list(d, &one).n, 2);
	assert_int_equal(list(d, &unused).n, 3);
	db_close(d);
	fixture_end(&f);
}

/* ---- audit ---- */

struct changes {
	size_t n;
	struct rule_change change[16];
};

static int gather_change(void *context, const struct rule_change *c)
{
	struct changes *all = context;

	assert_true(all->n < 16);
	all->change[all->n++] = *c;
	return 0;
}

static void every_change_is_kept_with_author_before_and_after(void **state)
{
	static struct changes all;
	struct fixture f;
	struct db *d;
	struct rule a = fixture_rule("exempt a@b.test", NOW);

	(void)state;
	memset(&all, 0, sizeof all);
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "exempt a@b.test", false);
	add(d, "exempt other@b.test", false);
	add(d, "signed a@b.test", true);
	assert_int_equal(rules_forget(d, &a, false, NOW + 5, "mallory"), 1);
	assert_int_equal(rules_history(d, &a.recipient, gather_change, &all), 0);
	assert_int_equal(all.n, 3);
	assert_string_equal(all.change[0].what, "add");
	assert_string_equal(all.change[0].before, "");
	assert_string_equal(all.change[0].after, "exempt a@b.test");
	assert_string_equal(all.change[1].what, "replace");
	assert_string_equal(all.change[1].before, "exempt a@b.test");
	assert_string_equal(all.change[1].after, "signed a@b.test");
	assert_string_equal(all.change[2].what, "forget");
	assert_string_equal(all.change[2].before, "signed a@b.test");
	assert_string_equal(all.change[2].after, "");
	assert_string_equal(all.change[2].author, "mallory");
	assert_int_equal(all.change[2].time_unix, NOW + 5);
	memset(&all, 0, sizeof all);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	assert_int_equal(rules_history(d, NULL, gather_change, &all), 0);
	assert_int_equal(all.n, 5);
	assert_string_equal(all.change[4].what, "pause");
	db_close(d);
	fixture_end(&f);
}

/* ---- edits of many rules ---- */

static void import_lines(struct rules_edit *e, const char *const *lines, size_t n)
{
	for (size_t at = 0; at < n; at++) {
		struct rule r = fixture_rule(lines[at], NOW);

		assert_int_equal(rules_edit_put(e, &r), 0);
	}
}

static struct rules_edit *begin_import(struct db *d, const char *author)
{
	const struct rules_edit_options o = {
		.author = author, .now_unix = NOW + 9, .what = "import", .is_bulk = true};

	return rules_edit_begin(d, &o);
}

static void import_is_seen_at_once_or_not_at_all(void **state)
{
	static const char *const lines[] = {"encrypted a@b.test", "exempt new@b.test",
					    "exempt new@b.test sender=x.test"};
	static struct changes all;
	struct fixture f;
	struct db *d, *other;
	struct rules_edit *e;
	struct rules_result result;
	struct texts t;

	(void)state;
	memset(&all, 0, sizeof all);
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	other = fixture_open(&f, DB_READ);
	add(d, "exempt a@b.test", false);
	add(d, "exempt old@b.test", false);
	/* aborted */
	e = begin_import(d, "root");
	assert_non_null(e);
	import_lines(e, lines, 3);
	assert_int_equal(list(other, NULL).n, 2);
	rules_edit_abort(e);
	assert_int_equal(list(other, NULL).n, 2);
	/* committed */
	e = begin_import(d, "importer");
	import_lines(e, lines, 3);
	assert_int_equal(rules_edit_commit(e, &result), 0);
	assert_int_equal(result.n[RULE_ADDED], 2);
	assert_int_equal(result.n[RULE_CHANGED], 1);
	assert_int_equal(result.no, 3);
	t = list(other, NULL);
	assert_int_equal(t.n, 4);
	assert_string_equal(t.text[0], "exempt old@b.test");
	assert_string_equal(t.text[1], "encrypted a@b.test");
	/* and audited, only what happened */
	assert_int_equal(rules_history(d, NULL, gather_change, &all), 0);
	assert_int_equal(all.n, 5);
	assert_string_equal(all.change[2].what, "import");
	assert_string_equal(all.change[2].before, "exempt a@b.test");
	assert_string_equal(all.change[2].after, "encrypted a@b.test");
	assert_string_equal(all.change[2].author, "importer");
	assert_int_equal(all.change[4].no, 3);
	/* rules that came by import can be replaced and forgotten like any other */
	add(d, "signed new@b.test", true);
	assert_int_equal(list(other, NULL).n, 4);
	db_close(other);
	db_close(d);
	fixture_end(&f);
}

/* A small edit is one transaction; n beyond EDIT_ROWS_MAX is staged. */
static void put_many(struct rules_edit *e, const char *requirement, int from, int to)
{
	for (int i = from; i < to; i++) {
		char line[100];
		struct rule r;

		snprintf(line, sizeof line, "%s u%d@b.test", requirement, i);
		r = fixture_rule(line, NOW);
		assert_int_equal(rules_edit_put(e, &r), 0);
	}
}

static int count_rule(void *context, const struct rule *r)
{
	(void)r;
	++*(int *)context;
	return 0;
}

static int count_rules(struct db *d, const char *owner)
{
	const struct rules_filter f = {.owner = owner};
	int n = 0;

	assert_int_equal(rules_list(d, &f, count_rule, &n), 0);
	return n;
}

static int count_change(void *context, const struct rule_change *c)
{
	(void)c;
	++*(int *)context;
	return 0;
}

static int count_history(struct db *d)
{
	int n = 0;

	assert_int_equal(rules_history(d, NULL, count_change, &n), 0);
	return n;
}

static struct rules_result sync_owner(struct db *d, const char *owner, const char *requirement,
				      int from, int to)
{
	const struct rules_edit_options o = {.author = "cron",
					     .now_unix = NOW,
					     .what = "import",
					     .owner = owner,
					     .is_bulk = true,
					     .replaces = true};
	struct rules_edit *e = rules_edit_begin(d, &o);
	struct rules_result result;

	assert_non_null(e);
	put_many(e, requirement, from, to);
	assert_int_equal(rules_edit_commit(e, &result), 0);
	return result;
}

static void a_sync_again_changes_nothing_and_leaves_no_trace(void **state)
{
	const int sizes[] = {3, EDIT_ROWS_MAX + 1500};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const int n = sizes[i];
		struct fixture f;
		struct db *d;
		struct rules_result result;
		int history;

		fixture_begin(&f);
		d = fixture_open(&f, DB_WRITE);
		add(d, "exempt typed@b.test", false);
		add(d, "encrypted u1@b.test", false); /* typed, of the same key: stays */
		result = sync_owner(d, "ldap", "exempt", 0, n);
		assert_int_equal(result.n[RULE_ADDED], n - 1);
		assert_int_equal(result.n[RULE_KEPT], 1);
		assert_int_equal(result.no, 3);
		assert_int_equal(count_rules(d, "ldap"), n - 1);
		assert_int_equal(count_rules(d, NULL), n + 1);
		history = count_history(d);
		assert_int_equal(history, n + 1);
		result = sync_owner(d, "ldap", "exempt", 0, n);
		assert_int_equal(result.n[RULE_UNCHANGED], n - 1);
		assert_int_equal(
			result.n[RULE_ADDED] + result.n[RULE_CHANGED] + result.n[RULE_REMOVED], 0);
		assert_int_equal(result.no, 0);
		assert_int_equal(count_history(d), history);
		/* one has left, one has come */
		result = sync_owner(d, "ldap", "exempt", 2, n + 1);
		assert_int_equal(result.n[RULE_ADDED], 1);
		assert_int_equal(result.n[RULE_REMOVED], 1);
		assert_int_equal(result.no, 4);
		/* a third have left, more than are looked at together, and as many have come */
		result = sync_owner(d, "ldap", "exempt", 2 + n / 3, n + 1 + n / 3);
		assert_int_equal(result.n[RULE_ADDED], n / 3);
		assert_int_equal(result.n[RULE_REMOVED], n / 3);
		assert_int_equal(result.n[RULE_UNCHANGED], n - 1 - n / 3);
		assert_int_equal(count_rules(d, "ldap"), n - 1);
		sync_owner(d, "ldap", "exempt", 2, n + 1);
		/* all are changed, and all leave */
		result = sync_owner(d, "ldap", "signed", 2, n + 1);
		assert_int_equal(result.n[RULE_CHANGED], n - 1);
		assert_int_equal(count_rules(d, "ldap"), n - 1);
		result = sync_owner(d, "ldap", "signed", 0, 0);
		assert_int_equal(result.n[RULE_REMOVED], n - 1);
		assert_int_equal(count_rules(d, "ldap"), 0);
		assert_int_equal(count_rules(d, NULL), 2);
		db_close(d);
		fixture_end(&f);
	}
}

static void a_key_that_comes_twice_counts_as_it_came_last(void **state)
{
	const int befores[] = {0, EDIT_ROWS_MAX + 200}; /* in memory; staged by then */

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		struct db *d;
		struct rules_edit *e;
		struct rules_result result;
		struct rule r = fixture_rule("exempt twice@b.test", NOW),
			    s = fixture_rule("signed twice@b.test", NOW);

		fixture_begin(&f);
		d = fixture_open(&f, DB_WRITE);
		add(d, "signed twice@b.test", false);
		for (int round = 0; round < 2; round++) {
			e = begin_import(d, "root");
			assert_int_equal(rules_edit_put(e, &r), 0);
			put_many(e, "exempt", 0, befores[i]);
			assert_int_equal(rules_edit_put(e, &s), 0);
			assert_int_equal(rules_edit_commit(e, &result), 0);
			assert_int_equal(result.n[RULE_CHANGED], 0);
			assert_int_equal(result.n[RULE_ADDED], round == 0 ? befores[i] : 0);
		}
		assert_int_equal(count_rules(d, NULL), befores[i] + 1);
		assert_int_equal(count_history(d), befores[i] + 1);
		/* the other way round it changes, once */
		e = begin_import(d, "root");
		assert_int_equal(rules_edit_put(e, &s), 0);
		put_many(e, "signed", 0, befores[i]);
		assert_int_equal(rules_edit_put(e, &s), 0);
		assert_int_equal(rules_edit_put(e, &r), 0);
		assert_int_equal(rules_edit_commit(e, &result), 0);
		assert_int_equal(result.n[RULE_CHANGED], befores[i] + 1);
		assert_int_equal(count_rules(d, NULL), befores[i] + 1);
		db_close(d);
		fixture_end(&f);
	}
}

static void a_dry_run_tells_and_changes_nothing(void **state)
{
	const struct rules_edit_options o = {.author = "x",
					     .now_unix = NOW,
					     .is_bulk = true,
					     .replaces = true,
					     .is_dry_run = true};
	struct fixture f;
	struct db *d;
	struct rules_edit *e;
	struct rules_result result;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "exempt a@b.test", false);
	db_close(d);
	d = fixture_open(&f, DB_READ);
	e = rules_edit_begin(d, &o);
	assert_non_null(e);
	put_many(e, "exempt", 0, EDIT_ROWS_MAX + 500);
	assert_int_equal(rules_edit_commit(e, &result), 0);
	assert_int_equal(result.n[RULE_ADDED], EDIT_ROWS_MAX + 500);
	assert_int_equal(result.n[RULE_REMOVED], 1);
	assert_int_equal(result.no, 0);
	assert_int_equal(count_rules(d, NULL), 1);
	assert_int_equal(count_history(d), 1);
	db_close(d);
	fixture_end(&f);
}

static void the_same_rule_again_stays_what_it_is(void **state)
{
	struct fixture f;
	struct db *d;
	struct rule r = fixture_rule("exempt a@b.test note=\"x\"", NOW), first;
	bool was_replaced = false;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(rules_add(d, &r, NOW, NULL, NULL), 0);
	first = r;
	r = fixture_rule("exempt a@b.test note=\"x\"", NOW);
	snprintf(r.author, sizeof r.author, "another");
	assert_int_equal(rules_add(d, &r, NOW + 100, &was_replaced, NULL), 0);
	assert_false(was_replaced);
	assert_int_equal(r.id, first.id);
	assert_int_equal(r.created_at_unix, NOW);
	assert_string_equal(r.author, first.author);
	assert_int_equal(count_history(d), 1);
	db_close(d);
	fixture_end(&f);
}

/* ---- undo ---- */

static struct rules_undone undo(struct db *d, int64_t no, int expected, const char *says)
{
	const struct rules_edit_options o = {.author = "undoer", .now_unix = NOW + 50};
	struct rules_undone out;
	char err[800];
	const int got = rules_undo(d, no, &o, &out, err, sizeof err);

	if (got != expected)
		fail_msg("undo %lld: %d, %s %s", (long long)no, got, err, db_error(d));
	if (says != NULL && strstr(err, says) == NULL)
		fail_msg("undo %lld says %s", (long long)no, err);
	return out;
}

static void undo_brings_back_what_was(void **state)
{
	struct fixture f;
	struct db *d;
	struct rule r = fixture_rule("signed a@b.test", NOW), old;
	int64_t until;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	undo(d, 0, 1, "no change");
	add(d, "exempt a@b.test note=\"hers\"", false); /* 1 */
	assert_int_equal(rules_of_id(d, 1, &old), 1);
	add(d, "signed a@b.test", true);	     /* 2 */
	assert_int_equal(undo(d, 0, 0, NULL).no, 2); /* 3 */
	assert_string_equal(list(d, NULL).text[0], "exempt a@b.test note=\"hers\"");
	assert_int_equal(rules_of_id(d, 1, &r), 1); /* under its number, by its author */
	assert_string_equal(r.author, old.author);
	assert_int_equal(r.created_at_unix, old.created_at_unix);
	/* again: the one before */
	assert_int_equal(undo(d, 0, 0, NULL).no, 1); /* 4 */
	assert_int_equal(list(d, NULL).n, 0);
	undo(d, 0, 1, "no change");
	/* an undo is taken back by number */
	undo(d, 4, 0, NULL); /* 5 */
	assert_int_equal(list(d, NULL).n, 1);
	assert_int_equal(undo(d, 0, 0, NULL).no, 1); /* 6: it is in force again */
	undo(d, 99, 1, "no such change");
	/* what was changed since is not overwritten */
	add(d, "exempt a@b.test", false); /* 7 */
	add(d, "signed a@b.test", true);  /* 8 */
	undo(d, 7, 1, "signed a@b.test");
	assert_int_equal(rules_forget(d, &r, false, NOW, "root"), 1); /* 9 */
	undo(d, 8, 1, "no rule");
	assert_int_equal(undo(d, 9, 0, NULL).no, 9); /* 10 */
	assert_string_equal(list(d, NULL).text[0], "signed a@b.test");
	/* pauses */
	assert_int_equal(db_pause(d, NOW + 600, NOW, "root"), 0); /* 11 */
	assert_int_equal(undo(d, 0, 0, NULL).no, 11);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, 0);
	undo(d, 11, 1, "not paused");
	db_close(d);
	fixture_end(&f);
}

static void undo_takes_back_an_import_of_any_size(void **state)
{
	const int sizes[] = {3, EDIT_ROWS_MAX + 500};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const int n = sizes[i];
		struct fixture f;
		struct db *d;
		struct rule r;

		fixture_begin(&f);
		d = fixture_open(&f, DB_WRITE);
		sync_owner(d, "ldap", "exempt", 0, n);
		assert_int_equal(sync_owner(d, "ldap", "signed", 1, n + 1).no, 2);
		assert_int_equal(undo(d, 2, 0, NULL).result.no, 3);
		assert_int_equal(count_rules(d, "ldap"), n);
		assert_int_equal(rules_of_id(d, 1, &r), 1);
		assert_int_equal(r.requirement, REQUIREMENT_EXEMPT);
		assert_int_equal(sync_owner(d, "ldap", "exempt", 0, n).no, 0);
		undo(d, 3, 0, NULL);
		assert_int_equal(sync_owner(d, "ldap", "signed", 1, n + 1).no, 0);
		db_close(d);
		fixture_end(&f);
	}
}

/* ---- killed imports ---- */

static int64_t count_rows(struct db *d)
{
	int64_t n;

	assert_int_equal(db_begin_read(d), 0);
	assert_int_equal(db_end(d, db_one(d, SQL_COUNT_RULES, &n)), 0);
	return n;
}

/* As kill -9 leaves it: staged rows are there, nobody holds the lock. */
static void leave_killed_import(const struct fixture *f, const char *sql)
{
	sqlite3 *handle;
	char *err = NULL;

	assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s", err);
	sqlite3_close(handle);
}

#define STAGED(generation, recipient)                                                    \
	"INSERT INTO rule (generation, recipient, sender, client, requirement, author, " \
	"created_at_unix)"                                                               \
	" VALUES (" generation ", '" recipient "', '', '', 'exempt', 'x', 1);"           \
	"INSERT INTO change_row (change_key, recipient, after)"                          \
	" VALUES (100, '" recipient "', 'exempt " recipient "');"
#define CHANGE(no)                                                                        \
	"INSERT OR REPLACE INTO change (key, no, time_unix, author, what, n_rows) VALUES" \
	" (100, " no ", 1, 'x', 'import', 1);"

struct seen_progress {
	int64_t n, done, total;
};

static void see_progress(void *context, int64_t done, int64_t total)
{
	struct seen_progress *p = context;

	assert_true(done > p->done && done <= total && (p->n == 0 || total == p->total));
	p->n++;
	p->done = done;
	p->total = total;
}

static void what_a_killed_import_left_is_invisible_and_cleaned_by_the_next(void **state)
{
	struct seen_progress seen = {.n = 0};
	const struct rules_edit_options o = {.author = "root",
					     .now_unix = NOW,
					     .what = "import",
					     .is_bulk = true,
					     .progress = see_progress,
					     .context = &seen};
	struct fixture f;
	struct db *d;
	struct rules_edit *e;
	struct rules_result result;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "encrypted a@b.test", false);
	add(d, "encrypted gone@b.test", false);
	/* killed while staging */
	leave_killed_import(
		&f,
		CHANGE("NULL") "UPDATE state SET import_first_rule = 2, import_change_key = 100;"
			       "UPDATE rule SET until_generation = 2;" STAGED("2", "a@b.test")
				       STAGED("2", "c@b.test"));
	assert_int_equal(list(d, NULL).n, 2);
	assert_int_equal(count_rows(d), 4);
	e = rules_edit_begin(d, &o);
	assert_non_null(e);
	assert_int_equal(count_rows(d), 2);
	/* what is told is what was staged: two rules that end, two that come, with their rows of
	 * the change */
	assert_int_equal(seen.done, 6);
	assert_int_equal(seen.total, 6);
	assert_int_equal(count_history(d), 2);
	assert_int_equal(rules_edit_commit(e, &result), 0);
	assert_int_equal(result.no, 0);
	assert_int_equal(list(d, NULL).n, 2);
	/* killed after the switch, before the clean-up */
	leave_killed_import(
		&f, CHANGE("3") "UPDATE state SET live_generation = 3, import_first_rule = 2,"
				" import_change_key = 100;"
				"UPDATE rule SET until_generation = 3;" STAGED("3", "a@b.test"));
	assert_int_equal(list(d, NULL).n, 1);
	assert_string_equal(list(d, NULL).text[0], "exempt a@b.test");
	assert_int_equal(count_rows(d), 3);
	memset(&seen, 0, sizeof seen);
	e = rules_edit_begin(d, &o);
	assert_int_equal(count_rows(d), 1);
	assert_true(seen.n > 0 && seen.done == seen.total);
	assert_int_equal(count_history(d), 3);
	assert_string_equal(list(d, NULL).text[0], "exempt a@b.test");
	rules_edit_abort(e);
	assert_int_equal(list(d, NULL).n, 1);
	db_close(d);
	fixture_end(&f);
}

static void one_import_at_a_time(void **state)
{
	struct fixture f;
	struct db *a, *b;
	struct rules_edit *e;

	(void)state;
	fixture_begin(&f);
	a = fixture_open(&f, DB_WRITE);
	b = fixture_open(&f, DB_WRITE);
	e = begin_import(a, "root");
	assert_non_null(e);
	assert_null(begin_import(b, "root"));
	assert_int_equal(db_failure(b), DB_BUSY);
	assert_non_null(strstr(db_error(b), "another import"));
	rules_edit_abort(e);
	e = begin_import(b, "root");
	assert_non_null(e);
	rules_edit_abort(e);
	db_close(a);
	db_close(b);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_read_and_written_back),
		cmocka_unit_test(text_that_is_no_rule_is_refused_with_the_reason),
		cmocka_unit_test(the_longest_rule_fits_its_text),
		cmocka_unit_test(same_key_replaces_and_anything_else_adds),
		cmocka_unit_test(forget_takes_the_exact_rule_or_all_that_narrow_it),
		cmocka_unit_test(forget_all_and_list_go_beyond_a_page),
		cmocka_unit_test(list_filters),
		cmocka_unit_test(every_change_is_kept_with_author_before_and_after),
		cmocka_unit_test(import_is_seen_at_once_or_not_at_all),
		cmocka_unit_test(what_a_killed_import_left_is_invisible_and_cleaned_by_the_next),
		cmocka_unit_test(one_import_at_a_time),
		cmocka_unit_test(a_sync_again_changes_nothing_and_leaves_no_trace),
		cmocka_unit_test(a_key_that_comes_twice_counts_as_it_came_last),
		cmocka_unit_test(a_dry_run_tells_and_changes_nothing),
		cmocka_unit_test(the_same_rule_again_stays_what_it_is),
		cmocka_unit_test(undo_brings_back_what_was),
		cmocka_unit_test(undo_takes_back_an_import_of_any_size),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
