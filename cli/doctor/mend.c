/* SPDX-License-Identifier: ISC
 *
 * mend.c: the commands that mend what was found.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "common/daemon.h"

#define CHANGE_MAX (2 * DOCTOR_TEXT_MAX)

const char *doctor_quote(char *out, size_t out_size, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./:@%+=,";
	size_t used;

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		snprintf(out, out_size, "%s", word);
		return out;
	}
	used = (size_t)snprintf(out, out_size, "'");
	for (; *word != '\0' && used + 6 < out_size; word++)
		used += (size_t)snprintf(out + used, out_size - used,
					 *word == '\'' ? "'\\''" : "%c", *word);
	snprintf(out + used, out_size - used, "'");
	return out;
}

const char *doctor_by_postconf(const struct doctor *x, char *out, size_t out_size,
			       const char *option, const char *format, ...)
{
	const bool has_directory = x->postfix.config_directory != NULL &&
				   x->postfix.config_directory[0] != '\0';
	char change[CHANGE_MAX], directory[1100] = "", quoted[CHANGE_MAX + 100];
	char *word, *rest = change;
	va_list arguments;
	size_t used;

	va_start(arguments, format);
	vsnprintf(change, sizeof(change), format, arguments);
	va_end(arguments);
	if (has_directory)
		snprintf(directory, sizeof(directory), " -c %s",
			 doctor_quote(quoted, sizeof(quoted), x->postfix.config_directory));
	used = (size_t)snprintf(out, out_size, "postconf%s %s", directory, option);
	while ((word = strsep(&rest, "\n")) != NULL && used < out_size)
		used += (size_t)snprintf(out + used, out_size - used, " %s",
					 doctor_quote(quoted, sizeof(quoted), word));
	if (used < out_size)
		snprintf(out + used, out_size - used, " && postfix%s reload", directory);
	return out;
}

void doctor_pack(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		const bool is_gap = *from == ' ' || *from == '\t' || *from == ',';
		const char last = to > text ? to[-1] : ',';

		if (is_gap && (last == ',' || last == '{'))
			continue;
		if (*from == '}' && last == ',')
			to--;
		*to++ = *from;
		if (is_gap)
			to[-1] = ',';
	}
	if (to > text && to[-1] == ',')
		to--;
	*to = '\0';
}

const char *doctor_by_value(const struct doctor *x, char *out, size_t out_size,
			    const struct postfix_service *s, bool is_own, const char *name,
			    const char *value)
{
	char packed[CHANGE_MAX];

	if (!is_own)
		return doctor_by_postconf(x, out, out_size, "-e", "%s = %s", name, value);
	snprintf(packed, sizeof(packed), "%s", value);
	doctor_pack(packed);
	return doctor_by_postconf(x, out, out_size, "-P", "%s/%s/%s=%s", s->name, s->type, name,
				  packed);
}

const char *doctor_by_editor(const struct doctor *x, char *out, size_t out_size, const char *name)
{
	const char *const directory = x->postfix.config_directory;
	const bool has_directory = directory != NULL && directory[0] != '\0';
	char file[1100], quoted[1300], reload[1400] = "";

	snprintf(file, sizeof(file), "%.1000s/%s", has_directory ? directory : "/etc/postfix",
		 name);
	if (has_directory)
		snprintf(reload, sizeof(reload), " -c %s",
			 doctor_quote(quoted, sizeof(quoted), directory));
	snprintf(out, out_size, "${EDITOR:-vi} %s && postfix%s reload",
		 doctor_quote(quoted, sizeof(quoted), file), reload);
	return out;
}

/* "pgpgate", with -c where the configuration is another than the default. */
static size_t begin_pgpgate(const struct doctor *x, char *out, size_t out_size)
{
	char quoted[1100];
	const int n = snprintf(out, out_size, "pgpgate%s%s ",
			       x->cli->config_is_explicit ? " -c " : "",
			       x->cli->config_is_explicit
				       ? doctor_quote(quoted, sizeof(quoted), x->cli->config_path)
				       : "");

	return (size_t)n < out_size ? (size_t)n : out_size - 1;
}

const char *doctor_by_pgpgate(const struct doctor *x, char *out, size_t out_size,
			      const char *format, ...)
{
	const size_t used = begin_pgpgate(x, out, out_size);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out + used, out_size - used, format, arguments);
	va_end(arguments);
	return out;
}

const char *doctor_by_setting(const struct doctor *x, char *out, size_t out_size, const char *key,
			      const char *format, ...)
{
	char value[DOCTOR_TEXT_MAX], both[DOCTOR_TEXT_MAX + 100], quoted[DOCTOR_TEXT_MAX + 400];
	const size_t used = begin_pgpgate(x, out, out_size);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	snprintf(both, sizeof(both), "%s = %s", key, value);
	snprintf(out + used, out_size - used,
		 "config --set %s && systemctl %s pgpgate-filter pgpgate-policyd",
		 doctor_quote(quoted, sizeof(quoted), both),
		 daemon_needs_restart(key) ? "restart" : "reload");
	return out;
}
