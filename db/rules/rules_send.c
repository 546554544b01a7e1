/* SPDX-License-Identifier: ISC
 *
 * rules_send.c: an edit of rules at a host of a site is handed over to the centre (rules_edit.h).
 */
#include "db/rules/rules_edit.h"

#include <stdlib.h>
#include <string.h>

#include "db/rules/rule_row.h"

static int send_rule(struct rules_edit *e, const struct rule *r, bool is_removal, int64_t id)
{
	char text[RULE_TEXT_MAX], client[CLIENT_STORED_MAX];
	const struct db_remote_row row = {.text = rule_format(r, text, sizeof text),
					  .recipient = r->recipient.text,
					  .sender = r->has_sender ? r->sender.text : "",
					  .client = client_stored(r, client),
					  .is_removal = is_removal,
					  .id = id,
					  .author = r->author,
					  .created_at_unix = r->created_at_unix};

	return change_send_row(e->d, &row);
}

static int send_commit(struct rules_edit *e)
{
	const struct db_remote_change c = {.time_unix = e->change.time_unix,
					   .author = e->author,
					   .what = e->change.what,
					   .owner = e->owner,
					   .undoes = e->change.undoes};

	return change_send(e->d, &c, &e->change.no);
}

int rules_send_differences(struct rules_edit *e)
{
	for (size_t i = 0; i < e->n_differences; i++) {
		struct rules_difference *x = &e->differences[i];
		const bool is_removal = x->outcome == RULE_REMOVED;
		struct rule *r = is_removal ? &x->before : &x->after;

		if (!is_removal && r->id == 0)
			r->id = e->d->remote->next_rule++;
		if (send_rule(e, r, is_removal, r->id) != 0)
			return -1;
	}
	return send_commit(e);
}

struct staged_row {
	int64_t id;
	bool is_removal;
	struct rule rule;
};
#define SEND_ROWS 100

static int parse_staged(struct rules_edit *e, sqlite3_stmt *st, struct staged_row *row)
{
	char text[RULE_TEXT_MAX], err[400];

	row->id = sqlite3_column_int64(st, 0);
	db_column_text(st, 3, text, sizeof text);
	row->is_removal = text[0] == '\0';
	if (row->is_removal)
		db_column_text(st, 2, text, sizeof text);
	if (rule_parse(text, e->d->settings->recipient_delimiter, e->o.now_unix, &row->rule, err,
		       sizeof err) != 0)
		return db_fail(e->d, DB_BROKEN, "a staged rule cannot be read: %s", err);
	return 0;
}

/* Number, author and time of a rule that was staged. */
static int complete_staged(struct rules_edit *e, struct staged_row *row)
{
	struct db_state state;
	struct rule staged;
	bool is_staged;

	if (row->is_removal)
		return 0;
	if (db_read_state(e->d, &state) != 0 ||
	    rules_find_staged(e->d, &row->rule, e->stage.generation, state.live_generation, &staged,
			      &is_staged) != 1)
		return -1;
	row->rule = staged;
	if (e->change.undoes == 0)
		row->rule.id = 0;
	return 0;
}

static int read_staged(struct rules_edit *e, int64_t after_id, struct staged_row *page)
{
	sqlite3_stmt *st;
	int n = 0, got = -1;

	if (db_begin_read(e->d) != 0)
		return -1;
	st = db_statement(e->d, SQL_CHANGE_ROWS_PAGE);
	if (st != NULL) {
		db_bind_int(st, 1, e->change.key);
		db_bind_int(st, 2, after_id);
		db_bind_int(st, 3, SEND_ROWS);
		while ((got = db_step(e->d, st)) == 1)
			if (parse_staged(e, st, &page[n++]) != 0)
				break;
	}
	for (int i = 0; i < n && got == 0; i++)
		got = complete_staged(e, &page[i]);
	return db_end(e->d, got == 0 ? 0 : -1) == 0 ? n : -1;
}

int rules_send_staged(struct rules_edit *e)
{
	struct staged_row *page = calloc(SEND_ROWS, sizeof *page);
	int64_t last_id = 0;
	int n = SEND_ROWS, result = page != NULL ? 0 : db_fail(e->d, DB_BROKEN, "out of memory");

	while (result == 0 && n == SEND_ROWS) {
		n = read_staged(e, last_id, page);
		result = n < 0 ? -1 : 0;
		for (int i = 0; i < n && result == 0; i++) {
			struct rule *r = &page[i].rule;

			if (!page[i].is_removal && r->id == 0)
				r->id = e->d->remote->next_rule++;
			result = send_rule(e, r, page[i].is_removal, r->id);
			last_id = page[i].id;
		}
	}
	free(page);
	return result == 0 && last_id != 0 ? send_commit(e) : result;
}
