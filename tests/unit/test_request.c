/* SPDX-License-Identifier: ISC */
#include "policyd/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FULL                                                                                 \
	"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"            \
	"client_address=192.0.2.1\nclient_name=mx.x.test\nclient_port=4711\n"                \
	"reverse_client_name=mx.x.test\nserver_address=192.0.2.2\nserver_port=25\n"          \
	"helo_name=mx.x.test\nsender=a=b@x.test\nrecipient=alice@example.org\n"              \
	"recipient_count=0\nqueue_id=\ninstance=7b.61.2\nsize=1234\netrn_domain=\nstress=\n" \
	"sasl_method=\nsasl_username=\nsasl_sender=\nccert_subject=\nencryption_protocol=\n" \
	"policy_context=\n\n"

static struct request_parser parser;

static enum request_result feed_all(const char *bytes, size_t len, size_t *used)
{
	request_reset(&parser);
	return request_feed(&parser, (const unsigned char *)bytes, len, used);
}

/* In pieces of at most `most` bytes, of random length if most is 0. */
static enum request_result feed_split(const char *bytes, size_t len, size_t most, size_t *used)
{
	enum request_result result = REQUEST_MORE;

	*used = 0;
	request_reset(&parser);
	while (*used < len && result == REQUEST_MORE) {
		size_t n = most != 0 ? most : 1 + (size_t)rand() % 40;
		size_t taken;

		if (n > len - *used)
			n = len - *used;
		result = request_feed(&parser, (const unsigned char *)bytes + *used, n, &taken);
		*used += taken;
	}
	return result;
}

static void assert_full(void)
{
	assert_string_equal(parser.request.type, "smtpd_access_policy");
	assert_string_equal(parser.request.protocol_state, "RCPT");
	assert_string_equal(parser.request.instance, "7b.61.2");
	assert_string_equal(parser.request.sender, "a=b@x.test");
	assert_string_equal(parser.request.recipient, "alice@example.org");
	assert_string_equal(parser.request.client_address, "192.0.2.1");
	assert_string_equal(parser.request.sasl_username, "");
	assert_string_equal(parser.request.size, "1234");
}

static void request_whole_is_complete(void **state)
{
	size_t used;

	(void)state;
	assert_int_equal(feed_all(FULL, strlen(FULL), &used), REQUEST_COMPLETE);
	assert_int_equal(used, strlen(FULL));
	assert_full();
}

static void request_in_pieces_is_the_same(void **state)
{
	size_t used;

	(void)state;
	assert_int_equal(feed_split(FULL, strlen(FULL), 1, &used), REQUEST_COMPLETE);
	assert_int_equal(used, strlen(FULL));
	assert_full();
	for (unsigned seed = 0; seed < 200; seed++) {
		srand(seed);
		assert_int_equal(feed_split(FULL, strlen(FULL), 0, &used), REQUEST_COMPLETE);
		assert_full();
	}
}

static void request_followed_by_another_stops_between(void **state)
{
	size_t used;

	(void)state;
	assert_int_equal(feed_all(FULL FULL, strlen(FULL FULL), &used), REQUEST_COMPLETE);
	assert_int_equal(used, strlen(FULL));
}

static void request_cut_short_wants_more_at_every_place(void **state)
{
	size_t used;

	(void)state;
	for (size_t len = 0; len < strlen(FULL); len++) {
		assert_int_equal(feed_all(FULL, len, &used), REQUEST_MORE);
		assert_int_equal(used, len);
		assert_int_equal(request_is_empty(&parser), len == 0);
	}
}

static void request_reset_forgets_everything(void **state)
{
	static const char other[] = "request=smtpd_access_policy\nprotocol_state=DATA\n\n";
	size_t used;

	(void)state;
	assert_int_equal(feed_all(FULL, strlen(FULL), &used), REQUEST_COMPLETE);
	assert_int_equal(feed_all(other, strlen(other), &used), REQUEST_COMPLETE);
	assert_string_equal(parser.request.protocol_state, "DATA");
	assert_string_equal(parser.request.recipient, "");
	assert_string_equal(parser.request.instance, "");
}

#define REQUEST "request=smtpd_access_policy\n"

static const struct {
	const char *label;
	const char *bytes;
	size_t len; /* 0: strlen */
} malformed[] = {
	{"empty request", "\n", 0},
	{"no request attribute", "sender=a@b\n\n", 0},
	{"another request", "request=address_verify\n\n", 0},
	{"duplicate, known", REQUEST "sender=a@b\nsender=c@d\n\n", 0},
	{"duplicate, unknown", REQUEST "x=1\ny=2\nx=3\n\n", 0},
	{"duplicate request", REQUEST REQUEST "\n", 0},
	{"NUL in a value", REQUEST "sender=a\0b\n\n", sizeof(REQUEST "sender=a\0b\n\n") - 1},
	{"NUL in a name", REQUEST "sen\0der=a\n\n", sizeof(REQUEST "sen\0der=a\n\n") - 1},
	{"CR LF", "request=smtpd_access_policy\r\n\r\n", 0},
	{"TAB in a name", REQUEST "sen\tder=a@b\n\n", 0},
	{"ESC in a value of Postfix's own", REQUEST "instance=\033[2J\n\n", 0},
	{"DEL in a value of Postfix's own", REQUEST "client_address=\177\n\n", 0},
	{"NUL in an ignored value", REQUEST "x=\0\n\n", sizeof(REQUEST "x=\0\n\n") - 1},
	{"no equals sign", REQUEST "sender\n\n", 0},
	{"no name", REQUEST "=a@b\n\n", 0},
	{"HTTP", "GET / HTTP/1.1\nHost: x\n\n", 0},
};

/* What a client writes into MAIL, RCPT and HELO: judged, and no reason to hang up. */
static void request_control_octets_of_a_client_are_kept(void **state)
{
	static const char bytes[] = REQUEST
		"helo_name=\033[2J\nsender=\ta@b\r\nrecipient=a\001\177@b\n\n";
	struct request_parser p;
	size_t used;

	(void)state;
	request_reset(&p);
	assert_int_equal(request_feed(&p, (const unsigned char *)bytes, sizeof bytes - 1, &used),
			 REQUEST_COMPLETE);
	assert_int_equal(used, sizeof bytes - 1);
	assert_string_equal(p.request.sender, "\ta@b\r");
	assert_string_equal(p.request.recipient, "a\001\177@b");
}

static void request_malformed_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
		const char *bytes = malformed[i].bytes;
		size_t len = malformed[i].len != 0 ? malformed[i].len : strlen(bytes);
		size_t used;

		if (feed_all(bytes, len, &used) != REQUEST_MALFORMED)
			fail_msg("%s: not found malformed", malformed[i].label);
		assert_non_null(parser.why_malformed);
		if (feed_split(bytes, len, 1, &used) != REQUEST_MALFORMED)
			fail_msg("%s: not found malformed byte by byte", malformed[i].label);
	}
}

/* REQUEST, then n lines or one line with n bytes of value. */
static enum request_result feed_long(const char *name, size_t n)
{
	size_t size = strlen(REQUEST) + strlen(name) + n + 4;
	char *bytes = malloc(size);
	enum request_result result;
	size_t len, used;

	assert_non_null(bytes);
	len = (size_t)snprintf(bytes, size, "%s%s=", REQUEST, name);
	memset(bytes + len, 'a', n);
	len += n;
	memcpy(bytes + len, "\n\n", 2);
	result = feed_all(bytes, len + 2, &used);
	free(bytes);
	return result;
}

static void request_long_values(void **state)
{
	(void)state;
	assert_int_equal(feed_long("unknown", 60000), REQUEST_COMPLETE);
	assert_int_equal(feed_long("unknown", REQUEST_BYTES_MAX), REQUEST_MALFORMED);
	assert_int_equal(feed_long("recipient", 60000), REQUEST_COMPLETE);
	assert_int_equal(strlen(parser.request.recipient), REQUEST_ADDRESS_MAX - 1);
	assert_int_equal(feed_long("instance", REQUEST_WORD_MAX - 1), REQUEST_COMPLETE);
	assert_int_equal(feed_long("instance", REQUEST_WORD_MAX), REQUEST_MALFORMED);
}

static void request_exact_size_limit(void **state)
{
	size_t overhead = strlen(REQUEST) + strlen("x=") + 2;

	(void)state;
	assert_int_equal(feed_long("x", REQUEST_BYTES_MAX - overhead), REQUEST_COMPLETE);
	assert_int_equal(feed_long("x", REQUEST_BYTES_MAX - overhead + 1), REQUEST_MALFORMED);
}

static enum request_result feed_attributes(int n)
{
	char bytes[4096] = REQUEST;
	size_t len = strlen(bytes), used;

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(bytes + len, sizeof bytes - len, "x%d=\n", i);
	bytes[len++] = '\n';
	return feed_all(bytes, len, &used);
}

static void request_number_of_attributes_is_limited(void **state)
{
	(void)state;
	assert_int_equal(feed_attributes(REQUEST_ATTRIBUTES_MAX - 1), REQUEST_COMPLETE);
	assert_int_equal(feed_attributes(REQUEST_ATTRIBUTES_MAX), REQUEST_MALFORMED);
}

static void request_long_name_is_malformed(void **state)
{
	char name[REQUEST_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof name);
	name[REQUEST_NAME_MAX] = '\0';
	assert_int_equal(feed_long(name, 1), REQUEST_COMPLETE);
	name[REQUEST_NAME_MAX] = 'n';
	name[REQUEST_NAME_MAX + 1] = '\0';
	assert_int_equal(feed_long(name, 1), REQUEST_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_whole_is_complete),
		cmocka_unit_test(request_in_pieces_is_the_same),
		cmocka_unit_test(request_followed_by_another_stops_between),
		cmocka_unit_test(request_cut_short_wants_more_at_every_place),
		cmocka_unit_test(request_reset_forgets_everything),
		cmocka_unit_test(request_control_octets_of_a_client_are_kept),
		cmocka_unit_test(request_malformed_is_told),
		cmocka_unit_test(request_long_values),
		cmocka_unit_test(request_exact_size_limit),
		cmocka_unit_test(request_number_of_attributes_is_limited),
		cmocka_unit_test(request_long_name_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
