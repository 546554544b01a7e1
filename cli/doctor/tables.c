/* SPDX-License-Identifier: ISC
 *
 * tables.c: tables that Postfix looks each mail up in, and that are not there: of a type that it
 * has not, or without the file. The mail for which it is asked gets 451 until it is. Only what can
 * be seen without asking a table is looked at: the type, and the file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"

#define TYPES_MAX 2000

static const char topic[] = "postfix";

struct search {
	struct doctor *x;
	const struct postfix_service *s; /* whose -o it is, or NULL: main.cf's */
	const char *parameter;
	char types[TYPES_MAX];	    /* postconf -m; "": not known */
	char told[DOCTOR_TEXT_MAX]; /* tables, a line each */
};

/* What lies in the file system behind a table of that type: FILE and the suffix. NULL: nothing that
 * is known. */
static const char *suffix_of(const char *type)
{
	static const struct {
		const char *type, *suffix;
	} kinds[] = {{"hash", ".db"}, {"btree", ".db"}, {"lmdb", ".lmdb"}, {"cdb", ".cdb"},
		     {"dbm", ".pag"}, {"sdbm", ".pag"}, {"texthash", ""},  {"cidr", ""},
		     {"pcre", ""},    {"regexp", ""},	{"sqlite", ""},	   {"mysql", ""},
		     {"pgsql", ""},   {"ldap", ""},	{"mongodb", ""}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].suffix;
	return NULL;
}

/* A package of Debian has it, and is not installed. */
static bool is_packaged(const char *type)
{
	static const char *const packages[] = {"cdb",	"ldap", "lmdb",	 "mongodb",
					       "mysql", "pcre", "pgsql", "sqlite"};

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		if (strcmp(packages[i], type) == 0)
			return true;
	return false;
}

static const char *by_editor(struct search *q, char *out, size_t out_size)
{
	return doctor_by_editor(q->x, out, out_size, q->s != NULL ? "master.cf" : "main.cf");
}

static void tell(struct search *q, const char *table, const char *mend, const char *why)
{
	const size_t used = strlen(q->told);

	doctor_tell(q->x, DOCTOR_PROBLEM, topic, mend,
		    "%s%s%s looks in %s, %s: mail that comes so far is put off", q->parameter,
		    q->s != NULL ? " of the service " : "", q->s != NULL ? q->s->name : "", table,
		    why);
	snprintf(q->told + used, sizeof(q->told) - used, "%s\n", table);
}

static void examine_file(struct search *q, const char *table, const char *type, const char *path,
			 const char *suffix)
{
	const char *const directory = q->x->postfix.config_directory;
	const bool has_directory = directory != NULL && directory[0] != '\0';
	const char *maker = strstr(q->parameter, "alias_maps") == q->parameter ? "postalias"
									       : "postmap";
	char file[1100], quoted[1300], whose[1300] = "", mend[4000];
	struct stat st;

	snprintf(file, sizeof(file), "%.1000s%s", path, suffix);
	if (stat(file, &st) == 0)
		return;
	if (errno != ENOENT && errno != ENOTDIR) {
		doctor_tell(q->x, DOCTOR_SKIPPED, topic, NULL, "%s looks in %s: %s", q->parameter,
			    table, strerror(errno));
		return;
	}
	if (suffix[0] == '\0' || stat(path, &st) != 0) {
		tell(q, table, by_editor(q, mend, sizeof(mend)), "which is not there");
		return;
	}
	if (has_directory)
		snprintf(whose, sizeof(whose), " -c %s",
			 doctor_quote(quoted, sizeof(quoted), directory));
	snprintf(file, sizeof(file), "%s:%.1000s", type, path);
	doctor_quote(quoted, sizeof(quoted), file);
	snprintf(mend, sizeof(mend), "%s%s %s && postfix%s reload", maker, whose, quoted, whose);
	tell(q, table, mend, "which was never made from its text");
}

/* is_table: nothing but a table can stand there. */
static void examine_word(struct search *q, const char *word, size_t len, bool is_table)
{
	static const char proxy[] = "proxy:";
	char table[1200], type[40], marked[1300], mend[3000];
	const char *colon, *suffix;

	if (word[0] == '!') {
		word++;
		len--;
	}
	if (len > strlen(proxy) && strncmp(word, proxy, strlen(proxy)) == 0) {
		word += strlen(proxy);
		len -= strlen(proxy);
	}
	snprintf(table, sizeof(table), "%.*s", (int)len, word);
	snprintf(marked, sizeof(marked), "%s\n", table);
	if (strstr(q->told, marked) != NULL)
		return;
	if (table[0] == '/' && !is_table) {
		examine_file(q, table, "", table, "");
		return;
	}
	colon = strchr(table, ':');
	if (table[0] == '{' || colon == NULL || (size_t)(colon - table) >= sizeof(type))
		return;
	snprintf(type, sizeof(type), "%.*s", (int)(colon - table), table);
	suffix = suffix_of(type);
	if ((is_table || suffix != NULL) && q->types[0] != '\0' &&
	    !postfix_has_word(q->types, type)) {
		snprintf(mend, sizeof(mend),
			 "apt-get update && apt-get install --no-install-recommends postfix-%s",
			 type);
		tell(q, table, is_packaged(type) ? mend : by_editor(q, mend, sizeof(mend)),
		     "a type that this Postfix has not");
		return;
	}
	if (suffix != NULL && colon[1] == '/')
		examine_file(q, table, type, colon + 1, suffix);
}

/* Tables behind check_..._access, or by themselves. */
static void examine_restrictions(struct search *q, const char *list)
{
	const char *word;
	bool is_table = false;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL) {
		examine_word(q, word, len, is_table);
		is_table = len > 13 && strncmp(word, "check_", 6) == 0 &&
			   strncmp(word + len - 7, "_access", 7) == 0;
	}
}

static void examine_list(struct search *q, const char *list)
{
	const size_t n = strlen(q->parameter);
	const bool is_table = strcmp(q->parameter + n - 5, "_maps") == 0 ||
			      strcmp(q->parameter + n - 7, "_checks") == 0;
	const char *word;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL)
		examine_word(q, word, len, is_table);
}

/* All that is asked about a mail that comes, by smtpd, cleanup, trivial-rewrite. */
static const char *const lists[] = {
	"alias_maps",
	"body_checks",
	"canonical_maps",
	"header_checks",
	"local_recipient_maps",
	"mime_header_checks",
	"mydestination",
	"mynetworks",
	"nested_header_checks",
	"recipient_bcc_maps",
	"recipient_canonical_maps",
	"relay_domains",
	"relay_recipient_maps",
	"relocated_maps",
	"sender_bcc_maps",
	"sender_canonical_maps",
	"smtpd_sender_login_maps",
	"transport_maps",
	"virtual_alias_domains",
	"virtual_alias_maps",
	"virtual_mailbox_domains",
	"virtual_mailbox_maps",
};

static const char *const stages[] = {
	"smtpd_client_restrictions",	  "smtpd_helo_restrictions",
	"smtpd_sender_restrictions",	  "smtpd_relay_restrictions",
	"smtpd_recipient_restrictions",	  "smtpd_data_restrictions",
	"smtpd_end_of_data_restrictions",
};

/* Of main.cf, and of its classes of restrictions. */
static void examine_main(struct search *q)
{
	char value[DOCTOR_TEXT_MAX], classes[DOCTOR_TEXT_MAX] = "", name[200];
	const char *rest = classes, *word;
	size_t len;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		q->parameter = lists[i];
		if (doctor_parameter(q->x, lists[i], value, sizeof(value)))
			examine_list(q, value);
	}
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		q->parameter = stages[i];
		if (doctor_parameter(q->x, stages[i], value, sizeof(value)))
			examine_restrictions(q, value);
	}
	doctor_parameter(q->x, "smtpd_restriction_classes", classes, sizeof(classes));
	while ((word = postfix_word(&rest, &len)) != NULL) {
		snprintf(name, sizeof(name), "%.*s", (int)len, word);
		q->parameter = name;
		if (doctor_parameter(q->x, name, value, sizeof(value)))
			examine_restrictions(q, value);
	}
}

void doctor_tables(struct doctor *x)
{
	struct search q = {.x = x};
	char value[DOCTOR_TEXT_MAX];

	if (!doctor_ask_postconf(x, "-m", q.types, sizeof(q.types)))
		q.types[0] = '\0';
	for (char *c = q.types; *c != '\0'; c++)
		*c = (char)(*c == '\n' ? ' ' : *c);
	examine_main(&q);
	for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
		struct postfix_service s;

		if (postfix_service(line, &s) && strcmp(s.command, "smtpd") == 0) {
			q.s = &s;
			for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
				q.parameter = stages[i];
				if (postfix_override(x->postfix.overrides, &s, stages[i], value,
						     sizeof(value)))
					examine_restrictions(&q, value);
			}
		}
		line += strcspn(line, "\n");
	}
}
