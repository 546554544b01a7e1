/* SPDX-License-Identifier: ISC */
#include "cli/site_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/open.h"
#include "cli/site_session.h"
#include "db/site.h"

#define UNTIL_MAX_UNIX INT64_C(253402300799)

/* Pages until an empty one. */
static int take_pages(struct db *d)
{
	int64_t last_id = 0;
	int code = EX_UNAVAILABLE;
	bool has_more = true;

	while (has_more) {
		json_t *page = site_session_line();
		const char *error = json_string_value(json_object_get(page, "error"));
		char *text = error == NULL ? json_dumps(page, JSON_COMPACT) : NULL;

		has_more = json_is_array(page) && json_array_size(page) > 0;
		if (text == NULL || !json_is_array(page)) {
			cli_error("the centre: %s", error != NULL ? error : "pgpgate-sync ended");
			has_more = false;
		} else if (has_more && site_rows_add(d, text, &last_id) != 0) {
			code = open_failed(d);
			has_more = false;
		} else if (!has_more) {
			code = 0;
		}
		free(text);
		json_decref(page);
	}
	return code;
}

int site_rows_read(const struct cli *cli, const struct settings *s, struct db *d,
		   int64_t since_unix, int64_t until_unix, const char *queue_id)
{
	char about[400], *more[] = {about}, **words;
	int code;

	if (s->centre[0] == '\0') {
		cli_error(
			"--site: this host stands alone, there is no centre in the configuration");
		return EX_CONFIG;
	}
	if (queue_id != NULL && (strlen(queue_id) > 250 || strpbrk(queue_id, " ,") != NULL))
		cli_misuse(cli, "'%s' is no queue id", queue_id);
	snprintf(about, sizeof about, "%lld,%lld%s%s", (long long)(since_unix > 0 ? since_unix : 0),
		 (long long)(until_unix > 0 ? until_unix : UNTIL_MAX_UNIX),
		 queue_id != NULL ? "," : "", queue_id != NULL ? queue_id : "");
	if (site_rows_begin(d) != 0)
		return open_failed(d);
	words = site_session_words(cli, "rows", 1, more);
	code = site_session_start(words);
	free(words);
	if (code == 0)
		code = take_pages(d);
	site_session_stop();
	return code == 0 && site_rows_end(d) != 0 ? open_failed(d) : code;
}
