/* SPDX-License-Identifier: ISC
 *
 * octets.h: octets for the tests, written as text: two hexadecimal digits an octet, "*N" for N
 * octets of noise (always the same), blanks between.
 */
#ifndef PGPGATE_TESTS_UNIT_OCTETS_H
#define PGPGATE_TESTS_UNIT_OCTETS_H

#include <stddef.h>
#include <stdlib.h>

static inline size_t octets_build(const char *spec, unsigned char *out)
{
	size_t n = 0;
	unsigned noise = 1;

	while (*spec) {
		if (*spec == ' ') {
			spec++;
		} else if (*spec == '*') {
			for (unsigned long i = strtoul(spec + 1, (char **)&spec, 10); i > 0; i--)
				out[n++] = (unsigned char)((noise = noise * 1103515245 + 12345) >>
							   16);
		} else {
			char digits[3] = {spec[0], spec[1], 0};

			out[n++] = (unsigned char)strtoul(digits, NULL, 16);
			spec += 2;
		}
	}
	return n;
}

#endif
