/* SPDX-License-Identifier: ISC */
#include "common/postfix.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/run.h"
#include "common/socket.h"

#define WORDS_MAX 24
#define SOCKET_MAX 300

int postfix_run(const char *directory, const char *program, const char *const *words, size_t n,
		const char *input, char *out, size_t out_size, int timeout_ms)
{
	const char *argv[WORDS_MAX + 4] = {program};
	size_t used = 1;

	if (directory != NULL && directory[0] != '\0') {
		argv[used++] = "-c";
		argv[used++] = directory;
	}
	for (size_t i = 0; i < n && i < WORDS_MAX; i++)
		argv[used++] = words[i];
	argv[used] = NULL;
	return run_output(argv, input, out, out_size, timeout_ms);
}

const char *postfix_word(const char **rest, size_t *len)
{
	static const char separators[] = ", \t\r\n";
	const char *start = *rest + strspn(*rest, separators);
	int depth = 0;
	size_t n = 0;

	if (*start == '\0')
		return NULL;
	for (; start[n] != '\0' && (depth > 0 || strchr(separators, start[n]) == NULL); n++)
		depth += start[n] == '{' ? 1 : start[n] == '}' && depth > 0 ? -1 : 0;
	*rest = start + n;
	*len = n;
	return start;
}

bool postfix_has_word(const char *list, const char *word)
{
	const size_t wanted = strlen(word);
	const char *found;
	size_t len;

	while ((found = postfix_word(&list, &len)) != NULL)
		if (len == wanted && strncasecmp(found, word, len) == 0)
			return true;
	return false;
}

/* The line that begins with "NAME =". */
static bool value_of(const char *lines, const char *name, char *out, size_t out_size)
{
	const size_t len = strlen(name);

	for (const char *line = lines; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		line += line != lines || *line == '\n';
		if (strncmp(line, name, len) != 0 || strncmp(line + len, " =", 2) != 0)
			continue;
		line += len + 2;
		line += strspn(line, " ");
		snprintf(out, out_size, "%.*s", (int)strcspn(line, "\n"), line);
		return true;
	}
	return false;
}

bool postfix_value(const char *lines, const char *name, char *out, size_t out_size)
{
	return value_of(lines, name, out, out_size);
}

bool postfix_service(const char *line, struct postfix_service *s)
{
	return sscanf(line, "%199s %19s %7s %7s %7s %11s %11s %63s", s->name, s->type, s->private,
		      s->unpriv, s->chroot, s->wakeup, s->limit, s->command) == 8;
}

bool postfix_override(const char *overrides, const struct postfix_service *s, const char *name,
		      char *out, size_t out_size)
{
	char key[SOCKET_MAX];

	snprintf(key, sizeof(key), "%s/%s/%s", s->name, s->type, name);
	return value_of(overrides, key, out, out_size);
}

char *postfix_socket(const char *queue_directory, const char *text, char *out, size_t out_size)
{
	const size_t queue_len = strlen(queue_directory);
	struct socket_address a;
	char err[200];

	snprintf(out, out_size, "%s", text);
	if (socket_parse(text, &a, err, sizeof(err)) != 0)
		return out;
	if (a.is_unix && strncmp(a.path, queue_directory, queue_len) == 0 &&
	    a.path[queue_len] == '/')
		snprintf(out, out_size, "unix:%s", a.path + queue_len + 1);
	else if (a.is_unix)
		snprintf(out, out_size, "unix:%s", a.path);
	else {
		const char *port = strchr(text, ':') + 1;
		const size_t port_len = strcspn(port, "@");
		const char *host = port[port_len] == '@'	     ? port + port_len + 1
				   : strncmp(text, "inet6:", 6) == 0 ? "::1"
								     : "127.0.0.1";
		const bool is_bare_ipv6 = strchr(host, ':') != NULL && host[0] != '[';

		snprintf(out, out_size, "inet:%s%s%s:%.*s", is_bare_ipv6 ? "[" : "", host,
			 is_bare_ipv6 ? "]" : "", (int)port_len, port);
	}
	return out;
}

/* Postfix's "inet:host:port" as ours are written, "inet:port@host": then both can be compared.
 * Returns out. */
static const char *inet_of(const char *word, char *out, size_t out_size)
{
	const char *host = word + strlen("inet:"), *colon = strrchr(host, ':');
	const bool is_ipv6 = host[0] == '[';
	int len;

	if (strncasecmp(word, "inet:", 5) != 0 || colon == NULL)
		return word;
	host += is_ipv6;
	len = (int)(colon - host) - is_ipv6;
	if (len < 0)
		return word;
	snprintf(out, out_size, "%s:%s@%.*s", is_ipv6 ? "inet6" : "inet", colon + 1, len, host);
	return out;
}

/* One word, or "{ socket, name=value ... }", of which the socket is the first word within. */
static bool is_socket(const char *queue_directory, const char *word, size_t len,
		      const char *socket_text)
{
	char theirs[SOCKET_MAX], wanted[SOCKET_MAX], other[SOCKET_MAX + 20];

	if (len > 0 && word[0] == '{') {
		word++;
		word = postfix_word(&word, &len);
		if (word == NULL)
			return false;
		len -= len > 0 && word[len - 1] == '}';
	}
	snprintf(theirs, sizeof(theirs), "%.*s", (int)(len < SOCKET_MAX ? len : SOCKET_MAX - 1),
		 word);
	postfix_socket(queue_directory, socket_text, wanted, sizeof(wanted));
	if (strcmp(theirs, wanted) == 0 || strcmp(theirs, socket_text) == 0)
		return true;
	/* A host's name is looked up only where ours is a host, too. */
	return (strncasecmp(theirs, "inet:", 5) == 0) == (strncmp(socket_text, "inet", 4) == 0) &&
	       socket_is_same(inet_of(theirs, other, sizeof(other)), socket_text);
}

bool postfix_names_socket(const char *queue_directory, const char *value, const char *socket_text)
{
	const char *word, *rest = value;
	size_t len;

	while ((word = postfix_word(&rest, &len)) != NULL)
		if (is_socket(queue_directory, word, len, socket_text))
			return true;
	return false;
}

const char *postfix_listable(const char *table)
{
	static const char *const never[] = {
		"cidr:",      "environ:", "fail:",   "ldap:",  "memcache:", "mongodb:", "mysql:",
		"nis:",	      "nisplus:", "pcre:",   "pgsql:", "pipemap:",  "randmap:", "regexp:",
		"socketmap:", "sqlite:",  "static:", "tcp:",   "unionmap:"};

	if (strncmp(table, "proxy:", 6) == 0)
		table += 6;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strncmp(table, never[i], strlen(never[i])) == 0)
			return NULL;
	return table;
}
