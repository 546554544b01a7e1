/* SPDX-License-Identifier: ISC
 *
 * values.c: values of main.cf, and of -o in master.cf, with which Postfix's programs end as soon as
 * they read them: "30x" where a time stands, "10M" where a number does, "true" for "yes".
 * postconf(1) shows them as they are. What kind a parameter is, its default tells; only what is
 * surely none of that kind is told, since some texts have a number by default.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/doctor/doctor.h"

#define NAME_MAX_BYTES 200

enum kind { KIND_OTHER, KIND_TIME, KIND_NUMBER, KIND_SWITCH };

static const char topic[] = "postfix";
static const char digits[] = "0123456789";

static enum kind kind_of(const char *standard)
{
	static const char by_load[] = "${stress?{";
	const size_t n = strspn(standard, digits), len = strlen(standard);

	if (strncmp(standard, by_load, strlen(by_load)) == 0)
		return standard[len - 1] == 's'			   ? KIND_TIME
		       : isdigit((unsigned char)standard[len - 3]) ? KIND_NUMBER
								   : KIND_OTHER;
	if (strcmp(standard, "yes") == 0 || strcmp(standard, "no") == 0)
		return KIND_SWITCH;
	if (n == 0)
		return KIND_OTHER;
	if (standard[n] == '\0')
		return KIND_NUMBER;
	return standard[n + 1] == '\0' && strchr("smhdw", standard[n]) != NULL ? KIND_TIME
									       : KIND_OTHER;
}

/* Why no program of Postfix takes it; NULL: nothing is known against it. */
static const char *objection(enum kind kind, const char *value)
{
	static const char *const meant[] = {"true", "false", "on", "off", "1", "0", "y", "n"};
	const size_t n = strspn(value, digits);

	if (strchr(value, '$') != NULL)
		return NULL;
	switch (kind) {
	case KIND_TIME:
		if (n == 0 || (value[n] != '\0' &&
			       (value[n + 1] != '\0' || strchr("smhdwSMHDW", value[n]) == NULL)))
			return "no time (digits, and one of s, m, h, d, w)";
		break;
	case KIND_NUMBER:
		if (n > 0 && isalpha((unsigned char)value[n]))
			return "no number";
		break;
	case KIND_SWITCH:
		for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++)
			if (strcasecmp(value, meant[i]) == 0)
				return "neither yes nor no";
		break;
	case KIND_OTHER:
		break;
	}
	return NULL;
}

/* where: "", or the service/type of master.cf. */
static void examine(struct doctor *x, const char *where, const char *name, const char *standard,
		    const char *value)
{
	const char *why = objection(kind_of(standard), value);
	char mend[3000];

	if (why == NULL)
		return;
	if (where[0] != '\0')
		doctor_by_postconf(x, mend, sizeof(mend), "-PX", "%s/%s", where, name);
	else
		doctor_by_postconf(x, mend, sizeof(mend), "-#", "%s", name);
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
		    "%s = %.200s%s%s is %s: what reads it ends at once, and its mail is not taken, "
		    "or stays; without it, %s holds",
		    name, value, where[0] != '\0' ? " of the service " : "", where, why,
		    where[0] != '\0'		    ? "the one of main.cf"
		    : strchr(standard, '$') == NULL ? standard
						    : "Postfix's own default");
}

/* Lines of "service/type/name = value". */
static void examine_services(struct doctor *x, const char *defaults)
{
	for (const char *line = x->postfix.overrides; *line != '\0'; line += strspn(line, "\n")) {
		const int len = (int)strcspn(line, "\n");
		char one[DOCTOR_TEXT_MAX], standard[DOCTOR_TEXT_MAX], *equals, *name;

		snprintf(one, sizeof(one), "%.*s", len, line);
		line += len;
		equals = strstr(one, " = ");
		if (equals == NULL)
			continue;
		*equals = '\0';
		name = strrchr(one, '/');
		if (name == NULL)
			continue;
		*name++ = '\0';
		if (postfix_value(defaults, name, standard, sizeof(standard)))
			examine(x, one, name, standard, equals + strlen(" = "));
	}
}

void doctor_values(struct doctor *x)
{
	char *const defaults = doctor_defaults(x);

	if (defaults == NULL) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL,
			    "the kinds of Postfix's parameters cannot be had (postconf -d)");
		return;
	}
	for (const char *line = defaults; *line != '\0'; line += strspn(line, "\n")) {
		const size_t len = strcspn(line, "\n"), name_len = strcspn(line, " \n");
		char name[NAME_MAX_BYTES], standard[DOCTOR_TEXT_MAX], value[DOCTOR_TEXT_MAX];

		snprintf(name, sizeof(name), "%.*s", (int)name_len, line);
		if (len > name_len + 3 && name_len < sizeof(name)) {
			snprintf(standard, sizeof(standard), "%.*s", (int)(len - name_len - 3),
				 line + name_len + 3);
			if (kind_of(standard) != KIND_OTHER &&
			    doctor_parameter(x, name, value, sizeof(value)))
				examine(x, "", name, standard, value);
		}
		line += len;
	}
	examine_services(x, defaults);
	free(defaults);
}
