/* SPDX-License-Identifier: ISC
 *
 * providers.h: domains in which everybody can have an address, from a file of one domain a line
 * (mail_providers). A rule for such a sender's domain would be one for strangers. One thread.
 */
#ifndef PGPGATE_CLI_PROVIDERS_H
#define PGPGATE_CLI_PROVIDERS_H

#include <stdbool.h>
#include <stddef.h>

struct providers {
	char *text;	      /* the file, each line ended by a NUL */
	const char **domains; /* sorted; in text */
	size_t n;
	bool is_known; /* the file was read; otherwise every domain counts as a provider's */
};

/* Reads the file; "" reads none, and then no domain is a provider's. 0; -1 with a sentence in err:
 * p is usable all the same, and takes every domain for a provider's. */
int providers_read(struct providers *p, const char *path, char *err, size_t err_size);

/* Is the domain, or one above it, on the list? */
bool providers_has(const struct providers *p, const char *domain);

void providers_free(struct providers *p);

#endif
