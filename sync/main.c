/* SPDX-License-Identifier: ISC
 *
 * pgpgate-sync: the daemon of a host that belongs to a site, and what pgpgate(8) starts to reach
 * the centre, so that nothing else needs libpq.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/user.h"
#include "db/db.h"
#include "sync/commands.h"

#define OVERRIDES_MAX 200

struct arguments {
	const char *command, *config_path, *operand;
	bool config_is_explicit, is_json, is_yes;
	const char *overrides[OVERRIDES_MAX];
	size_t n_overrides;
};

static const char *const commands[] = {"change", "init",   "join", "status",
				       "leave",	 "forget", "rows", "examine"};

/* A command tells all of it or nothing: a member that was left out for want of memory would be
 * missed by nobody. */
static void *allocate(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (memory != NULL)
		return memory;
	fputs("pgpgate: out of memory\n", stderr);
	_exit(EX_OSERR);
}

static bool is_command(const char *word)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(word, commands[i]) == 0)
			return true;
	return false;
}

static int misuse(const char *what)
{
	fprintf(stderr, "pgpgate-sync: %s; `pgpgate site --help`\n", what);
	return EX_USAGE;
}

/* As pgpgate(8) hands them over: COMMAND [-c FILE] [-o KEY=VALUE]... [--json] [--yes] [OPERAND] */
static int parse(int argc, char **argv, struct arguments *a)
{
	a->command = argv[1];
	a->config_path = settings_default_path();
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			a->is_json = true;
		} else if (strcmp(argv[i], "--yes") == 0) {
			a->is_yes = true;
		} else if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
			a->config_path = argv[++i];
			a->config_is_explicit = true;
		} else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc &&
			   a->n_overrides < OVERRIDES_MAX) {
			a->overrides[a->n_overrides++] = argv[++i];
		} else if (argv[i][0] != '-' && a->operand == NULL) {
			a->operand = argv[i];
		} else {
			return misuse("a word too many");
		}
	}
	if ((strcmp(a->command, "forget") == 0 || strcmp(a->command, "rows") == 0) !=
	    (a->operand != NULL))
		return misuse("forget wants the name of a host");
	return 0;
}

/* Root becomes the user of the settings: the directory of the database is not to be trusted. */
static int become_user(const struct settings *s)
{
	struct user u;
	char err[400];
	int code;

	if (geteuid() != 0 || s->user[0] == '\0')
		return 0;
	code = user_find(s->user, &u, err, sizeof err);
	if (code == 0)
		code = user_become(&u, err, sizeof err);
	if (code != 0)
		fprintf(stderr, "pgpgate: %s\n", err);
	return code;
}

/* libpq looks for passwords and certificates there: not in the home of whoever became this user,
 * where it would be refused. */
static void take_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw = getpwuid(geteuid());
	struct stat st;

	if (pw != NULL && (home == NULL || stat(home, &st) != 0 || st.st_uid != geteuid()))
		setenv("HOME", pw->pw_dir, 1);
}

static int dispatch(const struct arguments *a, struct settings *s, struct db *d)
{
	if (strcmp(a->command, "change") == 0)
		return command_change(s, d);
	if (strcmp(a->command, "init") == 0)
		return command_init(s, d);
	if (strcmp(a->command, "join") == 0)
		return command_join(s, d, a->is_yes);
	if (strcmp(a->command, "status") == 0)
		return command_status(s, d, a->is_json);
	if (strcmp(a->command, "leave") == 0)
		return command_leave(s, d);
	if (strcmp(a->command, "rows") == 0)
		return command_rows(s, a->operand);
	if (strcmp(a->command, "examine") == 0)
		return command_examine(s, d);
	return command_forget(s, a->operand);
}

static int run_command(int argc, char **argv)
{
	static struct arguments a;
	struct settings *s;
	struct db *d;
	char err[1024];
	int code = parse(argc, argv, &a);

	if (code != 0)
		return code;
	json_set_alloc_funcs(allocate, free);
	s = settings_load(a.config_path, !a.config_is_explicit, a.overrides, a.n_overrides, err,
			  sizeof err);
	if (s == NULL || s->centre[0] == '\0') {
		fprintf(stderr, "pgpgate: %s\n",
			s == NULL
				? err
				: "there is no centre in the configuration: this host stands alone "
				  "(pgpgate-site(7))");
		settings_unref(s);
		return EX_CONFIG;
	}
	code = become_user(s);
	take_home();
	d = code == 0 ? db_open(s, DB_WRITE) : NULL;
	if (d != NULL && db_failure(d) != DB_OK) {
		fprintf(stderr, "pgpgate: %s\n", db_error(d));
		code = db_sysexit(db_failure(d));
	} else if (d != NULL) {
		code = dispatch(&a, s, d);
	}
	db_close(d);
	settings_unref(s);
	return code;
}

static int run_daemon(int argc, char **argv)
{
	static struct daemon_options options;
	struct settings *s = daemon_options(argc, argv, "pgpgate-sync", "centre", &options);
	struct db *d;
	int code = daemon_begin(&options, s);

	if (code != EX_OK)
		return code;
	if (s->centre[0] == '\0') {
		log_error("there is no centre in the configuration: a host alone needs no "
			  "pgpgate-sync");
		return EX_CONFIG;
	}
	take_home();
	d = db_open(s, DB_WRITE);
	if (d == NULL || db_failure(d) != DB_OK) {
		log_error("%s", d != NULL ? db_error(d) : "out of memory");
		return d != NULL ? db_sysexit(db_failure(d)) : EX_OSERR;
	}
	code = daemon_ready(&options);
	if (code == EX_OK) {
		code = loop_run(&options, s, d);
		daemon_end(&options);
	}
	db_close(d);
	return code;
}

int main(int argc, char **argv)
{
	return argc > 1 && is_command(argv[1]) ? run_command(argc, argv) : run_daemon(argc, argv);
}
