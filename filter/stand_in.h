/* SPDX-License-Identifier: ISC
 *
 * stand_in.h: accept(2), sigwait(3), inet_aton(3), inet_pton(3) and syslog(3) in our words.
 * libmilter calls them, and a program's own definition comes before the C library's, so it gets
 * these:
 *
 *   accept()   libmilter tries again at once when there are no descriptors or no memory, and takes
 * a processor for it; here it waits STAND_IN_PAUSE_MS first, and the log is told. sigwait()
 * libmilter stops on SIGHUP, which to the rest of the world means "read your files again"; here
 *              SIGHUP is taken out of what is waited for. Who wants it uses sigwaitinfo(2).
 *   inet_aton(), inet_pton()  Postfix writes "unknown" where XCLIENT said that the address is not
 * available, and calls it one of IPv4, or of IPv6 where the proxy comes by that; libmilter would
 * hang up. Here that is 0.0.0.0 or ::, which is nobody's.
 *   __syslog_chk()  syslog(3) as programs call it that are built with _FORTIFY_SOURCE, libmilter
 * for one. Where there is no syslog the C library leaves another errno behind; here it stays what
 * it was: milter.c asks why libmilter gave up a session.
 *
 * Any thread.
 */
#ifndef PGPGATE_FILTER_STAND_IN_H
#define PGPGATE_FILTER_STAND_IN_H

#include <stdbool.h>

#define STAND_IN_PAUSE_MS 200

/* Did accept() fail for want of descriptors or memory within the last `ms` milliseconds? */
bool stand_in_is_short(int ms);

/* Has sigwait() returned: does the daemon end? */
bool stand_in_has_ended(void);

#endif
