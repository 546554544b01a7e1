/* SPDX-License-Identifier: ISC
 *
 * mbox.h: cuts an mbox file (RFC 4155, and the "mboxrd" quoting that mail programs write) into
 * messages, push style, in constant memory.
 *
 * A message begins at a line "From " that is the first of the file or follows an empty line, and
 * that holds a time of day ("12:34"): a text line that happens to begin with "From " has none. The
 * separator and the empty line before it belong to no message. ">From ", ">>From " lose one '>'.
 *
 * Ignores: Content-Length (mboxcl), which lies as soon as somebody edits the file.
 */
#ifndef PGPGATE_CLI_MBOX_H
#define PGPGATE_CLI_MBOX_H

#include <stdbool.h>
#include <stddef.h>

#define MBOX_LINE_MAX 512 /* a longer line is no separator: "From " address date, 320 + 40 */

/* What the splitter tells. begin and end alternate; bytes come between. */
struct mbox_sink {
	void (*begin)(void *context);
	void (*bytes)(void *context, const unsigned char *bytes, size_t len);
	void (*end)(void *context);
	void *context;
};

enum mbox_state {
	MBOX_AT_LINE, /* at the beginning of a line */
	MBOX_QUOTES,  /* has seen '>' only, held */
	MBOX_FROM,    /* has seen "From " or a beginning of it, held */
	MBOX_IN_LINE, /* in a line that is text */
};

struct mbox {
	struct mbox_sink sink;
	enum mbox_state state;
	bool is_in_message;
	bool may_separate;	/* the line before was empty, or there was none */
	unsigned char blank[2]; /* an empty line's end, held back: it may belong to a separator */
	size_t blank_len;
	unsigned char line[MBOX_LINE_MAX];
	size_t line_len;
};

void mbox_init(struct mbox *m, const struct mbox_sink *sink);
void mbox_feed(struct mbox *m, const unsigned char *bytes, size_t len);
void mbox_finish(struct mbox *m); /* ends the last message */

/* Does a file that begins with these bytes look like an mbox? */
bool mbox_is_likely(const unsigned char *bytes, size_t len);

#endif
