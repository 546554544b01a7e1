/* SPDX-License-Identifier: ISC */
#include "db/rules/rule_row.h"

#include <stdio.h>
#include <string.h>

#include "common/copy.h"
#include "db/engine/column.h"

char *client_stored_network(const unsigned char octets[16], unsigned prefix_bits,
			    char out[CLIENT_STORED_MAX])
{
	char *p = out + snprintf(out, CLIENT_STORED_MAX, "net:");

	for (size_t i = 0; i < 16; i++)
		p += snprintf(p, 3, "%02x", octets[i]);
	snprintf(p, 8, "/%03u", prefix_bits % 1000);
	return out;
}

char *client_stored(const struct rule *r, char out[CLIENT_STORED_MAX])
{
	switch (r->client_kind) {
	case RULE_CLIENT_ANY:
		out[0] = '\0';
		break;
	case RULE_CLIENT_AUTHENTICATED:
		memcpy(out, "authenticated", sizeof "authenticated");
		break;
	case RULE_CLIENT_NETWORK:
		client_stored_network(r->client.octets, r->client.prefix_bits, out);
		break;
	}
	return out;
}

static void client_from_stored(const char *text, struct rule *out)
{
	unsigned octet, prefix_bits;

	out->client_kind = RULE_CLIENT_ANY;
	memset(&out->client, 0, sizeof out->client);
	if (strcmp(text, "authenticated") == 0)
		out->client_kind = RULE_CLIENT_AUTHENTICATED;
	if (strlen(text) != 4 + 32 + 4 || strncmp(text, "net:", 4) != 0)
		return;
	out->client_kind = RULE_CLIENT_NETWORK;
	for (size_t i = 0; i < 16; i++)
		if (sscanf(text + 4 + 2 * i, "%2x", &octet) == 1)
			out->client.octets[i] = (unsigned char)octet;
	if (sscanf(text + 37, "%3u", &prefix_bits) == 1 && prefix_bits <= 128)
		out->client.prefix_bits = prefix_bits;
}

/* Which of the forms a stored pattern is; `+` and the like may have been configured anew since. */
static void pattern_from_stored(const char *text, const char *delimiters, struct pattern *out)
{
	const char *at = strrchr(text, '@');
	const size_t local_len = at != NULL ? (size_t)(at - text) : 0;

	copy_text(out->text, sizeof out->text, text);
	if (strcmp(text, "*") == 0)
		out->kind = PATTERN_ANY;
	else if (strcmp(text, "<>") == 0)
		out->kind = PATTERN_NULL;
	else if (text[0] == '.' && at == NULL)
		out->kind = PATTERN_SUBDOMAINS;
	else if (at == NULL)
		out->kind = PATTERN_DOMAIN;
	else if (at[1] == '\0')
		out->kind = PATTERN_USER;
	else if (address_user_len(text, local_len, delimiters) < local_len)
		out->kind = PATTERN_DETAIL;
	else
		out->kind = PATTERN_MAILBOX;
}

void rule_from_row(struct db *d, sqlite3_stmt *st, struct rule *out)
{
	const char *delimiters = d->settings->recipient_delimiter;

	out->id = sqlite3_column_int64(st, 0);
	pattern_from_stored(column_text(st, 1), delimiters, &out->recipient);
	out->has_sender = column_text(st, 2)[0] != '\0';
	pattern_from_stored(column_text(st, 2), delimiters, &out->sender);
	client_from_stored(column_text(st, 3), out);
	/* A word that is none cannot be there (CHECK); were it, the strictest is the safe reading.
	 */
	out->requirement = REQUIREMENT_ENCRYPTED;
	requirement_from_name(column_text(st, 4), &out->requirement);
	out->starts_at_unix = sqlite3_column_int64(st, 5);
	out->expires_at_unix = sqlite3_column_int64(st, 6);
	db_column_text(st, 7, out->note, sizeof out->note);
	db_column_text(st, 8, out->help_url, sizeof out->help_url);
	db_column_text(st, 9, out->author, sizeof out->author);
	out->created_at_unix = sqlite3_column_int64(st, 10);
	out->hits = sqlite3_column_int64(st, 11);
	out->last_hit_at_unix = sqlite3_column_int64(st, 12);
	db_column_text(st, 13, out->owner, sizeof out->owner);
}

void rule_bind(sqlite3_stmt *st, int64_t generation, const struct rule *r, const char *client)
{
	db_bind_int(st, 1, generation);
	db_bind_text(st, 2, r->recipient.text);
	db_bind_text(st, 3, r->has_sender ? r->sender.text : "");
	db_bind_text(st, 4, client);
	db_bind_text(st, 5, requirement_name(r->requirement));
	db_bind_int_or_null(st, 6, r->starts_at_unix);
	db_bind_int_or_null(st, 7, r->expires_at_unix);
	db_bind_text_or_null(st, 8, r->note);
	db_bind_text_or_null(st, 9, r->help_url);
	db_bind_text(st, 10, r->author);
	db_bind_int(st, 11, r->created_at_unix);
	db_bind_text_or_null(st, 12, r->owner);
	db_bind_int(st, 13, r->hits);
	db_bind_int_or_null(st, 14, r->last_hit_at_unix);
	db_bind_int_or_null(st, 15, r->id);
}

bool rule_says_the_same(const struct rule *a, const struct rule *b)
{
	return a->requirement == b->requirement && a->starts_at_unix == b->starts_at_unix &&
	       a->expires_at_unix == b->expires_at_unix && strcmp(a->note, b->note) == 0 &&
	       strcmp(a->help_url, b->help_url) == 0 && strcmp(a->owner, b->owner) == 0;
}

bool rule_holds_at(const struct rule *r, int64_t now_unix)
{
	return r->starts_at_unix <= now_unix &&
	       (r->expires_at_unix == 0 || now_unix < r->expires_at_unix);
}
