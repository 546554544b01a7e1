/* SPDX-License-Identifier: ISC */
#include "common/outcome.h"

#include <stdlib.h>

#include "common/template.h"
#include "common/utf8.h"

#include "tests/unit/unit.h"

#define ALL_FORMS (1u << FORM_PGP_MIME | 1u << FORM_PGP_MIXED | 1u << FORM_PGP_INLINE)

static struct settings *settings_with(const char *one, const char *two)
{
	const char *overrides[2] = {one, two};
	char err[400];
	struct settings *s = settings_load("/nonexistent/x", true, overrides,
					   one == NULL	 ? 0
					   : two == NULL ? 1
							 : 2,
					   err, sizeof(err));

	if (s == NULL)
		fail_msg("%s", err);
	return s;
}

static struct judgement judged(enum verdict verdict, enum form form, const char *reason)
{
	struct judgement j = {.verdict = verdict, .form = form};

	strcpy(j.reason, reason);
	return j;
}

static void meets_the_table_of_requirements(void **state)
{
	static const struct {
		const char *label;
		enum verdict verdict;
		enum form form;
		const char *reason;
		int64_t cleartext_bytes;
		bool returns_readable;
		struct acceptance accept;
		bool is_signed_met, is_encrypted_met;
	} rows[] = {
		{"cleartext",
		 VERDICT_CLEARTEXT,
		 FORM_NONE,
		 "no-openpgp",
		 9,
		 false,
		 {ALL_FORMS, true, true, true, true, false, REPORTS_YES, 1000, 0},
		 false,
		 false},
		{"invalid",
		 VERDICT_INVALID,
		 FORM_PGP_INLINE,
		 "bad-armor",
		 0,
		 false,
		 {ALL_FORMS, true, true, true, true, false, REPORTS_YES, 1000, 0},
		 false,
		 false},
		{"encrypted",
		 VERDICT_ENCRYPTED,
		 FORM_PGP_MIME,
		 "ok",
		 0,
		 false,
		 {.forms = ALL_FORMS},
		 true,
		 true},
		{"encrypted in another form",
		 VERDICT_ENCRYPTED,
		 FORM_PGP_INLINE,
		 "ok",
		 0,
		 false,
		 {.forms = 1u << FORM_PGP_MIME},
		 true,
		 false},
		{"smime",
		 VERDICT_SMIME,
		 FORM_NONE,
		 "smime",
		 0,
		 false,
		 {.forms = ALL_FORMS},
		 false,
		 false},
		{"smime accepted",
		 VERDICT_SMIME,
		 FORM_NONE,
		 "smime",
		 0,
		 false,
		 {.forms = ALL_FORMS, .smime = true},
		 true,
		 true},
		{"signed",
		 VERDICT_SIGNED,
		 FORM_NONE,
		 "signed",
		 9,
		 false,
		 {.forms = ALL_FORMS},
		 true,
		 false},
		{"partial",
		 VERDICT_PARTIAL,
		 FORM_PGP_INLINE,
		 "text-outside",
		 1,
		 false,
		 {.forms = ALL_FORMS},
		 false,
		 false},
		{"partial up to the bound",
		 VERDICT_PARTIAL,
		 FORM_PGP_INLINE,
		 "text-outside",
		 100,
		 false,
		 {.forms = ALL_FORMS, .max_cleartext_bytes = 100},
		 true,
		 true},
		{"partial beyond the bound",
		 VERDICT_PARTIAL,
		 FORM_PGP_INLINE,
		 "text-outside",
		 101,
		 false,
		 {.forms = ALL_FORMS, .max_cleartext_bytes = 100},
		 false,
		 false},
		{"partial in another form",
		 VERDICT_PARTIAL,
		 FORM_PGP_INLINE,
		 "text-outside",
		 1,
		 false,
		 {.forms = 1u << FORM_PGP_MIME, .max_cleartext_bytes = 100},
		 false,
		 false},
		{"readable subject",
		 VERDICT_PARTIAL,
		 FORM_PGP_MIME,
		 "readable-subject",
		 0,
		 false,
		 {.forms = ALL_FORMS, .max_cleartext_bytes = 100},
		 false,
		 false},
		{"readable subject with text",
		 VERDICT_PARTIAL,
		 FORM_PGP_MIME,
		 "readable-subject",
		 5,
		 false,
		 {.forms = ALL_FORMS, .max_cleartext_bytes = 100},
		 false,
		 false},
		{"report",
		 VERDICT_REPORT,
		 FORM_NONE,
		 "report",
		 0,
		 true,
		 {.reports = REPORTS_YES},
		 true,
		 true},
		{"report of headers",
		 VERDICT_REPORT,
		 FORM_NONE,
		 "report",
		 0,
		 false,
		 {.reports = REPORTS_HEADERS},
		 true,
		 true},
		{"report of a message",
		 VERDICT_REPORT,
		 FORM_NONE,
		 "report",
		 0,
		 true,
		 {.reports = REPORTS_HEADERS},
		 false,
		 false},
		{"report unwanted",
		 VERDICT_REPORT,
		 FORM_NONE,
		 "report",
		 0,
		 false,
		 {.reports = REPORTS_NO},
		 false,
		 false},
		{"handshake",
		 VERDICT_HANDSHAKE,
		 FORM_NONE,
		 "handshake",
		 0,
		 false,
		 {.handshakes = true},
		 true,
		 true},
		{"handshake unwanted",
		 VERDICT_HANDSHAKE,
		 FORM_NONE,
		 "handshake",
		 0,
		 false,
		 {.forms = ALL_FORMS},
		 false,
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct judgement j = judged(rows[i].verdict, rows[i].form, rows[i].reason);
		const struct acceptance *a = &rows[i].accept;

		j.cleartext_bytes = rows[i].cleartext_bytes;
		j.returns_readable = rows[i].returns_readable;
		CHECK_ROW(rows[i].label, outcome_meets(&j, REQUIREMENT_EXEMPT, a));
		CHECK_ROW(rows[i].label, outcome_meets(&j, REQUIREMENT_OBSERVE, a));
		CHECK_ROW(rows[i].label,
			  outcome_meets(&j, REQUIREMENT_SIGNED, a) == rows[i].is_signed_met);
		CHECK_ROW(rows[i].label,
			  outcome_meets(&j, REQUIREMENT_ENCRYPTED, a) == rows[i].is_encrypted_met);
		CHECK_ROW(rows[i].label,
			  outcome_meets(&j, REQUIREMENT_RATCHET, a) == rows[i].is_encrypted_met);
	}
}

/* One cleartext message to recipients e (encrypted), s (signed), x (exempt), o (observe). */
static void decides_by_settings_and_recipients(void **state)
{
	static const struct {
		const char *label, *one, *two;
		const char *recipients;
		bool is_paused, may_split;
		enum action action, would;
		const char *code, *enhanced;
	} rows[] = {
		{"all pass", NULL, NULL, "xo", false, true, ACTION_ACCEPT, ACTION_ACCEPT, "250",
		 ""},
		{"no recipients", NULL, NULL, "", false, true, ACTION_ACCEPT, ACTION_ACCEPT, "250",
		 ""},
		{"all fail", NULL, NULL, "es", false, true, ACTION_REFUSE, ACTION_REFUSE, "550",
		 "5.7.1"},
		{"mixed", NULL, NULL, "ex", false, true, ACTION_SPLIT, ACTION_SPLIT, "451",
		 "4.7.1"},
		{"mixed, observed", NULL, NULL, "oe", false, true, ACTION_SPLIT, ACTION_SPLIT,
		 "451", "4.7.1"},
		{"mixed, cannot split", NULL, NULL, "ex", false, false, ACTION_REFUSE,
		 ACTION_REFUSE, "550", "5.7.1"},
		{"mixed, set to refuse", "mixed_recipients=refuse", NULL, "ex", false, true,
		 ACTION_REFUSE, ACTION_REFUSE, "550", "5.7.1"},
		{"own code", "refuse_code=450 4.7.1", NULL, "e", false, true, ACTION_REFUSE,
		 ACTION_REFUSE, "450", "4.7.1"},
		{"not enforced", "enforce=no", NULL, "e", false, true, ACTION_ACCEPT, ACTION_REFUSE,
		 "250", ""},
		{"not enforced, mixed", "enforce=no", NULL, "ex", false, true, ACTION_ACCEPT,
		 ACTION_SPLIT, "250", ""},
		{"paused", NULL, NULL, "e", true, true, ACTION_ACCEPT, ACTION_REFUSE, "250", ""},
		{"quarantine", "on_refusal=quarantine", NULL, "e", false, true, ACTION_QUARANTINE,
		 ACTION_QUARANTINE, "250", ""},
		{"quarantine, mixed", "on_refusal=quarantine", NULL, "ex", false, true,
		 ACTION_SPLIT, ACTION_SPLIT, "451", "4.7.1"},
		{"quarantine, cannot split", "on_refusal=quarantine", NULL, "ex", false, false,
		 ACTION_REFUSE, ACTION_REFUSE, "550", "5.7.1"},
		{"quarantine, not enforced", "on_refusal=quarantine", "enforce=no", "e", false,
		 true, ACTION_ACCEPT, ACTION_QUARANTINE, "250", ""},
		{"tag", "on_refusal=tag", NULL, "e", false, true, ACTION_TAG, ACTION_TAG, "250",
		 ""},
		{"tag, mixed", "on_refusal=tag", NULL, "ex", false, true, ACTION_TAG, ACTION_TAG,
		 "250", ""},
	};
	struct judgement j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct settings *s = settings_with(rows[i].one, rows[i].two);
		struct outcome_recipient recipients[4];
		struct outcome_input in = {.settings = s,
					   .judgement = &j,
					   .recipients = recipients,
					   .n_recipients = strlen(rows[i].recipients),
					   .is_paused = rows[i].is_paused,
					   .may_split = rows[i].may_split};
		struct outcome o;

		for (size_t k = 0; k < in.n_recipients; k++) {
			char c = rows[i].recipients[k];

			recipients[k] = (struct outcome_recipient){
				.address = "a@b.test",
				.demand = c == 'e'   ? REQUIREMENT_ENCRYPTED
					  : c == 's' ? REQUIREMENT_SIGNED
					  : c == 'x' ? REQUIREMENT_EXEMPT
						     : REQUIREMENT_OBSERVE,
			};
		}
		outcome_decide(&in, &o);
		CHECK_ROW_TEXT(rows[i].label, action_name(o.action), action_name(rows[i].action));
		CHECK_ROW_TEXT(rows[i].label, action_name(o.would), action_name(rows[i].would));
		CHECK_ROW_TEXT(rows[i].label, o.code, rows[i].code);
		CHECK_ROW_TEXT(rows[i].label, o.enhanced, rows[i].enhanced);
		/* libmilter drops a reply of two classes. */
		CHECK_ROW(rows[i].label, o.enhanced[0] == '\0' || o.enhanced[0] == o.code[0]);
		for (size_t k = 0; k < in.n_recipients; k++)
			CHECK_ROW(rows[i].label,
				  recipients[k].passes ==
					  (strchr("xo", rows[i].recipients[k]) != NULL));
		settings_unref(s);
	}
}

static void refusal_names_who_refuses_and_where_help_is(void **state)
{
	struct settings *s = settings_with("help_url=https://example.org/pgp", NULL);
	struct judgement j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");
	struct outcome_recipient recipients[] = {
		{"alice@example.org", REQUIREMENT_ENCRYPTED, NULL, false, NULL},
		{"bob@example.org", REQUIREMENT_EXEMPT, "https://example.org/not-this", false,
		 NULL},
		{"carol@example.org", REQUIREMENT_SIGNED, "https://example.org/carol", false, NULL},
		{"dave@example.org", REQUIREMENT_ENCRYPTED, "", false, NULL},
	};
	struct outcome_input in = {.settings = s,
				   .judgement = &j,
				   .recipients = recipients,
				   .n_recipients = 4,
				   .queue_id = "4cDmS64YQkz1Xq"};
	struct outcome o;
	char text[2000];

	(void)state;
	outcome_decide(&in, &o);
	assert_string_equal(
		outcome_reply_text(&o, text, sizeof(text)),
		"550-5.7.1 Your message was not delivered. OpenPGP-encrypted mail required\n"
		"550-5.7.1 <alice@example.org> takes only encrypted mail: this message is not "
		"encrypted\n"
		"550-5.7.1 <carol@example.org> takes only signed or encrypted mail: this message "
		"is not "
		"encrypted\n"
		"550-5.7.1 <dave@example.org> takes only encrypted mail: this message is not "
		"encrypted\n"
		"550-5.7.1 Please encrypt the message with OpenPGP and send it again\n"
		"550-5.7.1 See https://example.org/pgp\n"
		"550-5.7.1 See https://example.org/carol\n"
		"550-5.7.1 Questions may be sent without encryption to postmaster@example.org\n"
		"550 5.7.1 Reference: 4cDmS64YQkz1Xq");
	settings_unref(s);
}

static void refusal_of_many_is_bounded(void **state)
{
	struct settings *s = settings_with(NULL, NULL);
	struct judgement j = judged(VERDICT_INVALID, FORM_NONE, "new-slug");
	struct outcome_recipient recipients[100];
	struct outcome_input in = {.settings = s,
				   .judgement = &j,
				   .recipients = recipients,
				   .n_recipients = 100,
				   .queue_id = "4cDmS64YQkz1Xq"};
	char long_address[400], urls[100][400], text[8000];
	struct outcome o;

	(void)state;
	memset(j.detail, 'd', sizeof(j.detail) - 1);
	memset(long_address, 'a', 320);
	strcpy(long_address + 300, "@b.test\r\n\x1b");
	for (size_t i = 0; i < 100; i++) {
		memset(urls[i], 'u', 300);
		sprintf(urls[i] + 290, "%zu", i);
		recipients[i] = (struct outcome_recipient){long_address, REQUIREMENT_ENCRYPTED,
							   urls[i], false, NULL};
	}
	outcome_decide(&in, &o);
	assert_int_equal(o.n_lines, 15);
	assert_string_equal(o.line[9], "and 92 more");
	assert_memory_equal(o.line[11], "See uuu", 7);
	assert_memory_equal(o.line[14], "Reference: ", 11);
	for (size_t i = 0; i < o.n_lines; i++) {
		CHECK_ROW(o.line[i], strlen("550-5.7.1 ") + strlen(o.line[i]) + 2 <= 512);
		for (const char *p = o.line[i]; *p != '\0'; p++)
			CHECK_ROW(o.line[i], (unsigned char)*p >= 0x20);
	}
	assert_true(strlen(outcome_reply_text(&o, text, sizeof(text))) > 1000);
	/* A small buffer is not overrun. */
	memset(text, '!', sizeof(text));
	outcome_reply_text(&o, text, 20);
	assert_int_equal(strlen(text), 19);
	assert_int_equal(text[20], '!');
	settings_unref(s);
}

/* What the administrator writes and what comes of it, for <al+x@example.org>. */
static void words_are_filled_in(void **state)
{
	static const struct {
		const char *label, *text, *want;
		bool is_url;
	} rows[] = {
		{"nothing to fill in", "Please encrypt", "Please encrypt", false},
		{"each word", "%r %d %q %R", "al+x@example.org example.org 4cD no-openpgp", false},
		{"a percent sign", "100%", "100%", false},
		{"two of them", "100%% of mail", "100% of mail", false},
		{"an unknown word", "%x %", "%x %", false},
		{"each word in a URL", "https://h.test/%d/%r?q=%q#%R",
		 "https://h.test/example.org/al%2Bx@example.org?q=4cD#no-openpgp", true},
		{"encoded octets stay", "https://h.test/%20%d0%d",
		 "https://h.test/%20%d0example.org", true},
		{"two percent signs in a URL", "https://h.test/%%", "https://h.test/%25", true},
	};
	const struct template_words words = {
		.recipient = "al+x@example.org", .queue_id = "4cD", .reason = "no-openpgp"};
	const struct template_words hostile = {.recipient = "a\r\n\xff/?#@b"};
	char out[200];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW_TEXT(rows[i].label,
			       template_fill(rows[i].text, rows[i].is_url, &words, out, sizeof out),
			       rows[i].want);
	assert_string_equal(template_fill("%r", true, &hostile, out, sizeof out),
			    "a%0D%0A%FF%2F%3F%23@b");
	template_fill("%r%q", false, &hostile, out, sizeof out);
	for (const char *p = out; *p != '\0'; p++)
		assert_true(*p >= ' ' && *p <= '~');
	/* Cut, and never within an encoded octet. */
	assert_string_equal(template_fill("xy%r", true, &hostile, out, 6), "xya");
	assert_string_equal(template_fill("abcdef", false, &words, out, 4), "abc");
}

static void refusal_in_one_line(void **state)
{
	struct settings *s = settings_with("help_url=https://example.org/%d#%R", NULL);
	struct judgement j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");
	struct outcome_recipient recipients[3] = {
		{"alice@example.org", REQUIREMENT_ENCRYPTED, NULL, false, NULL},
		{"bob@example.org", REQUIREMENT_ENCRYPTED, NULL, false, NULL},
		{"carol@example.org", REQUIREMENT_EXEMPT, NULL, false, NULL},
	};
	struct outcome_input in = {.settings = s,
				   .judgement = &j,
				   .recipients = recipients,
				   .n_recipients = 3,
				   .is_one_line = true,
				   .queue_id = "4cD"};
	struct outcome o;
	char long_address[300];

	(void)state;
	outcome_decide(&in, &o);
	assert_int_equal(o.n_lines, 1);
	assert_string_equal(
		o.line[0],
		"Your message was not delivered. OpenPGP-encrypted mail required - "
		"<alice@example.org> takes only encrypted mail: this message is not "
		"encrypted - and 1 more - See https://example.org/example.org#no-openpgp - "
		"Reference: 4cD");
	memset(long_address, 'a', 250);
	strcpy(long_address + 250, "@example.org");
	recipients[0].address = long_address;
	memset(j.detail, 'd', sizeof j.detail - 1);
	strcpy(j.reason, "new-slug");
	outcome_decide(&in, &o);
	assert_int_equal(o.n_lines, 1);
	CHECK_ROW(o.line[0], strlen(o.line[0]) <= 490);
	assert_non_null(strstr(o.line[0], " - Reference: 4cD"));
	settings_unref(s);
}

/* A line that is too long ends behind a character, not within one: half of one is no text to
 * whoever reads the record. */
static void refusal_is_cut_between_characters(void **state)
{
	struct judgement j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");
	char address[400], text[40];

	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		struct settings *s;
		struct outcome_recipient r = {address, REQUIREMENT_ENCRYPTED, NULL, false, NULL};
		struct outcome_input in = {.judgement = &j, .recipients = &r, .n_recipients = 1};
		struct outcome o;

		snprintf(text, sizeof text, "refuse_text=%.*s%%r%%r", shift, "xxxx");
		s = settings_with(text, "help_url=https://x.test/%r%r%r");
		in.settings = s;
		address[0] = '\0';
		for (int i = 0; i < 100; i++)
			strcat(address, "\xe2\x82\xac");
		strcat(address, "@example.org");
		outcome_decide(&in, &o);
		for (size_t i = 0; i < o.n_lines; i++)
			CHECK_ROW(o.line[i], utf8_is_valid(o.line[i], strlen(o.line[i])));
		assert_true(strlen(o.line[0]) > 480);
		settings_unref(s);
	}
}

static void refusal_says_whom_to_ask(void **state)
{
	static const struct {
		const char *setting, *recipient, *want;
	} rows[] = {
		{"contact=postmaster@", "a@b.test", "postmaster@b.test"},
		{"contact=help@example.org", "a@b.test", "help@example.org"},
		{"contact=", "a@b.test", NULL},
		{"contact=help@example.org", "help@example.org", NULL},
		{"contact=postmaster@", "postmaster@b.test", NULL},
	};
	struct judgement j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct settings *s = settings_with(rows[i].setting, NULL);
		struct outcome_recipient r = {rows[i].recipient, REQUIREMENT_ENCRYPTED, NULL, false,
					      NULL};
		struct outcome_input in = {
			.settings = s, .judgement = &j, .recipients = &r, .n_recipients = 1};
		struct outcome o;
		char text[2000];
		const char *asked;

		outcome_decide(&in, &o);
		asked = strstr(outcome_reply_text(&o, text, sizeof text), "Questions");
		CHECK_ROW(rows[i].setting, (asked != NULL) == (rows[i].want != NULL));
		if (asked != NULL)
			CHECK_ROW(rows[i].setting, strstr(asked, rows[i].want) != NULL);
		CHECK_ROW(rows[i].setting, strstr(text, "Reference") == NULL);
		settings_unref(s);
	}
}

static void temporary_answers_group_well(void **state)
{
	struct settings *s = settings_with(NULL, NULL);
	struct judgement j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");
	struct outcome_recipient recipients[] = {
		{"alice@example.org", REQUIREMENT_ENCRYPTED, NULL, false, NULL},
		{"bob@example.org", REQUIREMENT_EXEMPT, NULL, false, NULL},
	};
	struct outcome_input in = {.settings = s,
				   .judgement = &j,
				   .recipients = recipients,
				   .n_recipients = 2,
				   .may_split = true};
	struct outcome o[3];

	(void)state;
	outcome_tempfail(&o[0]);
	outcome_defer_class(&o[1]);
	outcome_decide(&in, &o[2]);
	assert_int_equal(o[0].action, ACTION_TEMPFAIL);
	assert_string_equal(o[0].code, "451");
	assert_string_equal(o[1].code, "450");
	assert_string_equal(o[2].code, "451");
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(o[i].enhanced, "4.7.1");
		assert_int_equal(o[i].n_lines, 1);
		CHECK_ROW(o[i].line[0], strpbrk(o[i].line[0], ",:;@<>") == NULL);
		CHECK_ROW(o[i].line[0], strstr(o[i].line[0], "try again later") != NULL);
	}
	settings_unref(s);
}

static void explains_by_reason_or_detail(void **state)
{
	struct judgement j = judged(VERDICT_INVALID, FORM_NONE, "not-known-yet");

	(void)state;
	assert_true(outcome_explain(&j)[0] != '\0');
	strcpy(j.detail, "part 2: odd");
	assert_string_equal(outcome_explain(&j), "part 2: odd");
	j = judged(VERDICT_INVALID, FORM_NONE, "bad-armor");
	assert_non_null(strstr(outcome_explain(&j), "armor"));
	j = judged(VERDICT_ENCRYPTED, FORM_PGP_INLINE, "ok");
	assert_non_null(strstr(outcome_explain(&j), "PGP/MIME"));
	j = judged(VERDICT_SMIME, FORM_NONE, "smime");
	assert_non_null(strstr(outcome_explain(&j), "S/MIME"));
}

static void outcome_expected_bounce_passes_alone(void **state)
{
	struct outcome_recipient recipients[2] = {
		{"ours@b.test", REQUIREMENT_ENCRYPTED, NULL, false, NULL},
		{"other@b.test", REQUIREMENT_ENCRYPTED, NULL, false, NULL},
	};
	struct settings *s = settings_with(NULL, NULL);
	struct judgement j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");
	struct outcome_input in = {.settings = s,
				   .judgement = &j,
				   .recipients = recipients,
				   .n_recipients = 1,
				   .expects_bounce = true};
	struct outcome o;

	(void)state;
	outcome_decide(&in, &o);
	assert_int_equal(o.action, ACTION_ACCEPT);
	assert_true(o.is_bounce_expected && recipients[0].passes);
	outcome_note_bounce(&o, &j);
	assert_string_equal(j.reason, "bounce-expected");
	assert_non_null(strstr(j.detail, "no-openpgp"));
	in.n_recipients = 2; /* no bounce goes to two */
	outcome_decide(&in, &o);
	assert_int_equal(o.action, ACTION_REFUSE);
	in.n_recipients = 1;
	recipients[0].demand = REQUIREMENT_OBSERVE; /* it passes for itself */
	outcome_decide(&in, &o);
	assert_false(o.is_bounce_expected);
	j = judged(VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp");
	outcome_note_bounce(&o, &j);
	assert_string_equal(j.reason, "no-openpgp");
	settings_unref(s);
}

/* own-key: what the database says of the keys, against what is accepted. */
static void own_key_is_refused_for_its_keys_alone(void **state)
{
	static const struct {
		const char *label, *setting;
		enum verdict verdict;
		enum own_key_state is;
		bool is_cut;
		enum action action;
		const char *reason, *detail;
	} rows[] = {
		{"good", NULL, VERDICT_ENCRYPTED, OWN_KEY_GOOD, false, ACTION_ACCEPT, "ok", ""},
		{"no key known", NULL, VERDICT_ENCRYPTED, OWN_KEY_UNKNOWN, false, ACTION_ACCEPT,
		 "ok", "no key known"},
		{"too many", NULL, VERDICT_ENCRYPTED, OWN_KEY_UNKNOWN, true, ACTION_ACCEPT, "ok",
		 "more session keys than are looked at"},
		{"another's", NULL, VERDICT_ENCRYPTED, OWN_KEY_OTHER, false, ACTION_REFUSE,
		 "other-key", "recipient 1 of 1: it is encrypted to another key"},
		{"expired", NULL, VERDICT_ENCRYPTED, OWN_KEY_EXPIRED, false, ACTION_REFUSE,
		 "expired-key", "recipient 1 of 1: it is encrypted to a key that has expired"},
		{"revoked", NULL, VERDICT_ENCRYPTED, OWN_KEY_REVOKED, false, ACTION_REFUSE,
		 "revoked-key", "recipient 1 of 1: it is encrypted to a key that was revoked"},
		{"hidden", NULL, VERDICT_ENCRYPTED, OWN_KEY_HIDDEN, false, ACTION_ACCEPT, "ok",
		 "hidden recipient"},
		{"hidden, observed", "hidden_recipients=observe", VERDICT_ENCRYPTED, OWN_KEY_HIDDEN,
		 false, ACTION_ACCEPT, "hidden-recipient", "hidden recipient"},
		{"hidden, refused", "hidden_recipients=refuse", VERDICT_ENCRYPTED, OWN_KEY_HIDDEN,
		 false, ACTION_REFUSE, "hidden-recipient",
		 "recipient 1 of 1: it does not say to which key it is encrypted"},
		{"cleartext", NULL, VERDICT_CLEARTEXT, OWN_KEY_GOOD, false, ACTION_REFUSE, "ok",
		 ""},
		{"S/MIME", "accept_smime=yes", VERDICT_SMIME, OWN_KEY_OTHER, false, ACTION_ACCEPT,
		 "ok", ""},
		{"held for another's", "on_refusal=quarantine", VERDICT_ENCRYPTED, OWN_KEY_OTHER,
		 false, ACTION_QUARANTINE, "other-key",
		 "recipient 1 of 1: it is encrypted to another key"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct settings *s = settings_with(rows[i].setting, NULL);
		struct judgement j = judged(
			rows[i].verdict,
			rows[i].verdict == VERDICT_ENCRYPTED ? FORM_PGP_MIME : FORM_NONE, "ok");
		const struct own_key k = {
			.state = rows[i].is, .is_cut = rows[i].is_cut, .key_id = 0xB0B};
		struct outcome_recipient r = {"bob@example.org", REQUIREMENT_OWN_KEY, NULL, false,
					      &k};
		struct outcome_input in = {
			.settings = s, .judgement = &j, .recipients = &r, .n_recipients = 1};
		struct outcome o;

		j.n_messages = rows[i].verdict == VERDICT_ENCRYPTED;
		outcome_decide(&in, &o);
		outcome_note_keys(&in, &o, &j);
		CHECK_ROW(rows[i].label, o.action == rows[i].action);
		CHECK_ROW_TEXT(rows[i].label, j.reason, rows[i].reason);
		CHECK_ROW_TEXT(rows[i].label, j.detail, rows[i].detail);
		if (o.action == ACTION_QUARANTINE)
			CHECK_ROW_TEXT(rows[i].label, o.line[0], "it is encrypted to another key");
		settings_unref(s);
	}
}

static void the_refusal_names_keys_unless_they_are_not_to_be_shown(void **state)
{
	struct judgement j = judged(VERDICT_ENCRYPTED, FORM_PGP_MIME, "ok");
	const struct own_key k = {.state = OWN_KEY_OTHER, .key_id = 0xB0B};
	struct outcome_recipient r = {"bob@example.org", REQUIREMENT_OWN_KEY, NULL, false, &k};
	struct outcome_input in = {.judgement = &j, .recipients = &r, .n_recipients = 1};
	struct settings *s = settings_with("key_url=https://keys.test/%d/%l", NULL);
	struct outcome o;

	(void)state;
	j.n_messages = 1;
	j.n_key_ids = j.n_session_keys = 2;
	j.key_ids[0] = 0xA1;
	in.settings = s;
	outcome_decide(&in, &o);
	assert_string_equal(o.line[1],
			    "<bob@example.org> takes only mail encrypted to its key "
			    "0x0000000000000B0B: this message is for 0x00000000000000A1");
	assert_string_equal(
		o.line[2],
		"Please get the present key, encrypt the message to it and send it again");
	assert_string_equal(
		o.line[3],
		"The key of <bob@example.org> is at <https://keys.test/example.org/bob>");
	settings_unref(s);
	in.settings = s = settings_with("show_keys=no", NULL);
	outcome_decide(&in, &o);
	assert_string_equal(o.line[1], "<bob@example.org> takes only mail encrypted to its key: it "
				       "is encrypted to another key");
	settings_unref(s);
}

static void readable_is_the_reverse(void **state)
{
	struct settings *s = settings_with("accept_smime=yes", NULL);

	(void)state;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		struct judgement j = judged(
			(enum verdict)v, v == VERDICT_ENCRYPTED ? FORM_PGP_MIME : FORM_NONE, "ok");
		struct outcome_recipient r = {"tickets@example.org", REQUIREMENT_READABLE, NULL,
					      false, NULL};
		struct outcome_input in = {
			.settings = s, .judgement = &j, .recipients = &r, .n_recipients = 1};
		struct outcome o;

		outcome_decide(&in, &o);
		/* Reports are as accept_reports says. */
		assert_int_equal(o.action == ACTION_REFUSE, v == VERDICT_ENCRYPTED ||
								    v == VERDICT_SMIME ||
								    v == VERDICT_HANDSHAKE);
		if (v == VERDICT_ENCRYPTED) {
			assert_string_equal(o.line[1], "<tickets@example.org> takes only readable "
						       "mail: this message is encrypted");
			assert_string_equal(o.line[2],
					    "Please send the message again without encryption");
		}
	}
	settings_unref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_key_is_refused_for_its_keys_alone),
		cmocka_unit_test(the_refusal_names_keys_unless_they_are_not_to_be_shown),
		cmocka_unit_test(readable_is_the_reverse),
		cmocka_unit_test(outcome_expected_bounce_passes_alone),
		cmocka_unit_test(meets_the_table_of_requirements),
		cmocka_unit_test(decides_by_settings_and_recipients),
		cmocka_unit_test(refusal_names_who_refuses_and_where_help_is),
		cmocka_unit_test(refusal_of_many_is_bounded),
		cmocka_unit_test(words_are_filled_in),
		cmocka_unit_test(refusal_in_one_line),
		cmocka_unit_test(refusal_is_cut_between_characters),
		cmocka_unit_test(refusal_says_whom_to_ask),
		cmocka_unit_test(temporary_answers_group_well),
		cmocka_unit_test(explains_by_reason_or_detail),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
