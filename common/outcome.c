/* SPDX-License-Identifier: ISC */
#include "common/outcome.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/copy.h"
#include "common/refusal.h"

static bool is_form_accepted(const struct judgement *j, const struct acceptance *a)
{
	return j->form != FORM_NONE && (a->forms & 1u << j->form) != 0;
}

/* Is it encrypted, as configured? */
static bool meets_encrypted(const struct judgement *j, const struct acceptance *a)
{
	switch (j->verdict) {
	case VERDICT_ENCRYPTED:
		return is_form_accepted(j, a);
	case VERDICT_SMIME:
		return a->smime;
	case VERDICT_PARTIAL:
		/* A readable subject is no footer: no number of octets tolerates it. */
		return is_form_accepted(j, a) && strcmp(j->reason, "readable-subject") != 0 &&
		       j->cleartext_bytes > 0 && j->cleartext_bytes <= a->max_cleartext_bytes;
	case VERDICT_CLEARTEXT:
	case VERDICT_SIGNED:
	case VERDICT_INVALID:
	case VERDICT_REPORT:
	case VERDICT_HANDSHAKE:
		break;
	}
	return false;
}

bool outcome_meets(const struct judgement *j, enum requirement demand, const struct acceptance *a)
{
	if (demand == REQUIREMENT_EXEMPT || demand == REQUIREMENT_OBSERVE)
		return true;
	if (j->verdict == VERDICT_REPORT)
		return a->reports == REPORTS_YES ||
		       (a->reports == REPORTS_HEADERS && !j->returns_readable);
	if (j->verdict == VERDICT_HANDSHAKE)
		return a->handshakes;
	if (demand == REQUIREMENT_READABLE)
		return j->verdict != VERDICT_ENCRYPTED && j->verdict != VERDICT_SMIME;
	if (demand == REQUIREMENT_SIGNED &&
	    (j->verdict == VERDICT_SIGNED || j->verdict == VERDICT_ENCRYPTED))
		return true;
	/* Of own-key this is the half that needs no database. REQUIREMENT_RATCHET should have been
	 * resolved; as encrypted it lets nothing through. */
	return meets_encrypted(j, a);
}

/* What the keys say where everything else is as it should be. */
static enum own_key_state key_trouble(const struct judgement *j, enum requirement demand,
				      const struct own_key *own_key, const struct settings *s)
{
	if (demand != REQUIREMENT_OWN_KEY || own_key == NULL || j->n_messages == 0 ||
	    (j->verdict != VERDICT_ENCRYPTED && j->verdict != VERDICT_PARTIAL) ||
	    own_key_reason(own_key->state) == NULL || !meets_encrypted(j, &s->accept))
		return OWN_KEY_GOOD;
	return own_key->state == OWN_KEY_HIDDEN && s->hidden_recipients != HIDDEN_REFUSE
		       ? OWN_KEY_GOOD
		       : own_key->state;
}

bool outcome_passes(const struct judgement *j, enum requirement demand,
		    const struct own_key *own_key, const struct settings *s)
{
	return outcome_meets(j, demand, &s->accept) &&
	       key_trouble(j, demand, own_key, s) == OWN_KEY_GOOD;
}

enum own_key_state outcome_key_trouble(const struct outcome_input *in,
				       const struct outcome_recipient *r)
{
	return key_trouble(in->judgement, r->demand, r->own_key, in->settings);
}

bool outcome_shows_fingerprints(const struct settings *s)
{
	return strstr(s->key_url, "%f") != NULL;
}

static void set_code(struct outcome *o, const char *code, const char *enhanced)
{
	copy_text(o->code, sizeof(o->code), code);
	copy_text(o->enhanced, sizeof(o->enhanced), enhanced);
}

static void set_line(struct outcome *o, const char *text)
{
	copy_text(o->line[0], sizeof(o->line[0]), text);
	o->n_lines = 1;
}

/* What would be done, were everything enforced. */
static enum action find_action(const struct outcome_input *in, size_t n_failed)
{
	const struct settings *s = in->settings;

	if (n_failed == 0)
		return ACTION_ACCEPT;
	if (s->on_refusal == ON_REFUSAL_TAG)
		return ACTION_TAG;
	/* Some pass, some fail, and SMTP gives one answer: quarantine splits as well, since it
	 * would hold the message for those who may have it. */
	if (n_failed < in->n_recipients)
		return s->mixed_recipients == MIXED_SPLIT && in->may_split ? ACTION_SPLIT
									   : ACTION_REFUSE;
	return s->on_refusal == ON_REFUSAL_QUARANTINE ? ACTION_QUARANTINE : ACTION_REFUSE;
}

/* Why the first who refuses does so. */
static const char *explain_first(const struct outcome_input *in)
{
	for (size_t i = 0; i < in->n_recipients; i++) {
		const struct outcome_recipient *r = &in->recipients[i];

		if (!r->passes)
			return refusal_explain(in, r);
	}
	return outcome_explain(in->judgement);
}

/* Without the lines, of which only n_lines are read: 14 KB a message. */
static void clear(struct outcome *o)
{
	memset(o, 0, offsetof(struct outcome, line));
	o->line[0][0] = '\0';
}

void outcome_decide(const struct outcome_input *in, struct outcome *out)
{
	size_t n_failed = 0;

	clear(out);
	for (size_t i = 0; i < in->n_recipients; i++) {
		struct outcome_recipient *r = &in->recipients[i];

		r->passes = outcome_passes(in->judgement, r->demand, r->own_key, in->settings) ||
			    (in->is_own_bounce && in->judgement->verdict == VERDICT_REPORT);
		/* A bounce goes to one (RFC 5321 section 6.1). */
		if (!r->passes && in->expects_bounce && in->n_recipients == 1)
			r->passes = out->is_bounce_expected = true;
		n_failed += r->passes ? 0 : 1;
	}
	out->would = find_action(in, n_failed);
	out->action = in->settings->enforce && !in->is_paused ? out->would : ACTION_ACCEPT;
	if (out->action == ACTION_REFUSE && in->is_stale && in->settings->refuse_code[0] == '5')
		out->action = ACTION_TEMPFAIL;
	set_code(out, "250", "");
	switch (out->action) {
	case ACTION_REFUSE:
		set_code(out, in->settings->refuse_code, in->settings->refuse_enhanced);
		refusal_write(in, out);
		break;
	case ACTION_SPLIT:
		set_code(out, "451", "4.7.1");
		set_line(out, "Recipients of this message differ in what they accept. Please try "
			      "again later");
		break;
	case ACTION_TEMPFAIL: /* never a permanent answer from what may be old (pgpgate-site(7)) */
		set_code(out, "451", "4.7.1");
		set_line(out, "Whether this message can be taken is not known for certain now. "
			      "Please try "
			      "again later");
		break;
	case ACTION_QUARANTINE: /* the reason for the queue */
		set_line(out, explain_first(in));
		break;
	case ACTION_ACCEPT:
	case ACTION_TAG:
		break;
	}
}

static const char *note_of(const struct own_key *k, enum hidden_recipients hidden)
{
	if (k->is_cut)
		return "more session keys than are looked at";
	if (k->state == OWN_KEY_UNKNOWN)
		return "no key known";
	if (k->state == OWN_KEY_HIDDEN && hidden != HIDDEN_REFUSE)
		return "hidden recipient";
	return NULL;
}

void outcome_note_keys(const struct outcome_input *in, const struct outcome *o, struct judgement *j)
{
	const struct settings *s = in->settings;
	const char *note = NULL;

	if (o->is_bounce_expected || j->n_messages == 0 || !meets_encrypted(j, &s->accept))
		return;
	for (size_t i = 0; i < in->n_recipients; i++) {
		const struct outcome_recipient *r = &in->recipients[i];
		const enum own_key_state trouble = outcome_key_trouble(in, r);

		if (r->demand != REQUIREMENT_OWN_KEY || r->own_key == NULL)
			continue;
		if (trouble != OWN_KEY_GOOD) {
			snprintf(j->reason, sizeof j->reason, "%s", own_key_reason(trouble));
			snprintf(j->detail, sizeof j->detail, "recipient %zu of %zu: %s", i + 1,
				 in->n_recipients, outcome_explain_key(trouble));
			return;
		}
		if (r->own_key->state == OWN_KEY_HIDDEN && s->hidden_recipients == HIDDEN_OBSERVE &&
		    strcmp(j->reason, "ok") == 0)
			snprintf(j->reason, sizeof j->reason, "hidden-recipient");
		if (note == NULL)
			note = note_of(r->own_key, s->hidden_recipients);
	}
	if (note != NULL && j->detail[0] == '\0')
		snprintf(j->detail, sizeof j->detail, "%s", note);
}

void outcome_note_bounce(const struct outcome *o, struct judgement *j)
{
	char detail[DETAIL_MAX];

	if (!o->is_bounce_expected)
		return;
	snprintf(detail, sizeof(detail), "%s: %.180s", j->reason, j->detail);
	snprintf(j->detail, sizeof(j->detail), "%s", detail);
	snprintf(j->reason, sizeof(j->reason), "bounce-expected");
}

void outcome_tempfail(struct outcome *out)
{
	clear(out);
	out->action = out->would = ACTION_TEMPFAIL;
	set_code(out, "451", "4.7.1");
	set_line(out, "This message cannot be checked now. Please try again later");
}

void outcome_defer_class(struct outcome *out)
{
	clear(out);
	out->action = out->would = ACTION_SPLIT;
	set_code(out, "450", "4.7.1");
	set_line(out, "This recipient takes the message in a delivery of its own. Please try again "
		      "later");
}

char *outcome_reply_text(const struct outcome *o, char *out, size_t out_size)
{
	size_t used = 0;

	copy_text(out, out_size, o->code);
	for (size_t i = 0; i < o->n_lines && used < out_size; i++) {
		int n = snprintf(out + used, out_size - used, "%s%s%c%s%s%s", i == 0 ? "" : "\n",
				 o->code, i + 1 < o->n_lines ? '-' : ' ', o->enhanced,
				 o->enhanced[0] == '\0' ? "" : " ", o->line[i]);

		used += n < 0 ? out_size : (size_t)n;
	}
	return out;
}
