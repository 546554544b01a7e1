/* SPDX-License-Identifier: ISC */
#include "cli/conf_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Does this line set the key? With is_comment: would it, without its "#"? */
static bool sets(const char *line, const char *key, bool is_comment)
{
	const size_t len = strlen(key);

	if (is_comment && *line++ != '#')
		return false;
	if (strncmp(line, key, len) != 0)
		return false;
	line += len;
	while (is_blank(*line))
		line++;
	return *line == '=';
}

/* Behind the line. */
static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* Behind a setting: comments and empty lines between it and what continues it go with it, those
 * after it stay. */
static const char *end_of_setting(const char *line)
{
	const char *end = next_line(line);

	for (const char *at = end; *at != '\0'; at = next_line(at)) {
		const char *content = at + strspn(at, " \t\r");

		if (*content == '#' || *content == '\n' || *content == '\0')
			continue;
		if (!is_blank(*at))
			break;
		end = next_line(at);
	}
	return end;
}

/* The place for it: from *begin, which is to go, to *end. */
static void find_place(const char *text, const char *key, const char **begin, const char **end)
{
	*begin = NULL;
	for (const char *line = text; *line != '\0'; line = next_line(line))
		if (sets(line, key, false)) {
			*begin = line;
			*end = end_of_setting(line);
			return;
		} else if (*begin == NULL && sets(line, key, true) &&
			   end_of_setting(line) == next_line(line)) {
			/* Otherwise what continues a setting above the comment would continue ours.
			 */
			*begin = next_line(line);
			*end = *begin;
		}
	if (*begin == NULL) {
		*begin = text + strlen(text);
		*end = *begin;
	}
}

char *conf_edit_text(const char *text, const char *key, const char *value)
{
	const char *begin, *end, *rest;
	size_t size = 0;
	char *out = NULL;
	FILE *to = open_memstream(&out, &size);
	bool has_failed;

	if (to == NULL)
		return NULL;
	find_place(text, key, &begin, &end);
	fwrite(text, 1, (size_t)(begin - text), to);
	if (begin > text && begin[-1] != '\n')
		fputc('\n', to);
	fprintf(to, "%s =%s%s\n", key, value[0] != '\0' ? " " : "", value);
	/* A second line with the same key is an error of the file, which goes, too. */
	for (rest = end; *rest != '\0';) {
		const char *next = sets(rest, key, false) ? NULL : next_line(rest);

		if (next != NULL)
			fwrite(rest, 1, (size_t)(next - rest), to);
		rest = next != NULL ? next : end_of_setting(rest);
	}
	has_failed = ferror(to) != 0;
	if (fclose(to) == 0 && !has_failed)
		return out;
	free(out);
	return NULL;
}

static int complain(const char *what, char *err, size_t err_size)
{
	snprintf(err, err_size, "%s: %s", what, strerror(errno));
	return -1;
}

static int write_new(const char *path, const struct stat *old, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	const size_t len = strlen(text);
	bool is_done = fd >= 0;

	for (size_t done = 0; is_done && done < len;) {
		const ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		is_done = n > 0;
		done += is_done ? (size_t)n : 0;
	}
	is_done = is_done && fchown(fd, old->st_uid, old->st_gid) == 0 &&
		  fchmod(fd, old->st_mode & 07777) == 0 && fsync(fd) == 0;
	if (fd >= 0 && close(fd) != 0)
		is_done = false;
	return is_done ? 0 : -1;
}

int conf_edit_replace(const char *path, const char *text, char *err, size_t err_size)
{
	struct stat old = {.st_uid = geteuid(), .st_gid = getegid(), .st_mode = 0644};
	char real[PATH_MAX], new[PATH_MAX + 20];

	if (realpath(path, real) == NULL) {
		if (errno != ENOENT || strlen(path) >= sizeof(real))
			return complain(path, err, err_size);
		snprintf(real, sizeof(real), "%s", path);
	} else if (stat(real, &old) != 0) {
		return complain(real, err, err_size);
	}
	snprintf(new, sizeof(new), "%s.new.%ld", real, (long)getpid());
	if (write_new(new, &old, text) != 0 || rename(new, real) != 0) {
		complain(new, err, err_size);
		unlink(new);
		return -1;
	}
	return 0;
}
