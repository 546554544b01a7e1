/* SPDX-License-Identifier: ISC */
#include "scan/judge.h"

#include <stdio.h>
#include <string.h>

#include "scan/finding.h"

static void set(struct judgement *j, enum verdict verdict, enum form form, const char *reason,
		const char *detail)
{
	j->verdict = verdict;
	j->form = form;
	snprintf(j->reason, sizeof(j->reason), "%s", reason);
	snprintf(j->detail, sizeof(j->detail), "%s", detail);
}

static void set_finding(struct judgement *j, enum verdict verdict, const struct finding *f)
{
	set(j, verdict, FORM_NONE, f->reason, f->detail);
}

static enum form form_of(const struct scan_facts *f)
{
	if (f->has_html)
		return FORM_PGP_HTML;
	if (f->is_pgp_mime)
		return FORM_PGP_MIME;
	return f->has_pgp_mime_parts ? FORM_PGP_MIXED : FORM_PGP_INLINE;
}

/* The first container that is not accepted, or -1. */
static int unaccepted_container(const struct scan_facts *f, const struct acceptance *a)
{
	for (int c = 0; c < CONTAINER_COUNT; c++)
		if ((f->containers & a->refused_containers & 1u << c) != 0)
			return c;
	return -1;
}

/* There is at least one proper OpenPGP message and no fault. A readable Subject comes before a
 * footer, which max_cleartext_bytes could tolerate. */
static void judge_messages(const struct scan_facts *f, const struct acceptance *a,
			   struct judgement *j)
{
	static const char *const reasons[CONTAINER_COUNT] = {
		[CONTAINER_MDC] = "mdc-container",
		[CONTAINER_AEAD] = "aead-container",
		[CONTAINER_OCB] = "ocb-container",
	};
	const int container = unaccepted_container(f, a);

	if (finding_is_set(&f->password_only) && !a->password_only)
		set_finding(j, VERDICT_INVALID, &f->password_only);
	else if (container >= 0)
		set(j, VERDICT_INVALID, FORM_NONE, reasons[container],
		    "accept_containers has not the packet that holds the encrypted data");
	else if (finding_is_set(&f->legacy) && !a->legacy_encryption)
		set_finding(j, VERDICT_INVALID, &f->legacy);
	else if (a->hidden_subject && !f->is_subject_hidden)
		set(j, VERDICT_PARTIAL, form_of(f), "readable-subject", "the Subject is readable");
	else if (finding_is_set(&f->readable))
		set(j, VERDICT_PARTIAL, form_of(f), f->readable.reason, f->readable.detail);
	else
		set(j, VERDICT_ENCRYPTED, form_of(f), "ok", "");
}

static void judge_cleartext(const struct scan_facts *f, struct judgement *j)
{
	if (finding_is_set(&f->fault))
		set(j, VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp", f->fault.detail);
	else if (f->cleartext_bytes == 0)
		set(j, VERDICT_CLEARTEXT, FORM_NONE, "no-body", "the body is empty");
	else
		set(j, VERDICT_CLEARTEXT, FORM_NONE, "no-openpgp", f->readable.detail);
}

/* It says that it is encrypted, nothing in it is faulty, and there is no OpenPGP message. */
static void judge_empty_claim(const struct scan_facts *f, struct judgement *j)
{
	struct finding why = {.reason = ""};

	finding_set(&why, "bad-structure", "%.200s, and no OpenPGP message", f->claim.detail);
	set_finding(j, VERDICT_INVALID, &why);
}

static void copy_counts(const struct scan_facts *f, struct judgement *j)
{
	j->size_bytes = f->size_bytes;
	j->cleartext_bytes = f->cleartext_bytes;
	j->returns_readable = f->returns == RETURNS_READABLE;
	j->n_session_keys = f->n_session_keys;
	j->n_key_ids = f->n_key_ids;
	memcpy(j->key_ids, f->key_ids, f->n_key_ids * sizeof(f->key_ids[0]));
	memcpy(j->key_message, f->key_message, f->n_key_ids * sizeof(f->key_message[0]));
	j->n_messages = f->n_messages;
	j->containers = f->containers;
}

void judge(const struct scan_facts *f, const struct acceptance *accept,
	   const struct judge_envelope *envelope, struct judgement *j)
{
	memset(j, 0, sizeof(*j));
	copy_counts(f, j);
	if (f->has_claim && finding_is_set(&f->fault))
		set_finding(j, VERDICT_INVALID, &f->fault);
	else if (f->is_report && envelope->is_null_sender)
		set(j, VERDICT_REPORT, FORM_NONE, "report",
		    f->returns == RETURNS_READABLE ? "it returns a readable message" : "");
	else if (f->is_securejoin && !finding_is_set(&f->fault))
		set(j, VERDICT_HANDSHAKE, FORM_NONE, "handshake", "SecureJoin request");
	else if (f->is_autocrypt_setup && envelope->is_to_self && !finding_is_set(&f->fault))
		set(j, VERDICT_HANDSHAKE, FORM_NONE, "handshake",
		    "Autocrypt setup message to oneself");
	else if (f->n_messages > 0)
		judge_messages(f, accept, j);
	else if (f->has_claim)
		judge_empty_claim(f, j);
	else if (f->is_smime && !finding_is_set(&f->fault))
		set(j, VERDICT_SMIME, FORM_NONE, "smime", "");
	else if (f->is_signed && !finding_is_set(&f->fault))
		set(j, VERDICT_SIGNED, FORM_NONE, "signed",
		    "readable, and covered by an OpenPGP signature");
	else
		judge_cleartext(f, j);
}
