/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: transfer decoding. The first octet chooses the encoding. In pieces it gives the same
 * octets and the same fault; what decodes properly from base64 encodes to the same characters
 * again.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "scan/transfer.h"
#include "tests/fuzz/same.h"

struct gathered {
	size_t len;
	unsigned char bytes[1 << 17];
};

static void gather(void *context, const unsigned char *bytes, size_t len)
{
	struct gathered *g = context;
	assert(g->len + len <= sizeof g->bytes);
	memcpy(g->bytes + g->len, bytes, len);
	g->len += len;
}

static void feed(void *transfer, const unsigned char *bytes, size_t len)
{
	transfer_feed(transfer, bytes, len);
}

static void check_base64(const struct gathered *g, const uint8_t *data, size_t size)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < size; i++) {
		const char *c = data[i] ? strchr(alphabet, data[i]) : NULL;
		if (!c)
			continue;
		bits = bits << 6 | (uint32_t)(c - alphabet);
		if (++n % 4 == 0) {
			assert(at + 3 <= g->len);
			assert(g->bytes[at] == (bits >> 16 & 0xff) &&
			       g->bytes[at + 1] == (bits >> 8 & 0xff) &&
			       g->bytes[at + 2] == (bits & 0xff));
			at += 3;
		}
	}
	assert(g->len - at == (n % 4 ? n % 4 - 1 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gathered whole, pieces;
	static struct transfer t;

	if (size < 1 || size > sizeof whole.bytes / 2)
		return 0;
	enum encoding encoding = (enum encoding)(data[0] % 4);
	data++;
	size--;
	whole.len = pieces.len = 0;
	transfer_begin(&t, encoding, gather, &whole);
	transfer_feed(&t, data, size);
	transfer_finish(&t);
	const char *wrong = t.wrong;
	transfer_begin(&t, encoding, gather, &pieces);
	same_in_pieces(feed, &t, data, size);
	transfer_finish(&t);
	assert((wrong == NULL) == (t.wrong == NULL));
	if (wrong)
		return 0;
	assert(whole.len == pieces.len && memcmp(whole.bytes, pieces.bytes, whole.len) == 0);
	if (encoding == ENCODING_IDENTITY)
		assert(whole.len == size && memcmp(whole.bytes, data, size) == 0);
	if (encoding == ENCODING_BASE64)
		check_base64(&whole, data, size);
	return 0;
}
