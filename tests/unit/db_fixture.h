/* SPDX-License-Identifier: ISC
 *
 * db_fixture.h: a database of its own for each test of db/, in a new directory below TMPDIR (or
 * /tmp), which fixture_end() removes. Included once in a test program; everything is static.
 */
#ifndef PGPGATE_TESTS_DB_FIXTURE_H
#define PGPGATE_TESTS_DB_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/db.h"
#include "db/rules.h"
#include "tests/unit/rules_plain.h"

#define FIXTURE_OVERRIDES_MAX 8

struct fixture {
	char directory[200];
	char path[300];
	struct settings *settings;
};

/* Settings with the database of the fixture and what is given ("key=value", NULL ends). */
static inline struct settings *fixture_settings(const struct fixture *f, ...)
{
	const char *overrides[FIXTURE_OVERRIDES_MAX];
	char database[400], err[512] = "";
	struct settings *s;
	size_t n = 0;
	va_list arguments;

	snprintf(database, sizeof database, "database=sqlite:%s", f->path);
	overrides[n++] = database;
	va_start(arguments, f);
	while (n < FIXTURE_OVERRIDES_MAX &&
	       (overrides[n] = va_arg(arguments, const char *)) != NULL)
		n++;
	va_end(arguments);
	s = settings_load("/nonexistent/pgpgate.conf", true, overrides, n, err, sizeof err);
	if (s == NULL)
		fail_msg("%s", err);
	return s;
}

static inline void fixture_directory(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(f->directory, sizeof f->directory, "%s/pgpgate-test-XXXXXX",
		 tmp != NULL && strlen(tmp) < 150 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/pgpgate.db", f->directory);
}

static inline struct db *fixture_open(const struct fixture *f, enum db_mode mode)
{
	struct db *d = db_open(f->settings, mode);

	assert_non_null(d);
	if (db_failure(d) != DB_OK)
		fail_msg("%s", db_error(d));
	return d;
}

/* A new directory with a new database, default settings. */
static inline void fixture_begin(struct fixture *f)
{
	fixture_directory(f);
	f->settings = fixture_settings(f, NULL);
	db_close(fixture_open(f, DB_CREATE));
}

/* A rule as an administrator of the name root types it. */
static inline struct rule fixture_rule(const char *line, int64_t now_unix)
{
	struct rule r;
	char err[300] = "";

	if (rule_parse(line, "+", now_unix, &r, err, sizeof err) != 0)
		fail_msg("%s: %s", line, err);
	snprintf(r.author, sizeof r.author, "root");
	return r;
}

static inline void fixture_use(struct fixture *f, struct settings *s)
{
	settings_unref(f->settings);
	f->settings = s;
}

static inline void fixture_end(struct fixture *f)
{
	char path[600];
	DIR *dir = opendir(f->directory);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", f->directory, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove(path);
	}
	closedir(dir);
	rmdir(f->directory);
	settings_unref(f->settings);
	f->settings = NULL;
}

#endif
