/* SPDX-License-Identifier: ISC
 *
 * settings_special.c: checks the values of pgpgate.conf whose type only one key has.
 */
#include "common/settings_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/complain.h"
#include "common/settings_text.h"

#define REFUSE_TEXT_MAX 200 /* a reply line has 512 bytes (RFC 5321 section 4.5.3.1.5) */
#define DELIMITERS_MAX 16
#define PATH_BYTES_MAX 1024 /* SQLite's own limit is 512 to 4096; names beside it are longer */

/* Takes the next item of a list that commas or white space separate. NULL at the end; the item is
 * cut out of *rest, which is written to. */
static char *next_item(char **rest)
{
	char *item = *rest + strspn(*rest, ", \t");

	if (*item == '\0')
		return NULL;
	*rest = item + strcspn(item, ", \t");
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return item;
}

static int out_of_memory(const struct settings_value *v)
{
	snprintf(v->err, v->err_size, "out of memory");
	return -1;
}

/* Walks a list: one() checks an item and gives its canonical text, for the joined text of the list.
 */
static int parse_list(struct settings_value *v,
		      int (*one)(struct settings_value *v, const char *item,
				 char canonical[ADDRESS_MAX + 1]))
{
	size_t room = 1;
	size_t used = 0;
	char *copy = strdup(v->text);
	char *joined = NULL;
	char *rest = copy;
	char *item;
	int rc = copy == NULL ? out_of_memory(v) : 0;

	while (rc == 0 && (item = next_item(&rest)) != NULL) {
		char canonical[ADDRESS_MAX + 1];
		size_t len;
		char *longer;

		if (one(v, item, canonical) != 0) {
			rc = -1;
			break;
		}
		len = strlen(canonical);
		room += len + 2;
		longer = realloc(joined, room);
		if (longer == NULL) {
			rc = out_of_memory(v);
			break;
		}
		joined = longer;
		used += (size_t)sprintf(joined + used, "%s%s", used == 0 ? "" : ", ", canonical);
	}
	if (rc == 0)
		rc = settings_keep(v, joined == NULL ? "" : joined);
	free(joined);
	free(copy);
	return rc;
}

int settings_parse_umask(const struct settings_key *k, struct settings_value *v)
{
	const char *at = v->text;
	char text[8];
	unsigned mask = 0;

	(void)k;
	for (; *at >= '0' && *at <= '7' && mask <= 0777; at++)
		mask = mask * 8 + (unsigned)(*at - '0');
	if (at == v->text || *at != '\0' || mask > 0777)
		return settings_complain(v, "write an octal number as 007");
	v->settings->socket_umask = (mode_t)mask;
	snprintf(text, sizeof(text), "%03o", mask);
	return settings_keep(v, text);
}

/* "user" or "user:group", names as useradd(8) makes them. Whether they exist is asked when they are
 * needed: the command line reads the same file on other machines. */
int settings_parse_user(const struct settings_key *k, struct settings_value *v)
{
	unsigned colons = 0;
	char before = ':';

	(void)k;
	for (const char *at = v->text; *at != '\0'; at++) {
		char c = *at;

		colons += c == ':';
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      strchr("_.:", c) != NULL || (c == '-' && before != ':')) ||
		    (c == ':' && before == ':') || colons > 1)
			return settings_complain(v, "write a user, user:group, or nothing");
		before = c;
	}
	if (v->text[0] != '\0' && before == ':')
		return settings_complain(v, "write a user, user:group, or nothing");
	return settings_keep_string(v, &v->settings->user, v->text);
}

int settings_parse_database(const struct settings_key *k, struct settings_value *v)
{
	static const char scheme[] = "sqlite:";
	const char *path = v->text + sizeof(scheme) - 1;

	(void)k;
	if (strncmp(v->text, scheme, sizeof(scheme) - 1) != 0 || path[0] != '/' ||
	    path[strlen(path) - 1] == '/' || strlen(path) > PATH_BYTES_MAX)
		return settings_complain(v, "write sqlite: and an absolute path, as "
					    "sqlite:/var/lib/pgpgate/pgpgate.db");
	v->settings->database_path = strdup(path);
	if (v->settings->database_path == NULL)
		return out_of_memory(v);
	return settings_keep_string(v, &v->settings->database, v->text);
}

static int parse_client(struct settings_value *v, const char *item, char canonical[ADDRESS_MAX + 1])
{
	struct settings *s = v->settings;
	struct netaddr *clients;

	if (strcmp(item, "$mynetworks") == 0) {
		s->are_mynetworks_local = true;
		strcpy(canonical, item);
		return 0;
	}
	clients = realloc(s->local_clients, (s->n_local_clients + 1) * sizeof(*clients));
	if (clients == NULL)
		return out_of_memory(v);
	s->local_clients = clients;
	if (netaddr_parse(item, &clients[s->n_local_clients], v->err, v->err_size) != 0)
		return -1;
	netaddr_format(&clients[s->n_local_clients], canonical);
	s->n_local_clients++;
	return 0;
}

int settings_parse_clients(const struct settings_key *k, struct settings_value *v)
{
	(void)k;
	return parse_list(v, parse_client);
}

static int parse_domain(struct settings_value *v, const char *item, char canonical[ADDRESS_MAX + 1])
{
	struct domain_set *set = &v->settings->protected_domains;
	int rc;

	if (strcmp(item, "postfix") == 0) {
		v->settings->are_postfix_domains_protected = true;
		strcpy(canonical, item);
		return 0;
	}
	rc = strchr(item, '@') != NULL ? 1 : domain_set_add(set, item, strlen(item));
	if (rc < 0)
		return out_of_memory(v);
	if (rc > 0)
		return complain_about(
			item,
			"is no domain; write example.org, .example.org (what is below it) "
			"or postfix (the domains of this Postfix)",
			v->err, v->err_size);
	strcpy(canonical, set->names[set->n - 1]);
	return 0;
}

int settings_parse_domains(const struct settings_key *k, struct settings_value *v)
{
	(void)k;
	if (parse_list(v, parse_domain) != 0)
		return -1;
	domain_set_sort(&v->settings->protected_domains);
	return 0;
}

static int parse_recipient(struct settings_value *v, const char *item,
			   char canonical[ADDRESS_MAX + 1])
{
	struct settings *s = v->settings;
	struct pattern *patterns = realloc(s->exempt_recipients,
					   (s->n_exempt_recipients + 1) * sizeof(*patterns));
	struct pattern *p;

	if (patterns == NULL)
		return out_of_memory(v);
	s->exempt_recipients = patterns;
	p = &patterns[s->n_exempt_recipients];
	if (pattern_parse(item, s->recipient_delimiter, false, p, v->err, v->err_size) != 0)
		return -1;
	if (p->kind == PATTERN_ANY) {
		snprintf(v->err, v->err_size,
			 "\"*\" would exempt everybody, whatever the rules say; "
			 "write enforce = no to refuse nothing");
		return -1;
	}
	strcpy(canonical, p->text);
	s->n_exempt_recipients++;
	return 0;
}

int settings_parse_recipients(const struct settings_key *k, struct settings_value *v)
{
	(void)k;
	return parse_list(v, parse_recipient);
}

/* One "requirement=action"; text is cut up. An action has its blanks, so that "REJECT go away" can
 * be written. */
static int parse_action(struct settings_value *v, char *text)
{
	static const char forms[] =
		"write requirement=action, as exempt=greylist, encrypted=DUNNO; the "
		"requirements are exempt, observe, signed, encrypted, ratchet, own-key, readable, "
		"each "
		"once";
	char *action = strchr(text, '=');
	enum requirement r;
	size_t len;

	if (action == NULL)
		return settings_complain(v, forms);
	*action++ = '\0';
	text += strspn(text, " \t");
	text[strcspn(text, " \t")] = '\0';
	action += strspn(action, " \t");
	len = strlen(action);
	while (len > 0 && (action[len - 1] == ' ' || action[len - 1] == '\t'))
		action[--len] = '\0';
	if (requirement_from_name(text, &r) != 0 || len == 0 ||
	    !settings_is_printable_ascii(action) || v->settings->policy_actions[r] != NULL)
		return settings_complain(v, forms);
	v->settings->policy_actions[r] = strdup(action);
	return v->settings->policy_actions[r] == NULL ? out_of_memory(v) : 0;
}

static int keep_actions(struct settings_value *v)
{
	char **actions = v->settings->policy_actions;
	size_t room = 1;
	size_t used = 0;
	char *text;
	int rc;

	for (int r = 0; r < REQUIREMENT_COUNT; r++) {
		if (actions[r] == NULL && (actions[r] = strdup("DUNNO")) == NULL)
			return out_of_memory(v);
		room += strlen(requirement_name((enum requirement)r)) + strlen(actions[r]) + 3;
	}
	text = malloc(room);
	if (text == NULL)
		return out_of_memory(v);
	for (int r = 0; r < REQUIREMENT_COUNT; r++)
		used += (size_t)snprintf(text + used, room - used, "%s%s=%s", r == 0 ? "" : ", ",
					 requirement_name((enum requirement)r), actions[r]);
	rc = settings_keep(v, text);
	free(text);
	return rc;
}

/* The entry that begins within this one: behind a blank stand a requirement's name and '='. NULL:
 * none. */
static char *entry_within(char *item)
{
	for (char *at = item; (at = strpbrk(at, " \t")) != NULL;) {
		enum requirement r;
		char name[16];
		size_t len;

		at += strspn(at, " \t");
		len = strcspn(at, "= \t");
		if (at[len] != '=' || len >= sizeof(name))
			continue;
		memcpy(name, at, len);
		name[len] = '\0';
		if (requirement_from_name(name, &r) == 0)
			return at;
	}
	return NULL;
}

/* Entries end at a comma, or at a blank with the next one behind it. */
int settings_parse_actions(const struct settings_key *k, struct settings_value *v)
{
	char *copy = strdup(v->text);
	char *rest = copy;
	char *item;
	int rc = copy == NULL ? out_of_memory(v) : 0;

	(void)k;
	while (rc == 0 && (item = strsep(&rest, ",")) != NULL) {
		item += strspn(item, " \t");
		while (rc == 0 && item != NULL && *item != '\0') {
			char *within = entry_within(item);

			if (within != NULL)
				within[-1] = '\0';
			rc = parse_action(v, item);
			item = within;
		}
	}
	free(copy);
	return rc == 0 ? keep_actions(v) : -1;
}

int settings_parse_delimiter(const struct settings_key *k, struct settings_value *v)
{
	(void)k;
	for (const char *at = v->text; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || (*at >= '0' && *at <= '9') ||
		    (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
		    strchr("@%!\"\\<>,", *at) != NULL || at - v->text >= DELIMITERS_MAX)
			return settings_complain(v,
						 "write punctuation as in main.cf: +, - or +-, or "
						 "nothing");
	return settings_keep_string(v, &v->settings->recipient_delimiter, v->text);
}

static int parse_form(struct settings_value *v, const char *item, char canonical[ADDRESS_MAX + 1])
{
	enum form f;

	if (form_from_name(item, &f) != 0 || f == FORM_NONE ||
	    (v->settings->accept.forms & 1u << f) != 0)
		return settings_complain(
			v, "write one or more of pgp-mime, pgp-mixed, pgp-inline, pgp-html, each "
			   "once");
	v->settings->accept.forms |= 1u << f;
	strcpy(canonical, item);
	return 0;
}

int settings_parse_forms(const struct settings_key *k, struct settings_value *v)
{
	(void)k;
	if (parse_list(v, parse_form) != 0)
		return -1;
	if (v->settings->accept.forms == 0)
		return settings_complain(
			v, "write one or more of pgp-mime, pgp-mixed, pgp-inline, pgp-html");
	return 0;
}

static int parse_container(struct settings_value *v, const char *item,
			   char canonical[ADDRESS_MAX + 1])
{
	enum container c;

	if (container_from_name(item, &c) != 0 || c == CONTAINER_SED ||
	    (v->settings->accept.refused_containers & 1u << c) == 0)
		return settings_complain(v, "write one or more of mdc, aead, ocb, each once");
	v->settings->accept.refused_containers &= ~(1u << c);
	strcpy(canonical, item);
	return 0;
}

int settings_parse_containers(const struct settings_key *k, struct settings_value *v)
{
	const unsigned all = 1u << CONTAINER_MDC | 1u << CONTAINER_AEAD | 1u << CONTAINER_OCB;

	(void)k;
	v->settings->accept.refused_containers = all;
	if (parse_list(v, parse_container) != 0)
		return -1;
	if (v->settings->accept.refused_containers == all)
		return settings_complain(v, "write one or more of mdc, aead, ocb");
	return 0;
}

int settings_parse_key_url(const struct settings_key *k, struct settings_value *v)
{
	(void)k;
	if (v->text[0] != '\0' && strcmp(v->text, "wkd") != 0 && !settings_is_url(v->text))
		return settings_complain(
			v, "write wkd, an address as https://keys.example.org/%h, or nothing");
	return settings_keep_string(v, &v->settings->key_url, v->text);
}

/* One to three digits without a leading zero. Returns their number, 0 when they are not there. */
static size_t subcode_len(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 3 || (n > 1 && text[0] == '0') ? 0 : n;
}

/* "550 5.7.1": both of the same class, 4 or 5 (RFC 5321 section 4.2, RFC 3463 section 2): libmilter
 * drops a reply whose class does not match, without a word. */
int settings_parse_refuse_code(const struct settings_key *k, struct settings_value *v)
{
	static const char forms[] =
		"write an SMTP code and an enhanced code of the same first digit, 4 "
		"or 5, as 550 5.7.1";
	const char *text = v->text;
	char canonical[20];
	const char *enhanced;
	size_t subject, detail;

	(void)k;
	if ((text[0] != '4' && text[0] != '5') || text[1] < '0' || text[1] > '5' || text[2] < '0' ||
	    text[2] > '9' || (text[3] != ' ' && text[3] != '\t'))
		return settings_complain(v, forms);
	enhanced = text + 3 + strspn(text + 3, " \t");
	if (enhanced[0] != text[0] || enhanced[1] != '.')
		return settings_complain(v, forms);
	subject = subcode_len(enhanced + 2);
	if (subject == 0 || enhanced[2 + subject] != '.')
		return settings_complain(v, forms);
	detail = subcode_len(enhanced + 3 + subject);
	if (detail == 0 || enhanced[3 + subject + detail] != '\0')
		return settings_complain(v, forms);
	memcpy(v->settings->refuse_code, text, 3);
	v->settings->refuse_code[3] = '\0';
	strcpy(v->settings->refuse_enhanced, enhanced);
	snprintf(canonical, sizeof(canonical), "%s %s", v->settings->refuse_code, enhanced);
	return settings_keep(v, canonical);
}

int settings_parse_refuse_text(const struct settings_key *k, struct settings_value *v)
{
	(void)k;
	if (v->text[0] == '\0' || strlen(v->text) > REFUSE_TEXT_MAX ||
	    !settings_is_printable_ascii(v->text) || strpbrk(v->text, ":;,") != NULL)
		return settings_complain(v,
					 "write 1 to 200 printable ASCII characters without colon, "
					 "semicolon and comma, by which log summaries group");
	return settings_keep_string(v, &v->settings->refuse_text, v->text);
}

int settings_parse_contact(const struct settings_key *k, struct settings_value *v)
{
	const char *at = strrchr(v->text, '@');
	const char *domain = at != NULL ? at + 1 : "";
	const bool is_domain =
		domain[strspn(
			domain,
			"-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] ==
		'\0';

	(void)k;
	if (v->text[0] != '\0' &&
	    (at == NULL || at == v->text || strlen(v->text) > SETTINGS_CONTACT_MAX || !is_domain ||
	     !settings_is_printable_ascii(v->text) || strpbrk(v->text, " \t<>\"\\(),:;") != NULL))
		return settings_complain(
			v, "write an address as help@example.org, or a local part with @ "
			   "(postmaster@: in the recipient's domain), or nothing");
	return settings_keep_string(v, &v->settings->contact, v->text);
}

/* libpq reads it; here only what would do harm is looked for: this file is read by many. */
int settings_parse_connection(const struct settings_key *k, struct settings_value *v)
{
	char **where = (char **)(void *)((char *)v->settings + k->offset);
	const char *user = strstr(v->text, "://"), *at = strchr(v->text, '@');

	if (!settings_is_printable_ascii(v->text))
		return settings_complain(v, "write a URI, postgresql://HOST/DATABASE, or keywords, "
					    "host=HOST dbname=DATABASE");
	if (strstr(v->text, "password") != NULL ||
	    (user != NULL && at != NULL && memchr(user + 3, ':', (size_t)(at - user - 3)) != NULL &&
	     strchr(user + 3, '/') > at)) {
		snprintf(v->err, v->err_size,
			 "a password does not belong here; put it into libpq's "
			 "password file (passfile=FILE names one)");
		return -1;
	}
	return settings_keep_string(v, where, v->text);
}

int settings_parse_host_name(const struct settings_key *k, struct settings_value *v)
{
	char **where = (char **)(void *)((char *)v->settings + k->offset);
	const size_t len = strlen(v->text);

	if (len > 63 ||
	    strspn(v->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") !=
		    len)
		return settings_complain(v, "write up to 63 letters, digits, '.', '-' or '_'");
	return settings_keep_string(v, where, v->text);
}
