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

/* The list with ours in the place of one word, or without it where ours is there already. */
static char *replaced(const struct doctor *x, const char *list, const char *gone, char *out,
		      size_t out_size)
{
	const bool has_ours = postfix_names_socket(x->postfix.queue_directory, list,
						   x->settings->policy_socket);
	bool is_before_socket = false;
	const char *word;
	size_t len, used = 0;
	char ours[300];

	postfix_socket(x->postfix.queue_directory, x->settings->policy_socket, ours, sizeof(ours));
	out[0] = '\0';
	while ((word = postfix_word(&list, &len)) != NULL && used + len + 400 < out_size) {
		const bool is_gone = is_before_socket && strlen(gone) == len &&
				     strncmp(word, gone, len) == 0;
		const char *text = is_gone ? ours : word;
		const int text_len = is_gone ? (int)strlen(ours) : (int)len;

		if (!is_before_socket && len == strlen("check_policy_service") &&
		    strncmp(word, "check_policy_service", len) == 0) {
			is_before_socket = true;
			continue;
		}
		if (!(is_gone && has_ours))
			used += (size_t)snprintf(
				out + used, out_size - used, "%s%s%.*s", used > 0 ? ", " : "",
				is_before_socket ? "check_policy_service " : "", text_len, text);
		is_before_socket = false;
	}
	return out;
}

void doctor_dead_policies(struct doctor *x, const struct postfix_service *s, const char *stage,
			  const char *list)
{
	const char *whole = list, *word;
	bool is_before_socket = false;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		const bool is_asked = is_before_socket;
		char one[DOCTOR_TEXT_MAX], better[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX];

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		is_before_socket = strcmp(one, "check_policy_service") == 0;
		if (!is_asked ||
		    postfix_names_socket(x->postfix.queue_directory, one,
					 x->settings->policy_socket) ||
		    !doctor_is_dead(x, one))
			continue;
		if (strstr(one, "pgpgate") != NULL)
			doctor_tell(
				x, DOCTOR_PROBLEM, topic,
				doctor_by_value(x, mend, sizeof(mend), s, s != NULL, stage,
						replaced(x, whole, one, better, sizeof(better))),
				"%s%s%s asks %s, where nobody listens: every mail is put off",
				stage, s != NULL ? " of the service " : "",
				s != NULL ? s->name : "", one);
		else
			doctor_tell(x, DOCTOR_NOTE, topic, NULL,
				    "%s%s%s asks %s, which is not ours and where nobody listens: "
				    "unless its default action is another, mail is not taken",
				    stage, s != NULL ? " of the service " : "",
				    s != NULL ? s->name : "", one);
	}
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
		doctor_dead_policies(x, NULL, stages[i], value);
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
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (!doctor_parameter(x, wrong[i], value, sizeof(value)))
			continue;
		doctor_dead_policies(x, NULL, wrong[i], value);
		if (postfix_names_socket(queue, value, policy))
			doctor_tell(x, DOCTOR_PROBLEM, topic,
				    mend_stage(x, wrong[i], value, mend, sizeof(mend)),
				    "%s asks our policy server, which answers at RCPT only",
				    wrong[i]);
	}
	x->postfix.uses_policy = is_used;
	if (is_used)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "the policy server is asked at RCPT");
	else
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "the policy server is not asked (check_policy_service %s): the filter "
			    "alone is safe",
			    ours);
}
