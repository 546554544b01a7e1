/* SPDX-License-Identifier: ISC */
#include "db/metrics.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/status.h"
#include "db/engine/column.h"
#include "db/engine/internal.h"
#include "db/keys.h"
#include "db/record/answer_times.h"
#include "db/verdicts.h"

struct totals {
	int64_t n_messages[VERDICT_COUNT][ACTION_COUNT];
	int64_t n_would[ACTION_COUNT]; /* of those whose action was another one */
	int64_t n_recipients, size_bytes;
};

static int read_totals(struct db *d, struct totals *t)
{
	sqlite3_stmt *st = db_statement(d, SQL_METRICS_TOTALS);
	int got = -1;

	while (st != NULL && (got = db_step(d, st)) == 1) {
		const char *word[3];
		const int64_t n = column_count(st, 3);
		enum verdict verdict;
		enum action action, would;

		for (int i = 0; i < 3; i++)
			word[i] = (const char *)sqlite3_column_text(st, i);
		if (word[0] == NULL || verdict_from_name(word[0], &verdict) != 0 ||
		    word[1] == NULL || action_from_name(word[1], &action) != 0 || word[2] == NULL ||
		    action_from_name(word[2], &would) != 0)
			continue;
		t->n_messages[verdict][action] += n;
		if (would != action)
			t->n_would[would] += n;
		t->n_recipients += column_count(st, 4);
		t->size_bytes += column_count(st, 5);
	}
	return got;
}

/* Every verdict and action is there from the beginning, so that rate() sees the first one. */
static void write_messages(FILE *to, const struct totals *t)
{
	char labels[80];

	metrics_head(to, "pgpgate_messages_total", METRIC_COUNTER,
		     "Messages judged, by verdict and by what became of them.");
	for (int v = 0; v < VERDICT_COUNT; v++) {
		for (int a = 0; a < ACTION_COUNT; a++) {
			snprintf(labels, sizeof labels, "verdict=\"%s\",action=\"%s\"",
				 verdict_name((enum verdict)v), action_name((enum action)a));
			metrics_sample(to, "pgpgate_messages_total", labels, t->n_messages[v][a]);
		}
	}
	metrics_head(
		to, "pgpgate_unenforced_messages_total", METRIC_COUNTER,
		"Messages that would have been treated otherwise, had the rules been enforced, by "
		"what would have been done.");
	for (int a = 0; a < ACTION_COUNT; a++) {
		snprintf(labels, sizeof labels, "would=\"%s\"", action_name((enum action)a));
		metrics_sample(to, "pgpgate_unenforced_messages_total", labels, t->n_would[a]);
	}
	metrics_single(to, "pgpgate_recipients_total", METRIC_COUNTER,
		       "Recipients of the messages judged.", t->n_recipients);
	metrics_single(to, "pgpgate_message_bytes_total", METRIC_COUNTER,
		       "Bytes of the bodies judged.", t->size_bytes);
}

static void write_state(FILE *to, const struct settings *s, const struct db_status *status)
{
	const int enforces = status_filter_enforces(s); /* a filter that was not told of the file */
	char labels[80];

	metrics_head(to, "pgpgate_build_info", METRIC_GAUGE, "Version of pgpgate; always 1.");
	snprintf(labels, sizeof labels, "version=\"%s\",schema=\"%d\"", PACKAGE_VERSION,
		 status->schema_version);
	metrics_sample(to, "pgpgate_build_info", labels, 1);
	metrics_single(to, "pgpgate_enforce", METRIC_GAUGE,
		       "1 if the rules are enforced: enforce = yes, and no pause.",
		       enforces != 0 && (enforces > 0 || s->enforce) &&
			       status->paused_until_unix <= clock_now_unix());
	metrics_single(to, "pgpgate_paused_until_timestamp_seconds", METRIC_GAUGE,
		       "When the pause ends; 0 without one.", status->paused_until_unix);
	metrics_single(to, "pgpgate_rules", METRIC_GAUGE, "Rules, expired ones included.",
		       status->n_rules);
	metrics_single(to, "pgpgate_stored_verdicts", METRIC_GAUGE, "Verdicts stored, about.",
		       status->n_verdicts);
	metrics_single(to, "pgpgate_last_verdict_timestamp_seconds", METRIC_GAUGE,
		       "Time of the newest verdict; 0 without one.", status->last_verdict_unix);
	metrics_single(to, "pgpgate_database_bytes", METRIC_GAUGE, "Size of the database file.",
		       status->file_bytes);
	metrics_single(to, "pgpgate_database_wal_bytes", METRIC_GAUGE,
		       "Size of its write-ahead log.", status->wal_bytes);
	metrics_single(to, "pgpgate_database_free_bytes", METRIC_GAUGE,
		       "Room left on its file system.", status->free_bytes);
}

static void write_lag(FILE *to, const struct verdicts_lag *lag)
{
	const int64_t behind_s = lag->oldest_unix != 0 ? clock_now_unix() - lag->oldest_unix : 0;

	metrics_single(to, "pgpgate_journal_bytes", METRIC_GAUGE, "Size of the filter's journal.",
		       lag->bytes);
	metrics_single(to, "pgpgate_journal_waiting", METRIC_GAUGE,
		       "Verdicts in the journal that the database does not have yet.",
		       lag->n_records);
	metrics_single(to, "pgpgate_journal_behind_seconds", METRIC_GAUGE,
		       "Age of the oldest of them; 0 without one.", behind_s > 0 ? behind_s : 0);
}

#define ENDING_SOON_S (30 * 86400)

/* Nothing of it on a host that stands alone. */
struct site_numbers {
	bool is_there;
	int64_t last_pull_unix, rules_no, offset_ms, n_waiting, oldest_unix, n_lost;
};

static int read_site(struct db *d, struct site_numbers *out)
{
	sqlite3_stmt *st = db_statement(d, SQL_METRICS_SITE);
	const int got = st != NULL ? db_step(d, st) : -1;

	memset(out, 0, sizeof *out);
	out->is_there = got == 1;
	if (got == 1) {
		out->last_pull_unix = sqlite3_column_int64(st, 0);
		out->rules_no = sqlite3_column_int64(st, 1);
		out->offset_ms = sqlite3_column_int64(st, 2);
		out->n_waiting = sqlite3_column_int64(st, 3);
		out->oldest_unix = sqlite3_column_int64(st, 4);
		out->n_lost = sqlite3_column_int64(st, 5);
		sqlite3_reset(st);
	}
	return got < 0 ? -1 : 0;
}

static void write_site(FILE *to, const struct site_numbers *n)
{
	const int64_t behind_s = n->oldest_unix != 0 ? clock_now_unix() - n->oldest_unix : 0;

	if (!n->is_there)
		return;
	metrics_single(to, "pgpgate_site_last_pull_timestamp_seconds", METRIC_GAUGE,
		       "When the centre last answered.", n->last_pull_unix);
	metrics_single(to, "pgpgate_site_change", METRIC_GAUGE,
		       "Number of the last change of the site that is in force here.", n->rules_no);
	metrics_single(to, "pgpgate_site_clock_offset_milliseconds", METRIC_GAUGE,
		       "This host's clock less the centre's.", n->offset_ms);
	metrics_single(to, "pgpgate_site_waiting", METRIC_GAUGE,
		       "Verdicts that the centre does not have yet, about.", n->n_waiting);
	metrics_single(to, "pgpgate_site_behind_seconds", METRIC_GAUGE,
		       "Age of the oldest of them; 0 without one.", behind_s > 0 ? behind_s : 0);
	metrics_single(to, "pgpgate_site_unpushed_removed", METRIC_GAUGE,
		       "Verdicts removed by age before the centre had them.", n->n_lost);
}

static int read_counters(struct db *d, struct totals *t, struct histogram *answers,
			 int64_t *n_ending, struct site_numbers *site)
{
	const int64_t now_unix = clock_now_unix();

	memset(t, 0, sizeof *t);
	memset(answers, 0, sizeof *answers);
	*n_ending = keys_ending(d, now_unix, now_unix + ENDING_SOON_S);
	return *n_ending >= 0 && read_totals(d, t) == 0 && answer_times_read(d, answers) == 0 &&
			       read_site(d, site) == 0
		       ? 0
		       : -1;
}

int metrics_write(struct db *d, const struct settings *s, FILE *to)
{
	struct histogram answers;
	struct totals totals;
	struct db_status status;
	struct verdicts_lag lag;
	struct site_numbers site;
	int64_t n_ending;

	if (db_get_vitals(d, &status) != 0 || verdicts_get_lag(d, &lag) != 0 ||
	    db_begin_read(d) != 0)
		return -1;
	if (db_end(d, read_counters(d, &totals, &answers, &n_ending, &site)) != 0)
		return -1;
	write_state(to, s, &status);
	write_lag(to, &lag);
	write_site(to, &site);
	metrics_single(to, "pgpgate_keys_ending", METRIC_GAUGE,
		       "Keys of recipients that end within 30 days.", n_ending);
	write_messages(to, &totals);
	metrics_histogram(
		to, "pgpgate_filter_answer_seconds",
		"Time from the end of a message to the filter's answer, its verdict stored.",
		&answers);
	return 0;
}
