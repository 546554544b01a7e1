/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "common/postfix.h"
#include "common/socket.h"

#define PATIENCE_MS 10000 /* for a program of Postfix */

static const char topic[] = "postfix";

/* A program of Postfix with an option and up to two more words, NULL for none. Returns its exit status or -1. */
static int run_postfix(struct doctor *x, const char *program, const char *option, const char *word,
		       const char *word2, char *out, size_t out_size)
{
	const char *const words[] = {option, word, word2};

	return postfix_run(x->postfix.config_directory, program, words,
			   word == NULL	   ? 1
			   : word2 == NULL ? 2
					   : 3,
			   NULL, out, out_size, PATIENCE_MS);
}

bool doctor_parameter(struct doctor *x, const char *name, char *out, size_t out_size)
{
	size_t len;

	if (run_postfix(x, "postconf", "-xh", name, NULL, out, out_size) != 0)
		return false;
	len = strlen(out);
	while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == ' '))
		out[--len] = '\0';
	return true;
}

const char *doctor_by_postconf(const struct doctor *x, char *out, size_t out_size,
			       const char *format, ...)
{
	const char *directory = x->postfix.config_directory;
	const char *option = directory != NULL ? " -c " : "";
	char change[DOCTOR_TEXT_MAX + 400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(change, sizeof(change), format, arguments);
	va_end(arguments);
	if (directory == NULL)
		directory = "";
	snprintf(out, out_size, "postconf%s%s %s; postfix%s%s reload", option, directory, change,
		 option, directory);
	return out;
}

/* ---- lists of words ---- */

/* The words of a list but ours, joined by ", ". Returns out. */
static char *without_ours(const struct doctor *x, const char *list, char *out, size_t out_size)
{
	const char *word;
	size_t len, used = 0;

	out[0] = '\0';
	while ((word = postfix_word(&list, &len)) != NULL) {
		char one[DOCTOR_TEXT_MAX];

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (!postfix_names_socket(x->postfix.queue_directory, one, x->settings->filter_socket) &&
		    used + len + 3 < out_size)
			used += (size_t)snprintf(out + used, out_size - used, "%s%s",
						 used > 0 ? ", " : "", one);
	}
	return out;
}

/* Our word of a list of milters as it stands there, with its braces. False: it is not there. */
static bool our_milter(const struct doctor *x, const char *list, char *out, size_t out_size, bool *is_last)
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

/* Postfix's main.cf, put right: every other milter first, ours last, once. */
static const char *ours_last(const struct doctor *x, const char *list, const char *ours, char *out,
			     size_t out_size)
{
	char others[DOCTOR_TEXT_MAX];

	without_ours(x, list, others, sizeof(others));
	return doctor_by_postconf(x, out, out_size, "-e 'smtpd_milters = %s%s%s'", others,
				  others[0] != '\0' ? ", " : "", ours);
}

/* default_action within "{ socket, default_action = accept }", or what holds for all. */
static void examine_default_action(struct doctor *x, const char *our_word)
{
	char value[DOCTOR_TEXT_MAX] = "", mend[DOCTOR_TEXT_MAX + 700], ours[300], word[400];
	const char *own = strstr(our_word, "default_action");
	const bool is_own = own != NULL && our_word[0] == '{';

	if (is_own) {
		own += strlen("default_action");
		own += strspn(own, " =\t");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(own, " ,}\t"), own);
	} else if (!doctor_parameter(x, "milter_default_action", value, sizeof(value))) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "milter_default_action cannot be had");
		return;
	}
	if (strcmp(value, "tempfail") == 0)
		return;
	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	snprintf(word, sizeof(word), "{ %s, default_action=tempfail }", ours);
	if (is_own)
		ours_last(x, x->postfix.smtpd_milters, word, mend, sizeof(mend));
	if (!is_own)
		doctor_by_postconf(x, mend, sizeof(mend), "-e 'milter_default_action = tempfail'");
	doctor_tell(
		x, DOCTOR_PROBLEM, topic, mend,
		strcmp(value, "accept") == 0
			? "%s = %s: while the filter is down, cleartext passes"
			: "%s = %s: while the filter is down, mail is refused for good, or held",
		is_own ? "default_action of our filter" : "milter_default_action", value);
}

/* A milter of ours from before, whose socket is gone: every mail would wait for it. */
static void examine_stale(struct doctor *x)
{
	const char *list = x->postfix.smtpd_milters, *word;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		char one[300], text[320], err[300], rest[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX + 700];
		struct socket_address a;
		const char *others = x->postfix.smtpd_milters, *other;
		size_t other_len, used = 0;
		int fd;

		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		if (strncmp(one, "unix:", 5) != 0 || strstr(one, "pgpgate") == NULL ||
		    postfix_names_socket(x->postfix.queue_directory, one, x->settings->filter_socket))
			continue;
		snprintf(text, sizeof(text), "unix:%.150s%s%.150s",
			 one[5] == '/' ? "" : x->postfix.queue_directory, one[5] == '/' ? "" : "/",
			 one + 5);
		fd = socket_parse(text, &a, err, sizeof(err)) == 0
			     ? socket_connect(&a, 1000, err, sizeof(err))
			     : -1;
		if (fd >= 0) {
			close(fd);
			continue;
		}
		rest[0] = '\0';
		while ((other = postfix_word(&others, &other_len)) != NULL)
			if (other != word && used + other_len + 3 < sizeof(rest))
				used += (size_t)snprintf(rest + used, sizeof(rest) - used, "%s%.*s",
							 used > 0 ? ", " : "", (int)other_len, other);
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_postconf(x, mend, sizeof(mend), "-e 'smtpd_milters = %s'", rest),
			"smtpd_milters names %s, too, where nobody listens: every mail is put off",
			one);
	}
}

/* An absolute path below the queue directory in a list, and smtpd is chrooted. */
void doctor_absolute(struct doctor *x, const char *name, const char *list, const char *socket_text)
{
	char absolute[700], ours[300], mend[2 * DOCTOR_TEXT_MAX], value[DOCTOR_TEXT_MAX];
	struct socket_address a;
	const char *found;
	char err[300];

	if (!x->postfix.is_chrooted || socket_parse(socket_text, &a, err, sizeof(err)) != 0 || !a.is_unix)
		return;
	postfix_socket(x->postfix.queue_directory, socket_text, ours, sizeof(ours));
	snprintf(absolute, sizeof(absolute), "unix:%s", a.path);
	found = strstr(list, absolute);
	if (strcmp(absolute, ours) == 0 || found == NULL)
		return;
	snprintf(value, sizeof(value), "%.*s%s%s", (int)(found - list), list, ours,
		 found + strlen(absolute));
	doctor_tell(x, DOCTOR_PROBLEM, topic,
		    doctor_by_postconf(x, mend, sizeof(mend), "-e '%s = %s'", name, value), "%s has an absolute path, and smtpd is chrooted: it cannot reach the socket, and every mail is put off",
		    name);
}

static void examine_milters(struct doctor *x)
{
	char ours[300], word[DOCTOR_TEXT_MAX] = "", mend[DOCTOR_TEXT_MAX + 700], value[DOCTOR_TEXT_MAX];
	const char *const list = x->postfix.smtpd_milters;
	bool is_last = false;

	postfix_socket(x->postfix.queue_directory, x->settings->filter_socket, ours, sizeof(ours));
	if (!our_milter(x, list, word, sizeof(word), &is_last)) {
		doctor_tell(x, DOCTOR_PROBLEM, topic, ours_last(x, list, ours, mend, sizeof(mend)),
			    "smtpd_milters does not name our filter: mail is not judged");
	} else {
		doctor_tell(x, DOCTOR_OK, topic, NULL, "smtpd_milters names our filter");
		if (!is_last)
			doctor_tell(x, DOCTOR_PROBLEM, topic,
				    ours_last(x, list, word, mend, sizeof(mend)), "smtpd_milters names another milter after our filter, which is not told whom and what that one refuses: mail is split and ratchets are locked for nothing");
	}
	examine_stale(x);
	doctor_absolute(x, "smtpd_milters", list, x->settings->filter_socket);
	examine_default_action(x, word);
	if (!doctor_parameter(x, "non_smtpd_milters", value, sizeof(value)))
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "non_smtpd_milters cannot be had");
	else if (!postfix_names_socket(x->postfix.queue_directory, value, x->settings->filter_socket))
		doctor_tell(x, DOCTOR_NOTE, topic,
			    doctor_by_postconf(x, mend, sizeof(mend), "-e 'non_smtpd_milters = %s%s%s'",
					       value, value[0] != '\0' ? ", " : "", ours),
			    "mail from sendmail(1) is not judged (non_smtpd_milters)");
	if (!doctor_parameter(x, "smtpd_milter_maps", value, sizeof(value)))
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "smtpd_milter_maps cannot be had");
	else if (value[0] != '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_postconf(x, mend, sizeof(mend), "-X smtpd_milter_maps"),
			    "smtpd_milter_maps = %s: clients listed there bypass smtpd_milters, "
			    "unless their "
			    "entry names our filter",
			    value);
}

static void examine_smuggling(struct doctor *x)
{
	char value[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX];

	if (!doctor_parameter(x, "smtpd_forbid_bare_newline", value, sizeof(value)) || value[0] == '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    "upgrade to Postfix 3.7.9, 3.8.4 or later", "this Postfix has no smtpd_forbid_bare_newline: messages can be smuggled past every check");
	else if (strcmp(value, "no") == 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_postconf(x, mend, sizeof(mend),
					       "-e 'smtpd_forbid_bare_newline = yes'"),
			    "smtpd_forbid_bare_newline is off: messages can be smuggled past every "
			    "check "
			    "(CVE-2023-51764)");
	else
		doctor_tell(x, DOCTOR_OK, topic, NULL, "smtpd_forbid_bare_newline = %s", value);
}

void doctor_postfix(struct doctor *x)
{
	struct doctor_postfix *p = &x->postfix;

	p->is_there =
		doctor_parameter(x, "queue_directory", p->queue_directory, sizeof(p->queue_directory)) &&
		doctor_parameter(x, "mail_owner", p->mail_owner, sizeof(p->mail_owner)) &&
		doctor_parameter(x, "smtpd_milters", p->smtpd_milters, sizeof(p->smtpd_milters)) &&
		run_postfix(x, "postconf", "-M", NULL, NULL, p->master, sizeof(p->master)) == 0 &&
		run_postfix(x, "postconf", "-xP", NULL, NULL, p->overrides, sizeof(p->overrides)) == 0;
	if (!p->is_there) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "postconf did not answer: is Postfix here?");
		return;
	}
	doctor_services(x);
	examine_milters(x);
	doctor_policy(x);
	examine_smuggling(x);
}
