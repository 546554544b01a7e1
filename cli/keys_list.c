/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys list, keys expiring: keys, their ends, and how many messages of late named each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rule_add.h"
#include "common/clock.h"
#include "db/hashed.h"
#include "db/report.h"

#define USED_WITHIN_S (30 * 86400)

struct used_key {
	struct recipient_key key;
	uint64_t hashed_id;
	int64_t n_messages;
};

struct listing {
	struct used_key *list;
	size_t n, room;
};

static int gather(void *context, const struct recipient_key *k)
{
	struct listing *l = context;

	if (l->n == l->room) {
		const size_t room = l->room == 0 ? 256 : 2 * l->room;

		l->list = output_memory(l->list, room * sizeof(*l->list));
		l->room = room;
	}
	memset(&l->list[l->n], 0, sizeof(l->list[0]));
	l->list[l->n++].key = *k;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct used_key *const *left = a, *const *right = b;

	return (*left)->key.key_id < (*right)->key.key_id
		       ? -1
		       : (*left)->key.key_id > (*right)->key.key_id;
}

static int by_hash(const void *a, const void *b)
{
	const struct used_key *const *left = a, *const *right = b;

	return (*left)->hashed_id < (*right)->hashed_id ? -1
							: (*left)->hashed_id > (*right)->hashed_id;
}

struct counting {
	struct used_key **by_id, **by_hash;
	size_t n;
};

static void count_id(struct counting *c, uint64_t id, bool is_hashed)
{
	struct used_key **list = is_hashed ? c->by_hash : c->by_id;
	size_t low = 0, high = c->n;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if ((is_hashed ? list[middle]->hashed_id : list[middle]->key.key_id) < id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < c->n && (is_hashed ? list[low]->hashed_id : list[low]->key.key_id) == id;
	     low++)
		list[low]->n_messages++;
}

static int count_row(void *context, const struct report_row *row)
{
	const struct judgement *j = &row->judgement;

	for (size_t i = 0; i < j->n_key_ids; i++) {
		bool is_new = j->key_ids[i] != 0;

		for (size_t k = 0; k < i; k++)
			is_new = is_new && j->key_ids[k] != j->key_ids[i];
		if (is_new)
			count_id(context, j->key_ids[i], j->has_hashed_key_ids);
	}
	return 0;
}

static int count_use(struct db *d, struct listing *l, int64_t now_unix)
{
	struct counting c = {.n = l->n};
	int result;

	if (l->n == 0)
		return 0;
	c.by_id = calloc(2 * l->n, sizeof(*c.by_id));
	if (c.by_id == NULL)
		return 1;
	c.by_hash = c.by_id + l->n;
	for (size_t i = 0; i < l->n; i++) {
		l->list[i].hashed_id = db_hashed(d)->has_key
					       ? hashed_key_id(db_hashed(d), l->list[i].key.key_id)
					       : 0;
		c.by_id[i] = c.by_hash[i] = &l->list[i];
	}
	qsort(c.by_id, l->n, sizeof(*c.by_id), by_id);
	qsort(c.by_hash, l->n, sizeof(*c.by_hash), by_hash);
	result = report_rows(d, now_unix - USED_WITHIN_S, 0, count_row, &c);
	free(c.by_id);
	return result;
}

static void print_key(const struct cli *cli, const struct used_key *u, int64_t now_unix)
{
	const struct recipient_key *k = &u->key;
	const char *state = key_state_name(keys_state_at(k, now_unix));
	char clean[OUTPUT_TEXT_MAX], when[CLOCK_TEXT_MAX], id[20], number[OUTPUT_NUMBER_MAX];

	snprintf(id, sizeof(id), "%016" PRIX64, k->key_id);
	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "pattern", output_json_text(k->pattern));
		json_object_set_new(o, "fingerprint", json_string(k->fingerprint));
		json_object_set_new(o, "key_id", json_string(id));
		json_object_set_new(o, "certificate",
				    k->primary_fingerprint[0] != '\0'
					    ? json_string(k->primary_fingerprint)
					    : json_null());
		json_object_set_new(o, "state", json_string(state));
		json_object_set_new(o, "from_at", output_json_time(k->from_unix));
		json_object_set_new(o, "until_at", output_json_time(k->until_unix));
		json_object_set_new(o, "source", json_string(k->source));
		json_object_set_new(o, "note", output_json_text(k->note));
		json_object_set_new(o, "author", output_json_text(k->author));
		json_object_set_new(o, "created_at", output_json_time(k->created_at_unix));
		json_object_set_new(o, "messages", json_integer(u->n_messages));
		output_json(o);
		return;
	}
	printf("%s\n  %s  %s", output_clean(clean, sizeof(clean), k->pattern), k->fingerprint,
	       state);
	if (k->until_unix != 0)
		printf("%s%s", k->state == KEY_ACTIVE ? " until " : " since ",
		       output_time(k->until_unix, when));
	if (key_is_spare(k))
		printf("; not made to encrypt to");
	printf("; %s %s in 30 days%s%s\n", output_number(number, u->n_messages),
	       output_plural(u->n_messages, "message", "messages"), k->note[0] != '\0' ? "; " : "",
	       output_clean(clean, sizeof(clean), k->note));
}

int keys_show_group(void *context, const char *pattern, const char *member, bool wants_all)
{
	const struct cli *cli = context;
	char clean[OUTPUT_TEXT_MAX];

	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "pattern", output_json_text(pattern));
		json_object_set_new(o, "member", output_json_text(member));
		json_object_set_new(o, "all", json_boolean(wants_all));
		output_json(o);
		return 0;
	}
	printf("%s", output_clean(clean, sizeof(clean), pattern));
	printf(" stands for%s %s\n", wants_all ? " all of:" : "",
	       output_clean(clean, sizeof(clean), member));
	return 0;
}

int keys_run_list(struct cli *cli, int argc, char **argv)
{
	const int64_t now_unix = clock_now_unix();
	struct listing l = {.n = 0};
	struct pattern pattern;
	struct settings *s;
	char **operands;
	struct db *d;
	const int n = options_parse(cli, argc, argv, NULL, 0, NULL, &operands);
	const char *only = NULL;
	int code = 0;

	if (n > 1)
		cli_misuse(cli, "one pattern, or none");
	s = open_settings(cli);
	if (n == 1) {
		rule_add_pattern(cli, s, operands[0], false, &pattern);
		only = pattern.text;
	}
	d = open_database(s, DB_READ);
	if (keys_list(d, only, 0, gather, &l) != 0 || count_use(d, &l, now_unix) != 0)
		code = open_failed(d);
	for (size_t i = 0; i < l.n && code == 0; i++)
		print_key(cli, &l.list[i], now_unix);
	if (code == 0 && keys_groups(d, only, keys_show_group, cli) < 0)
		code = open_failed(d);
	free(l.list);
	db_close(d);
	settings_unref(s);
	return code;
}

int keys_run_expiring(struct cli *cli, int argc, char **argv)
{
	const int64_t now_unix = clock_now_unix();
	int64_t within_s = USED_WITHIN_S;
	const struct option_spec specs[] = {
		{"within", 0, "DURATION", OPTION_DURATION, &within_s, "as 30d, the default"},
	};
	struct listing l = {.n = 0};
	struct settings *s;
	char **operands;
	struct db *d;
	int code = 0;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "Keys that end, of recipients who have no other that lasts longer. Exit "
			  "status 1: there are some.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_database(s, DB_READ);
	if (keys_list(d, NULL, 0, gather, &l) != 0)
		code = open_failed(d);
	/* In the order of patterns: those of one come together. */
	for (size_t first = 0, next; first < l.n && code < EX_USAGE; first = next) {
		bool lasts = false, is_ending = false;

		for (next = first;
		     next < l.n && strcmp(l.list[next].key.pattern, l.list[first].key.pattern) == 0;
		     next++) {
			const struct recipient_key *k = &l.list[next].key;
			const bool is_now = keys_state_at(k, now_unix) == KEY_ACTIVE &&
					    !key_is_spare(k);

			lasts = lasts || (is_now && (k->until_unix == 0 ||
						     k->until_unix >= now_unix + within_s));
			is_ending = is_ending || is_now;
		}
		for (size_t i = first; i < next && !lasts && is_ending; i++) {
			if (keys_state_at(&l.list[i].key, now_unix) != KEY_ACTIVE ||
			    key_is_spare(&l.list[i].key))
				continue;
			print_key(cli, &l.list[i], now_unix);
			code = 1;
		}
	}
	free(l.list);
	db_close(d);
	settings_unref(s);
	return code;
}
