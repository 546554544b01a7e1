/* SPDX-License-Identifier: ISC
 *
 * sandbox.h: what a daemon that has been broken into cannot do, wherever it runs: the kernel
 * answers EPERM to mounting, tracing, loading code into the kernel, other name spaces, and to all
 * else that serves only whoever has no business here. systemd's services forbid more
 * (SystemCallFilter=); this is for those without, and costs nothing where both are in force.
 * Reading, writing, sockets, threads and other programs (postconf(1)) stay as they are.
 *
 * By libseccomp; without it, and under the sanitizers, which trace, nothing is done.
 */
#ifndef PGPGATE_COMMON_SANDBOX_H
#define PGPGATE_COMMON_SANDBOX_H

/* For the process and all that it starts, for ever; call it while there is one thread. Privileges
 * cannot be gained any more (PR_SET_NO_NEW_PRIVS). Trouble is logged, and is no reason not to
 * serve. */
void sandbox_enter(void);

#endif
