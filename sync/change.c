/* SPDX-License-Identifier: ISC
 *
 * change.c: one change of rules, made at the centre for the command line, which speaks JSON with
 * this process over pipes (sync/commands.h). The centre is locked from the first word to the last,
 * and this host has all changes before.
 */
#include "sync/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "common/clock.h"
#include "sync/answer.h"
#include "sync/host.h"

#define ROWS_AT_ONCE 1000
#define BYTES_AT_ONCE 4000000
#define CHANGE_TIMEOUT_MS 60000 /* another change may hold the lock for long: an import */
#define ASK_AGAIN_MS 50		/* at most: sooner at first */
#define SILENT_S 30		/* a host that was not seen for so long is not waited for */

struct change_session {
	struct host host;
	struct pg *admin;
	json_t *rows;
	int64_t n_rows;
	size_t n_bytes; /* of the rows that are gathered */
	int64_t no;	/* of the change that was made; 0: none yet */
};

static void say(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	json_decref(o);
	putchar('\n');
	fflush(stdout);
}

static int say_error(const char *what, bool is_away)
{
	json_t *o = json_object();

	json_object_set_new(o, "error", json_string(what));
	json_object_set_new(o, "away", json_boolean(is_away));
	say(o);
	return 1;
}

static int refuse(const struct change_session *s)
{
	return say_error(pg_error(s->admin), !pg_was_refused(s->admin) || pg_was_unable(s->admin));
}

/* Locks the centre and catches up. 0, or an exit code after having said why. */
static int begin(struct change_session *s)
{
	json_error_t e;
	json_t *head, *ready;
	int64_t no;
	char *out;

	if (host_read(&s->host) != 1)
		return say_error(
			"this host belongs to no site: `pgpgate site join` enters it; without "
			"`centre` in the configuration it stands alone",
			false);
	if (pg_call(s->admin, "BEGIN", 0, NULL, NULL) != 0 ||
	    pg_call(s->admin, "SET LOCAL lock_timeout = '50s'", 0, NULL, NULL) != 0 ||
	    pg_call(s->admin, "SELECT pgpgate.change_begin()", 0, NULL, &out) != 0)
		return refuse(s);
	head = out != NULL ? json_loads(out, 0, &e) : NULL;
	free(out);
	if (head == NULL)
		return say_error("an answer that is none", false);
	no = json_integer_value(json_object_get(head, "no"));
	if (host_pull(&s->host) != 0) {
		json_decref(head);
		return say_error(s->host.error, !s->host.is_refused);
	}
	if (s->host.state.rules_no != no) {
		json_decref(head);
		return say_error("this host has not caught up with the centre; try again", false);
	}
	ready = json_object();
	json_object_set(ready, "next_rule", json_object_get(head, "next_rule"));
	json_decref(head);
	say(ready);
	return 0;
}

static int send_rows(struct change_session *s)
{
	char *dump;
	const char *parameters[1];
	int result;

	if (json_array_size(s->rows) == 0)
		return 0;
	dump = json_dumps(s->rows, JSON_COMPACT);
	parameters[0] = dump;
	result = dump != NULL ? pg_call(s->admin, "SELECT pgpgate.change_add($1::jsonb)", 1,
					parameters, NULL)
			      : -1;
	free(dump);
	json_array_clear(s->rows);
	s->n_bytes = 0;
	return result;
}

/* The connection was lost at COMMIT: is the change there? */
static bool is_there(struct change_session *s, const char *mark)
{
	const char *const parameters[] = {mark};
	char *out = NULL;
	bool is;

	pg_call(s->admin, "SELECT 'yes' FROM pgpgate.change WHERE mark = $1::uuid", 1, parameters,
		&out);
	is = out != NULL;
	free(out);
	return is;
}

static int commit(struct change_session *s, json_t *change)
{
	const char *parameters[2] = {s->host.state.host_id, NULL};
	json_error_t e;
	json_t *made = NULL, *answer;
	char *dump = json_dumps(change, JSON_COMPACT), *out = NULL;

	parameters[1] = dump;
	if (dump == NULL || send_rows(s) != 0 ||
	    pg_call(s->admin, "SELECT pgpgate.change_commit($1, $2::jsonb)", 2, parameters, &out) !=
		    0) {
		free(dump);
		return refuse(s);
	}
	free(dump);
	made = out != NULL ? json_loads(out, 0, &e) : NULL;
	free(out);
	if (made == NULL)
		return say_error("an answer that is none", false);
	if (pg_call(s->admin, "COMMIT", 0, NULL, NULL) != 0 &&
	    !is_there(s, json_string_value(json_object_get(made, "mark")))) {
		json_decref(made);
		return say_error(
			"the connection was lost at the end: nothing was changed, or it is not "
			"known; see `pgpgate rules --history`",
			false);
	}
	s->no = json_integer_value(json_object_get(made, "no"));
	json_decref(made);
	answer = json_object();
	json_object_set_new(answer, "no", json_integer(s->no));
	say(answer);
	return 0;
}

/* A host that is there, and does not have the change. */
static bool is_awaited(const struct change_session *s, const json_t *h)
{
	const json_t *silent = json_object_get(h, "silent_s");

	return answer_number(h, "rules_no") < s->no && !json_is_null(silent) &&
	       json_integer_value(silent) <= SILENT_S &&
	       strcmp(answer_text(h, "name"), host_name(s->host.settings)) != 0;
}

/* Who has it: answers when all have, or when the time is over. */
static int wait_for_hosts(struct change_session *s, int64_t wait_ms)
{
	struct timespec pause = {.tv_nsec = 5000000L};
	const int64_t until_ms = clock_monotonic_ms() + wait_ms;
	json_error_t e;
	json_t *all = NULL;
	bool is_everywhere = false;

	if (host_pull(&s->host) != 0)
		return say_error(s->host.error, true);
	while (!is_everywhere) {
		const json_t *hosts;
		char *out;

		json_decref(all);
		if (pg_call(s->host.centre, "SELECT pgpgate.hosts_json()", 0, NULL, &out) != 0)
			return say_error(pg_error(s->host.centre), true);
		all = out != NULL ? json_loads(out, 0, &e) : NULL;
		free(out);
		hosts = json_object_get(all, "hosts");
		is_everywhere = true;
		for (size_t i = 0; i < json_array_size(hosts); i++) {
			const json_t *h = json_array_get(hosts, i);

			if (is_awaited(s, h))
				is_everywhere = false;
		}
		if (is_everywhere || clock_monotonic_ms() >= until_ms)
			break;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < ASK_AGAIN_MS * 1000000L / 2)
			pause.tv_nsec *= 2;
	}
	if (all == NULL)
		all = json_object();
	json_object_set_new(all, "change", json_integer(s->no));
	json_object_set_new(all, "is_everywhere", json_boolean(is_everywhere));
	json_object_set_new(all, "me", json_string(host_name(s->host.settings)));
	say(all);
	return 0;
}

static int take(struct change_session *s, const char *line)
{
	json_error_t e;
	json_t *o = json_loads(line, 0, &e), *row = json_object_get(o, "row");
	int code = 0;

	if (row != NULL && s->host.version < 2 && !json_is_true(json_array_get(row, 4)) &&
	    json_integer_value(json_array_get(row, 5)) == 0) {
		code = say_error("it is of version 1, which keeps no keys: `pgpgate site init` "
				 "brings it up to date",
				 false);
	} else if (row != NULL) {
		json_array_insert_new(row, 0, json_integer(++s->n_rows));
		json_array_append(s->rows, row);
		s->n_bytes += strlen(line);
		if ((json_array_size(s->rows) >= ROWS_AT_ONCE || s->n_bytes > BYTES_AT_ONCE) &&
		    send_rows(s) != 0)
			code = refuse(s);
	} else if (json_object_get(o, "commit") != NULL) {
		code = commit(s, json_object_get(o, "commit"));
	} else if (json_object_get(o, "wait_ms") != NULL) {
		code = wait_for_hosts(s, json_integer_value(json_object_get(o, "wait_ms")));
	} else {
		code = say_error("a line that is none", false);
	}
	json_decref(o);
	return code;
}

int command_change(struct settings *s, struct db *d)
{
	char *line = NULL;
	size_t size = 0;
	struct change_session session = {.rows = json_array()};
	struct pg *centre = pg_new(s->centre, HOST_TIMEOUT_MS);
	int code;

	session.admin = pg_new(s->centre_admin[0] != '\0' ? s->centre_admin : s->centre,
			       CHANGE_TIMEOUT_MS);
	if (centre == NULL || session.admin == NULL)
		return say_error("out of memory", false);
	host_init(&session.host, s, d, centre);
	/* A centre that is away is noticed in five seconds; one that is busy is waited for. */
	if (pg_open(centre) != 0)
		code = say_error(pg_error(centre), true);
	else
		code = begin(&session);
	while (code == 0 && getline(&line, &size, stdin) > 0)
		code = take(&session, line);
	free(line);
	json_decref(session.rows);
	pg_free(session.admin);
	pg_free(centre);
	return code;
}
