/* SPDX-License-Identifier: ISC */
#include "scan/ciphertext.h"

#include <string.h>

#define ENOUGH_FOR_SHARES 64 /* octets from which shares of values say something: see header */
#define ENOUGH_FOR_ABSENCE \
	256 /* octets from which the absence of controls does: 0.887^256 = 4e-14 */

void ciphertext_reset(struct ciphertext *c)
{
	memset(c, 0, sizeof(*c));
}

void ciphertext_feed(struct ciphertext *c, const unsigned char *bytes, size_t len)
{
	size_t room = CIPHERTEXT_SAMPLE - c->n;

	if (len > room)
		len = room;
	for (size_t i = 0; i < len; i++)
		c->n_of[bytes[i]]++;
	c->n += (uint16_t)len;
}

bool ciphertext_is_full(const struct ciphertext *c)
{
	return c->n >= CIPHERTEXT_SAMPLE;
}

const char *ciphertext_looks_like(const struct ciphertext *c)
{
	unsigned printable = 0, controls = 0, most = 0;

	if (c->n < ENOUGH_FOR_SHARES) /* the smallest that tells anything: floods of tiny packets cost little */
		return NULL;
	for (unsigned v = 0; v < 256; v++) {
		if (v >= 0x20 && v < 0x7f)
			printable += c->n_of[v];
		if (v < 0x20 && v != '\t' && v != '\r' && v != '\n')
			controls += c->n_of[v];
		if (c->n_of[v] > most)
			most = c->n_of[v];
	}
	if (printable * 4 > c->n * 3u)
		return "mostly printable ASCII";
	if (c->n >= ENOUGH_FOR_ABSENCE && controls == 0)
		return "text without any control octet";
	if (most * 4 > c->n)
		return "one octet value in more than a quarter";
	return NULL;
}
