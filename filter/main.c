/* SPDX-License-Identifier: ISC
 *
 * pgpgate-filter: the milter. Starts the parts in order, hands them to libmilter, and ends them in
 * the opposite order once no callback runs any more.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "db/db.h"
#include "db/verdict_log.h"
#include "filter/milter.h"
#include "filter/running.h"
#include "filter/transaction.h"
#include "filter/watchdog.h"

#define POOL_IDLE_MAX                                                              \
	8 /* connections kept for re-use: as many as callbacks usually ask at once \
	   */

/* Longer than verdict_log_submit() may take, so that every answer that waits for its record is had.
 */
#define DRAIN_MS (VERDICT_LOG_WAIT_MS + 5000)

/* libmilter writes an answer after our callback has returned. */
#define LAST_ANSWERS_MS 100

struct filter {
	struct daemon_options options;
	pthread_mutex_t lock; /* over settings */
	struct settings *settings;
	struct log_limit database_trouble;
	struct hashed hashed;
	struct filter_context context;
	pthread_t reloader;
	bool has_reloader;
	atomic_bool is_stopping;
};

static struct settings *settings_in_force(void *owner)
{
	struct filter *f = owner;
	struct settings *s;

	pthread_mutex_lock(&f->lock);
	s = settings_ref(f->settings);
	pthread_mutex_unlock(&f->lock);
	return s;
}

static void reload(struct filter *f)
{
	struct settings *old = settings_in_force(f);
	struct settings *new = daemon_reload(&f->options, old);

	settings_unref(old);
	if (new == NULL)
		return;
	verdict_log_reload(f->context.log, new);
	pthread_mutex_lock(&f->lock);
	old = f->settings;
	f->settings = new;
	pthread_mutex_unlock(&f->lock);
	settings_unref(old);
}

/* libmilter keeps TERM and INT for itself (and HUP, but for stand_in.h); SIGUSR1 and SIGHUP are
 * ours, in a thread of its own. daemon_begin() has blocked all of them, and every thread inherits
 * that. */
static void *reload_thread(void *owner)
{
	struct filter *f = owner;
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	while (!f->is_stopping) {
		number = sigwaitinfo(&set, NULL);
		if (number > 0 && !f->is_stopping)
			reload(f);
	}
	return NULL;
}

/* 0, or a sysexits(3) code after having logged why the schema cannot be used. */
static int check_database(struct filter *f)
{
	struct db *d = db_pool_get(f->context.pool);
	int code = EX_OK;

	if (d == NULL) {
		log_error("out of memory");
		return EX_OSERR;
	}
	if (db_failure(d) != DB_OK) {
		log_error("%s", db_error(d));
		code = db_sysexit(db_failure(d));
	}
	db_pool_put(f->context.pool, d);
	return code;
}

/* What needs no thread and no socket. 0 or a sysexits(3) code after having logged why. */
static int prepare(struct filter *f)
{
	char err[DB_ERROR_MAX];
	int code;

	f->context.settings = settings_in_force;
	f->context.settings_owner = f;
	f->context.now_unix = clock_now_unix;
	f->context.database_trouble = &f->database_trouble;
	f->context.hashed = &f->hashed;
	f->context.pool = db_pool_new(f->settings, DB_READ, POOL_IDLE_MAX);
	if (f->context.pool == NULL) {
		log_error("out of memory");
		return EX_OSERR;
	}
	code = check_database(f);
	if (code != EX_OK)
		return code;
	if (hashed_load(&f->hashed, f->settings, err, sizeof err) != 0) {
		log_error("%s", err);
		return EX_NOINPUT;
	}
	return EX_OK;
}

static int start_threads(struct filter *f)
{
	char err[DB_ERROR_MAX];
	int rc;

	f->context.log = verdict_log_start(f->settings, err, sizeof err);
	if (f->context.log == NULL) {
		log_error("%s", err);
		return EX_OSERR;
	}
	rc = pthread_create(&f->reloader, NULL, reload_thread, f);
	f->has_reloader = rc == 0;
	if (rc == 0)
		rc = watchdog_start(f->settings->filter_socket);
	if (rc != 0) {
		log_error("cannot start a thread: %s", strerror(rc));
		return EX_OSERR;
	}
	return daemon_ready(&f->options);
}

static void stop_threads(struct filter *f)
{
	watchdog_stop();
	f->is_stopping = true;
	if (!f->has_reloader)
		return;
	pthread_kill(f->reloader, SIGUSR1);
	pthread_join(f->reloader, NULL);
}

/* The opposite order of start(). */
static void release(struct filter *f)
{
	if (f->context.log != NULL)
		verdict_log_stop(f->context.log);
	db_pool_free(f->context.pool);
	settings_unref(f->settings);
}

static int start(struct filter *f)
{
	char err[DB_ERROR_MAX];
	int code = prepare(f);

	if (code == EX_OK && milter_listen(f->settings->filter_socket, f->settings->socket_umask,
					   &f->context, err, sizeof err) != 0) {
		log_error("filter_socket: %s", err);
		code = EX_UNAVAILABLE;
	} else if (code == EX_OK) {
		code = start_threads(f);
		if (code != EX_OK) {
			stop_threads(f);
			milter_unlisten(f->settings->filter_socket);
		}
	}
	if (code != EX_OK)
		release(f);
	return code;
}

static void stop(struct filter *f)
{
	const struct timespec last_answers = {.tv_nsec = LAST_ANSWERS_MS * 1000000L};
	bool is_idle;

	/* First: the one thing that it looks at is over. */
	stop_threads(f);
	is_idle = running_drain(DRAIN_MS);
	daemon_end(&f->options);
	if (!is_idle) {
		/* What they use must stay; what they have not answered comes again. */
		log_warning("callbacks still ran after %d s: stopped without them",
			    DRAIN_MS / 1000);
		return;
	}
	nanosleep(&last_answers, NULL);
	release(f);
}

int main(int argc, char **argv)
{
	static struct filter f = {.lock = PTHREAD_MUTEX_INITIALIZER};
	int code;
	int result;

	f.settings = daemon_options(argc, argv, "pgpgate-filter", "filter_socket", &f.options);
	code = daemon_begin(&f.options, f.settings);
	if (code == EX_OK)
		code = start(&f);
	if (code != EX_OK)
		return code;
	result = milter_run();
	stop(&f);
	if (result != 0)
		log_error("libmilter failed; it says why in the mail log");
	return result != 0 || watchdog_has_bitten() ? EX_SOFTWARE : EX_OK;
}
