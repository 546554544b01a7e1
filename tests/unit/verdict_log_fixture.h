/* SPDX-License-Identifier: ISC
 *
 * verdict_log_fixture.h: records to submit to a verdict log, and a list of what is stored. Included
 * once in a test program; everything is static.
 */
#ifndef PGPGATE_TESTS_VERDICT_LOG_FIXTURE_H
#define PGPGATE_TESTS_VERDICT_LOG_FIXTURE_H

#include "tests/unit/db_fixture.h"

#include "db/verdict_log.h"
#include "db/verdicts.h"

#define NOW 1800000000

static const struct judgement cleartext = {.verdict = VERDICT_CLEARTEXT,
					   .form = FORM_NONE,
					   .reason = "no-openpgp",
					   .detail = "no OpenPGP data",
					   .cleartext_bytes = 77};
static const struct judgement encrypted = {
	.verdict = VERDICT_ENCRYPTED, .form = FORM_PGP_MIME, .reason = "pgp-mime"};

static const struct verdict_recipient to_two[] = {
	{.address = "alice@mail.example.org",
	 .is_trustworthy = true,
	 .requirement = REQUIREMENT_RATCHET,
	 .demand = REQUIREMENT_ENCRYPTED,
	 .source = SOURCE_HISTORY,
	 .rule_id = 1,
	 .passes = false},
	{.address = "bob@example.org",
	 .is_trustworthy = true,
	 .requirement = REQUIREMENT_EXEMPT,
	 .demand = REQUIREMENT_EXEMPT,
	 .source = SOURCE_EXEMPT_RECIPIENTS,
	 .passes = true},
};

static inline struct verdict_record record(const char *queue_id, const char *sender,
					   int64_t time_unix)
{
	return (struct verdict_record){
		.time_unix = time_unix,
		.queue_id = queue_id,
		.host = "mx.example.org",
		.client = "192.0.2.77",
		.authenticated = "login-name",
		.sender = sender,
		.is_sender_trustworthy = true,
		.header_from = "from@header.test",
		.message_id = "<message-id@there.test>",
		.declared_size_bytes = 4321,
		.size_bytes = 4000,
		.judgement = &cleartext,
		.action = ACTION_REFUSE,
		.would = ACTION_REFUSE,
		.reply = "550-5.7.1 OpenPGP-encrypted mail required\n"
			 "550 5.7.1 <alice@mail.example.org> takes only encrypted "
			 "mail",
		.recipients = to_two,
		.n_recipients = 2};
}

static inline struct verdict_log *start(const struct fixture *f)
{
	char err[DB_ERROR_MAX] = "";
	struct verdict_log *l = verdict_log_start(f->settings, err, sizeof err);

	if (l == NULL)
		fail_msg("%s", err);
	return l;
}

static inline void submit(struct verdict_log *l, const struct verdict_record *r)
{
	char err[DB_ERROR_MAX] = "";

	if (verdict_log_submit(l, r, err) != 0)
		fail_msg("%s", err);
}

/* ---- reading ---- */

struct rows {
	size_t n;
	char queue_id[400][24];
};

static inline int gather(void *context, const struct verdict_row *row)
{
	struct rows *rows = context;

	assert_true(rows->n < 400);
	snprintf(rows->queue_id[rows->n++], 24, "%s", row->record.queue_id);
	return 0;
}

static inline struct rows list(const struct fixture *f, struct verdicts_filter filter)
{
	struct rows rows = {0};
	struct db *d = fixture_open(f, DB_READ);

	assert_int_equal(verdicts_list(d, &filter, gather, &rows), 0);
	db_close(d);
	return rows;
}

#define FILTER_OF(v, a, ...) ((struct verdicts_filter){.verdict = (v), .action = (a), __VA_ARGS__})
#define FILTER(...) FILTER_OF(-1, -1, __VA_ARGS__)

#endif
