/* SPDX-License-Identifier: ISC
 *
 * room.c: is there room for what must be written before mail is taken? Beside the database that is
 * tried with a file that has no name, which goes with its descriptor: so a quota, a file system
 * that became read-only and whatever else may keep the user of the settings from writing are seen,
 * too. Of Postfix's queue the sum is made that smtpd makes before each message.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"

#define TRIED_BYTES 65536
#define FILES_MIN 100 /* free inodes */

/* A problem with its reason, which no command of ours takes away. */
static void examine_files(struct doctor *x, const char *topic, const char *folder,
			  const struct statvfs *fs)
{
	if (fs->f_files > 0 && fs->f_favail < FILES_MIN)
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "only %llu files can still be made where %s is, however much room "
			    "there is (df -i): mail is not taken without; no command mends that, "
			    "remove files there",
			    (unsigned long long)fs->f_favail, folder);
}

/* 0, or why nothing can be written there. */
static int try_to_write(const char *folder)
{
	char bytes[TRIED_BYTES];
	const int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int why = fd < 0 ? errno : 0;

	if (why == EOPNOTSUPP || why == EISDIR || why == EINVAL)
		return 0; /* this file system has no such files */
	memset(bytes, 1, sizeof(bytes));
	for (size_t done = 0; why == 0 && done < sizeof(bytes);) {
		const ssize_t n = write(fd, bytes + done, sizeof(bytes) - done);

		if (n < 0 && errno != EINTR)
			why = errno;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return why;
}

void doctor_room(struct doctor *x, const char *folder)
{
	char quoted[2200], mend[5000];
	struct statvfs fs;
	struct stat st;
	int why;

	if (stat(folder, &st) != 0 || statvfs(folder, &fs) != 0)
		return; /* told already */
	examine_files(x, "database", folder, &fs);
	why = try_to_write(folder);
	if (why == 0 || (why == ENOSPC && fs.f_files > 0 && fs.f_favail == 0))
		return;
	doctor_quote(quoted, sizeof(quoted), folder);
	snprintf(mend, sizeof(mend),
		 "mount -o remount,rw \"$(df --output=target %s | tail -n 1)\" && systemctl "
		 "restart pgpgate-filter pgpgate-policyd",
		 quoted);
	if (why == EACCES && geteuid() != st.st_uid)
		doctor_tell(x, DOCTOR_SKIPPED, "database", NULL,
			    "whether %s can be written cannot be tried by this user", folder);
	else if (why == EROFS)
		doctor_tell(x, DOCTOR_PROBLEM, "database", mend,
			    "%s is mounted read-only: mail gets 451 (where the kernel made it so "
			    "after an error, look at dmesg and run fsck before)",
			    folder);
	else
		doctor_tell(x, DOCTOR_PROBLEM, "database", NULL,
			    "nothing can be written in %s: %s: mail gets 451; no command mends "
			    "that, %s",
			    folder, strerror(why),
			    why == ENOSPC   ? "make room there"
			    : why == EDQUOT ? "the quota of its owner is to be raised, or room "
					      "made (quota -u)"
					    : "find out what forbids it");
}

/* A number of main.cf, in bytes; 0 if it is not there. */
static double bytes_of(struct doctor *x, const char *name)
{
	char value[100];

	return doctor_parameter(x, name, value, sizeof(value)) ? strtod(value, NULL) : 0;
}

/* As smtpd does: queue_minfree must be free, and one and a half of the largest message. */
void doctor_queue_room(struct doctor *x)
{
	const char *const folder = x->postfix.queue_directory;
	const double minfree = bytes_of(x, "queue_minfree"),
		     message = 1.5 * bytes_of(x, "message_size_limit"),
		     wanted = minfree > message ? minfree : message;
	const char *const name = minfree > message ? "queue_minfree" : "message_size_limit";
	char a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX], mend[3000];
	double free_bytes, all;
	struct statvfs fs;

	if (statvfs(folder, &fs) != 0) {
		doctor_tell(x, DOCTOR_SKIPPED, "postfix", NULL, "%s: %s", folder, strerror(errno));
		return;
	}
	examine_files(x, "postfix", folder, &fs);
	free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
	all = (double)fs.f_blocks * (double)fs.f_frsize;
	if (wanted < free_bytes)
		return;
	output_bytes(a, (int64_t)free_bytes);
	output_bytes(b, wanted < 9e18 ? (int64_t)wanted : INT64_MAX);
	/* More than such a disk has to give is a wrong number; else it is the disk that is full. */
	if (wanted > all / 2)
		doctor_tell(x, DOCTOR_PROBLEM, "postfix",
			    doctor_by_postconf(x, mend, sizeof(mend), "-#", "%s", name),
			    "%s wants %s free in %s, where only %s are: every mail gets 452; "
			    "without it, Postfix's own default holds",
			    name, b, folder, a);
	else
		doctor_tell(x, DOCTOR_PROBLEM, "postfix", NULL,
			    "only %s are free in %s, and %s wants %s: every mail gets 452; no "
			    "command mends that, make room there",
			    a, folder, name, b);
}
