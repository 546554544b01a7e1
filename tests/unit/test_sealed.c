/* SPDX-License-Identifier: ISC
 *
 * Keys of recipients as they are kept: sealed and opened again, under the right key alone.
 */
#include <errno.h>

#include "tests/unit/db_fixture.h"
#include "tests/unit/unit.h"

#include "db/engine/sealed.h"

#define V4 "0123456789ABCDEF0123456789ABCDEF01234567"
#define V6 "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

static const struct hashed off = {.has_key = true, .key = {1}}, on = {true, true, {1}},
			   other = {true, true, {2}}, none = {.is_on = false};

static void a_fingerprint_comes_back_under_its_key_alone(void **state)
{
	static const char *const fingerprints[] = {V4, V6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char kept[SEALED_TEXT_MAX], again[SEALED_TEXT_MAX], plain[FINGERPRINT_MAX];

		sealed_form(&on, fingerprints[i], kept);
		assert_true(sealed_is(kept));
		assert_null(strcasestr(kept, "89abcdef"));
		assert_string_equal(sealed_form(&on, fingerprints[i], again), kept);
		assert_string_not_equal(sealed_form(&other, fingerprints[i], again), kept);
		assert_int_equal(sealed_open(&off, kept, plain), 0);
		assert_string_equal(plain, fingerprints[i]);
		assert_int_equal(sealed_open(&other, kept, plain), -1);
		assert_int_equal(sealed_open(&none, kept, plain), -1);
		kept[10] ^= 1;
		assert_int_equal(sealed_open(&on, kept, plain), -1);
		assert_string_equal(sealed_form(&off, fingerprints[i], again), fingerprints[i]);
	}
}

static void what_is_no_fingerprint_stays_as_it_is(void **state)
{
	static const char *const texts[] = {"", "P1", "0123456789abcdef0123456789abcdef01234567"};
	static const char *const bad[] = {"s:", "s:0", "s:00", "s:zz", "s:" V6 V6 V6};
	char out[SEALED_TEXT_MAX], plain[FINGERPRINT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_string_equal(sealed_form(&on, texts[i], out), texts[i]);
		assert_int_equal(sealed_open(&on, texts[i], plain), 0);
		assert_string_equal(plain, texts[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(sealed_open(&on, bad[i], plain), -1);
}

static void packets_come_back(void **state)
{
	static const unsigned char packets[] = {0xc6, 0x01, 0x04, 0, 0xff};

	(void)state;
	for (size_t len = 0; len <= sizeof packets; len += sizeof packets) {
		size_t n = 0, back = 0;
		unsigned char *kept = sealed_packets(&on, packets, len, &n), *plain;

		assert_non_null(kept);
		assert_true(n >= len + 16);
		assert_null(memmem(kept, n, packets, sizeof packets));
		plain = sealed_packets_open(&off, kept, n, &back);
		assert_non_null(plain);
		assert_int_equal(back, len);
		assert_memory_equal(plain, packets, len);
		free(plain);
		assert_null(sealed_packets_open(&other, kept, n, &back));
		assert_int_equal(errno, EBADMSG); /* and no want of memory */
		assert_null(sealed_packets_open(&on, NULL, n,
						&back)); /* as of a column, for want of it */
		assert_int_equal(errno, ENOMEM);
		assert_null(sealed_packets_open(&on, kept, 5, &back));
		plain = sealed_packets_open(&on, packets, len, &back);
		assert_int_equal(back, len);
		free(plain);
		free(kept);
	}
}

static void a_line_of_the_history_hides_its_fingerprints_and_keeps_its_note(void **state)
{
	static const char line[] = "key a@example.org " V4 " state=active source=import "
				   "certificate=" V6 " note=compared " V4;
	char *kept, *same;

	(void)state;
	kept = sealed_line(&on, line);
	assert_non_null(strstr(kept, "key a@example.org s:"));
	assert_non_null(strstr(kept, " certificate=s:"));
	assert_non_null(strstr(kept, " note=compared " V4));
	assert_true(strstr(kept, V4) > strstr(kept, " note="));
	same = strdup(kept);
	sealed_line_open(&other, same);
	assert_string_equal(same, kept);
	sealed_line_open(&off, kept);
	assert_string_equal(kept, line);
	free(kept);
	free(same);
	kept = sealed_line(&off, line);
	assert_string_equal(kept, line);
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fingerprint_comes_back_under_its_key_alone),
		cmocka_unit_test(what_is_no_fingerprint_stays_as_it_is),
		cmocka_unit_test(packets_come_back),
		cmocka_unit_test(a_line_of_the_history_hides_its_fingerprints_and_keeps_its_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
