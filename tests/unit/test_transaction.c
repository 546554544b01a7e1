/* SPDX-License-Identifier: ISC
 *
 * The filter's transaction with the real scanner, judgement and outcome, and with a policy and a verdict log of
 * the test's own, so that each can be made to fail.
 */
#include "filter/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "db/policy.h"

/* ---- the policy and the log ---- */

/* What recipients want is in their local part: exempt@, observe@, signed@, encrypted@, ratchet@ (locked for
 * the From: address alice@locked.test, except ratchet@open.test); passed.X@ and failed.X@ have split evidence besides. */
static struct {
	bool policy_fails, log_fails, is_paused;
	int attempts;
	unsigned n_policy, n_submitted, n_timed, n_pool; /* n_pool: connections out */
	struct policy_query query;			 /* the last; its pointers are dead */
	char query_sender[400];
} fake;

/* The last record submitted. */
static struct {
	char queue_id[64], client[64], authenticated[64], sender[400], header_from[400],
		message_id[600], host[64], reply[4000];
	struct judgement judgement;
	enum action action, would;
	struct verdict_recipient recipients[8];
	char addresses[8][400];
	size_t n_recipients;
	bool is_local, has_split_digest;
	unsigned char split_digest[32];
	int64_t declared_size_bytes;
} record;

struct db_pool;
struct db *db_pool_get(struct db_pool *p)
{
	(void)p;
	fake.n_pool++;
	return (struct db *)&fake;
}

void db_pool_put(struct db_pool *p, struct db *d)
{
	(void)p;
	assert_ptr_equal(d, &fake);
	fake.n_pool--;
}

const char *db_error(const struct db *d)
{
	(void)d;
	return "the disk is on fire";
}

const char *policy_source_name(enum policy_source source)
{
	return source == SOURCE_RULE ? "rule" : "default";
}

bool policy_split_defers(struct policy_split *t, enum split_class recipient_class)
{
	if (recipient_class == SPLIT_NONE)
		return false;
	if (t->transaction_class == SPLIT_NONE)
		t->transaction_class = recipient_class;
	return t->transaction_class != recipient_class;
}

static bool names(const struct from_header *from, const char *address)
{
	for (size_t i = 0; i < from->n; i++)
		if (strcmp(from->address[i].text, address) == 0)
			return true;
	return false;
}

int policy_decide(struct db *d, const struct settings *s, const struct policy_query *q,
		  struct policy_answer *a)
{
	const char *word = q->recipient->text;
	char name[64];

	(void)d;
	(void)s;
	fake.n_policy++;
	fake.query = *q;
	snprintf(fake.query_sender, sizeof fake.query_sender, "%s", q->sender->text);
	if (fake.policy_fails)
		return -1;
	memset(a, 0, sizeof *a);
	a->is_paused = fake.is_paused;
	if (strncmp(word, "passed.", 7) == 0)
		a->split_class = SPLIT_PASSED;
	if (strncmp(word, "failed.", 7) == 0)
		a->split_class = SPLIT_FAILED;
	if (a->split_class != SPLIT_NONE)
		word += 7;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "@"), word);
	if (requirement_from_name(name, &a->requirement) != 0)
		a->requirement = REQUIREMENT_ENCRYPTED;
	a->demand = a->requirement;
	a->source = SOURCE_DEFAULT;
	if (a->requirement == REQUIREMENT_RATCHET) {
		a->demand = REQUIREMENT_OBSERVE;
		if (q->header_from != NULL && names(q->header_from, "alice@locked.test") &&
		    strcmp(q->recipient->text, "ratchet@open.test") != 0) {
			a->demand = REQUIREMENT_ENCRYPTED;
			a->source = SOURCE_HISTORY;
		}
	}
	return 0;
}

int verdict_log_attempts(struct db *d, const unsigned char digest[32], int64_t now_unix)
{
	(void)d;
	(void)digest;
	(void)now_unix;
	return fake.attempts;
}

void verdict_log_took(struct verdict_log *l, int64_t duration_us)
{
	(void)l;
	assert_true(duration_us >= 0);
	fake.n_timed++;
}

#define KEEP(field) \
	snprintf(record.field, sizeof record.field, "%s", r->field != NULL ? r->field : "")

int verdict_log_submit(struct verdict_log *l, const struct verdict_record *r, char *err)
{
	(void)l;
	if (fake.log_fails) {
		snprintf(err, DB_ERROR_MAX, "no space left");
		return -1;
	}
	fake.n_submitted++;
	memset(&record, 0, sizeof record);
	KEEP(queue_id);
	KEEP(client);
	KEEP(authenticated);
	KEEP(sender);
	KEEP(header_from);
	KEEP(message_id);
	KEEP(host);
	KEEP(reply);
	record.judgement = *r->judgement;
	record.action = r->action;
	record.would = r->would;
	record.is_local = r->is_local;
	record.declared_size_bytes = r->declared_size_bytes;
	record.has_split_digest = r->has_split_digest;
	memcpy(record.split_digest, r->split_digest, sizeof record.split_digest);
	record.n_recipients = r->n_recipients;
	for (size_t i = 0; i < r->n_recipients && i < 8; i++) {
		record.recipients[i] = r->recipients[i];
		snprintf(record.addresses[i], sizeof record.addresses[i], "%s",
			 r->recipients[i].address);
	}
	return 0;
}

/* ---- the fixture ---- */

static struct settings *settings;
static struct log_limit trouble;
static struct hashed hashed;
static struct transaction *t;

static struct settings *settings_in_force(void *owner)
{
	(void)owner;
	return settings_ref(settings);
}

static int64_t now(void)
{
	return 1000000;
}

static const struct filter_context context = {
	.settings = settings_in_force,
	.now_unix = now,
	.hashed = &hashed,
	.database_trouble = &trouble,
};

static void use_settings(const char *one, const char *two)
{
	const char *overrides[] = {"local_clients=127.0.0.0/8", one, two};
	char err[300];

	settings_unref(settings);
	settings = settings_load("/nonexistent", true, overrides,
				 1u + (one != NULL) + (two != NULL), err, sizeof err);
	if (settings == NULL)
		fail_msg("%s", err);
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof fake);
	memset(&record, 0, sizeof record);
	use_settings(NULL, NULL);
	t = transaction_new(&context);
	transaction_client(t, "192.0.2.1", false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(fake.n_pool, 0);
	transaction_free(t);
	settings_unref(settings);
	settings = NULL;
	return 0;
}

/* ---- messages ---- */

struct sample {
	const char *fields[8][2];
	char *body;
	size_t len;
};

static struct sample cleartext = {
	.fields = {{"From", " Bob <bob@x.test>"}, {"Message-ID", " <1@x.test>"}, {"Subject", " Hi"}},
};
static struct sample encrypted = {
	.fields = {{"From", " Eve <eve@x.test>"}, {"Message-ID", "\t<2@x.test> "}},
};

/* An armored message of one PKESK and one SEIPD, made here: the scanner reads structure only. */
static char *make_armor(void)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char packet[540] = {0};
	char *out = calloc(1, 2000);
	size_t n = 0, o;
	uint32_t random = 12345;

	assert_non_null(out);
	/* PKESK v3, a key id, X25519 (RFC 9580 section 5.1): 32 octets, then one length octet and the rest. */
	packet[n++] = 0xc0 | 1;
	packet[n++] = 1 + 8 + 1 + 32 + 1 + 40 + 1;
	packet[n++] = 3;
	memset(packet + n, 0x5a, 8);
	n += 8;
	packet[n++] = 25;
	for (int i = 0; i < 32; i++)
		packet[n++] = (unsigned char)((random = random * 1103515245 + 12345) >> 16);
	packet[n++] = 41;
	packet[n++] = 9;
	for (int i = 0; i < 40; i++)
		packet[n++] = (unsigned char)((random = random * 1103515245 + 12345) >> 16);
	/* SEIPD v1 */
	packet[n++] = 0xc0 | 18;
	packet[n++] = 192 + ((400 - 192) >> 8);
	packet[n++] = (400 - 192) & 0xff;
	packet[n++] = 1;
	for (int i = 0; i < 399; i++)
		packet[n++] = (unsigned char)((random = random * 1103515245 + 12345) >> 16);
	while (n % 3 != 0)
		abort(); /* no padding wanted */

	o = (size_t)sprintf(out, "-----BEGIN PGP MESSAGE-----\r\n\r\n");
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)packet[i] << 16 | (uint32_t)packet[i + 1] << 8 | packet[i + 2];

		out[o++] = alphabet[v >> 18];
		out[o++] = alphabet[v >> 12 & 63];
		out[o++] = alphabet[v >> 6 & 63];
		out[o++] = alphabet[v & 63];
		if (i / 3 % 16 == 15)
			o += (size_t)sprintf(out + o, "\r\n");
	}
	sprintf(out + o, "\r\n-----END PGP MESSAGE-----\r\n");
	return out;
}

static void mail_from(const char *sender, int64_t size)
{
	transaction_mail(t, sender, NULL, size, "mx.y.test");
}

static enum transaction_reply recipient(const char *address)
{
	struct outcome out;

	return transaction_recipient(t, address, &out);
}

static void content(const struct sample *m)
{
	for (size_t i = 0; i < 8 && m->fields[i][0] != NULL; i++)
		transaction_header(t, m->fields[i][0], m->fields[i][1]);
	transaction_end_of_header(t);
	transaction_body(t, (const unsigned char *)m->body, m->len);
}

struct result {
	struct outcome outcome;
	char header[200]; /* "" : none */
	unsigned n_forged;
};

static struct result end(void)
{
	struct result r = {0};
	const char *header;

	transaction_end(t, "4ABC", &r.outcome, &header, &r.n_forged);
	if (header != NULL)
		snprintf(r.header, sizeof r.header, "%s", header);
	return r;
}

/* One message from bob@x.test to up to two recipients; returns how it ended. */
static struct result send_to(const struct sample *m, const char *one, const char *two)
{
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient(one), TRANSACTION_CONTINUE);
	if (two != NULL)
		assert_int_equal(recipient(two), TRANSACTION_CONTINUE);
	content(m);
	return end();
}

/* ---- one message ---- */

static void transaction_cleartext_to_protected_is_refused(void **state)
{
	struct result r = send_to(&cleartext, "encrypted@y.test", NULL);

	(void)state;
	assert_int_equal(r.outcome.action, ACTION_REFUSE);
	assert_string_equal(r.outcome.code, "550");
	assert_string_equal(r.header, "");
	assert_int_equal(fake.n_submitted, 1);
	assert_string_equal(record.queue_id, "4ABC");
	assert_string_equal(record.client, "192.0.2.1");
	assert_string_equal(record.host, "mx.y.test");
	assert_string_equal(record.sender, "bob@x.test");
	assert_string_equal(record.header_from, "bob@x.test");
	assert_string_equal(record.message_id, "<1@x.test>");
	assert_int_equal(record.judgement.verdict, VERDICT_CLEARTEXT);
	assert_int_equal(record.action, ACTION_REFUSE);
	assert_int_equal(record.declared_size_bytes, 500);
	assert_int_equal(record.n_recipients, 1);
	assert_string_equal(record.addresses[0], "encrypted@y.test");
	assert_false(record.recipients[0].passes);
	assert_false(record.is_local);
}

static void transaction_encrypted_to_protected_is_accepted(void **state)
{
	struct result r = send_to(&encrypted, "encrypted@y.test", NULL);

	(void)state;
	assert_int_equal(record.judgement.verdict, VERDICT_ENCRYPTED);
	assert_int_equal(r.outcome.action, ACTION_ACCEPT);
	assert_true(record.recipients[0].passes);
	assert_string_equal(record.message_id, "<2@x.test>");
}

static void transaction_messages_of_a_session_are_judged_on_their_own(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.action,
				 ACTION_ACCEPT);
		assert_string_equal(record.header_from, "eve@x.test");
		assert_int_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.action,
				 ACTION_REFUSE);
		assert_string_equal(record.header_from, "bob@x.test");
		assert_int_equal(record.n_recipients, 1);
	}
	assert_int_equal(fake.n_submitted, 4);
	assert_int_equal(fake.n_timed, 4);
}

static void transaction_aborted_leaves_nothing_behind(void **state)
{
	struct sample bare = {.body = encrypted.body, .len = encrypted.len};

	(void)state;
	transaction_mail(t, "first@x.test", "login", 99, "mx");
	recipient("exempt@y.test");
	content(&cleartext);
	transaction_reset(t);
	assert_int_equal(fake.n_submitted, 0);
	/* MAIL FROM without an end of the one before: likewise. */
	transaction_mail(t, "second@x.test", "login", 99, "mx");
	recipient("exempt@y.test");
	content(&cleartext);
	send_to(&bare, "encrypted@y.test", NULL);
	assert_int_equal(fake.n_submitted, 1);
	assert_int_equal(record.action, ACTION_ACCEPT);
	assert_int_equal(record.n_recipients, 1);
	assert_string_equal(record.sender, "bob@x.test");
	assert_string_equal(record.authenticated, "");
	assert_string_equal(record.header_from, "");
	assert_string_equal(record.message_id, "");
	assert_false(record.is_local);
}

static void transaction_without_mail_is_deferred(void **state)
{
	struct outcome out;

	(void)state;
	assert_int_equal(transaction_recipient(t, "exempt@y.test", &out), TRANSACTION_TEMPFAIL);
	content(&encrypted);
	assert_string_equal(end().outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
	/* An end that comes twice. */
	send_to(&encrypted, "exempt@y.test", NULL);
	assert_string_equal(end().outcome.code, "451");
}

static void transaction_without_content_is_cleartext(void **state)
{
	(void)state;
	mail_from("bob@x.test", SIZE_NOT_DECLARED);
	recipient("encrypted@y.test");
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
	assert_string_equal(record.judgement.reason, "no-body");
}

static void transaction_null_sender_both_ways_written(void **state)
{
	(void)state;
	mail_from("", SIZE_NOT_DECLARED);
	recipient("exempt@y.test");
	assert_string_equal(fake.query_sender, "<>");
	mail_from("<>", SIZE_NOT_DECLARED);
	recipient("exempt@y.test");
	assert_string_equal(fake.query_sender, "<>");
}

/* ---- who asks ---- */

static void transaction_tells_the_policy_who_it_is(void **state)
{
	(void)state;
	mail_from("bob@x.test", 500);
	recipient("exempt@y.test");
	assert_non_null(fake.query.client);
	assert_false(fake.query.is_authenticated);
	assert_false(fake.query.is_submitted_locally);
	assert_int_equal(fake.query.declared_size_bytes, 500);
	assert_null(fake.query.header_from);

	transaction_mail(t, "bob@x.test", "bob", 500, NULL);
	recipient("exempt@y.test");
	assert_true(fake.query.is_authenticated);

	transaction_client(t, "127.0.0.1", true);
	mail_from("bob@x.test", SIZE_NOT_DECLARED);
	recipient("exempt@y.test");
	assert_true(fake.query.is_submitted_locally);
	assert_null(fake.query.client);
	content(&cleartext);
	end();
	assert_true(record.is_local);
	assert_string_equal(record.client, "");
}

static void transaction_ratchet_asks_again_when_from_is_known(void **state)
{
	struct sample locked = cleartext, two_fields = cleartext;

	(void)state;
	assert_int_equal(send_to(&cleartext, "ratchet@y.test", NULL).outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.recipients[0].demand, REQUIREMENT_OBSERVE);
	locked.fields[0][1] = " alice@locked.test";
	assert_int_equal(send_to(&locked, "ratchet@y.test", NULL).outcome.action, ACTION_REFUSE);
	assert_int_equal(record.recipients[0].requirement, REQUIREMENT_RATCHET);
	assert_int_equal(record.recipients[0].demand, REQUIREMENT_ENCRYPTED);
	/* A second field, or a second author, does not hide the one who locks. */
	locked.fields[0][1] = " Bob <bob@x.test>, Alice <alice@locked.test>";
	assert_int_equal(send_to(&locked, "ratchet@y.test", NULL).outcome.action, ACTION_REFUSE);
	assert_string_equal(record.header_from, "");
	two_fields.fields[1][0] = "From";
	two_fields.fields[1][1] = " alice@locked.test";
	assert_int_equal(send_to(&two_fields, "ratchet@y.test", NULL).outcome.action, ACTION_REFUSE);
	/* Two ratchets of which one locks are mixed, which was not to be seen at RCPT. */
	assert_int_equal(send_to(&locked, "ratchet@open.test", "ratchet@y.test").outcome.action,
			 ACTION_SPLIT);
	/* The next message does not inherit it. */
	assert_int_equal(send_to(&cleartext, "ratchet@y.test", NULL).outcome.action, ACTION_ACCEPT);
}

/* ---- mixed recipients ---- */

static void transaction_mixed_is_split(void **state)
{
	struct result r = send_to(&cleartext, "exempt@y.test", "encrypted@y.test");

	(void)state;
	assert_int_equal(r.outcome.action, ACTION_SPLIT);
	assert_string_equal(r.outcome.code, "451");
	assert_int_equal(record.action, ACTION_SPLIT);
	assert_true(record.has_split_digest);
	assert_true(record.recipients[0].passes);
	assert_false(record.recipients[1].passes);
}

static void transaction_mixed_encrypted_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(send_to(&encrypted, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_ACCEPT);
	assert_false(record.has_split_digest);
}

static void transaction_mixed_a_third_time_is_refused_with_names(void **state)
{
	struct result r;

	(void)state;
	fake.attempts = 1;
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_SPLIT);
	fake.attempts = 2;
	r = send_to(&cleartext, "exempt@y.test", "encrypted@y.test");
	assert_int_equal(r.outcome.action, ACTION_REFUSE);
	assert_non_null(strstr(record.reply, "<encrypted@y.test>"));
	assert_null(strstr(record.reply, "<exempt@y.test>"));
}

static void transaction_mixed_from_our_own_is_refused_at_once(void **state)
{
	(void)state;
	transaction_client(t, "127.0.0.1", false);
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_REFUSE);
	transaction_client(t, "127.0.0.1", true);
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_REFUSE);
	transaction_client(t, "192.0.2.1", false);
	transaction_mail(t, "bob@x.test", "bob", 500, NULL);
	recipient("exempt@y.test");
	recipient("encrypted@y.test");
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
}

static void transaction_mixed_refuse_is_refused_at_once(void **state)
{
	(void)state;
	use_settings("mixed_recipients=refuse", NULL);
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_REFUSE);
}

static void transaction_recipient_of_the_other_class_is_deferred(void **state)
{
	struct outcome out;

	(void)state;
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(transaction_recipient(t, "passed.exempt@y.test", &out), TRANSACTION_DEFER);
	assert_string_equal(out.code, "450");
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(recipient("exempt@y.test"), TRANSACTION_CONTINUE);
	transaction_reset(t);
	/* The other way round, in a transaction of its own. */
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient("passed.exempt@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_DEFER);
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.n_recipients, 1);
}

static void transaction_sendmail_is_never_deferred_at_rcpt(void **state)
{
	(void)state;
	transaction_client(t, "127.0.0.1", true);
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient("passed.exempt@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_CONTINUE);
	fake.policy_fails = true;
	assert_int_equal(recipient("exempt@y.test"), TRANSACTION_CONTINUE);
	fake.policy_fails = false;
	assert_int_equal(recipient("exempt@y.test"), TRANSACTION_CONTINUE);
	content(&encrypted);
	assert_string_equal(end().outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
}

/* The digest of a message to two recipients with one thing changed. */
static void digest_of(const struct sample *m, const char *sender, const char *one, const char *two,
		      unsigned char out[32])
{
	mail_from(sender, 500);
	recipient(one);
	recipient(two);
	content(m);
	assert_int_equal(end().outcome.action, ACTION_SPLIT);
	memcpy(out, record.split_digest, 32);
}

static void transaction_digest_knows_a_message_again(void **state)
{
	static char body[200 * 1024];
	struct sample m = {.fields = {{"From", " a@b"}, {"Subject", " x"}}, .body = body};
	struct sample other = m;
	unsigned char first[32], second[32];

	(void)state;
	memset(body, 'x', sizeof body);
	m.len = other.len = sizeof body;
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@y.test", first);
	digest_of(&m, "a@x.test", "encrypted@y.test", "exempt@y.test", second);
	assert_memory_equal(first, second, 32); /* order of recipients */
	other.fields[2][0] = "Received";
	other.fields[2][1] = " by another relay";
	digest_of(&other, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_equal(first, second, 32); /* what relays add */
	digest_of(&m, "b@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_not_equal(first, second, 32);
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@z.test", second);
	assert_memory_not_equal(first, second, 32);
	other = m;
	other.fields[1][1] = " y";
	digest_of(&other, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_not_equal(first, second, 32);
	body[64 * 1024] = 'y';
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_equal(first, second, 32); /* beyond the first 64 KiB */
	body[64 * 1024 - 1] = 'y';
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_not_equal(first, second, 32);
}

/* ---- faults ---- */

static void transaction_policy_failing_defers_at_rcpt(void **state)
{
	struct outcome out;

	(void)state;
	mail_from("bob@x.test", 500);
	fake.policy_fails = true;
	assert_int_equal(transaction_recipient(t, "exempt@y.test", &out), TRANSACTION_TEMPFAIL);
	assert_string_equal(out.code, "451");
	fake.policy_fails = false;
	assert_int_equal(recipient("encrypted@y.test"), TRANSACTION_CONTINUE);
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
	assert_int_equal(record.n_recipients, 1);
}

static void transaction_policy_failing_and_accept_lets_through(void **state)
{
	(void)state;
	use_settings("on_database_error=accept", NULL);
	fake.policy_fails = true;
	assert_int_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.recipients[0].demand, REQUIREMENT_OBSERVE);
}

static void transaction_log_failing_defers(void **state)
{
	(void)state;
	fake.log_fails = true;
	assert_string_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.code, "451");
	assert_string_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.code, "451");
	use_settings("add_header=yes", NULL);
	assert_string_equal(send_to(&encrypted, "encrypted@y.test", NULL).header, "");
	fake.log_fails = false;
	assert_int_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.action, ACTION_ACCEPT);
}

static void transaction_log_failing_and_accept_keeps_the_answer(void **state)
{
	(void)state;
	use_settings("on_database_error=accept", NULL);
	fake.log_fails = true;
	assert_int_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.action, ACTION_ACCEPT);
	assert_int_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.action, ACTION_REFUSE);
}

static void transaction_ratchet_failing_at_the_end_defers(void **state)
{
	(void)state;
	mail_from("bob@x.test", 500);
	recipient("ratchet@y.test");
	content(&cleartext);
	fake.policy_fails = true;
	assert_string_equal(end().outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
}

static void transaction_attempts_failing_defers_without_a_record(void **state)
{
	(void)state;
	fake.attempts = -1;
	assert_string_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.code,
			    "451");
	assert_int_equal(fake.n_submitted, 0);
}

/* ---- enforcement off, header ---- */

static void transaction_enforce_no_says_what_would_be(void **state)
{
	struct result r;

	(void)state;
	use_settings("enforce=no", NULL);
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.would, ACTION_REFUSE);
	use_settings(NULL, NULL);
	fake.is_paused = true;
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.would, ACTION_REFUSE);
}

static void transaction_header_is_added_and_forged_ones_are_counted(void **state)
{
	struct sample m = encrypted;
	struct result r;

	(void)state;
	m.fields[2][0] = "X-PGP-Gate";
	m.fields[3][0] = "x-pgp-GATE \t";
	m.fields[4][0] = "X-PGP-Gateway";
	m.fields[5][0] = "X-PGP-Gate";
	for (int i = 2; i < 6; i++)
		m.fields[i][1] = " verdict=encrypted";

	r = send_to(&m, "encrypted@y.test", NULL);
	assert_string_equal(r.header, "");
	assert_int_equal(r.n_forged, 0); /* a mode that adds none leaves them */
	use_settings("add_header=yes", NULL);
	r = send_to(&m, "encrypted@y.test", NULL);
	assert_string_equal(r.header, "verdict=encrypted; form=pgp-inline");
	assert_int_equal(r.n_forged, 3);
	r = send_to(&encrypted, "encrypted@y.test", NULL);
	assert_int_equal(r.n_forged, 0);
}

static void transaction_tag_and_quarantine_carry_the_reason(void **state)
{
	struct result r;

	(void)state;
	use_settings("on_refusal=tag", NULL);
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_TAG);
	assert_non_null(strstr(r.header, "verdict=cleartext; form=none; reason="));
	use_settings("on_refusal=quarantine", NULL);
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_QUARANTINE);
	assert_non_null(strstr(r.header, "verdict=cleartext; form=none; reason="));
	/* What passes gets none, but loses a forged one. */
	r = send_to(&encrypted, "encrypted@y.test", NULL);
	assert_string_equal(r.header, "");
}

static void transaction_recipients_are_bounded(void **state)
{
	struct outcome out;
	char address[64];

	(void)state;
	mail_from("bob@x.test", 500);
	for (int i = 0; i < 10000; i++) {
		snprintf(address, sizeof address, "r%d@y.test", i);
		assert_int_equal(recipient(address), TRANSACTION_CONTINUE);
	}
	assert_int_equal(transaction_recipient(t, "one.more@y.test", &out), TRANSACTION_DEFER);
	assert_string_equal(out.code, "452");
	assert_string_equal(out.enhanced, "4.5.3");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(transaction_cleartext_to_protected_is_refused),
		TEST(transaction_encrypted_to_protected_is_accepted),
		TEST(transaction_messages_of_a_session_are_judged_on_their_own),
		TEST(transaction_aborted_leaves_nothing_behind),
		TEST(transaction_without_mail_is_deferred),
		TEST(transaction_without_content_is_cleartext),
		TEST(transaction_null_sender_both_ways_written),
		TEST(transaction_tells_the_policy_who_it_is),
		TEST(transaction_ratchet_asks_again_when_from_is_known),
		TEST(transaction_mixed_is_split),
		TEST(transaction_mixed_encrypted_is_accepted),
		TEST(transaction_mixed_a_third_time_is_refused_with_names),
		TEST(transaction_mixed_from_our_own_is_refused_at_once),
		TEST(transaction_mixed_refuse_is_refused_at_once),
		TEST(transaction_recipient_of_the_other_class_is_deferred),
		TEST(transaction_sendmail_is_never_deferred_at_rcpt),
		TEST(transaction_digest_knows_a_message_again),
		TEST(transaction_policy_failing_defers_at_rcpt),
		TEST(transaction_policy_failing_and_accept_lets_through),
		TEST(transaction_log_failing_defers),
		TEST(transaction_log_failing_and_accept_keeps_the_answer),
		TEST(transaction_ratchet_failing_at_the_end_defers),
		TEST(transaction_attempts_failing_defers_without_a_record),
		TEST(transaction_enforce_no_says_what_would_be),
		TEST(transaction_header_is_added_and_forged_ones_are_counted),
		TEST(transaction_tag_and_quarantine_carry_the_reason),
		TEST(transaction_recipients_are_bounded),
	};
	int result;

	log_open("test_transaction", true, 0);
	cleartext.body = strdup("Hello,\r\nthis can be read by anyone.\r\n");
	cleartext.len = strlen(cleartext.body);
	encrypted.body = make_armor();
	encrypted.len = strlen(encrypted.body);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	free(cleartext.body);
	free(encrypted.body);
	return result;
}
