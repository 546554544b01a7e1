/* SPDX-License-Identifier: ISC
 *
 * message.h: a whole message in raw form (a file, a Maildir entry, what an mbox holds) for scan.h:
 * splits the header into fields and feeds the body. A first line "From " (mbox) or ">From " counts
 * as the value of a field, as in Postfix, but `field` is not told of it. The first line that is no
 * field ends the header, as in Postfix, too; it belongs to the body if it is not empty.
 *
 * Push style, any chunking, one thread. A field beyond MESSAGE_FIELD_MAX is cut for scan_header().
 */
#ifndef PGPGATE_SCAN_MESSAGE_H
#define PGPGATE_SCAN_MESSAGE_H

#include <stddef.h>

#include "scan/scan.h"

/* Bytes: Postfix's header_size_limit is 102400; structure fits here. */
#define MESSAGE_FIELD_MAX 65536

struct message;

/* Told of every header field (for From:, Message-ID); may be NULL. Borrowed during the call. */
typedef void message_field(void *context, const char *name, size_t name_len, const char *value,
			   size_t value_len);

/* Feeds `scan`, which the caller owns, has reset, and finishes. NULL when memory is short. */
struct message *message_new(struct scan *scan, message_field *field, void *context);
void message_free(struct message *m); /* NULL allowed; the scan stays */

/* Makes m ready for the next message, whatever state it is in; the scan is reset by its owner. */
void message_reset(struct message *m);
void message_feed(struct message *m, const unsigned char *bytes, size_t len);

/* The end of the message, and scan_finish(). */
void message_finish(struct message *m, struct scan_facts *facts);

#endif
