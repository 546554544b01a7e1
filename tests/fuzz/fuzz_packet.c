/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the packet walk. In pieces it finds the same, and so it does when what it calls
 * opaque is not given to it at all (each input is asked one of the two). No valid message without
 * session key and container.
 */
#include <assert.h>
#include <string.h>

#include "scan/packet.h"
#include "tests/fuzz/same.h"

static void feed(void *walk, const unsigned char *bytes, size_t len)
{
	packet_feed(walk, bytes, len);
}

static void feed_what_matters(struct packet_walk *w, const uint8_t *data, size_t size)
{
	while (size > 0) {
		uint64_t opaque = packet_opaque(w);
		size_t n = opaque < size ? (size_t)opaque : size;
		if (n > 0) {
			packet_skip(w, n);
		} else {
			n = 1;
			packet_feed(w, data, n);
		}
		data += n;
		size -= n;
	}
}

static void check_same(const struct packet_walk *a, const struct packet_walk *b)
{
	assert(!strcmp(a->fault.reason, b->fault.reason) &&
	       !strcmp(a->fault.detail, b->fault.detail));
	assert(a->n_session_keys == b->n_session_keys && a->n_public_keys == b->n_public_keys);
	assert(a->has_container == b->has_container && a->is_legacy == b->is_legacy);
	assert(a->n_key_ids == b->n_key_ids && a->n_key_ids <= KEY_IDS_MAX);
	assert(!memcmp(a->key_ids, b->key_ids, a->n_key_ids * sizeof a->key_ids[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet_walk whole, again;
	const enum packet_grammar grammars[] = {PACKETS_OF_MESSAGE, PACKETS_OF_SIGNATURES};

	for (int i = 0; i < 2; i++) {
		packet_init(&whole, grammars[i]);
		packet_feed(&whole, data, size);
		packet_finish(&whole);
		packet_init(&again, grammars[i]);
		if (same_seed(data, size) >> 32 & 1)
			same_in_pieces(feed, &again, data, size);
		else
			feed_what_matters(&again, data, size);
		packet_finish(&again);
		check_same(&whole, &again);
		if (grammars[i] == PACKETS_OF_MESSAGE && !whole.fault.reason[0])
			assert(whole.n_session_keys > 0 && whole.has_container && size > 40);
	}
	return 0;
}
