/* SPDX-License-Identifier: ISC */
#include "db/record/bounce.h"

#include <string.h>

#include "db/engine/internal.h"
#include "db/engine/key.h"
#include "db/record/verdict_write.h"

#define SECONDS_A_DAY 86400

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? key_registrable(at + 1) : "";
}

bool bounce_opens_window(const struct settings *s, const struct verdict_record *r)
{
	if (s->accept_bounces != BOUNCES_REPLY || !r->is_local || !r->is_sender_trustworthy ||
	    (r->action != ACTION_ACCEPT && r->action != ACTION_TAG) || r->sender == NULL ||
	    strchr(r->sender, '@') == NULL)
		return false;
	for (size_t i = 0; i < r->n_recipients; i++)
		if (strcmp(domain_of(r->recipients[i].address), domain_of(r->sender)) != 0)
			return true;
	return false;
}

static int open_window(struct db *d, const struct verdict_record *r)
{
	sqlite3_stmt *st = db_statement(d, SQL_BOUNCE_OPEN);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, r->sender);
	db_bind_int(st, 2, r->time_unix);
	db_bind_int(st, 3, BOUNCE_WINDOW_STEP_S);
	db_bind_int(st, 4, stored_verdict_latest(r));
	return db_run(d, st);
}

/* As outcome_note_bounce() has noted it. */
static int count_bounce(struct db *d, const struct stored_verdict *v)
{
	sqlite3_stmt *st = db_statement(d, SQL_BOUNCE_COUNT);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, v->recipients[0].key);
	db_bind_int(st, 2, v->record.time_unix / SECONDS_A_DAY);
	return db_run(d, st);
}

bool bounce_counts(const struct stored_verdict *v)
{
	return v->record.action != ACTION_TEMPFAIL && v->record.n_recipients == 1 &&
	       strcmp(v->record.judgement->reason, "bounce-expected") == 0;
}

int bounce_write(struct db *d, const struct stored_verdict *v)
{
	if (v->opens_bounce_window && open_window(d, &v->record) != 0)
		return -1;
	return bounce_counts(v) ? count_bounce(d, v) : 0;
}
