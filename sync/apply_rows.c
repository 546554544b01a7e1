/* SPDX-License-Identifier: ISC */
#include "sync/apply_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "db/person.h"
#include "db/verdicts.h"
#include "sync/answer.h"

#define SETTLE_MS 2000

int items_add(struct items *i, const char *text)
{
	if (i->n == i->room) {
		const size_t room = i->room == 0 ? 256 : 2 * i->room;
		char **more = realloc(i->text, room * sizeof *more);

		if (more == NULL)
			return -1;
		i->text = more;
		i->room = room;
	}
	i->text[i->n] = strdup(text);
	return i->text[i->n] != NULL ? (i->n++, 0) : -1;
}

void items_free(struct items *i)
{
	for (size_t n = 0; n < i->n; n++)
		free(i->text[n]);
	free(i->text);
}

/* ---- rows of rules ---- */

/* [position, text, is_removal, rule_id, author, created_at]; without a rule's number an item of
 * keys. */
static int apply_row(struct host *h, struct site_edit *e, struct items *items, const json_t *row)
{
	const struct site_rule r = {
		.text = json_string_value(json_array_get(row, 1)),
		.is_removal = json_is_true(json_array_get(row, 2)),
		.id = json_integer_value(json_array_get(row, 3)),
		.author = json_string_value(json_array_get(row, 4)),
		.created_at_unix = json_integer_value(json_array_get(row, 5)),
	};
	int result;

	if (r.text == NULL || r.author == NULL || strlen(r.text) > ANSWER_TEXT_MAX) {
		host_fail(h, "the centre: a rule that cannot be read");
		return DAMAGED;
	}
	if (items != NULL && r.id == 0 && !r.is_removal)
		return items_add(items, r.text) == 0 ? 0 : host_fail(h, "out of memory");
	result = site_edit_row(e, &r);
	if (result == 0)
		return 0;
	host_fail_db(h);
	return result == SITE_UNREADABLE ? DAMAGED : -1;
}

int apply_rows(struct host *h, struct site_edit *e, struct items *items, const char *sql,
	       int64_t no, int64_t n_expected, int64_t *n_rows)
{
	char number_text[24], after[24] = "0";
	const char *parameters[2] = {after, NULL};
	size_t n;

	snprintf(number_text, sizeof number_text, "%" PRId64, no);
	if (no != 0) {
		parameters[0] = number_text;
		parameters[1] = after;
	}
	do {
		json_t *page = host_ask(h, sql, no == 0 ? 1 : 2, parameters);
		int result = page != NULL ? 0 : -1;
		int64_t last = -1;

		n = json_array_size(page);
		for (size_t i = 0; i < n && result == 0; i++) {
			const json_t *row = json_array_get(page, i);
			const int64_t position = json_integer_value(json_array_get(row, 0));

			/* Each page leads on from the one before, or this would not end. */
			if (position <= last || position <= strtoll(after, NULL, 10)) {
				host_fail(h, "the centre: rows without an order");
				result = DAMAGED;
			} else {
				result = apply_row(h, e, items, row);
			}
			last = position;
		}
		if (n > 0)
			snprintf(after, sizeof after, "%" PRId64, last);
		*n_rows += (int64_t)n;
		json_decref(page);
		if (result != 0)
			return result;
	} while (n > 0 && *n_rows < n_expected);
	return 0;
}

/* ---- people ---- */

/* What waits in the journal first: it would come later. */
int apply_person_removal(struct host *h, const char *address)
{
	struct person_counts counts;

	verdicts_settle(h->db, SETTLE_MS);
	return person_remove(h->db, address, &counts) == 0 ? 0 : host_fail_db(h);
}

void apply_warn_forgotten(int64_t no)
{
	log_warning("by change %" PRId64
		    " a person was forgotten whom the centre does not know any more: was the "
		    "database of this host put back from a backup? Then `pgpgate forget --person` "
		    "is to be said once more",
		    no);
}
