/* SPDX-License-Identifier: ISC
 *
 * arguments.c: what stands behind "smtpd" in master.cf. postconf(1) passes over what it does not
 * understand there, such as "-o name = value" with blanks; smtpd(8) ends with it each time that it
 * is started, and no mail comes in.
 */
#include <stdio.h>
#include <string.h>

#include "cli/doctor/doctor.h"

static const char blanks[] = " \t\n";

/* The next argument, "{ ... }" as one; false: there is none. */
static bool next(const char **rest, const char **word, size_t *len)
{
	int depth = 0;
	size_t n = 0;

	*word = *rest + strspn(*rest, blanks);
	for (; (*word)[n] != '\0' && (depth > 0 || strchr(blanks, (*word)[n]) == NULL); n++)
		depth += (*word)[n] == '{' ? 1 : (*word)[n] == '}' && depth > 0 ? -1 : 0;
	*rest = *word + n;
	*len = n;
	return n > 0;
}

/* The first argument that smtpd does not take: behind -o one without "=", or one that is no option.
 * Returns its length, 0 if there is none. */
static size_t find_stray(const char *rest, const char **word)
{
	size_t len;

	while (next(&rest, word, &len)) {
		const bool has_value = len == 2 && strncmp(*word, "-o", 2) == 0;

		if ((*word)[0] != '-')
			return len;
		if (has_value && next(&rest, word, &len) && memchr(*word, '=', len) == NULL)
			return len;
	}
	return 0;
}

/* The arguments of the service that line begins: behind eight fields, and on the lines that begin
 * with a blank. */
static void arguments_of(const char *line, char *out, size_t out_size)
{
	const char *end = line, *word;
	size_t len;

	do
		end += strcspn(end, "\n") + (end[strcspn(end, "\n")] == '\n');
	while (*end == ' ' || *end == '\t');
	for (int i = 0; i < 8 && next(&line, &word, &len); i++)
		;
	snprintf(out, out_size, "%.*s", line < end ? (int)(end - line) : 0, line);
}

void doctor_arguments(struct doctor *x, const char *line, const struct postfix_service *s)
{
	char text[DOCTOR_TEXT_MAX], mend[3000];
	const char *word;
	size_t len;

	arguments_of(line, text, sizeof(text));
	len = find_stray(text, &word);
	if (len == 0)
		return;
	doctor_tell(x, DOCTOR_PROBLEM, "postfix",
		    doctor_by_editor(x, mend, sizeof(mend), "master.cf"),
		    "the service %s/%s has \"%.*s\" in master.cf, which smtpd does not take: it "
		    "ends, and no mail comes in there (-o name=value has no blanks)",
		    s->name, s->type, (int)(len < 200 ? len : 200), word);
}
