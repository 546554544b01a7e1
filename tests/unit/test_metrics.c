/* SPDX-License-Identifier: ISC
 *
 * What Prometheus reads: the format, the histogram's buckets, and that the sums of the database
 * arrive.
 */
#include "tests/unit/db_fixture.h"

#include "common/metrics.h"
#include "db/engine/internal.h"
#include "db/metrics.h"
#include "db/rules.h"
#include "policyd/counts.h"

static char *text;
static size_t length;

static FILE *begin(void)
{
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	return out;
}

static void assert_has(const char *line)
{
	char with_end[300];
	const char *at;

	snprintf(with_end, sizeof with_end, "%s\n", line);
	at = strstr(text, with_end);
	if (at == NULL || (at != text && at[-1] != '\n'))
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void done(FILE *out)
{
	assert_int_equal(fclose(out), 0);
}

static void sample_is_a_line(void **state)
{
	FILE *out = begin();

	(void)state;
	metrics_single(out, "a_total", METRIC_COUNTER, "Some help.", 9000000000);
	metrics_sample(out, "b", "x=\"y\"", -1);
	done(out);
	assert_string_equal(
		text, "# HELP a_total Some help.\n# TYPE a_total counter\na_total 9000000000\n"
		      "b{x=\"y\"} -1\n");
	free(text);
}

static void histogram_counts_upwards(void **state)
{
	struct histogram h = {.n = {0}};
	FILE *out;

	(void)state;
	histogram_add(&h, -5); /* a clock that is odd */
	histogram_add(&h, 50); /* a bound belongs to its bucket */
	histogram_add(&h, 51);
	histogram_add(&h, 2000);
	histogram_add(&h, 3600LL * 1000000);
	out = begin();
	metrics_histogram(out, "t_seconds", "Time.", &h);
	done(out);
	assert_has("# TYPE t_seconds histogram");
	assert_has("t_seconds_bucket{le=\"5e-05\"} 2");
	assert_has("t_seconds_bucket{le=\"0.0001\"} 3");
	assert_has("t_seconds_bucket{le=\"0.001\"} 3");
	assert_has("t_seconds_bucket{le=\"0.0025\"} 4");
	assert_has("t_seconds_bucket{le=\"10.0\"} 4");
	assert_has("t_seconds_bucket{le=\"+Inf\"} 5");
	assert_has("t_seconds_sum 3600.002101");
	assert_has("t_seconds_count 5");
	free(text);
}

static void counts_have_every_requirement(void **state)
{
	struct counts c = {.n_deferred = 3};
	FILE *out = begin();

	(void)state;
	c.n_requirement[REQUIREMENT_RATCHET] = 7;
	counts_write(&c, 2, out);
	done(out);
	assert_has("pgpgate_policy_answers_total{requirement=\"ratchet\"} 7");
	assert_has("pgpgate_policy_answers_total{requirement=\"exempt\"} 0");
	assert_has("pgpgate_policy_deferrals_total 3");
	assert_has("pgpgate_policy_connections 2");
	free(text);
}

static void database_tells_its_sums(void **state)
{
	struct fixture f;
	struct db *d;
	FILE *out;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	out = begin();
	assert_int_equal(metrics_write(d, f.settings, out), 0);
	done(out);
	assert_has("pgpgate_messages_total{verdict=\"encrypted\",action=\"accept\"} 0");
	assert_has("pgpgate_last_verdict_timestamp_seconds 0");
	free(text);
	db_close(d);

	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_begin_write(d), 0);
	assert_int_equal(sqlite3_exec(d->handle,
				      "INSERT INTO daily VALUES"
				      " (20000, 'encrypted', 'accept', 'accept', 5, 6, 70),"
				      " (20001, 'encrypted', 'accept', 'accept', 1, 1, 1),"
				      " (20001, 'cleartext', 'accept', 'refuse', 2, 2, 20),"
				      " (20001, 'newer', 'accept', 'accept', 9, 9, 9)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(db_end(d, 0), 0);
	out = begin();
	assert_int_equal(metrics_write(d, f.settings, out), 0);
	done(out);
	assert_has("pgpgate_messages_total{verdict=\"encrypted\",action=\"accept\"} 6");
	assert_has("pgpgate_messages_total{verdict=\"cleartext\",action=\"accept\"} 2");
	assert_has("pgpgate_unenforced_messages_total{would=\"refuse\"} 2");
	assert_has("pgpgate_unenforced_messages_total{would=\"accept\"} 0");
	assert_has("pgpgate_recipients_total 9");
	assert_has("pgpgate_message_bytes_total 91");
	assert_has("pgpgate_enforce 1");
	free(text);
	db_close(d);
	fixture_end(&f);
}

static void assert_rules(struct db *d, const struct fixture *f, const char *line)
{
	FILE *out = begin();

	assert_int_equal(metrics_write(d, f->settings, out), 0);
	done(out);
	assert_has(line);
	free(text);
}

static void rules_are_counted_again_when_they_change(void **state)
{
	struct fixture f;
	struct db *reader, *d;
	struct rule r;
	char err[200];

	(void)state;
	fixture_begin(&f);
	reader = fixture_open(&f, DB_READ);
	d = fixture_open(&f, DB_WRITE);
	assert_rules(reader, &f, "pgpgate_rules 0");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rule_parse(i == 0 ? "exempt a@b.test" : "exempt c@d.test", "+", 5,
					    &r, err, sizeof err),
				 0);
		assert_int_equal(rules_add(d, &r, 5, NULL, NULL), 0);
	}
	assert_rules(reader, &f, "pgpgate_rules 2");
	assert_rules(reader, &f, "pgpgate_rules 2");
	assert_int_equal(rules_forget(d, &r, false, 6, "root"), 1);
	assert_rules(reader, &f, "pgpgate_rules 1");
	assert_rules(d, &f, "pgpgate_rules 1");
	db_close(reader);
	db_close(d);
	fixture_end(&f);
}

static void database_that_fails_writes_nothing(void **state)
{
	struct fixture f;
	struct db *d;
	FILE *out;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(unlink(f.path), 0);
	out = begin();
	assert_int_equal(metrics_write(d, f.settings, out), -1);
	done(out);
	assert_int_equal(length, 0);
	assert_non_null(strstr(db_error(d), f.path));
	free(text);
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_is_a_line),
		cmocka_unit_test(histogram_counts_upwards),
		cmocka_unit_test(counts_have_every_requirement),
		cmocka_unit_test(database_tells_its_sums),
		cmocka_unit_test(rules_are_counted_again_when_they_change),
		cmocka_unit_test(database_that_fails_writes_nothing),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
