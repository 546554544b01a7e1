/* SPDX-License-Identifier: ISC
 *
 * watchdog.h: ends the process when libmilter no longer serves, so that the service manager starts
 * it again. libmilter has states in which it lives and answers nobody: its thread that waits for
 * packets ends for good when poll(2) has failed, and a thread that could not be started leaves its
 * connection alone.
 *
 * A thread connects to our own socket as an MTA does, negotiates and quits, again and again. An
 * answer is passed on to the service manager (WatchdogSec=). After WATCHDOG_FAILURES without one in
 * a row libmilter is told to stop, and after WATCHDOG_GRACE_MS the process ends by itself. Without
 * free descriptors nobody can connect, us included: that is no failure, for a start would not free
 * more than the connections that are in use.
 *
 * One a process.
 */
#ifndef PGPGATE_FILTER_WATCHDOG_H
#define PGPGATE_FILTER_WATCHDOG_H

#include <stdbool.h>

#define WATCHDOG_INTERVAL_MS \
	20000 /* shorter where the service manager wants to be told more often */
#define WATCHDOG_PATIENCE_MS 10000 /* for one answer: a machine that pages takes its time */
#define WATCHDOG_FAILURES 3
#define WATCHDOG_GRACE_MS 15000

/* Starts it for filter_socket, as in pgpgate.conf. 0, or an errno: no thread. */
int watchdog_start(const char *socket);

/* Ends its thread. No matter if it was never started. */
void watchdog_stop(void);

/* It has told libmilter to stop. */
bool watchdog_has_bitten(void);

#endif
