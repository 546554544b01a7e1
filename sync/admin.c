/* SPDX-License-Identifier: ISC
 *
 * admin.c: `pgpgate site join`, `leave`, `forget`: who belongs to the site
 * (sync/commands.h).
 */
#include "sync/admin.h"

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
#include "sync/commands.h"
#include "sync/hash_key.h"
#include "sync/host.h"
#include "sync/rule_texts.h"

#define ADMIN_TIMEOUT_MS 60000

int complain(const char *format, ...)
{
	va_list arguments;

	fputs("pgpgate: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return EX_UNAVAILABLE;
}

struct pg *open_pg(const char *conninfo, int timeout_ms)
{
	struct pg *p = pg_new(conninfo, timeout_ms);

	if (p != NULL && pg_open(p) == 0)
		return p;
	complain("the centre: %s", p != NULL ? pg_error(p) : "out of memory");
	pg_free(p);
	return NULL;
}

struct pg *open_admin(const struct settings *s)
{
	return open_pg(s->centre_admin[0] != '\0' ? s->centre_admin : s->centre, ADMIN_TIMEOUT_MS);
}

int refuse_member(struct db *d)
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

const char *json_text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value != NULL ? value : "";
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

static void report_dropped(struct db *d)
{
	if (db_keys_dropped(d) > 0)
		complain("%" PRId64 " keys of recipients could not be read without the old key of "
			 "hashed addresses, and are gone",
			 db_keys_dropped(d));
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
		report_dropped(d);
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
	/* Started anew since it was heard last, it says first who it is. */
	if (centre != NULL)
		host_pull(&host);
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
