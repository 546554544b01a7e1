/* SPDX-License-Identifier: ISC */
#include "cli/providers.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void read_text(struct providers *p, const char *text, int expected)
{
	char path[] = "/tmp/pgpgate-providers.XXXXXX", err[400] = "";
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(providers_read(p, path, err, sizeof err), expected);
	unlink(path);
}

static void domains_and_what_is_below_them(void **state)
{
	static const struct {
		const char *domain;
		bool is_there;
	} rows[] = {
		{"gmail.com", true},   {"mail.gmail.com", true},
		{"xgmail.com", false}, {"com", false},
		{"example.org", true}, {"example.net", false},
		{"", false},	       {"<>", false},
	};
	struct providers p;

	(void)state;
	read_text(&p, "# a list\n\n  GMAIL.com # everybody's\r\nexample.org", 0);
	assert_int_equal(p.n, 2);
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(rows[i].domain, providers_has(&p, rows[i].domain) == rows[i].is_there);
	providers_free(&p);
}

/* Rather one rule too narrow than one for half the world. */
static void without_a_list_every_domain_is_one(void **state)
{
	struct providers p;
	char err[400];

	(void)state;
	assert_int_equal(providers_read(&p, "/nonexistent/providers", err, sizeof err), -1);
	assert_non_null(strstr(err, "/nonexistent/providers"));
	assert_true(providers_has(&p, "example.org"));
	assert_int_equal(providers_read(&p, "", err, sizeof err), 0);
	assert_false(providers_has(&p, "gmail.com"));
	read_text(&p, "", 0);
	assert_false(providers_has(&p, "gmail.com"));
	providers_free(&p);
}

static void the_list_that_is_shipped(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], err[400];
	struct providers p;

	(void)state;
	snprintf(path, sizeof path, "%s/dist/providers", srcdir != NULL ? srcdir : "..");
	assert_int_equal(providers_read(&p, path, err, sizeof err), 0);
	assert_true(p.n > 100);
	assert_true(providers_has(&p, "gmail.com"));
	for (size_t i = 0; i < p.n; i++) {
		CHECK_ROW(p.domains[i],
			  strspn(p.domains[i], "abcdefghijklmnopqrstuvwxyz0123456789.-") ==
					  strlen(p.domains[i]) &&
				  strchr(p.domains[i], '.') != NULL);
		CHECK_ROW(p.domains[i], i == 0 || strcmp(p.domains[i], p.domains[i - 1]) != 0);
	}
	providers_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_and_what_is_below_them),
		cmocka_unit_test(without_a_list_every_domain_is_one),
		cmocka_unit_test(the_list_that_is_shipped),
	};

	return cmocka_run_group_tests_name("providers", tests, NULL, NULL);
}
