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

/* SMFIC_OPTNEG (libmilter's mfdef.h): 4 octets of length, 'O', protocol version 6, all actions,
 * nothing left out. */
static const unsigned char milter_hello[] = {0, 0, 0, 13,   'O', 0,    0,    0,	  6,
					     0, 0, 1, 0xff, 0,	 0x1f, 0xff, 0xff};

/* At VRFY our policy server remembers nothing and says DUNNO. */
static const char policy_hello[] =
	"request=smtpd_access_policy\nprotocol_state=VRFY\nprotocol_name=ESMTP\ninstance=\n\n";

/* Sends, and reads until `enough` octets are there, or the end, or no more patience. Returns how
 * many. */
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

/* Its own group, by name. Returns out. */
static const char *group_name(const struct passwd *who, char *out, size_t out_size)
{
	const struct group *own = who != NULL ? getgrgid(who->pw_gid) : NULL;

	snprintf(out, out_size, "%s", own != NULL ? own->gr_name : "postfix");
	return out;
}

/* Every folder above must let Postfix through, and the socket let it write. */
static void examine_permissions(struct doctor *x, const char *topic, const char *path)
{
	const struct passwd *who = x->postfix.is_there ? getpwnam(x->postfix.mail_owner) : NULL;
	gid_t groups[GROUPS_MAX];
	int n_groups = GROUPS_MAX;
	char above[120], mend[1000], quoted[400], group[64];
	struct stat st;

	if (who == NULL || getgrouplist(who->pw_name, who->pw_gid, groups, &n_groups) < 0)
		return;
	snprintf(above, sizeof(above), "%s", path);
	for (char *slash = strchr(above + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (stat(above, &st) == 0 && !may(&st, who, groups, n_groups, 1)) {
			doctor_quote(quoted, sizeof(quoted), above);
			snprintf(mend, sizeof(mend), "chgrp -h %s %s && chmod g+x,g+s %s",
				 group_name(who, group, sizeof(group)), quoted, quoted);
			doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
				    "%s does not let user %s through to the socket", above,
				    who->pw_name);
		}
		*slash = '/';
	}
	if (stat(path, &st) == 0 && !may(&st, who, groups, n_groups, 2)) {
		doctor_quote(quoted, sizeof(quoted), path);
		snprintf(mend, sizeof(mend), "chgrp -h %s %s && chmod g+w %s",
			 group_name(who, group, sizeof(group)), quoted, quoted);
		doctor_tell(
			x, DOCTOR_PROBLEM, topic, mend,
			"%s does not let user %s connect (mode %04o); it will be so again after a "
			"restart, unless socket_umask and the group of its folder are right",
			path, who->pw_name, (unsigned)(st.st_mode & 07777));
	}
}

/* Makes the folder of a socket, which a daemon that is not root cannot make. Returns out. */
static const char *by_install(const struct doctor *x, char *out, size_t out_size,
			      const char *folder)
{
	const struct passwd *postfix = getpwnam(x->postfix.is_there ? x->postfix.mail_owner
								    : "postfix");
	const int user_len = (int)strcspn(x->settings->user, ":");
	char quoted[1100], group[64];

	snprintf(out, out_size, "install -d -o %.*s -g %s -m 2750 %s", user_len, x->settings->user,
		 group_name(postfix, group, sizeof(group)),
		 doctor_quote(quoted, sizeof(quoted), folder));
	return out;
}

/* A chrooted smtpd sees nothing outside the queue directory. False: it is so. */
static bool examine_chroot(struct doctor *x, const char *topic, const char *path)
{
	const size_t len = strlen(x->postfix.queue_directory);
	const char *name = strcmp(topic, "filter") == 0 ? "filter" : "policy";
	char mend[3000], folder[600];
	struct stat st;

	if (!x->postfix.is_chrooted ||
	    (strncmp(path, x->postfix.queue_directory, len) == 0 && path[len] == '/'))
		return true;
	snprintf(folder, sizeof(folder), "%s/pgpgate", x->postfix.queue_directory);
	mend[0] = '\0';
	if (stat(folder, &st) != 0) {
		by_install(x, mend, sizeof(mend), folder);
		strcat(mend, " && ");
	}
	doctor_by_setting(x, mend + strlen(mend), sizeof(mend) - strlen(mend),
			  name[0] == 'f' ? "filter_socket" : "policy_socket", "local:%s/%s.sock",
			  folder, name);
	doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
		    "%s is outside %s, and smtpd is chrooted: it cannot reach the socket", path,
		    x->postfix.queue_directory);
	return false;
}

static void examine_folder(struct doctor *x, const char *topic, const char *path)
{
	char folder[120], mend[1500];
	struct stat st;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (x->settings->user[0] != '\0' && stat(folder, &st) != 0 && errno == ENOENT)
		doctor_tell(x, DOCTOR_PROBLEM, topic, by_install(x, mend, sizeof(mend), folder),
			    "%s does not exist", folder);
}

/* A daemon that does not listen, and whose folder is somebody else's, as after the user was made
 * anew: it is given the folder before it is started. Returns out, which holds the start, or the
 * same. */
static const char *with_folder(const struct doctor *x, const struct socket_address *a,
			       const char *start, char *out, size_t out_size)
{
	char user[64], folder[120];
	const struct passwd *owner;
	struct stat st;

	snprintf(user, sizeof(user), "%.*s", (int)strcspn(x->settings->user, ":"),
		 x->settings->user);
	snprintf(folder, sizeof(folder), "%.*s",
		 (int)(a->is_unix ? strrchr(a->path, '/') - a->path : 0), a->path);
	owner = user[0] != '\0' && a->is_unix ? getpwnam(user) : NULL;
	if (owner == NULL || stat(folder, &st) != 0 || st.st_uid == owner->pw_uid ||
	    (st.st_gid == owner->pw_gid && (st.st_mode & 0030) == 0030))
		return start;
	by_install(x, out, out_size, folder);
	snprintf(out + strlen(out), out_size - strlen(out), " && %s", start);
	return out;
}

static void examine_daemon(struct doctor *x, const char *topic, const char *program,
			   const char *socket_text, bool is_policy)
{
	struct socket_address a;
	char err[300], answer[200] = "", mend[120], start[1500];
	size_t n;
	int fd;

	snprintf(mend, sizeof(mend), "systemctl start %s", program);
	if (socket_parse(socket_text, &a, err, sizeof(err)) != 0) {
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_setting(x, start, sizeof(start),
					  is_policy ? "policy_socket" : "filter_socket", "%s",
					  is_policy ? "local:/var/spool/postfix/pgpgate/policy.sock"
						    : "local:/var/spool/postfix/pgpgate/"
						      "filter.sock"),
			"%s", err);
		return;
	}
	if (a.is_unix) {
		if (examine_chroot(x, topic, a.path))
			examine_folder(x, topic, a.path);
		examine_permissions(x, topic, a.path);
	}
	fd = socket_connect(&a, PATIENCE_MS, err, sizeof(err));
	if (fd < 0) {
		doctor_tell(
			x, is_policy && !x->postfix.uses_policy ? DOCTOR_NOTE : DOCTOR_PROBLEM,
			topic, with_folder(x, &a, mend, start, sizeof(start)),
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
