/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: S/MIME's EnvelopedData. Whole and in pieces the answer is the same; what is cut
 * within its content is not proper where the content has a length.
 */
#include <assert.h>

#include "scan/enveloped.h"
#include "tests/fuzz/same.h"

static void feed(void *parser, const unsigned char *bytes, size_t len)
{
	enveloped_feed(parser, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct enveloped whole, pieces;

	enveloped_reset(&whole);
	enveloped_feed(&whole, data, size);
	enveloped_reset(&pieces);
	same_in_pieces(feed, &pieces, data, size);
	assert(enveloped_is_proper(&whole) == enveloped_is_proper(&pieces));
	return 0;
}
