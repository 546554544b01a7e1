/* SPDX-License-Identifier: ISC
 *
 * outcome_explain.c: why a message does not meet a requirement, in words for its sender
 * (outcome.h): what they can do something about, by the reason's slug.
 */
#include "common/outcome.h"

#include <string.h>

static const struct {
	const char *reason;
	const char *text;
} texts[] = {
	{"no-openpgp", "this message is not encrypted"},
	{"no-body", "this message is empty"},
	{"signed", "this message is signed and not encrypted"},
	{"text-outside", "there is readable text beside the encrypted part"},
	{"readable-part", "a part of this message is not encrypted"},
	{"readable-subject", "the Subject of this message is readable"},
	{"html-part", "encrypted text within HTML is not accepted"},
	{"part-headers", "the headers of its parts hold too much readable text"},
	{"armor-headers", "the armor headers hold too much readable text"},
	{"ambiguous-mime", "its MIME headers are ambiguous"},
	{"bad-structure", "it says that it is encrypted and has not the parts of such a message"},
	{"truncated", "the message is cut off"},
	{"trailing-data", "there is other data behind the encrypted message"},
	{"too-deep", "its parts are nested too deeply"},
	{"too-many-parts", "it has too many parts"},
	{"bad-encoding", "its transfer encoding is damaged"},
	{"bad-charset", "its character set is not accepted for encrypted text"},
	{"bad-armor", "its OpenPGP armor is damaged"},
	{"bad-packet", "its OpenPGP data is damaged"},
	{"no-session-key", "its OpenPGP data is encrypted to nobody"},
	{"other-key", "it is encrypted to another key"},
	{"expired-key", "it is encrypted to a key that has expired"},
	{"revoked-key", "it is encrypted to a key that was revoked"},
	{"hidden-recipient", "it does not say to which key it is encrypted"},
	{"mdc-container",
	 "it is encrypted as OpenPGP programs did before RFC 9580; use a newer one"},
	{"aead-container", "it is encrypted in a way that many programs cannot read; encrypt "
			   "without AEAD (SEIPD version 1)"},
	{"ocb-container",
	 "it is encrypted in a way that only GnuPG reads; in GnuPG set --rfc4880 or --openpgp"},
	{"password-only", "it is encrypted to a password and not to a key"},
	{"legacy-encryption",
	 "it is encrypted without integrity protection; update your OpenPGP program"},
	{"not-encrypted", "its OpenPGP data is not encrypted"},
	{"unexpected-packet", "its OpenPGP data holds something that is not encrypted"},
	{"empty-ciphertext", "its OpenPGP data is empty"},
	{"ascii-ciphertext", "what it calls ciphertext is readable text"},
};

/* Verdicts that are refused because of what the administrator accepts, not for a fault of theirs.
 */
static const char *explain_unaccepted(const struct judgement *j)
{
	switch (j->verdict) {
	case VERDICT_ENCRYPTED:
		if (j->form == FORM_PGP_HTML)
			return "OpenPGP within HTML is not accepted here; use PGP/MIME";
		if (j->form == FORM_PGP_INLINE)
			return "inline OpenPGP is not accepted here; use PGP/MIME";
		return j->form == FORM_PGP_MIME
			       ? "PGP/MIME is not accepted here; use inline OpenPGP"
			       : "PGP/MIME that was repackaged on its way is not "
				 "accepted here";
	case VERDICT_SMIME:
		return "S/MIME is not accepted here; use OpenPGP";
	case VERDICT_REPORT:
		return j->returns_readable ? "this report returns a readable message"
					   : "reports are not accepted here";
	case VERDICT_HANDSHAKE:
		return "key exchange messages are not accepted here";
	case VERDICT_CLEARTEXT:
	case VERDICT_SIGNED:
	case VERDICT_PARTIAL:
	case VERDICT_INVALID:
		break;
	}
	return NULL;
}

static const char *explain_reason(const char *reason)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(reason, texts[i].reason) == 0)
			return texts[i].text;
	return NULL;
}

const char *outcome_explain_key(enum own_key_state state)
{
	const char *reason = own_key_reason(state);

	return reason != NULL ? explain_reason(reason) : "";
}

const char *outcome_explain(const struct judgement *j)
{
	/* An encrypted message has the reason "ok", or, once noted, one of keys. */
	const char *text = explain_reason(j->reason);

	if (text == NULL || j->verdict == VERDICT_SMIME || j->verdict == VERDICT_REPORT ||
	    j->verdict == VERDICT_HANDSHAKE)
		text = explain_unaccepted(j) != NULL ? explain_unaccepted(j) : text;
	if (text != NULL)
		return text;
	return j->detail[0] != '\0' ? j->detail : "it is not encrypted as it should be";
}
