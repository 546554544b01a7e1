/* SPDX-License-Identifier: ISC */
#include "scan/packet.h"

#include <string.h>

#include "scan/finding.h"
#include "scan/registry.h"

enum tag { /* RFC 9580 section 5 */
	   TAG_RESERVED = 0,
	   TAG_PKESK = 1,
	   TAG_SIGNATURE = 2,
	   TAG_SKESK = 3,
	   TAG_ONE_PASS = 4,
	   TAG_COMPRESSED = 8,
	   TAG_SED = 9,
	   TAG_MARKER = 10,
	   TAG_LITERAL = 11,
	   TAG_SEIPD = 18,
	   TAG_OCB = 20, /* LibrePGP section 5.16 */
};

static const char *tag_name(unsigned tag)
{
	switch (tag) {
	case TAG_PKESK:
		return "session key";
	case TAG_SIGNATURE:
		return "signature";
	case TAG_SKESK:
		return "password session key";
	case TAG_ONE_PASS:
		return "one-pass signature";
	case TAG_COMPRESSED:
		return "compressed data";
	case TAG_SED:
		return "encrypted data without integrity protection";
	case TAG_MARKER:
		return "marker";
	case TAG_LITERAL:
		return "literal data";
	case 6:
	case 14:
		return "public key";
	case 5:
	case 7:
		return "secret key";
	case 13:
		return "user id";
	case TAG_SEIPD:
	case TAG_OCB:
		return "encrypted data";
	case 21:
		return "padding";
	default:
		return "unknown kind";
	}
}

static bool is_container(unsigned tag)
{
	return tag == TAG_SEIPD || tag == TAG_OCB || tag == TAG_SED;
}

/* Notes a fault of the present packet. */
static void fault(struct packet_walk *w, const char *reason, const char *what)
{
	finding_set(&w->fault, reason, "OpenPGP packet %u at offset %lld: tag %u, %s: %s",
		    w->n_packets, (long long)w->packet_offset, w->tag, tag_name(w->tag), what);
}

void packet_init(struct packet_walk *w, enum packet_grammar grammar)
{
	memset(w, 0, sizeof(*w));
	w->grammar = grammar;
}

/* May a packet of this tag stand here? The grammar of the header file. */
static void check_order(struct packet_walk *w)
{
	if (w->tag == TAG_RESERVED) {
		fault(w, "bad-packet", "reserved tag");
		return;
	}
	if (w->grammar == PACKETS_OF_SIGNATURES) {
		if (w->tag != TAG_SIGNATURE)
			fault(w, "unexpected-packet", "only signatures belong here");
		return;
	}
	if (w->has_container) {
		fault(w, "unexpected-packet", "nothing may follow the encrypted data");
		return;
	}
	switch (w->tag) {
	case TAG_PKESK:
	case TAG_SKESK:
		break;
	case TAG_MARKER:
		if (w->has_session_key || ++w->n_markers > PACKET_MARKERS_MAX)
			fault(w, "unexpected-packet", "markers belong in front, at most four");
		break;
	case TAG_SEIPD:
	case TAG_OCB:
	case TAG_SED:
		if (w->n_session_keys == 0)
			fault(w, "no-session-key", "no session key before the encrypted data");
		break;
	case TAG_LITERAL:
	case TAG_COMPRESSED:
	case TAG_ONE_PASS:
	case TAG_SIGNATURE:
		fault(w, "not-encrypted", "this data is readable without a key");
		break;
	default:
		fault(w, "unexpected-packet", "does not belong into an encrypted message");
	}
}

/* RFC 9580 sections 4.2.1 and 4.2.2: the octet that begins a packet. */
static void read_tag(struct packet_walk *w, unsigned char octet)
{
	if (!(octet & 0x80)) {
		if (w->n_packets == 0)
			finding_set(&w->fault, "bad-packet",
				    "the data does not begin with an OpenPGP packet");
		else
			finding_set(&w->fault, "trailing-data",
				    "data after OpenPGP packet %u, at offset %lld", w->n_packets,
				    (long long)w->offset);
		return;
	}
	w->n_packets++;
	w->packet_offset = w->offset;
	w->is_new_format = octet & 0x40;
	w->is_partial = false;
	w->body_octets = 0;
	w->length_have = 0;
	w->state = PACKET_IN_LENGTH;
	if (w->is_new_format) {
		w->tag = octet & 0x3f;
		w->length_need = 1;
	} else {
		w->tag = octet >> 2 & 0x0f;
		w->length_need = 1u << (octet & 3);
		if ((octet & 3) == 3) {
			check_order(w); /* what it is says more than how it is written */
			fault(w, "bad-packet", "indeterminate length");
		}
	}
}

/* Octets of a container's body that stand before its ciphertext, once version and mode are known.
 */
static size_t container_head_need(struct packet_walk *w)
{
	if (w->tag == TAG_SED)
		return 0;
	if (w->tag == TAG_OCB) /* version, cipher, mode, chunk size, nonce of 12 to 16 */
		return 16;
	if (w->head_have == 0)
		return 1;
	return w->head[0] == 2 ? 36 : 1; /* 5.13.2: version, cipher, mode, chunk size, salt of 32 */
}

static void begin_body(struct packet_walk *w)
{
	if (w->tag == TAG_PKESK || w->tag == TAG_SKESK) {
		if (w->remaining > SESSION_KEY_BODY_MAX)
			fault(w, "bad-packet", "session key larger than 64 KiB");
		session_key_begin(&w->session_key, w->tag);
	} else if (w->tag == TAG_SIGNATURE) {
		if (w->remaining > PACKET_SIGNATURE_MAX)
			fault(w, "bad-packet", "signature larger than 64 KiB");
		w->signature_have = 0;
		w->head_have = 0;
		w->head_need = 1;
	} else if (w->tag == TAG_MARKER) { /* 5.8: exactly "PGP" */
		if (w->remaining != 3)
			fault(w, "bad-packet", "marker of wrong length");
		w->head_have = 0;
		w->head_need = 3;
	} else {
		w->has_container = true;
		w->is_legacy = w->tag == TAG_SED;
		w->head_have = 0;
		w->head_need = container_head_need(w);
		if (ciphertext_looks_like(
			    &w->sample)) /* all of them: each may be too short to tell */
			fault(w, "bad-packet", "the session keys before it are text");
		else if (ciphertext_looks_like(&w->keys))
			fault(w, "bad-packet", "the key ids before it are text");
		ciphertext_reset(&w->sample);
	}
}

/* RFC 9580 section 4.2.1. Sets remaining and is_partial; false while octets are missing. */
static bool decode_new_length(struct packet_walk *w)
{
	const unsigned char *l = w->length;

	w->is_partial = false;
	if (l[0] < 192) {
		w->remaining = l[0];
	} else if (l[0] < 224) {
		w->length_need = 2;
		if (w->length_have < 2)
			return false;
		w->remaining = ((uint64_t)(l[0] - 192) << 8) + l[1] + 192;
	} else if (l[0] == 255) {
		w->length_need = 5;
		if (w->length_have < 5)
			return false;
		w->remaining = (uint64_t)l[1] << 24 | (uint64_t)l[2] << 16 | (uint64_t)l[3] << 8 |
			       l[4];
	} else {
		w->remaining = (uint64_t)1 << (l[0] & 0x1f);
		w->is_partial = true;
	}
	return true;
}

static void tell_observer(const struct packet_walk *w)
{
	struct packet_seen seen = {
		.tag = w->tag,
		.is_new_format = w->is_new_format,
		.is_partial = w->is_partial,
		.offset = w->packet_offset,
		.body_octets = w->remaining,
	};

	if (w->observer)
		w->observer(w->observer_context, &seen);
}

/* One octet of a length; when it is complete the body, or its next chunk, begins. */
static void read_length(struct packet_walk *w, unsigned char octet)
{
	bool is_first_chunk = !w->is_partial;

	w->length[w->length_have++] = octet;
	if (w->is_new_format) {
		if (!decode_new_length(w)) {
			w->is_partial = !is_first_chunk;
			return;
		}
	} else {
		if (w->length_have < w->length_need)
			return;
		w->remaining = 0;
		for (unsigned i = 0; i < w->length_need; i++)
			w->remaining = w->remaining << 8 | w->length[i];
	}
	w->state = PACKET_IN_BODY;
	if (!is_first_chunk)
		return;
	tell_observer(w);
	check_order(w);
	if (w->is_partial && !is_container(w->tag))
		fault(w, "bad-packet", "partial length on a packet that may not have one");
	if (!finding_is_set(&w->fault))
		begin_body(w);
}

/* Counts the public keys of these versions (a bit mask), and keeps their ids only. */
static void keep_public_keys(struct packet_walk *w, unsigned versions)
{
	size_t n = 0;

	w->n_public_keys = (versions & 1u << 3 ? w->n_pkesk_3 : 0) +
			   (versions & 1u << 6 ? w->n_pkesk_6 : 0);
	for (size_t i = 0; i < w->n_key_ids; i++)
		if (versions & 1u << w->key_id_version[i])
			w->key_ids[n++] = w->key_ids[i];
	w->n_key_ids = n;
}

/* Session keys of another generation than the container's are ignored (RFC 9580 section 10.3.2.1):
 * OpenPGP.js writes a password's as version 6 or LibrePGP's 5 before packet 18 version 1. At least
 * one must be left. Accepts PKESK version 3 before packet 18 version 2: older go-crypto writes it.
 */
static void check_versions(struct packet_walk *w)
{
	unsigned pkesk, skesk;

	if (w->tag == TAG_SEIPD && w->head[0] == 2) {
		pkesk = 1u << 3 | 1u << 6;
		skesk = 1u << 6;
	} else if (w->tag == TAG_OCB) {
		pkesk = 1u << 3;
		skesk = 1u << 4 | 1u << 5;
	} else {
		pkesk = 1u << 3;
		skesk = 1u << 4;
	}
	keep_public_keys(w, pkesk);
	if (w->n_public_keys == 0 && !(w->skesk_versions & skesk))
		fault(w, "bad-packet",
		      "no session key of a version that goes with the encrypted data");
}

/* The head of a container is complete: versions, algorithms, sizes within the registries. */
static void check_container_head(struct packet_walk *w)
{
	const unsigned char *h = w->head;

	w->container = w->tag == TAG_OCB ? CONTAINER_OCB
		       : h[0] == 2	 ? CONTAINER_AEAD
					 : CONTAINER_MDC;
	check_versions(w);
	if (w->tag == TAG_SEIPD && h[0] == 1)
		return;
	if (w->tag == TAG_SEIPD && h[0] != 2) {
		fault(w, "bad-packet", "unknown version of encrypted data");
	} else if (w->tag == TAG_OCB && h[0] != 1) {
		fault(w, "bad-packet", "unknown version of encrypted data");
	} else if (!registry_is_cipher(h[1])) {
		fault(w, "bad-packet", "unknown cipher");
	} else if (registry_nonce_octets(h[2]) == 0) {
		fault(w, "bad-packet", "unknown AEAD mode");
	} else if (h[3] > (w->tag == TAG_OCB ? 56 : 16)) { /* 5.13.2: at most 16 */
		fault(w, "bad-packet", "chunk size out of range");
	}
}

/* Octets below which a container cannot hold anything. */
static uint64_t container_minimum(const struct packet_walk *w)
{
	if (w->tag == TAG_SED)
		return 19;     /* 5.7: prefix of 10 or 18, and something */
	if (w->tag == TAG_OCB) /* version, cipher, mode, chunk size, nonce, one tag */
		return 4 + registry_nonce_octets(w->head[2]) + 16;
	return w->head[0] == 2 ? 36 + 16
			       : 41; /* 5.13.1: version, prefix of 18, packet of 22 at its end */
}

static void check_sample(struct packet_walk *w)
{
	const char *text = ciphertext_looks_like(&w->sample);

	if (text)
		fault(w, "ascii-ciphertext", text);
}

static void container_body(struct packet_walk *w, const unsigned char *bytes, size_t len)
{
	while (len > 0 && w->head_have < w->head_need && !finding_is_set(&w->fault)) {
		w->head[w->head_have++] = *bytes++;
		len--;
		w->head_need = container_head_need(w);
		if (w->head_have == w->head_need)
			check_container_head(w);
	}
	while (len > 0 && !finding_is_set(&w->fault) && !ciphertext_is_full(&w->sample)) {
		size_t n = ciphertext_feed(&w->sample, bytes, len);

		bytes += n;
		len -= n;
		if (!ciphertext_is_full(&w->sample))
			return;
		check_sample(w);
		if (w->is_sampled_whole)
			ciphertext_next(&w->sample);
	}
}

static void body(struct packet_walk *w, const unsigned char *bytes, size_t len)
{
	w->body_octets += len;
	if (w->tag == TAG_PKESK || w->tag == TAG_SKESK) {
		session_key_feed(&w->session_key, bytes, len, &w->sample, &w->keys);
	} else if (is_container(w->tag)) {
		container_body(w, bytes, len);
	} else {
		if (w->tag == TAG_SIGNATURE) {
			ciphertext_feed(&w->sample, bytes, len);
			for (size_t i = 0; i < len && w->signature_have < SIGNATURE_HEAD; i++)
				w->signature[w->signature_have++] = bytes[i];
		}
		for (size_t i = 0; i < len && w->head_have < w->head_need; i++)
			w->head[w->head_have++] = bytes[i];
	}
}

static void end_session_key(struct packet_walk *w)
{
	const char *wrong = session_key_finish(&w->session_key);

	if (wrong) {
		fault(w, "bad-packet", wrong);
		return;
	}
	w->has_session_key = true;
	if (w->session_key.is_unknown)
		return;
	w->n_session_keys++;
	if (w->tag == TAG_SKESK) {
		w->skesk_versions |= 1u << w->session_key.version;
		return;
	}
	if (w->session_key.version == 3)
		w->n_pkesk_3++;
	else
		w->n_pkesk_6++;
	w->n_public_keys++;
	if (w->n_key_ids < KEY_IDS_MAX) {
		w->key_id_version[w->n_key_ids] = (unsigned char)w->session_key.version;
		w->key_ids[w->n_key_ids++] = w->session_key.key_id;
	}
}

static void end_container(struct packet_walk *w)
{
	if (w->head_have < w->head_need || w->body_octets < container_minimum(w)) {
		fault(w, "empty-ciphertext", "too short to hold anything");
		return;
	}
	if (w->tag == TAG_SED)
		check_versions(w);
	if (!ciphertext_is_full(&w->sample))
		check_sample(w);
}

static void end_packet(struct packet_walk *w)
{
	w->state = PACKET_IN_TAG;
	if (w->tag == TAG_PKESK || w->tag == TAG_SKESK) {
		end_session_key(w);
	} else if (is_container(w->tag)) {
		end_container(w);
	} else if (w->tag == TAG_MARKER) {
		if (memcmp(w->head, "PGP", 3) != 0)
			fault(w, "bad-packet", "marker of wrong content");
	} else { /* a signature, 5.2: versions 3 to 6, and a body */
		if (w->head_have < 1 || w->head[0] < 3 || w->head[0] > 6 || w->body_octets < 10)
			fault(w, "bad-packet", "malformed signature");
		w->signature_text += signature_readable_bytes(w->signature, w->signature_have,
							      w->body_octets);
	}
}

/* The present chunk is used up. */
static void end_chunk(struct packet_walk *w)
{
	if (!w->is_partial) {
		end_packet(w);
		return;
	}
	w->state = PACKET_IN_LENGTH;
	w->length_have = 0;
	w->length_need = 1;
}

void packet_feed(struct packet_walk *w, const unsigned char *bytes, size_t len)
{
	while (len > 0 && !finding_is_set(&w->fault)) {
		size_t n = 1;

		if (w->state == PACKET_IN_TAG) {
			read_tag(w, *bytes);
		} else if (w->state == PACKET_IN_LENGTH) {
			read_length(w, *bytes);
		} else {
			n = len < w->remaining ? len : (size_t)w->remaining;
			body(w, bytes, n);
			w->remaining -= n;
		}
		w->offset += (int64_t)n;
		bytes += n;
		len -= n;
		if (w->state == PACKET_IN_BODY && w->remaining == 0 && !finding_is_set(&w->fault))
			end_chunk(w);
	}
}

bool packet_is_in_ciphertext(const struct packet_walk *w)
{
	return is_container(w->tag) && w->state != PACKET_IN_TAG && w->head_have >= w->head_need;
}

uint64_t packet_opaque(const struct packet_walk *w)
{
	if (w->state != PACKET_IN_BODY || finding_is_set(&w->fault) || !is_container(w->tag) ||
	    w->head_have < w->head_need || !ciphertext_is_full(&w->sample) || w->remaining == 0)
		return 0;
	return w->remaining - 1; /* the last octet is fed, so that the chunk ends in one place */
}

size_t packet_sampled(const struct packet_walk *w)
{
	const size_t room = CIPHERTEXT_SAMPLE - w->sample.n;

	if (w->state != PACKET_IN_BODY || finding_is_set(&w->fault) || !is_container(w->tag) ||
	    w->head_have < w->head_need)
		return 0;
	return w->remaining < room ? (size_t)w->remaining : room;
}

void packet_skip(struct packet_walk *w, uint64_t octets)
{
	w->remaining -= octets;
	w->body_octets += octets;
	w->offset += (int64_t)octets;
}

void packet_finish(struct packet_walk *w)
{
	if (finding_is_set(&w->fault))
		return;
	if (w->state != PACKET_IN_TAG)
		fault(w, "truncated", "the data ends within it");
	else if (w->n_packets == 0)
		finding_set(&w->fault, "truncated", "no OpenPGP data");
	else if (w->grammar == PACKETS_OF_MESSAGE && !w->has_container)
		fault(w, "truncated", "no encrypted data follows the session keys");
	else if (w->grammar == PACKETS_OF_SIGNATURES && ciphertext_is_prose(&w->sample))
		fault(w, "bad-packet", "signatures that are text");
}
