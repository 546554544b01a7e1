/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "common/clock.h"
#include "common/socket.h"

#define PATIENCE_MS 5000
#define GROUPS_MAX 64

/* SMFIC_OPTNEG (libmilter's mfdef.h): 4 octets of length, 'O', protocol version 6, all actions, nothing left out. */
static const unsigned char milter_hello[] = {0, 0, 0, 13,   'O', 0,    0,    0,	  6,
					     0, 0, 1, 0xff, 0,	 0x1f, 0xff, 0xff};

/* At VRFY our policy server remembers nothing and says DUNNO. */
static const char policy_hello[] =
	"request=smtpd_access_policy\nprotocol_state=VRFY\nprotocol_name=ESMTP\ninstance=\n\n";

/* Sends, and reads until `enough` octets are there, or the end, or no more patience. Returns how many. */
static size_t converse(int fd, const void *hello, size_t hello_len, char *out, size_t enough)
{
	const int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;
	size_t have = 0;

	if (send(fd, hello, hello_len, MSG_NOSIGNAL) != (ssize_t)hello_len)
		return 0;
	while (have < enough) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		const int64_t left = deadline_ms - clock_monotonic_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			break;
		n = recv(fd, out + have, enough - have, 0);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

static bool may(const struct stat *st, const struct passwd *who, const gid_t *groups, int n_groups,
		unsigned bit)
{
	bool is_member = st->st_gid == who->pw_gid;

	for (int i = 0; i < n_groups; i++)
		is_member |= groups[i] == st->st_gid;
	if (who->pw_uid == 0)
		return true;
	if (st->st_uid == who->pw_uid)
		return (st->st_mode & (bit << 6)) != 0;
	return (st->st_mode & (is_member ? bit << 3 : bit)) != 0;
}

/* Every folder above must let Postfix through, and the socket let it write. */
static void examine_permissions(struct doctor *x, const char *topic, const char *path)
{
	const struct passwd *who = x->postfix.is_there ? getpwnam(x->postfix.mail_owner) : NULL;
	gid_t groups[GROUPS_MAX];
	int n_groups = GROUPS_MAX;
	char above[120], mend[300];
	struct stat st;

	if (who == NULL || getgrouplist(who->pw_name, who->pw_gid, groups, &n_groups) < 0)
		return;
	snprintf(above, sizeof(above), "%s", path);
	for (char *slash = strchr(above + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (stat(above, &st) == 0 && !may(&st, who, groups, n_groups, 1)) {
			snprintf(mend, sizeof(mend), "chgrp -h %s %s && chmod g+x,g+s %s",
				 who->pw_name, above, above);
			doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
				    "%s does not let user %s through to the socket", above,
				    who->pw_name);
		}
		*slash = '/';
	}
	if (stat(path, &st) == 0 && !may(&st, who, groups, n_groups, 2)) {
		snprintf(mend, sizeof(mend), "chgrp -h %s %s && chmod g+w %s; and see socket_umask",
			 who->pw_name, path, path);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "%s does not let user %s connect (mode %04o)", path, who->pw_name,
			    (unsigned)(st.st_mode & 07777));
	}
}

/* A chrooted smtpd sees nothing outside the queue directory. */
static void examine_chroot(struct doctor *x, const char *topic, const char *path)
{
	const size_t len = strlen(x->postfix.queue_directory);
	char mend[700];

	if (!x->postfix.is_chrooted ||
	    (strncmp(path, x->postfix.queue_directory, len) == 0 && path[len] == '/'))
		return;
	snprintf(mend, sizeof(mend), "%s_socket = local:%s/pgpgate/%s.sock",
		 strcmp(topic, "filter") == 0 ? "filter" : "policy", x->postfix.queue_directory,
		 strcmp(topic, "filter") == 0 ? "filter" : "policy");
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
		    "%s is outside %s, and smtpd is chrooted: it cannot reach the socket", path,
		    x->postfix.queue_directory);
}

/* The folder of the socket, which a daemon that is not root cannot make. */
static void examine_folder(struct doctor *x, const char *topic, const char *path)
{
	const int len = (int)(strrchr(path, '/') - path),
		  user_len = (int)strcspn(x->settings->user, ":");
	const char *group = x->postfix.is_there ? x->postfix.mail_owner : "postfix";
	char folder[120], mend[400];
	struct stat st;

	snprintf(folder, sizeof(folder), "%.*s", len, path);
	if (user_len == 0 || stat(folder, &st) == 0 || errno != ENOENT)
		return;
	snprintf(mend, sizeof(mend), "install -d -o %.*s -g %s -m 2750 %s", user_len,
		 x->settings->user, group, folder);
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend, "%s does not exist", folder);
}

static void examine_daemon(struct doctor *x, const char *topic, const char *program,
			   const char *socket_text, bool is_policy)
{
	struct socket_address a;
	char err[300], answer[200] = "", mend[120];
	size_t n;
	int fd;

	snprintf(mend, sizeof(mend), "systemctl start %s", program);
	if (socket_parse(socket_text, &a, err, sizeof(err)) != 0) {
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL, "%s", err);
		return;
	}
	if (a.is_unix) {
		examine_folder(x, topic, a.path);
		examine_chroot(x, topic, a.path);
		examine_permissions(x, topic, a.path);
	}
	fd = socket_connect(&a, PATIENCE_MS, err, sizeof(err));
	if (fd < 0) {
		doctor_tell(
			x, is_policy && !x->postfix.uses_policy ? DOCTOR_NOTE : DOCTOR_PROBLEM,
			topic, mend,
			"%s does not listen: %s; if it does not start, `journalctl -u %s` says why",
			program, err, program);
		return;
	}
	if (is_policy) {
		n = converse(fd, policy_hello, sizeof(policy_hello) - 1, answer,
			     strlen("action=DUNNO\n\n"));
		answer[n] = '\0';
	} else {
		n = converse(fd, milter_hello, sizeof(milter_hello), answer, 5);
	}
	close(fd);
	if (is_policy ? strncmp(answer, "action=", 7) == 0 : n == 5 && answer[4] == 'O')
		doctor_tell(x, DOCTOR_OK, topic, NULL, "%s answers at %s", program, socket_text);
	else {
		snprintf(mend, sizeof(mend), "systemctl restart %s", program);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "%s at %s does not answer a hello: it hangs", program, socket_text);
	}
}

void doctor_daemons(struct doctor *x)
{
	examine_daemon(x, "filter", "pgpgate-filter", x->settings->filter_socket, false);
	examine_daemon(x, "policyd", "pgpgate-policyd", x->settings->policy_socket, true);
}
