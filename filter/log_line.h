/* SPDX-License-Identifier: ISC
 *
 * log_line.h: the one line in the mail log that tells what became of a message, queue id first as
 * Postfix does:
 *
 *   QID: verdict=cleartext form=none reason=no-openpgp action=refuse from=<a@x.test> to=<b@y.test>
 *   requirement=encrypted rule=default size=1234 client=192.0.2.1
 *
 * `requirement` and `rule` follow the `to` they belong to. After LOG_LINE_RECIPIENTS_MAX recipients
 * comes nrcpt=N instead of the rest, because syslog truncates. Where the action is not what it
 * would be if refusals were on (enforce = no, a pause), would=ACTION follows it. rule is a number,
 * or where the requirement came from without one: default, exempt_recipients, history.
 *
 * Everything from outside is escaped as log_escape() does, and in addresses and names also space,
 * '<' and
 * '>', so that nobody can write a field of his own into the line. Pure; any thread.
 */
#ifndef PGPGATE_FILTER_LOG_LINE_H
#define PGPGATE_FILTER_LOG_LINE_H

#include <stddef.h>

#include "db/hashed.h"
#include "db/verdict_log.h"

#define LOG_LINE_RECIPIENTS_MAX 8
#define LOG_LINE_MAX 4096 /* bytes with NUL: half of what rsyslog takes by default */

/* Formats into out; what does not fit is cut at the end. With hashed on, addresses and client are
 * written as their hashes. Returns out. */
char *log_line_format(const struct verdict_record *r, const struct hashed *hashed, char *out,
		      size_t out_size);

#endif
