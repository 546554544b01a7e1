/* SPDX-License-Identifier: ISC */
#include "common/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/postfix.h"
#include "common/safe_open.h"

#define PATH_MAX_BYTES 1200
#define TRIES 20 /* a reader that met a writer: it writes for microseconds */

/* One daemon a process. */
static struct {
	int fd; /* locked, or -1 */
	const char *program;
	int64_t started_unix;
} mine = {.fd = -1};

static char *path_of(const struct settings *s, const char *program, char out[PATH_MAX_BYTES])
{
	snprintf(out, PATH_MAX_BYTES, "%s.status.%s", s->database_path, program);
	return out;
}

void status_begin(const char *program, const struct settings *s)
{
	char path[PATH_MAX_BYTES], why[SAFE_OPEN_WHY_MAX];
	const struct safe_open file = {
		.path = path_of(s, program, path),
		.access = O_RDWR,
		.is_create = true,
		.mode = 0640,
		.owner = geteuid(),
		.group = (gid_t)-1,
	};

	mine.program = program;
	mine.started_unix = clock_now_unix();
	mine.fd = safe_open(&file, NULL, why);
	if (mine.fd >= 0 && flock(mine.fd, LOCK_EX | LOCK_NB) == 0)
		return;
	log_debug("%s: no status: %s", path, mine.fd < 0 ? why : "another daemon has it");
	if (mine.fd >= 0)
		close(mine.fd);
	mine.fd = -1;
}

char *status_networks(const struct settings *s)
{
	const struct postfix_facts *f = s->postfix;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		return NULL;
	for (size_t i = 0; s->are_mynetworks_local && i < f->n_networks; i++) {
		char network[NETADDR_TEXT_MAX];

		fprintf(to, "%s%s%s", i > 0 ? ", " : "", f->networks[i].is_excluded ? "!" : "",
			netaddr_format(&f->networks[i].network, network));
	}
	fputs("; ", to);
	if (s->are_postfix_domains_protected && f->are_all_domains)
		fputc('*', to);
	for (size_t i = 0;
	     s->are_postfix_domains_protected && !f->are_all_domains && i < f->domains.n; i++)
		fprintf(to, "%s%s", i > 0 ? ", " : "", f->domains.names[i]);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

static void print(FILE *to, const struct settings *s, const char *const *overrides,
		  size_t n_overrides, const char *error)
{
	char *networks = status_networks(s);

	fprintf(to,
		"program = %s\nversion = %s\npid = %ld\nstarted = %lld\nread = %lld\nbooted = "
		"%lld\n",
		mine.program, PACKAGE_VERSION, (long)getpid(), (long long)mine.started_unix,
		(long long)clock_now_unix(), (long long)clock_booted_unix());
	fprintf(to, "error = %s\npostfix = %s\n", error != NULL ? error : "",
		networks != NULL ? networks : "");
	for (size_t i = 0; i < n_overrides; i++)
		fprintf(to, "override.%.*s = yes\n", (int)strcspn(overrides[i], " \t="),
			overrides[i]);
	for (size_t i = 0; i < settings_count(); i++)
		fprintf(to, "setting.%s = %s\n", settings_name(i), settings_value(s, i));
	fputs("end\n", to);
	free(networks);
}

void status_write(const struct settings *s, const char *const *overrides, size_t n_overrides,
		  const char *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = mine.fd >= 0 ? open_memstream(&text, &size) : NULL;

	if (to == NULL)
		return;
	print(to, s, overrides, n_overrides, error);
	if (fclose(to) == 0 &&
	    (ftruncate(mine.fd, 0) != 0 || pwrite(mine.fd, text, size, 0) != (ssize_t)size))
		log_debug("status: not written: %s", strerror(errno));
	free(text);
}

void status_end(void)
{
	if (mine.fd < 0)
		return;
	if (ftruncate(mine.fd, 0) != 0)
		log_debug("status: not emptied: %s", strerror(errno));
	close(mine.fd);
	mine.fd = -1;
}

/* The whole text, or NULL where its end is not there (yet). */
static char *read_whole(int fd)
{
	char *text = malloc(STATUS_BYTES_MAX);
	ssize_t n = text != NULL ? pread(fd, text, STATUS_BYTES_MAX - 1, 0) : -1;

	if (n > 0) {
		text[n] = '\0';
		if (n >= 5 && strcmp(text + n - 5, "\nend\n") == 0)
			return text;
	}
	free(text);
	return NULL;
}

char *status_read(const struct settings *s, const char *program, char *why, size_t why_size)
{
	char path[PATH_MAX_BYTES];
	int fd = open(path_of(s, program, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *text = NULL;

	if (fd < 0) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		snprintf(why, why_size, "%s: no %s runs that has it", path, program);
	} else {
		for (int i = 0; i < TRIES && (text = read_whole(fd)) == NULL; i++)
			usleep(1000);
		if (text == NULL)
			snprintf(why, why_size, "%s: is being written", path);
	}
	close(fd);
	return text;
}

bool status_value(const char *text, const char *name, char *out, size_t out_size)
{
	return postfix_value(text, name, out, out_size);
}

int status_filter_enforces(const struct settings *s)
{
	char why[PATH_MAX_BYTES + 200], value[8];
	char *text = status_read(s, "pgpgate-filter", why, sizeof(why));
	int result = -1;

	if (text != NULL && status_value(text, "setting.enforce", value, sizeof(value)))
		result = strcmp(value, "yes") == 0;
	free(text);
	return result;
}
