/* SPDX-License-Identifier: ISC */
#include "common/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <idn2.h>
#include <unicase.h>

#include "common/log.h"
#include "common/utf8.h"

/* Bytes of an address before it is canonical: Postfix's line_length_limit. Quoting, a source route
 * and U-labels may make it longer than ADDRESS_MAX. */
#define RAW_MAX 2048

#define FOLDED_MAX (3 * RAW_MAX) /* U+0390, two bytes, becomes three letters of two */

#define LABEL_MAX 63   /* RFC 1035 section 2.3.4 */
#define DOMAIN_MAX 255 /* RFC 5321 section 4.5.3.1.2 */

/* An address taken apart: local part unquoted, domain as it came. */
struct parts {
	char local[RAW_MAX + 1];
	size_t local_len;
	char domain[RAW_MAX + 1];
	size_t domain_len;
	bool has_domain;
};

/* Well-formed UTF-8 without control characters, C1 and line separators included. */
static bool is_clean(const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t c;

	while (len > 0) {
		size_t n = utf8_decode(bytes, len, &c);

		if (n == 0 || c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

static void lower_ascii(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] - 'A' + 'a');
}

/* "@one,@two:" in front of an address (RFC 5321 section 4.1.2, A-d-l): its length; 0 when there is
 * none. Only what can be domains is passed over. */
static size_t source_route_len(const char *text, size_t len)
{
	bool in_literal = false;

	if (len == 0 || text[0] != '@')
		return 0;
	for (size_t i = 1; i < len; i++) {
		char c = text[i];

		if (c == '[')
			in_literal = true;
		else if (c == ']')
			in_literal = false;
		else if (c == ':' && !in_literal)
			return i + 1;
		else if (c == ' ' || c == '"' || c == '\\' || c == '%' || c == '!')
			return 0;
	}
	return 0;
}

/* Takes text apart at the last '@' that is not quoted. is_quoted: the text is in the form of RFC
 * 5321 (quoted strings, quoted pairs); otherwise every octet stands for itself. A domain keeps its
 * quotes, and is none with them. -1: malformed quoting. */
static int take_apart(const char *text, size_t len, bool is_quoted, struct parts *out)
{
	bool in_quotes = false;
	size_t at = 0;	     /* of the last '@' in the unquoted local part */
	size_t after_at = 0; /* of what follows it, in text */
	size_t n = 0;

	out->has_domain = false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (is_quoted && c == '"') {
			in_quotes = !in_quotes;
			continue;
		}
		if (is_quoted && c == '\\') {
			if (++i == len)
				return -1;
			c = text[i];
		} else if (c == '@' && !in_quotes) {
			out->has_domain = true;
			at = n;
			after_at = i + 1;
		}
		out->local[n++] = c;
	}
	if (in_quotes)
		return -1;
	out->local_len = out->has_domain ? at : n;
	out->domain_len = out->has_domain ? len - after_at : 0;
	memcpy(out->domain, text + after_at, out->domain_len);
	out->local[out->local_len] = '\0';
	out->domain[out->domain_len] = '\0';
	return 0;
}

/* An ASCII domain, lower case, of letters, digits, hyphens and underscores (which real hosts have).
 */
static bool is_ascii_domain(const char *domain, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = domain[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') ||
		    ++label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": printable ASCII within the brackets. */
static bool is_address_literal(const char *domain, size_t len)
{
	if (len < 3 || domain[0] != '[' || domain[len - 1] != ']')
		return false;
	for (size_t i = 1; i < len - 1; i++)
		if (domain[i] <= ' ' || domain[i] > '~' || strchr("[]\\@<>\"", domain[i]) != NULL)
			return false;
	return true;
}

/* Makes a domain canonical in place (RAW_MAX + 1 bytes). */
static int canonical_domain(char *domain, size_t *len)
{
	if (!is_ascii(domain, *len)) {
		char *ascii = NULL;

		/* UTS 46, non-transitional, as Postfix does with SMTPUTF8. */
		if (idn2_lookup_u8((const uint8_t *)domain, (uint8_t **)&ascii,
				   IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
			return -1;
		*len = strlen(ascii);
		if (*len <= RAW_MAX)
			memcpy(domain, ascii, *len + 1);
		idn2_free(ascii);
		if (*len > RAW_MAX)
			return -1;
	}
	lower_ascii(domain, *len);
	if (is_address_literal(domain, *len))
		return 0;
	if (*len > 0 && domain[*len - 1] == '.')
		domain[--*len] = '\0';
	return is_ascii_domain(domain, *len) ? 0 : -1;
}

/* Makes a local part canonical in place. Letters of all scripts are folded, as Postfix folds what
 * it has resolved (smtpd shows a milter the folded form of an address that another spelling has
 * asked for before), and normalised: NFC turns some characters into ASCII letters (U+212A KELVIN
 * SIGN into K). */
static int canonical_local(char *local, size_t *len)
{
	if (!is_ascii(local, *len)) {
		size_t nfc_len = RAW_MAX;
		uint8_t *nfc = u8_casefold((const uint8_t *)local, *len, NULL, UNINORM_NFC, NULL,
					   &nfc_len);

		if (nfc == NULL)
			return -1;
		if (nfc_len > 0 && nfc_len <= RAW_MAX)
			memcpy(local, nfc, nfc_len);
		free(nfc);
		if (nfc_len > RAW_MAX)
			return -1;
		*len = nfc_len;
		local[*len] = '\0';
	}
	lower_ascii(local, *len);
	/* What would need quoting twice has no canonical form of its own. */
	return *len == 0 || strpbrk(local, "\"\\<>") != NULL ? -1 : 0;
}

/* Where what stands behind the '@' is a domain, it is kept, and as much of the local part as fits:
 * rules for either may raise what is demanded. Otherwise all of it is local part. */
static void bad(const char *text, size_t len, bool is_quoted, struct address *out)
{
	struct parts parts;
	char domain[ADDRESS_MAX + 1];

	memset(out, 0, sizeof(*out));
	out->kind = ADDRESS_BAD;
	if (len <= RAW_MAX && take_apart(text, len, is_quoted, &parts) == 0 && parts.has_domain &&
	    address_canonical_domain(parts.domain, parts.domain_len, domain) == 0 &&
	    strlen(domain) <= DOMAIN_MAX) {
		const char *local = parts.local_len > 0 ? parts.local : "\"\"";
		size_t local_len = parts.local_len > 0 ? parts.local_len : 2;

		lower_ascii(parts.local, parts.local_len);
		log_escape(out->text, sizeof(out->text) - strlen(domain) - 1, local, local_len);
		out->local_len = strlen(out->text);
		snprintf(out->text + out->local_len, sizeof(out->text) - out->local_len, "@%s",
			 domain);
		return;
	}
	log_escape(out->text, sizeof(out->text), text, len);
	out->local_len = strlen(out->text);
}

static void canonical(const char *raw, size_t raw_len, bool is_quoted, struct address *out)
{
	const char *text = raw;
	size_t len = raw_len;
	struct parts parts;
	size_t route;

	if (len >= 2 && text[0] == '<' && text[len - 1] == '>') {
		text++;
		len -= 2;
	}
	memset(out, 0, sizeof(*out));
	if (len == 0) {
		out->kind = ADDRESS_NULL;
		strcpy(out->text, "<>");
		return;
	}
	route = source_route_len(text, len);
	text += route;
	len -= route;
	if (len > RAW_MAX || !is_clean(text, len) ||
	    take_apart(text, len, is_quoted, &parts) != 0 ||
	    canonical_local(parts.local, &parts.local_len) != 0 ||
	    (parts.has_domain && canonical_domain(parts.domain, &parts.domain_len) != 0) ||
	    parts.local_len + parts.has_domain + parts.domain_len > ADDRESS_MAX) {
		bad(text, len, is_quoted, out);
		return;
	}
	out->kind = ADDRESS_MAILBOX;
	out->is_routed = strpbrk(parts.local, "@%!") != NULL;
	out->local_len = parts.local_len;
	memcpy(out->text, parts.local, parts.local_len);
	if (parts.has_domain) {
		out->text[parts.local_len] = '@';
		memcpy(out->text + parts.local_len + 1, parts.domain, parts.domain_len);
	}
}

void address_canonical(const char *raw, size_t raw_len, struct address *out)
{
	canonical(raw, raw_len, true, out);
}

void address_internal(const char *raw, size_t raw_len, struct address *out)
{
	canonical(raw, raw_len, false, out);
}

int address_canonical_domain(const char *raw, size_t raw_len, char out[ADDRESS_MAX + 1])
{
	char domain[RAW_MAX + 1];
	size_t len = raw_len;

	if (len > RAW_MAX || !is_clean(raw, len))
		return -1;
	memcpy(domain, raw, len);
	domain[len] = '\0';
	if (canonical_domain(domain, &len) != 0 || len > ADDRESS_MAX)
		return -1;
	memcpy(out, domain, len + 1);
	return 0;
}

bool address_folds_to(const char *raw, const char *folded)
{
	const size_t len = strlen(raw);
	uint8_t buffer[FOLDED_MAX], *made;
	size_t made_len = sizeof buffer;
	struct address a, b;

	if (len > RAW_MAX || is_ascii(raw, len) || !is_clean(raw, len))
		return false;
	made = u8_casefold((const uint8_t *)raw, len, NULL, NULL, buffer, &made_len);
	if (made == NULL)
		return false;
	address_canonical((const char *)made, made_len, &a);
	address_canonical(folded, strlen(folded), &b);
	if (made != buffer)
		free(made);
	return a.kind == ADDRESS_MAILBOX && b.kind == ADDRESS_MAILBOX &&
	       strcmp(a.text, b.text) == 0;
}

bool address_folded_domain(const char *domain, char folded[ADDRESS_MAX + 1])
{
	char *unicode = NULL;
	uint8_t buffer[FOLDED_MAX], *made = NULL;
	size_t made_len = sizeof buffer;
	bool is_other = false;

	if (strstr(domain, "xn--") == NULL || idn2_to_unicode_8z8z(domain, &unicode, 0) != IDN2_OK)
		return false;
	if (strlen(unicode) <= RAW_MAX)
		made = u8_casefold((const uint8_t *)unicode, strlen(unicode), NULL, UNINORM_NFC,
				   buffer, &made_len);
	if (made != NULL)
		is_other = address_canonical_domain((const char *)made, made_len, folded) == 0 &&
			   strcmp(folded, domain) != 0;
	if (made != buffer)
		free(made);
	idn2_free(unicode);
	return is_other;
}

bool address_twin(const struct address *a, struct address *twin)
{
	char folded[ADDRESS_MAX + 1];

	if (!address_folded_domain(address_domain(a), folded) ||
	    a->local_len + 1 + strlen(folded) > ADDRESS_MAX)
		return false;
	*twin = *a;
	memcpy(twin->text + a->local_len + 1, folded, strlen(folded) + 1);
	return true;
}

const char *address_domain(const struct address *a)
{
	if (a->kind != ADDRESS_MAILBOX || a->text[a->local_len] != '@')
		return "";
	return a->text + a->local_len + 1;
}

void address_complete(struct address *a, const char *domain)
{
	const size_t len = strlen(domain);

	if (a->kind != ADDRESS_MAILBOX || len == 0 || a->text[a->local_len] == '@' ||
	    a->local_len + 1 + len > ADDRESS_MAX)
		return;
	a->text[a->local_len] = '@';
	memcpy(a->text + a->local_len + 1, domain, len + 1);
	a->has_added_domain = true;
}

bool address_is_trustworthy(const struct address *a)
{
	return a->kind == ADDRESS_NULL || (a->kind == ADDRESS_MAILBOX && !a->is_routed);
}

bool address_is_sure(const struct address *a, enum pattern_kind kind)
{
	return address_is_trustworthy(a) && (!a->has_added_domain || kind > PATTERN_SUBDOMAINS);
}
