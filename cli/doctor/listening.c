/* SPDX-License-Identifier: ISC
 *
 * listening.c: does anybody listen where master.cf has smtpd or postscreen? The kernel is asked, so
 * that no look at it leaves a connection in the mail log.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"

#define LISTENING 0x0a /* TCP_LISTEN, as proc(5) shows it */

/* 1: somebody listens at that port, whatever the address; 0: nobody; -1: this file cannot be had.
 */
static int look_into(const char *path, unsigned long port)
{
	FILE *file = fopen(path, "re");
	unsigned at, state;
	char line[300];
	int found = 0;

	if (file == NULL) {
		output_end_without_memory();
		return -1;
	}
	while (found == 0 && fgets(line, sizeof(line), file) != NULL)
		found = sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &at, &state) ==
				2 &&
			state == LISTENING && at == port;
	fclose(file);
	return found;
}

static bool is_unheard(unsigned long port)
{
	const int v4 = look_into("/proc/net/tcp", port), v6 = look_into("/proc/net/tcp6", port);

	return v4 == 0 && v6 <= 0;
}

static unsigned long port_of(const char *name)
{
	const char *colon = strrchr(name, ':'), *word = colon != NULL ? colon + 1 : name;
	const unsigned long number = strtoul(word, NULL, 10);
	const struct servent *service = number == 0 ? getservbyname(word, "tcp") : NULL;

	return service != NULL ? ntohs((uint16_t)service->s_port) : number;
}

bool doctor_is_unheard(const char *port)
{
	const unsigned long number = port_of(port);

	return number != 0 && is_unheard(number);
}

void doctor_listening(struct doctor *x)
{
	const char *const directory = x->postfix.config_directory;
	char quoted[700], mend[800];

	for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
		struct postfix_service s;

		if (postfix_service(line, &s) && strcmp(s.type, "inet") == 0 &&
		    (strcmp(s.command, "smtpd") == 0 || strcmp(s.command, "postscreen") == 0)) {
			x->postfix.is_silent = port_of(s.name) != 0 && is_unheard(port_of(s.name));
			break;
		}
		line += strcspn(line, "\n");
	}
	if (!x->postfix.is_silent)
		return;
	snprintf(mend, sizeof(mend), "postfix%s%s start",
		 directory != NULL && directory[0] != '\0' ? " -c " : "",
		 directory != NULL && directory[0] != '\0'
			 ? doctor_quote(quoted, sizeof(quoted), directory)
			 : "");
	doctor_tell(x, DOCTOR_NOTE, "postfix", mend,
		    "Postfix does not run: nobody listens where it takes mail");
}
