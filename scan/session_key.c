/* SPDX-License-Identifier: ISC */
#include "scan/session_key.h"

#include <string.h>

#include "scan/registry.h"

/* The fields that follow the fixed part of a PKESK, as a little program: one octet a step. */
enum step {
	STEP_END = 0,	  /* nothing may follow */
	STEP_MPI = 1,	  /* RFC 9580 section 3.2 */
	STEP_COUNTED = 2, /* one octet of length, then so many octets */
	STEP_FIXED = 64,  /* STEP_FIXED + n: n octets */
};

static const unsigned char rsa_steps[] = {STEP_MPI, STEP_END};			       /* 5.1.3 */
static const unsigned char elgamal_steps[] = {STEP_MPI, STEP_MPI, STEP_END};	       /* 5.1.4 */
static const unsigned char ecdh_steps[] = {STEP_MPI, STEP_COUNTED, STEP_END};	       /* 5.1.5 */
static const unsigned char x25519_steps[] = {STEP_FIXED + 32, STEP_COUNTED, STEP_END}; /* 5.1.6 */
static const unsigned char x448_steps[] = {STEP_FIXED + 56, STEP_COUNTED, STEP_END};   /* 5.1.7 */

/* RFC 9580 section 9.1. NULL: an algorithm we do not know. */
static const unsigned char *steps_of(unsigned algorithm)
{
	switch (algorithm) {
	case 1: /* RSA */
	case 2: /* RSA, encrypt only */
		return rsa_steps;
	case 16: /* Elgamal */
	case 20: /* Elgamal, encrypt or sign: old keys */
		return elgamal_steps;
	case 18:
		return ecdh_steps;
	case 25:
		return x25519_steps;
	case 26:
		return x448_steps;
	default:
		return NULL;
	}
}

void session_key_begin(struct session_key *k, unsigned tag)
{
	memset(k, 0, sizeof(*k));
	k->tag = tag;
}

static uint64_t read_key_id(const unsigned char *octets)
{
	uint64_t id = 0;

	for (int i = 0; i < 8; i++)
		id = id << 8 | octets[i];
	return id;
}

/* All of it is looked at, not its beginning only. */
static void sample(struct session_key *k, struct ciphertext *c, const unsigned char *bytes,
		   size_t len)
{
	while (len > 0) {
		const size_t n = ciphertext_feed(c, bytes, len);

		bytes += n;
		len -= n;
		if (!ciphertext_is_full(c))
			return;
		if (ciphertext_looks_like(c))
			k->wrong = "session keys that are text";
		ciphertext_next(c);
	}
}

static bool is_zero(const unsigned char *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (octets[i])
			return false;
	return true;
}

/* Key ids and fingerprints are hashes, unless somebody writes with them. */
static void take_key(struct session_key *k, struct ciphertext *keys)
{
	const unsigned char *id = k->head + (k->version == 3 ? 1 : 3);
	const size_t len = k->version == 3 ? 8 : k->head[1] ? k->head[1] - 1u : 0;

	if (!is_zero(id, len))
		sample(k, keys, id, len);
}

/* The fixed part of a PKESK is complete: reads key id and algorithm. */
static void begin_steps(struct session_key *k, unsigned algorithm)
{
	k->steps = steps_of(algorithm);
	if (!k->steps)
		k->is_opaque = true;
}

/* Looks at what is there of a PKESK's fixed part; when it is complete the steps begin, or it is
 * wrong. */
static void parse_pkesk_head(struct session_key *k)
{
	const unsigned char *h = k->head;

	if (k->head_len < 1)
		return;
	k->version = h[0];
	if (k->version == 3) { /* 5.1.1: version, key id, algorithm */
		if (k->head_len < 10)
			return;
		k->key_id = read_key_id(h + 1);
		begin_steps(k, h[9]);
		return;
	}
	if (k->version != 6) {
		k->is_opaque = k->is_unknown = true;
		return;
	}
	/* 5.1.2: version, length of what identifies the key, key version, fingerprint, algorithm */
	if (k->head_len < 2)
		return;
	if (h[1] != 0 && h[1] != 21 && h[1] != 33) {
		k->wrong = "key fingerprint of odd length";
		return;
	}
	if (k->head_len < 2u + h[1] + 1u)
		return;
	if ((h[1] == 21 && h[2] != 4) || (h[1] == 33 && h[2] != 6)) {
		k->wrong = "key version does not fit the fingerprint";
		return;
	}
	if (h[1] ==
	    21) /* 5.5.4: a version 4 key id is the fingerprint's end, a version 6 one its start */
		k->key_id = read_key_id(h + 3 + 12);
	else if (h[1] == 33)
		k->key_id = read_key_id(h + 3);
	begin_steps(k, h[2 + h[1]]);
}

/* Reads the next octet of a field's length. */
static void step_length(struct session_key *k, unsigned char octet)
{
	k->length = k->length << 8 | octet;
	k->length_octets++;
	if (*k->steps == STEP_COUNTED) {
		if (k->length == 0)
			k->wrong = "empty session key";
		k->pending = k->length;
	} else if (k->length_octets == 2) {
		if (k->length == 0)
			k->wrong = "empty integer";
		k->pending = (k->length + 7) / 8;
	} else {
		return;
	}
	k->length = 0;
	k->length_octets = 0;
	k->steps++;
}

/* Walks over the fields that follow the fixed part. */
static void walk_steps(struct session_key *k, const unsigned char *bytes, size_t len,
		       struct ciphertext *fields)
{
	while (len > 0 && !k->wrong) {
		if (k->pending > 0) {
			size_t n = len < k->pending ? len : k->pending;

			sample(k, fields, bytes, n);
			k->pending -= (uint32_t)n;
			bytes += n;
			len -= n;
		} else if (*k->steps == STEP_END) {
			k->wrong = "octets after the last field";
		} else if (*k->steps >= STEP_FIXED) {
			k->pending = *k->steps++ - STEP_FIXED;
		} else {
			step_length(k, *bytes);
			bytes++;
			len--;
		}
	}
}

void session_key_feed(struct session_key *k, const unsigned char *bytes, size_t len,
		      struct ciphertext *fields, struct ciphertext *keys)
{
	const bool was_open = !k->steps && !k->is_opaque;

	ciphertext_feed(&k->sample, bytes, len);
	k->body_len += len;
	if (k->tag == 3)
		sample(k, fields, bytes, len);
	while (len > 0 && !k->steps && !k->is_opaque && !k->wrong) {
		if (k->head_len == SESSION_KEY_HEAD)
			return; /* a SKESK that is too long: session_key_finish() sees body_len */
		k->head[k->head_len++] = *bytes++;
		len--;
		if (k->tag == 1)
			parse_pkesk_head(k);
	}
	if (was_open && k->tag == 1 && !k->is_unknown && (k->steps || k->is_opaque))
		take_key(k, keys);
	if (k->steps)
		walk_steps(k, bytes, len, fields);
	else if (k->is_opaque)
		sample(k, fields, bytes, len);
}

/* Octets of a string-to-key specifier, RFC 9580 section 3.7.1. 0: unknown type. */
static size_t s2k_octets(unsigned type)
{
	switch (type) {
	case 0:
		return 2;
	case 1:
		return 10;
	case 3:
		return 11;
	case 4:
		return 20;
	default:
		return 0;
	}
}

static bool is_key_length(size_t octets)
{
	return octets == 16 || octets == 24 || octets == 32;
}

static const char unknown_s2k[] = "password session key with an unknown string-to-key";

static const char *check_opaque(const struct session_key *k)
{
	return ciphertext_looks_like(&k->sample) || ciphertext_is_short_text(&k->sample)
		       ? "session key of an unknown algorithm or version that is text"
		       : NULL;
}

static const char *finish_skesk_v4(struct session_key *k) /* 5.3.1 */
{
	size_t s2k, rest;

	if (k->body_len < 3)
		return "password session key cut short";
	if (k->head[1] == 0)
		return "password session key with cipher 0";
	s2k = s2k_octets(k->head[2]);
	if (s2k == 0)
		return unknown_s2k;
	if (!registry_is_cipher(k->head[1]))
		return check_opaque(k);
	if (k->body_len < 2 + s2k)
		return "password session key cut short";
	rest = k->body_len - 2 - s2k;
	/* What follows is the cipher's octet and the key, encrypted, or nothing. */
	return rest == 0 || is_key_length(rest - 1) ? NULL : "password session key of odd length";
}

/* LibrePGP section 5.3: as version 6 without the two counts. */
static const char *finish_skesk_v5(struct session_key *k)
{
	size_t s2k, nonce;

	if (k->body_len < 4)
		return "password session key cut short";
	if (k->head[1] == 0)
		return "password session key with cipher 0";
	nonce = registry_nonce_octets(k->head[2]);
	s2k = s2k_octets(k->head[3]);
	if (s2k == 0)
		return unknown_s2k;
	if (!registry_is_cipher(k->head[1]) || nonce == 0)
		return check_opaque(k);
	if (k->body_len < 3 + s2k + nonce + 16)
		return "password session key cut short";
	return is_key_length(k->body_len - 3 - s2k - nonce - 16)
		       ? NULL
		       : "password session key of odd length";
}

static const char *finish_skesk_v6(struct session_key *k) /* 5.3.2 */
{
	size_t s2k, nonce;

	if (k->body_len < 6)
		return "password session key cut short";
	if (k->head[2] == 0)
		return "password session key with cipher 0";
	nonce = registry_nonce_octets(k->head[3]);
	s2k = s2k_octets(k->head[5]);
	if (s2k == 0)
		return unknown_s2k;
	if (!registry_is_cipher(k->head[2]) || nonce == 0)
		return check_opaque(k);
	if (k->head[4] != s2k || k->head[1] != 3 + s2k + nonce ||
	    k->body_len < 5 + s2k + nonce + 16)
		return "password session key whose lengths do not agree";
	return is_key_length(k->body_len - 5 - s2k - nonce - 16)
		       ? NULL
		       : "password session key of odd length";
}

static const char *finish_skesk(struct session_key *k)
{
	if (k->head_len == 0)
		return "password session key cut short";
	k->version = k->head[0];
	switch (k->version) {
	case 4:
		return finish_skesk_v4(k);
	case 5:
		return finish_skesk_v5(k);
	case 6:
		return finish_skesk_v6(k);
	default:
		k->is_unknown = true;
		return check_opaque(k);
	}
}

const char *session_key_finish(struct session_key *k)
{
	if (k->wrong)
		return k->wrong;
	if (k->tag == 3)
		return finish_skesk(k);
	if (k->is_opaque)
		return check_opaque(k);
	if (!k->steps || *k->steps != STEP_END || k->pending > 0)
		return "session key cut short";
	return NULL;
}
