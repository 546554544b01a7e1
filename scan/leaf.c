/* SPDX-License-Identifier: ISC */
#include "scan/leaf.h"

#include <string.h>

#include "scan/finding.h"
#include "scan/leaf_html.h"
#include "scan/leaf_text.h"
#include "scan/phrases.h"
#include "scan/text.h"

#define BAD_CHARSET_FREE 4 /* octets of line ends that an empty part has */

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

void leaf_begin(struct leaf *l, enum leaf_type type, bool has_bad_charset,
		struct armor_channel *channel)
{
	memset(l, 0, offsetof(struct leaf, line));
	l->type = type;
	l->has_bad_charset = has_bad_charset;
	l->channel = channel;
	l->state = leaf_text_is_document(l) ? LEAF_IN_TEXT : LEAF_IN_PREFIX;
	ciphertext_reset(&l->walk.sample);
	report_reset(&l->report);
	enveloped_reset(&l->enveloped);
	if (type == LEAF_HTML) {
		l->state = LEAF_IN_HTML;
		leaf_html_begin(l);
	}
}

void leaf_become_faulty(struct leaf *l, const struct finding *f)
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

void leaf_take_signatures(struct leaf *l)
{
	l->n_signatures++;
	l->signature_text += (int64_t)l->walk.signature_text;
}

static void feed_html(struct leaf *l, const unsigned char *bytes, size_t len)
{
	size_t taken = leaf_html_feed(l, bytes, len);

	if (taken == len)
		return;
	l->state = LEAF_IN_TEXT;
	leaf_text_feed(l, bytes + taken, len - taken);
}

static void feed_binary(struct leaf *l, const unsigned char *bytes, size_t len)
{
	packet_feed(&l->walk, bytes, len);
	if (!finding_is_set(&l->walk.fault))
		return;
	if (l->walk.n_session_keys > 0)
		leaf_become_faulty(l, &l->walk.fault);
	else
		l->state = LEAF_IN_OTHER_BINARY;
}

enum prefix_answer { PREFIX_NO, PREFIX_YES, PREFIX_MORE };

/* Do the first octets look like a session key packet, or a marker (or, in a signature leaf, a
 * signature)? Tag, length and version are enough to tell it from text in any character set. */
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
		leaf_text_feed(l, l->prefix, l->prefix_len);
		leaf_text_feed(l, bytes, len);
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

void leaf_set_spaces(struct leaf *l, enum charset_spaces spaces)
{
	l->spaces = l->html.spaces = spaces;
}

static size_t count_line_ends(const unsigned char *bytes, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += bytes[i] == '\r' || bytes[i] == '\n';
	return n;
}

void leaf_feed(struct leaf *l, const unsigned char *bytes, size_t len)
{
	if (len == 0)
		return;
	l->bytes += (int64_t)len;
	if (l->has_bad_charset)
		l->bad_octets += (int64_t)(len - count_line_ends(bytes, len));
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
		leaf_text_feed(l, bytes, len);
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
			leaf_take_signatures(l);
	} else if (!finding_is_set(&l->walk.fault)) {
		leaf_take_message(l, false);
	} else if (l->walk.n_session_keys > 0) {
		leaf_become_faulty(l, &l->walk.fault);
	} else {
		l->state = LEAF_IN_OTHER_BINARY;
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
		if (!l->is_base64 || l->has_bad_charset ||
		    (l->type == LEAF_PKCS7_SIGNATURE && !cms_is_detached(l->prefix, l->prefix_len)))
			l->cms = CMS_OTHER;
		if ((l->cms == CMS_ENVELOPED || l->cms == CMS_AUTH_ENVELOPED) &&
		    !enveloped_is_proper(&l->enveloped))
			l->cms = CMS_NONE;
		return;
	}
	if (l->state == LEAF_IN_PREFIX && l->prefix_len > 0) {
		l->state = LEAF_IN_TEXT;
		leaf_text_feed(l, l->prefix, l->prefix_len);
	}
	if (l->state == LEAF_IN_HTML && !leaf_html_finish(l))
		l->state = LEAF_IN_TEXT;
	if (l->state == LEAF_IN_BINARY)
		finish_binary(l);
	else if (l->state != LEAF_IN_OTHER_BINARY && l->state != LEAF_IN_HTML)
		leaf_text_finish(l);
	if (l->state == LEAF_IN_OTHER_BINARY)
		l->visible_bytes = l->bytes;
	/* White space that is none of ours as HTML: who shows the text as it is shows a picture. */
	if (l->type == LEAF_HTML && l->state == LEAF_IN_TEXT && !l->has_bad_charset &&
	    l->visible_bytes == 0)
		l->visible_bytes = l->bytes;
	check_armored(l);
	/* In UTF-16 white space of ASCII is daggers and letters; a line end or two is none. */
	if (l->has_bad_charset && !l->has_claim && !l->is_decided &&
	    (l->bytes > BAD_CHARSET_FREE || l->bad_octets > 0))
		l->visible_bytes = l->bytes;
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

	return !l->is_tiny_indented && len == strlen(text) && memcmp(l->tiny, text, len) == 0;
}

bool leaf_text_says(const struct leaf *l, const char *text)
{
	return text_is(l->tiny, tiny_trimmed(l), text);
}

bool leaf_text_is_preamble(const struct leaf *l)
{
	return phrases_is_preamble(l->tiny, tiny_trimmed(l));
}

bool leaf_text_is_header(const struct leaf *l)
{
	size_t i = 0;

	while (i < l->tiny_len && l->tiny[i] > ' ' && l->tiny[i] < 0x7f && l->tiny[i] != ':')
		i++;
	while (i < l->tiny_len && text_is_blank(l->tiny[i]))
		i++;
	return i > 0 && i < l->tiny_len && l->tiny[i] == ':';
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
