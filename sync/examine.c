/* SPDX-License-Identifier: ISC
 *
 * examine.c: what `pgpgate doctor` asks of the centre (sync/commands.h): what the role of this host
 * may there, and should not; the key of hashed addresses; the version of its schema.
 */
#include "sync/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "db/hashed.h"
#include "sync/answer.h"
#include "sync/host.h"

/* What a host's role has no business with, as texts; NULL: nothing. */
static const char too_much[] =
	"SELECT string_agg(what, ', ') FROM ("
	"SELECT 'is a superuser' AS what FROM pg_roles WHERE rolname = current_user AND rolsuper "
	"UNION ALL SELECT 'owns the schema' FROM pg_namespace WHERE nspname = 'pgpgate' AND "
	"pg_has_role(nspowner, 'USAGE') "
	"UNION ALL SELECT 'may make roles or databases' FROM pg_roles WHERE rolname = current_user "
	"AND "
	"(rolcreaterole OR rolcreatedb) "
	"UNION ALL SELECT 'may write to ' || c.relname FROM pg_class AS c JOIN pg_namespace AS n "
	"ON n.oid = "
	"c.relnamespace WHERE n.nspname = 'pgpgate' AND c.relkind IN ('r', 'p') AND "
	"has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') "
	"UNION ALL SELECT 'may read ' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON "
	"n.oid = "
	"c.relnamespace WHERE n.nspname = 'pgpgate' AND c.relname IN ('host', 'site', "
	"'change', 'feed', 'verdict', 'removal') AND "
	"has_table_privilege(c.oid, 'SELECT') "
	"UNION ALL SELECT 'may call ' || p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON "
	"n.oid = "
	"p.pronamespace WHERE n.nspname = 'pgpgate' AND p.proname IN ('change_begin', "
	"'change_add', "
	"'change_commit', 'host_forget', 'person_remove', 'person_settle') AND "
	"has_function_privilege(p.oid, "
	"'EXECUTE')) AS found";

int command_examine(struct settings *s, struct db *d)
{
	struct pg *centre = pg_new(s->centre, HOST_TIMEOUT_MS);
	char *found = NULL, *text = NULL, check[HASHED_CHECK_MAX];
	json_t *o = json_object(), *theirs = NULL;
	json_error_t e;

	if (centre == NULL || pg_call(centre, too_much, 0, NULL, &found) != 0 ||
	    pg_call(centre, "SELECT pgpgate.examine()", 0, NULL, &text) != 0)
		json_object_set_new(
			o, "error",
			json_string(centre != NULL ? pg_error(centre) : "out of memory"));
	theirs = text != NULL ? json_loads(text, 0, &e) : NULL;
	json_object_set_new(o, "too_much", json_string(found != NULL ? found : ""));
	json_object_set_new(o, "version", json_integer(answer_number(theirs, "version")));
	json_object_set_new(o, "knows", json_integer(HOST_SCHEMA_VERSION));
	json_object_set_new(o, "is_other_key",
			    json_boolean(theirs != NULL && s->hash_addresses &&
					 db_hashed(d)->has_key &&
					 strcmp(hashed_check(db_hashed(d), check),
						answer_text(theirs, "hash_check")) != 0));
	json_object_set_new(
		o, "is_hashed_here_alone",
		json_boolean(theirs != NULL &&
			     s->hash_addresses != (answer_text(theirs, "hash_check")[0] != '\0')));
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
	json_decref(theirs);
	free(found);
	free(text);
	pg_free(centre);
	return EX_OK;
}
