/* SPDX-License-Identifier: ISC
 *
 * transaction_fixture.h: the filter's transaction with the real scanner, judgement and outcome, and
 * with a policy and a verdict log of the test's own, so that each can be made to fail. Included
 * once in a test program.
 */
#ifndef PGPGATE_TESTS_TRANSACTION_FIXTURE_H
#define PGPGATE_TESTS_TRANSACTION_FIXTURE_H

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

/* What recipients want is in their local part: exempt@, observe@, signed@, encrypted@, bounce@ (as
 * encrypted@, and expects one), ratchet@ (locked for the From: address alice@locked.test, except
 * ratchet@open.test); passed.X@ and failed.X@ have split evidence besides. */
static struct {
	bool policy_fails, log_fails, is_paused, is_stale;
	unsigned n_asked,
		fails_at; /* questions to the database so far; which one fails (0: none) */
	int attempts;
	bool is_split_vain;
	bool expects_no_bounce; /* bounce@: too many came */
	bool hand_over_fails;
	const char *other_key; /* whose own_key is as follows; others' is good */
	enum own_key_state own_key;
	unsigned n_handed_over;				 /* answers */
	unsigned n_policy, n_submitted, n_timed, n_pool; /* n_pool: connections out */
	struct policy_query query;			 /* the last; its pointers are dead */
	char query_sender[400];
	bool has_added_domain; /* its recipient */
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
	bool is_local, has_split_digest, counts_attempt, is_vain;
	unsigned char split_digest[32], attempt_digest[32];
	int64_t declared_size_bytes;
} record;

static inline bool this_one_fails(void)
{
	return ++fake.n_asked == fake.fails_at;
}

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

bool policy_split_defers(struct policy_split *t, const struct policy_answer *a)
{
	if (a->n_split == 0 || a->is_split_vain)
		return false;
	if (t->n == 0)
		t->seen[t->n++] = a->split[0];
	return t->seen[0].passed != a->split[0].passed;
}

int policy_own_key(struct db *d, const struct settings *s, const struct address *recipient,
		   const struct judgement *j, int64_t now_unix, struct own_key *out)
{
	(void)d;
	(void)s;
	(void)j;
	(void)now_unix;
	if (this_one_fails())
		return -1;
	*out = (struct own_key){
		.state = fake.other_key != NULL && strcmp(recipient->text, fake.other_key) == 0
				 ? fake.own_key
				 : OWN_KEY_GOOD};
	return 0;
}

static inline bool names(const struct from_header *from, const char *address)
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
	fake.has_added_domain = q->recipient->has_added_domain;
	if (this_one_fails() || fake.policy_fails)
		return -1;
	memset(a, 0, sizeof *a);
	a->is_paused = fake.is_paused;
	a->is_stale = fake.is_stale;
	if (strncmp(word, "passed.", 7) == 0 || strncmp(word, "failed.", 7) == 0) {
		a->n_split = 1;
		a->split[0].passed = word[0] == 'p';
		a->is_split_vain = fake.is_split_vain;
		word += 7;
	}
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "@"), word);
	if (requirement_from_name(name, &a->requirement) != 0)
		a->requirement = REQUIREMENT_ENCRYPTED;
	a->demand = a->requirement;
	a->source = SOURCE_DEFAULT;
	a->expects_bounce = strcmp(name, "bounce") == 0 && !fake.expects_no_bounce;
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

int policy_split_attempts(struct db *d, const unsigned char digest[32], int64_t now_unix)
{
	(void)d;
	(void)digest;
	(void)now_unix;
	return this_one_fails() ? -1 : fake.attempts;
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
	if (this_one_fails() || fake.log_fails) {
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
	record.counts_attempt = r->counts_attempt;
	record.is_vain = r->is_vain;
	memcpy(record.attempt_digest, r->attempt_digest, sizeof record.attempt_digest);
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

static inline struct settings *settings_in_force(void *owner)
{
	(void)owner;
	return settings_ref(settings);
}

static inline int64_t now(void)
{
	return 1000000;
}

static const struct filter_context context = {
	.settings = settings_in_force,
	.now_unix = now,
	.hashed = &hashed,
	.database_trouble = &trouble,
};

static inline void use_settings(const char *one, const char *two)
{
	const char *overrides[] = {"local_clients=127.0.0.0/8", one, two};
	char err[300];

	settings_unref(settings);
	settings = settings_load("/nonexistent", true, overrides,
				 1u + (one != NULL) + (two != NULL), err, sizeof err);
	if (settings == NULL)
		fail_msg("%s", err);
}

static inline int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof fake);
	memset(&record, 0, sizeof record);
	use_settings(NULL, NULL);
	t = transaction_new(&context);
	transaction_client(t, "192.0.2.1", false);
	return 0;
}

static inline int tear_down(void **state)
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
	.fields = {{"From", " Bob <bob@x.test>"},
		   {"Message-ID", " <1@x.test>"},
		   {"Subject", " Hi"}},
};
static struct sample encrypted = {
	.fields = {{"From", " Eve <eve@x.test>"}, {"Message-ID", "\t<2@x.test> "}},
};

/* An armored message of one PKESK and one SEIPD, made here: the scanner reads structure only. */
static inline char *make_armor(void)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char packet[540] = {0};
	char *out = calloc(1, 2000);
	size_t n = 0, o;
	uint32_t random = 12345;

	assert_non_null(out);
	/* PKESK v3, a key id, X25519 (RFC 9580 section 5.1): 32 octets, then one length octet and
	 * the rest. */
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
		uint32_t v = (uint32_t)packet[i] << 16 | (uint32_t)packet[i + 1] << 8 |
			     packet[i + 2];

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

static inline void mail_from(const char *sender, int64_t size)
{
	transaction_mail(t, sender, NULL, size, "mx.y.test");
}

static inline enum transaction_reply recipient(const char *address)
{
	struct outcome out;

	return transaction_recipient(t, address, &out);
}

static inline void content(const struct sample *m)
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

/* Stands in for libmilter. */
static inline int hand_over(void *result, const struct outcome *out, const char *header_value,
			    unsigned n_forged)
{
	struct result *r = result;

	/* A refusal from what may be old is one. */
	assert_true(out->action != ACTION_TEMPFAIL || fake.is_stale);
	if (fake.hand_over_fails)
		return -1;
	fake.n_handed_over++;
	snprintf(r->header, sizeof r->header, "%s", header_value != NULL ? header_value : "");
	r->n_forged = n_forged;
	return 0;
}

static inline struct result end(void)
{
	struct result r = {0};

	transaction_end(t, "4ABC", hand_over, &r, &r.outcome);
	/* Handed over, and void. */
	if (r.outcome.action == ACTION_TEMPFAIL)
		r.header[0] = '\0';
	return r;
}

/* One message from bob@x.test to up to two recipients; returns how it ended. */
static inline struct result send_to(const struct sample *m, const char *one, const char *two)
{
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient(one), TRANSACTION_CONTINUE);
	if (two != NULL)
		assert_int_equal(recipient(two), TRANSACTION_CONTINUE);
	content(m);
	return end();
}

static inline int run_transaction_tests(const char *name, const struct CMUnitTest *tests, size_t n)
{
	int result;

	log_open(name, true, 0);
	cleartext.body = strdup("Hello,\r\nthis can be read by anyone.\r\n");
	cleartext.len = strlen(cleartext.body);
	encrypted.body = make_armor();
	encrypted.len = strlen(encrypted.body);
	result = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
	free(cleartext.body);
	free(encrypted.body);
	return result;
}

/* Each test with a transaction of its own. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
