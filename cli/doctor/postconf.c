/* SPDX-License-Identifier: ISC
 *
 * postconf.c: the configuration of Postfix, asked once: its programs take some 20 ms each, and a
 * second where something is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"

#define PATIENCE_MS 10000	 /* for a program of Postfix */
#define PARAMETERS_MAX (1 << 20) /* all of them have some 50 kB; lists can be long */

static bool ask(const struct doctor *x, const char *option, char *out, size_t out_size)
{
	return postfix_run(x->postfix.config_directory, "postconf", &option, 1, NULL, out, out_size,
			   PATIENCE_MS) == 0;
}

bool doctor_parameter(struct doctor *x, const char *name, char *out, size_t out_size)
{
	out[0] = '\0';
	return x->postfix.parameters != NULL &&
	       postfix_value(x->postfix.parameters, name, out, out_size);
}

bool doctor_postconf(struct doctor *x)
{
	struct doctor_postfix *p = &x->postfix;

	p->parameters = malloc(PARAMETERS_MAX);
	p->is_there = p->parameters != NULL && ask(x, "-x", p->parameters, PARAMETERS_MAX) &&
		      doctor_parameter(x, "queue_directory", p->queue_directory,
				       sizeof(p->queue_directory)) &&
		      doctor_parameter(x, "mail_owner", p->mail_owner, sizeof(p->mail_owner)) &&
		      doctor_parameter(x, "smtpd_milters", p->smtpd_milters,
				       sizeof(p->smtpd_milters)) &&
		      ask(x, "-M", p->master, sizeof(p->master)) &&
		      ask(x, "-xP", p->overrides, sizeof(p->overrides));
	if (!p->is_there) {
		free(p->parameters);
		p->parameters = NULL;
		doctor_tell(x, DOCTOR_SKIPPED, "postfix", NULL,
			    "postconf did not answer: is Postfix here?");
	}
	return p->is_there;
}
