/* SPDX-License-Identifier: ISC */
#include "db/record/journal_record.h"

#include <stdlib.h>
#include <string.h>

#include "db/engine/key.h"
#include "db/record/journal_format.h"
#include "db/record/key_ids.h"

#define DIGEST_BYTES 32
#define RECIPIENT_BYTES_MIN 22 /* with two empty texts */
#define ANY_LENGTH SIZE_MAX

enum { /* flags of a verdict */
       SENDER_IS_TRUSTWORTHY = 1,
       IS_LOCAL = 2,
       RETURNS_READABLE = 4,
       HAS_DIGEST = 8,
       COUNTS_FOR_PAIRS = 16,
       STANDS_UNRECORDED = 32,
       COUNTS_ATTEMPT = 64,
       IS_VAIN = 128,
       OPENS_BOUNCE_WINDOW = 256,
};
enum { /* flags of a recipient */
       IS_TRUSTWORTHY = 1,
       PASSES = 2,
};

/* ---- writing ---- */

struct writer {
	unsigned char *out; /* NULL: only the length is wanted */
	size_t len;
};

static void put(struct writer *w, uint64_t value, size_t n_octets)
{
	if (w->out != NULL)
		journal_put(w->out + w->len, value, n_octets);
	w->len += n_octets;
}

static void put_text(struct writer *w, const char *text)
{
	const size_t len = text != NULL ? strlen(text) : 0;

	put(w, len, 4);
	if (w->out != NULL && len > 0)
		memcpy(w->out + w->len, text, len);
	w->len += len;
	put(w, 0, 1);
}

static void put_digest(struct writer *w, const unsigned char *digest)
{
	if (w->out != NULL)
		memcpy(w->out + w->len, digest, DIGEST_BYTES);
	w->len += DIGEST_BYTES;
}

static void put_verdict(struct writer *w, const struct stored_verdict *v)
{
	const struct verdict_record *r = &v->record;
	const struct judgement *j = &v->judgement;

	put(w, JOURNAL_VERDICT, 1);
	put(w, (uint64_t)r->time_unix, 8);
	put(w, (uint64_t)r->declared_size_bytes, 8);
	put(w, (uint64_t)r->size_bytes, 8);
	put(w, (uint64_t)j->cleartext_bytes, 8);
	put(w, j->verdict, 1);
	put(w, j->form, 1);
	put(w, r->action, 1);
	put(w, r->would, 1);
	put(w,
	    (r->is_sender_trustworthy ? SENDER_IS_TRUSTWORTHY : 0u) |
		    (r->is_local ? IS_LOCAL : 0u) | (j->returns_readable ? RETURNS_READABLE : 0u) |
		    (r->has_split_digest ? HAS_DIGEST : 0u) |
		    (v->counts_for_pairs ? COUNTS_FOR_PAIRS : 0u) |
		    (r->stands_unrecorded ? STANDS_UNRECORDED : 0u) |
		    (r->counts_attempt ? COUNTS_ATTEMPT : 0u) | (r->is_vain ? IS_VAIN : 0u) |
		    (v->opens_bounce_window ? OPENS_BOUNCE_WINDOW : 0u),
	    2);
	put_text(w, r->queue_id);
	put_text(w, r->host);
	put_text(w, r->client);
	put_text(w, r->authenticated);
	put_text(w, r->sender);
	put_text(w, v->split_sender_key);
	put_text(w, r->header_from);
	put_text(w, r->message_id);
	put_text(w, r->reply);
	put_text(w, j->reason);
	put_text(w, j->detail);
	put_text(w, v->key_ids);
	if (r->has_split_digest)
		put_digest(w, r->split_digest);
	if (r->counts_attempt)
		put_digest(w, r->attempt_digest);
	put(w, r->n_recipients, 4);
	for (size_t i = 0; i < r->n_recipients; i++) {
		const struct stored_recipient *to = &v->recipients[i];

		put(w, (to->is_trustworthy ? IS_TRUSTWORTHY : 0u) | (to->passes ? PASSES : 0u), 1);
		put(w, to->requirement, 1);
		put(w, to->demand, 1);
		put(w, to->source, 1);
		put(w, (uint64_t)to->rule_id, 8);
		put_text(w, to->key);
		put_text(w, to->outgoing_domain);
	}
}

unsigned char *journal_record_encode(const struct stored_verdict *v, size_t *len)
{
	struct writer w = {.out = NULL};

	put_verdict(&w, v);
	if (w.len > JOURNAL_PAYLOAD_MAX)
		return NULL;
	*len = w.len;
	w.out = malloc(w.len);
	w.len = 0;
	if (w.out != NULL)
		put_verdict(&w, v);
	return w.out;
}

/* ---- reading ---- */

struct reader {
	const unsigned char *in;
	size_t len;
	bool is_bad;
};

static uint64_t get(struct reader *r, size_t n_octets)
{
	uint64_t value;

	if (r->len < n_octets) {
		r->is_bad = true;
		return 0;
	}
	value = journal_get(r->in, n_octets);
	r->in += n_octets;
	r->len -= n_octets;
	return value;
}

/* A value of an enum. */
static unsigned get_word(struct reader *r, unsigned count)
{
	const unsigned value = (unsigned)get(r, 1);

	if (value < count)
		return value;
	r->is_bad = true;
	return 0;
}

static int64_t get_count(struct reader *r)
{
	const int64_t value = (int64_t)get(r, 8);

	r->is_bad = r->is_bad || value < 0;
	return value;
}

/* A text shorter than max. */
static const char *get_text(struct reader *r, size_t max)
{
	const size_t len = (size_t)get(r, 4);
	const unsigned char *text = r->in;

	if (r->is_bad || len >= r->len || len >= max || memchr(text, '\0', len) != NULL ||
	    text[len] != '\0') {
		r->is_bad = true;
		return "";
	}
	r->in += len + 1;
	r->len -= len + 1;
	return (const char *)text;
}

static void get_copy(struct reader *r, char *out, size_t out_size)
{
	const char *text = get_text(r, out_size);

	memcpy(out, text, strlen(text) + 1);
}

static void get_digest(struct reader *r, unsigned char *out)
{
	if (r->len < DIGEST_BYTES) {
		r->is_bad = true;
		return;
	}
	memcpy(out, r->in, DIGEST_BYTES);
	r->in += DIGEST_BYTES;
	r->len -= DIGEST_BYTES;
}

static void get_verdict(struct reader *in, struct stored_verdict *v)
{
	struct verdict_record *r = &v->record;
	struct judgement *j = &v->judgement;
	unsigned flags;

	r->time_unix = (int64_t)get(in, 8);
	r->declared_size_bytes = (int64_t)get(in, 8);
	in->is_bad = in->is_bad || r->declared_size_bytes < SIZE_NOT_DECLARED;
	r->size_bytes = get_count(in);
	j->size_bytes = r->size_bytes;
	j->cleartext_bytes = get_count(in);
	j->verdict = (enum verdict)get_word(in, VERDICT_COUNT);
	j->form = (enum form)get_word(in, FORM_COUNT);
	r->action = (enum action)get_word(in, ACTION_COUNT);
	r->would = (enum action)get_word(in, ACTION_COUNT);
	flags = (unsigned)get(in, 2);
	r->is_sender_trustworthy = (flags & SENDER_IS_TRUSTWORTHY) != 0;
	r->is_local = (flags & IS_LOCAL) != 0;
	j->returns_readable = (flags & RETURNS_READABLE) != 0;
	r->has_split_digest = (flags & HAS_DIGEST) != 0;
	v->counts_for_pairs = (flags & COUNTS_FOR_PAIRS) != 0;
	r->stands_unrecorded = (flags & STANDS_UNRECORDED) != 0;
	r->counts_attempt = (flags & COUNTS_ATTEMPT) != 0;
	r->is_vain = (flags & IS_VAIN) != 0;
	v->opens_bounce_window = (flags & OPENS_BOUNCE_WINDOW) != 0;
	r->queue_id = get_text(in, ANY_LENGTH);
	r->host = get_text(in, ANY_LENGTH);
	r->client = get_text(in, ANY_LENGTH);
	r->authenticated = get_text(in, ANY_LENGTH);
	r->sender = get_text(in, KEY_MAX);
	v->split_sender_key = get_text(in, KEY_MAX);
	r->header_from = get_text(in, KEY_MAX);
	r->message_id = get_text(in, ANY_LENGTH);
	r->reply = get_text(in, ANY_LENGTH);
	get_copy(in, j->reason, sizeof j->reason);
	get_copy(in, j->detail, sizeof j->detail);
	v->key_ids = get_text(in, KEY_IDS_TEXT_MAX);
	if (r->has_split_digest)
		get_digest(in, r->split_digest);
	if (r->counts_attempt)
		get_digest(in, r->attempt_digest);
}

static void get_recipient(struct reader *in, struct stored_recipient *to)
{
	const unsigned flags = (unsigned)get(in, 1);

	to->is_trustworthy = (flags & IS_TRUSTWORTHY) != 0;
	to->passes = (flags & PASSES) != 0;
	to->requirement = (enum requirement)get_word(in, REQUIREMENT_COUNT);
	to->demand = (enum requirement)get_word(in, REQUIREMENT_COUNT);
	to->source = (enum policy_source)get_word(in, SOURCE_HISTORY + 1);
	to->rule_id = get_count(in);
	to->key = get_text(in, KEY_MAX);
	to->outgoing_domain = get_text(in, KEY_MAX);
}

int journal_record_decode(const unsigned char *in, size_t len, struct arena *a,
			  struct stored_verdict *v)
{
	struct reader r = {.in = in, .len = len};
	size_t n;

	memset(v, 0, sizeof *v);
	get_verdict(&r, v);
	v->record.judgement = &v->judgement;
	n = (size_t)get(&r, 4);
	if (r.is_bad || n > r.len / RECIPIENT_BYTES_MIN)
		return -1;
	v->record.n_recipients = n;
	v->recipients = arena_take(a, (n + 1) * sizeof v->recipients[0]);
	if (v->recipients == NULL)
		return -1;
	for (size_t i = 0; i < n && !r.is_bad; i++)
		get_recipient(&r, &v->recipients[i]);
	return r.is_bad ? -1 : 0;
}
