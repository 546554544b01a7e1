/* SPDX-License-Identifier: ISC
 *
 * domain_set.h: a set of domains, with Postfix's meaning: "example.org" is that domain,
 * ".example.org" what is below it at any depth. Filled by one thread, then sorted; after that it
 * only answers, to any thread.
 */
#ifndef PGPGATE_COMMON_DOMAIN_SET_H
#define PGPGATE_COMMON_DOMAIN_SET_H

#include <stdbool.h>
#include <stddef.h>

struct domain_set { /* zero-initialised: empty */
	char **names;
	size_t n, room;
};

/* Adds a domain in any letter case, U-labels or A-labels, perhaps with a dot in front; it is the
 * last of names then. Where folding makes it another one, that is in the set too: Postfix does not
 * tell them apart. 0; 1: it is no domain; -1: no memory. */
int domain_set_add(struct domain_set *set, const char *domain, size_t len);

/* Before the first question, and after the last domain. */
void domain_set_sort(struct domain_set *set);

/* domain: canonical (address.h). */
bool domain_set_has(const struct domain_set *set, const char *domain);

void domain_set_free(struct domain_set *set);

#endif
