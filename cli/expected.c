/* SPDX-License-Identifier: ISC */
#include "cli/expected.h"

#include "db/report.h"
#include "db/verdicts.h"

#define DAY_S 86400

static int add(void *context, const struct verdicts_day *day)
{
	int64_t *sum = context;

	*sum += day->n_messages;
	return 0;
}

int64_t expected_messages(struct db *d, const struct progress *p, int64_t since_unix,
			  int64_t until_unix)
{
	int64_t first_unix, last_unix, sum = 0;

	/* Of what retention took away the sums are left. */
	if (!p->is_terminal || report_span(d, since_unix, until_unix, &first_unix, &last_unix) != 1)
		return 0;
	return verdicts_daily(d, first_unix / DAY_S, last_unix / DAY_S + 1, add, &sum) == 0 ? sum
											    : 0;
}
