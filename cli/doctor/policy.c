/* SPDX-License-Identifier: ISC
 *
 * policy.c: the place of the policy server among the restrictions.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
		if (postfix_names_socket(x->postfix.queue_directory, one,
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

/* What smtpd says while this policy server is down. s: whose list it is, or NULL. */
static bool is_action_harmless(struct doctor *x, const struct postfix_service *s, const char *word)
{
	static const char name[] = "smtpd_policy_service_default_action";
	const char *own = word[0] == '{' ? strstr(word, "default_action") : NULL;
	char action[300] = "";

	if (own != NULL) {
		own += strlen("default_action");
		own += strspn(own, " =\t{");
		snprintf(action, sizeof(action), "%s", own);
	} else if (s == NULL ||
		   !postfix_override(x->postfix.overrides, s, name, action, sizeof(action))) {
		doctor_parameter(x, name, action, sizeof(action));
	}
	return action[0] != '\0' && strchr("45", action[0]) == NULL &&
	       strncasecmp(action, "reject", 6) != 0 && strncasecmp(action, "defer", 5) != 0;
}

/* A word behind check_policy_service where nobody listens. */
static bool is_dead(const struct doctor *x, const char *word)
{
	return !postfix_names_socket(x->postfix.queue_directory, word,
				     x->settings->policy_socket) &&
	       doctor_is_dead(x, word);
}

/* The list, put right: ours in the place of what is meant to be ours and is not, once, and others
 * that are down pass mail meanwhile. Whichever fault is mended first, all are. Returns out. */
static char *put_right(struct doctor *x, const struct postfix_service *s, const char *list,
		       char *out, size_t out_size)
{
	bool has_ours = postfix_names_socket(x->postfix.queue_directory, list,
					     x->settings->policy_socket),
	     is_before_socket = false;
	const char *word;
	size_t len, used = 0;
	char ours[300], one[DOCTOR_TEXT_MAX], open[DOCTOR_TEXT_MAX + 40];

	postfix_socket(x->postfix.queue_directory, x->settings->policy_socket, ours, sizeof(ours));
	out[0] = '\0';
	while ((word = postfix_word(&list, &len)) != NULL && used + len + 400 < out_size) {
		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (!is_before_socket && strcmp(one, "check_policy_service") == 0) {
			is_before_socket = true;
			continue;
		}
		if (is_before_socket && is_dead(x, one)) {
			const bool is_meant = strstr(one, "pgpgate") != NULL;

			if (is_meant && has_ours) {
				is_before_socket = false;
				continue;
			}
			if (is_meant)
				snprintf(one, sizeof(one), "%s", ours);
			else if (!is_action_harmless(x, s, one))
				snprintf(one, sizeof(one), "%s",
					 doctor_with_action(one, "DUNNO", open, sizeof(open)));
			has_ours |= is_meant;
		}
		used += (size_t)snprintf(out + used, out_size - used, "%s%s%s",
					 used > 0 ? ", " : "",
					 is_before_socket ? "check_policy_service " : "", one);
		is_before_socket = false;
	}
	return out;
}

void doctor_dead_policies(struct doctor *x, const struct postfix_service *s, const char *stage,
			  const char *list)
{
	const char *whole = list, *word, *of = s != NULL ? " of the service " : "",
		   *name = s != NULL ? s->name : "";
	char one[DOCTOR_TEXT_MAX], better[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX];
	bool is_before_socket = false;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		const bool is_asked = is_before_socket;

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		is_before_socket = strcmp(one, "check_policy_service") == 0;
		if (!is_asked || !is_dead(x, one))
			continue;
		doctor_by_value(x, mend, sizeof(mend), s, s != NULL, stage,
				put_right(x, s, whole, better, sizeof(better)));
		if (strstr(one, "pgpgate") != NULL)
			doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
				    "%s%s%s asks %s, where nobody listens: every mail is put off",
				    stage, of, name, one);
		else if (!is_action_harmless(x, s, one))
			doctor_tell(
				x, DOCTOR_PROBLEM, topic, mend,
				"%s%s%s asks %s, which is not ours and where nobody listens: "
				"mail that comes so far is not taken until it runs; this passes "
				"it over meanwhile",
				stage, of, name, one);
		else
			doctor_tell(x, DOCTOR_NOTE, topic, NULL,
				    "%s%s%s asks %s, which is not ours and where nobody listens: "
				    "it is passed over",
				    stage, of, name, one);
	}
}

bool doctor_asks_us(struct doctor *x, const struct postfix_service *s, const char *stage,
		    const char *list)
{
	const char *whole = list, *word;
	char one[DOCTOR_TEXT_MAX], better[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX];
	bool is_before_socket = false, is_asked = false;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (postfix_names_socket(x->postfix.queue_directory, one,
					 x->settings->policy_socket)) {
			is_asked |= is_before_socket;
			if (!is_before_socket)
				doctor_tell(
					x, DOCTOR_PROBLEM, topic,
					doctor_by_value(
						x, mend, sizeof(mend), s, s != NULL, stage,
						moved(x, whole, true, better, sizeof(better))),
					"%s%s%s has our socket without check_policy_service in "
					"front of it, which smtpd does not make out: no mail is "
					"taken",
					stage, s != NULL ? " of the service " : "",
					s != NULL ? s->name : "");
		}
		is_before_socket = strcmp(one, "check_policy_service") == 0;
	}
	x->postfix.uses_policy |= is_asked;
	return is_asked;
}

/* Lists that a table or another list may lead to. */
static void examine_classes(struct doctor *x)
{
	char classes[DOCTOR_TEXT_MAX], name[200], value[DOCTOR_TEXT_MAX];
	const char *rest = classes, *word;
	size_t len;

	if (!doctor_parameter(x, "smtpd_restriction_classes", classes, sizeof(classes)))
		return;
	while ((word = postfix_word(&rest, &len)) != NULL) {
		snprintf(name, sizeof(name), "%.*s", (int)len, word);
		if (!doctor_parameter(x, name, value, sizeof(value)))
			continue;
		doctor_dead_policies(x, NULL, name, value);
		if (doctor_asks_us(x, NULL, name, value))
			doctor_absolute(x, NULL, name, value, x->settings->policy_socket);
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
		if (!doctor_asks_us(x, NULL, stages[i], value))
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
	examine_classes(x);
	if (is_used)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "the policy server is asked at RCPT");
	else if (x->postfix.uses_policy)
		doctor_tell(
			x, DOCTOR_OK, topic, NULL,
			"the policy server is asked by a service of master.cf, or by a class of "
			"restrictions");
	else
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "the policy server is not asked (check_policy_service %s): the filter "
			    "alone is safe",
			    ours);
}
