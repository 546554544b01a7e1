/* SPDX-License-Identifier: ISC */
#include "db/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/engine/key.h"
#include "db/record/journal_tail.h"
#include "db/record/key_ids.h"
#include "db/record/verdict_row.h"
#include "db/rules/rule_row.h"

#define PAGE_VERDICTS 500 /* under one snapshot: a few ms */
#define FOREVER INT64_MAX

struct page {
	struct arena arena;
	struct report_row *rows;
	size_t n, room;
	size_t recipients_room; /* of the last row */
};

static struct report_row *add_row(struct page *p)
{
	if (p->n == p->room) {
		const size_t room = p->room == 0 ? PAGE_VERDICTS : 2 * p->room;
		struct report_row *more = realloc(p->rows, room * sizeof *more);

		if (more == NULL)
			return NULL;
		p->rows = more;
		p->room = room;
	}
	p->recipients_room = 0;
	memset(&p->rows[p->n], 0, sizeof p->rows[0]);
	return &p->rows[p->n++];
}

static void fill_row(struct page *p, sqlite3_stmt *st, struct report_row *row)
{
	row->id = sqlite3_column_int64(st, 0);
	row->time_unix = sqlite3_column_int64(st, 1);
	row->sender = column_keep_address(&p->arena, st, 2);
	row->client = column_keep(&p->arena, st, 3);
	row->is_authenticated = column_text(st, 4)[0] != '\0';
	row->is_local = sqlite3_column_int(st, 5) != 0;
	row->size_bytes = column_count(st, 6);
	verdict_from_name(column_text(st, 7), &row->judgement.verdict);
	form_from_name(column_text(st, 8), &row->judgement.form);
	db_column_text(st, 9, row->judgement.reason, sizeof row->judgement.reason);
	row->judgement.cleartext_bytes = column_count(st, 10);
	row->judgement.returns_readable = sqlite3_column_int(st, 11) != 0;
	row->judgement.size_bytes = row->size_bytes;
	key_ids_parse(column_text(st, 21), &row->judgement);
	action_from_name(column_text(st, 12), &row->action);
	action_from_name(column_text(st, 13), &row->would);
}

/* -1: no memory. */
static int add_recipient(struct page *p, sqlite3_stmt *st, struct report_row *row)
{
	struct report_recipient *r;

	if (row->n_recipients == p->recipients_room) {
		const size_t room = p->recipients_room == 0 ? 2 : 2 * p->recipients_room;
		struct report_recipient *more = arena_take(&p->arena, room * sizeof *more);

		if (more == NULL)
			return -1;
		if (row->n_recipients > 0)
			memcpy(more, row->recipients, row->n_recipients * sizeof *more);
		row->recipients = more;
		p->recipients_room = room;
	}
	r = &row->recipients[row->n_recipients++];
	r->address = column_keep_address(&p->arena, st, 14);
	r->is_trustworthy = sqlite3_column_int(st, 15) != 0;
	requirement_from_name(column_text(st, 16), &r->requirement);
	requirement_from_name(column_text(st, 17), &r->demand);
	r->source = column_source(st, 18);
	r->rule_id = sqlite3_column_int64(st, 19);
	r->passes = sqlite3_column_int(st, 20) != 0;
	return 0;
}

/* All that a statement gives, verdicts by id together. 0 or -1. */
static int take_rows(struct db *d, struct page *p, sqlite3_stmt *st)
{
	struct report_row *row = NULL;
	int got;

	while ((got = db_step(d, st)) == 1) {
		if (row == NULL || row->id != sqlite3_column_int64(st, 0)) {
			row = add_row(p);
			if (row != NULL)
				fill_row(p, st, row);
		}
		if (row == NULL || (sqlite3_column_type(st, 14) != SQLITE_NULL &&
				    add_recipient(p, st, row) != 0)) {
			sqlite3_reset(st);
			return db_fail(d, DB_BROKEN, "out of memory");
		}
	}
	return got == 0 && p->arena.n_failed > 0 ? db_fail(d, DB_BROKEN, "out of memory") : got;
}

/* Reads the verdicts behind (*time_unix, *id), up to a page. 0 or -1. */
static int read_page(struct db *d, struct page *p, int64_t *time_unix, int64_t *id, int64_t until)
{
	sqlite3_stmt *st;
	int got = -1;

	p->n = 0;
	arena_reset(&p->arena);
	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_REPORT_PAGE);
	if (st != NULL) {
		db_bind_int(st, 1, *time_unix);
		db_bind_int(st, 2, *id);
		db_bind_int(st, 3, until);
		db_bind_int(st, 4, PAGE_VERDICTS);
		got = take_rows(d, p, st);
	}
	if (p->n > 0) {
		*time_unix = p->rows[p->n - 1].time_unix;
		*id = p->rows[p->n - 1].id;
	}
	return db_end(d, got);
}

struct reading {
	struct db *d;
	int64_t since_unix, until_unix;
	int64_t last_id; /* newer ones are in the journal's tail as well */
	int (*tell)(void *context, const struct report_row *row);
	void *context;
	struct page page;
};

static int tell_stored(struct reading *r)
{
	int64_t time_unix = r->since_unix, id = INT64_MIN;
	int result;

	do {
		result = read_page(r->d, &r->page, &time_unix, &id, r->until_unix);
		for (size_t i = 0; i < r->page.n && result == 0; i++)
			if (r->page.rows[i].id <= r->last_id)
				result = r->tell(r->context, &r->page.rows[i]);
	} while (result == 0 && r->page.n == PAGE_VERDICTS);
	return result;
}

/* ---- those to one address: first their ids, then the rows ---- */

struct place {
	int64_t time_unix, id;
};

struct places {
	struct place *place;
	size_t n, room;
};

static int by_time(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->time_unix != y->time_unix)
		return x->time_unix > y->time_unix ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

/* What is bound has to stay there until the statement has run. A copy that the engine makes is NULL
 * without memory, which finds nothing and says nothing. */
struct keys {
	char plain[KEY_MAX], hashed[KEY_MAX], from[KEY_MAX + 1], end[KEY_MAX + 1];
};

/* Binds the keys under which the address may be stored from parameter 3 on: plain, hashed, and all
 * that a delimiter and more follow. */
static void bind_keys(sqlite3_stmt *st, const struct report_matcher *m, struct keys *k)
{
	unsigned char first = 0xff, last = 0;

	db_bind_text(st, 3, key_from_address(m->pattern.text, k->plain));
	for (const char *c = m->delimiters; *c != '\0'; c++) {
		first = (unsigned char)*c < first ? (unsigned char)*c : first;
		last = (unsigned char)*c > last ? (unsigned char)*c : last;
	}
	if (first <= last && last < 0x7f) {
		snprintf(k->from, sizeof k->from, "%s%c", k->plain, first);
		db_bind_text(st, 5, k->from);
		snprintf(k->end, sizeof k->end, "%s%c", k->plain, last + 1);
		db_bind_text(st, 6, k->end);
	}
	if (m->is_whole)
		db_bind_text(st, 4, key_from_address(m->hashed, k->hashed));
}

static int add_place(struct db *d, struct places *p, sqlite3_stmt *st)
{
	if (p->n == p->room) {
		const size_t room = p->room == 0 ? PAGE_VERDICTS : 2 * p->room;
		struct place *more = realloc(p->place, room * sizeof *more);

		if (more == NULL)
			return db_fail(d, DB_BROKEN, "out of memory");
		p->place = more;
		p->room = room;
	}
	p->place[p->n++] = (struct place){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)};
	return 0;
}

static int find_places(const struct reading *r, const struct report_matcher *to, struct places *p)
{
	struct keys keys;
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(r->d) != 0)
		return -1;
	st = db_statement(r->d, SQL_REPORT_IDS_TO);
	if (st != NULL) {
		db_bind_int(st, 1, r->since_unix);
		db_bind_int(st, 2, r->until_unix);
		bind_keys(st, to, &keys);
		while ((got = db_step(r->d, st)) == 1)
			if (add_place(r->d, p, st) != 0)
				break;
	}
	if (db_end(r->d, got == 0 ? 0 : -1) != 0)
		return -1;
	if (p->n > 0)
		qsort(p->place, p->n, sizeof p->place[0], by_time);
	return 0;
}

static int read_places(struct db *d, struct page *page, const struct place *place, size_t n)
{
	int got = 0;

	page->n = 0;
	arena_reset(&page->arena);
	if (db_begin_read(d) != 0)
		return -1;
	for (size_t i = 0; i < n && got == 0; i++) {
		sqlite3_stmt *st = db_statement(d, SQL_REPORT_ROW);

		if (st == NULL) {
			got = -1;
			break;
		}
		db_bind_int(st, 1, place[i].id);
		got = take_rows(d, page, st);
	}
	return db_end(d, got);
}

static int tell_stored_to(struct reading *r, const struct report_matcher *to)
{
	struct places p = {0};
	int result = find_places(r, to, &p);

	for (size_t at = 0; at < p.n && result == 0; at += PAGE_VERDICTS) {
		const size_t left = p.n - at;

		result = read_places(r->d, &r->page, p.place + at,
				     left < PAGE_VERDICTS ? left : PAGE_VERDICTS);
		for (size_t i = 0; i < r->page.n && result == 0; i++)
			if (r->page.rows[i].id <= r->last_id)
				result = r->tell(r->context, &r->page.rows[i]);
	}
	free(p.place);
	return result;
}

static int tell_waiting(void *context, const struct stored_verdict *v)
{
	struct reading *r = context;
	struct arena *a = &r->page.arena;
	struct verdict_row from;
	struct report_row row;

	if (v->record.time_unix < r->since_unix || v->record.time_unix >= r->until_unix)
		return 0;
	arena_reset(a);
	if (verdict_row_of(a, v, &from) != 0)
		return db_fail(r->d, DB_BROKEN, "out of memory");
	row = (struct report_row){.id = from.id,
				  .time_unix = from.record.time_unix,
				  .sender = from.record.sender,
				  .client = from.record.client,
				  .is_authenticated = from.record.authenticated[0] != '\0',
				  .is_local = from.record.is_local,
				  .size_bytes = from.record.size_bytes,
				  .judgement = from.judgement,
				  .action = from.record.action,
				  .would = from.record.would,
				  .n_recipients = from.record.n_recipients};
	row.recipients = arena_take(a, (row.n_recipients + 1) * sizeof row.recipients[0]);
	if (row.recipients == NULL)
		return db_fail(r->d, DB_BROKEN, "out of memory");
	for (size_t i = 0; i < row.n_recipients; i++) {
		const struct verdict_recipient *to = &from.record.recipients[i];

		row.recipients[i] = (struct report_recipient){
			to->address, to->is_trustworthy, to->requirement, to->demand,
			to->source,  to->rule_id,	 to->passes};
	}
	return r->tell(r->context, &row);
}

bool report_has_index(const struct report_matcher *m)
{
	return m->pattern.kind == PATTERN_MAILBOX || m->pattern.kind == PATTERN_DETAIL;
}

int report_rows_to(struct db *d, const struct report_matcher *to, int64_t since_unix,
		   int64_t until_unix, int (*tell)(void *context, const struct report_row *row),
		   void *context)
{
	const bool has_index = to != NULL && report_has_index(to);
	struct reading r = {.d = d,
			    .since_unix = since_unix,
			    .until_unix = until_unix != 0 ? until_unix : FOREVER,
			    .tell = tell,
			    .context = context};
	struct journal_tail *tail = journal_tail_open(d);
	int result = -1;

	if (tail != NULL && journal_tail_settle(tail, d, &r.last_id) == 0)
		result = has_index ? tell_stored_to(&r, to) : tell_stored(&r);
	if (result == 0)
		result = journal_tail_each(tail, d, tell_waiting, &r);
	journal_tail_close(tail);
	arena_reset(&r.page.arena);
	free(r.page.rows);
	return result;
}

int report_rows(struct db *d, int64_t since_unix, int64_t until_unix,
		int (*tell)(void *context, const struct report_row *row), void *context)
{
	return report_rows_to(d, NULL, since_unix, until_unix, tell, context);
}

/* One end of the span. 1, 0, -1. */
static int read_time(struct db *d, enum sql_statement which, int64_t since_unix, int64_t until_unix,
		     int64_t *out)
{
	sqlite3_stmt *st = db_statement(d, which);
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, since_unix);
	db_bind_int(st, 2, until_unix != 0 ? until_unix : FOREVER);
	got = db_step(d, st);
	if (got == 1) {
		*out = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	return got;
}

int report_span(struct db *d, int64_t since_unix, int64_t until_unix, int64_t *first_unix,
		int64_t *last_unix)
{
	int got;

	if (db_begin_read(d) != 0)
		return -1;
	got = read_time(d, SQL_REPORT_FIRST, since_unix, until_unix, first_unix);
	if (got == 1)
		got = read_time(d, SQL_REPORT_LAST, since_unix, until_unix, last_unix);
	return db_end(d, got < 0 ? -1 : 0) == 0 ? got : -1;
}

void report_matcher_init(struct db *d, const struct pattern *p, const char *delimiters,
			 struct report_matcher *m)
{
	const struct hashed *h = db_hashed(d);

	memset(m, 0, sizeof *m);
	m->pattern = *p;
	m->delimiters = delimiters;
	if (!h->has_key)
		return;
	if (p->kind == PATTERN_DOMAIN) {
		hashed_text(h, HASHED_DOMAIN, p->text, m->hashed);
	} else if (p->kind == PATTERN_MAILBOX || p->kind == PATTERN_DETAIL) {
		hashed_address(h, p->text, m->hashed);
		m->is_whole = true;
	}
}

bool report_matches(const struct report_matcher *m, const char *stored_address)
{
	struct address address;

	if (strncmp(stored_address, "h:", 2) == 0 && m->pattern.kind != PATTERN_ANY) {
		const char *at = strrchr(stored_address, '@');

		if (m->hashed[0] == '\0' || at == NULL)
			return false;
		return strcmp(m->is_whole ? stored_address : at + 1, m->hashed) == 0;
	}
	address_canonical(stored_address, strlen(stored_address), &address);
	return pattern_matches(&m->pattern, &address, m->delimiters);
}

bool report_is_public_suffix(const char *domain)
{
	return key_is_public_suffix(domain);
}

int report_rule(struct db *d, int64_t id, struct rule *out)
{
	return rules_of_id(d, id, out);
}
