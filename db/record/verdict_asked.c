/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_asked.h"

#include <stdio.h>
#include <string.h>

static void copy_message_id(const char *text, char out[OPERAND_MAX])
{
	size_t len;

	text += strspn(text, " \t<");
	len = strcspn(text, "> \t");
	snprintf(out, OPERAND_MAX, "%.*s", (int)len, text);
}

bool asked_message_id(const struct asked *asked, const char *stored)
{
	char bare[OPERAND_MAX];

	if (asked->filter->message_id == NULL)
		return true;
	copy_message_id(stored, bare);
	return strcmp(bare, asked->message_id[0]) == 0 ||
	       (asked->message_id[1][0] != '\0' && strcmp(stored, asked->message_id[1]) == 0);
}

bool asked_client(const struct asked *asked, const char *stored)
{
	const struct netaddr *network = asked->filter->client;
	struct netaddr client;
	char err[200];

	if (network == NULL)
		return true;
	if (strncmp(stored, "h:", 2) == 0) /* which network it is in nobody knows */
		return strcmp(stored, asked->client_hash) == 0;
	return stored[0] != '\0' && netaddr_parse(stored, &client, err, sizeof err) == 0 &&
	       netaddr_contains(network, &client);
}

/* The forms in which both may be stored. */
static void prepare_texts(struct db *d, struct asked *asked)
{
	char text[OPERAND_MAX + 2], client[NETADDR_TEXT_MAX];

	if (asked->filter->message_id != NULL) {
		copy_message_id(asked->filter->message_id, asked->message_id[0]);
		snprintf(text, sizeof text, "<%s>", asked->message_id[0]);
		if (d->hashed.has_key)
			hashed_text(&d->hashed, HASHED_MESSAGE_ID, text, asked->message_id[1]);
	}
	if (asked->filter->client != NULL && d->hashed.has_key)
		hashed_text(&d->hashed, HASHED_CLIENT,
			    netaddr_format(asked->filter->client, client), asked->client_hash);
}

static void prepare_pattern(struct db *d, const char *pattern, char out[2][2][KEY_MAX])
{
	const char *domain = pattern[0] == '@' ? pattern + 1 : pattern;
	char hash[HASHED_ADDRESS_MAX];

	key_range(pattern, out[0][0], out[0][1]);
	if (out[0][1][0] == '\0')
		key_range(hashed_address(&d->hashed, pattern, hash), out[1][0], out[1][1]);
	else
		key_range(hashed_text(&d->hashed, HASHED_DOMAIN, domain, hash), out[1][0],
			  out[1][1]);
}

static bool address_is_asked(const struct asked *asked, const char forms[2][2][KEY_MAX],
			     const char *address)
{
	char key[KEY_MAX];

	key_from_address(address, key);
	for (size_t i = 0; i < asked->n_forms; i++) {
		const char *from = forms[i][0], *to = forms[i][1];

		if (to[0] == '\0' ? strcmp(key, from) == 0
				  : strcmp(key, from) >= 0 && strcmp(key, to) < 0)
			return true;
	}
	return false;
}

bool asked_row(const struct asked *asked, const struct verdict_row *row)
{
	const struct verdicts_filter *f = asked->filter;
	const struct verdict_record *r = &row->record;

	if (row->id <= f->after_id || r->time_unix < f->since_unix ||
	    (f->until_unix != 0 && r->time_unix >= f->until_unix))
		return false;
	if ((f->verdict >= 0 && row->judgement.verdict != (enum verdict)f->verdict) ||
	    (f->action >= 0 && r->action != (enum action)f->action) ||
	    (f->queue_id != NULL && strcmp(r->queue_id, f->queue_id) != 0))
		return false;
	if (!asked_client(asked, r->client) || !asked_message_id(asked, r->message_id))
		return false;
	if (f->sender != NULL && !address_is_asked(asked, asked->sender, r->sender))
		return false;
	if (f->recipient == NULL)
		return true;
	for (size_t i = 0; i < r->n_recipients; i++)
		if (address_is_asked(asked, asked->recipient, r->recipients[i].address))
			return true;
	return false;
}

void asked_begin(struct asked *asked, struct db *d, const struct verdicts_filter *f)
{
	memset(asked, 0, sizeof *asked);
	asked->filter = f;
	asked->n_forms = d->hashed.has_key ? 2 : 1;
	prepare_texts(d, asked);
	if (f->sender != NULL)
		prepare_pattern(d, f->sender, asked->sender);
	if (f->recipient != NULL)
		prepare_pattern(d, f->recipient, asked->recipient);
}
