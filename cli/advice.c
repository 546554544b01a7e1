/* SPDX-License-Identifier: ISC */
#include "cli/advice.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/suggestions.h"

#define RECIPIENTS_MAX 4 /* that commands are made for: the others want the same */
#define WORD_MAX (2 * ADDRESS_MAX)

struct telling {
	void (*tell)(void *context, const char *what, const char *command);
	void *context;
};

/* A setting that would let this very message in, by its reason or verdict. */
static void tell_setting(const struct settings *s, const struct judgement *j,
			 const struct telling *t)
{
	static const struct {
		const char *reason, *what, *line;
	} settings[] = {
		{"password-only", "take what is encrypted to passwords only",
		 "accept_password_only = yes"},
		{"legacy-encryption", "take encryption without integrity protection",
		 "accept_legacy_encryption = yes"},
		{"readable-subject", "take readable subjects", "hidden_subject = no"},
	};
	char line[200];

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(j->reason, settings[i].reason) == 0)
			t->tell(t->context, settings[i].what, settings[i].line);
	if (j->verdict == VERDICT_PARTIAL && j->cleartext_bytes > s->accept.max_cleartext_bytes &&
	    strcmp(j->reason, "readable-subject") != 0) {
		snprintf(line, sizeof(line), "max_cleartext_bytes = %lld",
			 (long long)j->cleartext_bytes);
		t->tell(t->context,
			"tolerate so much readable text beside what is encrypted, for everybody",
			line);
	}
	if (j->verdict == VERDICT_SMIME)
		t->tell(t->context, "take S/MIME", "accept_smime = yes");
	if (j->verdict == VERDICT_HANDSHAKE)
		t->tell(t->context, "take messages that exchange keys", "accept_handshakes = yes");
	if (j->verdict == VERDICT_REPORT)
		t->tell(t->context, "take reports that return the whole message",
			"accept_reports = yes");
	if (j->verdict == VERDICT_ENCRYPTED) {
		snprintf(line, sizeof(line), "accept_forms = ..., %s", form_name(j->form));
		t->tell(t->context, "take this form of encryption, too", line);
	}
}

static void tell_recipient(const struct settings *s, const struct verdict_record *r,
			   const struct verdict_recipient *v, const struct telling *t)
{
	char recipient[WORD_MAX], sender[WORD_MAX], command[2 * WORD_MAX + 100];
	const bool has_sender = r->sender != NULL &&
				suggestions_word(s, r->sender, true, sender, sizeof(sender));

	if (!suggestions_word(s, v->address, false, recipient, sizeof(recipient)))
		return;
	if (v->source == SOURCE_HISTORY && has_sender) {
		snprintf(command, sizeof(command), "pgpgate forget --history %s %s", sender,
			 recipient);
		t->tell(t->context, "forget that this sender has encrypted before", command);
	}
	if (has_sender) {
		snprintf(command, sizeof(command), "pgpgate exempt %s --sender %s --expires +30d",
			 recipient, sender);
		t->tell(t->context,
			"let this sender write to this recipient in cleartext, for 30 days",
			command);
	}
	snprintf(command, sizeof(command), "pgpgate exempt %s", recipient);
	t->tell(t->context, "let everybody write to this recipient in cleartext", command);
	if (v->source == SOURCE_RULE && v->rule_id != 0) {
		snprintf(command, sizeof(command), "pgpgate forget --id %lld",
			 (long long)v->rule_id);
		t->tell(t->context, "take back the rule that demanded it, if it is still there",
			command);
	}
}

static bool is_kept_from_somebody(enum action a)
{
	return a != ACTION_ACCEPT && a != ACTION_TEMPFAIL;
}

void advice_tell(const struct settings *s, const struct verdict_row *row,
		 void (*tell)(void *context, const char *what, const char *command), void *context)
{
	const struct verdict_record *r = &row->record;
	const struct telling t = {tell, context};
	size_t n = 0;

	if (!is_kept_from_somebody(r->action) && !is_kept_from_somebody(r->would))
		return;
	for (size_t i = 0; i < r->n_recipients && n < RECIPIENTS_MAX; i++) {
		if (r->recipients[i].passes)
			continue;
		tell_recipient(s, r, &r->recipients[i], &t);
		n++;
	}
	if (n > 0)
		tell_setting(s, &row->judgement, &t);
}
