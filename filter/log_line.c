/* SPDX-License-Identifier: ISC */
#include "filter/log_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/copy.h"
#include "common/log.h"

#define WORD_MAX                                                                        \
	256 /* bytes with NUL of one escaped word: nine of them leave room for the rest \
	     */

struct line {
	char *out;
	size_t size;
	size_t len;
	const struct hashed *hashed;
};

/* Piece by piece, not by printf(): a line a message. */
static void add(struct line *l, const char *text)
{
	l->len += copy_text(l->out + l->len, l->size - l->len, text);
}

static void add_number(struct line *l, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRId64, value);
	add(l, digits);
}

/* A word that stays one word: spaces and angle brackets are escaped too. */
static const char *word(const char *text, char out[WORD_MAX])
{
	char escaped[WORD_MAX];
	size_t n = 0;

	log_escape(escaped, sizeof escaped, text, strlen(text));
	for (const char *p = escaped; *p != '\0'; p++) {
		if (n + 5 > WORD_MAX)
			break;
		if (*p == ' ' || *p == '<' || *p == '>')
			n += (size_t)snprintf(out + n, WORD_MAX - n, "\\x%02X", (unsigned char)*p);
		else
			out[n++] = *p;
	}
	out[n] = '\0';
	return out;
}

static void add_address(struct line *l, const char *key, const char *address)
{
	char buffer[WORD_MAX];
	char hash[HASHED_ADDRESS_MAX];

	if (address == NULL || strcmp(address, "<>") == 0)
		address = "";
	address = hashed_shown(l->hashed, HASHED_ADDRESS, address, hash);
	add(l, key);
	add(l, word(address, buffer));
	add(l, ">");
}

static void add_recipient(struct line *l, const struct verdict_recipient *r)
{
	add_address(l, " to=<", r->address);
	add(l, " requirement=");
	add(l, requirement_name(r->requirement));
	add(l, " rule=");
	if (r->rule_id != 0)
		add_number(l, r->rule_id);
	else
		add(l, policy_source_name(r->source));
}

char *log_line_format(const struct verdict_record *r, const struct hashed *hashed, char *out,
		      size_t out_size)
{
	struct line l = {.out = out, .size = out_size, .hashed = hashed};
	const struct judgement *j = r->judgement;
	char buffer[WORD_MAX];
	char hash[HASHED_ADDRESS_MAX];

	out[0] = '\0';
	add(&l,
	    word(r->queue_id != NULL && r->queue_id[0] != '\0' ? r->queue_id : "NOQUEUE", buffer));
	add(&l, ": verdict=");
	add(&l, verdict_name(j->verdict));
	add(&l, " form=");
	add(&l, form_name(j->form));
	add(&l, " reason=");
	add(&l, j->reason);
	add(&l, " action=");
	add(&l, action_name(r->action));
	if (r->would != r->action) {
		add(&l, " would=");
		add(&l, action_name(r->would));
	}
	add_address(&l, " from=<", r->sender);
	for (size_t i = 0; i < r->n_recipients && i < LOG_LINE_RECIPIENTS_MAX; i++)
		add_recipient(&l, &r->recipients[i]);
	if (r->n_recipients > LOG_LINE_RECIPIENTS_MAX) {
		add(&l, " nrcpt=");
		add_number(&l, (int64_t)r->n_recipients);
	}
	add(&l, " size=");
	add_number(&l, r->size_bytes);
	if (r->client != NULL && r->client[0] != '\0') {
		add(&l, " client=");
		add(&l, word(hashed_shown(hashed, HASHED_CLIENT, r->client, hash), buffer));
	}
	return out;
}
