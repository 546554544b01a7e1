/* SPDX-License-Identifier: ISC */
#include "cli/db_space.h"

#include <stdio.h>
#include <sysexits.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/clock.h"
#include "db/verdicts.h"

static void show_removed(void *context, int64_t done)
{
	progress_update(context, done, 0);
}

/* The daemon takes little away on the word of a clock that has just jumped; here, a person is
 * asked. 0 or an exit code. */
static int believe_clock(const struct cli *cli, struct db *d, int64_t before_unix, int64_t now_unix)
{
	char last[CLOCK_TEXT_MAX], now[CLOCK_TEXT_MAX];
	int64_t last_unix;
	const int got = verdicts_prune_doubt(d, before_unix, now_unix, &last_unix);

	(void)cli;
	if (got < 0)
		return open_failed(d);
	if (got == 0)
		return 0;
	clock_format(last_unix, last);
	clock_format(now_unix, now);
	cli_error("nothing is removed: the last message that would go is of %s, and for a month "
		  "after it "
		  "there is none. Is the clock right, which says %s? Then say so with "
		  "--clock-is-right",
		  last, now);
	return EX_UNAVAILABLE;
}

int db_space_prune(struct cli *cli, int argc, char **argv)
{
	int64_t older_than_s = -1;
	bool is_clock_right = false;
	const struct option_spec specs[] = {
		{"older-than", 0, "DURATION", OPTION_DURATION, &older_than_s,
		 "as in 90d; default: verdict_retention"},
		{"clock-is-right", 0, NULL, OPTION_FLAG, &is_clock_right,
		 "remove them although there is a month without a message before what stays"},
	};
	char **operands;
	const int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs),
		"Removes verdicts in small steps while mail flows. The sums by day, and the "
		"record of pairs, stay. The daemons do the same by themselves.",
		&operands);
	char number[OUTPUT_NUMBER_MAX];
	struct progress progress;
	struct settings *s;
	struct db *d;
	int64_t n_removed, now_unix;
	int code = 0;

	if (n != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	if (older_than_s < 0)
		older_than_s = s->verdict_retention_s;
	if (older_than_s == 0)
		cli_misuse(cli, "older than what? (verdict_retention keeps all, or 0 was given)");
	d = open_database(s, DB_WRITE);
	now_unix = clock_now_unix();
	if (!is_clock_right &&
	    (code = believe_clock(cli, d, now_unix - older_than_s, now_unix)) != 0) {
		db_close(d);
		settings_unref(s);
		return code;
	}
	progress_begin(&progress, "verdicts");
	n_removed = verdicts_prune(d, now_unix - older_than_s, show_removed, &progress);
	progress_clear(&progress);
	if (n_removed < 0) {
		code = open_failed(d);
	} else if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "removed", json_integer(n_removed));
		output_json(o);
	} else {
		printf("removed %s %s\n", output_number(number, n_removed),
		       output_plural(n_removed, "verdict", "verdicts"));
	}
	db_close(d);
	settings_unref(s);
	return code;
}

static void show_moved(void *context, int64_t done, int64_t total)
{
	progress_update(context, done, total);
}

static int print_compacted(const struct cli *cli, const struct settings *s,
			   const struct db_compaction *c)
{
	char clean[OUTPUT_TEXT_MAX], a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX];

	if (c->must_rebuild) {
		cli_error("%s: an older version made it: rebuild it once with `pgpgate db compact "
			  "--rebuild`, at a quiet hour",
			  output_clean(clean, sizeof(clean), s->database_path));
		return EX_UNAVAILABLE;
	}
	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "before_bytes", json_integer(c->before_bytes));
		json_object_set_new(o, "after_bytes", json_integer(c->after_bytes));
		output_json(o);
	} else {
		printf("%s: %s before, %s now\n",
		       output_clean(clean, sizeof(clean), s->database_path),
		       output_bytes(a, c->before_bytes), output_bytes(b, c->after_bytes));
	}
	return 0;
}

int db_space_compact(struct cli *cli, int argc, char **argv)
{
	struct progress progress;
	struct db_compaction c = {.progress = show_moved, .context = &progress};
	const struct option_spec specs[] = {
		{"rebuild", 0, NULL, OPTION_FLAG, &c.may_rebuild,
		 "write a database anew that an older version made, once: meanwhile records wait, "
		 "and "
		 "mail that waits for one gets a temporary error; it needs as much space again, "
		 "twice"},
	};
	char **operands;
	const int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
				    "Gives the space of what was removed back to the file system, "
				    "in small steps while mail "
				    "flows. Interrupt it as you like: the next one goes on.",
				    &operands);
	struct settings *s;
	struct db *d;
	int code;

	if (n != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_database(s, DB_WRITE);
	progress_begin(&progress, "pages");
	code = db_compact(d, &c);
	progress_clear(&progress);
	code = code != 0 ? open_failed(d) : print_compacted(cli, s, &c);
	db_close(d);
	settings_unref(s);
	return code;
}
