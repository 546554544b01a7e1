/* SPDX-License-Identifier: ISC
 *
 * envelope.h: which address of an envelope is judged. An MTA gives two: the argument of MAIL or
 * RCPT as the client wrote it, and the macro {mail_addr} or {rcpt_addr}, which is what the MTA made
 * of it.
 *
 * Postfix completes and rewrites it there as it will route it (RCPT TO:<postmaster>, RFC 5321
 * section 4.5.1; source routes, "%" and "!"): its macro counts where it has a domain. But it folds
 * all letters of it, and a folded domain may be somebody else's ("strasse.test" for one with a
 * sharp s): where that is all it did, the argument counts. Sendmail
 * shows what its mailer will be given: the local mailer's has lost its domain, and an alias of
 * virtusertable is replaced by its target. Rules are about the address that was given, so its
 * argument counts where it has a domain. Of two that have none the macro counts; the transaction
 * gives it one (settings_complete_address()).
 *
 * libmilter that gets no memory for a packet of macros drops it without a word and goes on: the
 * macro is then absent, or is that of the address before, and the second recipient would be judged
 * as the first. Both can be seen: absent is one that the MTA was asked for when options were
 * negotiated; old is one that still lies where it lay before, while the argument has changed and
 * means something else. (libmilter has read a packet whole before it gives up the one before: what
 * is new lies elsewhere. The text alone does not tell: "root" and "root@mx.test" have one macro.)
 *
 * Plain values, no state of their own; any thread.
 */
#ifndef PGPGATE_FILTER_ENVELOPE_H
#define PGPGATE_FILTER_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

/* Is this macro {v}, of which Sendmail makes its version ("8.17.1.9") and Postfix a name and a
 * version ("Postfix 3.7.11")? NULL is taken for Postfix. */
bool envelope_is_sendmail(const char *version);

/* macro: NULL or empty where the MTA gives none. argument: never NULL. Returns one of the two. */
const char *envelope_address(const char *macro, const char *argument, bool is_sendmail);

/* The macro that came last, in the session (MAIL) or for the message (RCPT), and the address that
 * it came with: a hash, since only "the same or not" is asked. What came without one of its own
 * changes nothing, however often. Zero-initialised: there was none. */
struct envelope_memory {
	uint64_t argument; /* canonical */
	uintptr_t macro;   /* where it lies, 0: there is none; never read again */
};

/* Has libmilter lost the macro? Then nothing that envelope_address() says is to be believed: answer
 * 451. Remembers a macro that is new. macro: as smfi_getsymval() returned it, no copy.
 * is_expected: the macro was negotiated. */
bool envelope_is_lost(struct envelope_memory *before, const char *macro, const char *argument,
		      bool is_sendmail, bool is_expected);

/* Bytes, by RFC 1870 section 3: SIZE= among the parameters of MAIL, a list that ends with NULL; or
 * SIZE_NOT_DECLARED (db/policy.h). "0" is what clients say that do not know, and what the policy
 * server is told when there is none. */
int64_t envelope_declared_size(char **args);

#endif
