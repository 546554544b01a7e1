/* SPDX-License-Identifier: ISC
 *
 * postfix.c: main.cf and master.cf.
 */
#include <string.h>

#include "cli/doctor/doctor.h"

static const char topic[] = "postfix";

static void examine_smuggling(struct doctor *x)
{
	char value[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX];

	if (!doctor_parameter(x, "smtpd_forbid_bare_newline", value, sizeof(value)) ||
	    value[0] == '\0')
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			"apt-get update && apt-get install --only-upgrade postfix",
			"this Postfix has no smtpd_forbid_bare_newline: messages can be smuggled "
			"past every check; 3.7.9, 3.8.4 and later have it");
	else if (strcmp(value, "no") == 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    doctor_by_value(x, mend, sizeof(mend), NULL, false,
					    "smtpd_forbid_bare_newline", "yes"),
			    "smtpd_forbid_bare_newline is off: messages can be smuggled past every "
			    "check "
			    "(CVE-2023-51764)");
	else
		doctor_tell(x, DOCTOR_OK, topic, NULL, "smtpd_forbid_bare_newline = %s", value);
}

void doctor_postfix(struct doctor *x)
{
	if (!x->postfix.is_there)
		return;
	doctor_services(x);
	doctor_milters(x);
	doctor_policy(x);
	examine_smuggling(x);
	doctor_listening(x);
}
