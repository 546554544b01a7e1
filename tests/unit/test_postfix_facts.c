/* SPDX-License-Identifier: ISC
 *
 * What is taken from Postfix's configuration, as its own programs tell it. Each row is a main.cf
 * and a master.cf in a folder of its own.
 */
#include "common/postfix_facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define MILTER "unix:/queue/pgpgate/filter.sock"
#define FRONT "smtp inet n - y - - smtpd\n"
#define BACK "127.0.0.1:10025 inet n - n - - smtpd\n"

static char folder[] = "/tmp/pgpgate-facts-XXXXXX";

static void put(const char *name, const char *text)
{
	static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	/* Postfix waits until a file is two seconds old. */
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

/* "@" in main is the folder. NULL where there is no Postfix. */
static struct postfix_facts *facts_of(const char *main_cf, const char *master_cf)
{
	char text[4000] =
		"compatibility_level = 3.6\nqueue_directory = /queue\nmyhostname = mx.test\n",
	     err[300];
	size_t used = strlen(text);

	for (; *main_cf != '\0'; main_cf++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s",
					 *main_cf == '@' ? (int)strlen(folder) : 1,
					 *main_cf == '@' ? folder : main_cf);
	snprintf(text + used, sizeof(text) - used, "\n");
	put("main.cf", text);
	put("master.cf", master_cf);
	if (access("/usr/sbin/postconf", X_OK) != 0)
		skip();
	struct postfix_facts *f = postfix_facts_ask(folder, MILTER, err, sizeof(err));

	if (f == NULL)
		fail_msg("%s: %s", text, err);
	return f;
}

static bool is_ours(const struct postfix_facts *f, const char *client)
{
	struct netaddr a;
	char err[200];

	assert_int_equal(netaddr_parse(client, &a, err, sizeof(err)), 0);
	return postfix_facts_is_ours(f, &a);
}

static void origin_is_myorigin_or_what_is_in_its_file(void **state)
{
	static const char *const rows[][2] = {
		{"myorigin = Example.ORG", "example.org"},
		{"mydomain = example.org\nmyorigin = $mydomain", "example.org"},
		{"myorigin = @/mailname", "mail.example.org"},
		{"myorigin = @/absent", ""},
		{"myorigin = not a domain", "not"},
		{"myorigin = a@b", ""},
	};

	(void)state;
	put("mailname", "\nMail.example.org\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct postfix_facts *f = facts_of(rows[i][0], FRONT);

		assert_string_equal(f->origin, rows[i][1]);
		postfix_facts_free(f);
	}
}

static void networks_are_those_of_mynetworks(void **state)
{
	static const struct {
		const char *main_cf, *client;
		bool is_ours;
	} rows[] = {
		{"mynetworks = 127.0.0.0/8 [::1]/128, 10.0.0.0/8", "10.1.2.3", true},
		{"mynetworks = 127.0.0.0/8 [::1]/128, 10.0.0.0/8", "::1", true},
		{"mynetworks = 127.0.0.0/8 [::1]/128, 10.0.0.0/8", "192.0.2.1", false},
		{"mynetworks = !10.0.0.5, 10.0.0.0/8", "10.0.0.5", false},
		{"mynetworks = !10.0.0.5, 10.0.0.0/8", "10.0.0.6", true},
		{"mynetworks = 10.0.0.0/8, !10.0.0.5", "10.0.0.5", true},
		{"mynetworks = @/nets", "10.9.9.9", true},
		{"mynetworks = @/nets", "192.0.2.1", false},
		{"mynetworks = @/absent, 10.0.0.0/8", "10.9.9.9", true},
		/* What cannot be understood narrows. */
		{"mynetworks = 192.0.2.0/24, !hash:/x, 10.0.0.0/8", "10.0.0.5", false},
		{"mynetworks = 192.0.2.0/24, !hash:/x, 10.0.0.0/8", "192.0.2.5", true},
		{"mynetworks = cidr:@/table", "10.0.0.5", false},
		{"mynetworks = 10.0.0.1/8 192.0.2.0/24", "10.0.0.1", false},
		{"mynetworks = 10.0.0.1/8 192.0.2.0/24", "192.0.2.1", true},
		{"lan = 10.0.0.0/8\nmynetworks = $lan", "10.0.0.1", true},
		{"mynetworks = 0.0.0.0/0 [::]/0 10.0.0.0/8", "192.0.2.1", false},
		{"mynetworks = 0.0.0.0/0 [::]/0 10.0.0.0/8", "2001:db8::1", false},
		{"mynetworks = 0.0.0.0/0 [::]/0 10.0.0.0/8", "10.1.2.3", true},
		{"mynetworks = 192.0.2.1 !0.0.0.0/0 10.0.0.0/8", "192.0.2.1", true},
		{"mynetworks = 192.0.2.1 !0.0.0.0/0 10.0.0.0/8", "10.1.2.3", false},
		{"mynetworks =", "127.0.0.1", false},
	};

	(void)state;
	put("nets", "# comment: 192.0.2.0/24\n10.0.0.0/8\n");
	put("table", "10.0.0.0/8 OK\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct postfix_facts *f = facts_of(rows[i].main_cf, FRONT);

		if (is_ours(f, rows[i].client) != rows[i].is_ours)
			fail_msg("row %zu: %s, client %s", i, rows[i].main_cf, rows[i].client);
		postfix_facts_free(f);
	}
}

static void domains_are_those_of_postfix(void **state)
{
	static const struct {
		const char *main_cf, *domain;
		bool is_ours;
	} rows[] = {
		{"mydestination = Example.org, localhost", "example.org", true},
		{"mydestination = example.org", "sub.example.org", false},
		{"mydestination = example.org", "other.test", false},
		{"mydestination = .example.org", "a.b.example.org", true},
		{"virtual_mailbox_domains = a.test", "a.test", true},
		{"virtual_alias_domains = b.test", "b.test", true},
		{"virtual_alias_maps = texthash:@/virtual", "c.test",
		 true}, /* the default of _domains */
		{"virtual_alias_maps = texthash:@/virtual", "mail.test", false},
		{"virtual_mailbox_domains = proxy:texthash:@/virtual", "c.test", true},
		{"virtual_mailbox_domains = inline:{{d.test = x}, {e.test = y}}", "e.test", true},
		{"virtual_mailbox_domains = inline:{{d.test = x}, {e.test = y}}", "f.test", false},
		{"mydestination =\nrelay_domains = @/domains", "g.test", true},
		{"relay_domains = h.test\nparent_domain_matches_subdomains =", "sub.h.test", false},
		{"relay_domains = h.test\nparent_domain_matches_subdomains = relay_domains",
		 "sub.h.test", true},
		{"mydestination = xn--b-xka.test", "xn--b-xka.test", true},
		/* What cannot be listed makes every domain ours. */
		{"virtual_mailbox_domains = static:all", "other.test", true},
		{"virtual_mailbox_domains = mysql:/x", "other.test", true},
		{"relay_domains = !x.test, y.test", "other.test", true},
		{"mydestination = @/absent", "other.test", true},
		{"mydestination = texthash:@/absent", "other.test", true},
	};

	(void)state;
	put("virtual", "c.test x\n# i.test x\nalice@mail.test bob@x.test\n@mail.test y\n");
	put("domains", "g.test\n#h.test\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct postfix_facts *f = facts_of(rows[i].main_cf, FRONT);

		if (postfix_facts_has_domain(f, rows[i].domain) != rows[i].is_ours)
			fail_msg("row %zu: %s, domain %s", i, rows[i].main_cf, rows[i].domain);
		postfix_facts_free(f);
	}
}

static void what_comes_back_from_a_filter_is_nobodys(void **state)
{
#define OURS                                                              \
	"mynetworks = 127.0.0.0/8 [::1]/128 10.0.0.0/8\nsmtpd_milters = " \
	"unix:pgpgate/filter.sock\n"
	static const struct {
		const char *main_cf, *master_cf, *client;
		bool is_ours;
	} rows[] = {
		{OURS, FRONT BACK, "127.0.0.1", true}, /* nothing filters */
		{OURS "content_filter = smtp:[127.0.0.1]:10024", FRONT BACK " -o content_filter=\n",
		 "127.0.0.1", false},
		{OURS "content_filter = smtp:[127.0.0.1]:10024", FRONT BACK " -o content_filter=\n",
		 "::1", false},
		{OURS "content_filter = smtp:[127.0.0.1]:10024", FRONT BACK " -o content_filter=\n",
		 "10.0.0.5", true},
		/* The filter is another machine, and mail comes back from there. */
		{OURS "content_filter = smtp:[10.0.0.5]:10024",
		 FRONT "10025 inet n - n - - smtpd\n -o content_filter=\n", "10.0.0.5", false},
		{OURS "content_filter = smtp:10.0.0.5:10024",
		 FRONT "10025 inet n - n - - smtpd\n -o content_filter=\n", "10.0.0.5", false},
		{OURS, FRONT " -o smtpd_proxy_filter=127.0.0.1:10024\n" BACK, "127.0.0.1", false},
		{OURS, FRONT " -o smtpd_proxy_filter=inet:127.0.0.1:10024\n" BACK, "127.0.0.1",
		 false},
		{OURS,
		 FRONT
		 " -o smtpd_proxy_filter=127.0.0.1:10024\nlocalhost:smtp inet n - n - - smtpd\n",
		 "127.0.0.1", false},
		/* The way back has no milter of ours: what loopback sends to the others is its own.
		 */
		{OURS "content_filter = smtp:[127.0.0.1]:10024",
		 FRONT BACK " -o content_filter=\n -o smtpd_milters=\n", "127.0.0.1", true},
		{OURS "content_filter = smtp:[127.0.0.1]:10024",
		 FRONT BACK " -o content_filter=\n -o smtpd_milters=inet:127.0.0.1:8891\n",
		 "127.0.0.1", true},
		{OURS "content_filter = smtp:[127.0.0.1]:10024",
		 FRONT BACK " -o content_filter=\n -o receive_override_options=no_milters\n",
		 "127.0.0.1", true},
		{OURS "content_filter = smtp:[127.0.0.1]:10024",
		 FRONT "submission inet n - n - - smtpd\n -o content_filter=\n", "127.0.0.1", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct postfix_facts *f = facts_of(rows[i].main_cf, rows[i].master_cf);

		if (is_ours(f, rows[i].client) != rows[i].is_ours)
			fail_msg("row %zu: %s %s, client %s", i, rows[i].main_cf, rows[i].master_cf,
				 rows[i].client);
		postfix_facts_free(f);
	}
}

static void without_an_answer_there_are_no_facts(void **state)
{
	char err[300] = "";
	struct postfix_facts *f = postfix_facts_ask("/nonexistent", MILTER, err, sizeof(err));

	(void)state;
	assert_null(f);
	assert_string_equal(err, "postconf gave no answer");
	f = postfix_facts_new();
	assert_true(is_ours(f, "127.0.0.1"));
	assert_true(is_ours(f, "::1"));
	assert_false(is_ours(f, "10.0.0.1"));
	assert_true(postfix_facts_has_domain(f, "other.test"));
	postfix_facts_free(f);
}

static int make_folder(void **state)
{
	(void)state;
	/* Postfix's programs are never root's, and read what everybody may. */
	return mkdtemp(folder) == NULL ? -1 : chmod(folder, 0755);
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"main.cf", "master.cf", "nets",   "mailname",
					    "table",   "virtual",   "domains"};
	char path[100];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_those_of_mynetworks),
		cmocka_unit_test(origin_is_myorigin_or_what_is_in_its_file),
		cmocka_unit_test(domains_are_those_of_postfix),
		cmocka_unit_test(what_comes_back_from_a_filter_is_nobodys),
		cmocka_unit_test(without_an_answer_there_are_no_facts),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
