/* SPDX-License-Identifier: ISC */
#include "common/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define ERR_MAX 300

static char directory[] = "/tmp/pgpgate-test-XXXXXX";
static char path[64];
static char text[80];

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/s", directory);
	snprintf(text, sizeof(text), "local:%s", path);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void parse_right_forms(void **state)
{
	static const struct {
		const char *text;
		int family;
		const char *host; /* or path */
		int port;
	} rows[] = {
		{"unix:/run/x", AF_UNIX, "/run/x", 0},
		{"local:/run/x", AF_UNIX, "/run/x", 0},
		{"unix:x", AF_UNIX, "x", 0},
		{"inet:8891@127.0.0.1", AF_INET, "127.0.0.1", 8891},
		{"inet:8891@[127.0.0.1]", AF_INET, "127.0.0.1", 8891},
		{"inet:8891", AF_INET, "127.0.0.1", 8891},
		{"inet:65535@0.0.0.0", AF_INET, "0.0.0.0", 65535},
		{"inet6:8891@::1", AF_INET6, "::1", 8891},
		{"inet6:8891@[::1]", AF_INET6, "::1", 8891},
		{"inet6:8891", AF_INET6, "::1", 8891},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char err[ERR_MAX] = "", host[64] = "";
		struct socket_address a;
		int port = 0;

		CHECK_ROW(rows[i].text, socket_parse(rows[i].text, &a, err, sizeof(err)) == 0);
		CHECK_ROW(rows[i].text, a.storage.ss_family == rows[i].family);
		CHECK_ROW(rows[i].text, a.is_unix == (rows[i].family == AF_UNIX));
		if (a.is_unix) {
			CHECK_ROW_TEXT(rows[i].text, a.path, rows[i].host);
			continue;
		}
		if (rows[i].family == AF_INET) {
			const struct sockaddr_in *in = (const struct sockaddr_in *)&a.storage;

			inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
			port = ntohs(in->sin_port);
		} else {
			const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&a.storage;

			inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
			port = ntohs(in->sin6_port);
		}
		CHECK_ROW_TEXT(rows[i].text, host, rows[i].host);
		CHECK_ROW(rows[i].text, port == rows[i].port);
	}
}

static void parse_anything_else_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"/run/x",
		"unix:",
		"local:",
		"inet:",
		"inet:127.0.0.1:8891",
		"inet:8891@",
		"inet:0",
		"inet:65536",
		"inet:99999999999",
		"inet:-1",
		"inet:@127.0.0.1",
		"inet6:8891@127.0.0.1",
		"inet:8891@::1",
		"tcp:8891",
		"unix:/a b",
		"unix:/a\n",
		"inet:no-such-service@127.0.0.1",
		"unix:/"
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678"
		"9012345678901234567890123456",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char err[ERR_MAX] = "";
		struct socket_address a;

		CHECK_ROW(rows[i], socket_parse(rows[i], &a, err, sizeof(err)) == -1);
		CHECK_ROW(rows[i], err[0] == '"' && strchr(err, '\n') == NULL);
	}
}

static void sockets_that_only_this_machine_reaches(void **state)
{
	static const struct {
		const char *text;
		bool is_private;
	} rows[] = {
		{"unix:/x", true},
		{"inet:8891", true},
		{"inet:8891@127.1.2.3", true},
		{"inet:8891@0.0.0.0", false},
		{"inet:8891@192.0.2.1", false},
		{"inet6:8891", true},
		{"inet6:8891@::", false},
		{"inet6:8891@2001:db8::1", false},
		{"inet6:8891@::ffff:127.0.0.1", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct socket_address a;
		char err[300];

		CHECK_ROW(rows[i].text, socket_parse(rows[i].text, &a, err, sizeof(err)) == 0);
		CHECK_ROW(rows[i].text, socket_is_private(&a) == rows[i].is_private);
	}
}

static void one_socket_in_two_spellings_is_one(void **state)
{
	(void)state;
	assert_true(socket_is_same("unix:/x", "local:/x"));
	assert_true(socket_is_same("inet:8891", "inet:8891@127.0.0.1"));
	assert_true(socket_is_same("inet6:8891@[::1]", "inet6:8891"));
	assert_false(socket_is_same("unix:/x", "unix:/y"));
	assert_false(socket_is_same("inet:8891", "inet:8892"));
	assert_false(socket_is_same("nothing", "nothing"));
}

static void listen_mode_comes_from_the_mask(void **state)
{
	static const mode_t masks[] = {007, 0117, 077};

	(void)state;
	for (size_t i = 0; i < ROWS(masks); i++) {
		mode_t before = umask(022);
		struct socket_address a;
		char err[ERR_MAX];
		struct stat st;
		int fd;

		assert_int_equal(socket_parse(text, &a, err, sizeof(err)), 0);
		fd = socket_listen(&a, masks[i], err, sizeof(err));
		assert_true(fd >= 0);
		assert_int_equal(umask(before), 022);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0777 & ~masks[i]);
		assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
		close(fd);
		/* Nobody listens any more: the next round replaces it. */
	}
	unlink(path);
}

static void live_socket_is_an_error_and_stays(void **state)
{
	struct socket_address a;
	char err[ERR_MAX];
	int fd, client;

	(void)state;
	assert_int_equal(socket_parse(text, &a, err, sizeof(err)), 0);
	fd = socket_listen(&a, 007, err, sizeof(err));
	assert_true(fd >= 0);
	assert_int_equal(socket_listen(&a, 007, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "in use"));
	assert_int_equal(socket_clear_stale(&a, err, sizeof(err)), -1);
	client = socket_connect(&a, 1000, err, sizeof(err));
	assert_true(client >= 0);
	assert_int_equal(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
	close(client);
	close(fd);
	assert_int_equal(socket_clear_stale(&a, err, sizeof(err)), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(socket_clear_stale(&a, err, sizeof(err)), 0);
}

static void what_is_no_socket_is_never_removed(void **state)
{
	struct socket_address a;
	char err[ERR_MAX];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	close(fd);
	assert_int_equal(socket_parse(text, &a, err, sizeof(err)), 0);
	assert_int_equal(socket_clear_stale(&a, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "is no socket"));
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(socket_listen(&a, 007, err, sizeof(err)), -1);
	unlink(path);
}

static void missing_directory_is_told(void **state)
{
	struct socket_address a;
	char err[ERR_MAX];

	(void)state;
	assert_int_equal(socket_parse("local:/nonexistent/x", &a, err, sizeof(err)), 0);
	assert_int_equal(socket_listen(&a, 007, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "create its directory"));
	assert_int_equal(socket_connect(&a, 100, err, sizeof(err)), -1);
}

static void addresses_of_the_network_are_listened_on_once(void **state)
{
	struct socket_address a, there;
	struct sockaddr_in bound;
	socklen_t bound_size = sizeof(bound);
	char err[ERR_MAX] = "", port[60];
	int fd, client;

	(void)state;
	/* port 0 is no port in a configuration, but the system's choice here */
	assert_int_equal(socket_parse("inet:1@127.0.0.1", &a, err, sizeof(err)), 0);
	((struct sockaddr_in *)&a.storage)->sin_port = 0;
	fd = socket_listen(&a, 007, err, sizeof(err));
	if (fd < 0)
		fail_msg("%s", err);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &bound_size), 0);
	snprintf(port, sizeof(port), "inet:%u@127.0.0.1", ntohs(bound.sin_port));
	assert_int_equal(socket_parse(port, &there, err, sizeof(err)), 0);
	client = socket_connect(&there, 1000, err, sizeof(err));
	assert_true(client >= 0);
	assert_int_equal(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(socket_listen(&there, 007, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "in use"));
	close(client);
	close(fd);
	assert_int_equal(socket_connect(&there, 1000, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "refused"));
}

static void a_full_queue_is_waited_for_and_no_longer(void **state)
{
	struct socket_address a;
	char err[ERR_MAX];
	int fd, waiting[8], n = 0;

	(void)state;
	assert_int_equal(socket_parse(text, &a, err, sizeof(err)), 0);
	fd = socket_listen(&a, 007, err, sizeof(err));
	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 0), 0); /* nobody accepts */
	while (n < 8 && (waiting[n] = socket_connect(&a, 50, err, sizeof(err))) >= 0)
		n++;
	assert_true(n > 0 && n < 8);
	assert_non_null(strstr(err, "timed out"));
	while (n > 0)
		close(waiting[--n]);
	close(fd);
	unlink(path);
}

static void connect_to_nobody_fails(void **state)
{
	struct socket_address a;
	char err[ERR_MAX];
	int fd;

	(void)state;
	assert_int_equal(socket_parse(text, &a, err, sizeof(err)), 0);
	fd = socket_listen(&a, 007, err, sizeof(err));
	close(fd);
	assert_int_equal(socket_connect(&a, 1000, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "refused"));
	unlink(path);
}

static void look_ups_are_bounded_unless_the_environment_says_how(void **state)
{
	(void)state;
	unsetenv("RES_OPTIONS");
	socket_bound_lookups();
	assert_string_equal(getenv("RES_OPTIONS"), "timeout:2 attempts:2");
	setenv("RES_OPTIONS", "timeout:9", 1);
	socket_bound_lookups();
	assert_string_equal(getenv("RES_OPTIONS"), "timeout:9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_right_forms),
		cmocka_unit_test(parse_anything_else_is_refused),
		cmocka_unit_test(sockets_that_only_this_machine_reaches),
		cmocka_unit_test(one_socket_in_two_spellings_is_one),
		cmocka_unit_test(listen_mode_comes_from_the_mask),
		cmocka_unit_test(live_socket_is_an_error_and_stays),
		cmocka_unit_test(what_is_no_socket_is_never_removed),
		cmocka_unit_test(missing_directory_is_told),
		cmocka_unit_test(addresses_of_the_network_are_listened_on_once),
		cmocka_unit_test(a_full_queue_is_waited_for_and_no_longer),
		cmocka_unit_test(connect_to_nobody_fails),
		cmocka_unit_test(look_ups_are_bounded_unless_the_environment_says_how),
	};

	return cmocka_run_group_tests_name("socket", tests, make_directory, remove_directory);
}
