/* SPDX-License-Identifier: ISC */
#include "filter/envelope.h"

#include <stddef.h>
#include <string.h>

#include "common/address.h"

static bool has_domain(const char *raw)
{
	struct address a;

	address_canonical(raw, strlen(raw), &a);
	/* One that cannot be canonical keeps its domain in text. */
	return a.kind != ADDRESS_NULL && a.text[a.local_len] == '@';
}

bool envelope_is_sendmail(const char *version)
{
	return version != NULL && version[0] >= '0' && version[0] <= '9';
}

const char *envelope_address(const char *macro, const char *argument, bool is_sendmail)
{
	if (macro == NULL || macro[0] == '\0')
		return argument;
	if (has_domain(argument) && (is_sendmail || !has_domain(macro)))
		return argument;
	return macro;
}
