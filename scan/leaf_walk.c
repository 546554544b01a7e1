/* SPDX-License-Identifier: ISC */
#include "scan/leaf_walk.h"

#include <stdio.h>
#include <string.h>

#include "common/copy.h"
#include "scan/finding.h"
#include "scan/notes.h"

/* What the leaf says of itself becomes fact. */
static void take_leaf_findings(struct structure *s)
{
	const struct leaf *l = &s->leaf;

	if (finding_is_set(&l->fault))
		notes_set(s, &s->state.facts.fault, s->state.n_levels, l->fault.reason, "%s",
			  l->fault.detail);
	if (l->has_claim)
		notes_claim(s, s->state.n_levels, "OpenPGP message");
	notes_settle(s);
}

/* The verdict on a leaf that claims to be OpenPGP and cannot be: final. */
static void take_leaf_fault(struct structure *s)
{
	if (s->leaf.has_claim &&
	    (finding_is_set(&s->leaf.fault) || finding_is_set(&s->state.facts.fault)))
		take_leaf_findings(s);
}

static void leaf_sink(void *context, const unsigned char *bytes, size_t len)
{
	struct structure *s = context;

	if (s->state.is_final || s->leaf.is_decided)
		return;
	if (s->transfer.wrong) /* before what the leaf makes of it */
		notes_fault(s, s->state.n_levels, "bad-encoding", s->transfer.wrong);
	leaf_feed(&s->leaf, bytes, len);
	take_leaf_fault(
		s); /* before what the decoder finds later: the first counts, however it is cut */
	if (s->leaf.is_decided) /* what the decoder finds from here on is not looked at */
		s->state.wrong_when_decided = s->transfer.wrong;
	if (s->state.is_embedded_fed)
		s->hooks.embedded_sink(s->hooks.embedded_context, bytes, len);
}

/* The third part of a report, or of what OpenSMTPD calls mixed. */
static bool is_third_of_report(const struct structure *s)
{
	const struct level *l = &s->level[0];

	return s->state.n_levels == 1 && l->n_parts == 3 &&
	       (l->kind == MULTIPART_REPORT ||
		(l->kind == MULTIPART_MIXED && l->part[1].type == LEAF_DELIVERY_STATUS));
}

/* Is the leaf that begins now the message that a report returns? RFC 6522 section 3. Where it is
 * called a header a body may follow all the same. */
static bool is_returned_message(const struct structure *s, const char *type)
{
	return is_third_of_report(s) && !s->state.was_tree_fed && s->hooks.embedded_sink &&
	       (part_is_embedded_type(type) || leaf_type_of(type) == LEAF_HEADERS);
}

/* GpgOL keeps PGP/MIME in Outlook as one attachment, the whole of it with its header. Exchange
 * sends that so when GpgOL could not make it a message again. One of them is looked into. */
static bool is_gpgol_tree(const struct structure *s, enum leaf_type kind, const struct header *h)
{
	if (kind != LEAF_OTHER || strcmp(h->type.type, "application/octet-stream") != 0 ||
	    s->state.n_levels == 0 || s->level[0].kind == MULTIPART_REPORT ||
	    !s->hooks.embedded_sink || s->state.was_tree_fed)
		return false;
	return strcmp(h->type.name, "gpgol_mime_structure.mime") == 0 ||
	       strcmp(h->type.name, "gpgol_mime_structure.txt") == 0; /* older */
}

/* Files that no program shows as text whatever is in them. */
static bool is_file_type(const char *type)
{
	static const char *const types[] = {
		"image/png",
		"image/jpeg",
		"image/jpg",
		"image/gif",
		"image/webp",
		"image/heic",
		"image/tiff",
		"image/bmp",
		"application/pdf",
		"application/zip",
		"application/x-zip-compressed",
		"application/gzip",
		"application/x-gzip",
		"application/x-7z-compressed",
		"application/x-tar",
		"application/msword",
		/* of no meaning, as octet-stream */
		"application/x-octet-stream",
		"application/octetstream",
		"application/binary",
		"application/force-download",
		"application/x-download",
		"application/unknown",
		"application/x-unknown",
		"application/x-gpg",
	};
	static const char *const families[] = {"application/vnd.openxmlformats-officedocument.",
					       "application/vnd.oasis.opendocument.",
					       "application/vnd.ms-excel",
					       "application/vnd.ms-powerpoint",
					       "audio/",
					       "video/"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strncmp(type, families[i], strlen(families[i])) == 0)
			return true;
	return false;
}

/* May unarmored OpenPGP stand here? Only where no program shows what is in it: it is base64, so
 * that nothing in it is a line of the message, or as it is under a name that says what it is
 * (Courier's makemime sends so); of a type that says nothing, which no comment makes another; and
 * no name has an ending that says more. A file's own type is none, and programs that encrypt files
 * leave it (FlowCrypt). */
static bool is_place_for_binary(const struct structure *s, enum leaf_type kind, const char *type,
				const struct header *h)
{
	if (!s->state.has_mime_version || h->type.has_comment)
		return false;
	if (h->encoding == ENCODING_IDENTITY)
		return strcmp(type, "application/octet-stream") == 0 && h->file_label == LABEL_PGP;
	if (h->encoding != ENCODING_BASE64)
		return false;
	if (kind == LEAF_PGP_SIGNATURE)
		return h->file_label != LABEL_OTHER;
	if (kind == LEAF_PGP_CONTROL || strcmp(type, "application/octet-stream") == 0)
		return h->file_label <= LABEL_PGP;
	return is_file_type(type) && h->file_label == LABEL_PGP;
}

void leaf_walk_begin(struct structure *s, const char *type, const struct header *h)
{
	enum leaf_type kind = leaf_type_of(type);

	copy_text(s->state.leaf_type, sizeof(s->state.leaf_type), type);
	copy_text(s->state.leaf_encoding, sizeof(s->state.leaf_encoding), h->encoding_name);
	copy_text(s->state.smime_type, sizeof(s->state.smime_type), h->type.smime_type);
	s->state.place = PLACE_LEAF;
	s->state.is_unbounded = s->state.is_headless = false;
	leaf_begin(&s->leaf, kind, h->type.has_bad_charset, &s->channel);
	leaf_set_spaces(&s->leaf, h->type.spaces);
	s->leaf.is_whole_body = s->state.n_levels == 0;
	s->leaf.is_returned = kind == LEAF_TEXT_PLAIN && is_third_of_report(s) &&
			      s->level[0].kind == MULTIPART_REPORT;
	s->leaf.is_smime_here = s->state.has_mime_version && !h->type.has_comment;
	s->leaf.is_opaque_here = is_place_for_binary(s, kind, type, h);
	s->leaf.is_base64 = h->encoding == ENCODING_BASE64;
	cr_watch_begin(&s->state.cr_watch, s->leaf.is_opaque_here && !s->leaf.is_base64);
	s->state.is_tree_fed = is_gpgol_tree(s, kind, h);
	s->state.was_tree_fed |= s->state.is_tree_fed;
	s->state.is_embedded_fed = s->state.is_tree_fed || is_returned_message(s, type);
	s->state.was_tree_fed |= s->state.is_embedded_fed;
	transfer_begin(&s->transfer, h->encoding, leaf_sink, s);
	if (h->encoding == ENCODING_UNKNOWN)
		notes_fault(s, s->state.n_levels, "bad-encoding",
			    "unknown Content-Transfer-Encoding");
	if (kind == LEAF_PGP_CONTROL) {
		s->state.facts.has_pgp_mime_parts = true;
		notes_claim(s, s->state.n_levels, "application/pgp-encrypted");
	}
}

void leaf_walk_outside(struct structure *s, enum place place)
{
	s->state.place = place;
	s->state.is_embedded_fed = s->state.is_tree_fed = false;
	transfer_begin(&s->transfer, ENCODING_IDENTITY, leaf_sink, s);
	leaf_begin(&s->leaf, place == PLACE_PREAMBLE ? LEAF_TEXT_PLAIN : LEAF_MESSAGE, false,
		   &s->channel);
}

static void take_messages(struct structure *s)
{
	const struct leaf *l = &s->leaf;
	struct scan_facts *f = &s->state.facts;

	f->containers |= l->containers;
	f->has_html |= l->is_html;
	if (l->has_password_only)
		notes_set(s, &f->password_only, s->state.n_levels, "password-only",
			  "encrypted to a password only");
	if (l->has_legacy)
		notes_set(s, &f->legacy, s->state.n_levels, "legacy-encryption",
			  "OpenPGP packet 9, encrypted without integrity protection");
	f->n_session_keys += l->n_session_keys;
	for (size_t i = 0; i < l->n_key_ids && f->n_key_ids < KEY_IDS_MAX; i++) {
		const size_t message = f->n_messages + l->key_message[i];

		if (message >= KEY_IDS_MAX)
			break;
		f->key_message[f->n_key_ids] = (unsigned char)message;
		f->key_ids[f->n_key_ids++] = l->key_ids[i];
	}
	f->n_messages += l->n_messages;
}

static void note_readable_leaf(struct structure *s)
{
	const struct leaf *l = &s->leaf;

	if (l->is_header_channel)
		notes_readable(s, s->state.n_levels, "armor-headers", l->visible_bytes,
			       "long armor headers");
	else if (l->n_messages > 0)
		notes_readable(s, s->state.n_levels, "text-outside", l->visible_bytes,
			       "text beside an OpenPGP message");
	else if (l->type == LEAF_HTML)
		notes_readable(s, s->state.n_levels, "html-part", l->visible_bytes,
			       "readable HTML");
	else
		notes_readable(s, s->state.n_levels, "readable-part", l->visible_bytes,
			       "readable content");
}

static void observe_leaf(struct structure *s, enum part_class class)
{
	char text[DETAIL_MAX + REASON_MAX + 4];

	notes_observe(s, s->state.n_levels, false, s->state.leaf_type, s->state.leaf_encoding,
		      part_describe(&s->leaf, class, text, sizeof(text)));
}

/* The leaf was looked into: if it is PGP/MIME and nothing else, what is visible in it is its
 * structure. */
static void settle_gpgol_tree(struct structure *s)
{
	struct leaf *l = &s->leaf;

	if (!s->state.is_tree_fed || s->transfer.wrong || finding_is_set(&l->fault) ||
	    l->n_messages != 1 || s->channel.is_overflown ||
	    !s->hooks.embedded_is_pgp_mime(s->hooks.embedded_context, l->bytes))
		return;
	l->visible_bytes = 0;
	s->state.facts.has_pgp_mime_parts = true;
}

void leaf_walk_content(struct structure *s, const unsigned char *bytes, size_t len)
{
	s->leaf.has_cr_boundary |= cr_watch_feed(&s->state.cr_watch, s->level, s->state.n_levels,
						 bytes, len);
	transfer_feed(&s->transfer, bytes, len);
}

struct part leaf_walk_end(struct structure *s)
{
	struct part p;

	transfer_finish(&s->transfer);
	if (s->leaf.is_decided)
		s->transfer.wrong = s->state.wrong_when_decided;
	leaf_finish(&s->leaf);
	if (s->transfer.wrong)
		notes_fault(s, s->state.n_levels, "bad-encoding", s->transfer.wrong);
	settle_gpgol_tree(s);
	p = part_of_leaf(&s->leaf, s->state.leaf_type);
	if (s->hooks.observer)
		observe_leaf(s, p.class);
	take_leaf_findings(s);
	take_messages(s);
	s->state.signature_text += s->leaf.signature_text;
	if (p.class == PART_READABLE) {
		note_readable_leaf(s);
		s->state.n_clearsigned += s->leaf.is_clearsigned_only;
	}
	if (s->state.n_levels == 0) {
		s->state.facts.is_smime = !s->transfer.wrong && s->state.n_readable <= 1 &&
					  part_is_smime(&s->leaf, s->state.smime_type);
		if (p.class == PART_CMS_SIGNATURE)
			notes_readable(s, 0, "readable-part", p.pending_bytes,
				       "an S/MIME signature alone");
	}
	return p;
}
