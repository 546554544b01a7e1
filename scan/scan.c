/* SPDX-License-Identifier: ISC */
#include "scan/scan.h"

#include <stdlib.h>
#include <string.h>

#include "scan/judge.h"
#include "scan/message.h"
#include "scan/mime.h"
#include "scan/text.h"

/* Of what GpgOL attached, which programs show as it is: */
#define TREE_HEADER_MAX 1024 /* octets of its header */
#define TREE_LETTERS_MAX 160 /* letters of parameters in all headers: its own have 60 */
#define TREE_NAMES_MAX 64    /* characters of names of files */

struct scan {
	struct mime mime;
	bool is_body;
	bool is_subject_readable;
	bool has_other_field; /* one that does not belong to MIME */
	/* A report returns a message, GpgOL attaches one: it is read by a scan of its own, one
	 * level deep. */
	struct scan *returned;
	struct message *returned_message;
};

static void feed_returned(void *context, const unsigned char *bytes, size_t len)
{
	struct scan *s = context;

	message_feed(s->returned_message, bytes, len);
}

/* Nothing but what PGP/MIME needs. */
static bool has_bare_headers(const struct scan *s)
{
	const struct structure_state *state = &s->mime.structure.state;

	return !s->has_other_field && state->root_other_bytes == 0 && state->other_bytes == 0 &&
	       state->comment_bytes == 0 && state->name_characters <= TREE_NAMES_MAX &&
	       state->root_letters + state->mark_letters <= TREE_LETTERS_MAX;
}

/* What GpgOL attached: by the rules as they stand, whatever is accepted. Its header is a readable
 * channel, as that of a part is. */
static bool was_pgp_mime(void *context, int64_t octets)
{
	static const struct acceptance all = {
		.forms = 1u << FORM_PGP_MIME,
		.password_only = true,
		.legacy_encryption = true,
	};
	static const struct judge_envelope nobody;
	struct scan *s = context;
	struct scan_facts facts;
	struct judgement judgement;

	message_finish(s->returned_message, &facts);
	judge(&facts, &all, &nobody, &judgement);
	return judgement.verdict == VERDICT_ENCRYPTED && judgement.form == FORM_PGP_MIME &&
	       octets - facts.size_bytes <= TREE_HEADER_MAX && has_bare_headers(s->returned);
}

/* Nothing but what scan_reset() resets has to be zero: buffers are set up when they begin. */
static struct scan *new_scan(void)
{
	struct scan *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	memset(&s->mime.structure.hooks, 0, sizeof(s->mime.structure.hooks));
	s->returned = NULL;
	s->returned_message = NULL;
	scan_reset(s);
	return s;
}

struct scan *scan_new(void)
{
	struct scan *s = new_scan();

	_Static_assert(2 * sizeof(struct scan) + MESSAGE_FIELD_MAX + 1024 <= SCAN_MEMORY_MAX,
		       "a scan is larger than promised");
	if (!s)
		return NULL;
	s->returned = new_scan();
	if (s->returned)
		s->returned_message = message_new(s->returned, NULL, NULL);
	if (!s->returned_message) {
		scan_free(s);
		return NULL;
	}
	s->mime.structure.hooks.embedded_sink = feed_returned;
	s->mime.structure.hooks.embedded_context = s;
	s->mime.structure.hooks.embedded_is_pgp_mime = was_pgp_mime;
	return s;
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	message_free(s->returned_message);
	scan_free(s->returned);
	free(s);
}

void scan_reset(struct scan *s)
{
	mime_reset(&s->mime);
	s->is_body = false;
	s->is_subject_readable = false;
	s->has_other_field = false;
	if (s->returned) {
		scan_reset(s->returned);
		message_reset(s->returned_message);
	}
}

void scan_observe(struct scan *s, scan_observer *observer, void *context)
{
	s->mime.structure.hooks.observer = observer;
	s->mime.structure.hooks.observer_context = context;
}

/* A value without the white space around it. */
static size_t trim(const unsigned char **value, size_t len)
{
	while (len > 0 && text_is_space(**value)) {
		(*value)++;
		len--;
	}
	return text_trimmed(*value, len);
}

/* A field that says what PGP/MIME is, and no more. */
static bool is_field_of_tree(const unsigned char *name, size_t len)
{
	static const char *const names[] = {"MIME-Version", "Content-Type",
					    "Content-Transfer-Encoding", "Content-Disposition",
					    "Content-Description"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(name, len, names[i]))
			return true;
	return false;
}

void scan_header(struct scan *s, const unsigned char *name, size_t name_len,
		 const unsigned char *value, size_t value_len)
{
	struct structure_state *state = &s->mime.structure.state;
	size_t len;

	header_field(&s->mime.header, name, name_len, value, value_len);
	while (name_len > 0 &&
	       text_is_blank(name[name_len - 1])) /* "Subject : text", RFC 5322 section 4.5.1 */
		name_len--;
	len = trim(&value, value_len);
	s->has_other_field |= !is_field_of_tree(name, name_len);
	if (text_is(name, name_len, "Subject")) {
		s->is_subject_readable |= !field_is_hidden_subject(value, len);
	} else if (text_is(name, name_len, "Secure-Join")) {
		state->securejoin_header = text_is(value, len, "vc-request")   ? SECUREJOIN_CONTACT
					   : text_is(value, len, "vg-request") ? SECUREJOIN_GROUP
									       : SECUREJOIN_NONE;
	} else if (text_is(name, name_len, "Autocrypt-Setup-Message")) {
		state->has_setup_header = text_is(value, len, "v1");
	}
}

void scan_end_of_header(struct scan *s)
{
	if (s->is_body)
		return;
	s->is_body = true;
	mime_begin(&s->mime);
}

bool scan_body(struct scan *s, const unsigned char *bytes, size_t len)
{
	scan_end_of_header(s);
	s->mime.structure.state.facts.size_bytes += (int64_t)len;
	mime_feed(&s->mime, bytes, len);
	return s->mime.structure.state.is_final;
}

/* What a report returns may be ciphertext itself: by the rules as they stand, whatever is accepted.
 */
static bool is_returned_encrypted(struct scan *s)
{
	static const struct acceptance all = {
		.forms = 1u << FORM_PGP_MIME | 1u << FORM_PGP_MIXED | 1u << FORM_PGP_INLINE |
			 1u << FORM_PGP_HTML,
		.password_only = true,
	};
	static const struct judge_envelope nobody;
	struct scan_facts facts;
	struct judgement judgement;

	message_finish(s->returned_message, &facts);
	judge(&facts, &all, &nobody, &judgement);
	return judgement.verdict == VERDICT_ENCRYPTED;
}

void scan_finish(struct scan *s, struct scan_facts *facts)
{
	scan_end_of_header(s);
	mime_finish(&s->mime);
	*facts = s->mime.structure.state.facts;
	facts->is_subject_hidden = !s->is_subject_readable;
	if (facts->is_report && facts->returns == RETURNS_READABLE && s->returned &&
	    is_returned_encrypted(s))
		facts->returns = RETURNS_CIPHERTEXT;
}
