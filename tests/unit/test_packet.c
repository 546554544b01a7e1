/* SPDX-License-Identifier: ISC */
#include "scan/packet.h"

#include "tests/unit/octets.h"
#include "tests/unit/unit.h"

#define ID "0123456789abcdef"
#define PKESK                                                                              \
	"c1 0d 03" ID "01 0008 9f " /* version 3, RSA of 8 bits: it is framing that counts \
				     */
#define PKESK_OLD "84 0d 03" ID "01 0008 9f "
#define PKESK_6 "c1 2c 06 00 19 *32 08 *8 "
#define SKESK_4 "c3 0d 04 09 03 08 *8 60 "
#define SKESK_6 "c3 4f 06 1d 09 02 0b 03 08 *8 60 *15 *32 *16 " /* 5 + 11 + 15 + 32 + 16 */
#define SKESK_5 "c3 4d 05 09 02 03 08 *8 60 *15 *32 *16 "
#define SEIPD "d2 64 01 *99 "
#define SEIPD_2 "d2 64 02 09 02 06 *96 "
#define OCB "d4 64 01 09 02 10 *96 "
#define SED "c9 64 *100 "
#define MARKER "ca 03 50 47 50 "

struct row {
	const char *label, *octets, *reason;
};

static const struct row messages[] = {
	{"one key", PKESK SEIPD, ""},
	{"old format", PKESK_OLD "d2 64 01 *99", ""},
	{"old format, two octets of length", PKESK "c9 64 *100", ""},
	{"three keys", PKESK PKESK SKESK_4 SEIPD, ""},
	{"password only", SKESK_4 SEIPD, ""},
	{"marker first", MARKER PKESK SEIPD, ""},
	{"four markers", MARKER MARKER MARKER MARKER PKESK SEIPD, ""},
	{"five markers", MARKER MARKER MARKER MARKER MARKER PKESK SEIPD, "unexpected-packet"},
	{"marker between", PKESK MARKER SEIPD, "unexpected-packet"},
	{"wrong marker", "ca 03 50 47 51" PKESK SEIPD, "bad-packet"},
	{"long marker", "ca 04 50 47 50 50" PKESK SEIPD, "bad-packet"},
	{"version 2", PKESK_6 SEIPD_2, ""},
	{"version 2 after version 3", PKESK SEIPD_2, ""},
	{"version 2 after password 6", SKESK_6 SEIPD_2, ""},
	{"version 2 after password 4", SKESK_4 SEIPD_2, "bad-packet"},
	{"version 1 after version 6", PKESK_6 SEIPD, "bad-packet"},
	{"version 1 after password 6", SKESK_6 SEIPD, "bad-packet"},
	{"version 1 after password 5", SKESK_5 SEIPD, "bad-packet"},
	{"version 1 after version 3 and password 6", PKESK SKESK_6 SEIPD, ""},
	{"version 1 after version 3 and password 5", PKESK SKESK_5 SEIPD, ""},
	{"version 1 after version 6 and version 3", PKESK_6 PKESK SEIPD, ""},
	{"version 1 after version 6 and password 4", PKESK_6 SKESK_4 SEIPD, ""},
	{"version 1 after an unknown version", "c1 14 17 *19" SEIPD, "no-session-key"},
	{"version 1 after an unknown version and version 3", "c1 14 17 *19" PKESK SEIPD, ""},
	{"a marker after an unknown version", "c1 14 17 *19 ca 03 50 47 50" PKESK SEIPD,
	 "unexpected-packet"},
	{"packet 20", PKESK OCB, ""},
	{"packet 20 after password 5", SKESK_5 OCB, ""},
	{"packet 20 after version 6", PKESK_6 OCB, "bad-packet"},
	{"packet 9", PKESK SED, ""},
	{"packet 9 after version 6", PKESK_6 SED, "bad-packet"},
	{"no session key", SEIPD, "no-session-key"},
	{"literal", "cb 07 62 00 00000000 41", "not-encrypted"},
	{"compressed", "c8 05 01 *4", "not-encrypted"},
	{"compressed, indeterminate", "a3 01 *40", "not-encrypted"},
	{"signature", "c2 05 *5", "not-encrypted"},
	{"one-pass signature", "c4 05 *5", "not-encrypted"},
	{"literal after keys", PKESK "cb 07 62 00 00000000 41", "not-encrypted"},
	{"public key", "c6 05 *5", "unexpected-packet"},
	{"private tag", "fc 05 *5", "unexpected-packet"},
	{"padding after", PKESK SEIPD "d5 05 *5", "unexpected-packet"},
	{"second container", PKESK SEIPD SEIPD, "unexpected-packet"},
	{"second message", PKESK SEIPD PKESK SEIPD, "unexpected-packet"},
	{"tag 0", "c0 05 *5", "bad-packet"},
	{"text", "48656c6c6f", "bad-packet"},
	{"text after", PKESK SEIPD "48656c6c6f", "trailing-data"},
	{"line end after", PKESK SEIPD "0d0a", "trailing-data"},
	{"nothing", "", "truncated"},
	{"keys only", PKESK, "truncated"},
	{"cut key", "c1 0d 03 0123", "truncated"},
	{"cut container", PKESK "d2 64 01 *98", "truncated"},
	{"cut length", PKESK "d2 c1", "truncated"},
	{"indeterminate container", PKESK "cb", "truncated"},
	{"indeterminate session key", "87 0d 03" ID "01 0008 9f", "bad-packet"},
	{"partial key", "c1 e0 03", "bad-packet"},
	{"partial container", PKESK "d2 e6 01 *63 24 *36", ""},
	{"partial container, tiny chunks", PKESK "d2 e0 01 e0 ff e1 0101 e6 *64 05 *5", ""},
	{"partial container, empty end", PKESK "d2 e6 01 *63 00", ""},
	{"partial container without end", PKESK "d2 e6 01 *63", "truncated"},
	{"partial container, data after", PKESK "d2 e6 01 *63 00 41", "trailing-data"},
	{"five octets of length", PKESK "d2 ff 00000064 01 *99", ""},
	{"two octets of length", PKESK "d2 c0 08 01 *199", ""},
	{"oversized length", PKESK "d2 ff ffffffff 01 *99", "truncated"},
	{"oversized key", "c1 ff 00010001 03", "bad-packet"},
	{"container of 40 octets", PKESK "d2 28 01 *39", "empty-ciphertext"},
	{"container of 41 octets", PKESK "d2 29 01 *40", ""},
	{"empty container", PKESK "d2 00", "empty-ciphertext"},
	{"version 2 of 51 octets", PKESK_6 "d2 33 02 09 02 06 *47", "empty-ciphertext"},
	{"version 2 of 52 octets", PKESK_6 "d2 34 02 09 02 06 *48", ""},
	{"packet 20 without a tag", PKESK "d4 22 01 09 02 10 *30", "empty-ciphertext"},
	{"version 3 of packet 18", PKESK "d2 64 03 *99", "bad-packet"},
	{"cipher 0", PKESK_6 "d2 64 02 00 02 06 *96", "bad-packet"},
	{"cipher 5, reserved", PKESK_6 "d2 64 02 05 02 06 *96", "bad-packet"},
	{"AEAD 4", PKESK_6 "d2 64 02 09 04 06 *96", "bad-packet"},
	{"chunk 17", PKESK_6 "d2 64 02 09 02 11 *96", "bad-packet"},
	{"packet 20, version 2", PKESK "d4 64 02 09 02 10 *96", "bad-packet"},
	{"packet 20, chunk 57", PKESK "d4 64 01 09 02 39 *96", "bad-packet"},
	{"ciphertext that is text",
	 PKESK "d2 43 01 4141414142424242434343434444444441414141424242424343434344444444"
	       "4141414142424242434343434444444441414141424242424343434344444444 4546",
	 "ascii-ciphertext"},
};

static const struct row signatures[] = {
	{"one", "c2 14 04 *19", ""},
	{"two", "c2 14 04 *19 88 14 06 *19", ""},
	{"a message", PKESK SEIPD, "unexpected-packet"},
	{"a literal between", "c2 14 04 *19 cb 07 62 00 00000000 41", "unexpected-packet"},
	{"version 2", "c2 14 02 *19", "bad-packet"},
	{"short", "c2 05 04 *4", "bad-packet"},
	{"nothing", "", "truncated"},
	{"partial", "c2 e4 04 *15", "bad-packet"},
};

static void check_row(const struct row *row, enum packet_grammar grammar, size_t step)
{
	unsigned char octets[4096];
	size_t len = octets_build(row->octets, octets);
	struct packet_walk w;

	packet_init(&w, grammar);
	for (size_t at = 0; at < len; at += step)
		packet_feed(&w, octets + at, len - at < step ? len - at : step);
	packet_finish(&w);
	CHECK_ROW_TEXT(row->label, w.fault.reason, row->reason);
}

static void packet_grammar_holds_for_any_chunking(void **state)
{
	(void)state;
	for (size_t step = 1; step <= 4096; step = step * 3 + 1) {
		for (size_t i = 0; i < ROWS(messages); i++)
			check_row(&messages[i], PACKETS_OF_MESSAGE, step);
		for (size_t i = 0; i < ROWS(signatures); i++)
			check_row(&signatures[i], PACKETS_OF_SIGNATURES, step);
	}
}

static void packet_key_ids_are_those_that_go_with_the_container(void **state)
{
	unsigned char octets[512];
	size_t len = octets_build(PKESK_6 PKESK PKESK_6 SKESK_6 SEIPD, octets);
	struct packet_walk w;

	(void)state;
	packet_init(&w, PACKETS_OF_MESSAGE);
	packet_feed(&w, octets, len);
	packet_finish(&w);
	assert_string_equal(w.fault.reason, "");
	assert_int_equal(w.n_public_keys, 1);
	assert_int_equal(w.n_key_ids, 1);
	assert_int_equal(w.key_ids[0], 0x0123456789abcdef);
}

static void packet_key_ids_are_counted_and_the_first_are_kept(void **state)
{
	unsigned char octets[64];
	size_t len = octets_build(PKESK, octets);
	struct packet_walk w;

	(void)state;
	packet_init(&w, PACKETS_OF_MESSAGE);
	for (int i = 0; i < KEY_IDS_MAX + 5; i++) {
		octets[3] = (unsigned char)i;
		packet_feed(&w, octets, len);
	}
	assert_int_equal(w.n_public_keys, KEY_IDS_MAX + 5);
	assert_int_equal(w.n_key_ids, KEY_IDS_MAX);
	assert_int_equal(w.key_ids[2] >> 56, 2);
	len = octets_build(SKESK_4, octets);
	packet_feed(&w, octets, len);
	assert_int_equal(w.n_session_keys, KEY_IDS_MAX + 6);
	assert_int_equal(w.n_public_keys, KEY_IDS_MAX + 5);
}

static void packet_skip_does_what_feeding_does(void **state)
{
	static unsigned char octets[70000];
	size_t len = octets_build(PKESK "d2 ff 00011000 01 *69631", octets);
	struct packet_walk w;
	size_t at = 0;

	(void)state;
	packet_init(&w, PACKETS_OF_MESSAGE);
	while (at < len) {
		uint64_t n = packet_opaque(&w);

		if (n > 1000)
			n = 1000;
		if (n > 0)
			packet_skip(&w, n);
		else
			packet_feed(&w, octets + at, n = 1);
		at += n;
	}
	packet_finish(&w);
	assert_string_equal(w.fault.reason, "");
	assert_true(w.has_container);
}

static void remember(void *context, const struct packet_seen *seen)
{
	struct packet_seen **next = context;

	*(*next)++ = *seen;
}

static void packet_observer_hears_of_each_packet_once(void **state)
{
	unsigned char octets[512];
	size_t len = octets_build(MARKER PKESK_OLD "d2 e6 01 *63 24 *36", octets);
	struct packet_seen seen[8], *next = seen;
	struct packet_walk w;

	(void)state;
	packet_init(&w, PACKETS_OF_MESSAGE);
	w.observer = remember;
	w.observer_context = &next;
	for (size_t i = 0; i < len; i++)
		packet_feed(&w, octets + i, 1);
	assert_int_equal(next - seen, 3);
	assert_int_equal(seen[0].tag, 10);
	assert_int_equal(seen[1].tag, 1);
	assert_false(seen[1].is_new_format);
	assert_int_equal(seen[1].offset, 5);
	assert_int_equal(seen[1].body_octets, 13);
	assert_int_equal(seen[2].tag, 18);
	assert_true(seen[2].is_partial);
	assert_int_equal(seen[2].body_octets, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_grammar_holds_for_any_chunking),
		cmocka_unit_test(packet_key_ids_are_those_that_go_with_the_container),
		cmocka_unit_test(packet_key_ids_are_counted_and_the_first_are_kept),
		cmocka_unit_test(packet_skip_does_what_feeding_does),
		cmocka_unit_test(packet_observer_hears_of_each_packet_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
