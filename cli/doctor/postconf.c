/* SPDX-License-Identifier: ISC
 *
 * postconf.c: the configuration of Postfix, asked once: its programs take some 20 ms each, and a
 * second where something is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"
#include "common/run.h"

#define PATIENCE_MS 10000	 /* for a program of Postfix */
#define PARAMETERS_MAX (1 << 20) /* all of them have some 50 kB; lists can be long */

bool doctor_ask_postconf(const struct doctor *x, const char *option, char *out, size_t out_size)
{
	return postfix_run(x->postfix.config_directory, "postconf", &option, 1, NULL, out, out_size,
			   PATIENCE_MS) == 0;
}

/* Why postconf(1) ends: its last words, without the name of the program. False: it could not be
 * run, or said nothing. */
static bool complaint(const struct doctor *x, char *out, size_t out_size)
{
	static const char head[] = "postconf: fatal: ";
	const char *const directory = x->postfix.config_directory;
	const bool has_directory = directory != NULL && directory[0] != '\0';
	const char *argv[] = {"postconf", "-M", NULL, NULL, NULL};
	char text[DOCTOR_TEXT_MAX], *found;

	if (has_directory) {
		argv[2] = "-c";
		argv[3] = directory;
	}
	if (run_output_all(argv, NULL, text, sizeof(text), PATIENCE_MS) <= 0 ||
	    (found = strstr(text, head)) == NULL)
		return false;
	found += strlen(head);
	snprintf(out, out_size, "%.*s", (int)strcspn(found, "\n"), found);
	return true;
}

/* A file that Postfix's programs cannot make out ends all of them, and no mail is taken: "FILE,
 * line N: why", or "file FILE: line N: why"; or a field of master.cf, which is quoted. A file that
 * is not there is another matter. */
static bool tell_of_damage(struct doctor *x)
{
	const char *const directory = x->postfix.config_directory;
	char why[1000], file[600], quoted[700], mend[900], number[20] = "";
	const char *line;

	if (!complaint(x, why, sizeof(why)) || strncmp(why, "open ", 5) == 0)
		return false;
	line = strstr(why, "line ");
	if (line != NULL)
		snprintf(number, sizeof(number), "+%ld ", strtol(line + 5, NULL, 10));
	snprintf(file, sizeof(file), "%.500s/%s",
		 directory != NULL && directory[0] != '\0' ? directory : "/etc/postfix",
		 strstr(why, "main.cf") != NULL ? "main.cf" : "master.cf");
	snprintf(mend, sizeof(mend), "${EDITOR:-vi} %s%s", number,
		 doctor_quote(quoted, sizeof(quoted), file));
	doctor_tell(x, DOCTOR_PROBLEM, "postfix", mend,
		    "Postfix cannot read its configuration, and takes no mail: %s", why);
	return true;
}

bool doctor_parameter(struct doctor *x, const char *name, char *out, size_t out_size)
{
	out[0] = '\0';
	return x->postfix.parameters != NULL &&
	       postfix_value(x->postfix.parameters, name, out, out_size);
}

char *doctor_defaults(const struct doctor *x)
{
	char *const all = output_memory(NULL, PARAMETERS_MAX);

	if (doctor_ask_postconf(x, "-d", all, PARAMETERS_MAX))
		return all;
	free(all);
	return NULL;
}

bool doctor_postconf(struct doctor *x)
{
	struct doctor_postfix *p = &x->postfix;

	p->parameters = output_memory(NULL, PARAMETERS_MAX);
	p->is_there = doctor_ask_postconf(x, "-x", p->parameters, PARAMETERS_MAX) &&
		      doctor_parameter(x, "queue_directory", p->queue_directory,
				       sizeof(p->queue_directory)) &&
		      doctor_parameter(x, "mail_owner", p->mail_owner, sizeof(p->mail_owner)) &&
		      doctor_parameter(x, "smtpd_milters", p->smtpd_milters,
				       sizeof(p->smtpd_milters)) &&
		      doctor_ask_postconf(x, "-M", p->master, sizeof(p->master)) &&
		      doctor_ask_postconf(x, "-xP", p->overrides, sizeof(p->overrides));
	if (!p->is_there) {
		free(p->parameters);
		p->parameters = NULL;
		if (!tell_of_damage(x))
			doctor_tell(x, DOCTOR_SKIPPED, "postfix", NULL,
				    "postconf did not answer: is Postfix here?");
	}
	return p->is_there;
}
