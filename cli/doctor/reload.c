/* SPDX-License-Identifier: ISC
 *
 * reload.c: does Postfix run with what its files say? master(8) reads master.cf when it starts and
 * when it is told to, and starts a new qmgr(8) each time: so a file that is younger than that qmgr
 * has not been read. master is found by its lock on pid/master.pid, which everybody may see.
 */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"
#include "common/clock.h"

#define START_UNSURE_S 2   /* the kernel tells when it booted to the second */
#define RELOAD_MS_MAX 3000 /* a reload that is on its way */
#define LOOK_AGAIN_MS 50
#define LOOKS_MAX 5

/* When the youngest child of that name was started, in ticks since the machine was; 0: there is
 * none.
 */
static unsigned long long started(long parent, const char *name)
{
	DIR *all = opendir("/proc");
	unsigned long long ticks, found = 0;
	const struct dirent *e;

	if (all == NULL)
		output_end_without_memory();
	while (all != NULL && (e = readdir(all)) != NULL) {
		char path[300], line[600], *end;
		long of;
		FILE *file;

		if (strspn(e->d_name, "0123456789") != strlen(e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		file = fopen(path, "re");
		if (file == NULL) {
			output_end_without_memory();
			continue;
		}
		if (fgets(line, sizeof(line), file) != NULL && (end = strrchr(line, ')')) != NULL) {
			*end = '\0';
			if (strchr(line, '(') != NULL && strcmp(strchr(line, '(') + 1, name) == 0 &&
			    sscanf(end + 1,
				   " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
				   "%*d %*d %*d %*d %llu",
				   &of, &ticks) == 2 &&
			    of == parent && ticks > found)
				found = ticks;
		}
		fclose(file);
	}
	if (all != NULL)
		closedir(all);
	return found;
}

/* When the qmgr was started whose master holds the lock on that file, in ticks; 0: there is none,
 * or it cannot be told. */
static unsigned long long queue_manager_of(const char *pid_file)
{
	FILE *locks = fopen("/proc/locks", "re");
	unsigned long long ticks = 0;
	unsigned long inode;
	char line[300];
	struct stat st;
	long pid;

	if (locks == NULL) {
		output_end_without_memory();
		return 0;
	}
	/* Without the device: some file systems have another one there. */
	if (stat(pid_file, &st) == 0)
		while (ticks == 0 && fgets(line, sizeof(line), locks) != NULL)
			if (sscanf(line, "%*d: %*s %*s %*s %ld %*x:%*x:%lu", &pid, &inode) == 2 &&
			    inode == st.st_ino && pid > 0)
				ticks = started(pid, "qmgr");
	fclose(locks);
	return ticks;
}

/* The name of a file that is younger than what runs; NULL: there is none, or it cannot be told. */
static const char *unread_file(struct doctor *x)
{
	static const char *const names[] = {"main.cf", "master.cf"};
	const char *const directory = x->postfix.config_directory;
	unsigned long long ticks = 0;
	char path[1200];
	int64_t since;

	snprintf(path, sizeof(path), "%s/pid/master.pid", x->postfix.queue_directory);
	/* The kernel's list is read a page at a time, and changes in between: one may be missed. */
	for (int i = 0; i < LOOKS_MAX && ticks == 0; i++)
		ticks = queue_manager_of(path);
	if (ticks == 0)
		return NULL;
	since = clock_booted_unix() + (int64_t)(ticks / (unsigned long long)sysconf(_SC_CLK_TCK));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%.1000s/%s",
			 directory != NULL && directory[0] != '\0' ? directory : "/etc/postfix",
			 names[i]);
		if (stat(path, &st) == 0 && st.st_mtime > since + START_UNSURE_S)
			return names[i];
	}
	return NULL;
}

void doctor_reload(struct doctor *x)
{
	const char *const directory = x->postfix.config_directory, *unread;
	const bool has_directory = directory != NULL && directory[0] != '\0';
	const int64_t until_ms = clock_monotonic_ms() + RELOAD_MS_MAX;
	char quoted[700], mend[800];

	if (x->postfix.is_silent)
		return;
	while ((unread = unread_file(x)) != NULL && clock_monotonic_ms() < until_ms)
		poll(NULL, 0, LOOK_AGAIN_MS);
	if (unread == NULL)
		return;
	snprintf(mend, sizeof(mend), "postfix%s%s reload", has_directory ? " -c " : "",
		 has_directory ? doctor_quote(quoted, sizeof(quoted), directory) : "");
	doctor_tell(x, DOCTOR_PROBLEM, "postfix", mend,
		    "%s was changed after Postfix read it: it still runs as it was before", unread);
}
