/* SPDX-License-Identifier: ISC
 *
 * armor.h: one block of ASCII armor, RFC 9580 section 6, from the line after BEGIN to its END line.
 * Lines go in, decoded octets go on to a packet_walk.
 *
 * Accepts: a missing, malformed or wrong CRC24 (section 6.1); any known or unknown armor header
 * within the limits below; a missing empty line before the data where the data cannot be taken for
 * a header; lines of any one length from ARMOR_WIDTH_MIN, the last one shorter, those beyond RFC
 * 5322's 998 octets in pieces; a blank where a mail server has broken such a line; blank lines
 * around the data; trailing white space, no-break spaces included. Refuses: anything else that a
 * reader could show: data that spells words (wording.h) or draws (spread.h), and headers that are
 * named like fields of MIME or of a message, for where a reader finds a boundary in the BEGIN line
 * they are.
 *
 * Armor headers are a small readable channel: see struct armor_channel. Fixed memory, one thread.
 */
#ifndef PGPGATE_SCAN_ARMOR_H
#define PGPGATE_SCAN_ARMOR_H

#include <stdbool.h>
#include <stddef.h>

#include "scan/base64.h"
#include "scan/packet.h"
#include "scan/spread.h"
#include "scan/wording.h"

#define ARMOR_PIECE_MAX 1024 /* octets of a line that are taken at once */
#define ARMOR_BROKEN_MIN \
	900 /* octets of a line that a mail server may have broken: Postfix's 998 or 990 */
#define ARMOR_HEADERS_MAX 8  /* lines that go for nothing; the most seen in real mail is 4 */
#define ARMOR_HEADER_MAX 200 /* octets of one line that do; link rewriters make more than 400 */
#define ARMOR_BLOCK_CHANNEL_MAX 256 /* octets of headers in one block that go for nothing */
#define ARMOR_CHANNEL_MAX                                                      \
	1024 /* the same in a whole message, blocks like the first not counted \
	      */
#define ARMOR_WIDTH_MIN                                                          \
	40 /* characters of a line that another follows: programs write 60 to 76 \
	    */
#define ARMOR_WORDING_MAX 262144 /* characters of a block that are looked at for words */
#define ARMOR_LINES_MAX 16384	 /* characters of a block whose lines are weighed one by one */
#define ARMOR_ODD_SPACES_MAX                                                                \
	32 /* octets of white space in a message that some character set shows as something \
	    */
#define ARMOR_TAIL_MAX 64      /* octets of white space behind a line that may be on each */
#define ARMOR_CHECKSUM_SIZE 5  /* octets of "=abcd" */
#define ARMOR_CHECKSUMS_FREE 2 /* blocks of a message whose checksum may be wrong (see below) */

/* What the armor of a whole message could spell out. The headers of the first block are kept: a
 * block that has the same, line for line, costs nothing, and any other costs all of its header. So
 * "Version: ..." may be on each, and a choice out of a dictionary of lines is paid for. Checksums
 * may be wrong (RFC 9580 section 6.1), and four letters of a word each: those of the first blocks
 * go for nothing, later ones are right or text. */
struct armor_channel {
	size_t used; /* octets of header lines that were paid for */
	bool is_overflown;
	bool has_first; /* the first block's headers are complete */
	size_t n_checksums;
	unsigned looks;	   /* of HTML: html_row.h */
	size_t odd_spaces; /* octets around armor that may be seen: charset_odd_octets() */
	size_t tail_len;   /* white space that may be seen, and may be there again: */
	unsigned char tail[ARMOR_TAIL_MAX]; /* behind the last line of armor */
	struct wording_lines lines;	    /* a few words in each block are words */
	size_t first_len;
	unsigned char first[ARMOR_BLOCK_CHANNEL_MAX + 16]; /* its lines, each ends with LF; cut */
};

enum armor_label { ARMOR_MESSAGE, ARMOR_SIGNATURE };

/* Which lines come next. */
enum armor_state { ARMOR_IN_HEADERS, ARMOR_IN_DATA, ARMOR_IN_CHECKSUM };

struct armor {
	struct finding fault;
	size_t header_bytes; /* of this block: more than ARMOR_BLOCK_CHANNEL_MAX is readable text */
	bool has_long_headers; /* so is more than the bounds above allow */
	size_t checksum_bytes; /* of a checksum that is none: readable text */
	/* private */
	enum armor_label label;
	enum armor_state state;
	unsigned n_headers;
	bool is_within_line; /* pieces of the present line were taken */
	bool is_tail;	     /* of it, only white space may come */
	size_t line_bytes;   /* of the last line of data: has it been broken? */
	size_t first_at;     /* how much of channel->first this block has repeated */
	bool is_like_first;  /* so far */
	size_t width;	     /* characters of the first data line, 0: none yet */
	bool is_short_seen;  /* a shorter one, which must be the last */
	bool is_blank_seen;  /* an empty line after data */
	size_t n_worded;
	struct wording wording;
	struct spread spread;
	bool is_summed; /* the checksum counts */
	uint32_t crc;
	struct base64 base64;
	struct packet_walk *walk;
	struct armor_channel *channel;
};

/* Is this line (without its line end) the BEGIN line of `label`? Trailing white space is allowed.
 */
bool armor_is_begin(const unsigned char *line, size_t len, enum armor_label label);

/* walk and channel are borrowed until the block ends; the walk is initialised here. */
void armor_begin(struct armor *a, enum armor_label label, struct packet_walk *walk,
		 struct armor_channel *channel);

/* The next line, without LF (a CR before it may stay). True while the block goes on; false when it
 * has ended with its END line, or when a->fault is set. */
bool armor_line(struct armor *a, const unsigned char *line, size_t len);

/* A piece of a line whose end is further off than a piece may have, at most ARMOR_PIECE_MAX octets.
 * Returns how many it took, one at least; the next piece begins there. The last piece goes to
 * armor_line(). A fault stays in a->fault until then. */
size_t armor_piece(struct armor *a, const unsigned char *bytes, size_t len);

/* At the beginning of a line: takes as many lines, with their line ends, as are whole, of one
 * length, and hold nothing that needs decoding (packet_opaque()). Returns how many octets, which
 * may be none; armor_line() gets what is left. Most of a large message goes through here, a dozen
 * times as fast. */
size_t armor_run(struct armor *a, const unsigned char *bytes, size_t len);

/* Are its headers still coming? */
bool armor_is_in_headers(const struct armor *a);

/* Octets of its headers and its checksum that are readable text: beyond what goes for nothing. To
 * be asked at its end; 0 of most. */
size_t armor_readable_bytes(const struct armor *a);

/* The leaf ended within the block: sets a->fault. */
void armor_cut(struct armor *a);

#endif
