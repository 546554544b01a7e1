/* SPDX-License-Identifier: ISC
 *
 * milters.c: lists of milters: is our filter in them, where, and what is done while it is down?
 */
#include <stdio.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "common/socket.h"

static const char topic[] = "postfix";

/* What Postfix does while this milter is down. s: whose list it is, or NULL. Returns out. */
static const char *action_of(struct doctor *x, const struct postfix_service *s, const char *word,
			     char *out, size_t out_size)
{
	const char *own = word[0] == '{' ? strstr(word, "default_action") : NULL;

	if (own != NULL) {
		own += strlen("default_action");
		own += strspn(own, " =\t");
		snprintf(out, out_size, "%.*s", (int)strcspn(own, " ,}\t"), own);
	} else if (s == NULL || !postfix_override(x->postfix.overrides, s, "milter_default_action",
						  out, out_size)) {
		doctor_parameter(x, "milter_default_action", out, out_size);
	}
	return out;
}

/* A milter of somebody else where nobody listens, for want of which no mail is taken. */
static bool is_lost(struct doctor *x, const struct postfix_service *s, const char *word)
{
	char action[200];

	return !postfix_names_socket(x->postfix.queue_directory, word,
				     x->settings->filter_socket) &&
	       doctor_is_dead(x, word) &&
	       strcmp(action_of(x, s, word, action, sizeof(action)), "accept") != 0;
}

/* Ours from before, or misspelt: its name says whose it is, and nobody is there. */
static bool is_stale(const struct doctor *x, const char *word)
{
	return strstr(word, "pgpgate") != NULL &&
	       !postfix_names_socket(x->postfix.queue_directory, word,
				     x->settings->filter_socket) &&
	       doctor_is_dead(x, word);
}

/* It is meant to be ours, and Postfix does not make out what it says. */
static bool is_ours_misspelt(const struct doctor *x, const char *word)
{
	struct socket_address a;
	char err[300], ours[300];

	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	return !doctor_is_well_formed(word) &&
	       (strrchr(word, '{') == NULL || strrchr(word, '{') == word) &&
	       (postfix_names_socket(x->postfix.queue_directory, word,
				     x->settings->filter_socket) ||
		strstr(word, strchr(ours, ':') + 1) != NULL ||
		(socket_parse(x->settings->filter_socket, &a, err, sizeof(err)) == 0 && a.is_unix &&
		 strstr(word, a.path) != NULL));
}

/* The words of a list but ours and what is stale, joined by ", "; those of others that are down
 * shall not keep mail out meanwhile. Returns out. */
static char *without_ours(struct doctor *x, const struct postfix_service *s, const char *list,
			  char *out, size_t out_size)
{
	const char *word;
	size_t len, used = 0;

	out[0] = '\0';
	while ((word = postfix_word(&list, &len)) != NULL) {
		char one[DOCTOR_TEXT_MAX], open[DOCTOR_TEXT_MAX + 40];

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (is_lost(x, s, one) && !is_stale(x, one))
			snprintf(one, sizeof(one), "%s",
				 doctor_with_action(one, "accept", open, sizeof(open)));
		if (!postfix_names_socket(x->postfix.queue_directory, one,
					  x->settings->filter_socket) &&
		    !is_stale(x, one) && !is_ours_misspelt(x, one) &&
		    used + strlen(one) + 3 < out_size)
			used += (size_t)snprintf(out + used, out_size - used, "%s%s",
						 used > 0 ? ", " : "", one);
	}
	return out;
}

/* Our word of a list of milters as it stands there, with its braces. False: it is not there. */
static bool our_milter(const struct doctor *x, const char *list, char *out, size_t out_size,
		       bool *is_last)
{
	const char *word;
	size_t len;
	bool is_found = false;

	while ((word = postfix_word(&list, &len)) != NULL) {
		char one[DOCTOR_TEXT_MAX];

		*is_last = false;
		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (!is_found && postfix_names_socket(x->postfix.queue_directory, one,
						      x->settings->filter_socket)) {
			is_found = true;
			*is_last = true;
			snprintf(out, out_size, "%s", one);
		}
	}
	return is_found;
}

/* The list, put right: every other milter first, ours last, once; whichever of its faults is mended
 * first, a list that was written for another one undoes nothing. */
static const char *ours_last(struct doctor *x, const struct postfix_service *s, const char *list,
			     const char *ours, char *out, size_t out_size)
{
	char others[DOCTOR_TEXT_MAX], value[DOCTOR_TEXT_MAX + 500];

	without_ours(x, s, list, others, sizeof(others));
	snprintf(value, sizeof(value), "%s%s%s", others, others[0] != '\0' ? ", " : "", ours);
	return doctor_by_value(x, out, out_size, s, s != NULL, "smtpd_milters", value);
}

const char *doctor_with_ours(struct doctor *x, const struct postfix_service *s, const char *list,
			     char *out, size_t out_size)
{
	char ours[300], word[DOCTOR_TEXT_MAX] = "";
	bool is_last;

	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	return ours_last(x, s, list,
			 our_milter(x, list, word, sizeof(word), &is_last) &&
					 doctor_is_well_formed(word)
				 ? word
				 : ours,
			 out, out_size);
}

/* default_action within "{ socket, default_action = accept }", or what holds for all. */
void doctor_default_action(struct doctor *x, const struct postfix_service *s, const char *list)
{
	char value[DOCTOR_TEXT_MAX] = "", mend[DOCTOR_TEXT_MAX + 700], ours[300], word[400],
	     our_word[DOCTOR_TEXT_MAX] = "";
	const char *own;
	bool is_last, is_own, is_service = false;

	if (!our_milter(x, list, our_word, sizeof(our_word), &is_last) && s != NULL)
		return;
	own = strstr(our_word, "default_action");
	is_own = own != NULL && our_word[0] == '{';
	if (is_own && list == x->postfix.smtpd_milters && s != NULL)
		return; /* doctor_milters() tells of it */
	if (is_own) {
		own += strlen("default_action");
		own += strspn(own, " =\t");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(own, " ,}\t"), own);
	} else {
		is_service = s != NULL &&
			     postfix_override(x->postfix.overrides, s, "milter_default_action",
					      value, sizeof(value));
		if (s != NULL && !is_service) /* main.cf's, of which doctor_milters() tells */
			return;
		if (!is_service &&
		    !doctor_parameter(x, "milter_default_action", value, sizeof(value))) {
			doctor_tell(x, DOCTOR_SKIPPED, topic, NULL,
				    "milter_default_action cannot be had");
			return;
		}
	}
	if (strcmp(value, "tempfail") == 0)
		return;
	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	snprintf(word, sizeof(word), "{ %s, default_action=tempfail }", ours);
	if (is_own)
		ours_last(x, s, list, word, mend, sizeof(mend));
	else
		doctor_by_value(x, mend, sizeof(mend), s, is_service, "milter_default_action",
				"tempfail");
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
		    strcmp(value, "accept") == 0
			    ? "%s = %s%s%s: while the filter is down, cleartext passes"
			    : "%s = %s%s%s: while the filter is down, mail is refused for good, or "
			      "held",
		    is_own ? "default_action of our filter" : "milter_default_action", value,
		    s != NULL ? " of the service " : "", s != NULL ? s->name : "");
}

/* One word of a list: can Postfix make it out, and does anybody listen there? */
static void examine_word(struct doctor *x, const struct postfix_service *s, const char *list,
			 const char *one)
{
	char mend[2 * DOCTOR_TEXT_MAX];
	const char *of = s != NULL ? " of the service " : "", *name = s != NULL ? s->name : "";

	if (!doctor_is_well_formed(one))
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    is_ours_misspelt(x, one)
				    ? doctor_with_ours(x, s, list, mend, sizeof(mend))
				    : doctor_by_editor(x, mend, sizeof(mend),
						       s != NULL ? "master.cf" : "main.cf"),
			    "smtpd_milters%s%s has \"%.300s\", which smtpd does not make out: no "
			    "mail is taken",
			    of, name, one);
	else if (is_stale(x, one))
		doctor_tell(
			x, DOCTOR_PROBLEM, topic, doctor_with_ours(x, s, list, mend, sizeof(mend)),
			"smtpd_milters%s%s names %s, where nobody listens: every mail is put off",
			of, name, one);
	else if (is_lost(x, s, one))
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_with_ours(x, s, list, mend, sizeof(mend)),
			    "smtpd_milters%s%s names %s, which is not ours and where nobody "
			    "listens: no mail is taken until it runs; this passes it over "
			    "meanwhile",
			    of, name, one);
	else if (!postfix_names_socket(x->postfix.queue_directory, one,
				       x->settings->filter_socket) &&
		 doctor_is_dead(x, one))
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "smtpd_milters%s%s names %s, which is not ours and where nobody "
			    "listens: it is passed over",
			    of, name, one);
}

void doctor_dead_milters(struct doctor *x, const struct postfix_service *s, const char *list)
{
	const char *whole = list, *word;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		char one[DOCTOR_TEXT_MAX];

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		examine_word(x, s, whole, one);
	}
}

void doctor_absolute(struct doctor *x, const struct postfix_service *s, const char *name,
		     const char *list, const char *socket_text)
{
	char absolute[700], ours[300], mend[2 * DOCTOR_TEXT_MAX], value[DOCTOR_TEXT_MAX];
	const bool is_chrooted = s != NULL ? s->chroot[0] == 'y' : x->postfix.is_chrooted;
	struct socket_address a;
	const char *found;
	char err[300];

	if (!is_chrooted || socket_parse(socket_text, &a, err, sizeof(err)) != 0 || !a.is_unix)
		return;
	postfix_socket(x->postfix.queue_directory, socket_text, ours, sizeof(ours));
	snprintf(absolute, sizeof(absolute), "unix:%s", a.path);
	found = strstr(list, absolute);
	if (strcmp(absolute, ours) == 0 || found == NULL)
		return;
	snprintf(value, sizeof(value), "%.*s%s%s", (int)(found - list), list, ours,
		 found + strlen(absolute));
	doctor_tell(
		x, DOCTOR_PROBLEM, topic,
		doctor_by_value(x, mend, sizeof(mend), s, s != NULL, name, value),
		"%s%s%s has an absolute path, and smtpd is chrooted: it cannot reach the socket, "
		"and every mail is put off",
		name, s != NULL ? " of the service " : "", s != NULL ? s->name : "");
}

/* Some smtpd has only these, and needs ours among them. */
static void examine_list(struct doctor *x, const char *list)
{
	char ours[300], word[DOCTOR_TEXT_MAX] = "", mend[DOCTOR_TEXT_MAX + 700];
	bool is_last = false;

	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	if (our_milter(x, list, word, sizeof(word), &is_last)) {
		doctor_tell(x, DOCTOR_OK, topic, NULL, "smtpd_milters names our filter");
		if (!is_last)
			doctor_tell(x, DOCTOR_PROBLEM, topic,
				    doctor_with_ours(x, NULL, list, mend, sizeof(mend)),
				    "smtpd_milters names another milter after our filter, which is "
				    "not told whom and what that one refuses: mail is split and "
				    "ratchets are locked for nothing");
	} else if (x->postfix.n_bare == 0 && x->postfix.n_own > 0) {
		doctor_tell(
			x, DOCTOR_OK, topic, NULL,
			"smtpd_milters does not name our filter, and the services that need it do");
	} else {
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    ours_last(x, NULL, list, ours, mend, sizeof(mend)),
			    "smtpd_milters does not name our filter: mail is not judged");
	}
}

void doctor_milters(struct doctor *x)
{
	char ours[300], mend[DOCTOR_TEXT_MAX + 700], value[DOCTOR_TEXT_MAX],
		more[DOCTOR_TEXT_MAX + 310];
	const char *const list = x->postfix.smtpd_milters;

	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	examine_list(x, list);
	if (x->postfix.n_bare > 0 || x->postfix.n_own == 0)
		doctor_dead_milters(x, NULL, list);
	doctor_absolute(x, NULL, "smtpd_milters", list, x->settings->filter_socket);
	doctor_default_action(x, NULL, list);
	if (!doctor_parameter(x, "non_smtpd_milters", value, sizeof(value)))
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "non_smtpd_milters cannot be had");
	else if (!postfix_names_socket(x->postfix.queue_directory, value,
				       x->settings->filter_socket)) {
		snprintf(more, sizeof(more), "%s%s%s", value, value[0] != '\0' ? ", " : "", ours);
		doctor_tell(x, DOCTOR_NOTE, topic,
			    doctor_by_value(x, mend, sizeof(mend), NULL, false, "non_smtpd_milters",
					    more),
			    "mail from sendmail(1) is not judged (non_smtpd_milters)");
	}
	if (!doctor_parameter(x, "smtpd_milter_maps", value, sizeof(value)))
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "smtpd_milter_maps cannot be had");
	else if (value[0] != '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_postconf(x, mend, sizeof(mend), "-X", "smtpd_milter_maps"),
			    "smtpd_milter_maps = %s: clients listed there bypass smtpd_milters, "
			    "unless their "
			    "entry names our filter",
			    value);
}
