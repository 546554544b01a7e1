/* SPDX-License-Identifier: ISC */
#include "common/domain_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"

/* dot: "" or ".". 0 or -1. */
static int add(struct domain_set *set, const char *dot, const char *canonical)
{
	char *name = NULL;

	if (set->n == set->room) {
		const size_t room = set->room == 0 ? 16 : 2 * set->room;
		char **longer = realloc(set->names, room * sizeof(*longer));

		if (longer == NULL)
			return -1;
		set->names = longer;
		set->room = room;
	}
	if (asprintf(&name, "%s%s", dot, canonical) < 0)
		return -1;
	set->names[set->n++] = name;
	return 0;
}

int domain_set_add(struct domain_set *set, const char *domain, size_t len)
{
	const size_t n_dots = len > 0 && domain[0] == '.';
	const char *dot = n_dots > 0 ? "." : "";
	char canonical[ADDRESS_MAX + 1], folded[ADDRESS_MAX + 1];

	if (address_canonical_domain(domain + n_dots, len - n_dots, canonical) != 0)
		return 1;
	if (address_folded_domain(canonical, folded) && add(set, dot, folded) != 0)
		return -1;
	return add(set, dot, canonical);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void domain_set_sort(struct domain_set *set)
{
	if (set->n > 1)
		qsort(set->names, set->n, sizeof(*set->names), compare);
}

static bool has(const struct domain_set *set, const char *name)
{
	return set->n > 0 &&
	       bsearch(&name, set->names, set->n, sizeof(*set->names), compare) != NULL;
}

bool domain_set_has(const struct domain_set *set, const char *domain)
{
	if (has(set, domain))
		return true;
	for (const char *dot = strchr(domain, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		if (has(set, dot))
			return true;
	return false;
}

void domain_set_free(struct domain_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		free(set->names[i]);
	free(set->names);
	*set = (struct domain_set){0};
}
