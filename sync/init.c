/* SPDX-License-Identifier: ISC
 *
 * init.c: `pgpgate site init`: a site, or what a newer version wants of its centre
 * (sync/commands.h).
 */
#include "sync/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "common/clock.h"
#include "db/hashed.h"
#include "sync/admin.h"
#include "sync/hash_key.h"
#include "sync/host.h"
#include "sync/schema.h"

#define ROWS_AT_ONCE 1000

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
		int result = pg_call(admin, "SELECT pg_catalog.format($1, $2::text)", 2, parameters,
				     &sql);

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
	if (json_array_append_new(x->rows,
				  json_pack("[IssssbIsI]", (json_int_t)++x->n, key.recipient,
					    key.sender, key.client,
					    rule_format(r, text, sizeof text), 0, (json_int_t)r->id,
					    r->author, (json_int_t)r->created_at_unix)) != 0) {
		complain("rule %" PRId64 " cannot be told to the centre: it is no UTF-8", r->id);
		return 1;
	}
	return json_array_size(x->rows) >= ROWS_AT_ONCE && flush_rows(x) != 0 ? 1 : 0;
}

static int send_key(void *context, const char *item)
{
	struct sending *x = context;

	if (json_array_append_new(x->rows, json_pack("[IssssbIsI]", (json_int_t)++x->n, "", "", "",
						     item, 0, (json_int_t)0, "", (json_int_t)0)) !=
	    0) {
		complain("a key cannot be told to the centre: it is no UTF-8");
		return 1;
	}
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
	if (result != 0 && pg_error(admin)[0] == '\0' && db_error(d)[0] != '\0')
		complain("%s", db_error(d));
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
