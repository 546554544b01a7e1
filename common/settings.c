/* SPDX-License-Identifier: ISC */
#include "common/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/closest.h"
#include "common/conf_file.h"
#include "common/log.h"
#include "common/settings_keys.h"
#include "common/socket.h"

#define NAME_BYTES_MAX 64

/* The text that a key has, and where it was written. */
struct slot {
	const char *text;
	unsigned line;	      /* 0: not in the file */
	const char *override; /* the whole "key=value", or NULL */
};

struct loader {
	const char *path;
	struct slot *slots; /* settings_keys_count of them */
	char *err;
	size_t err_size;
};

const char *settings_default_path(void)
{
	return SYSCONFDIR "/pgpgate/pgpgate.conf";
}

size_t settings_count(void)
{
	return settings_keys_count;
}

const char *settings_name(size_t index)
{
	return settings_keys[index].name;
}

const char *settings_default(size_t index)
{
	return settings_keys[index].default_text;
}

const char *settings_value(const struct settings *s, size_t index)
{
	return s->value_text[index];
}

struct settings *settings_ref(struct settings *s)
{
	__atomic_add_fetch(&s->references, 1, __ATOMIC_RELAXED);
	return s;
}

void settings_unref(struct settings *s)
{
	if (s == NULL || __atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; s->value_text != NULL && i < settings_keys_count; i++)
		free(s->value_text[i]);
	for (size_t i = 0; i < REQUIREMENT_COUNT; i++)
		free(s->policy_actions[i]);
	free(s->value_text);
	free(s->path);
	free(s->filter_socket);
	free(s->policy_socket);
	free(s->user);
	free(s->database);
	free(s->database_path);
	free(s->local_clients);
	domain_set_free(&s->protected_domains);
	free(s->unqualified_domain);
	free(s->postfix_config);
	postfix_facts_free(s->postfix);
	free(s->exempt_recipients);
	free(s->recipient_delimiter);
	free(s->refuse_text);
	free(s->help_url);
	free(s->contact);
	free(s->key_url);
	free(s->mail_providers);
	free(s->metrics_listen);
	free(s->centre);
	free(s->centre_admin);
	free(s->host_name);
	free(s);
}

void settings_complete_address(const struct settings *s, const char *mta_name, struct address *a)
{
	char domain[ADDRESS_MAX + 1] = "";

	if (s->unqualified_domain[0] != '\0')
		address_complete(a, s->unqualified_domain);
	else if (mta_name == NULL || mta_name[0] == '\0')
		address_complete(a, s->postfix->origin);
	else if (address_canonical_domain(mta_name, strlen(mta_name), domain) == 0)
		address_complete(a, domain);
}

bool settings_is_local_client(const struct settings *s, const struct netaddr *client)
{
	for (size_t i = 0; i < s->n_local_clients; i++)
		if (netaddr_contains(&s->local_clients[i], client))
			return true;
	return s->are_mynetworks_local && postfix_facts_is_ours(s->postfix, client);
}

bool settings_is_protected(const struct settings *s, const struct address *recipient)
{
	const char *domain = address_domain(recipient);

	if (s->protected_domains.n == 0 && !s->are_postfix_domains_protected)
		return true;
	return !address_is_trustworthy(recipient) || recipient->has_added_domain ||
	       domain[0] == '\0' || domain[0] == '[' ||
	       domain_set_has(&s->protected_domains, domain) ||
	       (s->are_postfix_domains_protected && postfix_facts_has_domain(s->postfix, domain));
}

/* The knowledge of the settings before, for another owner: NULL when they had none. */
static struct postfix_facts *facts_of(const struct settings *before)
{
	struct postfix_facts *f;

	if (before == NULL || !before->postfix->is_known)
		return NULL;
	f = before->postfix;
	__atomic_add_fetch(&f->references, 1, __ATOMIC_RELAXED);
	return f;
}

int settings_ask_postfix(struct settings *s, const struct settings *before, char *err,
			 size_t err_size)
{
	struct postfix_facts *f;
	char why[200];

	err[0] = '\0';
	if (!s->are_mynetworks_local && !s->are_postfix_domains_protected)
		return 0;
	f = postfix_facts_ask(s->postfix_config, s->filter_socket, why, sizeof(why));
	if (f == NULL && (f = facts_of(before)) != NULL)
		snprintf(err, err_size, "Postfix's configuration: %s: what it said before holds",
			 why);
	else if (f == NULL)
		snprintf(err, err_size,
			 "Postfix's configuration: %s: of local_clients, $mynetworks is "
			 "127.0.0.0/8 and "
			 "::1; of protected_domains, postfix is every domain",
			 why);
	else if (f->left_out[0] != '\0')
		snprintf(
			err, err_size,
			"Postfix's configuration: cannot be listed: %s: no network of it is ours%s",
			f->left_out,
			s->are_postfix_domains_protected && f->are_all_domains
				? ", and every domain is protected; name the domains in "
				  "protected_domains"
				: "");
	if (f != NULL) {
		postfix_facts_free(s->postfix);
		s->postfix = f;
	}
	return err[0] != '\0';
}

static int find_key(const char *name, size_t *index, char *err, size_t err_size)
{
	char shown[NAME_BYTES_MAX + 8];
	const char *closest;

	for (size_t i = 0; i < settings_keys_count; i++)
		if (strcmp(name, settings_keys[i].name) == 0) {
			*index = i;
			return 0;
		}
	log_escape(shown, sizeof(shown), name, strlen(name));
	closest = closest_word(name, settings_name, settings_keys_count);
	if (closest != NULL)
		snprintf(err, err_size, "unknown key \"%s\"; did you mean %s?", shown, closest);
	else
		snprintf(err, err_size, "unknown key \"%s\"; pgpgate.conf(5) lists them all",
			 shown);
	return -1;
}

/* Puts the place in front of the sentence in `what`. */
static int complain_at(const struct loader *l, const struct slot *slot, const char *name,
		       const char *what)
{
	char shown[200];

	if (slot->override != NULL) {
		log_escape(shown, sizeof(shown), slot->override, strlen(slot->override));
		snprintf(l->err, l->err_size, "-o %s: %s", shown, what);
	} else if (slot->line > 0) {
		snprintf(l->err, l->err_size, "%s:%u: %s%s%s", l->path, slot->line, name,
			 name[0] == '\0' ? "" : ": ", what);
	} else {
		snprintf(l->err, l->err_size, "%s: %s", name, what);
	}
	return -1;
}

static int parse_key(const struct loader *l, size_t index, struct settings *s)
{
	const struct slot *slot = &l->slots[index];
	char what[400] = "";
	struct settings_value v = {s, slot->text, NULL, what, sizeof(what)};
	int rc = settings_keys[index].parse(&settings_keys[index], &v);

	s->value_text[index] = v.canonical;
	return rc == 0 ? 0 : complain_at(l, slot, settings_keys[index].name, what);
}

static size_t index_of(const char *name)
{
	size_t i = 0;

	while (strcmp(settings_keys[i].name, name) != 0)
		i++;
	return i;
}

/* What no key can check alone. */
static int check_together(const struct loader *l, const struct settings *s)
{
	const struct slot *filter = &l->slots[index_of("filter_socket")];
	const struct slot *policy = &l->slots[index_of("policy_socket")];
	bool is_policy_set = policy->override != NULL || (policy->line > 0 && !filter->override);

	if (!socket_is_same(s->filter_socket, s->policy_socket))
		return 0;
	return complain_at(l, is_policy_set ? policy : filter, "filter_socket",
			   "policy_socket is the same; give each its own");
}

/* A settings value from the texts in the slots; NULL with the error. */
static struct settings *build(const struct loader *l)
{
	struct settings *s = calloc(1, sizeof(*s));
	size_t delimiter = index_of("recipient_delimiter");
	int rc;

	if (s != NULL) {
		s->references = 1;
		s->value_text = calloc(settings_keys_count, sizeof(*s->value_text));
		s->postfix = postfix_facts_new();
	}
	if (s == NULL || s->value_text == NULL || s->postfix == NULL) {
		settings_unref(s);
		snprintf(l->err, l->err_size, "out of memory");
		return NULL;
	}
	/* The patterns of exempt_recipients are read under the delimiter. */
	rc = parse_key(l, delimiter, s);
	for (size_t i = 0; rc == 0 && i < settings_keys_count; i++)
		if (i != delimiter)
			rc = parse_key(l, i, s);
	if (rc == 0)
		rc = check_together(l, s);
	if (rc == 0)
		return s;
	settings_unref(s);
	return NULL;
}

static int fill_from_file(const struct loader *l, const struct conf_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct slot at = {.line = f->entries[i].line};
		char what[200];
		size_t index;

		if (find_key(f->entries[i].key, &index, what, sizeof(what)) != 0)
			return complain_at(l, &at, "", what);
		l->slots[index].text = f->entries[i].value;
		l->slots[index].line = at.line;
	}
	return 0;
}

/* Takes "key=value" apart and puts it into its slot. *copy gets the memory that the slot points
 * into. */
static int override_one(const struct loader *l, const char *text, char **copy)
{
	struct slot at = {.override = text};
	struct conf_file f;
	unsigned line;
	char what[300];
	size_t index;
	int rc = -1;

	*copy = NULL;
	if (strchr(text, '\n') != NULL || strchr("# \t", text[0]) != NULL) {
		return complain_at(l, &at, "", "is no setting; write key=value");
	} else if (conf_file_parse(text, strlen(text), &f, &line, what, sizeof(what)) != 0 ||
		   find_key(f.entries[0].key, &index, what, sizeof(what)) != 0) {
		complain_at(l, &at, "", what);
	} else {
		*copy = f.entries[0].value;
		f.entries[0].value = NULL;
		l->slots[index] = (struct slot){*copy, 0, text};
		rc = 0;
	}
	conf_file_free(&f);
	return rc;
}

static struct settings *apply_overrides(const struct loader *l, const char *const *overrides,
					size_t n)
{
	char **copies = calloc(n, sizeof(*copies));
	struct settings *s = NULL;
	int rc = 0;

	if (copies == NULL) {
		snprintf(l->err, l->err_size, "out of memory");
		return NULL;
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = override_one(l, overrides[i], &copies[i]);
	if (rc == 0)
		s = build(l);
	for (size_t i = 0; i < n; i++)
		free(copies[i]);
	free(copies);
	return s;
}

/* Reads the file, if there is one, into f. *is_absent says that there is none and need not be. */
static int read_file(const struct loader *l, bool path_may_be_absent, struct conf_file *f,
		     bool *is_absent)
{
	char what[300];
	char *text;
	size_t len;
	unsigned line;
	int rc;

	*is_absent = false;
	memset(f, 0, sizeof(*f));
	if (conf_file_slurp(l->path, &text, &len) != 0) {
		*is_absent = path_may_be_absent && errno == ENOENT;
		if (*is_absent)
			return 0;
		snprintf(l->err, l->err_size, "%s: cannot be read: %s%s", l->path,
			 errno == EFBIG ? "over a megabyte" : strerror(errno),
			 errno == ENOENT   ? "; name another with -c FILE"
			 : errno == EACCES ? "; let this user read it, or name another with -c FILE"
					   : "");
		return -1;
	}
	rc = conf_file_parse(text, len, f, &line, what, sizeof(what));
	if (rc != 0)
		complain_at(l, &(struct slot){.line = line}, "", what);
	free(text);
	return rc;
}

struct settings *settings_load(const char *path, bool path_may_be_absent,
			       const char *const *overrides, size_t n_overrides, char *err,
			       size_t err_size)
{
	struct loader l = {path, NULL, err, err_size};
	struct settings *s = NULL;
	struct conf_file f;
	bool is_absent;

	err[0] = '\0';
	l.slots = calloc(settings_keys_count, sizeof(*l.slots));
	if (l.slots == NULL) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < settings_keys_count; i++)
		l.slots[i].text = settings_keys[i].default_text;
	/* The file is checked whole before anything overrides it. */
	if (read_file(&l, path_may_be_absent, &f, &is_absent) == 0 && fill_from_file(&l, &f) == 0)
		s = build(&l);
	if (s != NULL && n_overrides > 0) {
		settings_unref(s);
		s = apply_overrides(&l, overrides, n_overrides);
	}
	if (s != NULL && !is_absent && (s->path = strdup(path)) == NULL) {
		settings_unref(s);
		s = NULL;
		snprintf(err, err_size, "out of memory");
	}
	conf_file_free(&f);
	free(l.slots);
	return s;
}
