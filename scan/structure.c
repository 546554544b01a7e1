/* SPDX-License-Identifier: ISC */
#include "scan/structure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "scan/finding.h"
#include "scan/text.h"

void structure_reset(struct structure *s)
{
	scan_observer *observer = s->observer;
	transfer_sink *sink = s->embedded_sink;
	void *observer_context = s->observer_context, *embedded_context = s->embedded_context;
	bool (*is_pgp_mime)(void *, int64_t) = s->embedded_is_pgp_mime;

	memset(s, 0, offsetof(struct structure, transfer));
	s->channel.used = s->channel.n_lines = 0;
	s->channel.is_overflown = false;
	s->observer = observer;
	s->observer_context = observer_context;
	s->embedded_sink = sink;
	s->embedded_context = embedded_context;
	s->embedded_is_pgp_mime = is_pgp_mime;
}

/* "2.1": the present part, or the part whose multipart is level[n_levels - 1]. */
static void write_path(const struct structure *s, unsigned n_levels, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < n_levels && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%u", i ? "." : "",
					 s->level[i].n_parts);
}

/* Sets *f, unless it is set, with the place ("part 2.1: ", "body: ") before what is said. Most findings are
 * not the first of their kind: then no path is printed. */
__attribute__((format(printf, 5, 6))) static void note(const struct structure *s, struct finding *f,
						       unsigned n_levels, const char *reason,
						       const char *format, ...)
{
	char path[PATH_MAX_BYTES], what[DETAIL_MAX];
	va_list args;

	if (finding_is_set(f))
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	write_path(s, n_levels, path, sizeof(path));
	if (path[0])
		finding_set(f, reason, "part %s: %s", path, what);
	else
		finding_set(f, reason, "body: %s", what);
}

static void become_final(struct structure *s)
{
	if (finding_is_set(&s->facts.fault) && s->facts.has_claim)
		s->is_final = true;
}

static void claim(struct structure *s, unsigned n_levels, const char *what)
{
	s->facts.has_claim = true;
	note(s, &s->facts.claim, n_levels, "claim", "%s", what);
	become_final(s);
}

static void fault_at(struct structure *s, unsigned n_levels, const char *reason, const char *what)
{
	note(s, &s->facts.fault, n_levels, reason, "%s", what);
	become_final(s);
}

void structure_fault(struct structure *s, const char *reason, const char *what)
{
	fault_at(s, s->n_levels, reason, what);
}

static void readable(struct structure *s, unsigned n_levels, const char *reason, int64_t bytes,
		     const char *what)
{
	s->n_readable++;
	s->facts.cleartext_bytes += bytes > 0 ? bytes : 1; /* readable is never nothing */
	note(s, &s->facts.readable, n_levels, reason, "%s (%lld bytes)", what, (long long)bytes);
}

static void observe(struct structure *s, unsigned depth, bool is_multipart, const char *type,
		    const char *encoding, const char *text)
{
	char path[PATH_MAX_BYTES], safe_type[FIELD_TYPE_MAX * 4];
	struct scan_part part = {
		.path = path,
		.depth = depth,
		.is_multipart = is_multipart,
		.type = safe_type,
		.encoding = encoding,
		.finding = text,
	};

	if (!s->observer)
		return;
	write_path(s, depth, path, sizeof(path));
	log_escape(safe_type, sizeof(safe_type), type, strlen(type));
	s->observer(s->observer_context, &part);
}

/* ---- leaves ---- */

/* What the leaf says of itself becomes fact. */
static void take_leaf_findings(struct structure *s)
{
	const struct leaf *l = &s->leaf;

	if (finding_is_set(&l->fault))
		note(s, &s->facts.fault, s->n_levels, l->fault.reason, "%s", l->fault.detail);
	if (l->has_claim)
		claim(s, s->n_levels, "OpenPGP message");
	become_final(s);
}

/* The verdict on a leaf that claims to be OpenPGP and cannot be: final. */
static void take_leaf_fault(struct structure *s)
{
	if (s->leaf.has_claim && (finding_is_set(&s->leaf.fault) || finding_is_set(&s->facts.fault)))
		take_leaf_findings(s);
}

static void leaf_sink(void *context, const unsigned char *bytes, size_t len)
{
	struct structure *s = context;

	if (s->is_final || s->leaf.is_decided)
		return;
	if (s->transfer.wrong) /* before what the leaf makes of it */
		fault_at(s, s->n_levels, "bad-encoding", s->transfer.wrong);
	leaf_feed(&s->leaf, bytes, len);
	take_leaf_fault(s); /* before what the decoder finds later: the first counts, however it is cut */
	if (s->leaf.is_decided) /* what the decoder finds from here on is not looked at */
		s->wrong_when_decided = s->transfer.wrong;
	if (s->is_embedded_fed)
		s->embedded_sink(s->embedded_context, bytes, len);
}

/* Is the leaf that begins now the message that a report returns? RFC 6522 section 3. */
static bool is_returned_message(const struct structure *s, const char *type)
{
	return s->n_levels == 1 && s->level[0].kind == MULTIPART_REPORT &&
	       s->level[0].n_parts == 3 && part_is_embedded_type(type) && s->embedded_sink;
}

/* GpgOL keeps PGP/MIME in Outlook as one attachment, the whole of it with its header. Exchange sends that so
 * when GpgOL could not make it a message again. One of them is looked into. */
static bool is_gpgol_tree(const struct structure *s, enum leaf_type kind, const struct header *h)
{
	if (kind != LEAF_OTHER || strcmp(h->type.type, "application/octet-stream") != 0 ||
	    s->n_levels == 0 || s->level[0].kind == MULTIPART_REPORT || !s->embedded_sink ||
	    s->was_tree_fed)
		return false;
	return strcmp(h->type.name, "gpgol_mime_structure.mime") == 0 ||
	       strcmp(h->type.name, "gpgol_mime_structure.txt") == 0; /* older */
}

static void begin_leaf(struct structure *s, const char *type, const struct header *h)
{
	enum leaf_type kind = leaf_type_of(type);

	snprintf(s->leaf_type, sizeof(s->leaf_type), "%s", type);
	snprintf(s->leaf_encoding, sizeof(s->leaf_encoding), "%s", h->encoding_name);
	snprintf(s->smime_type, sizeof(s->smime_type), "%s", h->type.smime_type);
	s->place = PLACE_LEAF;
	leaf_begin(&s->leaf, kind, h->type.has_bad_charset, &s->channel);
	s->leaf.is_whole_body = s->n_levels == 0;
	s->leaf.is_text = strncmp(type, "text/", 5) == 0;
	s->is_cr_watched = h->encoding != ENCODING_BASE64;
	s->cr_levels = 0;
	s->is_tree_fed = is_gpgol_tree(s, kind, h);
	s->was_tree_fed |= s->is_tree_fed;
	s->is_embedded_fed = s->is_tree_fed || is_returned_message(s, type);
	transfer_begin(&s->transfer, h->encoding, leaf_sink, s);
	if (h->encoding == ENCODING_UNKNOWN)
		fault_at(s, s->n_levels, "bad-encoding", "unknown Content-Transfer-Encoding");
	if (kind == LEAF_PGP_CONTROL) {
		s->facts.has_pgp_mime_parts = true;
		claim(s, s->n_levels, "application/pgp-encrypted");
	}
}

static void take_messages(struct structure *s)
{
	const struct leaf *l = &s->leaf;
	struct scan_facts *f = &s->facts;

	f->n_messages += l->n_messages;
	if (l->has_password_only)
		note(s, &f->password_only, s->n_levels, "password-only", "encrypted to a password only");
	if (l->has_legacy)
		note(s, &f->legacy, s->n_levels, "legacy-encryption",
		     "OpenPGP packet 9, encrypted without integrity protection");
	f->n_session_keys += l->n_session_keys;
	for (size_t i = 0; i < l->n_key_ids && f->n_key_ids < KEY_IDS_MAX; i++)
		f->key_ids[f->n_key_ids++] = l->key_ids[i];
}

static void note_readable_leaf(struct structure *s)
{
	const struct leaf *l = &s->leaf;

	if (l->is_header_channel)
		readable(s, s->n_levels, "armor-headers", l->visible_bytes, "long armor headers");
	else if (l->n_messages > 0)
		readable(s, s->n_levels, "text-outside", l->visible_bytes,
			 "text beside an OpenPGP message");
	else if (l->type == LEAF_HTML)
		readable(s, s->n_levels, "html-part", l->visible_bytes, "readable HTML");
	else
		readable(s, s->n_levels, "readable-part", l->visible_bytes, "readable content");
}

static void observe_leaf(struct structure *s, enum part_class class)
{
	char text[DETAIL_MAX + REASON_MAX + 4];

	observe(s, s->n_levels, false, s->leaf_type, s->leaf_encoding,
		part_describe(&s->leaf, class, text, sizeof(text)));
}

/* A part is complete: its multipart, if any, hears of it. */
static void hand_over(struct structure *s, const struct part *p)
{
	struct level *l;

	if (s->n_levels == 0)
		return;
	l = &s->level[s->n_levels - 1];
	if (l->n_parts >= 1 && l->n_parts <= MULTIPART_PARTS_KEPT)
		l->part[l->n_parts - 1] = *p;
	else if (p->class == PART_CMS_SIGNATURE)
		readable(s, s->n_levels, "readable-part", p->pending_bytes,
			 "an S/MIME signature out of place");
}

/* The leaf was looked into: if it is PGP/MIME and nothing else, what is visible in it is its structure. */
static void settle_gpgol_tree(struct structure *s)
{
	struct leaf *l = &s->leaf;

	if (!s->is_tree_fed || s->transfer.wrong || finding_is_set(&l->fault) || l->n_messages != 1 ||
	    s->channel.is_overflown || !s->embedded_is_pgp_mime(s->embedded_context, l->bytes))
		return;
	l->visible_bytes = 0;
	s->facts.has_pgp_mime_parts = true;
}

/* The content of a leaf (or of a multipart without boundaries, which is read as text) is complete. */
static void end_leaf(struct structure *s)
{
	struct part p;

	transfer_finish(&s->transfer);
	if (s->leaf.is_decided)
		s->transfer.wrong = s->wrong_when_decided;
	leaf_finish(&s->leaf);
	if (s->transfer.wrong)
		fault_at(s, s->n_levels, "bad-encoding", s->transfer.wrong);
	settle_gpgol_tree(s);
	p = part_of_leaf(&s->leaf, s->leaf_type);
	if (s->observer)
		observe_leaf(s, p.class);
	take_leaf_findings(s);
	take_messages(s);
	if (p.class == PART_READABLE) {
		note_readable_leaf(s);
		s->n_clearsigned += s->leaf.is_clearsigned_only;
	}
	if (s->n_levels == 0) {
		s->facts.is_smime = !s->transfer.wrong && part_is_smime(&s->leaf, s->smime_type);
		if (p.class == PART_CMS_SIGNATURE)
			readable(s, 0, "readable-part", p.pending_bytes, "an S/MIME signature alone");
	}
	hand_over(s, &p);
}

/* ---- multiparts ---- */

/* Text outside the parts is read as a leaf of its own: in front because a multipart whose boundary never
 * comes is only that text. */
static void begin_outside(struct structure *s, enum place place)
{
	s->place = place;
	s->is_embedded_fed = s->is_tree_fed = false;
	transfer_begin(&s->transfer, ENCODING_IDENTITY, leaf_sink, s);
	leaf_begin(&s->leaf, place == PLACE_PREAMBLE ? LEAF_TEXT_PLAIN : LEAF_MESSAGE, false,
		   &s->channel);
	s->leaf.is_text = true;
}

/* Is `shorter` and then "--" the same as `longer`? */
static bool closes_as(const char *shorter, size_t shorter_len, const char *longer, size_t longer_len)
{
	return longer_len == shorter_len + 2 && memcmp(longer, shorter, shorter_len) == 0 &&
	       memcmp(longer + shorter_len, "--", 2) == 0;
}

/* Could a line of this boundary be one of a multipart that is open? Readers ask inner or outer first. */
static bool is_open_boundary(const struct structure *s, const char *boundary, size_t len)
{
	for (unsigned i = 0; i < s->n_levels; i++) {
		const struct level *l = &s->level[i];

		if (l->boundary_len == len && memcmp(l->boundary, boundary, len) == 0)
			return true;
		if (closes_as(boundary, len, l->boundary, l->boundary_len) ||
		    closes_as(l->boundary, l->boundary_len, boundary, len))
			return true;
	}
	return false;
}

static void begin_multipart(struct structure *s, const char *type, const struct header *h)
{
	struct level *l = &s->level[s->n_levels];

	memset(l, 0, sizeof(*l));
	l->kind = multipart_kind(type);
	l->has_protocol = (l->kind == MULTIPART_ENCRYPTED &&
			   strcmp(h->type.protocol, "application/pgp-encrypted") == 0) ||
			  (l->kind == MULTIPART_SIGNED &&
			   strcmp(h->type.protocol, "application/pgp-signature") == 0);
	snprintf(l->type, sizeof(l->type), "%s", type);
	snprintf(l->report_type, sizeof(l->report_type), "%s", h->type.report_type);
	if (is_open_boundary(s, h->type.boundary, h->type.boundary_len))
		structure_fault(
			s, "ambiguous-mime",
			"a boundary that cannot be told from that of an enclosing multipart");
	memcpy(l->boundary, h->type.boundary, h->type.boundary_len);
	l->boundary_len = h->type.boundary_len;
	l->readable_before = s->n_readable;
	l->messages_before = s->facts.n_messages;
	s->n_levels++;
	begin_outside(s, PLACE_PREAMBLE);
}

static void check_part_header(struct structure *s, const struct header *h)
{
	s->header_bytes += h->bytes;
	if (h->bytes > PART_HEADER_MAX || s->header_bytes > PART_HEADERS_MAX)
		readable(s, s->n_levels, "part-headers", (int64_t)h->bytes, "a long part header");
}

void structure_begin(struct structure *s, struct header *h, bool is_root)
{
	const struct level *parent = s->n_levels ? &s->level[s->n_levels - 1] : NULL;
	const char *type = h->type.type;

	header_end(h);
	if (!is_root)
		check_part_header(s, h);
	if (h->ambiguity)
		structure_fault(s, "ambiguous-mime", h->ambiguity);
	if (++s->n_parts > STRUCTURE_PARTS_MAX) {
		structure_fault(s, "too-many-parts", "more than 1000 parts");
		s->is_final = true;
	}
	if (!type[0]) /* RFC 2045 section 5.2, RFC 2046 section 5.1.5 */
		type = parent && parent->kind == MULTIPART_DIGEST && !h->type.is_present
			       ? "message/rfc822"
			       : "text/plain";
	if (strncmp(type, "multipart/", 10) != 0) {
		begin_leaf(s, type, h);
		return;
	}
	if (multipart_kind(type) == MULTIPART_ENCRYPTED) {
		s->facts.has_pgp_mime_parts = true;
		claim(s, s->n_levels, "multipart/encrypted");
	}
	if (h->encoding != ENCODING_IDENTITY)
		structure_fault(s, "bad-encoding", "a Content-Transfer-Encoding on a multipart");
	if (s->n_levels == STRUCTURE_LEVELS_MAX) {
		structure_fault(s, "too-deep", "more than 16 multiparts within each other");
		s->is_final = true;
	} else if (h->type.boundary_len > 0) {
		begin_multipart(s, type, h);
		return;
	} else if (multipart_kind(type) == MULTIPART_ENCRYPTED) {
		structure_fault(s, "bad-structure", "multipart/encrypted without a boundary");
	}
	begin_leaf(s, "text/plain", h); /* nothing but text to any reader */
}

/* Preamble or epilogue is complete; n_levels is the depth of its multipart. */
static void end_outside(struct structure *s)
{
	bool is_preamble = s->place == PLACE_PREAMBLE;

	leaf_finish(&s->leaf);
	if (s->leaf.visible_bytes == 0 && s->leaf.n_messages == 0 && !s->leaf.has_claim)
		return;
	if (is_preamble && multipart_is_known_preamble(&s->leaf))
		return;
	if (is_preamble)
		s->has_preamble_text = true;
	else
		s->has_epilogue_text = true;
	readable(s, s->n_levels - 1, "text-outside", s->leaf.visible_bytes,
		 is_preamble ? "text before the first part" : "text after the last part");
}

/* Facts that only the outermost multipart can give. */
static void take_root_facts(struct structure *s, const struct level *l)
{
	struct scan_facts *f = &s->facts;
	bool is_bare = !s->has_preamble_text && !s->has_epilogue_text;

	f->is_pgp_mime = multipart_is_pgp_mime(l) && is_bare && s->n_readable == 0;
	f->is_signed = multipart_is_pgp_signed(l) && is_bare;
	f->is_report = multipart_is_report(l) && !s->has_epilogue_text && !finding_is_set(&f->fault);
	if (f->is_report && l->n_parts == 3)
		f->returns = l->part[2].type == LEAF_HEADERS ? RETURNS_HEADERS : RETURNS_READABLE;
	f->is_securejoin = s->securejoin_header > 0 && l->kind == MULTIPART_MIXED && l->is_closed &&
			   l->n_parts == 1 && l->part[0].securejoin == s->securejoin_header &&
			   is_bare && s->n_readable == 1;
	f->is_autocrypt_setup = s->has_setup_header && l->kind == MULTIPART_MIXED && l->is_closed &&
				l->n_parts == 2 && l->part[0].type == LEAF_TEXT_PLAIN &&
				l->part[1].is_setup && is_bare && f->cleartext_bytes <= SETUP_TEXT_MAX;
}

/* A CMS signature beside ciphertext in multipart/signed says nothing more; anywhere else it can be read. */
static void settle_cms_signatures(struct structure *s, const struct level *l)
{
	if (multipart_is_cms_signed_ciphertext(l))
		return;
	for (unsigned i = 0; i < MULTIPART_PARTS_KEPT && i < l->n_parts; i++)
		if (l->part[i].class == PART_CMS_SIGNATURE)
			readable(s, s->n_levels - 1, "readable-part", l->part[i].pending_bytes,
				 "an S/MIME signature out of place");
}

static enum part_class multipart_class(const struct structure *s, const struct level *l)
{
	if (s->n_readable > l->readable_before)
		return PART_READABLE;
	return s->facts.n_messages > l->messages_before ? PART_CIPHERTEXT : PART_EMPTY;
}

/* A multipart whose boundary never came: its body is text, unless it promised PGP/MIME. */
static void end_unbounded(struct structure *s)
{
	enum multipart kind = s->level[s->n_levels - 1].kind;
	char type[FIELD_TYPE_MAX];

	snprintf(type, sizeof(type), "%s", s->level[s->n_levels - 1].type);
	s->n_levels--;
	if (kind == MULTIPART_ENCRYPTED)
		fault_at(s, s->n_levels, "bad-structure",
			 "multipart/encrypted whose boundary never comes");
	snprintf(s->leaf_type, sizeof(s->leaf_type), "%s", type);
	snprintf(s->leaf_encoding, sizeof(s->leaf_encoding), "7bit");
	s->smime_type[0] = '\0';
	end_leaf(s);
}

/* What is open in the innermost place is complete. */
static void end_place(struct structure *s)
{
	if (s->place == PLACE_LEAF)
		end_leaf(s);
	else
		end_outside(s);
}

/* The innermost multipart is over. Its last place has been ended, unless it never had a boundary. */
static void end_multipart(struct structure *s)
{
	struct level *l = &s->level[s->n_levels - 1];
	struct part p = {.is_multipart = true};

	if (!l->has_begun) {
		end_unbounded(s);
		return;
	}
	if (!l->is_closed)
		fault_at(s, s->n_levels - 1, "truncated", "no closing boundary line");
	settle_cms_signatures(s, l);
	p.class = multipart_class(s, l);
	if (s->n_levels == 1)
		take_root_facts(s, l);
	s->n_levels--;
	observe(s, s->n_levels, true, l->type, "7bit",
		p.class == PART_CIPHERTEXT ? "ciphertext"
		: p.class == PART_EMPTY	   ? "empty"
					   : "readable");
	hand_over(s, &p);
}

/* Ends what is open until `keep` multiparts remain open, their present part complete. */
static void unwind(struct structure *s, unsigned keep)
{
	/* A multipart without any boundary ends its preamble itself, as text. */
	if (s->place != PLACE_PREAMBLE || s->level[s->n_levels - 1].has_begun || s->n_levels == keep)
		end_place(s);
	while (s->n_levels > keep)
		end_multipart(s);
}

void structure_boundary(struct structure *s, unsigned index, bool is_close)
{
	struct level *l = &s->level[index];

	unwind(s, index + 1);
	l->has_begun = true;
	if (is_close) {
		l->is_closed = true;
		begin_outside(s, PLACE_EPILOGUE);
		return;
	}
	l->n_parts++;
}

/* Whatever comes next, up to a boundary of an open multipart, may follow on a lone CR. One bit a level. */
static void follow_cr(struct structure *s)
{
	s->cr_levels = 0;
	s->cr_len = 0;
	for (unsigned i = 0; i < s->n_levels; i++)
		s->cr_levels |= 1u << i;
}

/* One octet more of a line that began after CR: which levels' boundary lines may it still be? */
static void follow_octet(struct structure *s, unsigned char c)
{
	const size_t at = s->cr_len++;

	for (unsigned i = 0; i < s->n_levels; i++) {
		const struct level *l = &s->level[i];

		if (!(s->cr_levels & 1u << i))
			continue;
		if (c != (at < 2 ? '-' : (unsigned char)l->boundary[at - 2]))
			s->cr_levels &= ~(1u << i);
		else if (s->cr_len == 2 + l->boundary_len)
			s->leaf.has_cr_boundary = true;
	}
}

/* Some readers take a lone CR for a line end. In what is text they find nothing that we do not; but in opaque
 * octets there could be a boundary line for them, and a readable part behind it. */
static void watch_lone_cr(struct structure *s, const unsigned char *bytes, size_t len)
{
	const unsigned char *end = bytes + len;

	/* Nothing opaque begins otherwise. */
	if (s->leaf.bytes == 0 && len > 0 && s->transfer.encoding == ENCODING_IDENTITY)
		s->is_cr_watched = leaf_may_be_binary(bytes[0]);
	while (bytes < end && s->is_cr_watched && !s->leaf.has_cr_boundary) {
		if (*bytes == '\r')
			follow_cr(s);
		else if (s->cr_levels != 0)
			follow_octet(s, *bytes);
		bytes++;
		if (s->cr_levels == 0)
			bytes = memchr(bytes, '\r', (size_t)(end - bytes));
		if (!bytes)
			return;
	}
}

void structure_content(struct structure *s, const unsigned char *bytes, size_t len)
{
	if (s->is_final)
		return;
	if (s->place == PLACE_LEAF) {
		watch_lone_cr(s, bytes, len);
		transfer_feed(&s->transfer, bytes, len);
		if (s->leaf.is_decided && !s->is_final) {
			end_leaf(s);
			s->is_final = true;
		}
	} else {
		leaf_feed(&s->leaf, bytes, len);
	}
}

void structure_finish(struct structure *s)
{
	struct scan_facts *f = &s->facts;

	if (s->is_final)
		return;
	unwind(s, 0);
	if (s->n_clearsigned == 1 && s->n_readable == 1 && f->n_messages == 0)
		f->is_signed = true;
}
