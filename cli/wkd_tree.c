/* SPDX-License-Identifier: ISC */
#include "cli/wkd_tree.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/certificate_packet.h"
#include "cli/keys.h"
#include "cli/output.h"

struct telling {
	const struct wkd_teller *teller;
	struct db *db;
	int64_t now_unix;
	char address[ADDRESS_MAX + 1];		/* the present one; "": none yet */
	char last_fingerprint[FINGERPRINT_MAX]; /* of its last certificate that was seen */
	unsigned char *bytes;
	size_t len;
	int result;
};

/* A domain as part of a path: canonical ones are; whatever else stands in the database is passed
 * over. */
static bool is_safe(const char *domain)
{
	return domain[0] != '\0' && domain[0] != '.' &&
	       strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(domain) &&
	       strstr(domain, "..") == NULL;
}

int wkd_tree_entry(const char *address, const unsigned char *bytes, size_t len,
		   struct wkd_entry *out)
{
	const char *at = strrchr(address, '@');

	*out = (struct wkd_entry){.address = address, .bytes = bytes, .len = len};
	if (at == NULL || at == address || !is_safe(at + 1))
		return -1;
	out->domain = at + 1;
	wkd_hash(address, (size_t)(at - address), out->hash);
	return 0;
}

/* What was gathered of an address. */
static int flush(struct telling *t)
{
	struct wkd_entry e;

	if (t->len == 0 || wkd_tree_entry(t->address, t->bytes, t->len, &e) != 0)
		return 0;
	t->len = 0;
	return t->teller->entry(t->teller->context, &e);
}

static bool is_address(void *context, const char *address)
{
	return strcmp(context, address) == 0;
}

/* 0 or -1. */
static int add_certificate(struct telling *t, const char *fingerprint)
{
	unsigned char *packets = NULL;
	size_t len = 0, n;
	bool has_any;
	const int got = keys_certificate(t->db, fingerprint, &packets, &len);

	if (got <= 0)
		return got;
	t->bytes = output_memory(t->bytes, t->len + len + 1);
	n = certificate_for(packets, len, is_address, t->address, t->bytes + t->len, &has_any);
	t->len += has_any ? n : 0;
	free(packets);
	if (!has_any)
		t->teller->unnamed(t->teller->context, t->address, fingerprint);
	return 0;
}

static int see_key(void *context, const struct recipient_key *k)
{
	struct telling *t = context;
	const char *at = strrchr(k->pattern, '@');

	/* Keys that can be encrypted to; a certificate with two of them comes once. */
	if (at == NULL || at == k->pattern || !is_safe(at + 1) ||
	    k->primary_fingerprint[0] == '\0' || keys_state_at(k, t->now_unix) != KEY_ACTIVE ||
	    key_is_spare(k))
		return 0;
	if (strcmp(t->address, k->pattern) != 0) {
		t->result = flush(t);
		if (t->result != 0)
			return 1;
		snprintf(t->address, sizeof(t->address), "%s", k->pattern);
		t->last_fingerprint[0] = '\0';
	}
	if (strcmp(t->last_fingerprint, k->primary_fingerprint) == 0)
		return 0;
	snprintf(t->last_fingerprint, sizeof(t->last_fingerprint), "%s", k->primary_fingerprint);
	t->result = add_certificate(t, k->primary_fingerprint);
	return t->result != 0;
}

int wkd_tree_tell(struct db *d, int64_t now_unix, const struct wkd_teller *teller)
{
	struct telling t = {.teller = teller, .db = d, .now_unix = now_unix};
	const int listed = keys_list(d, NULL, 0, see_key, &t);
	int result = listed < 0 ? -1 : t.result;

	if (result == 0)
		result = flush(&t);
	free(t.bytes);
	return result;
}

char *wkd_tree_path(const struct wkd_entry *e, enum wkd_method m, const char *name,
		    char out[WKD_PATH_MAX])
{
	const char *hu = strcmp(name, "policy") == 0 ? "" : "hu/";

	if (m == WKD_ADVANCED)
		snprintf(out, WKD_PATH_MAX, ".well-known/openpgpkey/%s/%s%s", e->domain, hu, name);
	else
		snprintf(out, WKD_PATH_MAX, "direct/%s/.well-known/openpgpkey/%s%s", e->domain, hu,
			 name);
	return out;
}
