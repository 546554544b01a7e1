/* SPDX-License-Identifier: ISC */
#include "sync/host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/hashed.h"
#include "sync/answer.h"
#include "sync/apply.h"

#define LOCK_WAIT_MS 10000
#define INTRODUCTION_MEMBERS 13
#define TELL_ROWS 2000	 /* of all history, at once */
#define ROUNDS_MAX 10000 /* of pulls that bring something, in one go */

/* ---- who we are ---- */

const char *host_name(const struct settings *s)
{
	static char name[64];

	if (s->host_name[0] != '\0')
		return s->host_name;
	if (gethostname(name, sizeof name) != 0)
		return "localhost";
	name[sizeof name - 1] = '\0';
	return name;
}

void host_init(struct host *h, struct settings *s, struct db *d, struct pg *centre)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	memset(h, 0, sizeof *h);
	h->settings = s;
	h->db = d;
	h->centre = centre;
	h->pushed_no = -1;
	if (file != NULL) {
		if (fgets(h->machine, sizeof h->machine, file) == NULL)
			h->machine[0] = '\0';
		h->machine[strcspn(h->machine, "\n")] = '\0';
		fclose(file);
	}
}

/* This machine and this file: another one may have been put in its place since. */
void host_look_at_file(struct host *h)
{
	const struct settings *s = h->settings;
	char boot[sizeof h->boot];
	struct stat st;

	if (s->database_path == NULL || stat(s->database_path, &st) != 0)
		memset(&st, 0, sizeof st);
	snprintf(boot, sizeof boot, "%s:%ju:%ju", h->machine, (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	if (strcmp(boot, h->boot) != 0)
		h->pushed_no = -1;
	memcpy(h->boot, boot, sizeof h->boot);
}

int host_fail(struct host *h, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(h->error, sizeof h->error, format, arguments);
	va_end(arguments);
	return -1;
}

int host_fail_db(struct host *h)
{
	return host_fail(h, "%s", db_error(h->db));
}

int host_fail_pg(struct host *h)
{
	h->is_refused = pg_was_refused(h->centre) && !pg_was_unable(h->centre);
	return host_fail(h, "the centre: %s", pg_error(h->centre));
}

int host_read(struct host *h)
{
	const int got = site_read(h->db, &h->state);

	if (got == 1 && h->pushed_no < 0)
		h->pushed_no = h->state.pushed_no;
	return got < 0 ? host_fail_db(h) : got;
}

/* ---- asking ---- */

char *host_ask_text(struct host *h, const char *sql, int n, const char *const *parameters)
{
	char *out;

	if (pg_call(h->centre, sql, n, parameters, &out) != 0) {
		host_fail_pg(h);
		return NULL;
	}
	if (out == NULL)
		host_fail(h, "the centre: an answer that is none");
	return out;
}

json_t *host_ask(struct host *h, const char *sql, int n, const char *const *parameters)
{
	char *text = host_ask_text(h, sql, n, parameters);
	json_error_t e;
	json_t *answer;

	if (text == NULL)
		return NULL;
	answer = json_loads(text, 0, &e);
	free(text);
	if (answer == NULL) {
		host_fail(h, "the centre: an answer that is none");
		return NULL;
	}
	if (json_object_get(answer, "error") != NULL) {
		host_fail(h, "the centre: %s", answer_text(answer, "error"));
		h->is_refused = true;
		h->taken_no = answer_number(answer, "taken");
		json_decref(answer);
		return NULL;
	}
	return answer;
}

static int note_here(void *context, const char *recipient, const char *author, int64_t expires_unix)
{
	char *out = context;
	const size_t used = strlen(out);

	(void)author;
	(void)expires_unix;
	snprintf(out + used, 1000 - used, "%sexempt %.200s", used > 0 ? ", " : "", recipient);
	return used > 700;
}

/* What this host says of itself. */
static char *introduction(struct host *h)
{
	int64_t n = 0, oldest_unix = 0, n_lost;
	char here[1000] = "";
	json_t *o = json_object(), *shown;
	char *out;

	site_backlog(h->db, &n, &oldest_unix, &n_lost);
	if (n_lost > 0 && !h->told_lost)
		log_warning("%" PRId64 " verdicts were removed by age (unpushed_max) before the "
			    "centre had them",
			    n_lost);
	h->told_lost = n_lost > 0;
	if (h->state.here_paused_until_unix > clock_now_unix())
		snprintf(here, sizeof here, "paused");
	site_here_list(h->db, clock_now_unix(), note_here, here);
	json_object_set_new(o, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(o, "rules_no", json_integer(h->state.rules_no));
	json_object_set_new(o, "rules_mark", json_string(h->state.rules_mark));
	json_object_set_new(o, "feed_no", json_integer(h->state.feed_no));
	json_object_set_new(o, "incarnation", json_integer(h->state.incarnation));
	json_object_set_new(o, "incarnation_mark", json_string(h->state.incarnation_mark));
	json_object_set_new(o, "started", json_string(h->state.started));
	json_object_set_new(o, "waiting", json_integer(n));
	json_object_set_new(o, "oldest", json_integer(oldest_unix));
	json_object_set_new(
		o, "offset",
		json_integer(h->wrong_offset_ms != 0 ? h->wrong_offset_ms : h->state.offset_ms));
	shown = json_string(here); /* NULL where a name was cut within a character, too */
	json_object_set_new(o, "here", shown != NULL ? shown : json_string("exempt"));
	json_object_set_new(o, "verdict_retention", json_integer(h->settings->verdict_retention_s));
	json_object_set_new(o, "pair_retention", json_integer(h->settings->pair_retention_s));
	/* Nothing is said in part: the centre would take what is missing for what is not so. */
	out = json_object_size(o) == INTRODUCTION_MEMBERS ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (out == NULL)
		host_fail(h, "out of memory");
	return out;
}

static bool is_exchanged(int64_t offset_ms)
{
	return offset_ms <= HOST_OFFSET_MAX_MS && offset_ms >= -HOST_OFFSET_MAX_MS;
}

static int check_answer(struct host *h, const struct answer *answer, int64_t asked_ms,
			int64_t answered_ms, int64_t *offset_ms)
{
	char check[HASHED_CHECK_MAX] = "";
	const struct hashed *hashed = db_hashed(h->db);

	*offset_ms = (asked_ms + answered_ms) / 2 - answer->now_ms;
	h->wrong_offset_ms = is_exchanged(*offset_ms) ? 0 : *offset_ms;
	if (strcmp(answer->site, h->state.site_id) != 0)
		return host_fail(h,
				 "the centre is that of another site (%s); `pgpgate site join` "
				 "enters it",
				 answer->site);
	if (!is_exchanged(*offset_ms))
		return host_fail(h,
				 "the clocks of this host and of the centre differ by %" PRId64
				 " s: nothing is exchanged; set them right",
				 *offset_ms / 1000);
	if (answer->version > HOST_SCHEMA_VERSION + 1)
		return host_fail(h,
				 "the centre has schema version %" PRId64
				 ", this pgpgate knows %d: nothing is exchanged until it is "
				 "upgraded",
				 answer->version, HOST_SCHEMA_VERSION);
	h->version = answer->version;
	if (h->settings->hash_addresses && hashed->has_key &&
	    strcmp(hashed_check(hashed, check), answer->hash_check) != 0)
		return host_fail(h,
				 "the key of hashed addresses is not the site's: no pair would be "
				 "known again; see pgpgate-site(7), HASHED ADDRESSES");
	return 0;
}

/* It answers with a sentence. */
static bool refuses(struct host *h, const char *text)
{
	json_error_t e;
	json_t *o = json_loads(text, 0, &e);
	const bool does = json_object_get(o, "error") != NULL;

	if (does)
		host_fail(h, "the centre: %s", answer_text(o, "error"));
	h->is_refused = does;
	json_decref(o);
	return does;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Under the lock. What the feed says does not wait for a rule that cannot be read. */
static int apply_answer(struct host *h, const struct answer *answer)
{
	const int failed = apply_rules(h, answer);

	if (failed == 0 || pg_is_open(h->centre)) {
		char error[HOST_ERROR_MAX];
		int result;

		memcpy(error, h->error, sizeof error);
		result = apply_feed(h, answer);
		if (failed != 0)
			memcpy(h->error, error, sizeof error);
		return failed != 0 ? failed : result;
	}
	return failed;
}

/* 1: there may be more, 0: that was all, -1. */
static int settle(struct host *h, const struct answer *answer, int64_t offset_ms)
{
	const int64_t before_no = h->state.rules_no, before_feed = h->state.feed_no;
	const bool was_new = strcmp(answer->started, h->state.started) != 0;

	h->head_no = answer->no;
	h->must_sweep = answer->must_sweep;
	if (answer->incarnation > h->state.incarnation &&
	    site_note_incarnation(h->db, answer->incarnation, answer->incarnation_mark) != 0)
		return host_fail_db(h);
	if (apply_answer(h, answer) != 0 || host_read(h) != 1)
		return -1;
	if (h->state.rules_no < h->head_no || was_new || h->state.feed_no != before_feed ||
	    h->state.rules_no != before_no)
		return 1;
	/* A centre that lost rows gets them again; one that has more than we know may have another
	 * life's. */
	if (answer->pushed_no < h->pushed_no)
		h->pushed_no = answer->pushed_no;
	/* Fresh is only who knows all of it. */
	return site_note_pull(h->db, clock_now_unix(), offset_ms, h->pushed_no) == 0
		       ? 0
		       : host_fail_db(h);
}

static int pull_once(struct host *h)
{
	const int64_t asked_ms = now_ms();
	char *about = introduction(h), *text = NULL;
	const char *const parameters[] = {h->state.host_id, h->boot, about};
	struct answer answer;
	char why[100];
	int64_t offset_ms;
	int lock, result;

	h->was_answered = false;
	if (about != NULL)
		text = host_ask_text(h, "SELECT pgpgate.pull($1, $2, $3::jsonb)", 3, parameters);
	free(about);
	if (text == NULL)
		return -1;
	if (refuses(h, text)) {
		free(text);
		return -1;
	}
	result = answer_read(text, h->state.rules_no, clock_now_unix(), &answer, why, sizeof why);
	free(text);
	if (result != 0)
		return host_fail(h, "the centre: %s", why);
	result = check_answer(h, &answer, asked_ms, now_ms(), &offset_ms);
	h->was_answered = result == 0;
	if (answer.n_bad > 0 && !h->told_bad)
		log_warning("the centre: %zu items of what hosts tell each other cannot be used, "
			    "and are "
			    "left out",
			    answer.n_bad);
	h->told_bad = h->told_bad || answer.n_bad > 0;
	lock = result == 0 ? site_lock(h->db, LOCK_WAIT_MS) : -1;
	if (lock >= 0) {
		result = settle(h, &answer, offset_ms);
		close(lock);
	} else if (result == 0) {
		result = lock == -2 ? host_fail(h, "another process applies changes")
				    : host_fail_db(h);
	}
	answer_free(&answer);
	return result;
}

int host_pull(struct host *h)
{
	int result = 1;

	h->is_refused = false;
	host_look_at_file(h);
	for (int i = 0; i < ROUNDS_MAX && result == 1; i++)
		result = host_read(h) == 1 ? pull_once(h)
					   : host_fail(h, "this host belongs to no site");
	if (result < 0)
		return -1;
	return host_read(h) == 1 ? 0 : -1;
}
