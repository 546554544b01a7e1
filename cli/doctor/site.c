/* SPDX-License-Identifier: ISC
 *
 * site.c: a host of a site (pgpgate-site(7)): is it heard, is its record brought, is its clock right? What only the
 * centre knows, `pgpgate site status` asks.
 */
#include <string.h>

#include "cli/doctor/doctor.h"
#include "common/clock.h"
#include "db/site.h"

#define OFFSET_MS 2000
#define BEHIND_S 60

static void examine(struct doctor *x, const struct site_state *s)
{
	static const char topic[] = "site";
	char mend[1200];
	const int64_t now = clock_now_unix();
	int64_t n, oldest_unix, n_lost;

	if (s->last_pull_unix == 0 || now - s->last_pull_unix > x->settings->stale_after_s + 2)
		doctor_tell(x, DOCTOR_PROBLEM, topic, "systemctl restart pgpgate-sync",
			    "the centre was last heard %lld s ago: rules do not change here, and "
			    "what would be "
			    "refused gets 451",
			    (long long)(s->last_pull_unix == 0 ? 0 : now - s->last_pull_unix));
	else
		doctor_tell(x, DOCTOR_OK, topic, NULL, "heard, change %lld is in force here",
			    (long long)s->rules_no);
	if (s->offset_ms > OFFSET_MS || s->offset_ms < -OFFSET_MS)
		doctor_tell(x, DOCTOR_PROBLEM, topic, "timedatectl set-ntp true",
			    "the clock differs from the centre's by %lld ms", (long long)s->offset_ms);
	if (site_backlog(x->db, &n, &oldest_unix, &n_lost) != 0)
		return;
	if (oldest_unix != 0 && now - oldest_unix > BEHIND_S)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "site status"),
			    "%lld verdicts wait to be brought to the centre", (long long)n);
	if (n_lost > 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    NULL, "%lld verdicts were too old to be kept before the centre had them (unpushed_max)",
			    (long long)n_lost);
	if (s->here_paused_until_unix > now)
		doctor_tell(x, DOCTOR_NOTE, topic, doctor_by_pgpgate(x, mend, sizeof(mend), "resume"),
			    "paused on this host alone");
}

void doctor_site(struct doctor *x)
{
	static const char topic[] = "site";
	const struct settings *s = x->settings;
	struct site_state state;
	char mend[1200];
	int got;

	if (x->db == NULL || (got = site_read(x->db, &state)) < 0)
		return;
	if (s->centre[0] == '\0' && got == 1)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "site leave"), "this host belongs to a site, and `centre` is not set: rules cannot be changed");
	if (s->centre[0] != '\0' && got == 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "site join"), "`centre` is set, and this host belongs to no site: rules cannot be changed");
	if (s->centre[0] != '\0' &&
	    (s->centre_admin[0] == '\0' || strcmp(s->centre, s->centre_admin) == 0))
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "centre_admin is not another role than centre: who breaks into this "
			    "host changes the "
			    "rules of all");
	if (s->centre[0] != '\0' && got == 1)
		examine(x, &state);
}
