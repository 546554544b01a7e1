/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: file names and descriptions. White space and quotes around change nothing; what
 * holds NUL is no name that says OpenPGP; a description of the usual words is short and has letters
 * and separators only.
 */
#include <assert.h>
#include <string.h>

#include "scan/label.h"
#include "scan/text.h"
#include "tests/fuzz/same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char around[1024];
	enum label label = label_of_name(data, size);

	if (label_is_usual_description(data, size))
		for (size_t i = 0; i < size; i++)
			assert(data[i] < 0x80 && (data[i] < '0' || data[i] > '9'));
	if (size + 4 > sizeof(around))
		return 0;
	memcpy(around, " \"", 2);
	memcpy(around + 2, data, size);
	memcpy(around + 2 + size, "\"\t", 2);
	assert(label_of_name(around, size + 4) == label);
	if (size > 0 && data[0] != '\0' && data[size - 1] != '\0' && memchr(data, '\0', size))
		assert(label == LABEL_OTHER);
	return 0;
}
