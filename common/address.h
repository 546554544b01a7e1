/* SPDX-License-Identifier: ISC
 *
 * address.h: one canonical form for every mail address, whoever gives it (policy attributes, milter
 * arguments, the command line, imports), and the patterns that rules are written in.
 *
 * Canonical (RFC 5321 section 4.1.2, RFC 6531, UTS 46): angle brackets and source route removed,
 * local part unquoted, split at the last '@', domain lower-cased, one trailing dot removed,
 * U-labels turned to A-labels (libidn2, non-transitional), letters of the local part folded
 * (Unicode's full case folding; ASCII ones lower-cased), Unicode normalised to NFC. The null sender
 * is "<>". Address literals stay, lower-cased.
 *
 * Not canonical (ADDRESS_BAD): invalid UTF-8, control characters, an empty local part, over 320
 * bytes; also a domain that is no host name, and a local part that holds a quote, a backslash or an
 * angle bracket once it is unquoted: it would read as another one when it is read again.
 *
 * Plain values without memory of their own; any thread.
 */
#ifndef PGPGATE_COMMON_ADDRESS_H
#define PGPGATE_COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_MAX 320	       /* bytes: RFC 5321 section 4.5.3.1: 64 + 1 + 255 */
#define FROM_MAX 4	       /* mailboxes: mail with more authors is rare */
#define PATTERN_LABELS_MAX 128 /* labels in 255 octets of domain */
#define CANDIDATES_MAX (PATTERN_LABELS_MAX + 6)

enum address_kind {
	ADDRESS_MAILBOX, /* local@domain, or a local part alone when no domain was given */
	ADDRESS_NULL,	 /* the null reverse-path */
	ADDRESS_BAD,	 /* not canonical: matches no rule that would lessen the requirement */
};

struct address {
	enum address_kind kind;
	bool is_routed; /* local part holds '@', '%' or '!' after unquoting: as ADDRESS_BAD for
			   rules */
	bool has_added_domain;	    /* address_complete() gave it one */
	size_t local_len;	    /* bytes of the local part within text */
	char text[ADDRESS_MAX + 1]; /* canonical, NUL-terminated; "<>" for the null sender; for
				     * ADDRESS_BAD what log_escape() makes of the local part, cut
				     * where it is too long, and the domain if it is one */
};

/* Canonicalises raw (raw_len bytes, hostile). Never fails: what cannot be canonical is ADDRESS_BAD.
 */
void address_canonical(const char *raw, size_t raw_len, struct address *out);

/* The same for the form that Postfix's policy protocol has: the local part is unquoted already, so
 * that quotes and backslashes are octets of it. */
void address_internal(const char *raw, size_t raw_len, struct address *out);

/* A domain or address literal alone: 0, or -1 when it cannot be canonical. */
int address_canonical_domain(const char *raw, size_t raw_len, char out[ADDRESS_MAX + 1]);

/* Is this what folding all letters, the domain's too, makes of raw? Postfix shows a milter that.
 * The domain may be another one then: "ss" stands for U+00DF, which IDNA keeps (RFC 5894
 * section 7.2). False where raw is ASCII. Both as they come, NUL-terminated, hostile. */
bool address_folds_to(const char *raw, const char *folded);

/* What folding all letters makes of a domain, canonical both: another name where it has letters
 * that IDNA keeps and folding does not. False: the same, or it has no canonical form. */
bool address_folded_domain(const char *domain, char folded[ADDRESS_MAX + 1]);

/* The address whose mail Postfix does not tell from that for a: with its domain folded. False: a
 * itself. */
bool address_twin(const struct address *a, struct address *twin);

/* The domain within text (after the last '@'), or "" when there is none. Borrowed from a. */
const char *address_domain(const struct address *a);

/* Gives a mailbox without a domain this one. domain: canonical; "": none is known, and nothing
 * changes. */
void address_complete(struct address *a, const char *domain);

/* True if a rule that lessens the requirement may match: a mailbox or the null sender, not routed.
 */
bool address_is_trustworthy(const struct address *a);

/* Who a message says it is from: the mailboxes of all its From: fields. RFC 5322 section 3.6 allows
 * one field, which may name several; what mail programs show of several fields differs.
 * Zero-initialised. */
struct from_header {
	size_t n;
	bool has_more; /* than FROM_MAX different ones */
	struct address address[FROM_MAX];
};

/* Adds the mailboxes of one field, value as in the header: comments, display names, groups,
 * folding. What is no mailbox with a domain is passed over. */
void from_header_add(struct from_header *f, const char *value, size_t value_len);

/* The one mailbox, or NULL when there is none, or several. Borrowed from f. */
const struct address *from_header_single(const struct from_header *f);

/* Bytes of a canonical local part before its extension, by Postfix's rule for recipient_delimiter
 * (a set of characters): the first one splits, unless the local part begins with it; postmaster,
 * mailer-daemon and double-bounce are never split, nor owner-x and x-request where '-' is a
 * delimiter. local_len when there is no extension. */
size_t address_user_len(const char *local, size_t local_len, const char *delimiters);

/* Patterns, most specific first: the order in which they win. */
enum pattern_kind {
	PATTERN_DETAIL,	    /* user+ext@domain */
	PATTERN_MAILBOX,    /* user@domain */
	PATTERN_DOMAIN,	    /* domain */
	PATTERN_SUBDOMAINS, /* .domain: at any depth, not the domain itself; the longest wins */
	PATTERN_USER,	    /* user@: in every domain */
	PATTERN_ANY,	    /* * */
	PATTERN_NULL,	    /* <>: senders only */
};

struct pattern {
	enum pattern_kind kind;
	char text[ADDRESS_MAX + 1]; /* canonical */
};

/* Reads one pattern as the administrator types it ("@domain" means "domain"; IDN and case are made
 * canonical). delimiters: recipient_delimiter, a set of characters, may be "". allow_null: "<>" is
 * one (senders). 0, or -1 with a sentence that shows the right forms in err. */
int pattern_parse(const char *raw, const char *delimiters, bool allow_null, struct pattern *out,
		  char *err, size_t err_size);

/* All pattern texts that match an address, in the order in which they win. */
struct candidates {
	size_t n;
	const char *text[CANDIDATES_MAX]; /* into buffer, or into the address, or static */
	enum pattern_kind kind[CANDIDATES_MAX];
	char buffer[ADDRESS_MAX * 4 + 64];
};

/* Fills c; pointers into it live as long as both a and c. For the null sender: "<>" and "*". What
 * matches an address that is not trustworthy may only raise the requirement: callers see to that.
 */
void address_candidates(const struct address *a, const char *delimiters, struct candidates *c);

/* May a rule of a pattern of this kind, which matches a recipient, lessen the requirement? Not
 * where the recipient is not trustworthy, nor by a domain that was added: whose it is the MTA has
 * not said. */
bool address_is_sure(const struct address *a, enum pattern_kind kind);

/* Does pattern p match address a? The same rule as address_candidates(). */
bool pattern_matches(const struct pattern *p, const struct address *a, const char *delimiters);

#endif
