/* SPDX-License-Identifier: ISC
 *
 * rule_text.c: one rule a line, the text that import reads, export writes and the audit table
 * keeps.
 *
 *   REQUIREMENT PATTERN [sender=P] [client=C] [starts=WHEN] [expires=WHEN] [help-url=URL]
 * [owner=NAME] [note="TEXT"]
 *
 * Values with white space, quotes or a backslash are quoted; within quotes \" and \\ stand for
 * themselves.
 */
#include "db/rules.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/utf8.h"

_Static_assert(HELP_URL_MAX == SETTINGS_URL_MAX, "a rule has room for every URL that passes");

#define TOKEN_MAX 1200 /* bytes with NUL; a note with every character escaped is the longest */

char *rule_client_text(const struct rule *r, char out[NETADDR_TEXT_MAX])
{
	out[0] = '\0';
	if (r->client_kind == RULE_CLIENT_AUTHENTICATED)
		snprintf(out, NETADDR_TEXT_MAX, "authenticated");
	else if (r->client_kind == RULE_CLIENT_NETWORK)
		netaddr_format(&r->client, out);
	return out;
}

int rule_client_parse(const char *text, struct rule *r, char *err, size_t err_size)
{
	memset(&r->client, 0, sizeof r->client);
	if (strcmp(text, "authenticated") == 0) {
		r->client_kind = RULE_CLIENT_AUTHENTICATED;
		return 0;
	}
	if (netaddr_parse(text, &r->client, err, err_size) != 0)
		return -1;
	r->client_kind = RULE_CLIENT_NETWORK;
	return 0;
}

/* ---- writing ---- */

struct line {
	char *out;
	size_t size, used;
};

static void put_char(struct line *l, char c)
{
	if (l->used + 1 < l->size)
		l->out[l->used++] = c;
	l->out[l->used] = '\0';
}

static void put(struct line *l, const char *text)
{
	for (; *text != '\0'; text++)
		put_char(l, *text);
}

static void put_field(struct line *l, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	put_char(l, ' ');
	put(l, name);
	put_char(l, '=');
	put(l, value);
}

static void put_quoted(struct line *l, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	put_char(l, ' ');
	put(l, name);
	put(l, "=\"");
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			put_char(l, '\\');
		put_char(l, *value);
	}
	put_char(l, '"');
}

char *rule_format(const struct rule *r, char *out, size_t out_size)
{
	struct line l = {.out = out, .size = out_size};
	char client[NETADDR_TEXT_MAX];
	char when[CLOCK_TEXT_MAX];

	out[0] = '\0';
	put(&l, requirement_name(r->requirement));
	put_char(&l, ' ');
	/* A comment sign, a quote or this word in a local part would be read as something else. */
	if (strpbrk(r->recipient.text, " \t\"\\#") != NULL ||
	    strncmp(r->recipient.text, "recipient=", 10) == 0) {
		l.used--;
		put_quoted(&l, "recipient", r->recipient.text);
	} else {
		put(&l, r->recipient.text);
	}
	if (r->has_sender && strpbrk(r->sender.text, " \t\"\\") != NULL)
		put_quoted(&l, "sender", r->sender.text);
	else if (r->has_sender)
		put_field(&l, "sender", r->sender.text);
	put_field(&l, "client", rule_client_text(r, client));
	if (r->starts_at_unix != 0)
		put_field(&l, "starts", clock_format(r->starts_at_unix, when));
	if (r->expires_at_unix != 0)
		put_field(&l, "expires", clock_format(r->expires_at_unix, when));
	put_field(&l, "help-url", r->help_url);
	put_field(&l, "owner", r->owner);
	put_quoted(&l, "note", r->note);
	return out;
}

/* ---- reading ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes one token, quotes removed. 1 token, 0 end of line, -1 with err. */
static int next_token(const char **cursor, char out[TOKEN_MAX], char *err, size_t err_size)
{
	const char *p = *cursor;
	bool is_quoted = false;
	size_t n = 0;

	while (is_space(*p))
		p++;
	if (*p == '\0')
		return 0;
	for (; *p != '\0' && (is_quoted || !is_space(*p)); p++) {
		if (*p == '"') {
			is_quoted = !is_quoted;
			continue;
		}
		if (is_quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (n + 1 >= TOKEN_MAX) {
			snprintf(err, err_size, "a value is longer than %d bytes", TOKEN_MAX - 1);
			return -1;
		}
		out[n++] = *p;
	}
	out[n] = '\0';
	*cursor = p;
	if (!is_quoted)
		return 1;
	snprintf(err, err_size, "a quote is not closed");
	return -1;
}

/* Free text that will be shown on terminals and in replies. */
static int copy_text(const char *name, const char *value, char *out, size_t out_size, char *err,
		     size_t err_size)
{
	const size_t len = strlen(value);

	if (len >= out_size) {
		snprintf(err, err_size, "%s is longer than %zu bytes", name, out_size - 1);
		return -1;
	}
	for (size_t at = 0; at < len;) {
		uint32_t codepoint = 0;
		const size_t n = utf8_decode((const unsigned char *)value + at, len - at,
					     &codepoint);

		if (n == 0 || utf8_is_deceptive(codepoint)) {
			snprintf(err, err_size,
				 "%s holds control characters or is not UTF-8; remove them", name);
			return -1;
		}
		at += n;
	}
	memcpy(out, value, len + 1);
	return 0;
}

int rule_set_text(struct rule *r, const char *note, const char *help_url, char *err,
		  size_t err_size)
{
	if (note != NULL && copy_text("note", note, r->note, sizeof r->note, err, err_size) != 0)
		return -1;
	if (help_url == NULL)
		return 0;
	/* The shape of help_url: it goes into replies, which are ASCII (RFC 5321 section 4.2). */
	if (help_url[0] != '\0' && !settings_is_url(help_url)) {
		char shown[100];

		snprintf(err, err_size,
			 "help-url: \"%s\" is no URL; write one such as https://example.org/pgp "
			 "(ASCII, no blanks, at most %d bytes)",
			 log_escape(shown, sizeof shown, help_url, strlen(help_url)), HELP_URL_MAX);
		return -1;
	}
	snprintf(r->help_url, sizeof r->help_url, "%s", help_url);
	return 0;
}

int rule_set_owner(struct rule *r, const char *owner, char *err, size_t err_size)
{
	const size_t len = strlen(owner);
	char shown[100];

	if (len <= OWNER_MAX &&
	    strspn(owner, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		    len) {
		memcpy(r->owner, owner, len + 1);
		return 0;
	}
	snprintf(err, err_size,
		 "owner: \"%s\" is no name; letters, digits, '.', '_' and '-', at most %d, such as "
		 "ldap",
		 log_escape(shown, sizeof shown, owner, len), OWNER_MAX);
	return -1;
}

struct reader {
	const char *delimiters;
	int64_t now_unix;
	unsigned seen; /* bit mask of fields, to refuse one that comes twice */
};

static int read_value(const struct reader *in, size_t field, const char *value, struct rule *out,
		      char *err, size_t err_size)
{
	switch (field) {
	case 0:
		return pattern_parse(value, in->delimiters, false, &out->recipient, err, err_size);
	case 1:
		out->has_sender = true;
		return pattern_parse(value, in->delimiters, true, &out->sender, err, err_size);
	case 2:
		return rule_client_parse(value, out, err, err_size);
	case 3:
		return clock_parse_when(value, in->now_unix, false, &out->starts_at_unix, err,
					err_size);
	case 4:
		return clock_parse_when(value, in->now_unix, true, &out->expires_at_unix, err,
					err_size);
	case 5:
		return rule_set_text(out, NULL, value, err, err_size);
	case 6:
		return rule_set_owner(out, value, err, err_size);
	default:
		return rule_set_text(out, value, NULL, err, err_size);
	}
}

static int read_field(struct reader *in, const char *token, struct rule *out, char *err,
		      size_t err_size)
{
	static const char *const names[] = {"recipient", "sender",   "client", "starts",
					    "expires",	 "help-url", "owner",  "note"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const size_t len = strlen(names[i]);

		if (strncmp(token, names[i], len) != 0 || token[len] != '=')
			continue;
		if (in->seen & 1u << i) {
			snprintf(err, err_size, "%s is there twice", names[i]);
			return -1;
		}
		in->seen |= 1u << i;
		return read_value(in, i, token + len + 1, out, err, err_size);
	}
	snprintf(err, err_size,
		 "\"%.60s\" is none of sender=, client=, starts=, expires=, help-url=, owner=, "
		 "note=",
		 token);
	return -1;
}

int rule_parse(const char *line, const char *delimiters, int64_t now_unix, struct rule *out,
	       char *err, size_t err_size)
{
	struct reader in = {.delimiters = delimiters, .now_unix = now_unix};
	char token[TOKEN_MAX];
	int got;

	memset(out, 0, sizeof *out);
	while (is_space(*line))
		line++;
	if (*line == '#' || (got = next_token(&line, token, err, err_size)) == 0)
		return 1;
	if (got < 0)
		return -1;
	if (strcmp(token, "require") == 0) { /* as it is typed */
		out->requirement = REQUIREMENT_ENCRYPTED;
	} else if (requirement_from_name(token, &out->requirement) != 0) {
		snprintf(err, err_size,
			 "\"%.60s\" is none of exempt, observe, signed, encrypted, ratchet, "
			 "own-key, readable",
			 token);
		return -1;
	}
	for (bool is_first = true; (got = next_token(&line, token, err, err_size)) == 1;
	     is_first = false) {
		if (is_first && strncmp(token, "recipient=", 10) != 0) {
			in.seen |= 1;
			got = read_value(&in, 0, token, out, err, err_size);
		} else {
			got = read_field(&in, token, out, err, err_size);
		}
		if (got != 0)
			return -1;
	}
	if (got == 0 && !(in.seen & 1)) {
		snprintf(err, err_size, "no recipient pattern after \"%s\"",
			 requirement_name(out->requirement));
		return -1;
	}
	if (got == 0 && out->expires_at_unix != 0 && out->expires_at_unix <= out->starts_at_unix) {
		snprintf(err, err_size, "it would expire before it starts");
		return -1;
	}
	return got;
}
