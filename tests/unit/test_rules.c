/* SPDX-License-Identifier: ISC
 *
 * Rules as the administrator keeps them: their text, adding and replacing, removing, listing, the audit trail,
 * and the bulk import.
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
			fail_msg("\"%s\": \"%s\" should say \"%s\"", rows[i].in, err, rows[i].words);
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
	struct rule r = fixture_rule(line, NOW), old;
	bool was_replaced;

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

/* ---- import ---- */

static void import_lines(struct rules_import *i, const char *const *lines, size_t n)
{
	for (size_t at = 0; at < n; at++) {
		struct rule r = fixture_rule(lines[at], NOW);

		assert_int_equal(rules_import_add(i, &r), 0);
	}
}

static void import_is_seen_at_once_or_not_at_all(void **state)
{
	static const char *const lines[] = {"encrypted a@b.test", "exempt new@b.test",
					    "exempt new@b.test sender=x.test"};
	static struct changes all;
	struct fixture f;
	struct db *d, *other;
	struct rules_import *i;
	struct texts t;
	int64_t n_added, n_replaced;

	(void)state;
	memset(&all, 0, sizeof all);
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	other = fixture_open(&f, DB_READ);
	add(d, "exempt a@b.test", false);
	add(d, "exempt old@b.test", false);
	/* aborted */
	i = rules_import_begin(d, "root", NOW, NULL, NULL);
	assert_non_null(i);
	import_lines(i, lines, 3);
	assert_int_equal(list(other, NULL).n, 2);
	rules_import_abort(i);
	assert_int_equal(list(other, NULL).n, 2);
	/* committed */
	i = rules_import_begin(d, "importer", NOW + 9, NULL, NULL);
	import_lines(i, lines, 3);
	assert_int_equal(rules_import_commit(i, &n_added, &n_replaced), 0);
	assert_int_equal(n_added, 3);
	assert_int_equal(n_replaced, 1);
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
	/* rules that came by import can be replaced and forgotten like any other */
	add(d, "signed new@b.test", true);
	assert_int_equal(list(other, NULL).n, 4);
	db_close(other);
	db_close(d);
	fixture_end(&f);
}

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
	"INSERT INTO rule_audit (generation, time_unix, author, what, recipient)"        \
	" VALUES (" generation ", 1, 'x', 'import', '" recipient "');"

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
	struct fixture f;
	struct db *d;
	struct rules_import *i;
	struct seen_progress seen = {.n = 0};
	static struct changes all;
	int64_t n_added, n_replaced;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	add(d, "encrypted a@b.test", false);
	/* killed while staging */
	leave_killed_import(
		&f, "UPDATE state SET import_first_rule = 1, import_first_audit = 1;" STAGED(
			    "2", "a@b.test") STAGED("2", "c@b.test"));
	assert_int_equal(list(d, NULL).n, 1);
	assert_int_equal(count_rows(d), 3);
	i = rules_import_begin(d, "root", NOW, see_progress, &seen);
	assert_non_null(i);
	assert_int_equal(count_rows(d), 1);
	/* what is told is what was staged: two rules with their audit */
	assert_int_equal(seen.done, 4);
	assert_int_equal(seen.total, 4);
	memset(&all, 0, sizeof all);
	assert_int_equal(rules_history(d, NULL, gather_change, &all), 0);
	assert_int_equal(all.n, 1);
	assert_int_equal(rules_import_commit(i, &n_added, &n_replaced), 0);
	assert_int_equal(n_added, 0);
	/* killed after the switch, before the clean-up: the newer one shadows */
	leave_killed_import(&f, "UPDATE state SET live_generation = 3, import_first_rule = 1,"
				" import_first_audit = 1;" STAGED("3", "a@b.test"));
	assert_int_equal(list(d, NULL).n, 1);
	assert_string_equal(list(d, NULL).text[0], "exempt a@b.test");
	assert_int_equal(count_rows(d), 2);
	memset(&seen, 0, sizeof seen);
	i = rules_import_begin(d, "root", NOW, see_progress, &seen);
	assert_int_equal(count_rows(d), 1);
	assert_true(seen.n > 0 && seen.done == seen.total);
	memset(&all, 0, sizeof all);
	assert_int_equal(rules_history(d, NULL, gather_change, &all), 0);
	assert_int_equal(all.n, 2);
	assert_string_equal(list(d, NULL).text[0], "exempt a@b.test");
	rules_import_abort(i);
	assert_int_equal(list(d, NULL).n, 1);
	db_close(d);
	fixture_end(&f);
}

static void one_import_at_a_time(void **state)
{
	struct fixture f;
	struct db *a, *b;
	struct rules_import *i;

	(void)state;
	fixture_begin(&f);
	a = fixture_open(&f, DB_WRITE);
	b = fixture_open(&f, DB_WRITE);
	i = rules_import_begin(a, "root", NOW, NULL, NULL);
	assert_non_null(i);
	assert_null(rules_import_begin(b, "root", NOW, NULL, NULL));
	assert_int_equal(db_failure(b), DB_BUSY);
	assert_non_null(strstr(db_error(b), "another import"));
	rules_import_abort(i);
	i = rules_import_begin(b, "root", NOW, NULL, NULL);
	assert_non_null(i);
	rules_import_abort(i);
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
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
