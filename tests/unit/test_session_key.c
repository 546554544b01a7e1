/* SPDX-License-Identifier: ISC */
#include "scan/session_key.h"

#include "tests/unit/octets.h"
#include "tests/unit/unit.h"

/* Bodies as octets.h has them. */
struct row {
	const char *label;
	unsigned tag;
	const char *body;
	bool is_good;
	unsigned version;
	uint64_t key_id;
};

#define ID "0123456789abcdef"
#define ID_VALUE 0x0123456789abcdefu
#define V4_PRINT "*12 " ID " "
#define V6_PRINT ID "*24 "

static const struct row rows[] = {
	{"RSA", 1, "03" ID "01 0800 *256", true, 3, ID_VALUE},
	{"RSA, hidden recipient", 1, "03 0000000000000000 01 0800 *256", true, 3, 0},
	{"RSA, shorter integer", 1, "03" ID "01 07f9 *256", true, 3, ID_VALUE},
	{"RSA, an octet too many", 1, "03" ID "01 0800 *257", false, 0, 0},
	{"RSA, an octet too few", 1, "03" ID "01 0800 *255", false, 0, 0},
	{"RSA, no integer", 1, "03" ID "01", false, 0, 0},
	{"RSA, empty integer", 1, "03" ID "01 0000", false, 0, 0},
	{"Elgamal", 1, "03" ID "10 0400 *128 0400 *128", true, 3, ID_VALUE},
	{"Elgamal, one integer", 1, "03" ID "10 0400 *128", false, 0, 0},
	{"ECDH", 1, "03" ID "12 0107 *33 30 *48", true, 3, ID_VALUE},
	{"ECDH, empty key", 1, "03" ID "12 0107 *33 00", false, 0, 0},
	{"ECDH, key too long", 1, "03" ID "12 0107 *33 30 *49", false, 0, 0},
	{"X25519", 1, "03" ID "19 *32 29 *41", true, 3, ID_VALUE},
	{"X448", 1, "03" ID "1a *56 29 *41", true, 3, ID_VALUE},
	{"unknown algorithm, noise", 1, "03" ID "63 *1200", true, 3, ID_VALUE},
	{"version 2", 1, "02" ID "01 0800 *256", true, 2, 0},
	{"version 23", 3, "17 *70", true, 23, 0},
	{"no version", 1, "", false, 0, 0},
	{"no version", 3, "", false, 0, 0},
	{"cut within the key id", 1, "03 0123", false, 0, 0},
	{"empty", 1, "", false, 0, 0},
	{"version 6, v4 key", 1, "06 15 04" V4_PRINT "19 *32 28 *40", true, 6, ID_VALUE},
	{"version 6, v6 key", 1, "06 21 06" V6_PRINT "19 *32 28 *40", true, 6, ID_VALUE},
	{"version 6, hidden", 1, "06 00 19 *32 28 *40", true, 6, 0},
	{"version 6, odd length", 1, "06 14 04 *19 19 *32 28 *40", false, 0, 0},
	{"version 6, v6 with a v4 print", 1, "06 15 06" V4_PRINT "19 *32 28 *40", false, 0, 0},

	{"SKESK 4, iterated", 3, "04 09 03 08 *8 60", true, 4, 0},
	{"SKESK 4, with a key", 3, "04 09 03 08 *8 60 *33", true, 4, 0},
	{"SKESK 4, odd key", 3, "04 09 03 08 *8 60 *32", false, 0, 0},
	{"SKESK 4, simple", 3, "04 09 00 08", true, 4, 0},
	{"SKESK 4, salted", 3, "04 09 01 08 *8", true, 4, 0},
	{"SKESK 4, Argon2", 3, "04 09 04 *16 01 04 15", true, 4, 0},
	{"SKESK 4, cipher 0", 3, "04 00 03 08 *8 60", false, 0, 0},
	{"SKESK 4, reserved string-to-key", 3, "04 09 02 08 *8 60", false, 0, 0},
	{"SKESK 4, cut", 3, "04 09 03 08 *7", false, 0, 0},
	{"SKESK 4, empty", 3, "", false, 0, 0},
	{"SKESK 5, OCB", 3, "05 09 02 03 08 *8 60 *15 *32 *16", true, 5, 0},
	{"SKESK 5, EAX", 3, "05 09 01 03 08 *8 60 *16 *16 *16", true, 5, 0},
	{"SKESK 5, short", 3, "05 09 02 03 08 *8 60 *15 *31 *16", false, 0, 0},
	{"SKESK 5, cipher 0", 3, "05 00 02 03 08 *8 60 *15 *32 *16", false, 0, 0},
	{"SKESK 6, OCB", 3, "06 1d 09 02 0b 03 08 *8 60 *15 *32 *16", true, 6, 0},
	{"SKESK 6, Argon2 and GCM", 3, "06 23 09 03 14 04 *16 01 04 15 *12 *32 *16", true, 6, 0},
	{"SKESK 6, wrong count", 3, "06 1e 09 02 0b 03 08 *8 60 *15 *32 *16", false, 0, 0},
	{"SKESK 6, wrong string-to-key count", 3, "06 1d 09 02 0c 03 08 *8 60 *15 *32 *16", false,
	 0, 0},
	{"SKESK 6, cipher 0", 3, "06 1d 00 02 0b 03 08 *8 60 *15 *32 *16", false, 0, 0},
	{"SKESK 7", 3, "07 09 03 08 *8 60", true, 7, 0},
	{"version 6, v6 print of a v4 key", 1, "06 21 04" V6_PRINT "19 *32 28 *40", false, 0, 0},
	{"SKESK 4, IDEA", 3, "04 01 00 08", true, 4, 0},
	{"SKESK 4, Camellia", 3, "04 0d 00 08 *17", true, 4, 0},
	{"SKESK 4, AES-192 key", 3, "04 08 00 08 *25", true, 4, 0},
	{"SKESK 4, reserved cipher", 3, "04 05 00 08", true, 4, 0},
	{"SKESK 4, unknown cipher", 3, "04 0e 00 08", true, 4, 0},
	{"SKESK 4, two octets", 3, "04 09", false, 0, 0},
	{"SKESK 5, three octets", 3, "05 09 02", false, 0, 0},
	{"SKESK 5, GCM", 3, "05 09 03 03 08 *8 60 *12 *24 *16", true, 5, 0},
	{"SKESK 5, unknown AEAD", 3, "05 09 04 03 08 *8 60 *40", true, 5, 0},
	{"SKESK 5, unknown cipher", 3, "05 63 02 03 08 *8 60 *40", true, 5, 0},
	{"SKESK 5, reserved string-to-key", 3, "05 09 02 02 08 *8 60 *15 *32 *16", false, 0, 0},
	{"SKESK 5, cut", 3, "05 09 02 03 08 *8 60 *15", false, 0, 0},
	{"SKESK 6, five octets", 3, "06 1d 09 02 0b", false, 0, 0},
	{"SKESK 6, unknown AEAD", 3, "06 1d 09 09 0b 03 08 *8 60 *15 *32 *16", true, 6, 0},
	{"SKESK 6, unknown cipher", 3, "06 1d 63 02 0b 03 08 *8 60 *15 *32 *16", true, 6, 0},
	{"SKESK 6, reserved string-to-key", 3, "06 1d 09 02 0b 02 08 *8 60 *15 *32 *16", false, 0,
	 0},
	{"SKESK 6, cut", 3, "06 1d 09 02 0b 03 08 *8 60 *15", false, 0, 0},
	{"SKESK too long", 3, "04 09 03 08 *8 60 *200", false, 0, 0},
};

static void check_row(const struct row *row, size_t step)
{
	unsigned char body[4096];
	size_t len = octets_build(row->body, body);
	struct session_key k;
	struct ciphertext fields, keys;
	const char *wrong;

	ciphertext_reset(&fields);
	ciphertext_reset(&keys);
	session_key_begin(&k, row->tag);
	for (size_t at = 0; at < len; at += step)
		session_key_feed(&k, body + at, len - at < step ? len - at : step, &fields, &keys);
	wrong = session_key_finish(&k);
	CHECK_ROW(row->label, (wrong == NULL) == row->is_good);
	if (!wrong) {
		CHECK_ROW(row->label, k.version == row->version);
		CHECK_ROW(row->label, k.key_id == row->key_id);
	}
}

static void session_key_fields_must_fill_the_packet(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row(&rows[i], 1);
		check_row(&rows[i], 7);
		check_row(&rows[i], 4096);
	}
}

static void session_key_of_unknown_algorithm_must_not_be_text(void **state)
{
	static const unsigned char head[10] = {3, 1, 2, 3, 4, 5, 6, 7, 8, 99};
	struct session_key k;
	struct ciphertext fields, ids;

	(void)state;
	ciphertext_reset(&fields);
	ciphertext_reset(&ids);
	session_key_begin(&k, 1);
	session_key_feed(&k, head, sizeof(head), &fields, &ids);
	for (int i = 0; i < 10; i++)
		session_key_feed(&k, (const unsigned char *)"meet me at the bridge", 21, &fields,
				 &ids);
	assert_non_null(session_key_finish(&k));
}

/* Of each key what frames it is the same: only what is within its fields is sampled with others'.
 */
static void session_key_gives_its_fields_to_be_sampled(void **state)
{
	static const struct {
		const char *label;
		unsigned tag;
		const char *body;
		unsigned n, n_ids;
	} keys[] = {
		{"RSA, hidden", 1, "03 00 00 00 00 00 00 00 00 01 08 00 80 *255", 256, 0},
		{"Curve25519", 1, "03 *8 12 01 07 40 *32 30 *48", 33 + 48, 8},
		{"X25519", 1, "03 *8 19 *32 29 09 *40", 32 + 41, 8},
		{"version 6, v4 key", 1, "06 15 04 *20 19 *32 28 *40", 32 + 40, 20},
		{"version 6, v6 key", 1, "06 21 06 *32 19 *32 28 *40", 32 + 40, 32},
		{"version 6, hidden", 1, "06 00 19 *32 28 *40", 32 + 40, 0},
		{"unknown algorithm, behind the key id", 1, "03 *8 63 *50", 50, 8},
		{"unknown version, behind it", 1, "17 *50", 50, 0},
		{"password, whole", 3, "04 09 03 08 *8 60", 13, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(keys); i++) {
		for (size_t step = 1; step < 500; step += 16) {
			unsigned char body[4096];
			size_t len = octets_build(keys[i].body, body);
			struct ciphertext sample, ids;
			struct session_key k;

			ciphertext_reset(&sample);
			ciphertext_reset(&ids);
			session_key_begin(&k, keys[i].tag);
			for (size_t at = 0; at < len; at += step)
				session_key_feed(&k, body + at, len - at < step ? len - at : step,
						 &sample, &ids);
			CHECK_ROW(keys[i].label, session_key_finish(&k) == NULL);
			CHECK_ROW(keys[i].label, sample.n == keys[i].n);
			CHECK_ROW(keys[i].label, ids.n == keys[i].n_ids);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_key_fields_must_fill_the_packet),
		cmocka_unit_test(session_key_of_unknown_algorithm_must_not_be_text),
		cmocka_unit_test(session_key_gives_its_fields_to_be_sampled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
