/* SPDX-License-Identifier: ISC
 *
 * loop.c: pulls at least once a second, and at once when the bell rings; pushes as soon as there is
 * something. While the centre is away it tries again once a second.
 */
#include "sync/commands.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "sync/host.h"

#define LOOK_MS 100 /* between looks at our own database */
#define PULL_EVERY_MS 1000
#define VAIN_MS \
	50 /* after a pull that brought nothing the bell is not heard: anybody may ring it */
#define PUSH_ROWS 2000	/* of one transaction at the centre */
#define PUSH_BATCHES 10 /* before the centre is asked again */
#define MAINTAIN_EVERY_MS 3600000
#define OFFSET_WARN_MS 2000

struct loop {
	struct host host;
	const struct daemon_options *options;
	bool is_listening, was_told_away, was_told_offset, can_push, must_expire, must_end;
	int64_t pull_at_ms, maintain_at_ms, retract_at_ms, alive_at_ms, deaf_until_ms;
	bool has_rung, has_more; /* the bell; rows to push */
	int watchdog_ms;	 /* of the service manager; 0: none */
	char told[HOST_ERROR_MAX];
};

static void take_signals(struct loop *l)
{
	static const struct timespec now = {0, 0};
	struct settings *s;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	while ((sig = sigtimedwait(&set, NULL, &now)) > 0) {
		if (sig == SIGTERM || sig == SIGINT) {
			l->must_end = true;
		} else if ((s = daemon_reload(l->options, l->host.settings)) != NULL) {
			/* The old ones stay: the connections have borrowed them. */
			l->host.settings = s;
			log_info("configuration reread");
		}
	}
}

static void note_trouble(struct loop *l)
{
	if (l->was_told_away && strncmp(l->told, l->host.error, sizeof l->told) == 0)
		return;
	snprintf(l->told, sizeof l->told, "%s", l->host.error);
	log_warning("%s%s", l->host.error,
		    l->was_told_away ? "" : "; mail goes on, from what is known here");
	l->was_told_away = true;
}

static void note_success(struct loop *l)
{
	const int64_t offset_ms = l->host.state.offset_ms;
	const bool is_off = offset_ms > OFFSET_WARN_MS || offset_ms < -OFFSET_WARN_MS;

	if (l->was_told_away)
		log_info("the centre is back; change %" PRId64 " is in force here",
			 l->host.state.rules_no);
	l->was_told_away = false;
	if (is_off && !l->was_told_offset)
		log_warning("the clock of this host and that of the centre differ by %" PRId64
			    " ms",
			    offset_ms);
	l->was_told_offset = is_off;
}

static void pull(struct loop *l)
{
	const struct site_state before = l->host.state;
	int result;

	l->pull_at_ms = clock_monotonic_ms() + PULL_EVERY_MS;
	l->has_rung = false;
	if (!pg_is_open(l->host.centre))
		l->is_listening = false;
	result = host_pull(&l->host);
	l->deaf_until_ms = before.rules_no == l->host.state.rules_no &&
					   before.feed_no == l->host.state.feed_no
				   ? clock_monotonic_ms() + VAIN_MS
				   : 0;
	if (result != 0) {
		note_trouble(l);
		/* Rules that cannot be applied keep nothing of the record back. */
		l->can_push = l->host.was_answered && pg_is_open(l->host.centre);
		return;
	}
	l->can_push = true;
	note_success(l);
	/* Behind a pooler nothing ever rings: then there is the poll. */
	if (!l->is_listening)
		pg_script(l->host.centre, "LISTEN pgpgate");
	l->is_listening = pg_is_open(l->host.centre);
}

static void push(struct loop *l)
{
	int more = 1;

	/* Changes of rules do not wait for all of it. */
	for (int i = 0; i < PUSH_BATCHES && more == 1; i++) {
		more = host_push(&l->host, PUSH_ROWS);
		if (pg_wait(l->host.centre, 0)) {
			l->has_rung = true;
			break;
		}
	}
	l->has_more = more == 1;
	if (more < 0) {
		note_trouble(l);
		l->can_push = false;
	}
}

static void tell_all(struct loop *l)
{
	int more = 1;

	for (int i = 0; i < PUSH_BATCHES && more == 1; i++)
		more = host_tell_all(&l->host);
	if (more < 0) {
		note_trouble(l);
		l->can_push = false;
	}
}

static void maintain(struct loop *l)
{
	l->maintain_at_ms = clock_monotonic_ms() + MAINTAIN_EVERY_MS;
	pg_call(l->host.centre, "SELECT pgpgate.maintain()", 0, NULL, NULL);
	l->must_expire = true;
}

static void step(struct loop *l)
{
	const int64_t now_ms = clock_monotonic_ms();

	if (now_ms >= l->pull_at_ms || (l->has_rung && now_ms >= l->deaf_until_ms))
		pull(l);
	l->has_more = false;
	if (l->can_push &&
	    (site_last_verdict(l->host.db) > l->host.pushed_no || now_ms >= l->retract_at_ms)) {
		l->retract_at_ms = now_ms + PULL_EVERY_MS;
		push(l);
	}
	if (l->can_push && !l->host.has_told_all)
		tell_all(l);
	if (l->can_push && l->host.must_sweep && host_sweep(&l->host) != 0)
		l->host.must_sweep = false; /* until the next pull says so again */
	if (l->can_push && now_ms >= l->maintain_at_ms)
		maintain(l);
	if (l->must_expire)
		l->must_expire = site_expire(l->host.db, clock_now_unix()) == 1;
	if (pg_wait(l->host.centre, l->has_more ? 0 : l->has_rung ? VAIN_MS : LOOK_MS))
		l->has_rung = true;
}

/* Every call has a limit, and this comes after each: so who does not say it hangs. */
static void tell_alive(struct loop *l)
{
	const int64_t now_ms = clock_monotonic_ms();

	if (l->watchdog_ms == 0 || now_ms < l->alive_at_ms)
		return;
	daemon_notify("WATCHDOG=1");
	l->alive_at_ms = now_ms + l->watchdog_ms / 4;
}

int loop_run(const struct daemon_options *o, struct settings *s, struct db *d)
{
	struct loop l = {.options = o};
	struct pg *centre = pg_new(s->centre, HOST_TIMEOUT_MS);

	if (centre == NULL)
		return EX_OSERR;
	host_init(&l.host, s, d, centre);
	l.watchdog_ms = daemon_watchdog_ms();
	while (!l.must_end) {
		step(&l);
		tell_alive(&l);
		take_signals(&l);
	}
	pg_free(centre);
	return EX_OK;
}
