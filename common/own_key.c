/* SPDX-License-Identifier: ISC */
#include "common/own_key.h"

#include <stdlib.h>
#include <string.h>

int key_id_of(const char *fingerprint, uint64_t *out)
{
	const size_t len = strlen(fingerprint);
	char digits[17];

	if ((len != 40 && len != 64) || strspn(fingerprint, "0123456789ABCDEF") != len)
		return -1;
	memcpy(digits, len == 40 ? fingerprint + 24 : fingerprint, 16);
	digits[16] = '\0';
	*out = strtoull(digits, NULL, 16);
	return 0;
}
