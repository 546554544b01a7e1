/* SPDX-License-Identifier: ISC
 *
 * admin.c: `pgpgate site init`, `join`, `leave`, `forget`: who belongs to the site
 * (sync/commands.h).
 */
#include "sync/commands.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "common/clock.h"
#include "db/hashed.h"
#include "sync/answer.h"
#include "sync/hash_key.h"
#include "sync/host.h"
#include "sync/rule_texts.h"
#include "sync/schema.h"

#define ADMIN_TIMEOUT_MS 60000
#define ROWS_AT_ONCE 1000

static int __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	va_list arguments;

	fputs("pgpgate: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return EX_UNAVAILABLE;
}

static struct pg *open_pg(const char *conninfo, int timeout_ms)
{
	struct pg *p = pg_new(conninfo, timeout_ms);

	if (p != NULL && pg_open(p) == 0)
		return p;
	complain("the centre: %s", p != NULL ? pg_error(p) : "out of memory");
	pg_free(p);
	return NULL;
}

static struct pg *open_admin(const struct settings *s)
{
	return open_pg(s->centre_admin[0] != '\0' ? s->centre_admin : s->centre, ADMIN_TIMEOUT_MS);
}

static int refuse_member(struct db *d)
{
	struct site_state state;
	const int got = site_read(d, &state);

	if (got == 0)
		return 0;
	if (got < 0)
		return complain("%s", db_error(d));
	return complain("this host belongs to a site already (%s); `pgpgate site leave` first",
			state.site_id);
}

/* ---- init ---- */

/* What a host may: read, and call what adds to its own record. Nothing that changes rules; nor read
 * what says by which id another one is known. */
static const char *const grants[] = {
	"GRANT USAGE ON SCHEMA pgpgate TO %I",
	"REVOKE SELECT ON pgpgate.host, pgpgate.change, pgpgate.feed, pgpgate.verdict, "
	"pgpgate.removal FROM %I",
	"REVOKE EXECUTE ON FUNCTION pgpgate.make_partition(bigint) FROM %I",
	"GRANT SELECT ON pgpgate.rule, pgpgate.change_row, pgpgate.key_row, pgpgate.hosts, "
	"pgpgate.verdicts, pgpgate.refusals_by_day TO %I",
	"GRANT EXECUTE ON FUNCTION pgpgate.started(), pgpgate.lease(uuid, text), "
	"pgpgate.register(text), "
	"pgpgate.unregister(uuid), pgpgate.unregister(uuid, text), pgpgate.pull(uuid, text, "
	"jsonb), "
	"pgpgate.change_rows(bigint, bigint, integer), pgpgate.snapshot_head(), "
	"pgpgate.snapshot_rows(bigint, integer), pgpgate.sweep(integer), "
	"pgpgate.push(uuid, text, bigint, jsonb, jsonb, jsonb), pgpgate.maintain(), "
	"pgpgate.hosts_json(), pgpgate.renew(uuid, text, bigint), "
	"pgpgate.snapshot_forgotten(text, text, integer), pgpgate.snapshot_people(), "
	"pgpgate.snapshot_keys(text, text, text, integer), pgpgate.change_heads(integer), "
	"pgpgate.verdict_page(bigint, bigint, text, bigint, uuid, bigint, integer), "
	"pgpgate.examine() "
	"TO %I",
};

static int grant(struct pg *admin, const char *user)
{
	for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
		const char *const parameters[] = {grants[i], user};
		char *sql;
		int result = pg_call(admin, "SELECT format($1, $2::text)", 2, parameters, &sql);

		if (result == 0)
			result = pg_script(admin, sql);
		free(sql);
		if (result != 0)
			return -1;
	}
	return 0;
}

struct sending {
	struct pg *admin;
	json_t *rows;
	int64_t n;
};

static int flush_rows(struct sending *x)
{
	char *dump = json_dumps(x->rows, JSON_COMPACT);
	const char *const parameters[] = {dump};
	int result = dump != NULL ? pg_call(x->admin, "SELECT pgpgate.change_add($1::jsonb)", 1,
					    parameters, NULL)
				  : -1;

	free(dump);
	json_array_clear(x->rows);
	return result;
}

static int send_rule(void *context, const struct rule *r)
{
	struct sending *x = context;
	struct rule_key key;
	char text[RULE_TEXT_MAX];

	rule_key(r, &key);
	json_array_append_new(
		x->rows, json_pack("[IssssbIsI]", (json_int_t)++x->n, key.recipient, key.sender,
				   key.client, rule_format(r, text, sizeof text), 0,
				   (json_int_t)r->id, r->author, (json_int_t)r->created_at_unix));
	return json_array_size(x->rows) >= ROWS_AT_ONCE && flush_rows(x) != 0 ? 1 : 0;
}

static int send_key(void *context, const char *item)
{
	struct sending *x = context;

	json_array_append_new(x->rows, json_pack("[IssssbIsI]", (json_int_t)++x->n, "", "", "",
						 item, 0, (json_int_t)0, "", (json_int_t)0));
	return json_array_size(x->rows) >= ROWS_AT_ONCE / 10 && flush_rows(x) != 0 ? 1 : 0;
}

static int send_rules(struct pg *admin, struct db *d)
{
	const struct rules_filter all = {0};
	struct sending x = {.admin = admin, .rows = json_array()};
	int result = rules_list(d, &all, send_rule, &x);

	if (result == 0)
		result = flush_rows(&x);
	if (result == 0)
		result = site_keys_list(d, send_key, &x);
	if (result == 0)
		result = flush_rows(&x);
	json_decref(x.rows);
	return result;
}

/* Everything, in the transaction that is open. 0 or -1. */
static int make_centre(struct pg *admin, const struct settings *s, struct db *d,
		       const char *host_user, char **made)
{
	char check[HASHED_CHECK_MAX] = "", key[HASH_KEY_TEXT_MAX] = "", numbers[3][24];
	const bool is_hashed = s->hash_addresses && db_hashed(d)->has_key;
	const char *const site[] = {numbers[0], numbers[1], numbers[2], is_hashed ? check : NULL,
				    is_hashed ? key : NULL};
	const char *const host[] = {host_name(s)};
	int64_t last_no, next_rule, paused_unix;
	json_t *change;
	char *dump;
	const char *given[1];
	int result;

	if (rules_numbers(d, &last_no, &next_rule) != 0 ||
	    db_paused_until(d, clock_now_unix(), &paused_unix) != 0) {
		complain("%s", db_error(d));
		return -1;
	}
	hashed_check(db_hashed(d), check);
	if (is_hashed && !pg_is_private(admin)) {
		complain("the key of hashed addresses would go to the centre in the clear: "
			 "sslmode=verify-full in centre_admin, or a socket of the machine");
		return -1;
	}
	hash_key_text(db_hashed(d), key);
	snprintf(numbers[0], sizeof numbers[0], "%" PRId64, last_no);
	snprintf(numbers[1], sizeof numbers[1], "%" PRId64, next_rule);
	snprintf(numbers[2], sizeof numbers[2], "%" PRId64, s->verdict_retention_s);
	if (pg_script(admin, centre_schema) != 0 ||
	    pg_call(admin,
		    "INSERT INTO pgpgate.site (id, version, no, mark, next_rule, "
		    "paused_until_unix, "
		    "verdict_retention_s, hash_check, hash_key) VALUES (1, 2, $1, "
		    "gen_random_uuid(), "
		    "$2, 0, $3, $4, $5)",
		    5, site, NULL) != 0 ||
	    pg_script(admin, "INSERT INTO pgpgate.feed_counter (id, no) VALUES (1, 0)") != 0 ||
	    pg_call(admin, "INSERT INTO pgpgate.host (name) VALUES ($1)", 1, host, NULL) != 0 ||
	    (strcmp(host_user, pg_user(admin)) != 0 && grant(admin, host_user) != 0) ||
	    send_rules(admin, d) != 0)
		return -1;
	change = json_pack("{sIssss*sIsbsI}", "time", (json_int_t)clock_now_unix(), "author",
			   "pgpgate site init", "what", "init", "next_rule", (json_int_t)next_rule,
			   "is_pause", 1, "paused_until", (json_int_t)paused_unix);
	dump = json_dumps(change, JSON_COMPACT);
	json_decref(change);
	given[0] = dump;
	result = pg_call(
		admin,
		"SELECT pgpgate.change_commit((SELECT host_id FROM pgpgate.host), $1::jsonb) || "
		"(SELECT jsonb_build_object('host', host_id, 'site', site_id) FROM pgpgate.host, "
		"pgpgate.site)",
		1, given, made);
	free(dump);
	return result;
}

static const char *json_text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value != NULL ? value : "";
}

/* A centre of an older version gets what is new: nothing else of it changes, and hosts of both
 * versions go on with it. */
static int upgrade(struct pg *admin, const char *host_user)
{
	char *version = NULL;
	int code = EX_UNAVAILABLE;

	if (pg_call(admin, "SELECT version FROM pgpgate.site", 0, NULL, &version) != 0 ||
	    version == NULL)
		complain("the centre: %s", pg_error(admin));
	else if (strtol(version, NULL, 10) > HOST_SCHEMA_VERSION)
		complain("the centre has schema version %s already, this pgpgate makes %d", version,
			 HOST_SCHEMA_VERSION);
	else if (pg_call(admin, "BEGIN", 0, NULL, NULL) != 0 ||
		 pg_script(admin, centre_schema) != 0 ||
		 (strcmp(host_user, pg_user(admin)) != 0 && grant(admin, host_user) != 0) ||
		 pg_call(admin, "COMMIT", 0, NULL, NULL) != 0)
		complain("the centre: %s", pg_error(admin));
	else {
		printf("the centre has schema version %d\n", HOST_SCHEMA_VERSION);
		code = EX_OK;
	}
	free(version);
	return code;
}

int command_init(struct settings *s, struct db *d)
{
	struct pg *centre = NULL, *admin = NULL;
	char *made = NULL, *there = NULL;
	struct site_state state;
	json_error_t e;
	json_t *o = NULL;
	const int is_member = site_read(d, &state);
	int code = EX_UNAVAILABLE;

	if (is_member < 0)
		return complain("%s", db_error(d));
	centre = open_pg(s->centre, HOST_TIMEOUT_MS);
	admin = centre != NULL ? open_admin(s) : NULL;
	if (admin == NULL)
		goto end;
	if (pg_call(admin, "SELECT 'yes' FROM pg_namespace WHERE nspname = 'pgpgate'", 0, NULL,
		    &there) != 0) {
		complain("the centre: %s", pg_error(admin));
	} else if (is_member == 1 && there != NULL) {
		code = upgrade(admin, pg_user(centre));
	} else if (is_member == 1) {
		code = refuse_member(d);
	} else if (there != NULL) {
		complain("the centre has a site already; `pgpgate site join` enters it");
	} else if (pg_call(admin, "BEGIN", 0, NULL, NULL) != 0 ||
		   make_centre(admin, s, d, pg_user(centre), &made) != 0 ||
		   pg_call(admin, "COMMIT", 0, NULL, NULL) != 0) {
		complain("the centre: %s", pg_error(admin));
	} else if ((o = json_loads(made != NULL ? made : "", 0, &e)) == NULL ||
		   site_enter(d, json_text(o, "site"), json_text(o, "host"),
			      json_integer_value(json_object_get(o, "no")),
			      json_text(o, "mark")) != 0) {
		complain("the centre is made, but this host could not note it: %s", db_error(d));
	} else {
		printf("the site has its centre; this host is %s\n", host_name(s));
		if (strcmp(pg_user(centre), pg_user(admin)) == 0)
			fprintf(stderr,
				"pgpgate: centre and centre_admin are the same role (%s): a host "
				"that is "
				"broken into can change the rules of all\n",
				pg_user(admin));
		code = EX_OK;
	}
	json_decref(o);
end:
	free(made);
	free(there);
	pg_free(centre);
	pg_free(admin);
	return code;
}

/* ---- join ---- */

/* 0, or an exit code after having said why. */
static int read_centre_rules(struct pg *centre, struct rule_texts *out)
{
	char after[24] = "0";
	const char *const parameters[] = {after};
	int64_t last = 0;
	int result = 0;
	size_t n;

	do {
		json_error_t e;
		json_t *page;
		char *text;

		if (pg_call(centre, "SELECT pgpgate.snapshot_rows($1, 2000)", 1, parameters,
			    &text) != 0)
			return complain("the centre: %s", pg_error(centre));
		page = text != NULL ? json_loads(text, 0, &e) : NULL;
		free(text);
		n = json_array_size(page);
		for (size_t i = 0; i < n && result == 0; i++) {
			const json_t *row = json_array_get(page, i);
			const int64_t id = json_integer_value(json_array_get(row, 0));

			/* Each leads on from the one before, or this would not end. */
			if (id <= last)
				result = complain("the centre: rows without an order");
			else if (rule_texts_add(out, json_string_value(json_array_get(row, 1))) !=
				 0)
				result = complain("the centre: a rule that cannot be read");
			last = id;
		}
		snprintf(after, sizeof after, "%" PRId64, last);
		json_decref(page);
	} while (n > 0 && result == 0);
	return result;
}

/* The site's key in place of this host's, while nothing is on record under that. 0 or -1. */
static int take_hash_key(struct db *d, struct pg *centre, const char *text, const char *expected)
{
	struct hashed key = *db_hashed(d);
	char check[HASHED_CHECK_MAX];
	int result = -1;

	if (hash_key_read(text, &key) != 0 || strcmp(hashed_check(&key, check), expected) != 0)
		complain("addresses are hashed here, and the site has no key for it: set "
			 "log_addresses "
			 "alike "
			 "on all hosts (pgpgate-site(7), HASHED ADDRESSES)");
	else if (!pg_is_private(centre))
		complain("the key of hashed addresses would come in the clear: sslmode=verify-full "
			 "in "
			 "centre, or a "
			 "socket of the machine");
	else if (db_take_key(d, key.key) != 0)
		complain("%s", db_error(d));
	else
		result = 0;
	if (result == 0)
		puts("the key of hashed addresses is the site's from now on: restart "
		     "pgpgate-filter and "
		     "pgpgate-policyd");
	explicit_bzero(&key, sizeof key);
	return result;
}

static int enter(struct settings *s, struct db *d, struct pg *centre)
{
	const char *const parameters[] = {host_name(s)};
	struct host host;
	char *text, check[HASHED_CHECK_MAX];
	json_error_t e;
	json_t *o;
	int code = EX_UNAVAILABLE;

	if (pg_call(centre, "SELECT pgpgate.register($1)", 1, parameters, &text) != 0)
		return complain("the centre: %s", pg_error(centre));
	o = json_loads(text != NULL ? text : "", 0, &e);
	free(text);
	host_init(&host, s, d, centre);
	if (o == NULL || json_object_get(o, "error") != NULL) {
		complain("%s", json_text(o, "error"));
	} else if (s->hash_addresses &&
		   strcmp(hashed_check(db_hashed(d), check), json_text(o, "hash_check")) != 0 &&
		   take_hash_key(d, centre, json_text(o, "hash_key"), json_text(o, "hash_check")) !=
			   0) {
		const char *const id[] = {json_text(o, "host")};

		pg_call(centre, "SELECT pgpgate.unregister($1)", 1, id, NULL);
	} else if (!answer_is_uuid(json_text(o, "site")) || !answer_is_uuid(json_text(o, "host"))) {
		complain("the centre: an answer that cannot be: is its database damaged?");
	} else if (site_enter(d, json_text(o, "site"), json_text(o, "host"), 0, "") != 0) {
		complain("%s", db_error(d));
	} else if (host_pull(&host) != 0) {
		complain("%s; pgpgate-sync will go on", host.error);
	} else {
		printf("this host is %s of the site; change %" PRId64 " is in force here\n",
		       host_name(s), host.state.rules_no);
		code = EX_OK;
	}
	json_decref(o);
	return code;
}

int command_join(struct settings *s, struct db *d, bool drops_own)
{
	struct rule_texts theirs = {0};
	struct pg *centre;
	int code = refuse_member(d);
	int64_t n_differ = 0;

	if (code != 0)
		return code;
	centre = open_pg(s->centre, HOST_TIMEOUT_MS);
	if (centre == NULL)
		return EX_UNAVAILABLE;
	code = read_centre_rules(centre, &theirs);
	if (code != 0)
		;
	else if (rule_texts_differ(&theirs, d, drops_own ? 0 : 20, &n_differ) != 0)
		code = complain("%s", db_error(d));
	else if (n_differ > 0 && !drops_own) {
		fprintf(stderr,
			"pgpgate: %" PRId64 " of the rules here are not the site's, and would go "
			"(--yes, if that is meant)\n",
			n_differ);
		code = 1;
	} else {
		code = enter(s, d, centre);
	}
	rule_texts_free(&theirs);
	pg_free(centre);
	return code;
}

/* ---- leave, forget ---- */

/* A centre that was not brought up to date has the old form alone. 0 or -1. */
static int unregister(struct pg *centre, const struct host *h)
{
	const char *const parameters[] = {h->state.host_id, h->boot};

	if (pg_call(centre, "SELECT pgpgate.unregister($1, $2)", 2, parameters, NULL) == 0)
		return 0;
	return pg_was_refused(centre)
		       ? pg_call(centre, "SELECT pgpgate.unregister($1)", 1, parameters, NULL)
		       : -1;
}

int command_leave(struct settings *s, struct db *d)
{
	struct site_state state;
	struct host host;
	struct pg *centre;

	if (site_read(d, &state) != 1)
		return complain("this host belongs to no site");
	centre = pg_new(s->centre, HOST_TIMEOUT_MS);
	host_init(&host, s, d, centre);
	host.state = state;
	host_look_at_file(&host);
	if (centre == NULL || unregister(centre, &host) != 0)
		fprintf(stderr,
			"pgpgate: the centre was not told (%s); `pgpgate site forget %s` "
			"elsewhere\n",
			centre != NULL ? pg_error(centre) : "out of memory", host_name(s));
	pg_free(centre);
	if (site_leave(d) != 0)
		return complain("%s", db_error(d));
	puts("this host stands alone, with the rules as they are; remove `centre` from its "
	     "configuration");
	return EX_OK;
}

int command_forget(struct settings *s, const char *name)
{
	const char *const parameters[] = {name};
	struct pg *admin = open_admin(s);
	char *found = NULL;
	int code = EX_UNAVAILABLE;

	if (admin == NULL)
		return code;
	if (pg_call(admin, "SELECT pgpgate.host_forget($1)", 1, parameters, &found) != 0)
		complain("the centre: %s", pg_error(admin));
	else if (found == NULL || strcmp(found, "t") != 0)
		code = complain("the site has no host %s", name) != 0;
	else {
		printf("%s is no host of the site any more; its record stays\n", name);
		code = EX_OK;
	}
	free(found);
	pg_free(admin);
	return code;
}
