/* SPDX-License-Identifier: ISC */
#include "db/engine/key.h"

#include <stdio.h>
#include <string.h>

#include <libpsl.h>

/* Appends the labels of domain (len bytes) to out, the last one first. */
static size_t append_reversed(const char *domain, size_t len, char *out, size_t used)
{
	while (used < KEY_MAX - 1) {
		size_t start = len;

		while (start > 0 && domain[start - 1] != '.')
			start--;
		for (size_t i = start; i < len && used < KEY_MAX - 1; i++)
			out[used++] = domain[i];
		if (start == 0)
			break;
		if (used < KEY_MAX - 1)
			out[used++] = '.';
		len = start - 1;
	}
	out[used] = '\0';
	return used;
}

char *key_from_address(const char *address, char out[KEY_MAX])
{
	const char *at = strrchr(address, '@');
	size_t used, local_len;

	if (at == NULL) {
		snprintf(out, KEY_MAX, "%s", address);
		return out;
	}
	used = append_reversed(at + 1, strlen(at + 1), out, 0);
	if (used < KEY_MAX - 1)
		out[used++] = '@';
	local_len = (size_t)(at - address);
	if (local_len > KEY_MAX - 1 - used)
		local_len = KEY_MAX - 1 - used;
	memcpy(out + used, address, local_len);
	out[used + local_len] = '\0';
	return out;
}

char *key_to_address(const char *key, char *out, size_t out_size)
{
	char domain[KEY_MAX];
	const char *at = strchr(key, '@');
	size_t local_len, domain_len;

	if (at == NULL) {
		snprintf(out, out_size, "%s", key);
		return out;
	}
	domain_len = append_reversed(key, (size_t)(at - key), domain, 0);
	local_len = strlen(at + 1);
	if (local_len + 1 + domain_len >= out_size) {
		snprintf(out, out_size, "%s@%s", at + 1, domain);
		return out;
	}
	/* As snprintf would, which takes a third of the time of a report. */
	memcpy(out, at + 1, local_len);
	out[local_len] = '@';
	memcpy(out + local_len + 1, domain, domain_len + 1);
	return out;
}

char *key_stored(const struct hashed *h, const char *address, char out[KEY_MAX])
{
	char hash[HASHED_ADDRESS_MAX];

	return key_from_address(h->is_on ? hashed_address(h, address, hash) : address, out);
}

void key_range(const char *pattern, char from[KEY_MAX], char to[KEY_MAX])
{
	const char *at = strrchr(pattern, '@');
	size_t used;

	to[0] = '\0';
	if (pattern[0] == '@')
		pattern++;
	else if (at != NULL || pattern[0] == '<') {
		key_from_address(pattern, from);
		return;
	}
	/* Up to the next octet: '@' + 1 is 'A', '.' + 1 is '/'. */
	if (pattern[0] == '.') {
		used = append_reversed(pattern + 1, strlen(pattern + 1), from, 0);
		snprintf(to, KEY_MAX, "%.*s/", (int)used, from);
		snprintf(from + used, KEY_MAX - used, ".");
		return;
	}
	used = append_reversed(pattern, strlen(pattern), from, 0);
	snprintf(to, KEY_MAX, "%.*sA", (int)used, from);
	snprintf(from + used, KEY_MAX - used, "@");
}

const char *key_registrable(const char *domain)
{
	const char *found = psl_registrable_domain(psl_builtin(), domain);

	return found != NULL ? found : domain;
}

bool key_is_public_suffix(const char *domain)
{
	/* Without the rule "*" that makes a suffix of every name without a dot: those are a site's
	 * own. */
	return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) !=
	       0;
}
