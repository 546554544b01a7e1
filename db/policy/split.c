/* SPDX-License-Identifier: ISC */
#include "db/policy/split.h"

#include <stdio.h>
#include <string.h>

#include "common/copy.h"
#include "db/engine/key.h"
#include "db/policy/policy_internal.h"

#define SPLIT_VAIN_MAX \
	3 /* transactions in a row that came to nothing: then nobody waits for the larger class */
#define SPLIT_VAIN_MAX_YIELDING \
	6 /* and after so many, or after those where nobody had to, deferring is given up */
#define BATV_TAG_LEN 10 /* draft-levine-smtp-batv: key number, day, hash */

/* ---- the sender ---- */

/* "prvs=0123abcdef=", "btv1==0123abcdef==": bytes of such a tag in front of a local part. */
static size_t batv_len(const char *local)
{
	static const char *const marks[] = {"prvs=", "btv1=="};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		const size_t len = strlen(marks[i]);
		const size_t n_equal = i + 1; /* after the tag, as after the word */

		if (strncmp(local, marks[i], len) == 0 &&
		    strspn(local + len, "0123456789abcdef") == BATV_TAG_LEN &&
		    strncmp(local + len + BATV_TAG_LEN, "==", n_equal) == 0)
			return len + BATV_TAG_LEN + n_equal;
	}
	return 0;
}

/* What stands behind "hash=time=", or NULL. */
static const char *after_srs_time(const char *p)
{
	for (int i = 0; i < 2; i++) {
		p += strcspn(p, "=@");
		if (*p++ != '=')
			return NULL;
	}
	return p;
}

/* SRS0=hash=time=domain=local, SRS1=hash=forwarder==hash=time=domain=local; the first separator may
 * be '+' or '-'. */
static bool write_srs(const char *sender, char out[ADDRESS_MAX + 1])
{
	const char *rest = sender + 5, *forwarder, *end;

	if (strncmp(sender, "srs", 3) != 0 || (sender[3] != '0' && sender[3] != '1') ||
	    (sender[4] != '=' && sender[4] != '+' && sender[4] != '-'))
		return false;
	if (sender[3] == '0') {
		rest = after_srs_time(rest);
		if (rest == NULL)
			return false;
		snprintf(out, ADDRESS_MAX + 1, "srs0=%s", rest);
		return true;
	}
	forwarder = rest + strcspn(rest, "=@");
	if (*forwarder++ != '=')
		return false;
	end = forwarder + strcspn(forwarder, "=@");
	if (end[0] != '=' || strchr("=+-", end[1]) == NULL || end[1] == '\0')
		return false;
	rest = after_srs_time(end + 2);
	if (rest == NULL)
		return false;
	snprintf(out, ADDRESS_MAX + 1, "srs1=%.*s=%s", (int)(end - forwarder), forwarder, rest);
	return true;
}

const char *split_sender(const char *sender, char out[ADDRESS_MAX + 1])
{
	if (!write_srs(sender, out))
		copy_text(out, ADDRESS_MAX + 1, sender + batv_len(sender));
	return out;
}

/* ---- the client ---- */

static bool is_name(const char *name)
{
	struct netaddr address;
	char err[256];

	return name != NULL && strchr(name, '.') != NULL && name[0] != '[' &&
	       netaddr_parse(name, &address, err, sizeof err) != 0;
}

static void write_domain(const char *name, char out[SPLIT_CLIENT_MAX])
{
	char lower[SPLIT_CLIENT_MAX];
	size_t n = 0;

	for (; name[n] != '\0' && n < sizeof lower - 1; n++)
		lower[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + ('a' - 'A'))
							    : name[n];
	while (n > 0 && lower[n - 1] == '.')
		n--;
	lower[n] = '\0';
	snprintf(out, SPLIT_CLIENT_MAX, "%s", key_registrable(lower));
}

static void write_network(const struct netaddr *address, char out[SPLIT_CLIENT_MAX])
{
	static const struct netaddr ipv4 = {{[10] = 0xff, [11] = 0xff}, 96};
	struct netaddr network = *address;
	char text[NETADDR_TEXT_MAX];

	network.prefix_bits = netaddr_contains(&ipv4, address) ? 96 + 24 : 64;
	for (size_t i = network.prefix_bits / 8; i < sizeof network.octets; i++)
		network.octets[i] = 0;
	snprintf(out, SPLIT_CLIENT_MAX, "%s", netaddr_format(&network, text));
}

/* Who is taken for the client that was there before, as an address may be anybody's: whoever has a
 * verified name in the same registrable domain, since large senders try again from elsewhere;
 * without a name the network, /24 or /64. Canonical text of the address, or "" or NULL; name: see
 * policy.h. Returns out. */
static const char *split_client(const char *address, const char *name, char out[SPLIT_CLIENT_MAX])
{
	struct netaddr parsed;
	char err[256];

	out[0] = '\0';
	if (is_name(name))
		write_domain(name, out);
	else if (address != NULL && netaddr_parse(address, &parsed, err, sizeof err) == 0)
		write_network(&parsed, out);
	return out;
}

const char *split_key(const struct hashed *h, const char *sender, const char *client_address,
		      const char *client_name, char out[KEY_MAX])
{
	char plain[ADDRESS_MAX + 1], client[SPLIT_CLIENT_MAX], hash[HASHED_ADDRESS_MAX];
	size_t len;

	key_stored(h, split_sender(sender, plain), out);
	len = strlen(out);
	split_client(client_address, client_name, client);
	snprintf(out + len, KEY_MAX - len, " %s", hashed_shown(h, HASHED_CLIENT, client, hash));
	return out;
}

/* ---- what is asked ---- */

/* RFC 1870 has no way to say "I do not know"; clients say nothing, or 0. They have evidence of
 * their own. */
static int64_t size_key(int64_t declared_size_bytes)
{
	return declared_size_bytes > 0 ? declared_size_bytes : 0;
}

/* Binds sender and size, which all statements begin with. NULL on failure. */
static sqlite3_stmt *bind_message(struct db *d, enum sql_statement which, const char *sender_key,
				  int64_t declared_size_bytes)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st != NULL) {
		db_bind_text(st, 1, sender_key);
		db_bind_int(st, 2, size_key(declared_size_bytes));
	}
	return st;
}

/* Are recipients of the other class still to be answered? 1, 0, -1. */
static int has_others(struct db *d, const char *sender, const struct policy_query *q,
		      const unsigned char digest[32], bool passed)
{
	sqlite3_stmt *st = bind_message(d, SQL_POLICY_SPLIT_OTHERS, sender, q->declared_size_bytes);
	int got;

	if (st == NULL)
		return -1;
	sqlite3_bind_blob(st, 3, digest, 32, SQLITE_STATIC);
	db_bind_int(st, 4, !passed);
	db_bind_int(st, 5, q->now_unix - SPLIT_EVIDENCE_S);
	got = db_step(d, st);
	sqlite3_reset(st);
	return got;
}

/* How many transactions in a row came to nothing; -1: failure. */
static int64_t ask_vain(struct db *d, const char *sender, const struct policy_query *q)
{
	sqlite3_stmt *st = bind_message(d, SQL_POLICY_SPLIT_VAIN, sender, q->declared_size_bytes);
	int64_t n = 0;
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 3, q->now_unix - SPLIT_EVIDENCE_S);
	got = db_step(d, st);
	if (got == 1) {
		n = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	return got < 0 ? -1 : n;
}

/* Does anybody wait, in a message of this sender and size, for a larger class? 1, 0, -1. */
static int has_yielding(struct db *d, const char *sender, const struct policy_query *q)
{
	sqlite3_stmt *st = bind_message(d, SQL_POLICY_SPLIT_YIELDING, sender,
					q->declared_size_bytes);
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 3, q->now_unix - SPLIT_EVIDENCE_S);
	got = db_step(d, st);
	sqlite3_reset(st);
	return got;
}

static int ask_evidence(struct db *d, const char *sender, const struct policy_query *q,
			struct policy_answer *a)
{
	unsigned char digest[SPLIT_MESSAGES_MAX][32] = {{0}};
	bool yields[SPLIT_MESSAGES_MAX] = {false};
	char recipient_key[KEY_MAX];
	sqlite3_stmt *st = bind_message(d, SQL_POLICY_SPLIT, sender, q->declared_size_bytes);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 3, key_stored(&d->hashed, q->recipient->text, recipient_key));
	db_bind_int(st, 4, q->now_unix - SPLIT_EVIDENCE_S);
	while ((got = db_step(d, st)) == 1 && a->n_split < SPLIT_MESSAGES_MAX) {
		struct split_evidence *e = &a->split[a->n_split];

		if (sqlite3_column_bytes(st, 0) == 32)
			memcpy(digest[a->n_split], sqlite3_column_blob(st, 0), 32);
		memcpy(&e->message, digest[a->n_split], sizeof e->message);
		e->passed = sqlite3_column_int(st, 1) != 0;
		yields[a->n_split++] = sqlite3_column_int(st, 2) != 0;
	}
	sqlite3_reset(st);
	/* Of several messages one decides for all recipients alike: the first digest. Else each
	 * could wait for the other's. */
	if (got >= 0 && a->n_split > 0 && yields[0]) {
		got = has_others(d, sender, q, digest[0], a->split[0].passed);
		a->split_yields = got == 1;
	}
	return got < 0 ? -1 : 0;
}

/* A client that tries each recipient when its own time has come may bring those who wait by
 * themselves, and then nothing is left of the transaction; the larger class comes another time. So
 * waiting ends first: whoever comes then gets an answer. */
static int ask_whether_vain(struct db *d, const char *sender, const struct policy_query *q,
			    struct policy_answer *a)
{
	const int64_t n = ask_vain(d, sender, q);
	int yields = 0;

	if (n < SPLIT_VAIN_MAX)
		return n < 0 ? -1 : 0;
	a->split_yields = false;
	if (n < SPLIT_VAIN_MAX_YIELDING)
		yields = has_yielding(d, sender, q);
	a->is_split_vain = yields == 0;
	return yields < 0 ? -1 : 0;
}

/* Is there evidence of any message? Remembered as long as nothing is committed. 1, 0, -1. */
static int is_any_split(struct db *d)
{
	int64_t found = 0;

	if (d->seen.is_known && d->seen.has_splits)
		return d->seen.is_any_split;
	if (db_one(d, SQL_POLICY_SPLIT_ANY, &found) != 0)
		return -1;
	d->seen.has_splits = d->seen.is_known;
	d->seen.is_any_split = found != 0;
	return found != 0;
}

int policy_ask_split(struct db *d, const struct policy_query *q, struct policy_answer *a)
{
	char sender[KEY_MAX], client[NETADDR_TEXT_MAX] = "";
	int any;

	a->n_split = 0;
	a->split_yields = a->is_split_vain = false;
	any = is_any_split(d);
	if (any != 1)
		return any;
	if (q->client != NULL)
		netaddr_format(q->client, client);
	split_key(&d->hashed, q->sender->text, client, q->client_name, sender);
	if (ask_evidence(d, sender, q, a) != 0)
		return -1;
	return a->n_split == 0 ? 0 : ask_whether_vain(d, sender, q, a);
}

bool policy_split_defers(struct policy_split *t, const struct policy_answer *a)
{
	/* A recipient without evidence goes with any: it was not in a message that was split. */
	if (a->n_split == 0 || a->is_split_vain)
		return false;
	if (a->split_yields)
		return true;
	for (size_t i = 0; i < a->n_split; i++)
		for (size_t k = 0; k < t->n; k++)
			if (t->seen[k].message == a->split[i].message &&
			    t->seen[k].passed != a->split[i].passed)
				return true;
	for (size_t i = 0; i < a->n_split; i++) {
		size_t k = 0;

		while (k < t->n && t->seen[k].message != a->split[i].message)
			k++;
		if (k == t->n && t->n < SPLIT_SEEN_MAX)
			t->seen[t->n++] = a->split[i];
	}
	return false;
}

int policy_split_attempts(struct db *d, const unsigned char digest[32], int64_t now_unix)
{
	sqlite3_stmt *st;
	int got = -1, n = 0;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_POLICY_ATTEMPTS);
	if (st != NULL) {
		sqlite3_bind_blob(st, 1, digest, 32, SQLITE_STATIC);
		got = db_step(d, st);
	}
	if (got == 1) {
		n = sqlite3_column_int(st, 0);
		/* Less than 5 minutes after the last one this is the same attempt. */
		if (now_unix - sqlite3_column_int64(st, 1) < ATTEMPT_INTERVAL_S)
			n--;
		sqlite3_reset(st);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? n : -1;
}

/* ---- what is written ---- */

int split_write(struct db *d, const struct split_message *m, const char *recipient_key, bool passed,
		bool yields)
{
	sqlite3_stmt *st = bind_message(d, SQL_SPLIT_INSERT, m->sender_key, m->declared_size_bytes);

	if (st == NULL)
		return -1;
	db_bind_text(st, 3, recipient_key);
	sqlite3_bind_blob(st, 4, m->digest, 32, SQLITE_STATIC);
	db_bind_int(st, 5, passed);
	db_bind_int(st, 6, yields);
	db_bind_int(st, 7, m->time_unix);
	return db_run(d, st);
}

int split_forget_other_sizes(struct db *d, const struct split_message *m)
{
	sqlite3_stmt *st = bind_message(d, SQL_SPLIT_OTHER_SIZES, m->sender_key,
					m->declared_size_bytes);

	if (st == NULL)
		return -1;
	sqlite3_bind_blob(st, 3, m->digest, 32, SQLITE_STATIC);
	return db_run(d, st);
}

int split_done(struct db *d, const struct split_message *m, const char *recipient_key)
{
	sqlite3_stmt *st = bind_message(d, SQL_SPLIT_DONE, m->sender_key, m->declared_size_bytes);

	if (st == NULL)
		return -1;
	db_bind_text(st, 3, recipient_key);
	sqlite3_bind_blob(st, 4, m->digest, 32, SQLITE_STATIC);
	return db_run(d, st);
}

int split_progress(struct db *d, const struct split_message *m)
{
	sqlite3_stmt *st = bind_message(d, SQL_VAIN_DELETE, m->sender_key, m->declared_size_bytes);

	return st == NULL ? -1 : db_run(d, st);
}

int split_vain(struct db *d, const struct split_message *m)
{
	sqlite3_stmt *st = bind_message(d, SQL_VAIN_INSERT, m->sender_key, m->declared_size_bytes);

	if (st == NULL)
		return -1;
	db_bind_int(st, 3, m->time_unix);
	return db_run(d, st);
}

int split_attempt(struct db *d, const unsigned char digest[32], int64_t now_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_ATTEMPT_INSERT);

	if (st == NULL)
		return -1;
	sqlite3_bind_blob(st, 1, digest, 32, SQLITE_STATIC);
	db_bind_int(st, 2, now_unix);
	db_bind_int(st, 3, ATTEMPT_INTERVAL_S);
	return db_run(d, st);
}
