/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a whole message, from its raw form to the verdict. Whole and in pieces (for one in
 * sixteen: byte by byte) it gets the same judgement; what is said about it is fit for a log;
 * `encrypted` takes a session key and leaves nothing readable.
 */
#include <assert.h>
#include <string.h>

#include "tests/fuzz/same.h"
#include "tests/golden/whole.h"

static void check_words(const struct judgement *j)
{
	assert(j->reason[0] && memchr(j->reason, 0, sizeof j->reason));
	assert(strspn(j->reason, "abcdefghijklmnopqrstuvwxyz-") == strlen(j->reason));
	assert(memchr(j->detail, 0, sizeof j->detail));
	for (const char *c = j->detail; *c; c++)
		assert(*c >= 0x20 && *c < 0x7f);
}

static void check_facts(const struct scan_facts *f, const struct judgement *j, size_t size)
{
	assert(f->size_bytes >= 0 && f->size_bytes <= (int64_t)size);
	assert(f->cleartext_bytes >= 0);
	assert(f->n_key_ids <= KEY_IDS_MAX && f->n_key_ids <= f->n_session_keys);
	assert((j->form != FORM_NONE) ==
	       (j->verdict == VERDICT_ENCRYPTED || j->verdict == VERDICT_PARTIAL));
	if (j->verdict == VERDICT_PARTIAL)
		assert(f->n_messages > 0);
	if (j->verdict != VERDICT_ENCRYPTED)
		return;
	assert(f->n_messages > 0 && f->cleartext_bytes == 0 && !f->readable.reason[0]);
	assert(f->n_session_keys > 0 || f->password_only.reason[0]);
	assert(!f->has_claim || !f->fault.reason[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct whole w;
	static const struct judge_envelope envelopes[2] = {{false, false}, {true, true}};
	const uint64_t seed = same_seed(data, size);
	struct acceptance accept;
	struct scan_facts facts;
	struct judgement whole, again;

	if (!w.scan)
		whole_init(&w);
	whole_defaults(&accept);
	whole_judge(&w, data, size, WHOLE_UNCUT, &accept, &envelopes[0], &facts, &whole);
	check_words(&whole);
	check_facts(&facts, &whole, size);
	whole_judge(&w, data, size, seed % 16 == 0 ? WHOLE_BYTES : seed, &accept, &envelopes[0],
		    NULL, &again);
	assert(whole_same(&whole, &again));
	accept.password_only = accept.legacy_encryption = true;
	judge(&facts, &accept, &envelopes[1], &again);
	check_words(&again);
	check_facts(&facts, &again, size);
	return 0;
}
