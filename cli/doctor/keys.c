/* SPDX-License-Identifier: ISC
 *
 * keys.c: where own-key is demanded and no key is known it is no more than `encrypted`; keys that
 * end, and recipients of whom nothing is left to encrypt to.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "cli/keys.h"
#include "common/clock.h"

#define MEND_MAX 2000
#define NAMED_MAX 20
#define SOON_S (30 * 86400)

static const char topic[] = "keys";

static const char *by_import(const struct doctor *x, char *mend, size_t mend_size,
			     const char *pattern)
{
	char quoted[800];

	return doctor_by_pgpgate(x, mend, mend_size, "keys import %s FILE",
				 doctor_quote(quoted, sizeof(quoted), pattern));
}

static void tell_missing(void *context, const char *pattern)
{
	char mend[MEND_MAX];

	by_import(context, mend, sizeof(mend), pattern);
	doctor_tell(context, DOCTOR_NOTE, topic, mend,
		    "%s takes only mail to its own key, and no key of it is known: any encrypted "
		    "mail passes",
		    pattern);
}

/* Keys of one pattern, which come one after the other. */
struct usable {
	struct doctor *x;
	int64_t now_unix, ended_unix; /* the last of them; 0: at once, or it is not known when */
	char pattern[ADDRESS_MAX + 1];
	bool is_any;
	bool has_failed; /* the database */
	int64_t n_unusable;
};

static void end_pattern(struct usable *u)
{
	char mend[MEND_MAX], when[CLOCK_TEXT_MAX], text[500];
	int demanded;

	if (u->pattern[0] == '\0' || u->is_any || ++u->n_unusable > NAMED_MAX)
		return;
	demanded = u->x->settings->default_requirement == REQUIREMENT_OWN_KEY
			   ? 1
			   : keys_demanded(u->x->db, u->pattern);
	if (demanded < 0) {
		u->has_failed = true;
		return;
	}
	by_import(u->x, mend, sizeof(mend), u->pattern);
	snprintf(text, sizeof(text), "of all known keys of %s none can be encrypted to any more",
		 u->pattern);
	if (demanded != 1)
		doctor_tell(u->x, DOCTOR_NOTE, topic, mend, "%s", text);
	else if (u->ended_unix + u->x->settings->key_grace_s <= u->now_unix)
		doctor_tell(u->x, DOCTOR_PROBLEM, topic, mend, "%s: mail to them is refused", text);
	else
		doctor_tell(u->x, DOCTOR_PROBLEM, topic, mend,
			    "%s: mail to them is refused from %s on", text,
			    clock_format(u->ended_unix + u->x->settings->key_grace_s, when));
}

static int see_key(void *context, const struct recipient_key *k)
{
	struct usable *u = context;
	const enum key_state state = keys_state_at(k, u->now_unix);

	if (strcmp(u->pattern, k->pattern) != 0) {
		end_pattern(u);
		snprintf(u->pattern, sizeof(u->pattern), "%s", k->pattern);
		u->is_any = false;
		u->ended_unix = 0;
	}
	if (key_is_spare(k))
		return 0;
	u->is_any = u->is_any || state == KEY_ACTIVE;
	if (state != KEY_COMPROMISED && k->until_unix > u->ended_unix)
		u->ended_unix = k->until_unix;
	return 0;
}

void doctor_keys(struct doctor *x)
{
	struct usable u = {.x = x, .now_unix = clock_now_unix()};
	char mend[MEND_MAX];
	int64_t n;

	if (x->db == NULL)
		return;
	u.has_failed = keys_missing(x->db, NAMED_MAX, tell_missing, x) != 0 ||
		       keys_list(x->db, NULL, 0, see_key, &u) != 0;
	if (!u.has_failed)
		end_pattern(&u);
	n = keys_ending(x->db, u.now_unix, u.now_unix + SOON_S);
	if (u.has_failed || n < 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "mail to whom own-key is demanded gets 451: %s", db_error(x->db));
	if (u.n_unusable > NAMED_MAX)
		doctor_tell(x, DOCTOR_NOTE, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "keys list"),
			    "%" PRId64 " more have no key to encrypt to", u.n_unusable - NAMED_MAX);
	if (n > 0)
		doctor_tell(x, DOCTOR_NOTE, topic,
			    doctor_by_pgpgate(x, mend, sizeof(mend), "keys expiring"),
			    "%" PRId64 " keys of recipients end within 30 days", n);
	if (x->wkd != NULL)
		doctor_wkd(x);
}
