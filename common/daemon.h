/* SPDX-License-Identifier: ISC
 *
 * daemon.h: what pgpgate-filter and pgpgate-policyd share: options, becoming a daemon and another
 * user, the pid file, sd_notify(3), the signals. Called from the main thread only, except
 * daemon_reload() and daemon_notify(). One daemon a process.
 *
 * The order in a main():
 *   daemon_options()        reads argv and the configuration; -V, -n, -h end the process
 *   daemon_begin()          log, signals blocked (TERM, INT, HUP, USR1; PIPE ignored), umask 007;
 * forks unless -f; pid file locked; user changed; Postfix asked for what the settings take from it;
 * sandbox.h entered
 *   ... open the database, listen ...
 *   daemon_ready()          pid file written, READY=1, the parent of the fork exits 0
 *   ... run ...
 *   daemon_end()            STOPPING=1, pid file removed
 * A start that fails before daemon_ready() makes the first process exit with that sysexits(3) code,
 * so that an init script sees it, and its reason goes to standard error as well as to the log.
 */
#ifndef PGPGATE_COMMON_DAEMON_H
#define PGPGATE_COMMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"

struct daemon_options {
	const char *program;	 /* "pgpgate-filter" */
	const char *config_path; /* -c */
	bool config_is_explicit;
	const char **overrides; /* -o, -p and -u put their keys here too */
	size_t n_overrides;
	bool foreground;      /* -f */
	bool check_only;      /* -n */
	const char *pid_file; /* -P, or NULL */
	int verbose;	      /* -v */
};

/* socket_key: which key -p sets ("filter_socket" or "policy_socket"). Exits by itself on -V (0), -h
 * (0), misuse (64), bad configuration (78), and after -n (0). Returns the settings, one reference.
 * What *out points to lives as long as the process. */
struct settings *daemon_options(int argc, char **argv, const char *program, const char *socket_key,
				struct daemon_options *out);

/* Each returns 0, or a sysexits(3) code after having logged why. See the order above. */
int daemon_begin(const struct daemon_options *o, struct settings *s);
int daemon_ready(const struct daemon_options *o);
void daemon_end(const struct daemon_options *o);

/* Rereads the configuration (SIGUSR1). Keys that cannot change while running (sockets, user,
 * database, verdict_sync, log_addresses, metrics_listen) keep their value, and the log says so.
 * Returns new settings (one reference), or NULL after having logged why: the old ones stay in
 * force. */
struct settings *daemon_reload(const struct daemon_options *o, const struct settings *old);

/* Does this key keep its value until the daemon is started again? */
bool daemon_needs_restart(const char *name);

/* How often the service manager wants to hear WATCHDOG=1, in milliseconds (sd_watchdog_enabled(3));
 * 0: never. Tell it four times as often. */
int daemon_watchdog_ms(void);

/* sd_notify(3): sends `state` to $NOTIFY_SOCKET if there is one; never fails loudly. */
void daemon_notify(const char *state);

#endif
