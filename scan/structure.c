/* SPDX-License-Identifier: ISC */
#include "scan/structure.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/copy.h"
#include "scan/finding.h"
#include "scan/leaf_walk.h"
#include "scan/notes.h"

void structure_reset(struct structure *s)
{
	memset(&s->state, 0, sizeof(s->state));
	memset(&s->channel, 0, sizeof(s->channel));
}

void structure_fault(struct structure *s, const char *reason, const char *what)
{
	notes_fault(s, s->state.n_levels, reason, what);
}

/* A part is complete: its multipart, if any, hears of it. */
static void hand_over(struct structure *s, const struct part *p)
{
	struct level *l;

	if (s->state.n_levels == 0)
		return;
	l = &s->level[s->state.n_levels - 1];
	if (l->n_parts >= 1 && l->n_parts <= MULTIPART_PARTS_KEPT)
		l->part[l->n_parts - 1] = *p;
	else if (p->class == PART_CMS_SIGNATURE)
		notes_readable(s, s->state.n_levels, "readable-part", p->pending_bytes,
			       "an S/MIME signature out of place");
}

static const char no_header[] = "a part without a header";

/* The leaf is complete, and so is this part. */
static void end_leaf(struct structure *s)
{
	struct part p;

	/* Some readers take the first line that begins with "--" for the boundary. */
	if (s->state.is_unbounded && s->leaf.has_claim)
		structure_fault(s, "ambiguous-mime", "OpenPGP in a multipart without a boundary");
	p = leaf_walk_end(s);
	if (s->state.is_headless) {
		s->state.was_headless = true;
		if (s->leaf.has_claim || leaf_text_is_header(&s->leaf))
			structure_fault(s, "ambiguous-mime", no_header);
	}
	hand_over(s, &p);
}

/* Could a line of this boundary be one of a multipart that is open? Readers ask inner or outer
 * first, and some look at its beginning only. */
static bool is_open_boundary(const struct structure *s, const char *boundary, size_t len)
{
	for (unsigned i = 0; i < s->state.n_levels; i++) {
		const struct level *l = &s->level[i];

		size_t n = l->boundary_len < len ? l->boundary_len : len;

		if (strncasecmp(l->boundary, boundary, n) == 0)
			return true;
	}
	return false;
}

static void begin_multipart(struct structure *s, const char *type, const struct header *h)
{
	struct level *l = &s->level[s->state.n_levels];

	memset(l, 0, sizeof(*l));
	l->kind = multipart_kind(type);
	l->has_protocol = (l->kind == MULTIPART_ENCRYPTED &&
			   strcmp(h->type.protocol, "application/pgp-encrypted") == 0) ||
			  (l->kind == MULTIPART_SIGNED &&
			   strcmp(h->type.protocol, "application/pgp-signature") == 0);
	copy_text(l->type, sizeof(l->type), type);
	copy_text(l->report_type, sizeof(l->report_type), h->type.report_type);
	if (is_open_boundary(s, h->type.boundary, h->type.boundary_len))
		structure_fault(
			s, "ambiguous-mime",
			"a boundary that cannot be told from that of an enclosing multipart");
	memcpy(l->boundary, h->type.boundary, h->type.boundary_len);
	l->boundary_len = h->type.boundary_len;
	l->readable_before = s->state.n_readable;
	l->messages_before = s->state.facts.n_messages;
	s->state.n_levels++;
	leaf_walk_outside(s, PLACE_PREAMBLE);
}

/* Horde describes the whole of a PGP/MIME message, in the sender's language. No reader shows that.
 */
static bool is_root_described(const struct structure *s, const struct header *h)
{
	return s->state.n_levels == 0 && strcmp(h->type.type, "multipart/encrypted") == 0 &&
	       strcmp(h->type.protocol, "application/pgp-encrypted") == 0 &&
	       h->described_bytes <= LABEL_DESCRIPTION_MAX;
}

/* What readers show of a header beside the body: of the message's own, too. */
static void check_shown(struct structure *s, const struct header *h)
{
	const size_t type_len = strlen(h->type.type);

	if (h->described_bytes > 0 && !is_root_described(s, h))
		notes_readable(s, s->state.n_levels, "part-headers", (int64_t)h->described_bytes,
			       "a Content-Description");
	if (s->state.n_parts == 0)
		s->state.root_letters = h->mark_letters;
	if (s->state.n_parts == 0)
		s->state.root_other_bytes = h->other_bytes;
	s->state.name_characters += h->name_characters;
	if (!part_is_usual_type(h->type.type))
		s->state.name_characters += type_len;
	if (h->name_characters > LABEL_NAME_MAX || type_len > PART_TYPE_MAX)
		notes_readable(s, s->state.n_levels, "part-headers",
			       (int64_t)(h->name_characters + type_len), "a long name");
}

static void check_part_header(struct structure *s, const struct header *h)
{
	s->state.header_bytes += h->bytes;
	s->state.other_bytes += h->other_bytes;
	s->state.comment_bytes += h->comment_bytes;
	s->state.mark_letters += h->mark_letters;
	if (h->bytes > PART_HEADER_MAX || h->other_bytes > PART_OTHER_MAX ||
	    s->state.other_bytes > PART_OTHERS_MAX || s->state.comment_bytes > FIELD_COMMENT_MAX ||
	    s->state.mark_letters > PART_MARKS_MAX)
		notes_readable(s, s->state.n_levels, "part-headers", (int64_t)h->bytes,
			       "a long part header");
}

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

/* At the end, when it is known how many files there may be. */
static void check_sums(struct structure *s)
{
	const size_t n = s->state.facts.n_messages;

	if (s->state.name_characters >
	    at_most(PART_NAMES_MAX + PART_NAMES_EACH * n, PART_NAMES_MOST))
		notes_readable(s, 0, "part-headers", (int64_t)s->state.name_characters,
			       "long names of files");
	if (s->state.header_bytes >
	    at_most(PART_HEADERS_MAX + PART_HEADERS_EACH * n, PART_HEADERS_MOST))
		notes_readable(s, 0, "part-headers", (int64_t)s->state.header_bytes,
			       "long part headers in all");
}

void structure_begin(struct structure *s, struct header *h, bool is_root)
{
	const struct level *parent = s->state.n_levels ? &s->level[s->state.n_levels - 1] : NULL;
	const char *type = h->type.type;

	header_end(h);
	check_shown(s, h);
	if (!is_root)
		check_part_header(s, h);
	else
		/* Python and mutt take a field with a blank before its colon for the header's end,
		 * libetpan a line of white space: what follows is not read.
		 */
		s->state.has_mime_version = strcmp(h->version, "1.0") == 0 && !h->has_blank_name &&
					    !h->is_late;
	if (h->ambiguity)
		structure_fault(s, "ambiguous-mime", h->ambiguity);
	if (++s->state.n_parts > STRUCTURE_PARTS_MAX) {
		structure_fault(s, "too-many-parts", "more than 1000 parts");
		s->state.is_final = true;
	}
	if (!type[0] && h->type.is_present && parent && parent->kind == MULTIPART_DIGEST)
		structure_fault(s, "ambiguous-mime",
				"a Content-Type that says nothing in a digest");
	if (!type[0]) /* RFC 2045 section 5.2, RFC 2046 section 5.1.5 */
		type = parent && parent->kind == MULTIPART_DIGEST && !h->type.is_present
			       ? "message/rfc822"
			       : "text/plain";
	if (strncmp(type, "multipart/", 10) != 0) {
		leaf_walk_begin(s, type, h);
		return;
	}
	if (multipart_kind(type) == MULTIPART_ENCRYPTED) {
		s->state.facts.has_pgp_mime_parts = true;
		notes_claim(s, s->state.n_levels, "multipart/encrypted");
	}
	if (h->encoding != ENCODING_IDENTITY)
		structure_fault(s, "bad-encoding", "a Content-Transfer-Encoding on a multipart");
	if (s->state.n_levels == STRUCTURE_LEVELS_MAX) {
		structure_fault(s, "too-deep", "more than 16 multiparts within each other");
		s->state.is_final = true;
	} else if (h->type.boundary_len > 0) {
		begin_multipart(s, type, h);
		return;
	} else if (multipart_kind(type) == MULTIPART_ENCRYPTED) {
		structure_fault(s, "bad-structure", "multipart/encrypted without a boundary");
	}
	leaf_walk_begin(s, "text/plain", h);
	s->state.is_unbounded = true;
}

/* Is the present part the text of a report? */
static bool is_text_of_report(const struct structure *s)
{
	return s->state.n_levels == 1 && s->level[0].kind == MULTIPART_REPORT &&
	       s->level[0].n_parts == 1 && s->state.place == PLACE_LEAF;
}

/* Some programs take the lines that follow for the header. In Sendmail's reports they are text to
 * anybody: what is read there is readable. */
void structure_no_header(struct structure *s)
{
	if (is_text_of_report(s))
		s->state.is_headless = true;
	else
		structure_fault(s, "ambiguous-mime", no_header);
}

/* Preamble or epilogue is complete; n_levels is the depth of its multipart. */
static void end_outside(struct structure *s)
{
	bool is_preamble = s->state.place == PLACE_PREAMBLE;

	leaf_finish(&s->leaf);
	if (s->leaf.visible_bytes == 0 && s->leaf.n_messages == 0 && !s->leaf.has_claim)
		return;
	if (is_preamble && leaf_text_is_preamble(&s->leaf))
		return;
	if (is_preamble)
		s->state.has_preamble_text = true;
	else
		s->state.has_epilogue_text = true;
	notes_readable(s, s->state.n_levels - 1, "text-outside", s->leaf.visible_bytes,
		       is_preamble ? "text before the first part" : "text after the last part");
}

/* Facts that only the outermost multipart can give. */
static void take_root_facts(struct structure *s, const struct level *l)
{
	struct scan_facts *f = &s->state.facts;
	bool is_bare = !s->state.has_preamble_text && !s->state.has_epilogue_text;

	f->is_pgp_mime = multipart_is_pgp_mime(l) && is_bare && s->state.n_readable == 0;
	f->is_signed = multipart_is_pgp_signed(l) && is_bare;
	f->is_report = multipart_is_report(l) && is_bare && !finding_is_set(&f->fault);
	if (f->is_report && l->n_parts == 3)
		f->returns = l->part[2].type == LEAF_HEADERS && !l->part[2].has_body
				     ? RETURNS_HEADERS
				     : RETURNS_READABLE;
	f->is_securejoin = s->state.securejoin_header != SECUREJOIN_NONE &&
			   l->kind == MULTIPART_MIXED && l->is_closed && l->n_parts == 1 &&
			   l->part[0].securejoin == s->state.securejoin_header && is_bare &&
			   s->state.n_readable == 1;
	f->is_autocrypt_setup = s->state.has_setup_header && l->kind == MULTIPART_MIXED &&
				l->is_closed && l->n_parts == 2 &&
				l->part[0].type == LEAF_TEXT_PLAIN && l->part[1].is_setup &&
				is_bare && f->cleartext_bytes <= SETUP_TEXT_MAX;
}

/* A CMS signature beside ciphertext in multipart/signed says nothing more; anywhere else it can be
 * read. */
static void settle_cms_signatures(struct structure *s, const struct level *l)
{
	if (multipart_is_cms_signed_ciphertext(l))
		return;
	for (unsigned i = 0; i < MULTIPART_PARTS_KEPT && i < l->n_parts; i++)
		if (l->part[i].class == PART_CMS_SIGNATURE)
			notes_readable(s, s->state.n_levels - 1, "readable-part",
				       l->part[i].pending_bytes,
				       "an S/MIME signature out of place");
}

static enum part_class multipart_class(const struct structure *s, const struct level *l)
{
	if (s->state.n_readable > l->readable_before)
		return PART_READABLE;
	return s->state.facts.n_messages > l->messages_before ? PART_CIPHERTEXT : PART_EMPTY;
}

/* A multipart whose boundary never came: its body is text, unless it promised PGP/MIME. */
static void end_unbounded(struct structure *s)
{
	enum multipart kind = s->level[s->state.n_levels - 1].kind;
	char type[FIELD_TYPE_MAX];

	snprintf(type, sizeof(type), "%s", s->level[s->state.n_levels - 1].type);
	s->state.n_levels--;
	if (kind == MULTIPART_ENCRYPTED)
		notes_fault(s, s->state.n_levels, "bad-structure",
			    "multipart/encrypted whose boundary never comes");
	s->state.is_unbounded = true;
	snprintf(s->state.leaf_type, sizeof(s->state.leaf_type), "%s", type);
	snprintf(s->state.leaf_encoding, sizeof(s->state.leaf_encoding), "7bit");
	s->state.smime_type[0] = '\0';
	end_leaf(s);
}

/* What is open in the innermost place is complete. */
static void end_place(struct structure *s)
{
	if (s->state.place == PLACE_LEAF)
		end_leaf(s);
	else
		end_outside(s);
}

/* The innermost multipart is over. Its last place has been ended, unless it never had a boundary.
 */
static void end_multipart(struct structure *s)
{
	struct level *l = &s->level[s->state.n_levels - 1];
	struct part p = {.is_multipart = true};

	if (!l->has_begun) {
		end_unbounded(s);
		return;
	}
	if (!l->is_closed)
		notes_fault(s, s->state.n_levels - 1, "truncated", "no closing boundary line");
	settle_cms_signatures(s, l);
	p.class = multipart_class(s, l);
	if (s->state.n_levels == 1)
		take_root_facts(s, l);
	s->state.n_levels--;
	notes_observe(s, s->state.n_levels, true, l->type, "7bit",
		      p.class == PART_CIPHERTEXT ? "ciphertext"
		      : p.class == PART_EMPTY	 ? "empty"
						 : "readable");
	hand_over(s, &p);
}

/* Ends what is open until `keep` multiparts remain open, their present part complete. */
static void unwind(struct structure *s, unsigned keep)
{
	/* A multipart without any boundary ends its preamble itself, as text. */
	if (s->state.place != PLACE_PREAMBLE || s->level[s->state.n_levels - 1].has_begun ||
	    s->state.n_levels == keep)
		end_place(s);
	while (s->state.n_levels > keep)
		end_multipart(s);
}

void structure_boundary(struct structure *s, unsigned index, bool is_close)
{
	struct level *l = &s->level[index];

	unwind(s, index + 1);
	l->has_begun = true;
	if (is_close) {
		l->is_closed = true;
		leaf_walk_outside(s, PLACE_EPILOGUE);
		return;
	}
	l->n_parts++;
}

void structure_content(struct structure *s, const unsigned char *bytes, size_t len)
{
	if (s->state.is_final)
		return;
	if (s->state.place == PLACE_LEAF) {
		leaf_walk_content(s, bytes, len);
		if (s->leaf.is_decided && !s->state.is_final) {
			end_leaf(s);
			s->state.is_final = true;
		}
	} else {
		leaf_feed(&s->leaf, bytes, len);
	}
}

void structure_finish(struct structure *s)
{
	struct scan_facts *f = &s->state.facts;

	if (s->state.is_final)
		return;
	unwind(s, 0);
	if (f->n_messages > 0 && s->state.was_headless) /* no report has OpenPGP of its own */
		structure_fault(s, "ambiguous-mime", no_header);
	if (f->n_messages > 0)
		check_sums(s);
	if (f->n_messages > 0 && s->state.signature_text > 0)
		notes_readable(s, 0, "readable-part", s->state.signature_text,
			       "text in a signature");
	if (s->state.n_clearsigned == 1 && s->state.n_readable == 1 && f->n_messages == 0)
		f->is_signed = true;
}
