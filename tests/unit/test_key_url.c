/* SPDX-License-Identifier: ISC */
#include "common/key_url.h"

#include "tests/unit/unit.h"

/* From the encoding's own paper ("human-oriented base-32 encoding") and RFC 6189 section 5.1.6's
 * use of it. */
static void zbase32_is_as_published(void **state)
{
	static const struct {
		const char *label;
		unsigned char octets[8];
		size_t n;
		const char *text;
	} rows[] = {
		{"nothing", {0}, 0, ""},
		{"zero", {0}, 1, "yy"},
		{"24 bits", {0xf0, 0xbf, 0xc7}, 3, "6n9hq"},
		{"24 other bits", {0xd4, 0x7a, 0x04}, 3, "4t7ye"},
		{"40 bits", {0xff, 0xff, 0xff, 0xff, 0xff}, 5, "99999999"},
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW_TEXT(rows[i].label, zbase32(rows[i].octets, rows[i].n, out),
			       rows[i].text);
}

/* draft-koch-openpgp-webkey-service section 3.1 gives this hash for Joe.Doe. */
static void wkd_hash_is_that_of_the_draft(void **state)
{
	char hash[WKD_HASH_MAX];

	(void)state;
	assert_string_equal(wkd_hash("Joe.Doe", 7, hash), "iy9q119eutrkn8s1mk4r39qejnbu3n5q");
	assert_string_equal(wkd_hash("joe.doe", 7, hash), "iy9q119eutrkn8s1mk4r39qejnbu3n5q");
}

static void key_url_is_filled_in(void **state)
{
	static const struct {
		const char *label, *setting, *address, *fingerprint, *url;
	} rows[] = {
		{"none", "key_url=", "a@b.test", "", ""},
		{"wkd", "key_url=wkd", "joe.doe@example.org", "",
		 "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/"
		 "iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=joe.doe"},
		{"wkd of an extension", "key_url=wkd", "joe.doe+lists@example.org", "",
		 "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/"
		 "iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=joe.doe"},
		{"octets are escaped", "key_url=https://h.test/%d?%l", "a&b c@example.org", "",
		 "https://h.test/example.org?a%26b%20c"},
		{"each word", "key_url=https://h.test/%h/%f/%r", "joe.doe@example.org", "0123ABCD",
		 "https://h.test/iy9q119eutrkn8s1mk4r39qejnbu3n5q/0123ABCD/joe.doe@example.org"},
		{"no fingerprint", "key_url=https://h.test/%f", "a@b.test", "", ""},
		{"no domain", "key_url=wkd", "alice", "", ""},
		{"a domain that is an address", "key_url=wkd", "alice@[192.0.2.1]", "", ""},
	};
	char err[300], out[400];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct settings *s = settings_load("/nonexistent/x", true, &rows[i].setting, 1, err,
						   sizeof err);

		CHECK_ROW(rows[i].label, s != NULL);
		CHECK_ROW_TEXT(rows[i].label,
			       key_url_of(s, rows[i].address, rows[i].fingerprint, out, sizeof out),
			       rows[i].url);
		/* What does not fit whole is none. */
		CHECK_ROW_TEXT(rows[i].label,
			       key_url_of(s, rows[i].address, rows[i].fingerprint, out, 12), "");
		settings_unref(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zbase32_is_as_published),
		cmocka_unit_test(wkd_hash_is_that_of_the_draft),
		cmocka_unit_test(key_url_is_filled_in),
	};

	return cmocka_run_group_tests_name("key_url", tests, NULL, NULL);
}
