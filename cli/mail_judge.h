/* SPDX-License-Identifier: ISC
 *
 * mail_judge.h: the verdict of a message in raw form, for `check` and `explain --message`: scan/
 * fed through scan/message.h, and the address in From:. Push style, one message after the other,
 * constant memory.
 */
#ifndef PGPGATE_CLI_MAIL_JUDGE_H
#define PGPGATE_CLI_MAIL_JUDGE_H

#include <stddef.h>

#include "common/address.h"
#include "common/verdict.h"
#include "scan/judge.h"
#include "scan/scan.h"

struct mail_judge;

/* NULL when memory is short. observer may be NULL: told of each part (scan_observe()). */
struct mail_judge *mail_judge_new(scan_observer *observer, void *context);
void mail_judge_free(struct mail_judge *m);

void mail_judge_begin(struct mail_judge *m);
void mail_judge_feed(struct mail_judge *m, const unsigned char *bytes, size_t len);
void mail_judge_finish(struct mail_judge *m, const struct acceptance *accept,
		       const struct judge_envelope *envelope, struct judgement *out);

/* After mail_judge_finish(): whom the message says it is from. Borrowed until the next message. */
const struct from_header *mail_judge_header_from(const struct mail_judge *m);

#endif
