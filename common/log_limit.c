/* SPDX-License-Identifier: ISC */
#include "common/log_limit.h"

bool log_limit_allows(struct log_limit *l, int64_t now_ms, unsigned *n_suppressed)
{
	int64_t next = atomic_load(&l->next_ms);

	atomic_store(&l->last_ms, now_ms);
	/* Of several threads that complain at once one wins the exchange; the others count as left
	 * out. */
	if ((next != 0 && now_ms < next) ||
	    !atomic_compare_exchange_strong(&l->next_ms, &next, now_ms + LOG_LIMIT_INTERVAL_MS)) {
		atomic_fetch_add(&l->suppressed, 1);
		return false;
	}
	*n_suppressed = atomic_exchange(&l->suppressed, 0);
	return true;
}

bool log_limit_clear(struct log_limit *l, int64_t since_ms)
{
	/* The plain load first: this is called for every message, and it nearly always finds
	 * nothing. */
	if (atomic_load(&l->next_ms) == 0 || atomic_load(&l->last_ms) > since_ms)
		return false;
	atomic_store(&l->suppressed, 0);
	return atomic_exchange(&l->next_ms, 0) != 0;
}
