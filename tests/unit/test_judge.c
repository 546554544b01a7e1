/* SPDX-License-Identifier: ISC */
#include "scan/judge.h"

#include "tests/unit/unit.h"

#define FAULT                                              \
	{                                                  \
		.reason = "bad-armor", .detail = "body: x" \
	}
#define READABLE                                              \
	{                                                     \
		.reason = "text-outside", .detail = "body: y" \
	}

struct row {
	const char *label;
	struct scan_facts facts;
	struct acceptance accept;
	struct judge_envelope envelope;
	enum verdict verdict;
	enum form form;
	const char *reason;
};

static const struct row rows[] = {
	{"nothing", {0}, {0}, {0}, VERDICT_CLEARTEXT, FORM_NONE, "no-body"},
	{"text", {.cleartext_bytes = 5, .readable = READABLE}, {0}, {0}, VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp"},
	{"a fault without a claim",
	 {.cleartext_bytes = 5, .fault = FAULT},
	 {0},
	 {0},
	 VERDICT_CLEARTEXT,
	 FORM_NONE,
	 "no-openpgp"},
	{"a fault with a claim", {.has_claim = true, .fault = FAULT}, {0}, {0}, VERDICT_INVALID, FORM_NONE, "bad-armor"},
	{"a fault beside a message",
	 {.has_claim = true, .n_messages = 1, .fault = FAULT},
	 {0},
	 {0},
	 VERDICT_INVALID,
	 FORM_NONE,
	 "bad-armor"},
	{"a claim alone", {.has_claim = true}, {0}, {0}, VERDICT_INVALID, FORM_NONE, "bad-structure"},
	{"PGP/MIME",
	 {.has_claim = true, .n_messages = 1, .is_pgp_mime = true, .has_pgp_mime_parts = true},
	 {0},
	 {0},
	 VERDICT_ENCRYPTED,
	 FORM_PGP_MIME,
	 "ok"},
	{"mixed",
	 {.has_claim = true, .n_messages = 1, .has_pgp_mime_parts = true},
	 {0},
	 {0},
	 VERDICT_ENCRYPTED,
	 FORM_PGP_MIXED,
	 "ok"},
	{"inline", {.has_claim = true, .n_messages = 2}, {0}, {0}, VERDICT_ENCRYPTED, FORM_PGP_INLINE, "ok"},
	{"text beside",
	 {.has_claim = true, .n_messages = 1, .cleartext_bytes = 3, .readable = READABLE},
	 {0},
	 {0},
	 VERDICT_PARTIAL,
	 FORM_PGP_INLINE,
	 "text-outside"},
	{"password only",
	 {.has_claim = true, .n_messages = 1, .password_only = {.reason = "password-only"}},
	 {0},
	 {0},
	 VERDICT_INVALID,
	 FORM_NONE,
	 "password-only"},
	{"password only, accepted",
	 {.has_claim = true, .n_messages = 1, .password_only = {.reason = "password-only"}},
	 {.password_only = true},
	 {0},
	 VERDICT_ENCRYPTED,
	 FORM_PGP_INLINE,
	 "ok"},
	{"packet 9",
	 {.has_claim = true, .n_messages = 1, .legacy = {.reason = "legacy-encryption"}},
	 {0},
	 {0},
	 VERDICT_INVALID,
	 FORM_NONE,
	 "legacy-encryption"},
	{"packet 9, accepted",
	 {.has_claim = true, .n_messages = 1, .legacy = {.reason = "legacy-encryption"}},
	 {.legacy_encryption = true},
	 {0},
	 VERDICT_ENCRYPTED,
	 FORM_PGP_INLINE,
	 "ok"},
	{"subject shown, not asked",
	 {.has_claim = true, .n_messages = 1},
	 {0},
	 {0},
	 VERDICT_ENCRYPTED,
	 FORM_PGP_INLINE,
	 "ok"},
	{"subject shown",
	 {.has_claim = true, .n_messages = 1},
	 {.hidden_subject = true},
	 {0},
	 VERDICT_PARTIAL,
	 FORM_PGP_INLINE,
	 "readable-subject"},
	{"subject shown, and a footer",
	 {.has_claim = true, .n_messages = 1, .cleartext_bytes = 3, .readable = READABLE},
	 {.hidden_subject = true},
	 {0},
	 VERDICT_PARTIAL,
	 FORM_PGP_INLINE,
	 "readable-subject"},
	{"subject hidden",
	 {.has_claim = true, .n_messages = 1, .is_subject_hidden = true},
	 {.hidden_subject = true},
	 {0},
	 VERDICT_ENCRYPTED,
	 FORM_PGP_INLINE,
	 "ok"},
	{"report",
	 {.is_report = true, .cleartext_bytes = 9},
	 {0},
	 {.is_null_sender = true},
	 VERDICT_REPORT,
	 FORM_NONE,
	 "report"},
	{"report with a sender",
	 {.is_report = true, .cleartext_bytes = 9, .readable = READABLE},
	 {0},
	 {0},
	 VERDICT_CLEARTEXT,
	 FORM_NONE,
	 "no-openpgp"},
	{"null sender alone",
	 {.cleartext_bytes = 9},
	 {0},
	 {.is_null_sender = true},
	 VERDICT_CLEARTEXT,
	 FORM_NONE,
	 "no-openpgp"},
	{"SecureJoin", {.is_securejoin = true, .cleartext_bytes = 9}, {0}, {0}, VERDICT_HANDSHAKE, FORM_NONE, "handshake"},
	{"setup to oneself",
	 {.is_autocrypt_setup = true,
	  .has_claim = true,
	  .n_messages = 1,
	  .password_only = {.reason = "password-only"}},
	 {0},
	 {.is_to_self = true},
	 VERDICT_HANDSHAKE,
	 FORM_NONE,
	 "handshake"},
	{"setup to another",
	 {.is_autocrypt_setup = true,
	  .has_claim = true,
	  .n_messages = 1,
	  .password_only = {.reason = "password-only"}},
	 {0},
	 {0},
	 VERDICT_INVALID,
	 FORM_NONE,
	 "password-only"},
	{"S/MIME", {.is_smime = true, .cleartext_bytes = 900}, {0}, {0}, VERDICT_SMIME, FORM_NONE, "smime"},
	{"S/MIME in an ambiguous header",
	 {.is_smime = true, .fault = FAULT},
	 {0},
	 {0},
	 VERDICT_CLEARTEXT,
	 FORM_NONE,
	 "no-openpgp"},
	{"signed",
	 {.is_signed = true, .cleartext_bytes = 9, .readable = READABLE},
	 {0},
	 {0},
	 VERDICT_SIGNED,
	 FORM_NONE,
	 "signed"},
	{"signed, with a fault",
	 {.is_signed = true, .cleartext_bytes = 9, .fault = FAULT},
	 {0},
	 {0},
	 VERDICT_CLEARTEXT,
	 FORM_NONE,
	 "no-openpgp"},
};

static void judge_is_a_function_of_facts_settings_and_envelope(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct judgement j;

		judge(&rows[i].facts, &rows[i].accept, &rows[i].envelope, &j);
		CHECK_ROW_TEXT(rows[i].label, verdict_name(j.verdict), verdict_name(rows[i].verdict));
		CHECK_ROW_TEXT(rows[i].label, form_name(j.form), form_name(rows[i].form));
		CHECK_ROW_TEXT(rows[i].label, j.reason, rows[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge_is_a_function_of_facts_settings_and_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
