/* SPDX-License-Identifier: ISC */
#include "common/certificate_packet.h"

#include <stdio.h>
#include <string.h>

#include <nettle/sha1.h>
#include <nettle/sha2.h>

int certificate_packet_read(const unsigned char *p, size_t len, struct certificate_packet *out)
{
	size_t head, body = 0;

	if (len < 2 || (p[0] & 0x80) == 0)
		return -1;
	if ((p[0] & 0x40) != 0) {
		out->tag = p[0] & 0x3f;
		head = p[1] < 192 ? 2 : p[1] < 224 ? 3 : p[1] == 255 ? 6 : 0;
		if (head == 0 || len < head)
			return -1;
		body = head == 2 ? p[1]
		       : head == 3
			       ? ((size_t)(p[1] - 192) << 8) + p[2] + 192
			       : (size_t)p[2] << 24 | (size_t)p[3] << 16 | (size_t)p[4] << 8 | p[5];
	} else {
		const unsigned type = p[0] & 3;

		out->tag = p[0] >> 2 & 0xf;
		head = type == 0 ? 2 : type == 1 ? 3 : type == 2 ? 5 : 0;
		if (head == 0 || len < head)
			return -1;
		for (size_t i = 1; i < head; i++)
			body = body << 8 | p[i];
	}
	if (body > len - head)
		return -1;
	out->body = p + head;
	out->body_len = body;
	out->whole_len = head + body;
	return 0;
}

bool certificate_can_encrypt(unsigned algorithm)
{
	switch (algorithm) {
	case 3: /* RSA, sign only; DSA; ECDSA; EdDSA; Ed25519; Ed448 */
	case 17:
	case 19:
	case 22:
	case 27:
	case 28:
		return false;
	default: /* 30 to 34: ML-DSA and SLH-DSA (draft-ietf-openpgp-pqc) */
		return algorithm < 30 || algorithm > 34;
	}
}

bool certificate_is_beyond_gpg(const unsigned char *packets, size_t len)
{
	struct certificate_packet packet;

	return certificate_packet_read(packets, len, &packet) == 0 &&
	       packet.tag == CERTIFICATE_PUBLIC_KEY && packet.body_len >= 6 &&
	       (packet.body[0] > 4 || packet.body[5] > 22);
}

/* RFC 9580 section 5.5.4; LibrePGP section 5.5.4 for version 5. Returns out. */
static char *fingerprint_of(const struct certificate_packet *packet,
			    char out[2 * SHA256_DIGEST_SIZE + 1])
{
	const unsigned version = packet->body[0];
	const size_t n_length = version == 4 ? 2 : 4;
	uint8_t head[5] = {version == 4	  ? 0x99
			   : version == 5 ? 0x9a
					  : 0x9b},
		digest[SHA256_DIGEST_SIZE];
	size_t n_digest = SHA256_DIGEST_SIZE;

	for (size_t i = 0; i < n_length; i++)
		head[1 + i] = (uint8_t)(packet->body_len >> (8 * (n_length - 1 - i)));
	if (version == 4) {
		struct sha1_ctx sha1;

		sha1_init(&sha1);
		sha1_update(&sha1, 1 + n_length, head);
		sha1_update(&sha1, packet->body_len, packet->body);
		n_digest = SHA1_DIGEST_SIZE;
		sha1_digest(&sha1, n_digest, digest);
	} else {
		struct sha256_ctx sha256;

		sha256_init(&sha256);
		sha256_update(&sha256, 1 + n_length, head);
		sha256_update(&sha256, packet->body_len, packet->body);
		sha256_digest(&sha256, n_digest, digest);
	}
	for (size_t i = 0; i < n_digest; i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
	return out;
}

void certificate_subkeys(const unsigned char *packets, size_t len,
			 void (*tell)(void *context, const char *fingerprint), void *context)
{
	struct certificate_packet packet;

	for (; certificate_packet_read(packets, len, &packet) == 0;
	     packets += packet.whole_len, len -= packet.whole_len) {
		char text[2 * SHA256_DIGEST_SIZE + 1];

		if (packet.tag == CERTIFICATE_PUBLIC_SUBKEY && packet.body_len >= 6 &&
		    packet.body[0] >= 4 && packet.body[0] <= 6 &&
		    certificate_can_encrypt(packet.body[5]))
			tell(context, fingerprint_of(&packet, text));
	}
}

/* The address in a user id: what stands in the last angle brackets, or all of it. */
static bool is_wanted(const struct certificate_packet *user_id, certificate_wants *wants,
		      void *context)
{
	const unsigned char *from = user_id->body, *to = from + user_id->body_len, *open, *close;
	struct address a;

	close = user_id->body_len > 0 ? memrchr(from, '>', user_id->body_len) : NULL;
	open = close != NULL ? memrchr(from, '<', (size_t)(close - from)) : NULL;
	if (open != NULL) {
		from = open + 1;
		to = close;
	}
	if (to - from > ADDRESS_MAX)
		return false;
	address_canonical((const char *)from, (size_t)(to - from), &a);
	return a.kind == ADDRESS_MAILBOX && wants(context, a.text);
}

size_t certificate_for(const unsigned char *packets, size_t len, certificate_wants *wants,
		       void *context, unsigned char *out, bool *has_any)
{
	struct certificate_packet packet;
	bool is_kept = false;
	size_t n = 0;

	*has_any = false;
	for (; certificate_packet_read(packets, len, &packet) == 0;
	     packets += packet.whole_len, len -= packet.whole_len) {
		switch (packet.tag) {
		case CERTIFICATE_PUBLIC_KEY:
		case CERTIFICATE_PUBLIC_SUBKEY:
			is_kept = true;
			break;
		case CERTIFICATE_USER_ID:
			is_kept = is_wanted(&packet, wants, context);
			*has_any = *has_any || is_kept;
			break;
		case CERTIFICATE_SIGNATURE: /* of what stands before it */
			break;
		default:
			is_kept = false;
		}
		if (!is_kept)
			continue;
		memmove(out + n, packets, packet.whole_len);
		n += packet.whole_len;
	}
	return n;
}
