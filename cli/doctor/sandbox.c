/* SPDX-License-Identifier: ISC
 *
 * sandbox.c: a database or a socket that was moved, and a service that may not write there: the
 * daemon does not start, however often it is told to. systemd is asked what its services may write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "common/run.h"
#include "common/socket.h"

#define PATIENCE_MS 5000
#define ANSWER_MAX 4000

/* A property of a service; false: there is no systemd, or it does not answer this user. */
static bool ask_systemd(const char *service, const char *property, char *out, size_t out_size)
{
	const char *argv[] = {"systemctl", "show", "--value", "-p", property, service, NULL};

	if (run_output(argv, NULL, out, out_size, PATIENCE_MS) != 0)
		return false;
	out[strcspn(out, "\n")] = '\0';
	return out[0] != '\0';
}

/* Is path one of the folders, or below one? They may have "-" and "+" in front. */
static bool is_within(const char *folders, const char *path)
{
	const char *word;
	size_t len;

	while ((word = postfix_word(&folders, &len)) != NULL) {
		while (len > 0 && strchr("-+", word[0]) != NULL) {
			word++;
			len--;
		}
		if (len > 0 && strncmp(path, word, len) == 0 &&
		    (path[len] == '/' || path[len] == '\0' || word[len - 1] == '/'))
			return true;
	}
	return false;
}

/* file: in the folder that the service is to write. */
static void examine(struct doctor *x, const char *topic, const char *service, const char *file)
{
	char folder[1100], whole[ANSWER_MAX], writable[ANSWER_MAX], quoted[1300], mend[4000];
	char *real;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(file, '/') - file), file);
	if (!ask_systemd(service, "ProtectSystem", whole, sizeof(whole)) ||
	    strcmp(whole, "strict") != 0 ||
	    !ask_systemd(service, "ReadWritePaths", writable, sizeof(writable)))
		return;
	real = realpath(folder, NULL);
	if (real != NULL && !is_within(writable, real)) {
		snprintf(mend, sizeof(mend),
			 "printf '[Service]\\nReadWritePaths=%%s\\n' %s | install -D -m 644 "
			 "/dev/stdin /etc/systemd/system/%s.service.d/%s.conf && systemctl "
			 "daemon-reload && systemctl restart %s",
			 doctor_quote(quoted, sizeof(quoted), real), service, topic, service);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "the service %s may not write in %s (ReadWritePaths): it does not "
			    "start",
			    service, real);
	}
	free(real);
}

void doctor_sandbox(struct doctor *x)
{
	static const char *const services[] = {"pgpgate-filter", "pgpgate-policyd"};
	char err[300];

	if (x->cli->config_is_explicit)
		return; /* the services have another file */
	for (size_t i = 0; i < 2; i++) {
		struct socket_address a;

		examine(x, "database", services[i], x->settings->database_path);
		if (socket_parse(i == 0 ? x->settings->filter_socket : x->settings->policy_socket,
				 &a, err, sizeof(err)) == 0 &&
		    a.is_unix)
			examine(x, i == 0 ? "filter" : "policyd", services[i], a.path);
	}
}
