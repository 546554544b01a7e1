/* SPDX-License-Identifier: ISC
 *
 * bounces.c: a bounce in plain text is refused and lost where nobody of ours is known to have
 * written. Asks what mail from the null sender would have to meet, and whether outgoing mail passes
 * the filter.
 */
#include <string.h>

#include "cli/doctor/doctor.h"
#include "common/clock.h"
#include "db/policy.h"

/* Does mail from the null sender to an address of ours for which there is no rule have to be
 * encrypted or signed? An address literal is protected whatever protected_domains says.
 * 1, 0, -1: the database failed. */
static int are_bounces_judged(struct doctor *x)
{
	static const char address[] = "somebody@[192.0.2.1]";
	struct address recipient, sender;
	struct policy_answer answer;
	struct policy_query q = {
		.recipient = &recipient,
		.sender = &sender,
		.declared_size_bytes = SIZE_NOT_DECLARED,
		.now_unix = clock_now_unix(),
	};

	address_canonical(address, strlen(address), &recipient);
	address_canonical("<>", 2, &sender);
	if (policy_decide(x->db, x->settings, &q, &answer) != 0)
		return -1;
	return answer.demand != REQUIREMENT_EXEMPT && answer.demand != REQUIREMENT_OBSERVE;
}

void doctor_bounces(struct doctor *x)
{
	static const char topic[] = "bounces";
	char recipe[1200];
	/* accept_reports decides about those that are reports. */
	const char *also = x->settings->accept.reports == REPORTS_YES
				   ? ""
				   : ", or that returns the message readable,";
	int judged, expected = 0;

	if (x->db == NULL || !x->settings->enforce)
		return;
	judged = are_bounces_judged(x);
	if (judged == 1 && x->settings->accept_bounces != BOUNCES_REPORT)
		expected = policy_anybody_expects_bounces(x->db, clock_now_unix());
	if (judged < 0 || expected < 0) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "the rules cannot be read: %s",
			    db_error(x->db));
		return;
	}
	if (judged == 0)
		return;
	doctor_by_pgpgate(x, recipe, sizeof(recipe), "exempt '*' --sender '<>' --yes");
	if (x->settings->accept_bounces == BOUNCES_REPORT)
		doctor_tell(x, DOCTOR_NOTE, topic, recipe,
			    "accept_bounces = report: a bounce in plain text (qmail, dma, old "
			    "Exim)%s is refused and "
			    "lost; accept_bounces = reply lets it pass to who wrote, and a rule "
			    "lets all pass",
			    also);
	else if (expected == 0)
		doctor_tell(x, DOCTOR_NOTE, topic, recipe,
			    "no address of ours has written to the outside through this filter in "
			    "seven days: a bounce "
			    "in plain text (qmail, dma, old Exim)%s is refused and lost, unless a "
			    "rule lets it pass",
			    also);
	else
		doctor_tell(
			x, DOCTOR_OK, topic, NULL,
			"a bounce in plain text passes to those of ours who wrote to the outside");
}
