/* SPDX-License-Identifier: ISC
 *
 * postfix.c: main.cf and master.cf.
 */
#include <stdio.h>
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

/* With it every refusal is for now. */
static void examine_soft_bounce(struct doctor *x)
{
	char value[40], mend[DOCTOR_TEXT_MAX];

	if (x->settings->enforce && doctor_parameter(x, "soft_bounce", value, sizeof(value)) &&
	    strcmp(value, "yes") == 0)
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_value(x, mend, sizeof(mend), NULL, false, "soft_bounce", "no"),
			"soft_bounce = yes: a refusal says 450, so senders try again for days and "
			"are not told why");
}

/* Postfix with IPv4 alone does not connect to ::1, and the other way round. */
static void examine_socket_family(struct doctor *x)
{
	static const struct {
		const char *key, *reason;
	} sockets[] = {{"filter_socket", "the filter"}, {"policy_socket", "the policy server"}};
	char value[200], mend[DOCTOR_TEXT_MAX];

	if (!doctor_parameter(x, "inet_protocols", value, sizeof(value)) ||
	    postfix_has_word(value, "all"))
		return;
	for (size_t i = 0; i < 2; i++) {
		const char *text = i == 0 ? x->settings->filter_socket : x->settings->policy_socket;
		const bool is_6 = strncmp(text, "inet6:", 6) == 0;

		if ((i == 1 && !x->postfix.uses_policy) ||
		    (!is_6 && strncmp(text, "inet:", 5) != 0) ||
		    postfix_has_word(value, is_6 ? "ipv6" : "ipv4"))
			continue;
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_value(x, mend, sizeof(mend), NULL, false, "inet_protocols",
					"all"),
			"inet_protocols = %s, and %s is %s: Postfix does not connect to %s, and "
			"no mail is taken (or give it a socket in the file system)",
			value, sockets[i].key, text, sockets[i].reason);
	}
}

/* Another instance has files of its own, which are not looked at here. */
static void examine_instances(struct doctor *x)
{
	char value[DOCTOR_TEXT_MAX], one[1000], mend[1500], quoted[1100];
	const char *rest = value, *word;
	size_t len;

	if (!doctor_parameter(x, "multi_instance_enable", value, sizeof(value)) ||
	    strcmp(value, "yes") != 0 ||
	    !doctor_parameter(x, "multi_instance_directories", value, sizeof(value)))
		return;
	while ((word = postfix_word(&rest, &len)) != NULL) {
		snprintf(one, sizeof(one), "%.*s", (int)len, word);
		x->postfix.has_others = true;
		doctor_by_pgpgate(x, mend, sizeof(mend), "doctor --postfix-config %s",
				  doctor_quote(quoted, sizeof(quoted), one));
		doctor_tell(x, DOCTOR_NOTE, topic, mend,
			    "Postfix has another instance, %s, which was not looked at", one);
	}
}

void doctor_postfix(struct doctor *x)
{
	if (!x->postfix.is_there)
		return;
	doctor_services(x);
	doctor_milters(x);
	doctor_policy(x);
	doctor_restrictions(x);
	doctor_values(x);
	doctor_tables(x);
	doctor_queue_room(x);
	examine_smuggling(x);
	examine_soft_bounce(x);
	examine_socket_family(x);
	examine_instances(x);
	doctor_listening(x);
	doctor_reload(x);
}
