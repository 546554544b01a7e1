/* SPDX-License-Identifier: ISC */
#include "cli/known_addresses.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "db/hashed.h"

struct loading {
	struct known_addresses *known;
	struct db *db;
};

void known_addresses_add(struct known_addresses *k, struct db *d, const char *address)
{
	const size_t size = strlen(address) + 1;
	char hash[HASHED_ADDRESS_MAX];

	if (!db_hashed(d)->has_key || strchr(address, '@') == NULL)
		return;
	if (k->n == k->room) {
		k->room = k->room == 0 ? 256 : 2 * k->room;
		k->list = output_memory(k->list, k->room * sizeof(*k->list));
	}
	k->list[k->n].hash = strtoull(hashed_address(db_hashed(d), address, hash) + strlen("h:"),
				      NULL, 16);
	k->list[k->n].text = output_memory(NULL, size);
	memcpy(k->list[k->n++].text, address, size);
	k->is_sorted = false;
}

static int add_key(void *context, const struct recipient_key *key)
{
	const struct loading *l = context;
	const struct known_addresses *k = l->known;

	/* They come in the order of patterns. */
	if (k->n == 0 || strcmp(k->list[k->n - 1].text, key->pattern) != 0)
		known_addresses_add(l->known, l->db, key->pattern);
	return 0;
}

static int add_group(void *context, const char *pattern, const char *member, bool wants_all)
{
	const struct loading *l = context;

	(void)wants_all;
	known_addresses_add(l->known, l->db, pattern);
	known_addresses_add(l->known, l->db, member);
	return 0;
}

static int add_rule(void *context, const struct rule *r)
{
	const struct loading *l = context;

	if (r->recipient.kind == PATTERN_MAILBOX || r->recipient.kind == PATTERN_DETAIL)
		known_addresses_add(l->known, l->db, r->recipient.text);
	return 0;
}

int known_addresses_load(struct known_addresses *k, struct db *d, bool with_rules)
{
	const struct rules_filter all = {.recipient = NULL};
	struct loading l = {k, d};

	if (!db_hashed(d)->has_key)
		return 0;
	if (keys_list(d, NULL, 0, add_key, &l) < 0 || keys_groups(d, NULL, add_group, &l) < 0)
		return -1;
	return with_rules && rules_list(d, &all, add_rule, &l) < 0 ? -1 : 0;
}

static int by_hash(const void *a, const void *b)
{
	const struct known_address *left = a, *right = b;

	return left->hash < right->hash ? -1 : left->hash > right->hash;
}

const char *known_addresses_find(struct known_addresses *k, const char *on_record)
{
	struct known_address wanted;
	const struct known_address *found;

	if (strncmp(on_record, "h:", 2) != 0)
		return on_record;
	if (k->n == 0)
		return NULL;
	if (!k->is_sorted)
		qsort(k->list, k->n, sizeof(*k->list), by_hash);
	k->is_sorted = true;
	wanted.hash = strtoull(on_record + 2, NULL, 16);
	found = bsearch(&wanted, k->list, k->n, sizeof(*k->list), by_hash);
	return found != NULL ? found->text : NULL;
}

void known_addresses_free(struct known_addresses *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->list[i].text);
	free(k->list);
	memset(k, 0, sizeof(*k));
}
