/* SPDX-License-Identifier: ISC
 *
 * site.c: a host of a site (pgpgate-site(7)): is it heard, is its record brought, is its clock
 * right? What only the centre knows, `pgpgate site status` asks.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/doctor/doctor.h"
#include "cli/site_session.h"
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
			    "the clock differs from the centre's by %lld ms",
			    (long long)s->offset_ms);
	if (site_backlog(x->db, &n, &oldest_unix, &n_lost) != 0)
		return;
	if (oldest_unix != 0 && now - oldest_unix > BEHIND_S)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "site status"),
			    "%lld verdicts wait to be brought to the centre", (long long)n);
	if (n_lost > 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "%lld verdicts were too old to be kept before the centre had them "
			    "(unpushed_max)",
			    (long long)n_lost);
	if (s->here_paused_until_unix > now)
		doctor_tell(x, DOCTOR_NOTE, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "resume"),
			    "paused on this host alone");
}

/* What only the centre knows: pgpgate-sync asks it. */
static void ask_centre(struct doctor *x)
{
	static const char topic[] = "site";
	char **words = site_session_words(x->cli, "examine", 0, NULL);
	json_t *o = site_session_start(words) == 0 ? site_session_line() : NULL;
	const char *error = json_string_value(json_object_get(o, "error"));
	const char *too_much = json_string_value(json_object_get(o, "too_much"));
	const long long version = (long long)json_integer_value(json_object_get(o, "version"));
	const long long knows = (long long)json_integer_value(json_object_get(o, "knows"));

	site_session_stop();
	free(words);
	if (error != NULL || o == NULL)
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "the centre cannot be asked: %.300s",
			    error != NULL ? error : "pgpgate-sync ended");
	if (too_much != NULL && too_much[0] != '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "the role of this host at the centre %.300s: who breaks into this host "
			    "does, "
			    "too",
			    too_much);
	if (json_is_true(json_object_get(o, "is_other_key")))
		doctor_tell(
			x, DOCTOR_PROBLEM, topic, NULL,
			"the key of hashed addresses is not the site's: no pair is known again");
	else if (json_is_true(json_object_get(o, "is_hashed_here_alone")))
		doctor_tell(
			x, DOCTOR_PROBLEM, topic, NULL,
			"log_addresses is not as on the host that made the site: no pair is known "
			"again");
	if (error == NULL && o != NULL && version < knows)
		doctor_tell(x, DOCTOR_NOTE, topic, "pgpgate site init",
			    "the centre has schema version %lld, this pgpgate makes %lld", version,
			    knows);
	if (error == NULL && o != NULL && version > knows)
		doctor_tell(
			x, DOCTOR_NOTE, topic, NULL,
			"the centre has schema version %lld, this pgpgate knows %lld: upgrade it",
			version, knows);
	json_decref(o);
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
			    doctor_by_pgpgate(x, mend, sizeof(mend), "site leave"),
			    "this host belongs to a site, and `centre` is not set: rules cannot be "
			    "changed");
	if (s->centre[0] != '\0' && got == 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "site join"),
			    "`centre` is set, and this host belongs to no site: rules cannot be "
			    "changed");
	if (s->centre[0] != '\0' &&
	    (s->centre_admin[0] == '\0' || strcmp(s->centre, s->centre_admin) == 0))
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "centre_admin is not another role than centre: who breaks into this "
			    "host changes the "
			    "rules of all");
	if (s->centre[0] != '\0' && got == 1) {
		examine(x, &state);
		ask_centre(x);
	}
}
