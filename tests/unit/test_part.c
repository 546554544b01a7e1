/* SPDX-License-Identifier: ISC */
#include "scan/part.h"

#include "tests/unit/unit.h"

#define SIGNATURE                                                                          \
	"-----BEGIN PGP SIGNATURE-----\n\nwhQEAQIDBAUGBwgJCgsMDQ4PEBESEw==\n-----END PGP " \
	"SIGNATURE-----\n"

static struct leaf leaf;
static struct armor_channel channel;

static struct part read_part(const char *type, const char *text)
{
	leaf_begin(&leaf, leaf_type_of(type), false, &channel);
	leaf_feed(&leaf, (const unsigned char *)text, strlen(text));
	leaf_finish(&leaf);
	return part_of_leaf(&leaf, type);
}

static void part_class_is_what_a_reader_sees(void **state)
{
	static const struct {
		const char *label, *type, *text;
		enum part_class class;
	} rows[] = {
		{"empty", "text/plain", "", PART_EMPTY},
		{"blank", "text/plain", " \n\t", PART_EMPTY},
		{"text", "text/plain", "hello", PART_READABLE},
		{"Bridge's placeholder", "text/plain", "Empty Message\n", PART_EMPTY},
		{"Bridge's placeholder elsewhere", "application/octet-stream", "Empty Message",
		 PART_READABLE},
		{"separator", "text/plain", "--\n", PART_EMPTY},
		{"empty HTML", "text/html", "\n", PART_EMPTY},
		{"HTML that shows nothing", "text/html", "<p>", PART_EMPTY},
		{"HTML", "text/html", "<p>x", PART_READABLE},
		{"message without body", "message/rfc822", "", PART_READABLE},
		{"control", "application/pgp-encrypted", "Version: 1\r\n", PART_CONTROL},
		{"control, another version", "application/pgp-encrypted", "Version: 2",
		 PART_READABLE},
		{"signature", "application/pgp-signature", SIGNATURE, PART_SIGNATURE},
		{"signature elsewhere", "text/plain", SIGNATURE, PART_READABLE},
		{"faulty", "text/plain", "-----BEGIN PGP MESSAGE-----\n\n!\n", PART_FAULTY},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(rows[i].label,
			  read_part(rows[i].type, rows[i].text).class == rows[i].class);
}

static void part_tells_what_multiparts_ask_for(void **state)
{
	(void)state;
	assert_true(read_part("message/rfc822", "x").is_embedded);
	assert_false(read_part("message/partial", "x").is_embedded);
	assert_int_equal(read_part("text/plain", "Secure-Join: vc-request\n").securejoin,
			 SECUREJOIN_CONTACT);
	assert_int_equal(read_part("text/plain", "Secure-Join: vg-request").securejoin,
			 SECUREJOIN_GROUP);
	assert_int_equal(read_part("text/plain", "Secure-Join: vg-request now").securejoin,
			 SECUREJOIN_NONE);
	assert_int_equal(read_part("text/html", "Secure-Join: vg-request").securejoin,
			 SECUREJOIN_NONE);
	assert_true(read_part("message/delivery-status",
			      "Final-Recipient: rfc822; a\nAction: failed\n"
			      "Status: 5.0.0\n")
			    .is_report_fields);
	assert_false(read_part("message/delivery-status", "words\n").is_report_fields);
}

static void part_describe_names_the_fault_first(void **state)
{
	char out[DETAIL_MAX + REASON_MAX + 4];
	struct part p = read_part("text/plain", "-----BEGIN PGP MESSAGE-----\n\n!\n");

	(void)state;
	assert_string_equal(part_describe(&leaf, p.class, out, sizeof(out)),
			    "bad-armor: armor: a line that is not base64");
	p = read_part("text/plain", "one two");
	assert_string_equal(part_describe(&leaf, p.class, out, sizeof(out)), "readable: 6 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(part_class_is_what_a_reader_sees),
		cmocka_unit_test(part_tells_what_multiparts_ask_for),
		cmocka_unit_test(part_describe_names_the_fault_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
