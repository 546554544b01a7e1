/* SPDX-License-Identifier: ISC
 *
 * pattern.c: the patterns that rules are written in, and which of them match an address
 * (address.h).
 */
#include "common/address.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_suffix(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(text + len - n, suffix, n) == 0;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

size_t address_user_len(const char *local, size_t local_len, const char *delimiters)
{
	/* As Postfix does: these are never split, whatever the delimiter. */
	if (is_word(local, local_len, "postmaster") || is_word(local, local_len, "mailer-daemon") ||
	    is_word(local, local_len, "double-bounce"))
		return local_len;
	/* owner_request_special: owner-list and list-request are addresses of their own. */
	if (strchr(delimiters, '-') != NULL && ((local_len >= 6 && has_prefix(local, "owner-")) ||
						has_suffix(local, local_len, "-request")))
		return local_len;
	for (size_t i = 0; i < local_len; i++)
		if (strchr(delimiters, local[i]) != NULL)
			return i > 0 ? i : local_len;
	return local_len;
}

static void add(struct candidates *c, enum pattern_kind kind, const char *text)
{
	assert(c->n < CANDIDATES_MAX);
	c->text[c->n] = text;
	c->kind[c->n] = kind;
	c->n++;
}

/* Builds "user" and `rest` in the buffer; returns it, and moves *used. */
static const char *build(struct candidates *c, size_t *used, const char *user, size_t user_len,
			 const char *rest)
{
	char *start = c->buffer + *used;
	size_t rest_len = strlen(rest);

	memcpy(start, user, user_len);
	memcpy(start + user_len, rest, rest_len + 1);
	*used += user_len + rest_len + 1;
	return start;
}

/* As address_domain(), for addresses that are not canonical too. */
static const char *domain_of(const struct address *a)
{
	return a->text[a->local_len] == '@' ? a->text + a->local_len + 1 : "";
}

/* user+ext@domain, user@domain, domain and the domains above it: suffixes of the address where
 * possible. */
static void add_with_domain(const struct address *a, size_t user_len, struct candidates *c,
			    size_t *used)
{
	const char *domain = domain_of(a);

	if (user_len < a->local_len)
		add(c, PATTERN_DETAIL, a->text);
	if (user_len < a->local_len)
		add(c, PATTERN_MAILBOX, build(c, used, a->text, user_len, a->text + a->local_len));
	else
		add(c, PATTERN_MAILBOX, a->text);
	add(c, PATTERN_DOMAIN, domain);
	if (domain[0] == '[')
		return;
	for (const char *dot = strchr(domain, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
		add(c, PATTERN_SUBDOMAINS, dot);
}

void address_candidates(const struct address *a, const char *delimiters, struct candidates *c)
{
	size_t used = 0;
	size_t user_len;

	c->n = 0;
	if (a->kind == ADDRESS_NULL) {
		add(c, PATTERN_NULL, "<>");
	} else {
		user_len = address_user_len(a->text, a->local_len, delimiters);
		if (domain_of(a)[0] != '\0')
			add_with_domain(a, user_len, c, &used);
		if (user_len < a->local_len)
			add(c, PATTERN_USER, build(c, &used, a->text, a->local_len, "@"));
		add(c, PATTERN_USER, build(c, &used, a->text, user_len, "@"));
	}
	add(c, PATTERN_ANY, "*");
}

bool pattern_matches(const struct pattern *p, const struct address *a, const char *delimiters)
{
	struct candidates c;

	address_candidates(a, delimiters, &c);
	for (size_t i = 0; i < c.n; i++)
		if (strcmp(c.text[i], p->text) == 0)
			return true;
	return false;
}

/* Fills out->text with `prefix` and the canonical domain. A single label takes an explicit '@' or
 * '.' in front: "alice" is more likely a user whose domain was forgotten. */
static int parse_domain(const char *raw, size_t len, const char *prefix, struct pattern *out)
{
	char domain[ADDRESS_MAX + 1];
	size_t prefix_len = strlen(prefix);

	if (address_canonical_domain(raw, len, domain) != 0 ||
	    prefix_len + strlen(domain) > ADDRESS_MAX || (*prefix == '.' && domain[0] == '['))
		return -1;
	memcpy(out->text, prefix, prefix_len);
	strcpy(out->text + prefix_len, domain);
	return 0;
}

static int parse_user(const char *raw, size_t len, struct pattern *out)
{
	struct address a;

	address_canonical(raw, len - 1, &a);
	if (a.kind != ADDRESS_MAILBOX || a.is_routed || address_domain(&a)[0] != '\0' ||
	    a.local_len + 1 > ADDRESS_MAX)
		return -1;
	memcpy(out->text, a.text, a.local_len);
	strcpy(out->text + a.local_len, "@");
	return 0;
}

static int parse_mailbox(const char *raw, size_t len, const char *delimiters, struct pattern *out)
{
	struct address a;

	address_canonical(raw, len, &a);
	if (a.kind != ADDRESS_MAILBOX || a.is_routed || address_domain(&a)[0] == '\0')
		return -1;
	out->kind = address_user_len(a.text, a.local_len, delimiters) < a.local_len
			    ? PATTERN_DETAIL
			    : PATTERN_MAILBOX;
	strcpy(out->text, a.text);
	return 0;
}

static int parse(const char *raw, size_t len, const char *delimiters, bool allow_null,
		 struct pattern *out)
{
	if (strcmp(raw, "*") == 0) {
		out->kind = PATTERN_ANY;
		strcpy(out->text, "*");
		return 0;
	}
	if (strcmp(raw, "<>") == 0 && allow_null) {
		out->kind = PATTERN_NULL;
		strcpy(out->text, "<>");
		return 0;
	}
	/* No wild cards within a pattern, and no blanks: rules are written one a line, in words. */
	if (len < 2 || strpbrk(raw, "* \t<>") != NULL)
		return -1;
	if (raw[0] == '@') {
		out->kind = PATTERN_DOMAIN;
		return parse_domain(raw + 1, len - 1, "", out);
	}
	if (raw[0] == '.') {
		out->kind = PATTERN_SUBDOMAINS;
		return parse_domain(raw + 1, len - 1, ".", out);
	}
	if (raw[len - 1] == '@') {
		out->kind = PATTERN_USER;
		return parse_user(raw, len, out);
	}
	if (strchr(raw, '@') != NULL)
		return parse_mailbox(raw, len, delimiters, out);
	out->kind = PATTERN_DOMAIN;
	if (parse_domain(raw, len, "", out) != 0)
		return -1;
	return strchr(out->text, '.') != NULL || out->text[0] == '[' ||
			       strcmp(out->text, "localhost") == 0
		       ? 0
		       : -1;
}

/* What was meant, when it is one of the usual mistakes. 0, or -1: it is none of them. */
static int explain_mistake(const char *raw, size_t len, char *err, size_t err_size)
{
	const size_t n = strcspn(raw, ",; ");
	const char *next = raw + n + strspn(raw + n, ",; ");
	char shown[100], rest[100];

	log_escape(shown, sizeof(shown), raw, len);
	if (next[0] != '\0') {
		char first[100];

		snprintf(err, err_size,
			 "\"%s\" is more than one pattern; write each by itself: %s %s", shown,
			 log_escape(first, sizeof(first), raw, n),
			 log_escape(rest, sizeof(rest), next, strcspn(next, ",; ")));
	} else if (has_prefix(raw, "*@")) {
		snprintf(err, err_size,
			 "\"%s\" is no pattern; every address in a domain is the domain alone: %s",
			 shown, log_escape(rest, sizeof(rest), raw + 2, len - 2));
	} else if (has_prefix(raw, "*.")) {
		snprintf(err, err_size,
			 "\"%s\" is no pattern; everything below a domain is written %s", shown,
			 log_escape(rest, sizeof(rest), raw + 1, len - 1));
	} else if (has_suffix(raw, len, "@*")) {
		snprintf(err, err_size,
			 "\"%s\" is no pattern; a user in every domain is written %s", shown,
			 log_escape(rest, sizeof(rest), raw, len - 1));
	} else {
		return -1;
	}
	return 0;
}

int pattern_parse(const char *raw, const char *delimiters, bool allow_null, struct pattern *out,
		  char *err, size_t err_size)
{
	size_t len = strlen(raw);
	char shown[100];

	memset(out, 0, sizeof(*out));
	if (parse(raw, len, delimiters, allow_null, out) == 0)
		return 0;
	if (explain_mistake(raw, len, err, err_size) == 0)
		return -1;
	log_escape(shown, sizeof(shown), raw, len);
	snprintf(err, err_size,
		 "\"%s\" is no pattern; write user@domain, user+ext@domain, domain (or @domain), "
		 ".domain (all below it), user@ (in every domain)%s or *",
		 shown, allow_null ? ", <> (the null sender)" : "");
	return -1;
}
