/* SPDX-License-Identifier: ISC */
#include "filter/envelope.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "db/policy.h"

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

/* The same but for the brackets, as nearly all are at Postfix; nothing in it that means more than
 * itself. */
static bool is_same_text(const char *macro, const char *argument)
{
	const size_t len = strcspn(macro, "<>()\"\\ \t,;:");

	return macro[len] == '\0' && argument[0] == '<' && strncmp(argument + 1, macro, len) == 0 &&
	       strcmp(argument + 1 + len, ">") == 0;
}

const char *envelope_address(const char *macro, const char *argument, bool is_sendmail)
{
	if (macro == NULL || macro[0] == '\0')
		return argument;
	if (is_same_text(macro, argument))
		return macro;
	if (has_domain(argument) &&
	    (is_sendmail || !has_domain(macro) || address_folds_to(argument, macro)))
		return argument;
	return macro;
}

/* FNV-1a. Two addresses with one hash would only hide a macro that was lost. */
static uint64_t hash(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h;
}

static void canonical(const char *text, struct address *out)
{
	if (text[0] == '\0')
		text = "<>";
	address_canonical(text, strlen(text), out);
}

bool envelope_is_lost(struct envelope_memory *before, const char *macro, const char *argument,
		      bool is_sendmail, bool is_expected)
{
	struct envelope_memory now = {.macro = (uintptr_t)macro};
	struct address given, resolved;

	if (macro == NULL) {
		*before = now;
		return is_expected;
	}
	canonical(argument, &given);
	now.argument = hash(given.text);
	if (before->macro != now.macro)
		*before = now;
	if (before->argument == now.argument)
		return false;
	/* Old, which does not matter where it means the same, or is not what is judged (Sendmail).
	 */
	canonical(macro, &resolved);
	return strcmp(given.text, resolved.text) != 0 &&
	       envelope_address(macro, argument, is_sendmail) == macro;
}

int64_t envelope_declared_size(char **args)
{
	for (; *args != NULL; args++) {
		const char *digits = *args + 5;
		int64_t size = 0;

		if (strncasecmp(*args, "SIZE=", 5) != 0)
			continue;
		for (; *digits >= '0' && *digits <= '9' && size < INT64_MAX / 10 - 1; digits++)
			size = size * 10 + (*digits - '0');
		return *digits == '\0' && size > 0 ? size : SIZE_NOT_DECLARED;
	}
	return SIZE_NOT_DECLARED;
}
