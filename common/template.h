/* SPDX-License-Identifier: ISC
 *
 * template.h: texts of the administrator's with words to be filled in when mail is refused:
 * refuse_text, help_url, a rule's help-url. %r is the recipient that refuses, %d its domain, %q the
 * queue id, %R the reason's slug, %% a percent sign. Any other percent sign stands for itself, so
 * that "100%" may be written; within a URL one with two hexadecimal digits behind it (RFC 3986
 * section 2.1) does too: %d0 is an octet, not a domain.
 *
 * Pure: no storage, no allocation; any thread.
 */
#ifndef PGPGATE_COMMON_TEMPLATE_H
#define PGPGATE_COMMON_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* What is filled in. Borrowed during the call; NULL counts as empty. Octets may be any. */
struct template_words {
	const char *recipient; /* canonical address */
	const char *queue_id;
	const char *reason;
	const char *local_part, *wkd_hash,
		*fingerprint; /* for key_url alone: %l, %h, %f; NULL: they stand for themselves */
};

/* Fills in, as printable ASCII: in a URL what is filled in is percent-encoded but for letters,
 * digits and
 * "-._~@", elsewhere escaped as in the log. Cut at out_size bytes with NUL. Returns out. */
char *template_fill(const char *text, bool is_url, const struct template_words *words, char *out,
		    size_t out_size);

#endif
