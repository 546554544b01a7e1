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

#define PAGE_ROWS "2000" /* rules that travel at once */
#define LOCK_WAIT_MS 10000
#define ROUNDS_MAX 1000000 /* of pulls that bring something, in one go */

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
	char id[40] = "";
	struct stat st;

	memset(h, 0, sizeof *h);
	h->settings = s;
	h->db = d;
	h->centre = centre;
	if (file != NULL) {
		if (fgets(id, sizeof id, file) == NULL)
			id[0] = '\0';
		id[strcspn(id, "\n")] = '\0';
		fclose(file);
	}
	if (s->database_path == NULL || stat(s->database_path, &st) != 0)
		memset(&st, 0, sizeof st);
	snprintf(h->boot, sizeof h->boot, "%s:%ju:%ju", id, (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
}

int host_fail(struct host *h, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(h->error, sizeof h->error, format, arguments);
	va_end(arguments);
	return -1;
}

static int fail_db(struct host *h)
{
	return host_fail(h, "%s", db_error(h->db));
}

static int fail_pg(struct host *h)
{
	h->is_refused = pg_was_refused(h->centre);
	return host_fail(h, "the centre: %s", pg_error(h->centre));
}

int host_read(struct host *h)
{
	const int got = site_read(h->db, &h->state);

	return got < 0 ? fail_db(h) : got;
}

/* ---- asking ---- */

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value != NULL ? value : "";
}

/* One call whose answer is JSON. NULL: failed. */
static json_t *ask(struct host *h, const char *sql, int n, const char *const *parameters)
{
	json_error_t e;
	json_t *answer;
	char *out;

	if (pg_call(h->centre, sql, n, parameters, &out) != 0) {
		fail_pg(h);
		return NULL;
	}
	answer = out != NULL ? json_loads(out, 0, &e) : NULL;
	free(out);
	if (answer == NULL) {
		host_fail(h, "the centre: an answer that is none");
		return NULL;
	}
	if (json_object_get(answer, "error") != NULL) {
		host_fail(h, "the centre: %s", text(answer, "error"));
		h->is_refused = true;
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
	json_t *o = json_object();
	char *out;

	site_backlog(h->db, &n, &oldest_unix, &n_lost);
	if (h->state.here_paused_until_unix > clock_now_unix())
		snprintf(here, sizeof here, "paused");
	site_here_list(h->db, clock_now_unix(), note_here, here);
	json_object_set_new(o, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(o, "rules_no", json_integer(h->state.rules_no));
	json_object_set_new(o, "rules_mark", json_string(h->state.rules_mark));
	json_object_set_new(o, "feed_no", json_integer(h->state.feed_no));
	json_object_set_new(o, "started", json_string(h->state.started));
	json_object_set_new(o, "waiting", json_integer(n));
	json_object_set_new(o, "oldest", json_integer(oldest_unix));
	json_object_set_new(o, "offset", json_integer(h->state.offset_ms));
	json_object_set_new(o, "here", json_string(here));
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return out;
}

/* ---- applying ---- */

/* The rows of a change or a snapshot, page by page. */
static int apply_rows(struct host *h, struct site_edit *e, const char *sql, int64_t no)
{
	char number_text[24], after[24] = "0";
	const char *parameters[2] = {after, NULL};
	const bool is_snapshot = no == 0;
	size_t n;

	snprintf(number_text, sizeof number_text, "%" PRId64, no);
	if (!is_snapshot) {
		parameters[0] = number_text;
		parameters[1] = after;
	}
	do {
		json_t *page = ask(h, sql, is_snapshot ? 1 : 2, parameters);

		if (page == NULL)
			return -1;
		n = json_array_size(page);
		for (size_t i = 0; i < n; i++) {
			const json_t *row = json_array_get(page, i);
			const struct site_rule r = {
				.text = json_string_value(json_array_get(row, 1)),
				.is_removal = json_is_true(json_array_get(row, 2)),
				.id = json_integer_value(json_array_get(row, 3)),
				.author = json_string_value(json_array_get(row, 4)),
				.created_at_unix = json_integer_value(json_array_get(row, 5)),
			};

			snprintf(after, sizeof after, "%" PRId64,
				 (int64_t)json_integer_value(json_array_get(row, 0)));
			if (r.text == NULL || r.author == NULL || site_edit_row(e, &r) != 0) {
				json_decref(page);
				return fail_db(h);
			}
		}
		json_decref(page);
	} while (n > 0);
	return 0;
}

static int apply_edit(struct host *h, const struct site_change *c, const char *sql, bool is_snapshot)
{
	struct site_edit *e = site_edit_begin(h->db, c, is_snapshot);

	if (e == NULL)
		return fail_db(h);
	if (apply_rows(h, e, sql, is_snapshot ? 0 : c->no) == 0)
		return site_edit_commit(e) == 0 ? 0 : fail_db(h);
	site_edit_abort(e);
	return -1;
}

static int apply_forget(struct host *h, const struct site_change *c, const json_t *keys)
{
	const char *sender[2], *recipient[2];
	size_t n = json_array_size(keys);

	if (n > 2)
		n = 2;
	for (size_t i = 0; i < n; i++) {
		sender[i] = json_string_value(json_array_get(json_array_get(keys, i), 0));
		recipient[i] = json_string_value(json_array_get(json_array_get(keys, i), 1));
		if (sender[i] == NULL || recipient[i] == NULL)
			return host_fail(h, "the centre: a change that cannot be read");
	}
	return site_apply_forget(h->db, c, n, sender, recipient) == 0 ? 0 : fail_db(h);
}

static int apply_change(struct host *h, const json_t *o)
{
	const json_t *detail = json_object_get(o, "detail");
	const struct site_change c = {
		.no = number(o, "no"),
		.time_unix = number(o, "time"),
		.undoes = number(o, "undoes"),
		.mark = text(o, "mark"),
		.author = text(o, "author"),
		.what = text(o, "what"),
		.owner = text(o, "owner"),
		.before = text(detail, "before"),
		.after = text(detail, "after"),
		.is_pause = json_is_true(json_object_get(detail, "is_pause")),
		.paused_until_unix = number(detail, "paused_until"),
	};

	if (c.is_pause)
		return site_apply_pause(h->db, &c) == 0 ? 0 : fail_db(h);
	if (json_object_get(detail, "keys") != NULL)
		return apply_forget(h, &c, json_object_get(detail, "keys"));
	return apply_edit(h, &c, "SELECT pgpgate.change_rows($1, $2, " PAGE_ROWS ")", false);
}

/* All rules at once: this host is new, or the centre is not what it was. */
static int take_snapshot(struct host *h)
{
	json_t *head;
	int result = -1;

	if (pg_call(h->centre, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, NULL) != 0)
		return fail_pg(h);
	head = ask(h, "SELECT pgpgate.snapshot_head()", 0, NULL);
	if (head != NULL) {
		const struct site_change c = {.no = number(head, "no"),
					      .mark = text(head, "mark"),
					      .time_unix = clock_now_unix(),
					      .author = "pgpgate-sync",
					      .what = "snapshot"};

		result = apply_edit(h, &c, "SELECT pgpgate.snapshot_rows($1, " PAGE_ROWS ")", true);
		if (result == 0 && site_set_pause(h->db, number(head, "paused")) != 0)
			result = fail_db(h);
		json_decref(head);
	}
	if (pg_is_open(h->centre))
		pg_call(h->centre, "ROLLBACK", 0, NULL, NULL);
	return result;
}

/* Under the lock, against what was applied meanwhile by another process. */
static int apply_rules(struct host *h, const json_t *answer)
{
	const json_t *changes = json_object_get(answer, "changes");
	const int64_t asked_no = h->state.rules_no;
	int result = 0;

	if (host_read(h) != 1)
		return host_fail(h, "this host belongs to no site any more");
	if (json_is_true(json_object_get(answer, "snapshot")))
		return h->state.rules_no == asked_no ? take_snapshot(h) : 0;
	for (size_t i = 0; i < json_array_size(changes) && result == 0; i++) {
		const json_t *o = json_array_get(changes, i);

		if (number(o, "no") > h->state.rules_no)
			result = apply_change(h, o);
	}
	return result;
}

static int apply_feed(struct host *h, const json_t *answer)
{
	const json_t *feed = json_object_get(answer, "feed");
	const int64_t feed_no = number(answer, "feed_no");
	char *dump;
	int result;

	if (strcmp(text(answer, "started"), h->state.started) != 0 &&
	    site_note_started(h->db, text(answer, "started")) != 0)
		return fail_db(h);
	if (strcmp(text(answer, "started"), h->state.started) != 0) {
		h->has_told_all = false;
		memset(&h->walk, 0, sizeof h->walk);
	}
	if (feed_no == h->state.feed_no && json_array_size(feed) == 0)
		return 0;
	dump = json_dumps(feed, JSON_COMPACT);
	if (dump == NULL)
		return host_fail(h, "out of memory");
	result = site_apply_feed(h->db, dump, feed_no, clock_now_unix());
	free(dump);
	return result == 0 ? 0 : fail_db(h);
}

static int check_answer(struct host *h, const json_t *answer, int64_t asked_ms, int64_t answered_ms,
			int64_t *offset_ms)
{
	char check[HASHED_CHECK_MAX] = "";
	const struct hashed *hashed = db_hashed(h->db);

	*offset_ms = (asked_ms + answered_ms) / 2 - number(answer, "now_ms");
	if (strcmp(text(answer, "site"), h->state.site_id) != 0)
		return host_fail(h,
				 "the centre is that of another site (%s); `pgpgate site join` "
				 "enters it",
				 text(answer, "site"));
	if (*offset_ms > HOST_OFFSET_MAX_MS || *offset_ms < -HOST_OFFSET_MAX_MS)
		return host_fail(h,
				 "the clocks of this host and of the centre differ by %" PRId64
				 " s: nothing is exchanged; set them right",
				 *offset_ms / 1000);
	if (h->settings->hash_addresses && hashed->has_key &&
	    strcmp(hashed_check(hashed, check), text(answer, "hash_check")) != 0)
		return host_fail(h,
				 "the key of hashed addresses is not the site's: no pair would be "
				 "known again; see pgpgate-site(7), HASHED ADDRESSES");
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 1: there may be more, 0: that was all, -1. */
static int pull_once(struct host *h)
{
	const int64_t asked_ms = now_ms();
	char *about = introduction(h);
	const char *const parameters[] = {h->state.host_id, h->boot, about};
	json_t *answer = about != NULL
				 ? ask(h, "SELECT pgpgate.pull($1, $2, $3::jsonb)", 3, parameters)
				 : NULL;
	int64_t offset_ms, before_no = h->state.rules_no, before_feed = h->state.feed_no;
	bool was_new;
	int lock, result;

	free(about);
	if (answer == NULL)
		return -1;
	result = check_answer(h, answer, asked_ms, now_ms(), &offset_ms);
	lock = result == 0 ? site_lock(h->db, LOCK_WAIT_MS) : -1;
	if (lock >= 0) {
		h->head_no = number(answer, "no");
		was_new = strcmp(text(answer, "started"), h->state.started) != 0;
		result = apply_rules(h, answer);
		if (result == 0)
			result = apply_feed(h, answer);
		if (result == 0 && host_read(h) == 1) {
			const bool has_more = h->state.rules_no < h->head_no || was_new ||
					      h->state.feed_no != before_feed ||
					      h->state.rules_no != before_no;

			/* Fresh is only who knows all of it. */
			if (!has_more && site_note_pull(h->db, clock_now_unix(), offset_ms,
							number(answer, "pushed")) != 0)
				result = fail_db(h);
			else
				result = has_more;
		}
		close(lock);
	} else if (result == 0) {
		result = lock == -2 ? host_fail(h, "another process applies changes") : fail_db(h);
	}
	json_decref(answer);
	return result;
}

int host_pull(struct host *h)
{
	int result = 1;

	h->is_refused = false;
	for (int i = 0; i < ROUNDS_MAX && result == 1; i++)
		result = host_read(h) == 1 ? pull_once(h)
					   : host_fail(h, "this host belongs to no site");
	if (result < 0)
		return -1;
	return host_read(h) == 1 ? 0 : -1;
}

/* Hands a batch over. 0 or -1. */
static int send_batch(struct host *h, const struct site_batch *b)
{
	char to[24];
	const char *const parameters[] = {h->state.host_id, h->boot, to,
					  b->rows,	    b->feed, b->retracted};
	json_t *answer;

	snprintf(to, sizeof to, "%" PRId64, b->to_no);
	answer = ask(h, "SELECT pgpgate.push($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb)", 6,
		     parameters);
	if (answer == NULL)
		return -1;
	json_decref(answer);
	return site_batch_done(h->db, b) == 0 ? 0 : fail_db(h);
}

int host_push(struct host *h, int n_rows)
{
	struct site_batch b;
	int result = 0;

	if (site_batch_read(h->db, h->state.pushed_no, n_rows, clock_now_unix(), &b) != 0)
		return fail_db(h);
	if (b.to_no > b.from_no || strcmp(b.feed, "[]") != 0 || b.retracted_to != 0)
		result = send_batch(h, &b);
	if (result == 0) {
		result = b.to_no > b.from_no;
		h->state.pushed_no = b.to_no;
	}
	site_batch_free(&b);
	return result;
}

int host_tell_all(struct host *h)
{
	struct site_walk walk = h->walk;
	struct site_batch b;
	const int more = site_walk_read(h->db, &walk, &b);
	int result = more;

	if (more < 0)
		return fail_db(h);
	if (strcmp(b.feed, "[]") != 0 && send_batch(h, &b) != 0)
		result = -1;
	if (result >= 0) {
		h->walk = walk;
		h->has_told_all = more == 0;
	}
	site_batch_free(&b);
	return result;
}
