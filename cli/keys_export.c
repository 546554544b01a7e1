/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys export --wkd DIR: a Web Key Directory that a web server can serve, from the certificates kept:
 * draft-koch-openpgp-webkey-service section 3.1, both methods.
 *
 *     DIR/.well-known/openpgpkey/DOMAIN/hu/HASH, DIR/.well-known/openpgpkey/DOMAIN/policy   openpgpkey.DOMAIN
 *     DIR/direct/DOMAIN/.well-known/openpgpkey/hu/HASH, .../policy                          DOMAIN
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/key_url.h"
#include "common/log.h"

#define PATH_BYTES_MAX 2048

struct exporting {
	struct cli *cli;
	struct db *db;
	int dir; /* DIR, opened before root became another user */
	int64_t now_unix, n_addresses;
	char last_pattern[ADDRESS_MAX + 1]; /* what was written for it so far: */
	char last_fingerprint[FINGERPRINT_MAX];
	int code;
};

static int fail(struct exporting *x, const char *path)
{
	char shown[PATH_BYTES_MAX];

	cli_error("%s: %s", log_escape(shown, sizeof(shown), path, strlen(path)), strerror(errno));
	x->code = EX_CANTCREAT;
	return 1;
}

/* Below x->dir, no link is followed out of it by us: each folder is made, or is there. */
static int write_file(struct exporting *x, const char *path, const unsigned char *bytes, size_t len,
		      bool appends)
{
	char folder[PATH_BYTES_MAX];
	size_t done = 0;
	int fd;

	for (const char *at = strchr(path, '/'); at != NULL; at = strchr(at + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(at - path), path);
		if (mkdirat(x->dir, folder, 0755) != 0 && errno != EEXIST)
			return fail(x, folder);
	}
	fd = openat(x->dir, path,
		    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (appends ? O_APPEND : O_TRUNC), 0644);
	if (fd < 0)
		return fail(x, path);
	while (done < len) {
		const ssize_t n = write(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return fail(x, path);
		}
		done += (size_t)n;
	}
	return close(fd) == 0 ? 0 : fail(x, path);
}

/* A domain as part of a path: canonical ones are; whatever else stands in the database is passed over. */
static bool is_safe(const char *domain)
{
	return domain[0] != '\0' && domain[0] != '.' &&
	       strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(domain) &&
	       strstr(domain, "..") == NULL;
}

static int export_key(void *context, const struct recipient_key *k)
{
	struct exporting *x = context;
	const char *at = strrchr(k->pattern, '@');
	char hash[WKD_HASH_MAX], path[PATH_BYTES_MAX];
	unsigned char *packets = NULL;
	size_t len = 0;
	bool is_next;
	int got;

	/* Keys that can be encrypted to; a certificate with two of them is written once. */
	if (at == NULL || at == k->pattern || !is_safe(at + 1) || k->primary_fingerprint[0] == '\0' ||
	    keys_state_at(k, x->now_unix) != KEY_ACTIVE || key_is_spare(k))
		return 0;
	is_next = strcmp(x->last_pattern, k->pattern) == 0;
	if (is_next && strcmp(x->last_fingerprint, k->primary_fingerprint) == 0)
		return 0;
	got = keys_certificate(x->db, k->primary_fingerprint, &packets, &len);
	if (got <= 0) {
		x->code = got < 0 ? open_failed(x->db) : x->code;
		return got < 0;
	}
	wkd_hash(k->pattern, (size_t)(at - k->pattern), hash);
	snprintf(path, sizeof(path), ".well-known/openpgpkey/%s/hu/%s", at + 1, hash);
	got = write_file(x, path, packets, len, is_next);
	snprintf(path, sizeof(path), "direct/%s/.well-known/openpgpkey/hu/%s", at + 1, hash);
	got = got != 0 || write_file(x, path, packets, len, is_next);
	snprintf(path, sizeof(path), ".well-known/openpgpkey/%s/policy", at + 1);
	got = got || write_file(x, path, NULL, 0, false);
	snprintf(path, sizeof(path), "direct/%s/.well-known/openpgpkey/policy", at + 1);
	got = got || write_file(x, path, NULL, 0, false);
	free(packets);
	x->n_addresses += !is_next;
	snprintf(x->last_pattern, sizeof(x->last_pattern), "%s", k->pattern);
	snprintf(x->last_fingerprint, sizeof(x->last_fingerprint), "%s", k->primary_fingerprint);
	return got;
}

int keys_run_export(struct cli *cli, int argc, char **argv)
{
	struct exporting x = {.cli = cli, .now_unix = clock_now_unix(), .dir = -1};
	const char *wkd = NULL;
	const struct option_spec specs[] = {
		{"wkd", 0, "DIR", OPTION_TEXT, &wkd, "where; it is made if need be"},
	};
	char number[OUTPUT_NUMBER_MAX], **operands;
	struct settings *s;

	if (options_parse(cli, argc, argv, specs,
			  OPTIONS_N(specs), "DIR is the root of https://openpgpkey.DOMAIN for all domains, DIR/direct/DOMAIN that of https://DOMAIN.",
			  &operands) != 0 ||
	    wkd == NULL)
		cli_misuse(cli, "where to? As in: keys export --wkd /srv/wkd");
	s = open_settings(cli);
	if (mkdir(wkd, 0755) != 0 && errno != EEXIST)
		return fail(&x, wkd);
	x.dir = open(wkd, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x.dir < 0)
		return fail(&x, wkd);
	/* Root writes where it was told to; the database is its own user's. */
	x.code = open_lower(s);
	if (x.code != 0)
		return x.code;
	x.db = open_connection(s, DB_READ);
	open_become_root();
	if (db_failure(x.db) != DB_OK)
		x.code = open_failed(x.db);
	else if (keys_list(x.db, NULL, 0, export_key, &x) < 0)
		x.code = open_failed(x.db);
	if (x.code == 0 && !cli->json)
		printf("%s %s\n", output_number(number, x.n_addresses),
		       output_plural(x.n_addresses, "address", "addresses"));
	db_close(x.db);
	close(x.dir);
	settings_unref(s);
	return x.code;
}
