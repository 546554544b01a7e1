/* SPDX-License-Identifier: ISC
 *
 * services.c: the services of master.cf: does mail come in past our filter? And the place of the policy
 * server among the restrictions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "common/postfix.h"

static const char topic[] = "postfix";

/* What holds for a service: its own -o, or main.cf. *is_own tells which. */
static void effective(struct doctor *x, const struct postfix_service *s, const char *name,
		      char *out, size_t out_size, bool *is_own)
{
	out[0] = '\0';
	*is_own = postfix_override(x->postfix.overrides, s, name, out, out_size);
	if (!*is_own)
		doctor_parameter(x, name, out, out_size);
}

/* Mail comes back to it from a content filter or proxy, and it listens where no client comes. */
static bool takes_mail_back(struct doctor *x, const struct postfix_service *s)
{
	const bool is_loopback = strncmp(s->name, "127.", 4) == 0 ||
				 strncmp(s->name, "localhost:", 10) == 0 ||
				 strncmp(s->name, "[::1]:", 6) == 0;
	char value[DOCTOR_TEXT_MAX];
	bool is_own;

	effective(x, s, "content_filter", value, sizeof(value), &is_own);
	return is_loopback && value[0] == '\0' && x->postfix.is_filtering;
}

/* A list without one word, joined by commas, which -o takes. */
static void list_without(const char *list, const char *unwanted, char *out, size_t out_size)
{
	const char *word;
	size_t len, used = 0;

	out[0] = '\0';
	while ((word = postfix_word(&list, &len)) != NULL)
		if ((len != strlen(unwanted) || strncmp(word, unwanted, len) != 0) &&
		    used + len + 2 < out_size)
			used += (size_t)snprintf(out + used, out_size - used, "%s%.*s",
						 used > 0 ? "," : "", (int)len, word);
}

static void examine_no_milters(struct doctor *x, const struct postfix_service *s)
{
	char value[DOCTOR_TEXT_MAX], rest[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX];
	bool is_own;

	effective(x, s, "receive_override_options", value, sizeof(value), &is_own);
	if (!postfix_has_word(value, "no_milters"))
		return;
	if (takes_mail_back(x, s)) {
		doctor_tell(x, DOCTOR_OK, topic,
			    NULL, "the service %s/%s takes mail back from a filter, without milters: it was judged in front",
			    s->name, s->type);
		return;
	}
	list_without(value, "no_milters", rest, sizeof(rest));
	if (is_own)
		doctor_by_postconf(x, mend, sizeof(mend), "%s%s/%s/receive_override_options%s%s",
				   rest[0] != '\0' ? "-P " : "-PX ", s->name, s->type,
				   rest[0] != '\0' ? "=" : "", rest);
	else
		doctor_by_postconf(x, mend, sizeof(mend), "-e 'receive_override_options = %s'", rest);
	doctor_tell(x, DOCTOR_PROBLEM, topic,
		    mend, "receive_override_options of the service %s/%s has no_milters: mail there is not judged",
		    s->name, s->type);
}

static void examine_own_milters(struct doctor *x, const struct postfix_service *s)
{
	char value[DOCTOR_TEXT_MAX], list[DOCTOR_TEXT_MAX], ours[300], mend[2 * DOCTOR_TEXT_MAX];

	if (!postfix_override(x->postfix.overrides, s, "smtpd_milters", value, sizeof(value)) ||
	    postfix_names_socket(x->postfix.queue_directory, value, x->settings->filter_socket))
		return;
	if (takes_mail_back(x, s)) {
		doctor_tell(x, DOCTOR_OK, topic,
			    NULL, "the service %s/%s takes mail back from a filter, without ours: it was judged in front",
			    s->name, s->type);
		return;
	}
	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	list_without(value, "", list, sizeof(list));
	if (list[0] == '\0')
		doctor_by_postconf(x, mend, sizeof(mend), "-PX %s/%s/smtpd_milters", s->name, s->type);
	else
		doctor_by_postconf(x, mend, sizeof(mend), "-P '%s/%s/smtpd_milters=%s,%s'", s->name,
				   s->type, list, ours);
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
		    "the service %s/%s goes without our filter (-o smtpd_milters=%s)", s->name,
		    s->type, value);
}

/* Behind smtpd_proxy_filter the milter's place is the smtpd that takes the mail back. */
static void examine_proxy(struct doctor *x, const struct postfix_service *s)
{
	char value[DOCTOR_TEXT_MAX], milters[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX];
	bool is_own;

	effective(x, s, "smtpd_proxy_filter", value, sizeof(value), &is_own);
	if (value[0] == '\0')
		return;
	effective(x, s, "smtpd_milters", milters, sizeof(milters), &is_own);
	if (x->settings->postfix->is_filtered)
		doctor_tell(x, DOCTOR_OK, topic,
			    NULL, "the service %s/%s has smtpd_proxy_filter, and our filter judges what comes back",
			    s->name, s->type);
	else
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_postconf(x, mend, sizeof(mend),
					       "-PX %s/%s/smtpd_proxy_filter", s->name, s->type),
			    "the service %s/%s has smtpd_proxy_filter: milters get no header and "
			    "body there, and no smtpd "
			    "that takes the mail back has our filter",
			    s->name, s->type);
}

static void examine_numbers(struct doctor *x, long n_smtpd)
{
	char mend[100];

	if (n_smtpd <= (long)x->settings->max_connections)
		return;
	snprintf(mend, sizeof(mend), "max_connections = %ld", n_smtpd + 100);
	doctor_tell(x, DOCTOR_PROBLEM, topic,
		    mend, "master.cf allows %ld smtpd processes, the policy server %u connections: the rest would get 451",
		    n_smtpd, x->settings->max_connections);
}

void doctor_services(struct doctor *x)
{
	char value[DOCTOR_TEXT_MAX];
	long n_smtpd = 0, process_limit = 100;
	bool is_own;

	if (doctor_parameter(x, "default_process_limit", value, sizeof(value)))
		process_limit = strtol(value, NULL, 10);
	for (int pass = 0; pass < 2; pass++)
		for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
			struct postfix_service s;

			if (!postfix_service(line, &s) || strcmp(s.command, "smtpd") != 0) {
				line += strcspn(line, "\n");
				continue;
			}
			line += strcspn(line, "\n");
			if (pass == 0) {
				effective(x, &s, "content_filter", value, sizeof(value), &is_own);
				x->postfix.is_filtering |= value[0] != '\0';
				effective(x, &s, "smtpd_proxy_filter", value, sizeof(value), &is_own);
				x->postfix.is_filtering |= value[0] != '\0';
				x->postfix.is_chrooted |= s.chroot[0] == 'y';
				n_smtpd += s.limit[0] == '-' ? process_limit
							     : strtol(s.limit, NULL, 10);
				continue;
			}
			examine_no_milters(x, &s);
			examine_own_milters(x, &s);
			examine_proxy(x, &s);
		}
	examine_numbers(x, n_smtpd);
}

/* ---- the policy server ---- */

/* The list with check_policy_service in front of the first word that ends it. Returns out. */
static char *moved_up(const struct doctor *x, const char *list, const char *ours, char *out,
		      size_t out_size)
{
	const char *word;
	size_t len, used = 0;
	bool is_placed = false, is_before_socket = false;

	out[0] = '\0';
	while ((word = postfix_word(&list, &len)) != NULL && used + len + 400 < out_size) {
		char one[DOCTOR_TEXT_MAX];
		const bool is_end = (len == 6 && (strncmp(word, "permit", 6) == 0 ||
						  strncmp(word, "reject", 6) == 0));

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
		if (is_end && !is_placed) {
			used += (size_t)snprintf(out + used, out_size - used,
						 "%scheck_policy_service %s", used > 0 ? ", " : "",
						 ours);
			is_placed = true;
		}
		used += (size_t)snprintf(out + used, out_size - used, "%s%s%s", used > 0 ? ", " : "",
					 is_before_socket ? "check_policy_service " : "", one);
		is_before_socket = false;
	}
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
		if (postfix_names_socket(x->postfix.queue_directory, one, x->settings->policy_socket))
			return is_over;
		is_over |= strcmp(one, "permit") == 0 || strcmp(one, "reject") == 0;
	}
	return false;
}

void doctor_policy(struct doctor *x)
{
	static const char *const stages[] = {"smtpd_recipient_restrictions",
					     "smtpd_relay_restrictions"};
	static const char *const wrong[] = {"smtpd_client_restrictions", "smtpd_helo_restrictions",
					    "smtpd_sender_restrictions", "smtpd_data_restrictions",
					    "smtpd_end_of_data_restrictions"};
	char value[DOCTOR_TEXT_MAX], better[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX], ours[300];
	const char *const queue = x->postfix.queue_directory, *const policy = x->settings->policy_socket;
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
		doctor_absolute(x, stages[i], value, policy);
		if (is_out_of_reach(x, value))
			doctor_tell(
				x, DOCTOR_PROBLEM, topic,
				doctor_by_postconf(x, mend, sizeof(mend), "-e '%s = %s'", stages[i],
						   moved_up(x, value, ours, better, sizeof(better))),
				"%s ends before check_policy_service: the policy server is never "
				"asked",
				stages[i]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (doctor_parameter(x, wrong[i], value, sizeof(value)) &&
		    postfix_names_socket(queue, value, policy))
			doctor_tell(x, DOCTOR_PROBLEM, topic, "move it to smtpd_recipient_restrictions",
				    "%s asks our policy server, which answers at RCPT only", wrong[i]);
	x->postfix.uses_policy = is_used;
	if (is_used)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "the policy server is asked at RCPT");
	else
		doctor_tell(x, DOCTOR_NOTE, topic,
			    NULL, "the policy server is not asked (check_policy_service %s): the filter alone is safe",
			    ours);
}
