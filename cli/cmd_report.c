/* SPDX-License-Identifier: ISC
 *
 * pgpgate report: what came, what was refused, what would have been.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/expected.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "cli/progress.h"
#include "cli/report_html.h"
#include "cli/site_rows.h"
#include "cli/tally.h"
#include "common/clock.h"
#include "common/safe_open.h"

#define DEFAULT_SINCE_S (30 * 86400)
#define DAY_S 86400
#define LINES_MAX 20 /* of a list of addresses, in text */
#define BAR_COLUMNS 19

struct gathering {
	struct tally tally;
	struct progress progress;
	int64_t n_expected; /* messages; 0: not known */
	/* Of the day of the oldest verdict, which retention may have halved: what was counted from
	 * rows. */
	int64_t stored_day;
	bool has_addresses; /* senders and recipients were counted */
	struct {
		int64_t n_messages, bytes;
	} counted[VERDICT_COUNT][ACTION_COUNT][ACTION_COUNT];
};

static int gather(void *context, const struct report_row *row)
{
	struct gathering *g = context;

	progress_update(&g->progress, g->tally.total.n_messages, g->n_expected);
	if (g->tally.total.n_messages == 0)
		g->stored_day = row->time_unix / DAY_S;
	if (row->time_unix / DAY_S == g->stored_day) {
		g->counted[row->judgement.verdict][row->action][row->would].n_messages++;
		g->counted[row->judgement.verdict][row->action][row->would].bytes +=
			row->size_bytes;
	}
	tally_add(&g->tally, row);
	return 0;
}

static json_t *sum_json(const char *by, const char *key, const struct sum *s)
{
	json_t *o = json_object(), *verdicts = json_object();

	json_object_set_new(o, "by", output_json_text(by));
	json_object_set_new(o, "key", output_json_text(key));
	json_object_set_new(o, "messages", json_integer(s->n_messages));
	json_object_set_new(o, "encrypted", json_integer(s->n_encrypted));
	json_object_set_new(o, "refused", json_integer(s->n_refused));
	json_object_set_new(o, "would_be_refused", json_integer(s->n_would));
	json_object_set_new(o, "deferred", json_integer(s->n_deferred));
	json_object_set_new(o, "bytes", json_integer(s->bytes));
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_object_set_new(verdicts, verdict_name((enum verdict)v),
				    json_integer(s->by_verdict[v]));
	json_object_set_new(o, "verdicts", verdicts);
	json_object_set_new(o, "first_at", output_json_time(s->first_unix));
	json_object_set_new(o, "last_at", output_json_time(s->last_unix));
	return o;
}

static void print_cells(enum output_colour colour, const char *cell, int64_t n)
{
	fputs(output_colour(colour), stdout);
	while (n-- > 0)
		fputs(cell, stdout);
	fputs(output_colour(COLOUR_PLAIN), stdout);
}

/* A share, in eighths of a character. */
static void print_bar(enum output_colour colour, int64_t n, int64_t of, int columns)
{
	static const char *const eighths[] = {"",	"\u258f", "\u258e", "\u258d",
					      "\u258c", "\u258b", "\u258a", "\u2589"};
	const int64_t n_eighths = of > 0 ? (n * columns * 8 + of / 2) / of : 0;

	print_cells(colour, "\u2588", n_eighths / 8);
	print_cells(colour, eighths[n > 0 && n_eighths == 0 ? 1 : n_eighths % 8], 1);
}

/* Refused, would be, accepted: told apart without colours, too. Where they end is rounded, not how
 * long they are, so that the whole is as long as it should be. */
static void print_stack(const struct sum *k, int64_t most)
{
	const int64_t ends[3] = {k->n_refused, k->n_refused + k->n_would, k->n_messages};
	static const enum output_colour colours[3] = {COLOUR_RED, COLOUR_YELLOW, COLOUR_GREEN};
	static const char *const cells[3] = {"\u2588", "\u2593", "\u2591"};
	int64_t at = 0;

	for (int i = 0; i < 3; i++) {
		const int64_t end = (ends[i] * BAR_COLUMNS + most / 2) / most;

		print_cells(colours[i], cells[i], end - at);
		at = end;
	}
}

static void print_share(const char *label, enum output_colour colour, int64_t n, int64_t of)
{
	char number[OUTPUT_NUMBER_MAX];

	if (n == 0)
		return;
	printf("  %-18s %12s  %5.1f %%  ", label, output_number(number, n),
	       of > 0 ? 100.0 * (double)n / (double)of : 0);
	print_bar(colour, n, of, 30);
	putchar('\n');
}

static void print_totals(const struct tally *t, int64_t since_unix, bool has_addresses)
{
	const struct sum *all = &t->total;
	char a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX], c[OUTPUT_NUMBER_MAX], d[OUTPUT_NUMBER_MAX];
	char when[CLOCK_TEXT_MAX];

	printf("%sSince %s: %s %s, %s%s\n", output_colour(COLOUR_BOLD),
	       output_time(since_unix, when), output_number(a, all->n_messages),
	       output_plural(all->n_messages, "message", "messages"), output_bytes(b, all->bytes),
	       output_colour(COLOUR_PLAIN));
	if (has_addresses && all->n_messages > 0)
		printf("from %s %s to %s %s\n", output_number(c, (int64_t)t->by[TALLY_SENDER].n),
		       output_plural((int64_t)t->by[TALLY_SENDER].n, "sender", "senders"),
		       output_number(d, (int64_t)t->by[TALLY_RECIPIENT].n),
		       output_plural((int64_t)t->by[TALLY_RECIPIENT].n, "recipient", "recipients"));
	if (all->n_messages == 0)
		return;
	putchar('\n');
	print_share("encrypted", COLOUR_GREEN, t->by_verdict[VERDICT_ENCRYPTED], all->n_messages);
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (v != VERDICT_ENCRYPTED)
			print_share(verdict_name((enum verdict)v), COLOUR_BLUE, t->by_verdict[v],
				    all->n_messages);
	putchar('\n');
	for (int i = 0; i < ACTION_COUNT; i++)
		print_share(i == ACTION_ACCEPT	     ? "accepted"
			    : i == ACTION_REFUSE     ? "refused"
			    : i == ACTION_SPLIT	     ? "to come again"
			    : i == ACTION_QUARANTINE ? "held"
			    : i == ACTION_TAG	     ? "tagged"
						     : "our own faults",
			    output_action_colour((enum action)i), t->by_action[i], all->n_messages);
	print_share("would be refused", COLOUR_YELLOW, all->n_would, all->n_messages);
}

/* Where a list of n_lines begins (0: all): days end with the newest, everything else begins with
 * the most. */
static size_t first_of(const struct sums *s, enum tally_by by, int64_t n_lines)
{
	return by == TALLY_DAY && n_lines > 0 && (int64_t)s->n > n_lines ? s->n - (size_t)n_lines
									 : 0;
}

/* A line a day: a column for each verdict that there is, within 80 columns even if there are all.
 */
static void print_days(struct tally *t, int64_t n_lines)
{
	static const char *const heads[VERDICT_COUNT] = {
		[VERDICT_CLEARTEXT] = "clear", [VERDICT_ENCRYPTED] = "encr.",
		[VERDICT_SMIME] = "smime",     [VERDICT_SIGNED] = "signed",
		[VERDICT_PARTIAL] = "partly",  [VERDICT_INVALID] = "inval.",
		[VERDICT_REPORT] = "report",   [VERDICT_HANDSHAKE] = "handsh",
	};
	const struct sums *s = &t->by[TALLY_DAY];
	char number[OUTPUT_NUMBER_MAX];

	printf("\n%s%-10s %6s", output_colour(COLOUR_BOLD), "day", "mails");
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (t->by_verdict[v] > 0)
			printf(" %6s", heads[v]);
	printf(" %6s%s\n", "refus.", output_colour(COLOUR_PLAIN));
	for (size_t i = first_of(s, TALLY_DAY, n_lines); i < s->n; i++) {
		const struct sum *k = s->list[i];

		printf("%-10s %6s", k->key, output_number(number, k->n_messages));
		for (int v = 0; v < VERDICT_COUNT; v++)
			if (t->by_verdict[v] > 0)
				printf(" %6s", output_number(number, k->by_verdict[v]));
		printf(" %6s\n", output_number(number, k->n_refused));
	}
	if (n_lines > 0 && (int64_t)s->n > n_lines)
		printf("and %s more, earlier; -n 0 shows all\n",
		       output_number(number, (int64_t)s->n - n_lines));
	if (t->total.n_would > 0)
		printf("would be refused, were the rules enforced: %s\n",
		       output_number(number, t->total.n_would));
}

static void print_list(struct tally *t, enum tally_by by, int64_t n_lines)
{
	struct sums *s = &t->by[by];
	char number[3][OUTPUT_NUMBER_MAX];
	char clean[OUTPUT_TEXT_MAX];
	int64_t most = 1, shown = 0;

	for (size_t i = 0; i < s->n; i++)
		most = s->list[i]->n_messages > most ? s->list[i]->n_messages : most;
	printf("\n%s%-32s %8s %9s %7s%s\n", output_colour(COLOUR_BOLD), tally_name(by), "messages",
	       "encrypted", "refused", output_colour(COLOUR_PLAIN));
	for (size_t i = first_of(s, by, n_lines); i < s->n && (n_lines == 0 || shown < n_lines);
	     i++, shown++) {
		const struct sum *k = s->list[i];

		output_clean(clean, sizeof(clean), k->key);
		output_pad(stdout, clean, 32);
		if (output_width(clean) > 32) /* an address stays whole; its numbers go below */
			printf("\n%32s", "");
		printf(" %8s %9s %7s ", output_number(number[0], k->n_messages),
		       output_number(number[1], k->n_encrypted),
		       output_number(number[2], k->n_refused));
		print_stack(k, most);
		putchar('\n');
	}
	printf("%60s%s\u2588%s refused %s\u2593%s would be\n", "", output_colour(COLOUR_RED),
	       output_colour(COLOUR_PLAIN), output_colour(COLOUR_YELLOW),
	       output_colour(COLOUR_PLAIN));
	if ((int64_t)s->n > shown)
		printf("and %s more; -n 0 shows all\n",
		       output_number(number[0], (int64_t)s->n - shown));
}

static void print_json(struct tally *t, enum tally_by by, int64_t n_lines)
{
	struct sums *s = &t->by[by];
	const size_t first = first_of(s, by, n_lines);

	output_json(sum_json("total", NULL, &t->total));
	for (size_t i = first; i < s->n && (n_lines <= 0 || (int64_t)(i - first) < n_lines); i++)
		output_json(sum_json(tally_name(by), s->list[i]->key, s->list[i]));
}

static mode_t current_umask(void)
{
	const mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/* /dev/stdout is a symbolic link, and nobody but root puts one there; into /dev/shm everybody does.
 */
static bool is_device(const char *path)
{
	static const char *const devices[] = {"/dev/stdout", "/dev/stderr", "/dev/null",
					      "/dev/tty"};

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (strcmp(path, devices[i]) == 0)
			return true;
	return strncmp(path, "/dev/fd/", 8) == 0 && strchr(path + 8, '/') == NULL;
}

/* Opened before this process becomes another user, and emptied only when there is something to
 * write. NULL after having said why. */
static FILE *open_html(const char *path)
{
	const struct safe_open o = {.path = path,
				    .access = O_WRONLY,
				    .is_create = true,
				    .mode = 0666 & ~current_umask(),
				    .owner = geteuid(),
				    .group = (gid_t)-1};
	char why[SAFE_OPEN_WHY_MAX];
	FILE *to;
	int fd;

	if (strcmp(path, "-") == 0)
		return stdout;
	fd = is_device(path) ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
			     : safe_open(&o, NULL, why);
	to = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (to == NULL)
		cli_error("%s: %s", path, fd < 0 && !is_device(path) ? why : strerror(errno));
	return to;
}

static int write_html(struct tally *t, FILE *to, const char *path, const char *title,
		      int64_t since_unix)
{
	char host[256] = "";
	const struct report_page page = {.title = title != NULL ? title : host,
					 .since_unix = since_unix,
					 .now_unix = clock_now_unix()};
	struct stat st;

	if (to != stdout && fstat(fileno(to), &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(fileno(to), 0) != 0) {
		cli_error("%s: %s", path, strerror(errno));
		return EX_IOERR;
	}
	if (title == NULL && gethostname(host, sizeof(host) - 1) != 0)
		snprintf(host, sizeof(host), "this host");
	report_html(to, t, &page);
	if (to == stdout)
		return 0;
	if (ferror(to) != 0 || fclose(to) != 0) {
		cli_error("%s: %s", path, strerror(errno));
		return EX_IOERR;
	}
	printf("written to %s\n", path);
	return 0;
}

static int gather_day(void *context, const struct verdicts_day *day)
{
	struct gathering *g = context;
	struct verdicts_day rest = *day;

	if (day->day == g->stored_day) {
		rest.n_messages -= g->counted[day->verdict][day->action][day->would].n_messages;
		rest.size_bytes -= g->counted[day->verdict][day->action][day->would].bytes;
	}
	if (rest.n_messages > 0)
		tally_add_day(&g->tally, &rest);
	return 0;
}

/* Everything from the stored verdicts; what is missing of the whole days up to the oldest of them
 * from the sums that retention leaves. 0, or -1: the database failed. */
static int gather_rows(struct gathering *g, struct db *d, int64_t since_unix, int64_t until_unix)
{
	const int64_t first_day = (since_unix + DAY_S - 1) / DAY_S;
	int64_t end_day = (until_unix != 0 ? until_unix : clock_now_unix() + DAY_S) / DAY_S;
	int code;

	g->has_addresses = true;
	g->n_expected = expected_messages(d, &g->progress, since_unix, until_unix);
	code = report_rows(d, since_unix, until_unix, gather, g);
	if (g->stored_day >= 0 && g->stored_day + 1 < end_day)
		end_day = g->stored_day + 1;
	if (code == 0 && first_day < end_day)
		code = verdicts_daily(d, first_day, end_day, gather_day, g);
	return code;
}

/* Days and verdicts alone come from the sums, whatever the number of verdicts; the stored verdicts
 * are asked for what is no whole day at either end. Likewise. */
static int gather_sums(struct gathering *g, struct db *d, int64_t since_unix, int64_t until_unix)
{
	const int64_t first_day = (since_unix + DAY_S - 1) / DAY_S;
	const int64_t end_day = (until_unix != 0 ? until_unix : clock_now_unix() + DAY_S) / DAY_S;
	int code;

	if (first_day >= end_day)
		return gather_rows(g, d, since_unix, until_unix);
	code = since_unix < first_day * DAY_S
		       ? report_rows(d, since_unix, first_day * DAY_S, gather, g)
		       : 0;
	g->stored_day = -1; /* the sums that follow are of other days */
	if (code == 0)
		code = verdicts_daily(d, first_day, end_day, gather_day, g);
	if (code == 0 && until_unix > end_day * DAY_S)
		code = report_rows(d, end_day * DAY_S, until_unix, gather, g);
	return code;
}

/* When the first and the last message came that are still stored, in all and of each day. 0 or -1.
 */
static int find_times(struct tally *t, struct db *d, int64_t since_unix, int64_t until_unix)
{
	struct sums *days = &t->by[TALLY_DAY];
	char err[300], utc[40];
	int got = report_span(d, since_unix, until_unix, &t->total.first_unix, &t->total.last_unix);

	for (size_t i = 0; i < days->n && got >= 0; i++) {
		struct sum *k = days->list[i];
		int64_t from, end;

		snprintf(utc, sizeof(utc), "%.10sT00:00:00Z", k->key);
		if (clock_parse_when(utc, 0, false, &from, err, sizeof(err)) != 0)
			continue;
		end = from + DAY_S;
		if (until_unix != 0 && until_unix < end)
			end = until_unix;
		got = report_span(d, from > since_unix ? from : since_unix, end, &k->first_unix,
				  &k->last_unix);
	}
	return got < 0 ? -1 : 0;
}

int cmd_report(struct cli *cli, int argc, char **argv)
{
	int64_t since_unix = clock_now_unix() - DEFAULT_SINCE_S;
	int64_t until_unix = 0, n_lines = -1;
	const char *by_name = "day", *html = NULL, *title = NULL;
	bool is_site = false;
	const struct option_spec specs[] = {
		{"since", 0, "WHEN", OPTION_SINCE, &since_unix,
		 "2026-12-31, an RFC 3339 time, -7d; default -30d"},
		{"until", 0, "WHEN", OPTION_UNTIL, &until_unix,
		 "likewise; a bare date includes that day"},
		{"by", 0, "WHAT", OPTION_TEXT, &by_name,
		 "day (default), recipient, sender, domain (of the sender), verdict, reason, pair, "
		 "rule"},
		{"html", 0, "FILE", OPTION_TEXT, &html,
		 "one page with charts that needs nothing else; - for standard output"},
		{"title", 0, "TEXT", OPTION_TEXT, &title,
		 "whose report the page says it is; the host's name by default"},
		SITE_ROWS_OPTION(&is_site),
		{NULL, 'n', "N", OPTION_COUNT, &n_lines,
		 "lines of the list, of days the newest; 0 for all"},
	};
	struct gathering g = {.stored_day = -1};
	FILE *page = NULL;
	struct settings *s;
	char **operands;
	enum tally_by by;
	struct db *d;
	int code;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs), NULL, &operands) != 0)
		cli_misuse(cli, "takes no operand");
	if (tally_from_name(by_name, &by) != 0)
		cli_misuse(cli,
			   "--by %s: one of day, recipient, sender, domain, verdict, reason, pair, "
			   "rule",
			   by_name);
	s = open_settings(cli);
	if (html != NULL && (page = open_html(html)) == NULL) {
		settings_unref(s);
		return EX_CANTCREAT;
	}
	d = open_database(s, DB_READ);
	if (is_site && (code = site_rows_read(cli, s, d, since_unix, until_unix, NULL)) != 0) {
		db_close(d);
		settings_unref(s);
		return code;
	}
	/* Each table costs a microsecond a message. What is printed: the list, and how many
	 * addresses there were. */
	if (html == NULL)
		g.tally.only = 1u << by;
	if (html == NULL && !cli->json)
		g.tally.only |= 1u << TALLY_SENDER | 1u << TALLY_RECIPIENT;
	progress_begin(&g.progress, "messages");
	if (html == NULL && (by == TALLY_DAY || by == TALLY_VERDICT))
		code = gather_sums(&g, d, since_unix, until_unix);
	else
		code = gather_rows(&g, d, since_unix, until_unix);
	progress_clear(&g.progress);
	if (code == 0)
		code = find_times(&g.tally, d, since_unix, until_unix);
	if (code != 0)
		code = open_failed(d);
	db_close(d);
	if (code == 0) {
		if (html == NULL)
			pager_begin();
		sums_sort(&g.tally.by[by], by == TALLY_DAY ? SUMS_BY_KEY : SUMS_BY_MESSAGES);
		if (html != NULL) {
			code = write_html(&g.tally, page, html, title, since_unix);
		} else if (cli->json) {
			print_json(&g.tally, by, n_lines);
		} else {
			print_totals(&g.tally, since_unix, g.has_addresses);
			if (g.tally.total.n_messages > 0 && by == TALLY_DAY)
				print_days(&g.tally, n_lines < 0 ? 0 : n_lines);
			else if (g.tally.total.n_messages > 0)
				print_list(&g.tally, by,
					   n_lines >= 0	     ? n_lines
					   : by == TALLY_DAY ? 0
							     : LINES_MAX);
		}
	}
	tally_free(&g.tally);
	settings_unref(s);
	return code;
}
