/* SPDX-License-Identifier: ISC
 *
 * envelope.h: which address of an envelope is judged. An MTA gives two: the argument of MAIL or RCPT as the client
 * wrote it, and the macro {mail_addr} or {rcpt_addr}, which is what the MTA made of it.
 *
 * Postfix completes and rewrites it there as it will route it (RCPT TO:<postmaster>, RFC 5321 section 4.5.1; source
 * routes, "%" and "!"): its macro counts where it has a domain. Sendmail shows what its mailer will be given: the
 * local mailer's has lost its domain, and an alias of virtusertable is replaced by its target. Rules are about
 * the address that was given, so its argument counts where it has a domain. Of two that have none the macro counts.
 *
 * Pure functions; any thread.
 */
#ifndef PGPGATE_FILTER_ENVELOPE_H
#define PGPGATE_FILTER_ENVELOPE_H

#include <stdbool.h>

/* Is this macro {v}, of which Sendmail makes its version ("8.17.1.9") and Postfix a name and a version ("Postfix
 * 3.7.11")? NULL is taken for Postfix. */
bool envelope_is_sendmail(const char *version);

/* macro: NULL or empty where the MTA gives none. argument: never NULL. Returns one of the two. */
const char *envelope_address(const char *macro, const char *argument, bool is_sendmail);

#endif
