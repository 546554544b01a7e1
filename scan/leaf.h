/* SPDX-License-Identifier: ISC
 *
 * leaf.h: the decoded content of one MIME leaf: is it OpenPGP messages and nothing else, or what
 * can a reader see in it? Octets go in, in pieces of any size; the results are read after
 * leaf_finish().
 *
 * A leaf is binary OpenPGP if it begins like a session key packet, else lines of text: armored
 * blocks, clearsigned texts, and whatever stands between. Lines longer than LEAF_LINE_MAX are text.
 * HTML is read by leaf_html.h as long as it may hold nothing but armor.
 *
 * Binary OpenPGP is opaque beyond its framing. So it stands only where no reader shows what is in
 * it, and not in a part that ends within it for readers to which a lone CR ends a line
 * (Thunderbird, Python); all of it is sampled. CMS stands only in base64, in which nobody finds a
 * boundary line.
 *
 * Fixed memory, one thread. After leaf_feed() has set `fault` while `has_claim` holds nothing more
 * is read.
 */
#ifndef PGPGATE_SCAN_LEAF_H
#define PGPGATE_SCAN_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/armor.h"
#include "scan/charset.h"
#include "scan/cms.h"
#include "scan/enveloped.h"
#include "scan/html.h"
#include "scan/packet.h"
#include "scan/report.h"
#include "scan/scan.h"

#define LEAF_LINE_MAX 1024 /* octets of a line that are looked at, or given to armor at once */
#define LEAF_TINY_MAX \
	400 /* octets of a leaf's whole text that are kept: "Version: 1", the longest preamble */

enum leaf_type {
	LEAF_OTHER,
	LEAF_TEXT_PLAIN,
	LEAF_HTML,
	LEAF_MESSAGE, /* message/rfc822, message/global, message/partial, ... */
	LEAF_HEADERS, /* text/rfc822-headers, message/rfc822-headers, message/global-headers */
	LEAF_DELIVERY_STATUS,
	LEAF_DISPOSITION,
	LEAF_PGP_CONTROL, /* application/pgp-encrypted */
	LEAF_PGP_SIGNATURE,
	LEAF_PKCS7_MIME,
	LEAF_PKCS7_SIGNATURE,
	LEAF_AUTOCRYPT_SETUP,
};

/* What the next line, or octet, belongs to. */
enum leaf_state {
	LEAF_IN_PREFIX, /* too early to say whether it is binary */
	LEAF_IN_TEXT,
	LEAF_IN_MESSAGE,	     /* within BEGIN PGP MESSAGE */
	LEAF_IN_SIGNATURE,	     /* within BEGIN PGP SIGNATURE of a signature leaf */
	LEAF_IN_CLEARSIGNED_HEADERS, /* RFC 9580 section 7 */
	LEAF_IN_CLEARSIGNED_TEXT,
	LEAF_IN_CLEARSIGNED_SIGNATURE,
	LEAF_IN_BINARY,
	LEAF_IN_OTHER_BINARY, /* began like a packet, and was none */
	LEAF_IN_HTML,	      /* that shows nothing so far */
	LEAF_IN_FAULT,	      /* final */
};

struct leaf {
	/* results */
	enum leaf_type type;
	bool has_claim; /* says that it is an OpenPGP message */
	struct finding fault;
	unsigned n_messages;		    /* valid encrypted messages */
	unsigned n_armored;		    /* of these, how many were armored */
	bool has_password_only, has_legacy; /* among the messages */
	size_t n_session_keys, n_key_ids;   /* public-key ones, of all messages */
	uint64_t key_ids[KEY_IDS_MAX];
	unsigned char key_message[KEY_IDS_MAX]; /* which of its messages, 0 and up */
	unsigned containers;			/* bit mask of enum container */
	int64_t visible_bytes;			/* readable octets that are not white space */
	int64_t channel_bytes;			/* of these, armor headers and checksums */
	bool is_header_channel;	  /* these are only armor headers beyond their allowance */
	unsigned n_signatures;	  /* blocks of signature packets (in a signature leaf) */
	int64_t signature_text;	  /* octets of text in them */
	unsigned n_clearsigned;	  /* complete clearsigned texts */
	bool is_clearsigned_only; /* one of them and nothing else */
	enum cms_type cms;
	struct report report;
	bool is_html;	 /* markup, which shows nothing but what the messages in it are */
	bool has_body;	 /* of a header that a report returns: a line stands behind an empty one */
	bool is_decided; /* a document that is the whole body, and readable: the rest is not looked
			    at */

	/* set by the caller after leaf_begin() */
	bool is_whole_body;
	bool is_returned;    /* text that a report returns: a document, whatever is in it */
	bool is_opaque_here; /* what is in it is shown by no program: unarmored OpenPGP may stand
				here */
	bool is_smime_here; /* the message has a MIME version, and no comment makes the type another
			     */
	bool has_cr_boundary; /* a boundary line after a lone CR; may be set until leaf_finish() */
	bool is_base64;	      /* and no line of it is one of the message: CMS may */

	/* private */
	bool has_bad_charset;
	enum charset_spaces spaces;
	bool has_bad_clearsigned;
	bool has_nul;
	bool is_bom_first;
	enum leaf_state state;
	bool is_in_html_block;
	bool is_html_line_styled; /* a line of data whose letters may look different from here on */
	bool is_header_over;
	int64_t bytes;
	int64_t text_visible; /* visible octets outside blocks and clearsigned texts */
	size_t prefix_len;
	unsigned char prefix[CMS_HEAD]; /* of CMS, or what tells whether a leaf is binary: tag,
					   length, version */
	size_t tiny_len;
	int64_t bad_octets; /* in a bad character set, but line ends */
	bool is_tiny_cut;
	bool is_tiny_indented; /* behind white space: many such parts make a picture */
	size_t line_len, line_whole;
	int64_t line_beyond_visible;
	unsigned char line[LEAF_LINE_MAX]; /* from here on nothing is cleared */
	unsigned char tiny[LEAF_TINY_MAX];
	struct armor armor;
	struct packet_walk walk;
	struct enveloped enveloped;
	struct armor_channel *channel, before; /* before: as it was when HTML began */
	struct html html;
};

/* type: lower case, "text/plain". */
enum leaf_type leaf_type_of(const char *type);

/* channel: of the whole message, borrowed until leaf_finish(). */
void leaf_begin(struct leaf *l, enum leaf_type type, bool has_bad_charset,
		struct armor_channel *channel);
/* What is known of its character set: to be said before the first octet. */
void leaf_set_spaces(struct leaf *l, enum charset_spaces spaces);
void leaf_feed(struct leaf *l, const unsigned char *bytes, size_t len);
void leaf_finish(struct leaf *l);

/* After leaf_finish(): is the whole text, white space around it apart, exactly this? */
bool leaf_text_is(const struct leaf *l, const char *text);
bool leaf_is_empty(const struct leaf *l); /* nothing but white space */
/* The same, letter case apart. */
bool leaf_text_says(const struct leaf *l, const char *text);
/* Is it what mail programs write before the first part; what they write into the control part
 * (phrases.h)? */
bool leaf_text_is_preamble(const struct leaf *l);
bool leaf_text_is_control(const struct leaf *l);
/* Does it begin with what could be a field of a header, RFC 5322 section 2.2? */
bool leaf_text_is_header(const struct leaf *l);

#endif
