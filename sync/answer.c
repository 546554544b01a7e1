/* SPDX-License-Identifier: ISC */
#include "sync/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES_MAX 511	       /* of an address as it is stored: db/engine/key.h */
#define TIME_MAX INT64_C(253402300799) /* the last second of the year 9999 */
#define COUNT_MAX 1000000
#define SPLIT_FLAGS 7
#define DIGEST_DIGITS 64

int64_t answer_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

const char *answer_text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value != NULL ? value : "";
}

static int take_text(const json_t *o, const char *key, char *out, size_t size)
{
	const char *text = answer_text(o, key);

	if (strlen(text) >= size)
		return -1;
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* 0 <= number <= most. */
static int take_number(const json_t *o, const char *key, int64_t most, int64_t *out)
{
	const json_t *value = json_object_get(o, key);

	*out = json_integer_value(value);
	return json_is_integer(value) && *out >= 0 && *out <= most ? 0 : -1;
}

bool answer_is_uuid(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36;
}

/* ---- feed ---- */

static bool is_split(const char *which, int64_t flags)
{
	const char *colon = strchr(which, ':');

	return colon != NULL && colon > which && colon - which <= 18 &&
	       strspn(which, "0123456789") == (size_t)(colon - which) &&
	       strlen(colon + 1) == DIGEST_DIGITS &&
	       strspn(colon + 1, "0123456789ABCDEF") == DIGEST_DIGITS && flags <= SPLIT_FLAGS;
}

static bool is_day(const char *c, int64_t now_unix)
{
	return c[0] != '\0' && strlen(c) <= 6 && strspn(c, "0123456789") == strlen(c) &&
	       strtoll(c, NULL, 10) <= now_unix / 86400 + 1;
}

bool answer_item_is_good(const json_t *item, int64_t now_unix)
{
	const char *text[4];
	int64_t x, y;

	if (!json_is_array(item) || json_array_size(item) < 6)
		return false;
	for (size_t i = 0; i < 4; i++) {
		text[i] = json_string_value(json_array_get(item, i));
		if (text[i] == NULL || strlen(text[i]) > KEY_BYTES_MAX)
			return false;
	}
	if (!json_is_integer(json_array_get(item, 4)) || !json_is_integer(json_array_get(item, 5)))
		return false;
	x = json_integer_value(json_array_get(item, 4));
	y = json_integer_value(json_array_get(item, 5));
	/* A time that is to come would hold a window open, or a pair for ever. */
	if (text[1][0] == '\0' || x < 0 || y <= 0 || y > now_unix + ANSWER_AHEAD_S)
		return false;
	if (strcmp(text[0], "pair") == 0)
		return text[2][0] != '\0' && text[3][0] == '\0' && x > 0 && x <= y;
	if (strcmp(text[0], "window") == 0)
		return text[2][0] != '\0' && text[3][0] == '\0' && x <= y;
	if (strcmp(text[0], "bounce") == 0)
		return text[2][0] == '\0' && text[3][0] == '\0' && x <= y;
	if (strcmp(text[0], "split") == 0)
		return text[2][0] != '\0' && is_split(text[3], x);
	return strcmp(text[0], "count") == 0 && answer_is_uuid(text[2]) &&
	       is_day(text[3], now_unix) && x <= COUNT_MAX;
}

static int take_feed(const json_t *o, int64_t now_unix, struct answer *out)
{
	const json_t *feed = json_object_get(o, "feed");
	json_t *good;
	bool is_whole = true;

	if (!json_is_array(feed))
		return -1;
	good = json_array();
	for (size_t i = 0; i < json_array_size(feed); i++) {
		json_t *item = json_array_get(feed, i);

		if (!answer_item_is_good(item, now_unix))
			out->n_bad++;
		else if (json_array_append(good, item) == 0)
			out->n_feed++;
		else
			is_whole = false; /* no memory: nobody would tell it again */
	}
	out->feed = is_whole ? json_dumps(good, JSON_COMPACT) : NULL;
	json_decref(good);
	return out->feed != NULL ? 0 : -1;
}

/* ---- changes ---- */

static bool change_is_good(const json_t *change, int64_t no)
{
	static const char *const texts[] = {"author", "what"};
	const json_t *detail = json_object_get(change, "detail");
	int64_t number;

	if (take_number(change, "no", ANSWER_NUMBER_MAX, &number) != 0 || number != no ||
	    take_number(change, "time", TIME_MAX, &number) != 0 ||
	    take_number(change, "n_rows", ANSWER_NUMBER_MAX, &number) != 0)
		return false;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!json_is_string(json_object_get(change, texts[i])))
			return false;
	if (answer_number(change, "undoes") < 0 || answer_number(change, "undoes") >= no)
		return false;
	return answer_is_uuid(answer_text(change, "mark")) && json_is_object(detail) &&
	       take_number(detail, "paused_until", TIME_MAX, &number) == 0;
}

static void take_changes(const json_t *o, int64_t after_no, struct answer *out)
{
	json_t *changes = json_object_get(o, "changes");
	const size_t n = json_array_size(changes);

	out->needs_snapshot = !json_is_false(json_object_get(o, "snapshot"));
	for (size_t i = 0; i < n && !out->needs_snapshot; i++)
		if (!change_is_good(json_array_get(changes, i), after_no + 1 + (int64_t)i))
			out->needs_snapshot = true;
	/* Behind, and nothing comes: its rows are gone. */
	if (n == 0 && out->no > after_no)
		out->needs_snapshot = true;
	out->changes = json_is_array(changes) ? json_incref(changes) : json_array();
}

/* ---- all of it ---- */

/* A centre of the version before has none. */
static void take_incarnation(const json_t *o, struct answer *out)
{
	if (take_number(o, "incarnation", ANSWER_NUMBER_MAX, &out->incarnation) != 0 ||
	    !answer_is_uuid(answer_text(o, "incarnation_mark")) ||
	    take_text(o, "incarnation_mark", out->incarnation_mark, sizeof out->incarnation_mark) !=
		    0)
		out->incarnation = 0;
}

static int take_head(const json_t *o, struct answer *out)
{
	if (take_text(o, "site", out->site, sizeof out->site) != 0 || !answer_is_uuid(out->site) ||
	    take_text(o, "mark", out->mark, sizeof out->mark) != 0 || !answer_is_uuid(out->mark) ||
	    take_text(o, "started", out->started, sizeof out->started) != 0 ||
	    take_text(o, "hash_check", out->hash_check, sizeof out->hash_check) != 0)
		return -1;
	if (take_number(o, "version", 1000000, &out->version) != 0 ||
	    take_number(o, "no", ANSWER_NUMBER_MAX, &out->no) != 0 ||
	    take_number(o, "feed_no", ANSWER_NUMBER_MAX, &out->feed_no) != 0 ||
	    take_number(o, "pushed", ANSWER_NUMBER_MAX, &out->pushed_no) != 0)
		return -1;
	return take_number(o, "now_ms", TIME_MAX * 1000, &out->now_ms);
}

int answer_read(const char *text, int64_t after_no, int64_t now_unix, struct answer *out, char *err,
		size_t err_size)
{
	json_error_t e;
	json_t *o = json_loads(text, 0, &e);
	int result = -1;

	memset(out, 0, sizeof *out);
	if (o == NULL || !json_is_object(o))
		snprintf(err, err_size, "an answer that is none");
	else if (take_head(o, out) != 0 || take_feed(o, now_unix, out) != 0)
		snprintf(err, err_size, "an answer that cannot be: is its database damaged?");
	else
		result = 0;
	if (result == 0) {
		take_changes(o, after_no, out);
		take_incarnation(o, out);
	}
	out->must_sweep = result == 0 && json_is_true(json_object_get(o, "sweep"));
	json_decref(o);
	if (result != 0)
		answer_free(out);
	return result;
}

void answer_free(struct answer *a)
{
	json_decref(a->changes);
	free(a->feed);
	memset(a, 0, sizeof *a);
}
