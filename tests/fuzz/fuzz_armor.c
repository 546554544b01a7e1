/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a leaf of text: armor, clearsigned texts, what is beside them. The first octet
 * chooses the leaf's type. In pieces it finds the same.
 */
#include <assert.h>
#include <string.h>

#include "scan/leaf.h"
#include "tests/fuzz/same.h"

static void feed(void *leaf, const unsigned char *bytes, size_t len)
{
	leaf_feed(leaf, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum leaf_type types[] = {LEAF_TEXT_PLAIN,	   LEAF_OTHER,
					       LEAF_HTML,	   LEAF_PGP_CONTROL,
					       LEAF_PGP_SIGNATURE, LEAF_AUTOCRYPT_SETUP};
	static struct leaf whole, pieces;
	static struct armor_channel a, b;

	if (size < 1)
		return 0;
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	leaf_begin(&whole, types[data[0] % 6], (data[0] & 0x80) != 0, &a);
	leaf_feed(&whole, data + 1, size - 1);
	leaf_finish(&whole);
	leaf_begin(&pieces, types[data[0] % 6], (data[0] & 0x80) != 0, &b);
	same_in_pieces(feed, &pieces, data + 1, size - 1);
	leaf_finish(&pieces);
	assert(whole.n_messages == pieces.n_messages &&
	       whole.n_session_keys == pieces.n_session_keys);
	assert(whole.visible_bytes == pieces.visible_bytes && whole.visible_bytes >= 0);
	assert(whole.has_claim == pieces.has_claim && whole.n_signatures == pieces.n_signatures);
	assert(whole.is_clearsigned_only == pieces.is_clearsigned_only);
	assert(!strcmp(whole.fault.reason, pieces.fault.reason));
	assert(!strcmp(whole.fault.detail, pieces.fault.detail));
	assert(a.used == b.used && a.is_overflown == b.is_overflown);
	assert(a.is_overflown == (a.used > ARMOR_CHANNEL_MAX));
	return 0;
}
