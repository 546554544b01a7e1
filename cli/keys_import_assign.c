/* SPDX-License-Identifier: ISC
 *
 * keys_import_assign.c: whose a certificate is that is imported: of the pattern that was given, of
 * the addresses in its user ids that are in the domains that were given, or of that by which the
 * file of a Web Key Directory is named.
 */
#include "cli/keys_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/key_url.h"

void *keys_import_grow(void *list, size_t n, size_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return list;
	*room = *room == 0 ? 64 : 2 * *room;
	more = realloc(list, *room * size);
	if (more == NULL)
		free(list);
	return more;
}

static void add_keys(struct importing *im, const char *pattern, const struct certificate *c)
{
	for (size_t i = 0; i < c->n_keys; i++) {
		struct recipient_key *k;

		im->keys = keys_import_grow(im->keys, im->n_keys, &im->keys_room,
					    sizeof(*im->keys));
		if (im->keys == NULL) {
			im->is_out_of_memory = true;
			im->n_keys = im->keys_room = 0;
			return;
		}
		k = &im->keys[im->n_keys];
		memset(k, 0, sizeof(*k));
		snprintf(k->pattern, sizeof(k->pattern), "%s", pattern);
		snprintf(k->fingerprint, sizeof(k->fingerprint), "%s", c->key[i].fingerprint);
		snprintf(k->primary_fingerprint, sizeof(k->primary_fingerprint), "%s",
			 c->fingerprint);
		snprintf(k->source, sizeof(k->source),
			 c->key[i].is_spare ? KEY_SOURCE_SPARE : "import");
		k->from_unix = c->key[i].from_unix;
		k->until_unix = c->key[i].until_unix;
		k->state = c->key[i].state;
		if (key_id_of(k->fingerprint, &k->key_id) == 0)
			im->n_keys++;
	}
}

static bool is_of_domains(const struct importing *im, const struct address *a)
{
	for (size_t i = 0; i < im->domains.n; i++)
		if (strcasecmp(address_domain(a), im->domains.text[i]) == 0)
			return true;
	return false;
}

/* The domain that a file of a WKD tree is for, where its path says so:
 * .well-known/openpgpkey/DOMAIN/hu/HASH, the advanced method; or
 * direct/DOMAIN/.well-known/openpgpkey/hu/HASH, as `keys export` writes it. "": it does not.
 * Returns out. */
static char *wkd_domain(const char *path, char *out, size_t out_size)
{
	static const char advanced[] = "/.well-known/openpgpkey/", direct[] = "/direct/";
	const char *at, *end;

	out[0] = '\0';
	at = strstr(path, advanced);
	if (at != NULL) {
		end = strchr(at + strlen(advanced), '/');
		if (end != NULL && strncmp(end, "/hu/", 4) == 0) {
			snprintf(out, out_size, "%.*s", (int)(end - at - strlen(advanced)),
				 at + strlen(advanced));
			return out;
		}
	}
	at = strstr(path, direct);
	if (at != NULL && (end = strchr(at + strlen(direct), '/')) != NULL &&
	    strncmp(end, advanced, strlen(advanced)) == 0)
		snprintf(out, out_size, "%.*s", (int)(end - at - strlen(direct)),
			 at + strlen(direct));
	return out;
}

/* The hash that the file of a WKD tree is named by, and its domain. */
static bool is_of_file(const struct importing *im, const struct address *a)
{
	const char *base = strrchr(im->file->name, '/');
	const char *at = strrchr(a->text, '@');
	char hash[WKD_HASH_MAX], domain[ADDRESS_MAX + 1];

	wkd_domain(im->file->name, domain, sizeof(domain));
	return base != NULL && at != NULL &&
	       strcmp(wkd_hash(a->text, (size_t)(at - a->text), hash), base + 1) == 0 &&
	       (domain[0] == '\0' || strcasecmp(domain, at + 1) == 0) &&
	       (im->domains.n == 0 || is_of_domains(im, a));
}

/* "alice@example.org, bob@example.org". Returns out. */
static char *list_mailboxes(const struct certificate *c, char *out, size_t out_size)
{
	size_t used = 0;

	snprintf(out, out_size, "none");
	for (size_t i = 0; i < c->n_mailboxes && used + 40 < out_size; i++)
		used += (size_t)snprintf(out + used, out_size - used, "%s%.80s", i == 0 ? "" : ", ",
					 c->mailbox[i].text);
	return out;
}

/* 0, or -1: it is for nobody here, and why was said. */
int keys_import_assign(struct importing *im, size_t number, const struct certificate *c)
{
	char why[900], list[400];
	size_t n_assigned = 0;

	if (im->has_pattern) {
		const bool is_mailbox = im->pattern.kind == PATTERN_MAILBOX ||
					im->pattern.kind == PATTERN_DETAIL;

		for (size_t i = 0; i < c->n_mailboxes; i++)
			n_assigned += pattern_matches(&im->pattern, &c->mailbox[i],
						      im->settings->recipient_delimiter);
		if (is_mailbox && n_assigned == 0 && !im->any_user_id) {
			snprintf(why, sizeof(why),
				 "%s is not of %.320s: its addresses: %s; --any-user-id takes it "
				 "all the same",
				 c->fingerprint, im->pattern.text,
				 list_mailboxes(c, list, sizeof(list)));
			keys_import_complain(im, number, why);
			return -1;
		}
		add_keys(im, im->pattern.text, c);
		return 0;
	}
	for (size_t i = 0; i < c->n_mailboxes; i++) {
		if (im->is_wkd ? !is_of_file(im, &c->mailbox[i])
			       : !is_of_domains(im, &c->mailbox[i]))
			continue;
		add_keys(im, c->mailbox[i].text, c);
		n_assigned++;
	}
	if (n_assigned > 0)
		return 0;
	snprintf(why, sizeof(why), "%s has no address %s: it has %s", c->fingerprint,
		 im->is_wkd ? "that its file is named by" : "in a --domain that was given",
		 list_mailboxes(c, list, sizeof(list)));
	keys_import_complain(im, number, why);
	return -1;
}
