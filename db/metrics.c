/* SPDX-License-Identifier: ISC */
#include "db/metrics.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "common/clock.h"
#include "db/verdicts.h"

struct totals {
	int64_t n_messages[VERDICT_COUNT][ACTION_COUNT][ACTION_COUNT]; /* verdict, action, would */
	int64_t n_recipients, size_bytes;
};

static int add_day(void *context, const struct verdicts_day *day)
{
	struct totals *t = context;

	t->n_messages[day->verdict][day->action][day->would] += day->n_messages;
	t->n_recipients += day->n_recipients;
	t->size_bytes += day->size_bytes;
	return 0;
}

static void head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void value(FILE *to, const char *name, const char *type, const char *help, int64_t n)
{
	head(to, name, type, help);
	fprintf(to, "%s %" PRId64 "\n", name, n);
}

/* Every verdict and action is there from the beginning, so that rate() sees the first one; what would have been
 * done is told apart only where it differs. */
static void write_messages(FILE *to, const struct totals *t)
{
	head(to, "pgpgate_messages_total", "counter",
	     "Messages judged, by verdict and by what became of them.");
	for (int v = 0; v < VERDICT_COUNT; v++) {
		for (int a = 0; a < ACTION_COUNT; a++) {
			int64_t n = 0;

			for (int w = 0; w < ACTION_COUNT; w++)
				n += t->n_messages[v][a][w];
			fprintf(to, "pgpgate_messages_total{verdict=\"%s\",action=\"%s\"} %" PRId64 "\n",
				verdict_name((enum verdict)v), action_name((enum action)a), n);
		}
	}
	head(to, "pgpgate_unenforced_messages_total",
	     "counter", "Messages that would have been treated otherwise, had the rules been enforced, by what would have been done.");
	for (int w = 0; w < ACTION_COUNT; w++) {
		int64_t n = 0;

		for (int v = 0; v < VERDICT_COUNT; v++)
			for (int a = 0; a < ACTION_COUNT; a++)
				n += a != w ? t->n_messages[v][a][w] : 0;
		fprintf(to, "pgpgate_unenforced_messages_total{would=\"%s\"} %" PRId64 "\n",
			action_name((enum action)w), n);
	}
	value(to, "pgpgate_recipients_total", "counter", "Recipients of the messages judged.",
	      t->n_recipients);
	value(to, "pgpgate_message_bytes_total", "counter", "Bytes of the bodies judged.",
	      t->size_bytes);
}

int metrics_write(struct db *d, const struct settings *s, FILE *to)
{
	struct totals totals = {.n_recipients = 0};
	struct db_status status;

	if (verdicts_daily(d, 0, INT64_MAX, add_day, &totals) != 0 || db_get_status(d, &status) != 0)
		return -1;
	head(to, "pgpgate_build_info", "gauge", "Version of pgpgate; always 1.");
	fprintf(to, "pgpgate_build_info{version=\"%s\",schema=\"%d\"} 1\n", PACKAGE_VERSION,
		status.schema_version);
	write_messages(to, &totals);
	value(to, "pgpgate_enforce", "gauge",
	      "1 if the rules are enforced: enforce = yes, and no pause.",
	      s->enforce && status.paused_until_unix <= clock_now_unix());
	value(to, "pgpgate_paused_until_timestamp_seconds", "gauge",
	      "When the pause ends; 0 without one.", status.paused_until_unix);
	value(to, "pgpgate_rules", "gauge", "Rules, expired ones included.", status.n_rules);
	value(to, "pgpgate_pairs", "gauge", "Pairs of correspondents on record.", status.n_pairs);
	value(to, "pgpgate_stored_verdicts", "gauge", "Verdicts stored, about.", status.n_verdicts);
	value(to, "pgpgate_last_verdict_timestamp_seconds", "gauge",
	      "Time of the newest verdict; 0 without one.", status.last_verdict_unix);
	value(to, "pgpgate_database_bytes", "gauge", "Size of the database file.", status.file_bytes);
	value(to, "pgpgate_database_wal_bytes", "gauge", "Size of its write-ahead log.",
	      status.wal_bytes);
	value(to, "pgpgate_database_free_bytes", "gauge", "Room left on its file system.",
	      status.free_bytes);
	return 0;
}
