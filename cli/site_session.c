/* SPDX-License-Identifier: ISC */
#include "cli/site_session.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/open.h"
#include "cli/output.h"

#define PROGRAM "pgpgate-sync"
#define WAIT_MS 2000
#define WAIT_MAX_S 86400

static struct {
	pid_t pid; /* 0: none */
	FILE *to, *from;
	const struct cli *cli;
	struct db *db;
	struct db_remote remote;
	int64_t no; /* of the change that was made; 0: none */
} session;

/* ---- starting it ---- */

char **site_session_words(const struct cli *cli, const char *command, int n, char *const *more)
{
	char **words = calloc(2 * cli->n_overrides + (size_t)n + 8, sizeof *words);
	size_t at = 0;

	if (words == NULL) {
		cli_error("out of memory");
		exit(EX_OSERR);
	}
	words[at++] = (char *)(uintptr_t)PROGRAM;
	words[at++] = (char *)(uintptr_t)command;
	if (cli->config_is_explicit) {
		words[at++] = (char *)(uintptr_t) "-c";
		words[at++] = (char *)(uintptr_t)cli->config_path;
	}
	for (size_t i = 0; i < cli->n_overrides; i++) {
		words[at++] = (char *)(uintptr_t) "-o";
		words[at++] = (char *)(uintptr_t)cli->overrides[i];
	}
	if (cli->json)
		words[at++] = (char *)(uintptr_t) "--json";
	for (int i = 0; i < n; i++)
		words[at++] = more[i];
	return words;
}

int site_session_exec(char **words)
{
	char path[4096];
	const ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof PROGRAM - 1);
	char *slash;

	if (len > 0) {
		path[len] = '\0';
		slash = strrchr(path, '/');
		memcpy(slash + 1, PROGRAM, sizeof PROGRAM);
		execv(path, words);
	}
	cli_error("%s: %s; several hosts need the package pgpgate-sync", PROGRAM, strerror(errno));
	return EX_UNAVAILABLE;
}

int site_session_start(char **words)
{
	int there[2], back[2];

	if (pipe(there) != 0 || pipe(back) != 0 || (session.pid = fork()) < 0) {
		cli_error("cannot start %s: %s", PROGRAM, strerror(errno));
		return EX_OSERR;
	}
	if (session.pid == 0) {
		dup2(there[0], STDIN_FILENO);
		dup2(back[1], STDOUT_FILENO);
		close(there[0]);
		close(there[1]);
		close(back[0]);
		close(back[1]);
		_exit(site_session_exec(words));
	}
	close(there[0]);
	close(back[1]);
	signal(SIGPIPE, SIG_IGN); /* one that died is noticed by its answer */
	session.to = fdopen(there[1], "w");
	session.from = fdopen(back[0], "r");
	return session.to != NULL && session.from != NULL ? 0 : EX_OSERR;
}

void site_session_stop(void)
{
	if (session.pid == 0)
		return;
	if (session.to != NULL)
		fclose(session.to);
	if (session.from != NULL)
		fclose(session.from);
	waitpid(session.pid, NULL, 0);
	session.pid = 0;
	session.to = session.from = NULL;
}

/* ---- speaking ---- */

static void say(json_t *o)
{
	json_dumpf(o, session.to, JSON_COMPACT);
	json_decref(o);
	putc('\n', session.to);
}

json_t *site_session_line(void)
{
	char *line = NULL;
	size_t size = 0;
	json_error_t e;
	json_t *o = NULL;

	fflush(session.to);
	if (getline(&line, &size, session.from) > 0)
		o = json_loads(line, 0, &e);
	free(line);
	return o;
}

/* The same; never NULL unless memory is short. */
static json_t *answer(void)
{
	json_t *o = site_session_line();

	return o != NULL ? o : json_pack("{ss}", "error", PROGRAM " ended");
}

static const char *error_of(const json_t *o)
{
	return json_string_value(json_object_get(o, "error"));
}

static int send_row(void *context, const struct db_remote_row *r, char err[DB_ERROR_MAX])
{
	(void)context;
	say(json_pack("{s[ssssbIsI]}", "row", r->recipient, r->sender, r->client, r->text,
		      r->is_removal, (json_int_t)r->id, r->author, (json_int_t)r->created_at_unix));
	if (!ferror(session.to))
		return 0;
	snprintf(err, DB_ERROR_MAX, PROGRAM " ended");
	return -1;
}

static int send_commit(void *context, const struct db_remote_change *c, int64_t *no,
		       char err[DB_ERROR_MAX])
{
	json_t *o = json_pack("{sIsssssssIsbsIsIssss}", "time", (json_int_t)c->time_unix, "author",
			      c->author, "what", c->what, "owner", c->owner != NULL ? c->owner : "",
			      "undoes", (json_int_t)c->undoes, "is_pause", c->is_pause,
			      "paused_until", (json_int_t)c->paused_until_unix, "next_rule",
			      (json_int_t)session.remote.next_rule, "before",
			      c->before != NULL ? c->before : "", "after",
			      c->after != NULL ? c->after : "");
	json_t *keys = json_array(), *got;
	int result = -1;

	(void)context;
	for (size_t i = 0; i < 2 && c->sender_key[i] != NULL; i++)
		json_array_append_new(keys,
				      json_pack("[ss]", c->sender_key[i], c->recipient_key[i]));
	if (json_array_size(keys) > 0)
		json_object_update_new(o, json_pack("{sO}", "keys", keys));
	json_decref(keys);
	if (c->person != NULL) {
		json_t *forms = json_array();

		for (size_t i = 0; i < 2 && c->person_key[i] != NULL; i++)
			json_array_append_new(forms, json_string(c->person_key[i]));
		json_object_update_new(o, json_pack("{ssso}", "person", c->person, "forms", forms));
	}
	say(json_pack("{so}", "commit", o));
	got = answer();
	if (error_of(got) != NULL) {
		snprintf(err, DB_ERROR_MAX, "%s", error_of(got));
	} else {
		*no = session.no = json_integer_value(json_object_get(got, "no"));
		result = 0;
	}
	json_decref(got);
	return result;
}

int site_session_begin(const struct cli *cli, struct settings *s, struct db *d, bool *is_away)
{
	char **words;
	json_t *o;
	int code;

	if (s->centre[0] == '\0')
		return 0;
	words = site_session_words(cli, "change", 0, NULL);
	code = site_session_start(words);
	free(words);
	if (code != 0)
		return code;
	o = answer();
	if (error_of(o) != NULL) {
		if (is_away != NULL && json_is_true(json_object_get(o, "away")))
			*is_away = true;
		else
			cli_error("the centre: %s; nothing was changed", error_of(o));
		json_decref(o);
		site_session_stop();
		return EX_TEMPFAIL;
	}
	session.db = d;
	session.cli = cli;
	session.remote = (struct db_remote){
		.next_rule = json_integer_value(json_object_get(o, "next_rule")),
		.row = send_row,
		.commit = send_commit};
	json_decref(o);
	db_set_remote(d, &session.remote);
	return 0;
}

/* "in force on mx1, mx2; mx3 was last seen 40 s ago" */
static void tell(const json_t *o)
{
	const json_t *hosts = json_object_get(o, "hosts");
	const char *me = json_string_value(json_object_get(o, "me"));
	char in_force[1000] = "", others[1000] = "";

	for (size_t i = 0; i < json_array_size(hosts); i++) {
		const json_t *h = json_array_get(hosts, i);
		const char *name = json_string_value(json_object_get(h, "name"));
		size_t used;

		if (name == NULL)
			continue;
		if (json_integer_value(json_object_get(h, "rules_no")) >= session.no ||
		    (me != NULL && strcmp(name, me) == 0)) {
			used = strlen(in_force);
			snprintf(in_force + used, sizeof in_force - used, "%s%s",
				 used > 0 ? ", " : "", name);
			continue;
		}
		used = strlen(others);
		if (json_is_null(json_object_get(h, "silent_s")))
			snprintf(others + used, sizeof others - used, "; %s was never seen", name);
		else
			snprintf(others + used, sizeof others - used,
				 "; %s was last seen %" PRId64 " s ago", name,
				 (int64_t)json_integer_value(json_object_get(h, "silent_s")));
	}
	cli_warning("in force on %s%s", in_force[0] != '\0' ? in_force : "no host yet", others);
}

int site_session_end(int code)
{
	const int64_t wait_s = session.cli != NULL ? session.cli->site_wait_s : -1;
	json_t *o;

	if (session.pid == 0)
		return code;
	db_set_remote(session.db, NULL);
	if (session.no != 0) {
		say(json_pack("{sI}", "wait_ms",
			      (json_int_t)(wait_s < 0		 ? WAIT_MS
					   : wait_s > WAIT_MAX_S ? WAIT_MAX_S * 1000
								 : wait_s * 1000)));
		o = answer();
		if (error_of(o) != NULL)
			cli_warning("the change is made; who has it is not known: %s", error_of(o));
		else
			tell(o);
		if (code == 0 && wait_s >= 0 && !json_is_true(json_object_get(o, "is_everywhere")))
			code = EX_TEMPFAIL;
		json_decref(o);
	}
	site_session_stop();
	return code;
}
