/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the policy request parser. The first byte says how the rest is cut; cut or not, the result is
 * the same.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "policyd/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum request_result feed(struct request_parser *p, const uint8_t *data, size_t size,
				size_t piece, size_t *used)
{
	enum request_result result = REQUEST_MORE;

	request_reset(p);
	*used = 0;
	while (*used < size && result == REQUEST_MORE) {
		size_t n = piece < size - *used ? piece : size - *used;
		size_t taken;

		result = request_feed(p, data + *used, n, &taken);
		assert(taken > 0 && taken <= n);
		*used += taken;
	}
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request_parser whole, cut;
	size_t used_whole, used_cut, piece;

	if (size < 1)
		return 0;
	piece = (size_t)data[0] + 1;
	data++;
	size--;
	assert(feed(&whole, data, size, size + 1, &used_whole) ==
	       feed(&cut, data, size, piece, &used_cut));
	assert(used_whole == used_cut);
	assert(memcmp(&whole.request, &cut.request, sizeof whole.request) == 0);
	return 0;
}
