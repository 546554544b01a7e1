/* SPDX-License-Identifier: ISC
 *
 * armor.h: one block of ASCII armor, RFC 9580 section 6, from the line after BEGIN to its END line. Lines
 * go in, decoded octets go on to a packet_walk.
 *
 * Accepts: a missing, malformed or wrong CRC24 (section 6.1); any known or unknown armor header within the
 * limits below; a missing empty line before the data where the data cannot be taken for a header; lines of
 * any length, those beyond RFC 5322's 998 octets in pieces; a blank where a mail server has broken such a line;
 * blank lines; trailing white space, no-break spaces included.
 * Refuses: anything else that a reader could show.
 *
 * Armor headers are a small readable channel: see struct armor_channel. Fixed memory, one thread.
 */
#ifndef PGPGATE_SCAN_ARMOR_H
#define PGPGATE_SCAN_ARMOR_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/base64.h"
#include "scan/packet.h"

#define ARMOR_PIECE_MAX 1024 /* octets of a line that are taken at once */
#define ARMOR_BROKEN_MIN \
	900 /* octets of a line that a mail server may have broken: Postfix's 998 or 990 */
#define ARMOR_HEADERS_MAX 8  /* lines that go for nothing; the most seen in real mail is 4 */
#define ARMOR_HEADER_MAX 200 /* octets of one line that do; link rewriters make more than 400 */
#define ARMOR_BLOCK_CHANNEL_MAX 256 /* octets of headers in one block that go for nothing */
#define ARMOR_CHANNEL_MAX 1024	    /* the same in a whole message, repeated lines counted once */
#define ARMOR_CHANNEL_LINES_MAX \
	4096 /* lines of a message that are compared with those before: bounds the work */

/* The armor headers of a whole message: different lines are kept, so that the "Version: ..." that every
 * block repeats counts once. */
struct armor_channel {
	size_t used;
	size_t n_lines; /* looked at, repeated ones too */
	bool is_overflown;
	unsigned char lines[ARMOR_CHANNEL_MAX]; /* each ends with LF */
};

enum armor_label { ARMOR_MESSAGE, ARMOR_SIGNATURE };

/* Which lines come next. */
enum armor_state { ARMOR_IN_HEADERS, ARMOR_IN_DATA, ARMOR_IN_CHECKSUM };

struct armor {
	struct finding fault;
	size_t header_bytes; /* of this block: more than ARMOR_BLOCK_CHANNEL_MAX is readable text */
	bool has_long_headers; /* so is more than the bounds above allow */
	/* private */
	enum armor_label label;
	enum armor_state state;
	unsigned n_headers;
	bool is_within_line; /* pieces of the present line were taken */
	bool is_tail;	     /* of it, only white space may come */
	size_t line_bytes;   /* of the last line of data: has it been broken? */
	struct base64 base64;
	struct packet_walk *walk;
	struct armor_channel *channel;
};

/* Is this line (without its line end) the BEGIN line of `label`? Trailing white space is allowed. */
bool armor_is_begin(const unsigned char *line, size_t len, enum armor_label label);

/* walk and channel are borrowed until the block ends; the walk is initialised here. */
void armor_begin(struct armor *a, enum armor_label label, struct packet_walk *walk,
		 struct armor_channel *channel);

/* The next line, without LF (a CR before it may stay). True while the block goes on; false when it has
 * ended with its END line, or when a->fault is set. */
bool armor_line(struct armor *a, const unsigned char *line, size_t len);

/* A piece of a line whose end is further off than a piece may have, at most ARMOR_PIECE_MAX octets. Returns how
 * many it took, one at least; the next piece begins there. The last piece goes to armor_line(). A fault stays in
 * a->fault until then. */
size_t armor_piece(struct armor *a, const unsigned char *bytes, size_t len);

/* At the beginning of a line: takes as many lines, with their line ends, as are whole, of one length, and hold
 * nothing that needs decoding (packet_opaque()). Returns how many octets, which may be none; armor_line() gets
 * what is left. Most of a large message goes through here, a dozen times as fast. */
size_t armor_run(struct armor *a, const unsigned char *bytes, size_t len);

/* Are its headers still coming? */
bool armor_is_in_headers(const struct armor *a);

/* Do its headers say more than what goes for nothing? */
bool armor_is_talkative(const struct armor *a);

/* The leaf ended within the block: sets a->fault. */
void armor_cut(struct armor *a);

#endif
