/* SPDX-License-Identifier: ISC
 *
 * pgpgate-policyd: the policy server.
 */
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/daemon.h"
#include "common/log.h"
#include "db/db.h"
#include "policyd/server.h"

/* daemon_begin() blocked them for the time of the start; libevent catches them where they arrive.
 */
static void unblock_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int main(int argc, char **argv)
{
	static struct daemon_options options; /* its strings are for the life of the process */
	struct settings *settings;
	struct server *server;
	char err[DB_ERROR_MAX];
	int code;

	settings = daemon_options(argc, argv, "pgpgate-policyd", "policy_socket", &options);
	code = daemon_begin(&options, settings);
	if (code != EX_OK) {
		settings_unref(settings);
		return code;
	}
	server = server_new(&options, settings, &code, err, sizeof err);
	settings_unref(settings);
	if (server == NULL) {
		log_error("%s", err);
		return code;
	}
	unblock_signals();
	code = daemon_ready(&options);
	if (code == EX_OK) {
		server_run(server);
		daemon_end(&options);
	}
	server_free(server);
	return code;
}
