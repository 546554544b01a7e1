/* SPDX-License-Identifier: ISC */
#include "tests/golden/whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void whole_init(struct whole *w)
{
	w->scan = scan_new();
	w->message = w->scan ? message_new(w->scan, NULL, NULL) : NULL;
	if (!w->message) {
		fprintf(stderr, "out of memory\n");
		exit(EXIT_FAILURE);
	}
}

void whole_free(struct whole *w)
{
	message_free(w->message);
	scan_free(w->scan);
}

void whole_defaults(struct acceptance *accept)
{
	memset(accept, 0, sizeof *accept);
	accept->forms = 1u << FORM_PGP_MIME | 1u << FORM_PGP_MIXED | 1u << FORM_PGP_INLINE;
	accept->reports = REPORTS_YES;
}

/* xorshift64*: the same cuts on every machine. */
static size_t next_chunk(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	uint64_t r = *state * 0x2545F4914F6CDD1DULL >> 33;
	return 1 + (r & 0x300 ? r % 20 : r % 200);
}

void whole_judge(struct whole *w, const unsigned char *bytes, size_t len, uint64_t seed,
		 const struct acceptance *accept, const struct judge_envelope *envelope,
		 struct scan_facts *facts, struct judgement *out)
{
	struct scan_facts own;

	scan_reset(w->scan);
	message_reset(w->message);
	for (size_t at = 0; at < len;) {
		size_t chunk = len - at;
		if (seed == WHOLE_BYTES)
			chunk = 1;
		else if (seed != WHOLE_UNCUT) {
			size_t wanted = next_chunk(&seed);
			if (wanted < chunk)
				chunk = wanted;
		}
		message_feed(w->message, bytes + at, chunk);
		at += chunk;
	}
	if (!facts)
		facts = &own;
	message_finish(w->message, facts);
	judge(facts, accept, envelope, out);
}

bool whole_same(const struct judgement *a, const struct judgement *b)
{
	return a->verdict == b->verdict && a->form == b->form &&
	       strcmp(a->reason, b->reason) == 0 && strcmp(a->detail, b->detail) == 0 &&
	       a->size_bytes == b->size_bytes && a->cleartext_bytes == b->cleartext_bytes &&
	       a->returns_readable == b->returns_readable && a->n_key_ids == b->n_key_ids &&
	       a->n_session_keys == b->n_session_keys &&
	       memcmp(a->key_ids, b->key_ids, a->n_key_ids * sizeof a->key_ids[0]) == 0;
}
