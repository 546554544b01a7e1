/* SPDX-License-Identifier: ISC
 *
 * keys.c: where own-key is demanded and no key is known it is no more than `encrypted`; and keys that end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "common/clock.h"
#include "db/keys.h"

#define NAMED_MAX 20
#define SOON_S (30 * 86400)

static void tell_missing(void *context, const char *pattern)
{
	char mend[2000], quoted[800];

	doctor_by_pgpgate(context, mend, sizeof(mend), "keys import %s FILE",
			  doctor_quote(quoted, sizeof(quoted), pattern));
	doctor_tell(context, DOCTOR_NOTE, "keys",
		    mend, "%s takes only mail to its own key, and no key of it is known: any encrypted mail passes",
		    pattern);
}

void doctor_keys(struct doctor *x)
{
	char mend[1200];
	int64_t n;

	if (x->db == NULL)
		return;
	keys_missing(x->db, NAMED_MAX, tell_missing, x);
	n = keys_ending(x->db, clock_now_unix(), clock_now_unix() + SOON_S);
	if (n > 0)
		doctor_tell(x, DOCTOR_NOTE, "keys",
			    doctor_by_pgpgate(x, mend, sizeof(mend), "keys expiring"),
			    "%" PRId64 " keys of recipients end within 30 days", n);
}
