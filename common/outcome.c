/* SPDX-License-Identifier: ISC */
#include "common/outcome.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

/* Bytes of one reply line: RFC 5321 section 4.5.3.1.5 gives 512 with code, enhanced code and line end. */
#define REPLY_TEXT_MAX 490
#define SHOWN_ADDRESS_MAX 180 /* bytes of an address in a reply; longer ones are cut */
#define HELP_URLS_MAX 2 /* "See URL" lines: what 12 lines leave beside 8 names and 2 lines more */

_Static_assert(1 + OUTCOME_NAMED_MAX + 1 + HELP_URLS_MAX <= OUTCOME_LINES_MAX, "all lines fit");
_Static_assert(REPLY_TEXT_MAX < OUTCOME_LINE_MAX, "a line fits");

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
	default:
		return false;
	}
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
	if (demand == REQUIREMENT_SIGNED &&
	    (j->verdict == VERDICT_SIGNED || j->verdict == VERDICT_ENCRYPTED))
		return true;
	/* REQUIREMENT_RATCHET should have been resolved; as encrypted it lets nothing through. */
	return meets_encrypted(j, a);
}

static void set_code(struct outcome *o, const char *code, const char *enhanced)
{
	snprintf(o->code, sizeof(o->code), "%s", code);
	snprintf(o->enhanced, sizeof(o->enhanced), "%s", enhanced);
}

__attribute__((format(printf, 2, 3))) static void add_line(struct outcome *o, const char *format, ...)
{
	va_list arguments;

	assert(o->n_lines < OUTCOME_LINES_MAX);
	va_start(arguments, format);
	vsnprintf(o->line[o->n_lines++], REPLY_TEXT_MAX, format, arguments);
	va_end(arguments);
}

static void add_recipient(struct outcome *o, const struct outcome_recipient *r,
			  const struct judgement *j)
{
	char shown[SHOWN_ADDRESS_MAX];

	log_escape(shown, sizeof(shown), r->address, strlen(r->address));
	add_line(o, "<%s> takes only %s mail: %s", shown,
		 r->demand == REQUIREMENT_SIGNED ? "signed or encrypted" : "encrypted",
		 outcome_explain(j));
}

/* "See URL" for each different URL of those who refuse: the rule's, else help_url. */
static void add_help(struct outcome *o, const struct outcome_input *in)
{
	const char *told[HELP_URLS_MAX];
	size_t n_told = 0;

	for (size_t i = 0; i < in->n_recipients && n_told < HELP_URLS_MAX; i++) {
		const struct outcome_recipient *r = &in->recipients[i];
		const char *url = r->help_url != NULL && r->help_url[0] != '\0'
					  ? r->help_url
					  : in->settings->help_url;
		char shown[REPLY_TEXT_MAX - 8];
		bool is_new = !r->passes && url[0] != '\0';

		for (size_t k = 0; k < n_told; k++)
			is_new = is_new && strcmp(told[k], url) != 0;
		if (!is_new)
			continue;
		told[n_told++] = url;
		add_line(o, "See %s", log_escape(shown, sizeof(shown), url, strlen(url)));
	}
}

static void refuse(const struct outcome_input *in, struct outcome *o)
{
	size_t n_named = 0;
	size_t n_refusing = 0;

	set_code(o, in->settings->refuse_code, in->settings->refuse_enhanced);
	add_line(o, "%s", in->settings->refuse_text);
	for (size_t i = 0; i < in->n_recipients; i++) {
		if (in->recipients[i].passes)
			continue;
		n_refusing++;
		if (n_named == OUTCOME_NAMED_MAX)
			continue;
		n_named++;
		add_recipient(o, &in->recipients[i], in->judgement);
	}
	if (n_refusing > n_named)
		add_line(o, "and %zu more", n_refusing - n_named);
	add_help(o, in);
}

/* What would be done, were everything enforced. */
static enum action find_action(const struct outcome_input *in, size_t n_failed)
{
	const struct settings *s = in->settings;

	if (n_failed == 0)
		return ACTION_ACCEPT;
	if (s->on_refusal == ON_REFUSAL_TAG)
		return ACTION_TAG;
	/* Some pass, some fail, and SMTP gives one answer: quarantine splits as well, since it would hold
	 * the message for those who may have it. */
	if (n_failed < in->n_recipients)
		return s->mixed_recipients == MIXED_SPLIT && in->may_split ? ACTION_SPLIT
									   : ACTION_REFUSE;
	return s->on_refusal == ON_REFUSAL_QUARANTINE ? ACTION_QUARANTINE : ACTION_REFUSE;
}

void outcome_decide(const struct outcome_input *in, struct outcome *out)
{
	size_t n_failed = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < in->n_recipients; i++) {
		struct outcome_recipient *r = &in->recipients[i];

		r->passes = outcome_meets(in->judgement, r->demand, &in->settings->accept);
		n_failed += r->passes ? 0 : 1;
	}
	out->would = find_action(in, n_failed);
	out->action = in->settings->enforce && !in->is_paused ? out->would : ACTION_ACCEPT;
	set_code(out, "250", "");
	switch (out->action) {
	case ACTION_REFUSE:
		refuse(in, out);
		break;
	case ACTION_SPLIT:
		set_code(out, "451", "4.7.1");
		add_line(out,
			 "Recipients of this message differ in what they accept. Please try again "
			 "later");
		break;
	case ACTION_QUARANTINE: /* the reason for the queue */
		add_line(out, "%s", outcome_explain(in->judgement));
		break;
	default:
		break;
	}
}

void outcome_tempfail(struct outcome *out)
{
	memset(out, 0, sizeof(*out));
	out->action = out->would = ACTION_TEMPFAIL;
	set_code(out, "451", "4.7.1");
	add_line(out, "This message cannot be checked now. Please try again later");
}

void outcome_defer_class(struct outcome *out)
{
	memset(out, 0, sizeof(*out));
	out->action = out->would = ACTION_SPLIT;
	set_code(out, "450", "4.7.1");
	add_line(out, "This recipient takes the message in a delivery of its own. Please try again "
		      "later");
}

char *outcome_reply_text(const struct outcome *o, char *out, size_t out_size)
{
	size_t used = 0;

	snprintf(out, out_size, "%s", o->code);
	for (size_t i = 0; i < o->n_lines && used < out_size; i++) {
		int n = snprintf(out + used, out_size - used, "%s%s%c%s%s%s", i == 0 ? "" : "\n",
				 o->code, i + 1 < o->n_lines ? '-' : ' ', o->enhanced,
				 o->enhanced[0] == '\0' ? "" : " ", o->line[i]);

		used += n < 0 ? out_size : (size_t)n;
	}
	return out;
}
