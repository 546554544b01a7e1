/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_cover.h"

#include <time.h>

#include "common/clock.h"

/* WAL beyond this is written back: some ten ms. Most pages are written again and again: of a WAL
 * four times as long a quarter of the syncs is enough. */
#define CHECKPOINT_BYTES (16 << 20)
#define COVER_MS 60000	  /* between two checkpoints of what is less than that */
#define COVER_NOW_MS 1000 /* for those that read an older state */

void cover_begin(struct verdict_log *l)
{
	l->next_cover_ms = clock_monotonic_ms() + COVER_MS;
}

static void note(struct verdict_log *l)
{
	l->covered = l->moved;
	cover_begin(l);
	journal_forget(&l->journal, l->db, l->covered, false);
	journal_forget_voids(&l->journal, l->covered);
}

static bool is_half_full(struct verdict_log *l)
{
	return journal_bytes(&l->journal) > l->mover_settings->journal_max_bytes / 2;
}

void cover_step(struct verdict_log *l)
{
	if (db_checkpoint(l->db, CHECKPOINT_BYTES) == 1)
		note(l);
	else if (is_half_full(l))
		journal_forget(&l->journal, l->db, l->moved, false);
}

void cover_tick(struct verdict_log *l)
{
	if (l->covered == l->moved)
		cover_begin(l);
	else if (clock_monotonic_ms() >= l->next_cover_ms && db_checkpoint(l->db, -1) == 1)
		note(l);
}

bool cover_now(struct verdict_log *l)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	const int64_t until_ms = clock_monotonic_ms() + COVER_NOW_MS;
	int got;

	while ((got = db_checkpoint(l->db, -1)) == 0 && clock_monotonic_ms() < until_ms)
		nanosleep(&pause, NULL);
	if (got == 1)
		note(l);
	return got == 1 || is_half_full(l);
}
