/* SPDX-License-Identifier: ISC */
#include "scan/part.h"

#include <stdio.h>
#include <string.h>

#include "scan/finding.h"

bool part_is_usual_type(const char *type)
{
	static const char *const types[] = {
		"",
		"text/plain",
		"text/html",
		"application/octet-stream",
		"application/pgp-encrypted",
		"application/pgp-signature",
		"application/pgp-keys",
		"application/pgp",
		"image/png",
		"image/jpeg",
		"image/gif",
		"application/pdf",
		"application/zip",
		"message/rfc822",
		"application/pkcs7-mime",
		"application/x-pkcs7-mime",
		"application/pkcs7-signature",
		"application/x-pkcs7-signature",
		"message/delivery-status",
		"text/rfc822-headers",
		"multipart/mixed",
		"multipart/alternative",
		"multipart/related",
		"multipart/encrypted",
		"multipart/signed",
		"multipart/report",
		"message/disposition-notification",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

bool part_is_embedded_type(const char *type)
{
	return strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0;
}

/* Texts that stand for nothing: ProtonMail Bridge puts the first into an empty part, Google
 * Workspace the second between what it takes apart. */
static bool is_placeholder(const struct leaf *l)
{
	return l->type == LEAF_TEXT_PLAIN &&
	       (leaf_text_is(l, "Empty Message") || leaf_text_is(l, "--"));
}

static enum part_class classify(const struct leaf *l)
{
	if (l->has_claim && finding_is_set(&l->fault))
		return PART_FAULTY;
	if (l->type ==
	    LEAF_MESSAGE) /* even without a body: message/external-body names a place to look */
		return PART_READABLE;
	if (leaf_is_empty(l))
		return PART_EMPTY;
	if (l->visible_bytes == 0 && l->n_messages > 0)
		return PART_CIPHERTEXT;
	if (l->visible_bytes == 0 && l->n_signatures > 0)
		return PART_SIGNATURE;
	if (l->type == LEAF_PKCS7_SIGNATURE && l->cms == CMS_SIGNED)
		return PART_CMS_SIGNATURE;
	if (l->type != LEAF_HTML && leaf_text_is_control(l) && l->n_messages == 0)
		return PART_CONTROL;
	if (is_placeholder(l) && l->n_messages == 0)
		return PART_EMPTY;
	return PART_READABLE;
}

const char *part_describe(const struct leaf *l, enum part_class class, char *out, size_t size)
{
	if (finding_is_set(&l->fault)) {
		snprintf(out, size, "%s: %s", l->fault.reason, l->fault.detail);
		return out;
	}
	switch (class) {
	case PART_EMPTY:
		return "empty";
	case PART_CONTROL:
		return "Version: 1";
	case PART_CIPHERTEXT:
		snprintf(out, size, "%u OpenPGP message%s, %zu recipient key%s%s", l->n_messages,
			 l->n_messages == 1 ? "" : "s", l->n_session_keys,
			 l->n_session_keys == 1 ? "" : "s",
			 l->has_password_only ? ", password only" : "");
		return out;
	case PART_SIGNATURE:
		return "OpenPGP signature";
	case PART_CMS_SIGNATURE:
		return "S/MIME signature";
	case PART_FAULTY:
		return "faulty";
	case PART_READABLE:
		break;
	}
	if (l->type == LEAF_PKCS7_MIME && (l->cms == CMS_ENVELOPED || l->cms == CMS_AUTH_ENVELOPED))
		return "S/MIME enveloped data";
	snprintf(out, size, "readable: %lld bytes%s%s", (long long)l->visible_bytes,
		 l->n_messages ? " beside an OpenPGP message" : "",
		 l->is_clearsigned_only ? ", one clearsigned text" : "");
	return out;
}

bool part_is_smime(const struct leaf *l, const char *smime_type)
{
	if (l->type != LEAF_PKCS7_MIME || !l->is_smime_here)
		return false;
	if (l->cms == CMS_ENVELOPED)
		return !smime_type[0] || strcmp(smime_type, "enveloped-data") == 0;
	if (l->cms == CMS_AUTH_ENVELOPED)
		return !smime_type[0] || strcmp(smime_type, "authenveloped-data") == 0;
	return false;
}

struct part part_of_leaf(const struct leaf *l, const char *type)
{
	struct part p = {
		.type = l->type,
		.class = classify(l),
		.is_embedded = part_is_embedded_type(type),
		.n_armored = l->n_armored,
		.visible_bytes = l->visible_bytes,
		.has_body = l->has_body,
	};

	if (p.class == PART_CMS_SIGNATURE)
		p.pending_bytes = l->visible_bytes;
	if (l->type == LEAF_DELIVERY_STATUS)
		p.is_report_fields = report_is_well_formed(&l->report, REPORT_DELIVERY_STATUS);
	else if (l->type == LEAF_DISPOSITION)
		p.is_report_fields = report_is_well_formed(&l->report, REPORT_DISPOSITION);
	p.is_setup = l->type == LEAF_AUTOCRYPT_SETUP && l->n_armored == 1 && l->has_password_only &&
		     !finding_is_set(&l->fault);
	if (l->type == LEAF_TEXT_PLAIN) {
		if (leaf_text_says(l, "Secure-Join: vc-request"))
			p.securejoin = SECUREJOIN_CONTACT;
		else if (leaf_text_says(l, "Secure-Join: vg-request"))
			p.securejoin = SECUREJOIN_GROUP;
	}
	return p;
}
