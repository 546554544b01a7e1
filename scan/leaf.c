/* SPDX-License-Identifier: ISC */
#include "scan/leaf.h"

#include <string.h>

#include "scan/finding.h"
#include "scan/leaf_html.h"
#include "scan/phrases.h"
#include "scan/text.h"

#define BEGIN_LINE_MIN 27 /* octets of the shortest line that begins anything: BEGIN PGP MESSAGE */

enum leaf_type leaf_type_of(const char *type)
{
	static const struct {
		const char *name;
		enum leaf_type type;
	} table[] = {
		{"text/plain", LEAF_TEXT_PLAIN},
		{"text/html", LEAF_HTML},
		{"application/xhtml+xml", LEAF_HTML},
		{"text/rfc822-headers", LEAF_HEADERS},
		{"message/rfc822-headers", LEAF_HEADERS},
		{"message/global-headers", LEAF_HEADERS},
		{"message/delivery-status", LEAF_DELIVERY_STATUS},
		{"message/global-delivery-status", LEAF_DELIVERY_STATUS},
		{"message/disposition-notification", LEAF_DISPOSITION},
		{"message/global-disposition-notification", LEAF_DISPOSITION},
		{"application/pgp-encrypted", LEAF_PGP_CONTROL},
		{"application/pgp-signature", LEAF_PGP_SIGNATURE},
		{"application/pkcs7-mime", LEAF_PKCS7_MIME},
		{"application/x-pkcs7-mime", LEAF_PKCS7_MIME},
		{"application/pkcs7-signature", LEAF_PKCS7_SIGNATURE},
		{"application/x-pkcs7-signature", LEAF_PKCS7_SIGNATURE},
		{"application/autocrypt-setup", LEAF_AUTOCRYPT_SETUP},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(type, table[i].name) == 0)
			return table[i].type;
	return strncmp(type, "message/", 8) == 0 ? LEAF_MESSAGE : LEAF_OTHER;
}

/* Leaves in which nothing is looked for: to a reader they are documents. */
static bool is_document(const struct leaf *l)
{
	return l->type == LEAF_HTML || l->type == LEAF_MESSAGE || l->type == LEAF_HEADERS ||
	       l->type == LEAF_DELIVERY_STATUS || l->type == LEAF_DISPOSITION || l->is_returned;
}

void leaf_begin(struct leaf *l, enum leaf_type type, bool has_bad_charset, struct armor_channel *channel)
{
	memset(l, 0, offsetof(struct leaf, line));
	l->type = type;
	l->has_bad_charset = has_bad_charset;
	l->channel = channel;
	l->state = is_document(l) ? LEAF_IN_TEXT : LEAF_IN_PREFIX;
	ciphertext_reset(&l->walk.sample);
	report_reset(&l->report);
	enveloped_reset(&l->enveloped);
	if (type == LEAF_HTML) {
		l->state = LEAF_IN_HTML;
		leaf_html_begin(l);
	}
}

static void become_faulty(struct leaf *l, const struct finding *f)
{
	l->has_claim = true;
	finding_adopt(&l->fault, f);
	l->state = LEAF_IN_FAULT;
}

/* What a proper message gave. */
void leaf_take_message(struct leaf *l, bool is_armored)
{
	const struct packet_walk *w = &l->walk;

	l->has_claim = true;
	l->n_messages++;
	l->n_armored += is_armored;
	l->has_password_only |= w->n_public_keys == 0;
	l->has_legacy |= w->is_legacy;
	l->n_session_keys += w->n_public_keys;
	l->containers |= 1u << (w->is_legacy ? CONTAINER_SED : w->container);
	for (size_t i = 0;
	     i < w->n_key_ids && l->n_key_ids < KEY_IDS_MAX && l->n_messages <= KEY_IDS_MAX; i++) {
		l->key_message[l->n_key_ids] = (unsigned char)(l->n_messages - 1);
		l->key_ids[l->n_key_ids++] = w->key_ids[i];
	}
}

static void take_signatures(struct leaf *l)
{
	l->n_signatures++;
	l->signature_text += (int64_t)l->walk.signature_text;
}

static void keep_tiny(struct leaf *l, const unsigned char *text, size_t len)
{
	size_t room = sizeof(l->tiny) - l->tiny_len;

	for (; l->tiny_len == 0 && len > 0 && text_is_space(*text); len--)
		text++;
	if (len > room) {
		l->is_tiny_cut = true;
		len = room;
	}
	memcpy(l->tiny + l->tiny_len, text, len);
	l->tiny_len += len;
}

/* A line that a reader sees. */
static void visible_line(struct leaf *l, const unsigned char *line, size_t len, int64_t beyond)
{
	int64_t visible = (int64_t)text_count_visible(line, len) + beyond;

	/* HTML that was made text leaves such for empty paragraphs. In another character set they are letters. */
	if (visible > 0 && beyond == 0 && !l->has_bad_charset && text_is_blank_line(line, len))
		visible = (int64_t)(len = 0);
	l->visible_bytes += visible;
	if (l->state == LEAF_IN_TEXT)
		l->text_visible += visible;
	if (memchr(line, '\0', len))
		l->has_nul = true;
	if (!l->is_tiny_cut && (visible > 0 || l->tiny_len > 0)) {
		keep_tiny(l, line, text_trimmed(line, len));
		keep_tiny(l, (const unsigned char *)"\n", 1);
		l->is_tiny_cut |= beyond > 0;
	}
}

static void begin_block(struct leaf *l, enum armor_label label, enum leaf_state state)
{
	armor_begin(&l->armor, label, &l->walk, l->channel);
	l->state = state;
}

static bool is_clearsigned_begin(const unsigned char *line, size_t len)
{
	static const char begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";

	return text_begins(line, len, begin) && text_trimmed(line, len) == sizeof(begin) - 1;
}

static void text_line(struct leaf *l, const unsigned char *line, size_t len, int64_t beyond)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (beyond == 0 && len >= BEGIN_LINE_MIN && !is_document(l)) {
		if (armor_is_begin(line, len, ARMOR_MESSAGE)) {
			l->has_claim = true;
			begin_block(l, ARMOR_MESSAGE, LEAF_IN_MESSAGE);
			return;
		}
		if (l->type == LEAF_PGP_SIGNATURE && armor_is_begin(line, len, ARMOR_SIGNATURE)) {
			begin_block(l, ARMOR_SIGNATURE, LEAF_IN_SIGNATURE);
			return;
		}
		if (line[0] == '-' && is_clearsigned_begin(line, len)) {
			l->state = LEAF_IN_CLEARSIGNED_HEADERS;
			return;
		}
		if (text_begins(line, len, bom) && armor_is_begin(line + 3, len - 3, ARMOR_MESSAGE))
			l->is_bom_first = true;
	}
	if (l->type == LEAF_HEADERS) {
		l->has_body |= l->is_header_over && text_count_visible(line, len) + (size_t)beyond > 0;
		l->is_header_over |= text_trimmed(line, len) == 0 && beyond == 0;
	}
	visible_line(l, line, len, beyond);
	l->is_decided = l->is_whole_body && is_document(l) && l->visible_bytes > 0;
	if (l->type == LEAF_DELIVERY_STATUS || l->type == LEAF_DISPOSITION)
		report_line(&l->report, line, len);
}

/* Armor headers beyond their allowance are readable text. */
static void weigh_armor_headers(struct leaf *l)
{
	int64_t bytes = (int64_t)armor_readable_bytes(&l->armor);

	if (bytes == 0)
		return;
	l->is_header_channel = l->visible_bytes == l->channel_bytes;
	l->visible_bytes += bytes;
	l->channel_bytes += bytes;
}

/* The block has ended, well or not. */
static void end_block(struct leaf *l)
{
	bool is_faulty = finding_is_set(&l->armor.fault);

	if (l->state == LEAF_IN_MESSAGE) {
		if (is_faulty) {
			become_faulty(l, &l->armor.fault);
			return;
		}
		leaf_take_message(l, true);
		weigh_armor_headers(l);
	} else if (l->state == LEAF_IN_SIGNATURE) {
		if (is_faulty)
			finding_adopt(&l->fault, &l->armor.fault);
		else
			take_signatures(l);
		weigh_armor_headers(l);
	} else if (is_faulty) {
		l->has_bad_clearsigned = true;
	} else {
		l->n_clearsigned++;
	}
	l->state = LEAF_IN_TEXT;
}

/* A line of a clearsigned text, RFC 9580 section 7. All of it is readable; the question is only whether the
 * signature covers it. */
static void clearsigned_line(struct leaf *l, const unsigned char *line, size_t len, int64_t beyond)
{
	size_t trimmed = text_trimmed(line, len);

	if (l->state == LEAF_IN_CLEARSIGNED_HEADERS) {
		if (trimmed == 0) {
			l->state = LEAF_IN_CLEARSIGNED_TEXT;
			return;
		}
		if (!text_begins(line, len, "Hash: ") && !text_begins(line, len, "Charset: "))
			l->has_bad_clearsigned = true; /* text that nothing signs */
		visible_line(l, line, len, beyond);
		return;
	}
	if (trimmed > 0 && line[0] == '-' && beyond == 0) {
		if (armor_is_begin(line, len, ARMOR_SIGNATURE)) {
			begin_block(l, ARMOR_SIGNATURE, LEAF_IN_CLEARSIGNED_SIGNATURE);
			return;
		}
		if (len < 2 || line[1] != ' ') { /* not dash-escaped: section 7.2 */
			l->has_bad_clearsigned = true;
			l->state = LEAF_IN_TEXT;
			text_line(l, line, len, beyond);
			return;
		}
	}
	visible_line(l, line, len, beyond);
}

/* One line without its LF; beyond: visible octets of it after LEAF_LINE_MAX. */
static void take_line(struct leaf *l, const unsigned char *line, size_t len, size_t whole, int64_t beyond)
{
	switch (l->state) {
	case LEAF_IN_TEXT:
		if (whole > 0 || l->tiny_len > 0 || is_document(l))
			text_line(l, line, len, beyond);
		return;
	case LEAF_IN_CLEARSIGNED_HEADERS:
	case LEAF_IN_CLEARSIGNED_TEXT:
		clearsigned_line(l, line, len, beyond);
		return;
	case LEAF_IN_MESSAGE:
	case LEAF_IN_SIGNATURE:
	case LEAF_IN_CLEARSIGNED_SIGNATURE:
		if (armor_line(&l->armor, line, len))
			return;
		end_block(l);
		return;
	case LEAF_IN_PREFIX:
	case LEAF_IN_BINARY:
	case LEAF_IN_HTML:
	case LEAF_IN_OTHER_BINARY:
	case LEAF_IN_FAULT:
		return; /* no lines */
	}
}

static bool is_in_block(const struct leaf *l)
{
	return l->state == LEAF_IN_MESSAGE || l->state == LEAF_IN_SIGNATURE ||
	       l->state == LEAF_IN_CLEARSIGNED_SIGNATURE;
}

/* The line goes on, and what is kept of it is all there is room for. */
void leaf_give_piece(struct leaf *l)
{
	size_t taken = armor_piece(&l->armor, l->line, l->line_len);

	l->line_len -= taken;
	memmove(l->line, l->line + taken, l->line_len);
}

/* Armor takes a line that is longer than what is kept, a piece at a time. */
static void keep_armor_piece(struct leaf *l, const unsigned char *bytes, size_t len)
{
	l->line_whole += len;
	while (len > 0) {
		size_t n = sizeof(l->line) - l->line_len;

		if (n == 0) {
			leaf_give_piece(l);
			continue;
		}
		n = len < n ? len : n;
		memcpy(l->line + l->line_len, bytes, n);
		l->line_len += n;
		bytes += n;
		len -= n;
	}
}

/* Keeps a piece of a line whose end is not there yet. */
static void keep_text_piece(struct leaf *l, const unsigned char *bytes, size_t len)
{
	size_t room = sizeof(l->line) - l->line_len;
	size_t n = len < room ? len : room;

	memcpy(l->line + l->line_len, bytes, n);
	l->line_len += n;
	l->line_whole += len;
	l->line_beyond_visible += (int64_t)text_count_visible(bytes + n, len - n);
}

static void keep_piece(struct leaf *l, const unsigned char *bytes, size_t len)
{
	if (is_in_block(l))
		keep_armor_piece(l, bytes, len);
	else
		keep_text_piece(l, bytes, len);
}

static void end_kept_line(struct leaf *l)
{
	size_t len = l->line_len, whole = l->line_whole;
	int64_t beyond = l->line_beyond_visible;

	l->line_len = l->line_whole = 0;
	l->line_beyond_visible = 0;
	take_line(l, l->line, len, whole, beyond);
}

static void feed_text(struct leaf *l, const unsigned char *bytes, size_t len)
{
	while (len > 0 && l->state != LEAF_IN_FAULT && !l->is_decided) {
		const unsigned char *lf;
		size_t n = 0;

		if (l->state == LEAF_IN_MESSAGE && l->line_whole == 0)
			n = armor_run(&l->armor, bytes, len);
		bytes += n;
		len -= n;
		if (len == 0)
			return;
		lf = *bytes == '\n' ? bytes : memchr(bytes, '\n', len);
		n = lf ? (size_t)(lf - bytes) : len;
		if (!lf) {
			keep_piece(l, bytes, n);
			return;
		}
		if (l->line_whole == 0 && n <= LEAF_LINE_MAX) {
			take_line(l, bytes, n, n, 0);
		} else {
			keep_piece(l, bytes, n);
			end_kept_line(l);
		}
		bytes += n + 1;
		len -= n + 1;
	}
}

static void feed_html(struct leaf *l, const unsigned char *bytes, size_t len)
{
	size_t taken = leaf_html_feed(l, bytes, len);

	if (taken == len)
		return;
	l->state = LEAF_IN_TEXT;
	feed_text(l, bytes + taken, len - taken);
}

static void feed_binary(struct leaf *l, const unsigned char *bytes, size_t len)
{
	packet_feed(&l->walk, bytes, len);
	if (!finding_is_set(&l->walk.fault))
		return;
	if (l->walk.n_session_keys > 0)
		become_faulty(l, &l->walk.fault);
	else
		l->state = LEAF_IN_OTHER_BINARY;
}

enum prefix_answer { PREFIX_NO, PREFIX_YES, PREFIX_MORE };

/* Do the first octets look like a session key packet, or a marker (or, in a signature leaf, a signature)? Tag,
 * length and version are enough to tell it from text in any character set. */
static enum prefix_answer looks_binary(const struct leaf *l)
{
	const unsigned char *p = l->prefix;
	size_t n = l->prefix_len, at;
	unsigned tag;

	if (!(p[0] & 0x80))
		return PREFIX_NO;
	if (p[0] & 0x40) {
		tag = p[0] & 0x3f;
		if (n < 2)
			return PREFIX_MORE;
		at = p[1] < 192 ? 2 : p[1] < 224 ? 3 : p[1] == 255 ? 6 : 2;
	} else {
		tag = p[0] >> 2 & 0x0f;
		if ((p[0] & 3) == 3)
			return PREFIX_NO;
		at = 1 + (1u << (p[0] & 3));
	}
	if (tag != (l->type == LEAF_PGP_SIGNATURE ? 2 : 1) && tag != 3 && tag != 10)
		return PREFIX_NO;
	if (n <= at)
		return PREFIX_MORE;
	switch (tag) {
	case 1:
	case 3: /* of any version that is no text: unknown ones are passed over */
		return p[at] > 0 && p[at] < ' ' && !text_is_space(p[at]) ? PREFIX_YES : PREFIX_NO;
	case 2:
		return p[at] >= 3 && p[at] <= 6 ? PREFIX_YES : PREFIX_NO;
	default:
		return p[at] == 'P' ? PREFIX_YES : PREFIX_NO;
	}
}

/* The first octets are kept until they tell. */
static void feed_prefix(struct leaf *l, const unsigned char *bytes, size_t len)
{
	enum prefix_answer answer = PREFIX_MORE;

	while (len > 0 && answer == PREFIX_MORE) {
		l->prefix[l->prefix_len++] = *bytes++;
		len--;
		answer = looks_binary(l);
	}
	if (answer == PREFIX_MORE)
		return;
	if (answer == PREFIX_YES) {
		l->state = LEAF_IN_BINARY;
		packet_init(&l->walk, l->type == LEAF_PGP_SIGNATURE ? PACKETS_OF_SIGNATURES
								    : PACKETS_OF_MESSAGE);
		l->walk.is_sampled_whole = true;
		feed_binary(l, l->prefix, l->prefix_len);
		if (l->state == LEAF_IN_BINARY)
			feed_binary(l, bytes, len);
	} else {
		l->state = LEAF_IN_TEXT;
		feed_text(l, l->prefix, l->prefix_len);
		feed_text(l, bytes, len);
	}
}

/* CMS is binary that is only looked at in front, and sampled: what is mostly text is none. */
static void keep_cms_head(struct leaf *l, const unsigned char *bytes, size_t len)
{
	size_t room = sizeof(l->prefix) - l->prefix_len;

	ciphertext_feed(&l->walk.sample, bytes, len);
	enveloped_feed(&l->enveloped, bytes, len);
	if (len > room)
		len = room;
	memcpy(l->prefix + l->prefix_len, bytes, len);
	l->prefix_len += len;
}

static bool is_cms(const struct leaf *l)
{
	return l->type == LEAF_PKCS7_MIME || l->type == LEAF_PKCS7_SIGNATURE;
}

void leaf_feed(struct leaf *l, const unsigned char *bytes, size_t len)
{
	if (len == 0)
		return;
	l->bytes += (int64_t)len;
	if (is_cms(l)) {
		keep_cms_head(l, bytes, len);
		l->visible_bytes += (int64_t)text_count_visible(bytes, len);
	} else if (l->state == LEAF_IN_PREFIX) {
		feed_prefix(l, bytes, len);
	} else if (l->state == LEAF_IN_BINARY) {
		feed_binary(l, bytes, len);
	} else if (l->state == LEAF_IN_HTML) {
		feed_html(l, bytes, len);
	} else if (l->state != LEAF_IN_OTHER_BINARY) {
		feed_text(l, bytes, len);
	}
}

/* Proper packets where they can be read as something else: see the header file. */
static void refuse_binary(struct leaf *l, struct finding *f)
{
	if (!l->is_opaque_here)
		finding_set(f, "bad-armor", "unarmored OpenPGP data where some program shows it");
	else if (l->has_cr_boundary)
		finding_set(f, "ambiguous-mime", "a boundary line after a lone CR");
}

static void finish_binary(struct leaf *l)
{
	packet_finish(&l->walk);
	if (!finding_is_set(&l->walk.fault))
		refuse_binary(l, &l->walk.fault);
	if (l->type == LEAF_PGP_SIGNATURE) {
		if (finding_is_set(&l->walk.fault))
			finding_adopt(&l->fault, &l->walk.fault);
		else
			take_signatures(l);
	} else if (!finding_is_set(&l->walk.fault)) {
		leaf_take_message(l, false);
	} else if (l->walk.n_session_keys > 0) {
		become_faulty(l, &l->walk.fault);
	} else {
		l->state = LEAF_IN_OTHER_BINARY;
	}
}

/* The leaf ended within a block or a clearsigned text. */
static void finish_text(struct leaf *l)
{
	if (l->line_whole > 0)
		end_kept_line(l);
	if (l->state == LEAF_IN_MESSAGE || l->state == LEAF_IN_SIGNATURE) {
		armor_cut(&l->armor);
		end_block(l);
	} else if (l->state > LEAF_IN_SIGNATURE && l->state < LEAF_IN_BINARY) {
		l->has_bad_clearsigned = true;
	}
}

/* What may not be where text must be armor. */
static void check_armored(struct leaf *l)
{
	if (l->is_bom_first) {
		l->has_claim = true;
		finding_set(&l->fault, "bad-armor", "a byte order mark before the BEGIN line");
	}
	if (!l->has_claim && !(l->type == LEAF_PGP_SIGNATURE && l->n_signatures > 0))
		return;
	if (l->has_nul && l->has_claim)
		finding_set(&l->fault, "bad-armor", "a NUL beside an armored message");
	if (l->has_bad_charset)
		finding_set(&l->fault, "bad-charset",
			    "a character set in which armor can be other text");
}

void leaf_finish(struct leaf *l)
{
	if (is_cms(l)) {
		l->cms = cms_type(l->prefix, l->prefix_len, l->bytes);
		if (ciphertext_is_prose(&l->walk.sample))
			l->cms = CMS_NONE;
		if (!l->is_base64 || l->has_bad_charset)
			l->cms = CMS_OTHER;
		if ((l->cms == CMS_ENVELOPED || l->cms == CMS_AUTH_ENVELOPED) &&
		    !enveloped_is_proper(&l->enveloped))
			l->cms = CMS_NONE;
		return;
	}
	if (l->state == LEAF_IN_PREFIX && l->prefix_len > 0) {
		l->state = LEAF_IN_TEXT;
		feed_text(l, l->prefix, l->prefix_len);
	}
	if (l->state == LEAF_IN_HTML && !leaf_html_finish(l))
		l->state = LEAF_IN_TEXT;
	if (l->state == LEAF_IN_BINARY)
		finish_binary(l);
	else if (l->state != LEAF_IN_OTHER_BINARY && l->state != LEAF_IN_HTML)
		finish_text(l);
	if (l->state == LEAF_IN_OTHER_BINARY)
		l->visible_bytes = l->bytes;
	check_armored(l);
	l->is_clearsigned_only = l->n_clearsigned == 1 && !l->has_bad_clearsigned &&
				 l->text_visible == 0 && l->n_messages == 0;
}

static size_t tiny_trimmed(const struct leaf *l)
{
	return l->is_tiny_cut ? 0 : text_trimmed(l->tiny, l->tiny_len);
}

bool leaf_text_is(const struct leaf *l, const char *text)
{
	size_t len = tiny_trimmed(l);

	return len == strlen(text) && memcmp(l->tiny, text, len) == 0;
}

bool leaf_text_is_preamble(const struct leaf *l)
{
	return phrases_is_preamble(l->tiny, tiny_trimmed(l));
}

bool leaf_text_is_control(const struct leaf *l)
{
	if (l->type == LEAF_PGP_CONTROL)
		return phrases_is_control(l->tiny, tiny_trimmed(l));
	return leaf_text_is(l, "Version: 1");
}

bool leaf_is_empty(const struct leaf *l)
{
	return l->visible_bytes == 0 && l->n_messages == 0 && l->n_signatures == 0 &&
	       !finding_is_set(&l->fault);
}
