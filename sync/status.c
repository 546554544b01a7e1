/* SPDX-License-Identifier: ISC
 *
 * status.c: `pgpgate site status` (sync/commands.h). Exit 1 if something is wrong.
 */
#include "sync/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <jansson.h>

#include "common/clock.h"
#include "sync/host.h"

#define SILENT_S 30
#define OFFSET_MS 2000
#define APPLY_MS 3000
#define BEHIND_S 60 /* rows that wait longer are behind */

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* What is wrong with a host; "" if nothing. */
static const char *trouble(const json_t *h, int64_t head_no)
{
	const int64_t offset_ms = number(h, "offset_ms"), oldest_unix = number(h, "oldest");

	if (json_is_null(json_object_get(h, "silent_s")))
		return "never seen";
	if (number(h, "silent_s") > SILENT_S)
		return "silent";
	if (offset_ms > OFFSET_MS || offset_ms < -OFFSET_MS)
		return "its clock is wrong";
	if (oldest_unix != 0 && clock_now_unix() - oldest_unix > BEHIND_S)
		return "its record is behind";
	if (number(h, "rules_no") < head_no)
		return "its rules are behind";
	return json_string_length(json_object_get(h, "here")) > 0 ? "something holds there alone"
								  : "";
}

/* As it may go to a terminal, whatever the centre says. */
static const char *shown(const json_t *h, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(h, key));

	snprintf(out, size, "%s", text != NULL ? text : "");
	for (char *c = out; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return out;
}

static void print_host(const json_t *h, const char *wrong)
{
	char name[100], version[50], here[1001];

	printf("%-20s %-10s %6" PRId64 " s %8" PRId64 " %8" PRId64 " %7" PRId64 " ms  %s%s%s\n",
	       shown(h, "name", name, sizeof name), shown(h, "version", version, sizeof version),
	       number(h, "silent_s"), number(h, "rules_no"), number(h, "waiting"),
	       number(h, "offset_ms"), wrong,
	       json_string_length(json_object_get(h, "here")) > 0 ? ": " : "",
	       shown(h, "here", here, sizeof here));
}

/* Somebody who is there does not have the change. */
static bool is_awaited(const json_t *all, int64_t head_no)
{
	const json_t *hosts = json_object_get(all, "hosts");

	for (size_t i = 0; i < json_array_size(hosts); i++) {
		const json_t *h = json_array_get(hosts, i);

		if (number(h, "rules_no") < head_no && number(h, "silent_s") <= SILENT_S)
			return true;
	}
	return false;
}

/* What the centre says of its hosts, and, in *head_no, of its changes; those who are about to apply
 * the last of them get the time for it. NULL: failed (pg_error()). */
static json_t *ask(struct pg *centre, int64_t *head_no)
{
	const struct timespec step = {.tv_nsec = 200000000L};
	const int64_t until_ms = clock_monotonic_ms() + APPLY_MS;
	json_t *all = NULL;
	bool is_first = true;

	do {
		json_error_t e;
		char *text;

		if (!is_first)
			nanosleep(&step, NULL);
		json_decref(all);
		if (pg_call(centre, "SELECT pgpgate.hosts_json()", 0, NULL, &text) != 0)
			return NULL;
		all = json_loads(text != NULL ? text : "{}", 0, &e);
		free(text);
		if (is_first)
			*head_no = number(all, "no");
		is_first = false;
	} while (is_awaited(all, *head_no) && clock_monotonic_ms() < until_ms);
	return all != NULL ? all : json_object();
}

static int show(const json_t *all, int64_t head_no, bool is_json)
{
	const json_t *hosts = json_object_get(all, "hosts");
	int code = EX_OK;

	if (!is_json)
		printf("%-20s %-10s %8s %8s %8s %10s\n", "host", "version", "seen", "change",
		       "to push", "clock");
	for (size_t i = 0; i < json_array_size(hosts); i++) {
		json_t *h = json_array_get(hosts, i);
		const char *wrong = trouble(h, head_no);

		if (wrong[0] != '\0')
			code = 1;
		if (is_json) {
			json_object_set_new(h, "problem",
					    wrong[0] != '\0' ? json_string(wrong) : json_null());
			json_dumpf(h, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			print_host(h, wrong);
		}
	}
	return code;
}

int command_status(struct settings *s, struct db *d, bool is_json)
{
	struct pg *centre = pg_new(s->centre, HOST_TIMEOUT_MS);
	struct site_state state;
	int64_t head_no = 0;
	json_t *all = NULL;
	int code = 1;

	if (site_read(d, &state) != 1) {
		fputs("pgpgate: this host belongs to no site\n", stderr);
	} else if (centre == NULL || (all = ask(centre, &head_no)) == NULL) {
		fprintf(stderr,
			"pgpgate: the centre: %s; last heard %" PRId64 " s ago, change %" PRId64
			" is in force here\n",
			centre != NULL ? pg_error(centre) : "out of memory",
			clock_now_unix() - state.last_pull_unix, state.rules_no);
	} else {
		code = show(all, head_no, is_json);
	}
	json_decref(all);
	pg_free(centre);
	return code;
}
