/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_late.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

static void free_late(struct late_verdict *late)
{
	arena_reset(&late->verdict.arena);
	free(late->payload);
	free(late);
}

/* A copy that lives longer than its batch. NULL: no memory. */
static struct late_verdict *copy_late(const struct stored_verdict *v)
{
	struct late_verdict *late = calloc(1, sizeof *late);
	struct arena arena = {0};
	size_t len;

	if (late == NULL)
		return NULL;
	late->payload = journal_record_encode(v, &len);
	if (late->payload == NULL ||
	    journal_record_decode(late->payload + 1, len - 1, &arena, &late->verdict) != 0) {
		late->verdict.arena = arena;
		free_late(late);
		return NULL;
	}
	late->verdict.arena = arena;
	late->verdict.id = v->id;
	for (size_t i = 0; i < v->record.n_recipients; i++) {
		memcpy(late->verdict.recipients[i].pair_last_unix, v->recipients[i].pair_last_unix,
		       sizeof v->recipients[i].pair_last_unix);
		late->verdict.recipients[i].outgoing_last_unix =
			v->recipients[i].outgoing_last_unix;
	}
	return late;
}

/* Stored as it was judged, and answered otherwise meanwhile. */
void late_note(void *context, uint64_t sequence)
{
	struct verdict_log *l = context;

	for (size_t i = 0; i < l->batch.n; i++) {
		const struct batch_row *row = &l->batch.rows[i];
		const struct verdict_record *r = &row->verdict.record;
		struct late_verdict *late;

		if (row->sequence != sequence || !row->is_stored || row->was_voided ||
		    r->stands_unrecorded || r->action == ACTION_TEMPFAIL)
			continue;
		late = copy_late(&row->verdict);
		if (late == NULL) {
			log_error("%s: out of memory: on record with action %s, and was answered "
				  "with a temporary failure",
				  r->queue_id, action_name(r->action));
			return;
		}
		late->sequence = sequence;
		late->next = l->late;
		l->late = late;
	}
}

/* One a transaction: they are rare. What the database does not take now is tried again at the next
 * tick. */
void late_retract(struct verdict_log *l)
{
	while (l->late != NULL) {
		struct late_verdict *late = l->late;
		struct daily_sums daily = {.n = 0};

		if (db_begin_write(l->db) != 0 ||
		    db_end(l->db, stored_verdict_retract(l->db, &late->verdict, &daily)) != 0)
			return;
		log_warning("%s: committed too late: the message was answered with a temporary "
			    "failure, "
			    "and the record says so now",
			    late->verdict.record.queue_id);
		l->late = late->next;
		free_late(late);
	}
}

void late_give_up(struct verdict_log *l)
{
	while (l->late != NULL) {
		struct late_verdict *late = l->late;

		log_error("%s: on record with action %s, and was answered with a temporary failure",
			  late->verdict.record.queue_id, action_name(late->verdict.record.action));
		l->late = late->next;
		free_late(late);
	}
}

void late_forget(struct verdict_log *l, uint64_t after)
{
	struct late_verdict **at = &l->late;

	while (*at != NULL) {
		struct late_verdict *late = *at;

		if (late->sequence <= after) {
			at = &late->next;
			continue;
		}
		*at = late->next;
		free_late(late);
	}
}
