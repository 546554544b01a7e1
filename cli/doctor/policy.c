/* SPDX-License-Identifier: ISC
 *
 * policy.c: the place of the policy server among the restrictions.
 */
#include <stdio.h>
#include <string.h>

#include "cli/doctor/doctor.h"

static const char topic[] = "postfix";

/* The list without our check_policy_service; with is_placed_again it stands in front of the first
 * word that ends the list, or at the end. Returns out. */
static char *moved(const struct doctor *x, const char *list, bool is_placed_again, char *out,
		   size_t out_size)
{
	bool is_placed = !is_placed_again, is_before_socket = false;
	const char *word;
	size_t len, used = 0;
	char ours[300];

	postfix_socket(x->postfix.queue_directory, x->settings->policy_socket, ours, sizeof(ours));
	out[0] = '\0';
	while ((word = postfix_word(&list, &len)) != NULL && used + len + 400 < out_size) {
		char one[DOCTOR_TEXT_MAX];

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (strcmp(one, "check_policy_service") == 0) {
			is_before_socket = true;
			continue;
		}
		if (is_before_socket && postfix_names_socket(x->postfix.queue_directory, one,
							     x->settings->policy_socket)) {
			is_before_socket = false;
			continue;
		}
		if (!is_placed && (strcmp(one, "permit") == 0 || strcmp(one, "reject") == 0)) {
			used += (size_t)snprintf(out + used, out_size - used,
						 "%scheck_policy_service %s", used > 0 ? ", " : "",
						 ours);
			is_placed = true;
		}
		used += (size_t)snprintf(out + used, out_size - used, "%s%s%s",
					 used > 0 ? ", " : "",
					 is_before_socket ? "check_policy_service " : "", one);
		is_before_socket = false;
	}
	if (!is_placed)
		snprintf(out + used, out_size - used, "%scheck_policy_service %s",
			 used > 0 ? ", " : "", ours);
	return out;
}

/* Is our line behind "permit" or "reject", which end the list whatever comes? */
static bool is_out_of_reach(const struct doctor *x, const char *list)
{
	bool is_over = false;
	const char *word;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		char one[DOCTOR_TEXT_MAX];

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (postfix_names_socket(x->postfix.queue_directory, one,
					 x->settings->policy_socket))
			return is_over;
		is_over |= strcmp(one, "permit") == 0 || strcmp(one, "reject") == 0;
	}
	return false;
}

/* Takes it out of a stage where it answers nothing, and puts it where it does. */
static const char *mend_stage(struct doctor *x, const char *stage, const char *list, char *mend,
			      size_t mend_size)
{
	char without[DOCTOR_TEXT_MAX], at_rcpt[DOCTOR_TEXT_MAX], better[DOCTOR_TEXT_MAX];

	moved(x, list, false, without, sizeof(without));
	doctor_parameter(x, "smtpd_recipient_restrictions", at_rcpt, sizeof(at_rcpt));
	return doctor_by_postconf(x, mend, mend_size, "-e",
				  "%s = %s\nsmtpd_recipient_restrictions = %s", stage, without,
				  moved(x, at_rcpt, true, better, sizeof(better)));
}

void doctor_policy(struct doctor *x)
{
	static const char *const stages[] = {"smtpd_recipient_restrictions",
					     "smtpd_relay_restrictions"};
	static const char *const wrong[] = {"smtpd_client_restrictions", "smtpd_helo_restrictions",
					    "smtpd_sender_restrictions", "smtpd_data_restrictions",
					    "smtpd_end_of_data_restrictions"};
	char value[DOCTOR_TEXT_MAX], better[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX], ours[300];
	const char *const queue = x->postfix.queue_directory, *const policy =
								      x->settings->policy_socket;
	bool is_used = false;

	postfix_socket(queue, policy, ours, sizeof(ours));
	for (size_t i = 0; i < 2; i++) {
		if (!doctor_parameter(x, stages[i], value, sizeof(value))) {
			doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "%s cannot be had", stages[i]);
			continue;
		}
		if (!postfix_names_socket(queue, value, policy))
			continue;
		is_used = true;
		doctor_absolute(x, NULL, stages[i], value, policy);
		if (is_out_of_reach(x, value))
			doctor_tell(
				x, DOCTOR_PROBLEM, topic,
				doctor_by_value(x, mend, sizeof(mend), NULL, false, stages[i],
						moved(x, value, true, better, sizeof(better))),
				"%s ends before check_policy_service: the policy server is never "
				"asked",
				stages[i]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (doctor_parameter(x, wrong[i], value, sizeof(value)) &&
		    postfix_names_socket(queue, value, policy))
			doctor_tell(x, DOCTOR_PROBLEM, topic,
				    mend_stage(x, wrong[i], value, mend, sizeof(mend)),
				    "%s asks our policy server, which answers at RCPT only",
				    wrong[i]);
	x->postfix.uses_policy = is_used;
	if (is_used)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "the policy server is asked at RCPT");
	else
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "the policy server is not asked (check_policy_service %s): the filter "
			    "alone is safe",
			    ours);
}
