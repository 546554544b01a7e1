/* SPDX-License-Identifier: ISC
 *
 * pgpgate log: stored verdicts, newest last, and with --follow the ones that come.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/expected.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "cli/progress.h"
#include "cli/rule_add.h"
#include "cli/site_rows.h"
#include "cli/verdict_show.h"

#define FOLLOW_INTERVAL_MS 300
#define FOLLOW_FIRST 10	   /* as tail(1) */
#define TERMINAL_FIRST 100 /* what a person reads; a pipe gets everything */

struct log_options {
	const char *recipient, *sender, *verdict, *action, *queue_id, *client, *message_id;
	int64_t since_unix, until_unix, last_n;
	bool follow, site;
};

struct listing {
	const struct cli *cli;
	int64_t n;
	int64_t last_id;
	struct progress progress;
	int64_t n_expected; /* verdicts to look at; 0: not known */
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	is_interrupted = 1;
}

static int print_row(void *context, const struct verdict_row *row)
{
	struct listing *l = context;

	l->n++;
	if (row->id > l->last_id)
		l->last_id = row->id;
	if (l->cli->json)
		output_json(verdict_show_json(row));
	else
		verdict_show_brief(row);
	return ferror(stdout) ? 1 : 0;
}

/* Polls: SQLite tells nobody, and a look at the newest ids costs nothing. A database that fails is
 * told once and asked again. */
static void follow(struct db *d, struct verdicts_filter *f, struct listing *l)
{
	struct sigaction action = {.sa_handler = interrupt};
	bool has_failed = false;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	f->last_n = 0;
	while (!is_interrupted && !ferror(stdout)) {
		struct timespec pause = {.tv_nsec = FOLLOW_INTERVAL_MS * 1000000L};
		int failed;

		fflush(stdout);
		nanosleep(&pause, NULL);
		if (is_interrupted)
			break;
		f->after_id = l->last_id;
		failed = verdicts_list(d, f, print_row, l);
		if (failed == -1 && !has_failed)
			cli_warning("%s; trying again", db_error(d));
		has_failed = failed == -1;
	}
}

/* An address or a domain pattern, in the form in which it is stored. */
static const char *filter_text(const struct cli *cli, const struct settings *s, const char *text,
			       bool is_sender, struct pattern *out)
{
	if (text == NULL)
		return NULL;
	rule_add_pattern(cli, s, text, is_sender, out);
	if (out->kind == PATTERN_USER || out->kind == PATTERN_ANY)
		cli_misuse(cli, "'%s': an address or a domain is wanted here", text);
	return out->text;
}

static void read_names(const struct cli *cli, const struct log_options *o,
		       struct verdicts_filter *f)
{
	enum verdict verdict;
	enum action action;

	f->verdict = f->action = -1;
	if (o->verdict != NULL) {
		if (verdict_from_name(o->verdict, &verdict) != 0)
			cli_misuse(cli,
				   "--verdict %s: one of encrypted, smime, signed, partial, "
				   "invalid, report, handshake, cleartext",
				   o->verdict);
		f->verdict = (int)verdict;
	}
	if (o->action != NULL) {
		if (action_from_name(o->action, &action) != 0)
			cli_misuse(cli,
				   "--action %s: one of accept, refuse, split, quarantine, tag, "
				   "tempfail",
				   o->action);
		f->action = (int)action;
	}
}

/* The newest id, so that --follow goes on from there even when nothing has matched yet. */
static int note_id(void *context, const struct verdict_row *row)
{
	((struct listing *)context)->last_id = row->id;
	return 0;
}

static void show_seen(void *context, int64_t n_seen)
{
	struct listing *l = context;

	progress_update(&l->progress, n_seen, l->n_expected);
}

/* Where the lines go to a file. On a terminal they are what shows that it goes on, and behind a
 * pipe a pager may have the terminal's screen. */
static void begin_progress(struct listing *l, struct db *d, struct verdicts_filter *f)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	progress_begin(&l->progress, "verdicts looked at");
	if (f->last_n == 0 && f->recipient == NULL && f->sender == NULL)
		l->n_expected = expected_messages(d, &l->progress, f->since_unix, f->until_unix);
	f->progress = show_seen;
	f->progress_context = l;
}

static int run(struct cli *cli, struct settings *s, const struct log_options *o,
	       struct verdicts_filter *f)
{
	struct db *d = open_database(s, DB_READ);
	struct listing l = {.cli = cli};
	int failed = 0;

	if (o->site &&
	    (failed = site_rows_read(cli, s, d, f->since_unix, f->until_unix, f->queue_id)) != 0) {
		db_close(d);
		return failed;
	}
	verdict_show_hosts(o->site);
	if (!o->follow && !cli->json)
		pager_begin();
	if (o->follow) {
		struct verdicts_filter newest = {
			.verdict = -1, .action = -1, .last_n = 1, .is_stored_only = true};

		failed = verdicts_list(d, &newest, note_id, &l);
		f->is_stored_only = true;
	} else {
		begin_progress(&l, d, f);
	}
	/* `-n 0 --follow` is "from now on", as in tail(1). */
	if (failed == 0 && !(o->follow && o->last_n == 0))
		failed = verdicts_list(d, f, print_row, &l);
	progress_clear(&l.progress);
	if (failed == -1)
		failed = open_failed(d);
	else if (o->follow)
		follow(d, f, &l);
	else if (l.n == 0 && !cli->json)
		puts("no verdicts");
	else if (o->last_n < 0 && f->last_n > 0 && l.n == f->last_n)
		cli_warning("the newest %d; -n N shows more, -n 0 all", TERMINAL_FIRST);
	db_close(d);
	return failed > 1 ? failed : 0;
}

int cmd_log(struct cli *cli, int argc, char **argv)
{
	struct log_options o = {.last_n = -1};
	const struct option_spec specs[] = {
		{"since", 0, "WHEN", OPTION_SINCE, &o.since_unix,
		 "2026-12-31, an RFC 3339 time, -24h, 30d"},
		{"until", 0, "WHEN", OPTION_UNTIL, &o.until_unix,
		 "likewise; a bare date includes that day"},
		{"recipient", 0, "PATTERN", OPTION_TEXT, &o.recipient,
		 "address, domain or .domain"},
		{"sender", 0, "PATTERN", OPTION_TEXT, &o.sender, "address, domain, .domain or <>"},
		{"verdict", 0, "VERDICT", OPTION_TEXT, &o.verdict,
		 "encrypted, cleartext, partial, ..."},
		{"action", 0, "ACTION", OPTION_TEXT, &o.action,
		 "accept, refuse, split, quarantine, tag, tempfail"},
		{"queue-id", 0, "ID", OPTION_TEXT, &o.queue_id, "this queue id"},
		{"message-id", 0, "ID", OPTION_TEXT, &o.message_id,
		 "this Message-ID, with or without <>"},
		{"client", 0, "NET", OPTION_TEXT, &o.client, "from this client address or network"},
		{NULL, 'n', "N", OPTION_COUNT, &o.last_n, "only the newest N; 0 for all"},
		SITE_ROWS_OPTION(&o.site),
		{"follow", 'f', NULL, OPTION_FLAG, &o.follow,
		 "print new ones as they come, until interrupted"},
	};
	struct verdicts_filter f = {0};
	struct pattern recipient, sender;
	struct netaddr client;
	struct settings *s;
	char **operands;
	char err[300];
	int code;

	if (options_parse(
		    cli, argc, argv, specs, OPTIONS_N(specs),
		    "Without -n everything that matches is printed, on a terminal the newest 100.",
		    &operands) != 0)
		cli_misuse(cli, "takes no operand; --recipient and --sender choose");
	if (o.site && o.follow)
		cli_misuse(cli, "--follow goes without --site");
	read_names(cli, &o, &f);
	s = open_settings(cli);
	f.recipient = filter_text(cli, s, o.recipient, false, &recipient);
	f.sender = filter_text(cli, s, o.sender, true, &sender);
	f.since_unix = o.since_unix;
	f.until_unix = o.until_unix;
	f.queue_id = o.queue_id;
	f.message_id = o.message_id;
	if (o.client != NULL) {
		if (netaddr_parse(o.client, &client, err, sizeof(err)) != 0)
			cli_misuse(cli, "--client: %s", err);
		f.client = &client;
	}
	f.last_n = o.last_n;
	if (o.last_n < 0)
		f.last_n = o.follow				? FOLLOW_FIRST
			   : output_is_terminal() && !cli->json ? TERMINAL_FIRST
								: 0;
	code = run(cli, s, &o, &f);
	settings_unref(s);
	return code;
}
