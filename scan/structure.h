/* SPDX-License-Identifier: ISC
 *
 * structure.h: the MIME tree of one message while it is walked: which multiparts are open, what
 * their parts turned out to be, and the facts that follow. mime.h finds the lines, headers and
 * boundaries; this decides what they mean.
 *
 * The rules are those of RFC 3156 and of pgpgate-verdicts(7). Memory is fixed: STRUCTURE_LEVELS_MAX
 * open multiparts, of each the first MULTIPART_PARTS_KEPT parts by kind. One thread.
 */
#ifndef PGPGATE_SCAN_STRUCTURE_H
#define PGPGATE_SCAN_STRUCTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/cr_watch.h"
#include "scan/field.h"
#include "scan/header.h"
#include "scan/leaf.h"
#include "scan/multipart.h"
#include "scan/part.h"
#include "scan/scan.h"
#include "scan/transfer.h"

#define STRUCTURE_LEVELS_MAX                                                                      \
	16			 /* multiparts within each other; the most seen in real mail is 5 \
				  */
#define STRUCTURE_PARTS_MAX 1000 /* parts in a message */
#define PART_HEADER_MAX                                                                            \
	2048 /* octets of one part's header that go for nothing; a name of 64 letters may take 800 \
	      */
#define PART_OTHER_MAX                                                                             \
	256 /* of these, in fields, parameters and comments that say nothing that is known; 150 in \
	       real mail */
#define PART_OTHERS_MAX 2048 /* and of all parts */
#define PART_MARKS_MAX 2048  /* letters of identifiers, parameters and the like of all parts */
#define PART_NAMES_MAX                                                                            \
	320 /* characters of all names of files, and of types that are not usual; 44 in real mail \
	     */
#define PART_NAMES_EACH 24    /* more for each OpenPGP message, for it may be a file */
#define PART_NAMES_MOST 1024  /* and not more than that */
#define PART_TYPE_MAX 80      /* octets of a type's name; the longest one in use has 73 */
#define PART_HEADERS_MAX 8192 /* and of all: the largest seen in real mail is 889 */
#define PART_HEADERS_EACH \
	512 /* more for each OpenPGP message, for it may be a file: Outlook writes 390 */
#define PART_HEADERS_MOST 65536 /* and not more than that */
#define SETUP_TEXT_MAX 8192	/* readable octets of an Autocrypt setup message */
#define PATH_MAX_BYTES 80	/* "1.2.3": 16 levels */

/* Where content goes now. */
enum place { PLACE_LEAF, PLACE_PREAMBLE, PLACE_EPILOGUE };

/* Set by the owner, kept over structure_reset(). */
struct structure_hooks {
	scan_observer *observer;
	void *observer_context;
	transfer_sink
		*embedded_sink; /* gets a message within a part, one at most; NULL: nobody looks */
	void *embedded_context;
	/* Was that message, of so many octets, PGP/MIME and nothing else? Asked when its part has
	 * ended. */
	bool (*embedded_is_pgp_mime)(void *context, int64_t octets);
};

/* Of one message; all zero when it begins. */
struct structure_state {
	struct scan_facts facts;
	bool is_final; /* the verdict can no longer change */

	/* set before structure_begin() */
	enum securejoin securejoin_header;
	bool has_mime_version; /* MIME-Version: 1.0 */
	bool has_setup_header; /* Autocrypt-Setup-Message: v1 */

	/* private */
	unsigned n_levels;
	enum place place;
	unsigned n_parts;
	unsigned n_readable;	/* readable places */
	unsigned n_clearsigned; /* leaves that are one clearsigned text */
	bool has_preamble_text, has_epilogue_text;
	bool is_embedded_fed;
	struct cr_watch cr_watch;
	bool is_unbounded; /* the leaf stands for a multipart without a boundary */
	bool is_headless;  /* the leaf had no header at all */
	bool was_headless; /* one of them, the text of a report */
	bool is_tree_fed;  /* ... with what GpgOL attached */
	bool was_tree_fed; /* something has been fed: one message is looked into */
	size_t header_bytes;
	size_t comment_bytes;		       /* of part headers: see FIELD_COMMENT_MAX */
	size_t mark_letters;		       /* see PART_MARKS_MAX */
	size_t root_letters, root_other_bytes; /* the same of the message's own header */
	size_t other_bytes;		       /* of part headers: see PART_OTHER_MAX */
	size_t name_characters;		       /* of names of files and types: see PART_NAMES_MAX */
	int64_t signature_text; /* octets of text in signatures: readable beside ciphertext */
	char leaf_type[FIELD_TYPE_MAX];
	char leaf_encoding[32];
	char smime_type[FIELD_VALUE_MAX];
	const char *wrong_when_decided; /* transfer.wrong when leaf.is_decided was set */
};

struct structure {
	struct structure_hooks hooks;
	struct structure_state state;
	/* private; each is set up when it begins */
	struct transfer transfer;
	struct level level[STRUCTURE_LEVELS_MAX];
	struct leaf leaf;
	struct armor_channel channel;
};

/* Ready for the next message; the hooks stay. */
void structure_reset(struct structure *s);

/* The header of the message (is_root) or of a part is complete: what follows is its content. */
void structure_begin(struct structure *s, struct header *h, bool is_root);

/* The part that has just begun had no header: ambiguous, but where Sendmail writes so. */
void structure_no_header(struct structure *s);

/* Content of the present place. */
void structure_content(struct structure *s, const unsigned char *bytes, size_t len);

/* A boundary line of level `index` (0 is the outermost): ends what is open within. is_close: the
 * closing one. After it a part's header follows, or the epilogue. */
void structure_boundary(struct structure *s, unsigned index, bool is_close);

/* The end of the message. */
void structure_finish(struct structure *s);

/* A fault that was found outside the leaves. */
void structure_fault(struct structure *s, const char *reason, const char *what);

#endif
