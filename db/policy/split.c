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

/* How many recipients of this class of a message have no answer yet, up to one more than may be
 * deferred; -1: failure. */
static int count_class(struct db *d, const char *sender, const struct policy_query *q,
		       const unsigned char digest[32], bool passed)
{
	sqlite3_stmt *st = bind_message(d, SQL_POLICY_SPLIT_COUNT, sender, q->declared_size_bytes);
	int got, n = 0;

	if (st == NULL)
		return -1;
	sqlite3_bind_blob(st, 3, digest, 32, SQLITE_STATIC);
	db_bind_int(st, 4, passed);
	db_bind_int(st, 5, q->now_unix - SPLIT_EVIDENCE_S);
	db_bind_int(st, 6, SPLIT_DEFER_MAX + 1);
	got = db_step(d, st);
	if (got == 1)
		n = sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	return got < 0 ? -1 : n;
}

/* e->yields: as it was when this message last came. The smaller class waits where the other one is
 * too large. Both can be where a client brings the recipients of a message in several transactions:
 * then what counts is how it was in the one of this recipient. 0 or -1. */
static int ask_classes(struct db *d, const char *sender, const struct policy_query *q,
		       const unsigned char digest[32], struct split_evidence *e)
{
	const int n_like = count_class(d, sender, q, digest, e->passed);
	const int n_unlike = count_class(d, sender, q, digest, !e->passed);

	if (n_like < 0 || n_unlike < 0)
		return -1;
	e->n_like = (unsigned char)n_like;
	e->n_unlike = (unsigned char)n_unlike;
	e->yields = n_unlike > SPLIT_DEFER_MAX && (n_like <= SPLIT_DEFER_MAX || e->yields);
	return 0;
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

/* Is there a row of this sender and size? 1, 0, -1. */
static int is_there(struct db *d, enum sql_statement which, const char *sender,
		    const struct policy_query *q)
{
	sqlite3_stmt *st = bind_message(d, which, sender, q->declared_size_bytes);
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 3, q->now_unix - SPLIT_EVIDENCE_S);
	got = db_step(d, st);
	sqlite3_reset(st);
	return got;
}

/* Who was not seen for longest comes first: it is the next in turn, and what is never seen again is
 * forgotten by the first that is seen twice meanwhile (split_forget_overtaken()). */
static size_t place_in_turn(const int64_t *seen_unix, size_t n, int64_t time_unix)
{
	while (n > 0 && seen_unix[n - 1] > time_unix)
		n--;
	return n;
}

static int ask_evidence(struct db *d, const char *sender, const struct policy_query *q,
			struct policy_answer *a)
{
	unsigned char digest[SPLIT_MESSAGES_MAX + 1][32] = {{0}};
	int64_t seen_unix[SPLIT_MESSAGES_MAX + 1];
	char recipient_key[KEY_MAX];
	sqlite3_stmt *st = bind_message(d, SQL_POLICY_SPLIT, sender, q->declared_size_bytes);
	int got = 0;

	if (st == NULL)
		return -1;
	db_bind_text(st, 3, key_stored(&d->hashed, q->recipient->text, recipient_key));
	db_bind_int(st, 4, q->now_unix - SPLIT_EVIDENCE_S);
	while (a->n_split < SPLIT_MESSAGES_MAX && (got = db_step(d, st)) == 1) {
		const int64_t time_unix = sqlite3_column_int64(st, 3);
		const size_t at = place_in_turn(seen_unix, a->n_split, time_unix);
		const size_t n_behind = a->n_split - at;
		struct split_evidence *e = &a->split[at];

		memmove(e + 1, e, n_behind * sizeof *e);
		memmove(digest[at + 1], digest[at], n_behind * sizeof digest[0]);
		memmove(&seen_unix[at + 1], &seen_unix[at], n_behind * sizeof seen_unix[0]);
		seen_unix[at] = time_unix;
		memset(digest[at], 0, sizeof digest[at]);
		if (sqlite3_column_bytes(st, 0) == 32)
			memcpy(digest[at], sqlite3_column_blob(st, 0), 32);
		memset(e, 0, sizeof *e);
		memcpy(&e->message, digest[at], sizeof e->message);
		e->passed = sqlite3_column_int(st, 1) != 0;
		e->yields = sqlite3_column_int(st, 2) != 0;
		a->n_split++;
	}
	sqlite3_reset(st);
	for (size_t i = 0; got >= 0 && i < a->n_split; i++)
		got = ask_classes(d, sender, q, digest[i], &a->split[i]);
	if (got >= 0 && a->n_split == 1) {
		got = is_there(d, SQL_POLICY_SPLIT_SEVERAL, sender, q);
		a->is_split_alone = got == 0;
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
	for (size_t i = 0; i < a->n_split; i++)
		a->split[i].yields = false;
	a->is_split_impatient = true;
	if (n < SPLIT_VAIN_MAX_YIELDING)
		yields = is_there(d, SQL_POLICY_SPLIT_YIELDING, sender, q);
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

/* FNV-1a. Two recipients with one hash would wait together. */
static uint64_t hash(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h;
}

int policy_ask_split(struct db *d, const struct policy_query *q, struct policy_answer *a)
{
	char sender[KEY_MAX], client[NETADDR_TEXT_MAX] = "";
	int any;

	a->n_split = 0;
	a->is_split_alone = a->is_split_impatient = a->is_split_vain = false;
	a->split_recipient = 0;
	any = is_any_split(d);
	if (any != 1)
		return any;
	if (q->client != NULL)
		netaddr_format(q->client, client);
	split_key(&d->hashed, q->sender->text, client, q->client_name, sender);
	if (ask_evidence(d, sender, q, a) != 0)
		return -1;
	if (a->n_split == 0)
		return 0;
	a->split_recipient = hash(q->recipient->text);
	return ask_whether_vain(d, sender, q, a);
}

/* ---- whom it defers ---- */

static const struct split_evidence *evidence_of(const struct policy_answer *a, uint64_t message)
{
	for (size_t i = 0; i < a->n_split; i++)
		if (a->split[i].message == message)
			return &a->split[i];
	return NULL;
}

/* Leaves those messages that were for this recipient, too. */
static void narrow(struct policy_split *t, const struct policy_answer *a)
{
	const uint64_t first = t->may_be[0].message;
	size_t n = 0;

	if (!t->is_begun) {
		t->is_begun = true;
		t->n = a->n_split;
		for (size_t i = 0; i < t->n; i++)
			t->may_be[i].message = a->split[i].message;
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		if (evidence_of(a, t->may_be[i].message) != NULL)
			t->may_be[n++] = t->may_be[i];
	t->n = n;
	if (n > 0 && t->may_be[0].message != first) {
		t->n_for_first = 0;
		t->is_over = false;
	}
}

static bool would_defer(const struct policy_split *t, size_t i, const struct split_evidence *e)
{
	return t->has_class && t->may_be[i].passed != e->passed;
}

/* How many may still have to be deferred for the sake of the first message. e: of one that it takes
 * now. */
static size_t kept_for_first(const struct policy_split *t, const struct split_evidence *e)
{
	const size_t n = e->n_unlike < SPLIT_DEFER_MAX ? e->n_unlike : SPLIT_DEFER_MAX;

	return n > t->n_for_first ? n - t->n_for_first : 0;
}

static bool defer(struct policy_split *t, const struct policy_answer *a)
{
	t->deferred[t->n_deferred++] = a->split_recipient;
	return true;
}

bool policy_split_defers(struct policy_split *t, const struct policy_answer *a)
{
	const struct split_evidence *e;

	/* A recipient without evidence goes with any: it was not in a message that was split. */
	if (a->n_split == 0)
		return false;
	for (size_t i = 0; i < t->n_deferred; i++)
		if (t->deferred[i] == a->split_recipient)
			return true;
	narrow(t, a);
	if (t->n == 0 || a->is_split_vain)
		return false;
	e = evidence_of(a, t->may_be[0].message);
	if (e->yields || would_defer(t, 0, e)) {
		if (t->n_deferred < SPLIT_DEFER_MAX) {
			t->n_for_first++;
			return defer(t, a);
		}
		t->is_over = t->is_over ||
			     (t->n_for_first == SPLIT_DEFER_MAX && !a->is_split_impatient);
	} else if (t->n_deferred + kept_for_first(t, e) < SPLIT_DEFER_MAX) {
		for (size_t i = 1; i < t->n; i++)
			if (would_defer(t, i, evidence_of(a, t->may_be[i].message)))
				return defer(t, a);
	}
	for (size_t i = 0; i < t->n && !t->has_class; i++)
		t->may_be[i].passed = evidence_of(a, t->may_be[i].message)->passed;
	t->has_class = true;
	return false;
}

bool policy_split_is_small(const struct policy_answer *a)
{
	return a->is_split_alone && !a->split[0].yields && a->split[0].n_like <= SPLIT_DEFER_MAX;
}

bool policy_split_may_be(const struct policy_split *t, const unsigned char digest[32])
{
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(&t->may_be[i].message, digest, sizeof t->may_be[i].message) == 0)
			return true;
	return false;
}

bool policy_split_is_over(const struct policy_split *t, const unsigned char digest[32])
{
	return t->is_over && t->n > 0 &&
	       memcmp(&t->may_be[0].message, digest, sizeof(uint64_t)) == 0;
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

/* Binds the digest, too, which goes third. */
static sqlite3_stmt *bind_digest(struct db *d, enum sql_statement which,
				 const struct split_message *m)
{
	sqlite3_stmt *st = bind_message(d, which, m->sender_key, m->declared_size_bytes);

	if (st != NULL)
		sqlite3_bind_blob(st, 3, m->digest, 32, SQLITE_STATIC);
	return st;
}

int split_forget_other_sizes(struct db *d, const struct split_message *m)
{
	sqlite3_stmt *st = bind_digest(d, SQL_SPLIT_OTHER_SIZES, m);

	return st == NULL ? -1 : db_run(d, st);
}

int split_forget_overtaken(struct db *d, const struct split_message *m)
{
	sqlite3_stmt *st = bind_digest(d, SQL_SPLIT_OVERTAKEN, m);

	return st == NULL ? -1 : db_run(d, st);
}

int split_seen(struct db *d, const struct split_message *m)
{
	sqlite3_stmt *st = bind_digest(d, SQL_SPLIT_SEEN, m);

	if (st == NULL)
		return -1;
	db_bind_int(st, 4, m->time_unix);
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
