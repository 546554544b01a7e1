/* SPDX-License-Identifier: ISC */
#include "common/refusal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/key_url.h"
#include "common/log.h"
#include "common/template.h"
#include "common/utf8.h"

/* Bytes with NUL of one reply line: RFC 5321 section 4.5.3.1.5 gives 512 with code, enhanced code
 * and line end. */
#define REPLY_TEXT_MAX 490
#define SHOWN_ADDRESS_MAX 180 /* bytes of an address in a reply; longer ones are cut */
#define HELP_URLS_MAX 2
#define KEY_LINES_MAX 8
#define KEY_IDS_SHOWN 3
/* Bytes with NUL of the URL of a key: the record knows it again, to hash it
 * (db/record/hidden_reply.c). */
#define KEY_URL_MAX 400
#define OTHER_LINES 5 /* refuse_text, "and N more", what to do, whom to ask, the reference */

_Static_assert(OUTCOME_NAMED_MAX + HELP_URLS_MAX + KEY_LINES_MAX + OTHER_LINES <= OUTCOME_LINES_MAX,
	       "all lines fit");
_Static_assert(REPLY_TEXT_MAX < OUTCOME_LINE_MAX, "a line fits");

__attribute__((format(printf, 2, 3))) static void add_line(struct outcome *o, const char *format,
							   ...)
{
	va_list arguments;

	assert(o->n_lines < OUTCOME_LINES_MAX);
	va_start(arguments, format);
	vsnprintf(o->line[o->n_lines], REPLY_TEXT_MAX, format, arguments);
	utf8_trim_end(o->line[o->n_lines++]);
	va_end(arguments);
}

static struct template_words words_for(const struct outcome_input *in,
				       const struct outcome_recipient *r)
{
	return (struct template_words){
		.recipient = r->address,
		.queue_id = in->queue_id,
		.reason = in->judgement->reason,
	};
}

static const struct outcome_recipient *first_refusing(const struct outcome_input *in)
{
	for (size_t i = 0; i < in->n_recipients; i++)
		if (!in->recipients[i].passes)
			return &in->recipients[i];
	return NULL;
}

/* Do all who refuse demand this? */
static bool all_demand(const struct outcome_input *in, enum requirement demand)
{
	for (size_t i = 0; i < in->n_recipients; i++)
		if (!in->recipients[i].passes && in->recipients[i].demand != demand)
			return false;
	return true;
}

static void add_what_happened(const struct outcome_input *in, struct outcome *o)
{
	static const struct outcome_recipient nobody = {.address = ""};
	const struct outcome_recipient *r = first_refusing(in);
	const struct template_words words = words_for(in, r != NULL ? r : &nobody);
	char text[REPLY_TEXT_MAX];

	if (all_demand(in, REQUIREMENT_READABLE)) {
		add_line(o, "Your message was not delivered. Mail without encryption required");
		return;
	}
	add_line(o, "%s",
		 template_fill(in->settings->refuse_text, false, &words, text, sizeof text));
}

const char *refusal_explain(const struct outcome_input *in, const struct outcome_recipient *r)
{
	const enum own_key_state trouble = outcome_key_trouble(in, r);

	if (r->demand == REQUIREMENT_READABLE)
		return "this message is encrypted";
	return trouble != OWN_KEY_GOOD ? outcome_explain_key(trouble)
				       : outcome_explain(in->judgement);
}

/* "0x0123456789ABCDEF, 0x... and more": the keys that a message names. "" when it names none. */
static char *name_keys(const struct judgement *j, char *out, size_t out_size)
{
	size_t used = 0, n_shown = 0;

	out[0] = '\0';
	for (size_t i = 0; i < j->n_key_ids; i++) {
		bool is_new = j->key_ids[i] != 0;

		for (size_t k = 0; k < i; k++)
			is_new = is_new && j->key_ids[k] != j->key_ids[i];
		if (!is_new)
			continue;
		if (n_shown == KEY_IDS_SHOWN) {
			snprintf(out + used, out_size - used, " and more");
			break;
		}
		used += (size_t)snprintf(out + used, out_size - used, "%s0x%016" PRIX64,
					 n_shown++ == 0 ? "" : ", ", j->key_ids[i]);
	}
	return out;
}

/* It is encrypted, and not to this recipient. */
static void add_key_trouble(const struct outcome_input *in, struct outcome *o,
			    const struct outcome_recipient *r, const char *shown)
{
	const char *why = outcome_explain_key(outcome_key_trouble(in, r));
	char own[32] = "", keys[KEY_IDS_SHOWN * 20 + 16];

	if (in->settings->show_keys && r->own_key->key_id != 0)
		snprintf(own, sizeof own, " 0x%016" PRIX64, r->own_key->key_id);
	name_keys(in->judgement, keys, sizeof keys);
	if (in->settings->show_keys && r->own_key->state == OWN_KEY_OTHER && keys[0] != '\0')
		add_line(o, "<%s> takes only mail encrypted to its key%s: this message is for %s",
			 shown, own, keys);
	else
		add_line(o, "<%s> takes only mail encrypted to its key%s: %s", shown, own, why);
}

static void add_recipient(const struct outcome_input *in, struct outcome *o,
			  const struct outcome_recipient *r)
{
	char shown[SHOWN_ADDRESS_MAX];

	log_escape(shown, sizeof(shown), r->address, strlen(r->address));
	if (outcome_key_trouble(in, r) != OWN_KEY_GOOD) {
		add_key_trouble(in, o, r, shown);
		return;
	}
	add_line(o, "<%s> takes only %s mail: %s", shown,
		 r->demand == REQUIREMENT_SIGNED     ? "signed or encrypted"
		 : r->demand == REQUIREMENT_READABLE ? "readable"
						     : "encrypted",
		 refusal_explain(in, r));
}

static void add_recipients(const struct outcome_input *in, size_t n_named_max, struct outcome *o)
{
	size_t n_named = 0, n_refusing = 0;

	for (size_t i = 0; i < in->n_recipients; i++) {
		if (in->recipients[i].passes)
			continue;
		if (n_refusing++ < n_named_max) {
			add_recipient(in, o, &in->recipients[i]);
			n_named++;
		}
	}
	if (n_refusing > n_named)
		add_line(o, "and %zu more", n_refusing - n_named);
}

static void add_what_to_do(const struct outcome_input *in, struct outcome *o)
{
	bool is_readable_wanted = false, is_for_keys = true;

	for (size_t i = 0; i < in->n_recipients; i++) {
		const struct outcome_recipient *r = &in->recipients[i];

		if (r->passes)
			continue;
		is_readable_wanted |= r->demand == REQUIREMENT_READABLE;
		is_for_keys = is_for_keys && outcome_key_trouble(in, r) != OWN_KEY_GOOD;
	}
	if (is_readable_wanted)
		add_line(o, all_demand(in, REQUIREMENT_READABLE)
				    ? "Please send the message again without encryption"
				    : "Please send the message to each of them on its own, as it "
				      "is wanted there");
	else if (is_for_keys)
		add_line(o,
			 "Please get the present key, encrypt the message to it and send it again");
	else
		add_line(o, "Please %s the message with OpenPGP and send it again",
			 all_demand(in, REQUIREMENT_SIGNED) ? "sign or encrypt" : "encrypt");
}

/* Where the keys are of those who refuse for want of encryption. Angle brackets: RFC 3986 appendix
 * C. */
static void add_keys(const struct outcome_input *in, size_t n_max, struct outcome *o)
{
	char told[KEY_LINES_MAX][KEY_URL_MAX], shown[SHOWN_ADDRESS_MAX];
	size_t n_told = 0;

	for (size_t i = 0; i < in->n_recipients && n_told < n_max; i++) {
		const struct outcome_recipient *r = &in->recipients[i];
		char *url = told[n_told];
		bool is_new;

		if (r->passes || r->demand == REQUIREMENT_SIGNED ||
		    r->demand == REQUIREMENT_READABLE)
			continue;
		key_url_of(in->settings, r->address,
			   r->own_key != NULL ? r->own_key->fingerprint : "", url, KEY_URL_MAX);
		is_new = url[0] != '\0';
		for (size_t k = 0; k < n_told; k++)
			is_new = is_new && strcmp(told[k], url) != 0;
		if (!is_new)
			continue;
		log_escape(shown, sizeof shown, r->address, strlen(r->address));
		if (strlen(shown) + strlen(url) + 32 >= REPLY_TEXT_MAX)
			continue;
		add_line(o, "The key of <%s> is at <%s>", shown, url);
		n_told++;
	}
}

/* "See URL" for each different URL of those who refuse: the rule's, else help_url. */
static void add_help(const struct outcome_input *in, size_t n_max, struct outcome *o)
{
	char told[HELP_URLS_MAX][REPLY_TEXT_MAX - 8];
	size_t n_told = 0;

	for (size_t i = 0; i < in->n_recipients && n_told < n_max; i++) {
		const struct outcome_recipient *r = &in->recipients[i];
		const struct template_words words = words_for(in, r);
		const char *url = r->help_url != NULL && r->help_url[0] != '\0'
					  ? r->help_url
					  : in->settings->help_url;
		char escaped[sizeof told[0]];
		bool is_new = !r->passes && url[0] != '\0';

		if (!is_new)
			continue;
		template_fill(url, true, &words, escaped, sizeof escaped);
		log_escape(told[n_told], sizeof told[0], escaped, strlen(escaped));
		for (size_t k = 0; k < n_told; k++)
			is_new = is_new && strcmp(told[k], told[n_told]) != 0;
		if (is_new)
			add_line(o, "See %s", told[n_told++]);
	}
}

/* contact, with the domain of the first who refuses where it ends in "@"; not those who refuse
 * themselves. */
static void add_contact(const struct outcome_input *in, struct outcome *o)
{
	const struct outcome_recipient *first = first_refusing(in);
	const char *contact = in->settings->contact;
	const char *domain = first != NULL ? strrchr(first->address, '@') : NULL;
	char address[SETTINGS_CONTACT_MAX + SHOWN_ADDRESS_MAX], shown[SHOWN_ADDRESS_MAX];

	if (contact[0] == '\0')
		return;
	snprintf(address, sizeof address, "%s", contact);
	if (contact[strlen(contact) - 1] == '@') {
		if (domain == NULL)
			return;
		snprintf(address, sizeof address, "%s%.160s", contact, domain + 1);
	}
	for (size_t i = 0; i < in->n_recipients; i++)
		if (!in->recipients[i].passes && strcmp(in->recipients[i].address, address) == 0)
			return;
	add_line(o, "Questions may be sent without encryption to %s",
		 log_escape(shown, sizeof shown, address, strlen(address)));
}

static void add_reference(const struct outcome_input *in, struct outcome *o)
{
	char shown[64];

	if (in->queue_id != NULL && in->queue_id[0] != '\0')
		add_line(o, "Reference: %s",
			 log_escape(shown, sizeof shown, in->queue_id, strlen(in->queue_id)));
}

/* The lines as one; what does not fit is left out from the middle, since the reference comes last.
 */
static void join(struct outcome *o)
{
	char text[REPLY_TEXT_MAX];
	const char *last = o->line[o->n_lines - 1];
	const size_t room = sizeof text - strlen(last) % sizeof text - 4;
	size_t used = 0;

	for (size_t i = 0; i + 1 < o->n_lines; i++) {
		const size_t length = strlen(o->line[i]);

		if (used + length + 3 > room)
			continue;
		used += (size_t)snprintf(text + used, sizeof text - used, "%s - ", o->line[i]);
	}
	snprintf(text + used, sizeof text - used, "%s", last);
	snprintf(o->line[0], sizeof o->line[0], "%s", text);
	o->n_lines = 1;
}

void refusal_write(const struct outcome_input *in, struct outcome *o)
{
	add_what_happened(in, o);
	add_recipients(in, in->is_one_line ? 1 : OUTCOME_NAMED_MAX, o);
	if (!in->is_one_line)
		add_what_to_do(in, o);
	add_keys(in, in->is_one_line ? 1 : KEY_LINES_MAX, o);
	add_help(in, in->is_one_line ? 1 : HELP_URLS_MAX, o);
	if (!in->is_one_line)
		add_contact(in, o);
	add_reference(in, o);
	if (in->is_one_line)
		join(o);
}
