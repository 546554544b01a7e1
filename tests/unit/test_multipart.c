/* SPDX-License-Identifier: ISC */
#include "scan/multipart.h"

#include "tests/unit/unit.h"

static void multipart_kind_knows_six(void **state)
{
	static const struct {
		const char *type;
		enum multipart kind;
	} rows[] = {
		{"multipart/encrypted", MULTIPART_ENCRYPTED},
		{"multipart/signed", MULTIPART_SIGNED},
		{"multipart/report", MULTIPART_REPORT},
		{"multipart/digest", MULTIPART_DIGEST},
		{"multipart/mixed", MULTIPART_MIXED},
		{"multipart/alternative", MULTIPART_OTHER},
		{"multipart/encrypted2", MULTIPART_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(rows[i].type, multipart_kind(rows[i].type) == rows[i].kind);
}

static const struct level pgp_mime = {
	.kind = MULTIPART_ENCRYPTED,
	.has_protocol = true,
	.has_begun = true,
	.is_closed = true,
	.n_parts = 2,
	.part = {{.type = LEAF_PGP_CONTROL, .class = PART_CONTROL},
		 {.type = LEAF_OTHER, .class = PART_CIPHERTEXT, .n_armored = 1}},
};

/* One thing of RFC 3156 section 4 is wrong in each row. */
static void multipart_is_pgp_mime_only_as_the_rfc_has_it(void **state)
{
	struct level l = pgp_mime;

	(void)state;
	assert_true(multipart_is_pgp_mime(&l));
	l.part[0].class = PART_EMPTY;
	assert_true(multipart_is_pgp_mime(&l));
#define WRONG(change)                                           \
	do {                                                    \
		l = pgp_mime;                                   \
		change;                                         \
		CHECK_ROW(#change, !multipart_is_pgp_mime(&l)); \
	} while (0)
	WRONG(l.kind = MULTIPART_MIXED);
	WRONG(l.has_protocol = false);
	WRONG(l.is_closed = false);
	WRONG(l.n_parts = 1);
	WRONG(l.n_parts = 3);
	WRONG(l.part[0].type = LEAF_OTHER);
	WRONG(l.part[0].class = PART_READABLE);
	WRONG(l.part[0].is_multipart = true);
	WRONG(l.part[1].class = PART_READABLE);
	WRONG(l.part[1].is_multipart = true);
	WRONG(l.part[1].n_armored = 0);
	WRONG(l.part[1].n_armored = 2);
}

static void multipart_is_signed_only_as_the_rfc_has_it(void **state)
{
	static const struct level signed_mail = {
		.kind = MULTIPART_SIGNED,
		.has_protocol = true,
		.is_closed = true,
		.n_parts = 2,
		.part = {{.class = PART_READABLE},
			 {.type = LEAF_PGP_SIGNATURE, .class = PART_SIGNATURE}},
	};
	struct level l = signed_mail;

	(void)state;
	assert_true(multipart_is_pgp_signed(&l));
#undef WRONG
#define WRONG(change)                                             \
	do {                                                      \
		l = signed_mail;                                  \
		change;                                           \
		CHECK_ROW(#change, !multipart_is_pgp_signed(&l)); \
	} while (0)
	WRONG(l.kind = MULTIPART_MIXED);
	WRONG(l.has_protocol = false);
	WRONG(l.is_closed = false);
	WRONG(l.n_parts = 3);
	WRONG(l.part[1].type = LEAF_OTHER);
	WRONG(l.part[1].class = PART_READABLE);
}

static void multipart_cms_signature_stands_beside_ciphertext_only(void **state)
{
	struct level l = {
		.kind = MULTIPART_SIGNED,
		.n_parts = 2,
		.part = {{.class = PART_CIPHERTEXT}, {.class = PART_CMS_SIGNATURE}},
	};

	(void)state;
	assert_true(multipart_is_cms_signed_ciphertext(&l));
	l.part[0].class = PART_READABLE;
	assert_false(multipart_is_cms_signed_ciphertext(&l));
	l.part[0].class = PART_CIPHERTEXT;
	l.kind = MULTIPART_MIXED;
	assert_false(multipart_is_cms_signed_ciphertext(&l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multipart_kind_knows_six),
		cmocka_unit_test(multipart_is_pgp_mime_only_as_the_rfc_has_it),
		cmocka_unit_test(multipart_is_signed_only_as_the_rfc_has_it),
		cmocka_unit_test(multipart_cms_signature_stands_beside_ciphertext_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
