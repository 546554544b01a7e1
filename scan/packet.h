/* SPDX-License-Identifier: ISC
 *
 * packet.h: walks over OpenPGP packets as they come and holds them against a grammar, RFC 9580
 * sections 4 and 10.3. Nothing is decrypted and no body is kept: it is framing that is checked.
 *
 *     encrypted message := marker{0,4} session-key+ container
 *     signatures        := signature+
 *
 * A session key that does not go with the container is passed over, and so is one of an unknown
 * version; one that does must be there (section 10.3.2.1). Accepts both packet header formats
 * (section 4.2), partial body lengths of any size on containers (section 4.2.1.4 asks for 512 at
 * first; Go's openpgp and PGPainless write less), containers of packet 18 versions 1 and 2,
 * LibrePGP's packet 20, and packet 9 (reported, the judgement decides). Refuses indeterminate
 * lengths (section 4.2.2.4), and everything around the message.
 *
 * Push parser, any chunking, fixed memory, one thread. After the first fault it ignores its input.
 */
#ifndef PGPGATE_SCAN_PACKET_H
#define PGPGATE_SCAN_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"
#include "scan/ciphertext.h"
#include "scan/scan.h"
#include "scan/session_key.h"
#include "scan/signature.h"

#define PACKET_MARKERS_MAX 4 /* nobody writes more than one */
#define PACKET_CONTAINER_HEAD \
	40 /* octets of a container's body before its ciphertext, at most (v2: 36) */
#define PACKET_SIGNATURE_MAX 65536 /* octets of one signature packet */

enum packet_grammar { PACKETS_OF_MESSAGE, PACKETS_OF_SIGNATURES };

/* Told for each packet when its header is complete (the first chunk's length, if it is partial). */
struct packet_seen {
	unsigned tag;
	bool is_new_format;
	bool is_partial;
	int64_t offset;	      /* of the header, octets from the start */
	uint64_t body_octets; /* of the body, or of its first chunk */
};
typedef void packet_observer(void *context, const struct packet_seen *seen);

/* What the next octet belongs to. */
enum packet_state { PACKET_IN_TAG, PACKET_IN_LENGTH, PACKET_IN_BODY };

struct packet_walk {
	/* results, to be read after packet_finish() */
	struct finding fault;  /* not set: the grammar holds */
	size_t n_session_keys; /* complete session key packets of known versions, public-key and
				  password */
	size_t n_public_keys;  /* of these; from the container's head on only those that go with it
				*/
	size_t n_key_ids;      /* likewise */
	uint64_t key_ids[KEY_IDS_MAX];
	bool is_legacy; /* the container is packet 9 */
	bool has_container;
	enum container container; /* which, once its head is complete */
	size_t signature_text;	  /* octets of text in signatures */

	bool is_sampled_whole; /* set after packet_init(): all ciphertext is looked at, not its
				  beginning */
	packet_observer *observer;
	void *observer_context;

	/* private */
	enum packet_grammar grammar;
	int64_t offset;	       /* octets read */
	int64_t packet_offset; /* where the present packet begins */
	unsigned n_packets;
	enum packet_state state;
	unsigned tag;
	bool is_new_format;
	bool is_partial; /* another length follows the present chunk */
	unsigned char length[5];
	unsigned length_have, length_need;
	uint64_t remaining;   /* octets left of the present chunk */
	uint64_t body_octets; /* octets of the present body so far */
	unsigned n_markers;
	bool has_session_key;	     /* of any version */
	unsigned skesk_versions;     /* bit mask */
	size_t n_pkesk_3, n_pkesk_6; /* by version */
	unsigned char key_id_version[KEY_IDS_MAX];
	struct session_key session_key;
	unsigned char head[PACKET_CONTAINER_HEAD];
	size_t head_have, head_need;
	size_t signature_have;
	unsigned char signature[SIGNATURE_HEAD]; /* the present one's beginning */
	struct ciphertext
		sample; /* of all session keys or signatures, then of the container's ciphertext */
	struct ciphertext keys; /* key ids and fingerprints of all session keys */
};

/* Ready for the first octet; without an observer. */
void packet_init(struct packet_walk *w, enum packet_grammar grammar);
void packet_feed(struct packet_walk *w, const unsigned char *bytes, size_t len);
/* The data has ended: what is missing becomes the fault. */
void packet_finish(struct packet_walk *w);

/* How many of the next octets will be passed over whatever they are. packet_skip() takes up to so
 * many as read: the armor above need not decode them. */
uint64_t packet_opaque(const struct packet_walk *w);
void packet_skip(struct packet_walk *w, uint64_t octets);

/* How many of the next octets go into the sample and nowhere else: it is looked at, and the packet
 * ends, with the last of them at the earliest. At most CIPHERTEXT_SAMPLE. */
size_t packet_sampled(const struct packet_walk *w);

/* Is the next octet one of a container's ciphertext? */
bool packet_is_in_ciphertext(const struct packet_walk *w);

#endif
