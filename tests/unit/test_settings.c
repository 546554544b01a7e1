/* SPDX-License-Identifier: ISC */
#include "common/settings.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define ERR_MAX 500

/* A file with that text; its name is used up by the next call. */
static const char *file_with(const void *text, size_t len)
{
	static char path[64];
	int fd;

	strcpy(path, "/tmp/pgpgate-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	return path;
}

static struct settings *load_text(const char *text, char *err)
{
	const char *path = file_with(text, strlen(text));
	struct settings *s = settings_load(path, false, NULL, 0, err, ERR_MAX);

	unlink(path);
	return s;
}

static struct settings *load_override(const char *override, char *err)
{
	return settings_load("/nonexistent/pgpgate.conf", true, &override, 1, err, ERR_MAX);
}

static const char *value_of(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < settings_count(); i++)
		if (strcmp(settings_name(i), name) == 0)
			return settings_value(s, i);
	return "no such key";
}

static void defaults_are_canonical_and_in_force(void **state)
{
	char err[ERR_MAX];
	struct settings *s = settings_load("/nonexistent/pgpgate.conf", true, NULL, 0, err,
					   ERR_MAX);

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < settings_count(); i++)
		CHECK_ROW_TEXT(settings_name(i), settings_value(s, i), settings_default(i));
	assert_null(s->path);
	assert_true(s->enforce);
	assert_int_equal(s->socket_umask, 007);
	assert_string_equal(s->database_path, "/var/lib/pgpgate/pgpgate.db");
	assert_int_equal(s->default_requirement, REQUIREMENT_ENCRYPTED);
	assert_int_equal(s->local_requirement, REQUIREMENT_OBSERVE);
	assert_int_equal(s->n_local_clients, 0);
	assert_true(s->are_mynetworks_local);
	assert_int_equal(s->n_exempt_recipients, 2);
	assert_string_equal(s->policy_actions[REQUIREMENT_RATCHET], "DUNNO");
	assert_int_equal(s->accept.forms, 1u << FORM_PGP_MIME | 1u << FORM_PGP_MIXED |
						  1u << FORM_PGP_INLINE | 1u << FORM_PGP_HTML);
	assert_int_equal(s->accept.reports, REPORTS_HEADERS);
	assert_string_equal(s->refuse_code, "550");
	assert_string_equal(s->refuse_enhanced, "5.7.1");
	assert_int_equal(s->verdict_retention_s, 90 * 86400);
	assert_int_equal(s->max_connections, 1000);
	settings_unref(s);
}

static void every_key_takes_its_values(void **state)
{
	static const struct {
		const char *override;
		const char *value; /* NULL: refused */
	} rows[] = {
		{"filter_socket=unix:/run/f.sock", "unix:/run/f.sock"},
		{"filter_socket=inet:8891@127.0.0.1", "inet:8891@127.0.0.1"},
		{"filter_socket=inet6:8891@::1", "inet6:8891@::1"},
		{"filter_socket=unix:run/f.sock", NULL},
		{"filter_socket=/run/f.sock", NULL},
		{"filter_socket=inet:127.0.0.1:8891", NULL},
		{"filter_socket=", NULL},
		{"filter_socket=local:/var/spool/postfix/pgpgate/policy.sock", NULL},
		{"filter_socket=unix:/var/spool/postfix/pgpgate/policy.sock", NULL},
		{"socket_umask=7", "007"},
		{"socket_umask=0077", "077"},
		{"socket_umask=0", "000"},
		{"socket_umask=8", NULL},
		{"socket_umask=1000", NULL},
		{"user=", ""},
		{"user=mail:postfix", "mail:postfix"},
		{"user=:postfix", NULL},
		{"user=mail:", NULL},
		{"user=a:b:c", NULL},
		{"user=-x", NULL},
		{"user=a b", NULL},
		{"database=sqlite:/tmp/x.db", "sqlite:/tmp/x.db"},
		{"database=sqlite:x.db", NULL},
		{"database=sqlite:/tmp/", NULL},
		{"database=/tmp/x.db", NULL},
		{"database=postgresql://x", NULL},
		{"enforce=No", "no"},
		{"enforce=1", NULL},
		{"default_requirement=ratchet", "ratchet"},
		{"default_requirement=Encrypted", NULL},
		{"local_requirement=exempt", "exempt"},
		{"local_clients=", ""},
		{"local_clients=192.0.2.0/24,::1 , 2001:DB8::/32",
		 "192.0.2.0/24, ::1, 2001:db8::/32"},
		{"local_clients=192.0.2.1/24", NULL},
		{"local_clients=localhost", NULL},
		{"local_clients=$mynetworks 192.0.2.7", "$mynetworks, 192.0.2.7"},
		{"local_clients=$mydestination", NULL},
		{"protected_domains=", ""},
		{"protected_domains=Example.ORG .b\xc3\xbc.test, postfix",
		 "example.org, .xn--b-eha.test, postfix"},
		{"protected_domains=alice@example.org", NULL},
		{"protected_domains=*", NULL},
		{"unqualified_domain=", ""},
		{"unqualified_domain=B\xc3\xbc.Example.ORG.", "xn--b-eha.example.org"},
		{"unqualified_domain=alice@example.org", NULL},
		{"unqualified_domain=.example.org", NULL},
		{"unqualified_domain=[192.0.2.1]", NULL},
		{"postfix_config=/etc/postfix-out", "/etc/postfix-out"},
		{"postfix_config=postfix", NULL},
		{"exempt_recipients=", ""},
		{"exempt_recipients=Tips@Example.org .b.test", "tips@example.org, .b.test"},
		{"exempt_recipients=*", NULL},
		{"exempt_recipients=<>", NULL},
		{"exempt_recipients=alice", NULL},
		{"policy_actions=exempt=greylist, encrypted = REJECT go away",
		 "exempt=greylist, observe=DUNNO, signed=DUNNO, encrypted=REJECT go away, "
		 "ratchet=DUNNO, own-key=DUNNO, readable=DUNNO"},
		{"policy_actions=exempt=PREPEND X-A: b=c",
		 "exempt=PREPEND X-A: b=c, observe=DUNNO, signed=DUNNO, encrypted=DUNNO, "
		 "ratchet=DUNNO, own-key=DUNNO, readable=DUNNO"},
		{"policy_actions=exempt=greylist  encrypted=REJECT go away\tsigned=x, ratchet=y",
		 "exempt=greylist, observe=DUNNO, signed=x, encrypted=REJECT go away, ratchet=y, "
		 "own-key=DUNNO, readable=DUNNO"},
		{"policy_actions= encrypted=a encrypted=b", NULL},
		{"policy_actions=exempt=x signed=", NULL},
		{"policy_actions=", "exempt=DUNNO, observe=DUNNO, signed=DUNNO, encrypted=DUNNO, "
				    "ratchet=DUNNO, own-key=DUNNO, readable=DUNNO"},
		{"policy_actions=own-key=own readable=REJECT no",
		 "exempt=DUNNO, observe=DUNNO, signed=DUNNO, "
		 "encrypted=DUNNO, ratchet=DUNNO, "
		 "own-key=own, readable=REJECT no"},
		{"default_requirement=own-key", "own-key"},
		{"default_requirement=readable", "readable"},
		{"accept_containers=mdc", "mdc"},
		{"accept_containers=ocb,mdc", "ocb, mdc"},
		{"accept_containers=", NULL},
		{"accept_containers=mdc, mdc", NULL},
		{"accept_containers=sed", NULL},
		{"key_url=", ""},
		{"key_url=wkd", "wkd"},
		{"key_url=https://keys.example.org/%f", "https://keys.example.org/%f"},
		{"key_url=WKD", NULL},
		{"key_url=https://h.test/<%l>", NULL},
		{"show_keys=no", "no"},
		{"key_grace=0", "0"},
		{"key_grace=1w", "1w"},
		{"hidden_recipients=refuse", "refuse"},
		{"hidden_recipients=no", NULL},
		{"policy_actions=DUNNO", NULL},
		{"policy_actions=exempt=", NULL},
		{"policy_actions=all=DUNNO", NULL},
		{"policy_actions=exempt=a, exempt=b", NULL},
		{"policy_actions=exempt=\xc3\xa9", NULL},
		{"recipient_delimiter=", ""},
		{"recipient_delimiter=+-", "+-"},
		{"recipient_delimiter=@", NULL},
		{"recipient_delimiter=x", NULL},
		{"accept_forms=pgp-mime", "pgp-mime"},
		{"accept_forms=pgp-inline pgp-mime", "pgp-inline, pgp-mime"},
		{"accept_forms=", NULL},
		{"accept_forms=none", NULL},
		{"accept_forms=pgp-mime pgp-mime", NULL},
		{"accept_reports=headers", "headers"},
		{"accept_reports=maybe", NULL},
		{"accept_bounces=report", "report"},
		{"accept_bounces=yes", NULL},
		{"max_cleartext_bytes=1024", "1024"},
		{"max_cleartext_bytes=0010", "10"},
		{"max_cleartext_bytes=-1", NULL},
		{"max_cleartext_bytes=1k", NULL},
		{"max_cleartext_bytes=99999999999999999999", NULL},
		{"mixed_recipients=refuse", "refuse"},
		{"mixed_recipients=drop", NULL},
		{"reply_window=14d", "14d"},
		{"reply_window=soon", NULL},
		{"on_refusal=quarantine", "quarantine"},
		{"on_refusal=tag", "tag"},
		{"on_refusal=discard", NULL},
		{"refuse_code=550  5.7.1", "550 5.7.1"},
		{"refuse_code=450 4.7.1", "450 4.7.1"},
		{"refuse_code=554 5.999.999", "554 5.999.999"},
		{"refuse_code=550 4.7.1", NULL},
		{"refuse_code=250 2.0.0", NULL},
		{"refuse_code=350 3.0.0", NULL},
		{"refuse_code=550", NULL},
		{"refuse_code=5500 5.7.1", NULL},
		{"refuse_code=599 5.7.1", NULL},
		{"refuse_code=550 5.7", NULL},
		{"refuse_code=550 5.7.1.1", NULL},
		{"refuse_code=550 5.07.1", NULL},
		{"refuse_code=550 5.7.1000", NULL},
		{"refuse_text=Please encrypt 100%", "Please encrypt 100%"},
		{"contact=", ""},
		{"contact=help@", "help@"},
		{"contact=help@example.org", "help@example.org"},
		{"contact=help", NULL},
		{"contact=@example.org", NULL},
		{"contact=a b@example.org", NULL},
		{"contact=<a@example.org>", NULL},
		{"contact=a@example.org, b@example.org", NULL},
		{"contact=a@example_org", NULL},
		{"contact=\xc3\xa9@example.org", NULL},
		{"refuse_text=", NULL},
		{"refuse_text=No: encrypt", NULL},
		{"refuse_text=No, encrypt", NULL},
		{"refuse_text=No; encrypt", NULL},
		{"refuse_text=Verschl\xc3\xbcsseln", NULL},
		{"help_url=", ""},
		{"help_url=https://example.org/pgp?a=b", "https://example.org/pgp?a=b"},
		{"help_url=ftp://example.org/", NULL},
		{"help_url=https://", NULL},
		{"help_url=https://example.org/a b", NULL},
		{"on_database_error=accept", "accept"},
		{"on_database_error=yes", NULL},
		{"verdict_sync=power", "power"},
		{"verdict_retention=0", "0"},
		{"pair_retention=4y", NULL},
		{"log_addresses=hashed", "hashed"},
		{"max_connections=1", "1"},
		{"max_connections=0", NULL},
		{"max_connections=100001", NULL},
		{"centre=", ""},
		{"centre=postgresql://host@db1,db2/pgpgate?target_session_attrs=read-write",
		 "postgresql://host@db1,db2/pgpgate?target_session_attrs=read-write"},
		{"centre=host=/run/pg user=mx passfile=/etc/pass",
		 "host=/run/pg user=mx passfile=/etc/pass"},
		{"centre=postgresql://host:secret@db/pgpgate", NULL},
		{"centre=host=db password=secret", NULL},
		{"centre_admin=postgresql://admin@[::1]:5432/pgpgate",
		 "postgresql://admin@[::1]:5432/pgpgate"},
		{"host_name=mx1.example.org", "mx1.example.org"},
		{"host_name=mx 1", NULL},
		{"stale_after=10s", "10s"},
		{"stale_refusal=0", "0"},
		{"unpushed_max=30d", "30d"},
		{"metrics_listen=", ""},
		{"metrics_listen=127.0.0.1:9157", "127.0.0.1:9157"},
		{"metrics_listen=[::1]:9157", "[::1]:9157"},
		{"metrics_listen=::1:9157", NULL},
		{"metrics_listen=9157", NULL},
		{"metrics_listen=127.0.0.1:0", NULL},
		{"metrics_listen=127.0.0.1:65536", NULL},
		{"metrics_listen=127.0.0.0/8:80", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *override = rows[i].override;
		char err[ERR_MAX] = "", name[64];
		struct settings *s = load_override(override, err);

		CHECK_ROW(override, (s != NULL) == (rows[i].value != NULL));
		if (s == NULL) {
			CHECK_ROW(override, strncmp(err, "-o ", 3) == 0 && strlen(err) > 20);
			CHECK_ROW(override, strchr(err, '\n') == NULL);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(override, "="), override);
		CHECK_ROW_TEXT(override, value_of(s, name), rows[i].value);
		settings_unref(s);
	}
}

/* Whatever `pgpgate config` prints can be written into a file and means the same. */
static void printed_settings_are_read_back(void **state)
{
	char err[ERR_MAX], text[8192] = "";
	const char *overrides[] = {"policy_actions=exempt=a b, ratchet=REJECT",
				   "refuse_code=450 4.7.1",
				   "local_clients=",
				   "exempt_recipients=a@ .b.test",
				   "accept_forms=pgp-mixed",
				   "recipient_delimiter=-+"};
	struct settings *s = settings_load("/nonexistent/x", true, overrides, ROWS(overrides), err,
					   ERR_MAX);
	struct settings *again;

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < settings_count(); i++)
		sprintf(text + strlen(text), "%s = %s\n", settings_name(i), settings_value(s, i));
	again = load_text(text, err);
	assert_non_null(again);
	for (size_t i = 0; i < settings_count(); i++)
		CHECK_ROW_TEXT(settings_name(i), settings_value(again, i), settings_value(s, i));
	settings_unref(s);
	settings_unref(again);
}

static void file_syntax_is_that_of_main_cf(void **state)
{
	static const char text[] = "# comment\n"
				   "\n"
				   "enforce=no\r\n"
				   "local_clients =\n"
				   "   192.0.2.1,\n"
				   "# a comment between\n"
				   "   # and an indented one\n"
				   "\n"
				   "\t192.0.2.2  \n"
				   "refuse_text   =   two  words # not a comment\n"
				   "user = mail";
	char err[ERR_MAX];
	struct settings *s = load_text(text, err);

	(void)state;
	assert_non_null(s);
	assert_false(s->enforce);
	assert_string_equal(value_of(s, "local_clients"), "192.0.2.1, 192.0.2.2");
	assert_string_equal(s->refuse_text, "two  words # not a comment");
	assert_string_equal(s->user, "mail");
	assert_non_null(s->path);
	settings_unref(s);
}

static void file_error_names_the_line_of_the_key(void **state)
{
	static const struct {
		const char *text, *line, *what;
	} rows[] = {
		{"enforec = no\n", ":1: ", "did you mean enforce?"},
		{"\n\nmax_conections = 5\n", ":3: ", "did you mean max_connections?"},
		{"refuse-code = 550 5.7.1\n", ":1: ", "did you mean refuse_code?"},
		{"mydestination = x\n", ":1: ", "pgpgate.conf(5)"},
		{"# x\nlocal_clients = ::1,\n  # c\n  nonsense\nuser = x\n",
		 ":2: ", "local_clients: "},
		{"  enforce = no\n", ":1: ", "continuation"},
		{"enforce = no\nuser = x\nenforce = yes\n", ":3: ", "first in line 1"},
		{"enforce\n", ":1: ", "key = value"},
		{"= no\n", ":1: ", "key = value"},
		{"a b = no\n", ":1: ", "key = value"},
		{"enforce = no\nuser = \x01\n", ":2: ", "\\x01 in column 8"},
		{"user = a\rb\n", ":1: ", "\\x0D"},
		{"# \x1b[31m\n", ":1: ", "\\x1B"},
		{"user = \xff\n", ":1: ", "UTF-8"},
		{"enforce = no\n\nfilter_socket = unix:/a\n\npolicy_socket = unix:/a\n",
		 ":5: ", "policy_socket is the same"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char err[ERR_MAX] = "";

		CHECK_ROW(rows[i].text, load_text(rows[i].text, err) == NULL);
		CHECK_ROW(rows[i].text, strncmp(err, "/tmp/pgpgate-test-", 18) == 0);
		CHECK_ROW(rows[i].text, strstr(err, rows[i].line) != NULL);
		CHECK_ROW(rows[i].text, strstr(err, rows[i].what) != NULL);
	}
}

static void file_with_nul_or_too_long_is_refused(void **state)
{
	char err[ERR_MAX];
	const char *path = file_with("enforce = no\0yes\n", 17);
	char *large = calloc(1, 1 << 21);

	(void)state;
	assert_null(settings_load(path, false, NULL, 0, err, ERR_MAX));
	assert_non_null(strstr(err, ":1: control character \\x00"));
	unlink(path);
	assert_non_null(large);
	memset(large, '\n', 1 << 21);
	path = file_with(large, 1 << 21);
	assert_null(settings_load(path, false, NULL, 0, err, ERR_MAX));
	assert_non_null(strstr(err, "over a megabyte"));
	unlink(path);
	free(large);
}

static void file_that_cannot_be_read_is_an_error(void **state)
{
	char err[ERR_MAX];

	(void)state;
	assert_null(settings_load("/nonexistent/x", false, NULL, 0, err, ERR_MAX));
	assert_non_null(strstr(err, "/nonexistent/x: cannot be read: No such file"));
	assert_null(settings_load("/tmp", true, NULL, 0, err, ERR_MAX));
	assert_non_null(strstr(err, "/tmp: cannot be read: Is a directory"));
}

static void file_is_checked_even_where_it_is_overridden(void **state)
{
	const char *override = "enforce=no";
	const char *path = file_with("enforce = maybe\n", 16);
	char err[ERR_MAX];

	(void)state;
	assert_null(settings_load(path, false, &override, 1, err, ERR_MAX));
	assert_non_null(strstr(err, ":1: enforce: "));
	unlink(path);
}

static void override_errors_name_the_override(void **state)
{
	static const char *const rows[] = {
		"",	      "enforce",  "=no", " enforce=no", "#enforce=no", "enforce=no\nuser=x",
		"enforec=no", "user=\x01"};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char err[ERR_MAX] = "";

		CHECK_ROW(rows[i], load_override(rows[i], err) == NULL);
		CHECK_ROW(rows[i], strncmp(err, "-o ", 3) == 0 && strchr(err, '\n') == NULL);
	}
}

static void later_override_wins_and_delimiter_comes_first(void **state)
{
	const char *overrides[] = {"exempt_recipients=a-b@c.test", "recipient_delimiter=-",
				   "enforce=no", "enforce = yes"};
	char err[ERR_MAX];
	struct settings *s = settings_load("/nonexistent/x", true, overrides, 4, err, ERR_MAX);

	(void)state;
	assert_non_null(s);
	assert_true(s->enforce);
	assert_int_equal(s->exempt_recipients[0].kind, PATTERN_DETAIL);
	settings_unref(s);
}

static void local_client_is_found_in_networks(void **state)
{
	static const struct {
		const char *client;
		bool is_local;
	} rows[] = {{"127.0.0.1", true},
		    {"127.9.9.9", true},
		    {"::1", true},
		    {"192.0.2.1", false},
		    {"::2", false}};
	char err[ERR_MAX];
	struct settings *s = settings_load("/nonexistent/x", true, NULL, 0, err, ERR_MAX);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct netaddr a;

		assert_int_equal(netaddr_parse(rows[i].client, &a, err, ERR_MAX), 0);
		CHECK_ROW(rows[i].client, settings_is_local_client(s, &a) == rows[i].is_local);
	}
	settings_unref(s);
}

/* The example that is installed: it differs from the defaults in enforce alone, and shows every
 * default. */
static void example_shows_every_default(void **state)
{
	const char *source = getenv("srcdir");
	char path[1000], err[ERR_MAX], text[16384], line[300];
	struct settings *s;
	FILE *file;
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/dist/pgpgate.conf", source != NULL ? source : ".");
	s = settings_load(path, false, NULL, 0, err, ERR_MAX);
	if (s == NULL)
		fail_msg("%s", err);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	for (size_t i = 0; i < settings_count(); i++) {
		const char *name = settings_name(i);
		const char *value = settings_default(i);

		if (strcmp(name, "enforce") == 0) {
			assert_false(s->enforce);
			continue;
		}
		if (strcmp(name, "protected_domains") == 0) {
			assert_string_equal(settings_value(s, i), "postfix");
			continue;
		}
		CHECK_ROW_TEXT(name, settings_value(s, i), value);
		snprintf(line, sizeof(line), "\n#%s =%s%s\n", name, value[0] == '\0' ? "" : " ",
			 value);
		CHECK_ROW(name, strstr(text, line) != NULL);
	}
	settings_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_canonical_and_in_force),
		cmocka_unit_test(every_key_takes_its_values),
		cmocka_unit_test(printed_settings_are_read_back),
		cmocka_unit_test(file_syntax_is_that_of_main_cf),
		cmocka_unit_test(file_error_names_the_line_of_the_key),
		cmocka_unit_test(file_with_nul_or_too_long_is_refused),
		cmocka_unit_test(file_that_cannot_be_read_is_an_error),
		cmocka_unit_test(file_is_checked_even_where_it_is_overridden),
		cmocka_unit_test(override_errors_name_the_override),
		cmocka_unit_test(later_override_wins_and_delimiter_comes_first),
		cmocka_unit_test(local_client_is_found_in_networks),
		cmocka_unit_test(example_shows_every_default),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
