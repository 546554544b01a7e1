/* SPDX-License-Identifier: ISC
 *
 * words.c: one word of a list of milters or restrictions: can Postfix make it out, does anybody
 * listen there, and what is to be done while nobody does?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "common/socket.h"

/* "host:port" on this machine, where nobody listens at that port: the kernel is asked. */
static bool is_dead_inet(const char *where)
{
	const char *colon = strrchr(where, ':');
	char port[60];

	if (colon == NULL || (strncmp(where, "127.", 4) != 0 && strncmp(where, "[::1]:", 6) != 0 &&
			      strncmp(where, "localhost:", 10) != 0))
		return false;
	snprintf(port, sizeof(port), "%s", colon + 1);
	return doctor_is_unheard(port);
}

bool doctor_is_dead(const struct doctor *x, const char *word)
{
	char one[300], text[900], err[300];
	const char *path;
	struct socket_address a;
	int fd;

	snprintf(one, sizeof(one), "%s", word + strspn(word, "{ \t"));
	one[strcspn(one, ", \t}")] = '\0';
	if (strncmp(one, "inet:", 5) == 0)
		return is_dead_inet(one + 5);
	if (strncmp(one, "unix:", 5) != 0 && strncmp(one, "local:", 6) != 0)
		return false;
	path = strchr(one, ':') + 1;
	snprintf(text, sizeof(text), "unix:%s%s%s",
		 path[0] == '/' ? "" : x->postfix.queue_directory, path[0] == '/' ? "" : "/", path);
	if (socket_parse(text, &a, err, sizeof(err)) != 0)
		return false;
	fd = socket_connect(&a, 1000, err, sizeof(err));
	if (fd >= 0)
		close(fd);
	return fd < 0 && (strstr(err, strerror(ENOENT)) != NULL ||
			  strstr(err, strerror(ECONNREFUSED)) != NULL);
}

char *doctor_with_action(const char *word, const char *action, char *out, size_t out_size)
{
	const char *own = word[0] == '{' ? strstr(word, "default_action") : NULL, *value;

	if (own != NULL) {
		value = own + strlen("default_action");
		value += strspn(value, " =\t");
		snprintf(out, out_size, "%.*s%s%s", (int)(value - word), word, action,
			 value + strcspn(value, " ,}\t"));
	} else if (word[0] == '{') {
		snprintf(out, out_size, "%.*s, default_action=%s }", (int)strlen(word) - 1, word,
			 action);
	} else {
		snprintf(out, out_size, "{ %s, default_action=%s }", word, action);
	}
	return out;
}

bool doctor_is_well_formed(const char *word)
{
	static const char *const known[] = {"connect_timeout", "command_timeout", "content_timeout",
					    "default_action", "protocol"};
	const size_t whole = strlen(word);
	char one[DOCTOR_TEXT_MAX];
	const char *rest = one, *part;
	bool is_known = true, is_first = true;
	size_t len;

	snprintf(one, sizeof(one), "%s", word);
	if (word[0] == '{') {
		if (word[whole - 1] != '}')
			return false;
		one[0] = ' ';
		one[whole - 1] = '\0';
	}
	while (is_known && (part = postfix_word(&rest, &len)) != NULL) {
		const char *colon = memchr(part, ':', len);
		const char *last = memrchr(part, ':', len);

		if (is_first)
			is_known = strncmp(part, "unix:", 5) == 0 ||
				   strncmp(part, "local:", 6) == 0 ||
				   (strncmp(part, "inet:", 5) == 0 && last > colon &&
				    (strchr("0123456789", last[1]) == NULL ||
				     strspn(last + 1, "0123456789") ==
					     len - (size_t)(last + 1 - part)));
		else if (part[0] != '{') {
			const size_t name_len = strcspn(part, " =\t,");
			const char *equals = part + name_len + strspn(part + name_len, " \t");

			is_known = false;
			for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
				is_known |= strlen(known[i]) == name_len &&
					    strncmp(part, known[i], name_len) == 0;
			is_known = is_known && *equals == '=';
			/* "name = value" is three words here */
			rest = equals + (*equals == '=');
			rest += strspn(rest, " \t");
			rest += strcspn(rest, ", \t");
		}
		is_first = false;
	}
	return is_known && !is_first;
}
