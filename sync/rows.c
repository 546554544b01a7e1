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

#include "sync/answer.h"
#include "sync/host.h"

#define PAGE_ROWS 2000
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

/* Where the page after this one begins. 1, 0: it is the last one, -1: it does not lead on from the
 * one before, and would come for ever. */
static int move_on(const char *page, char time[24], char host[SITE_ID_MAX], char no[24])
{
	json_error_t e;
	json_t *rows = json_loads(page, 0, &e);
	const size_t n = json_array_size(rows);
	const json_t *last = n > 0 ? json_array_get(rows, n - 1) : NULL;
	const char *id = json_string_value(json_array_get(last, 0));
	const int64_t last_no = json_integer_value(json_array_get(last, 1));
	const int64_t last_time = json_integer_value(json_array_get(last, 2));
	int64_t order = last_time - strtoll(time, NULL, 10);
	int result = 0;

	if (order == 0 && id != NULL)
		order = strcmp(id, host);
	if (order == 0)
		order = last_no - strtoll(no, NULL, 10);
	if (n > 0 && (id == NULL || !answer_is_uuid(id) || order <= 0)) {
		result = -1;
	} else if (n > 0) {
		snprintf(host, SITE_ID_MAX, "%s", id);
		snprintf(no, 24, "%" PRId64, last_no);
		snprintf(time, 24, "%" PRId64, last_time);
		result = 1;
	}
	json_decref(rows);
	return result;
}

/* A page, malloc()ed; one that is too much for a value of PostgreSQL in parts: *n_rows is less
 * then. NULL: failed. */
static char *read_page(struct pg *centre, const char *const *parameters, int *n_rows)
{
	char n_text[24], *page = NULL;
	const char *given[7];

	memcpy(given, parameters, 6 * sizeof given[0]);
	given[6] = n_text;
	for (; *n_rows > 0; *n_rows /= 2) {
		snprintf(n_text, sizeof n_text, "%d", *n_rows);
		if (pg_call(centre,
			    "SELECT pgpgate.verdict_page($1, $2, nullif($3, ''), $4, $5, "
			    "$6, $7)",
			    7, given, &page) == 0)
			return page;
		if (!pg_was_refused(centre))
			break;
	}
	return NULL;
}

int command_rows(struct settings *s, const char *about)
{
	char since[24], until[24], queue_id[300] = "", time[24], host[SITE_ID_MAX] = NOBODY,
				   no[24] = "0";
	const char *const parameters[] = {since, until, queue_id, time, host, no};
	struct pg *centre = pg_new(s->centre, ROWS_TIMEOUT_MS);
	int has_more = 1, n_rows = PAGE_ROWS;

	if (centre == NULL ||
	    sscanf(about, "%23[0-9],%23[0-9],%299s", since, until, queue_id) < 2) {
		pg_free(centre);
		return say_error("which rows?");
	}
	snprintf(time, sizeof time, "%s", since);
	while (has_more == 1 && !ferror(stdout)) {
		char *page = read_page(centre, parameters, &n_rows);

		has_more = page != NULL ? move_on(page, time, host, no) : -1;
		if (has_more < 0)
			say_error(page == NULL ? pg_error(centre) : "rows without an order");
		else
			puts(page);
		free(page);
	}
	pg_free(centre);
	return has_more < 0 ? EX_UNAVAILABLE : EX_OK;
}
