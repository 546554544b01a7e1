/* SPDX-License-Identifier: ISC
 *
 * services.c: the services of master.cf: does mail come in past our filter?
 *
 * Behind a content_filter mail was judged in front; behind a smtpd_proxy_filter, where milters see
 * no body, it is to be judged by the smtpd that takes it back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"

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

static bool has(struct doctor *x, const struct postfix_service *s, const char *name)
{
	char value[DOCTOR_TEXT_MAX];
	bool is_own;

	effective(x, s, name, value, sizeof(value), &is_own);
	return value[0] != '\0';
}

/* Mail comes back to it from a content filter or proxy, and it listens where no client comes. */
static bool takes_mail_back(struct doctor *x, const struct postfix_service *s)
{
	const bool is_loopback = strncmp(s->name, "127.", 4) == 0 ||
				 strncmp(s->name, "localhost:", 10) == 0 ||
				 strncmp(s->name, "[::1]:", 6) == 0;

	return is_loopback && !has(x, s, "content_filter") && !has(x, s, "smtpd_proxy_filter") &&
	       (x->postfix.is_filtering || x->postfix.is_proxied);
}

/* What comes in here is judged elsewhere: in front, or behind. */
static bool is_judged_elsewhere(struct doctor *x, const struct postfix_service *s)
{
	if (has(x, s, "smtpd_proxy_filter"))
		return true; /* examine_proxy() looks at it */
	return takes_mail_back(x, s) &&
	       (x->postfix.is_filtering || !x->settings->postfix->is_filtered);
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
	doctor_pack(out);
}

static void tell_of_way_back(struct doctor *x, const struct postfix_service *s)
{
	if (takes_mail_back(x, s) && x->postfix.is_filtering)
		doctor_tell(x, DOCTOR_OK, topic, NULL,
			    "the service %s/%s takes mail back from a filter, without ours: it was "
			    "judged in front",
			    s->name, s->type);
}

static bool examine_no_milters(struct doctor *x, const struct postfix_service *s)
{
	char value[DOCTOR_TEXT_MAX], rest[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX];
	bool is_own;

	effective(x, s, "receive_override_options", value, sizeof(value), &is_own);
	if (!postfix_has_word(value, "no_milters"))
		return false;
	if (is_judged_elsewhere(x, s)) {
		tell_of_way_back(x, s);
		return true;
	}
	list_without(value, "no_milters", rest, sizeof(rest));
	if (is_own && rest[0] == '\0')
		doctor_by_postconf(x, mend, sizeof(mend), "-PX", "%s/%s/receive_override_options",
				   s->name, s->type);
	else
		doctor_by_value(x, mend, sizeof(mend), s, is_own, "receive_override_options", rest);
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
		    "receive_override_options of the service %s/%s has no_milters: mail there is "
		    "not judged",
		    s->name, s->type);
	return true;
}

/* Milters that are its own, or are main.cf's. */
static void examine_own_milters(struct doctor *x, const struct postfix_service *s)
{
	char value[DOCTOR_TEXT_MAX], mend[2 * DOCTOR_TEXT_MAX];

	if (!postfix_override(x->postfix.overrides, s, "smtpd_milters", value, sizeof(value))) {
		x->postfix.n_bare += !is_judged_elsewhere(x, s);
		doctor_default_action(x, s, x->postfix.smtpd_milters);
		return;
	}
	if (postfix_names_socket(x->postfix.queue_directory, value, x->settings->filter_socket)) {
		x->postfix.n_own++;
		doctor_absolute(x, s, "smtpd_milters", value, x->settings->filter_socket);
		doctor_default_action(x, s, value);
		doctor_dead_milters(x, s, value);
		return;
	}
	if (is_judged_elsewhere(x, s)) {
		tell_of_way_back(x, s);
		return;
	}
	if (value[0] == '\0' &&
	    postfix_names_socket(x->postfix.queue_directory, x->postfix.smtpd_milters,
				 x->settings->filter_socket))
		doctor_by_postconf(x, mend, sizeof(mend), "-PX", "%s/%s/smtpd_milters", s->name,
				   s->type);
	else
		doctor_with_ours(x, s, value, mend, sizeof(mend));
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
		    "the service %s/%s goes without our filter (-o smtpd_milters=%s)", s->name,
		    s->type, value);
}

/* smtpd_milter_maps of main.cf are doctor_milters()'s. */
static void examine_own_maps(struct doctor *x, const struct postfix_service *s)
{
	char value[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX];

	if (postfix_override(x->postfix.overrides, s, "smtpd_milter_maps", value, sizeof(value)) &&
	    value[0] != '\0' && !is_judged_elsewhere(x, s))
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_postconf(x, mend, sizeof(mend), "-PX", "%s/%s/smtpd_milter_maps",
					   s->name, s->type),
			"smtpd_milter_maps = %s of the service %s/%s: clients listed there bypass "
			"smtpd_milters, unless their entry names our filter",
			value, s->name, s->type);
}

static void examine_own_policy(struct doctor *x, const struct postfix_service *s)
{
	static const char *const stages[] = {
		"smtpd_recipient_restrictions",	 "smtpd_relay_restrictions",
		"smtpd_client_restrictions",	 "smtpd_helo_restrictions",
		"smtpd_sender_restrictions",	 "smtpd_data_restrictions",
		"smtpd_end_of_data_restrictions"};
	char value[DOCTOR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (postfix_override(x->postfix.overrides, s, stages[i], value, sizeof(value))) {
			doctor_dead_policies(x, s, stages[i], value);
			if (doctor_asks_us(x, s, stages[i], value))
				doctor_absolute(x, s, stages[i], value, x->settings->policy_socket);
		}
}

/* ---- every smtpd ---- */

/* line: of master.cf, where it begins. */
typedef void look(struct doctor *x, const struct postfix_service *s, const char *line);

static void for_each_smtpd(struct doctor *x, look *at)
{
	for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
		struct postfix_service s;

		if (postfix_service(line, &s) && strcmp(s.command, "smtpd") == 0)
			at(x, &s, line);
		line += strcspn(line, "\n");
	}
}

static void note(struct doctor *x, const struct postfix_service *s, const char *line)
{
	(void)line;
	x->postfix.is_filtering |= has(x, s, "content_filter");
	x->postfix.is_proxied |= has(x, s, "smtpd_proxy_filter");
	x->postfix.is_chrooted |= s->chroot[0] == 'y';
}

/* ---- behind smtpd_proxy_filter ---- */

struct way_back {
	struct postfix_service service;
	bool is_found;
};

/* The first smtpd that mail may come back to from the proxy; postfix_facts.h finds more where ours
 * is there already. */
static struct way_back find_way_back(struct doctor *x)
{
	struct way_back way = {.is_found = false};

	for (const char *line = x->postfix.master; *line != '\0' && !way.is_found;
	     line += strspn(line, "\n")) {
		way.is_found = postfix_service(line, &way.service) &&
			       strcmp(way.service.command, "smtpd") == 0 &&
			       takes_mail_back(x, &way.service);
		line += strcspn(line, "\n");
	}
	return way;
}

/* Puts our filter into the smtpd that takes the mail back; where there is none, only the proxy can
 * go. */
static const char *mend_proxy(struct doctor *x, const struct postfix_service *s, bool is_own,
			      char *mend, size_t mend_size)
{
	const struct way_back way = find_way_back(x);
	char options[DOCTOR_TEXT_MAX], milters[DOCTOR_TEXT_MAX], list[DOCTOR_TEXT_MAX],
		more[DOCTOR_TEXT_MAX + 300] = "", ours[300];
	bool is_option_own, is_list_own;

	if (!way.is_found)
		return is_own ? doctor_by_postconf(x, mend, mend_size, "-PX",
						   "%s/%s/smtpd_proxy_filter", s->name, s->type)
			      : doctor_by_postconf(x, mend, mend_size, "-X", "smtpd_proxy_filter");
	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	effective(x, &way.service, "smtpd_milters", milters, sizeof(milters), &is_list_own);
	list_without(milters, "", list, sizeof(list));
	effective(x, &way.service, "receive_override_options", options, sizeof(options),
		  &is_option_own);
	if (postfix_has_word(options, "no_milters")) {
		char rest[DOCTOR_TEXT_MAX];

		list_without(options, "no_milters", rest, sizeof(rest));
		snprintf(more, sizeof(more), "\n%s/%s/receive_override_options=%s",
			 way.service.name, way.service.type, rest);
	}
	if (postfix_names_socket(x->postfix.queue_directory, milters, x->settings->filter_socket))
		return doctor_by_postconf(x, mend, mend_size, "-P", "%s", more + (more[0] == '\n'));
	return doctor_by_postconf(x, mend, mend_size, "-P", "%s/%s/smtpd_milters=%s%s%s%s",
				  way.service.name, way.service.type, list,
				  list[0] != '\0' ? "," : "", ours, more);
}

/* The milter's place is the smtpd that takes the mail back. */
static void examine_proxy(struct doctor *x, const struct postfix_service *s)
{
	char value[DOCTOR_TEXT_MAX], mend[3 * DOCTOR_TEXT_MAX];
	bool is_own;

	effective(x, s, "smtpd_proxy_filter", value, sizeof(value), &is_own);
	if (value[0] == '\0')
		return;
	if (x->settings->postfix->is_filtered)
		doctor_tell(x, DOCTOR_OK, topic, NULL,
			    "the service %s/%s has smtpd_proxy_filter, and our filter judges what "
			    "comes back",
			    s->name, s->type);
	else
		doctor_tell(
			x, DOCTOR_PROBLEM, topic, mend_proxy(x, s, is_own, mend, sizeof(mend)),
			"the service %s/%s has smtpd_proxy_filter = %s (%s): milters get no header "
			"and body there, and no smtpd that takes the mail back has our filter",
			s->name, s->type, value, is_own ? "master.cf" : "main.cf");
}

static void examine(struct doctor *x, const struct postfix_service *s, const char *line)
{
	doctor_arguments(x, line, s);
	if (!examine_no_milters(x, s)) {
		examine_own_milters(x, s);
		examine_own_maps(x, s);
	}
	examine_own_policy(x, s);
	examine_proxy(x, s);
}

/* ---- how many ---- */

static long count(struct doctor *x)
{
	char value[40];
	long n = 0, limit = 100;

	if (doctor_parameter(x, "default_process_limit", value, sizeof(value)))
		limit = strtol(value, NULL, 10);
	for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
		struct postfix_service s;

		if (postfix_service(line, &s) && strcmp(s.command, "smtpd") == 0)
			n += s.limit[0] == '-' ? limit : strtol(s.limit, NULL, 10);
		line += strcspn(line, "\n");
	}
	return n;
}

static void examine_numbers(struct doctor *x)
{
	const long n = count(x);
	char mend[300];

	if (n <= (long)x->settings->max_connections)
		return;
	doctor_tell(x, DOCTOR_PROBLEM, topic,
		    doctor_by_setting(x, mend, sizeof(mend), "max_connections", "%ld", n + 100),
		    "master.cf allows %ld smtpd processes, max_connections lets the policy server "
		    "have %u connections: the rest would get 451",
		    n, x->settings->max_connections);
}

void doctor_services(struct doctor *x)
{
	for_each_smtpd(x, note);
	for_each_smtpd(x, examine);
	examine_numbers(x);
}
