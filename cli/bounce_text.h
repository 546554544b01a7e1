/* SPDX-License-Identifier: ISC
 *
 * bounce_text.h: finds in the text of a bounce, as somebody pastes it, which message it is about:
 * the queue id in our refusals ("Reference: 4cDmS64YQkz1Xq") and Message-IDs. The text is hostile
 * and of any form. Pure.
 */
#ifndef PGPGATE_CLI_BOUNCE_TEXT_H
#define PGPGATE_CLI_BOUNCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define BOUNCE_NAMES_MAX 16 /* of each kind; what comes after is passed over */
#define BOUNCE_NAME_MAX 300 /* bytes with NUL */

struct bounce_text {
	size_t n_queue_ids, n_message_ids;
	char queue_ids[BOUNCE_NAMES_MAX][BOUNCE_NAME_MAX];
	char message_ids[BOUNCE_NAMES_MAX][BOUNCE_NAME_MAX]; /* with angle brackets */
};

/* Each name once, in the order in which they stand there. text ends in NUL. */
void bounce_text_read(const char *text, struct bounce_text *out);

/* May it be a queue id: letters and digits only, 6 to 40 of them, a digit among them? */
bool bounce_is_queue_id(const char *text);

#endif
