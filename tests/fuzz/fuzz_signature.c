/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: what a signature packet says in words. Never more than it has; and no octet beyond
 * those kept is read.
 */
#include <assert.h>

#include "scan/signature.h"
#include "tests/fuzz/same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t have = size < SIGNATURE_HEAD ? size : SIGNATURE_HEAD;

	assert(signature_readable_bytes(data, have, size) <= size);
	assert(signature_readable_bytes(data, have, (uint64_t)size + 100) <= size + 100);
	return 0;
}
