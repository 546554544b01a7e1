/* SPDX-License-Identifier: ISC
 *
 * pgpgate db: the database: make it, look at it, migrate it, check it, back it up, prune and
 * compact it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/apart.h"
#include "cli/db_space.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/subcommands.h"
#include "common/clock.h"
#include "db/verdicts.h"

#define SETTLE_MS 3000 /* the filter moves its journal once a second */

/* A subcommand of db that takes no operand. */
static void no_operands(struct cli *cli, int argc, char **argv, const char *notes)
{
	char **operands;

	if (options_parse(cli, argc, argv, NULL, 0, notes, &operands) != 0)
		cli_misuse(cli, "takes no operand");
}

static void print_state(const struct cli *cli, const char *key, const char *text, int schema)
{
	char clean[OUTPUT_TEXT_MAX];
	json_t *o;

	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "database", output_json_text(text));
		json_object_set_new(o, "state", output_json_text(key));
		json_object_set_new(o, "schema", json_integer(schema));
		output_json(o);
	} else {
		printf("%s: %s, schema %d\n", output_clean(clean, sizeof(clean), text), key,
		       schema);
	}
}

/* One transaction, during which nobody writes: who looks on should know how long, and that no mail
 * is lost. */
#define MIGRATION_OF_VERDICTS 1	   /* the version from which all verdicts are read */
#define MIGRATION_S_PER_MILLION 10 /* measured: 8, on a machine that did other things too */
#define MIGRATION_WORTH_A_WORD_S 3

struct migration {
	struct progress progress;
	int64_t started_ms;
	int announced; /* the version about which something was said */
};

static void show_migration(void *context, int from_version, int64_t n_verdicts)
{
	struct migration *m = context;
	const int64_t estimate_s = from_version == MIGRATION_OF_VERDICTS
					   ? n_verdicts * MIGRATION_S_PER_MILLION / 1000000
					   : 0;
	int64_t done_s;
	char a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX];

	if (!m->progress.is_terminal)
		return;
	if (m->announced != from_version) {
		m->announced = from_version;
		m->started_ms = clock_monotonic_ms();
		progress_clear(&m->progress);
		if (estimate_s >= MIGRATION_WORTH_A_WORD_S)
			fprintf(stderr,
				"Schema %d to %d: about %s verdicts, which takes some %s s. It is "
				"one "
				"transaction:\n"
				"done, or nothing has changed. Mail gets a temporary error "
				"meanwhile.\n",
				from_version, from_version + 1, output_number(a, n_verdicts),
				output_number(b, estimate_s));
	}
	done_s = (clock_monotonic_ms() - m->started_ms) / 1000;
	progress_update(&m->progress, done_s, done_s > estimate_s ? done_s : estimate_s);
}

/* Of a database with an older schema. 0, or an exit code. */
static int migrate(const struct cli *cli, const struct settings *s, struct db *d)
{
	struct migration m = {.announced = -1};
	int failed;

	progress_begin(&m.progress, "seconds, estimated");
	failed = db_migrate(d, show_migration, &m);
	progress_clear(&m.progress);
	if (failed != 0)
		return open_failed(d);
	print_state(cli, "migrated", s->database_path, db_schema_version(d));
	return 0;
}

static int db_init(struct cli *cli, int argc, char **argv)
{
	bool is_new_key = false;
	const struct option_spec specs[] = {
		{"new-key", 0, NULL, OPTION_FLAG, &is_new_key,
		 "make another key for hashed addresses: what is on record under the old one is "
		 "not "
		 "found again; restart the daemons"},
	};
	char **operands;
	const int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs),
		"What is there already is left as it is, but for an older schema, "
		"which is brought up to date as db migrate does.",
		&operands);
	struct settings *s;
	struct db *d;
	enum db_failure was;
	int code = 0;

	if (n != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_connection(s, DB_WRITE);
	was = db_failure(d);
	if (was == DB_TOO_OLD) {
		code = migrate(cli, s, d);
		db_close(d);
		settings_unref(s);
		return code;
	}
	db_close(d);
	d = open_database(s, is_new_key ? DB_NEW_KEY : DB_CREATE);
	print_state(cli,
		    is_new_key	   ? "has a new key"
		    : was == DB_OK ? "there already"
				   : "created",
		    s->database_path, db_schema_version(d));
	if (db_keys_dropped(d) > 0)
		fprintf(stderr,
			"pgpgate: %" PRId64 " keys of recipients could not be read without the "
			"old key and are gone; import them again\n",
			db_keys_dropped(d));
	db_close(d);
	settings_unref(s);
	return 0;
}

static void print_status_json(const struct db_status *st, const struct verdicts_lag *lag)
{
	json_t *o = json_object();

	json_object_set_new(o, "path", output_json_text(st->path));
	json_object_set_new(o, "schema", json_integer(st->schema_version));
	json_object_set_new(o, "file_bytes", json_integer(st->file_bytes));
	json_object_set_new(o, "unused_bytes", json_integer(st->unused_bytes));
	json_object_set_new(o, "wal_bytes", json_integer(st->wal_bytes));
	json_object_set_new(o, "free_bytes", json_integer(st->free_bytes));
	json_object_set_new(o, "journal_bytes", json_integer(lag->bytes));
	json_object_set_new(o, "journal_waiting", json_integer(lag->n_records));
	json_object_set_new(o, "journal_waiting_since", output_json_time(lag->oldest_unix));
	json_object_set_new(o, "rules", json_integer(st->n_rules));
	json_object_set_new(o, "verdicts", json_integer(st->n_verdicts));
	json_object_set_new(o, "pairs", json_integer(st->n_pairs));
	json_object_set_new(o, "first_verdict_at", output_json_time(st->first_verdict_unix));
	json_object_set_new(o, "last_verdict_at", output_json_time(st->last_verdict_unix));
	json_object_set_new(o, "paused_until", output_json_time(st->paused_until_unix));
	output_json(o);
}

static void print_status(const struct db_status *st, const struct verdicts_lag *lag)
{
	char a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX], c[OUTPUT_NUMBER_MAX];
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
	char clean[OUTPUT_TEXT_MAX];

	printf("database   %s\n", output_clean(clean, sizeof(clean), st->path));
	printf("schema     %d%s\n", st->schema_version,
	       st->schema_version == db_schema_current()
		       ? ", current"
		       : "; `pgpgate db migrate` brings it up to date");
	printf("size       %s, and %s of write-ahead log; %s free\n",
	       output_bytes(a, st->file_bytes), output_bytes(b, st->wal_bytes),
	       output_bytes(c, st->free_bytes));
	if (st->unused_bytes > 0)
		printf("unused     %s of it; new verdicts go there\n",
		       output_bytes(a, st->unused_bytes));
	if (lag->n_records > 0)
		printf("journal    %s; %s %s since %s for the database\n",
		       output_bytes(a, lag->bytes), output_number(b, lag->n_records),
		       output_plural(lag->n_records, "verdict waits", "verdicts wait"),
		       clock_format(lag->oldest_unix, first));
	else
		printf("journal    %s; nothing waits for the database\n",
		       output_bytes(a, lag->bytes));
	printf("rules      %s\n", output_number(a, st->n_rules));
	if (st->n_verdicts > 0)
		printf("verdicts   about %s, from %s to %s\n", output_number(a, st->n_verdicts),
		       output_time(st->first_verdict_unix, first),
		       output_time(st->last_verdict_unix, last));
	else
		printf("verdicts   none\n");
	printf("pairs      %s\n", output_number(a, st->n_pairs));
}

static int db_show_status(struct cli *cli, int argc, char **argv)
{
	struct settings *s;
	struct db_status status;
	struct verdicts_lag lag;
	struct db *d;
	int code = 0;

	no_operands(cli, argc, argv, NULL);
	s = open_settings(cli);
	d = open_database(s, DB_READ);
	if (db_get_status(d, &status) != 0 || verdicts_get_lag(d, &lag) != 0)
		code = open_failed(d);
	else if (cli->json)
		print_status_json(&status, &lag);
	else
		print_status(&status, &lag);
	db_close(d);
	settings_unref(s);
	return code;
}

static int db_run_migrate(struct cli *cli, int argc, char **argv)
{
	struct settings *s;
	struct db *d;
	int before, code = 0;

	no_operands(cli, argc, argv, "It is one transaction: done, or nothing has changed.");
	s = open_settings(cli);
	open_pause_notice(s);
	d = open_connection(s, DB_WRITE);
	before = db_failure(d) == DB_OK || db_failure(d) == DB_TOO_OLD ? db_schema_version(d) : -1;
	if (before < 0)
		code = open_failed(d);
	else if (before < db_schema_current())
		code = migrate(cli, s, d);
	else
		print_state(cli, "current", s->database_path, before);
	db_close(d);
	settings_unref(s);
	return code;
}

static void print_complaint(void *context, const char *complaint)
{
	const struct cli *cli = context;
	char clean[OUTPUT_TEXT_MAX];
	json_t *o;

	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "complaint", output_json_text(complaint));
		output_json(o);
	} else {
		printf("%s\n", output_clean(clean, sizeof(clean), complaint));
	}
}

static int db_run_check(struct cli *cli, int argc, char **argv)
{
	struct settings *s;
	struct db *d;
	int n, code;

	no_operands(cli, argc, argv, "Exit status: 0 in order, 1 there are complaints.");
	s = open_settings(cli);
	d = open_database(s, DB_READ);
	n = db_check(d, print_complaint, cli);
	code = n < 0 ? open_failed(d) : n > 0;
	if (n > 0 && !cli->json)
		cli_error("damaged: %d %s; stop the daemons and put a backup in its place "
			  "(`pgpgate db "
			  "restore FILE`)",
			  n, output_plural(n, "complaint", "complaints"));
	if (n == 0 && !cli->json)
		print_state(cli, "in order", s->database_path, db_schema_version(d));
	db_close(d);
	settings_unref(s);
	return code;
}

static void show_pages(void *context, int done, int total)
{
	progress_update(context, done, total);
}

/* The exit code for a new file that could not be made, after saying so; 0 for one that could. */
static int copied(enum db_failure failure, const char *err)
{
	if (failure == DB_OK)
		return 0;
	cli_error("%s", err);
	return failure == DB_NO_PERMISSION ? EX_CANTCREAT : db_sysexit(failure);
}

/* Both made and named as whoever was asked, and filled by a process that has become the user. */
struct backup {
	struct db_copy *copy, *key;
	struct settings *settings;
};

static int begin_backup(struct backup *b, const char *file, bool with_key)
{
	char err[DB_ERROR_MAX], key_file[4200];
	int code = copied(db_copy_begin(file, &b->copy, err), err);

	snprintf(key_file, sizeof(key_file), "%s.key", file);
	if (code == 0 && with_key)
		code = copied(db_copy_begin(key_file, &b->key, err), err);
	if (code != 0)
		db_copy_abandon(b->copy);
	return code;
}

/* The key first: a backup that has its name is whole. */
static int end_backup(struct backup *b, int code)
{
	char err[DB_ERROR_MAX];

	if (code == 0 && b->key != NULL) {
		code = copied(db_copy_end(b->key, err), err);
		b->key = NULL;
	}
	if (code == 0) {
		code = copied(db_copy_end(b->copy, err), err);
		b->copy = NULL;
	}
	db_copy_abandon(b->key);
	db_copy_abandon(b->copy);
	return code;
}

/* Tells the schema. 0, or an exit code. */
static int fill_backup(void *context, FILE *to)
{
	struct backup *b = context;
	struct db *d = open_connection(b->settings, DB_READ);
	struct progress progress;
	int code = 0;

	if (db_failure(d) == DB_OK) {
		open_show_pause(d);
		if (verdicts_settle(d, SETTLE_MS) == 0)
			cli_warning(
				"verdicts wait in the journal and will not be in the backup: see "
				"`pgpgate db status`");
	}
	fprintf(to, "%d\n", db_schema_version(d));
	progress_begin(&progress, "pages");
	if (db_failure(d) != DB_OK || (b->key != NULL && db_backup_key(d, b->key) != 0) ||
	    db_backup(d, b->copy, show_pages, &progress) != 0)
		code = -1;
	progress_clear(&progress);
	if (code != 0)
		code = open_failed(d);
	db_close(d);
	return code;
}

/* Likewise. */
static int fill_backup_apart(struct backup *b, int *schema)
{
	struct apart a;
	int code = apart_begin(&a, b->settings, fill_backup, b);

	if (code != 0)
		return code;
	if (fscanf(a.from, "%d", schema) != 1)
		*schema = -1;
	return apart_end(&a);
}

static int db_run_backup(struct cli *cli, int argc, char **argv)
{
	bool with_key = false;
	const struct option_spec specs[] = {
		{"with-key", 0, NULL, OPTION_FLAG, &with_key,
		 "and the key of hashed addresses, as FILE.key; keep the two apart"},
	};
	char **operands;
	int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs),
		"Mail flows meanwhile. FILE must not exist; it is whole when the command has ended "
		"with 0.",
		&operands);
	struct backup b = {0};
	struct settings *s;
	int code, schema = -1;

	if (n != 1)
		cli_misuse(cli, "into which file?");
	s = b.settings = open_settings(cli);
	code = begin_backup(&b, operands[0], with_key);
	if (code == 0)
		code = end_backup(&b, fill_backup_apart(&b, &schema));
	if (code == 0) {
		print_state(cli, "backed up", operands[0], schema);
		/* For who looks on, not for the mail of cron each night. */
		if (s->hash_addresses && !with_key && isatty(STDERR_FILENO) == 1)
			cli_warning("log_addresses = hashed: the key is not in the backup; keep "
				    "%s.key as well, in another place (--with-key copies it): "
				    "without it nobody can be found in the record",
				    s->database_path);
	}
	settings_unref(s);
	return code;
}

static void print_restored(const struct cli *cli, const struct settings *s,
			   const struct db_restored *r)
{
	char clean[OUTPUT_TEXT_MAX];

	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "database", output_json_text(s->database_path));
		json_object_set_new(o, "state", output_json_text("restored"));
		json_object_set_new(o, "schema", json_integer(r->schema_version));
		json_object_set_new(o, "kept",
				    output_json_text(r->kept[0] != '\0' ? r->kept : NULL));
		output_json(o);
	} else {
		print_state(cli, "restored", s->database_path, r->schema_version);
		if (r->kept[0] != '\0')
			printf("what was there: %s\n", output_clean(clean, sizeof(clean), r->kept));
		if (r->has_new_key)
			printf("with its key\n");
	}
	if (r->lacks_key)
		cli_warning(
			"the key of its hashed addresses is not here: what is on record under it "
			"cannot be found");
	if (r->schema_version < db_schema_current())
		cli_warning(
			"an older schema: run `pgpgate db migrate` before you start the daemons");
}

static int db_run_restore(struct cli *cli, int argc, char **argv)
{
	char **operands;
	const int n = options_parse(
		cli, argc, argv, NULL, 0,
		"Stop the daemons first. FILE is looked at before anything is changed, and what "
		"was "
		"there is kept. The key of hashed addresses comes from FILE.key where it is there.",
		&operands);
	struct db_restored restored;
	struct db_restore *r;
	char err[DB_ERROR_MAX];
	struct settings *s;
	enum db_failure failure;
	int code = 0;

	if (n != 1)
		cli_misuse(cli, "from which file?");
	s = open_settings(cli);
	failure = db_restore_begin(operands[0], &r, err);
	if (failure == DB_OK) {
		open_become_user(s);
		failure = db_restore(r, s, &restored, err);
		db_restore_end(r);
	}
	if (failure != DB_OK) {
		cli_error("%s", err);
		code = db_sysexit(failure);
	} else {
		print_restored(cli, s, &restored);
	}
	settings_unref(s);
	return code;
}

static const struct command list[] = {
	{"init", "", "make the database", db_init},
	{"status", "", "schema, sizes, counts", db_show_status},
	{"migrate", "", "bring the schema up to date", db_run_migrate},
	{"check", "", "look for damage", db_run_check},
	{"backup", "FILE", "copy it while the daemons run", db_run_backup},
	{"restore", "FILE", "put a backup in its place", db_run_restore},
	{"prune", "", "remove old verdicts", db_space_prune},
	{"compact", "", "give unused space back to the file system", db_space_compact},
};

int cmd_db(struct cli *cli, int argc, char **argv)
{
	static const struct subcommands s = {"db", "The database.", list,
					     sizeof(list) / sizeof(list[0])};

	return subcommands_run(cli, &s, argc, argv);
}
