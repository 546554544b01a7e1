/* SPDX-License-Identifier: ISC
 *
 * rows.c: the record of all hosts, for the command line (sync/commands.h): a line of JSON for each
 * page, an empty one at the end.
 */
#include "sync/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "sync/host.h"

#define PAGE_ROWS "2000"
#define NOBODY "00000000-0000-0000-0000-000000000000"
#define ROWS_TIMEOUT_MS 60000

static int say_error(const char *what)
{
	json_t *o = json_pack("{ss}", "error", what);

	json_dumpf(o, stdout, JSON_COMPACT);
	json_decref(o);
	putchar('\n');
	return EX_UNAVAILABLE;
}

/* Where the page after this one begins. Whether there is one. */
static bool move_on(const char *page, char time[24], char host[SITE_ID_MAX], char no[24])
{
	json_error_t e;
	json_t *rows = json_loads(page, 0, &e);
	const size_t n = json_array_size(rows);
	const json_t *last = n > 0 ? json_array_get(rows, n - 1) : NULL;
	const char *id = json_string_value(json_array_get(last, 0));

	if (id != NULL) {
		snprintf(host, SITE_ID_MAX, "%s", id);
		snprintf(no, 24, "%" PRId64, (int64_t)json_integer_value(json_array_get(last, 1)));
		snprintf(time, 24, "%" PRId64,
			 (int64_t)json_integer_value(json_array_get(last, 2)));
	}
	json_decref(rows);
	return id != NULL;
}

int command_rows(struct settings *s, const char *about)
{
	char since[24], until[24], queue_id[300] = "", time[24], host[SITE_ID_MAX] = NOBODY,
				   no[24] = "0";
	const char *const parameters[] = {since, until, queue_id, time, host, no};
	struct pg *centre = pg_new(s->centre, ROWS_TIMEOUT_MS);
	bool has_more = true;

	if (centre == NULL ||
	    sscanf(about, "%23[0-9],%23[0-9],%299s", since, until, queue_id) < 2) {
		pg_free(centre);
		return say_error("which rows?");
	}
	snprintf(time, sizeof time, "%s", since);
	while (has_more && !ferror(stdout)) {
		char *page;

		if (pg_call(centre,
			    "SELECT pgpgate.verdict_page($1, $2, nullif($3, ''), $4, $5, "
			    "$6, " PAGE_ROWS ")",
			    6, parameters, &page) != 0 ||
		    page == NULL) {
			say_error(pg_error(centre));
			pg_free(centre);
			return EX_UNAVAILABLE;
		}
		puts(page);
		has_more = move_on(page, time, host, no);
		free(page);
	}
	pg_free(centre);
	return EX_OK;
}
