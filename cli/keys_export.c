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

#include "cli/apart.h"
#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/key_url.h"
#include "common/log.h"

#define PATH_BYTES_MAX 2048
#define ADDRESS_PACKETS_MAX (64u << 20) /* of all certificates of one address */
#define UNFINISHED_SUFFIX ".new"

/* What one process hands to the other for each certificate, with len octets behind it. */
struct record {
	char pattern[ADDRESS_MAX + 1];
	char fingerprint[FINGERPRINT_MAX];
	uint64_t len;
};

/* ---- the process that reads the database ---- */

struct reading {
	struct settings *settings;
	struct db *db;
	FILE *to;
	int64_t now_unix;
	struct record last; /* without its octets */
	int code;
};

static int send_certificate(void *context, const struct recipient_key *k)
{
	struct reading *r = context;
	struct record now = {.len = 0};
	unsigned char *packets = NULL;
	size_t len = 0;
	int got;

	/* Keys that can be encrypted to; a certificate with two of them is written once. */
	snprintf(now.pattern, sizeof(now.pattern), "%s", k->pattern);
	snprintf(now.fingerprint, sizeof(now.fingerprint), "%s", k->primary_fingerprint);
	if (now.fingerprint[0] == '\0' || keys_state_at(k, r->now_unix) != KEY_ACTIVE ||
	    key_is_spare(k) ||
	    (strcmp(r->last.pattern, now.pattern) == 0 &&
	     strcmp(r->last.fingerprint, now.fingerprint) == 0))
		return 0;
	got = keys_certificate(r->db, now.fingerprint, &packets, &len);
	if (got < 0)
		r->code = open_failed(r->db);
	if (got > 0) {
		now.len = len;
		fwrite(&now, sizeof(now), 1, r->to);
		fwrite(packets, 1, len, r->to);
		r->last = now;
	}
	free(packets);
	return r->code != 0 || ferror(r->to);
}

static int read_database(void *context, FILE *to)
{
	struct reading *r = context;

	r->to = to;
	r->db = open_connection(r->settings, DB_READ);
	if (db_failure(r->db) != DB_OK || keys_list(r->db, NULL, 0, send_certificate, r) < 0)
		r->code = open_failed(r->db);
	db_close(r->db);
	return r->code;
}

/* ---- the process that writes ---- */

struct exporting {
	struct cli *cli;
	int dir; /* DIR */
	int64_t n_addresses;
	char pattern[ADDRESS_MAX + 1]; /* whose certificates these are */
	unsigned char *packets;
	size_t len;
	int code;
};

static int fail(struct exporting *x, const char *path)
{
	char shown[PATH_BYTES_MAX];

	cli_error("%s: %s", log_escape(shown, sizeof(shown), path, strlen(path)), strerror(errno));
	x->code = EX_CANTCREAT;
	return -1;
}

/* The folder of path below x->dir, made where it is absent. Whoever owns DIR, such as the web server, may have put links
 * there: none is followed. A descriptor, or -1 after having said why. */
static int open_folder(struct exporting *x, const char *path, const char **name)
{
	char folder[PATH_BYTES_MAX];
	int fd = dup(x->dir);

	*name = path;
	for (const char *at = strchr(path, '/'); fd >= 0 && at != NULL; at = strchr(*name, '/')) {
		int below;

		snprintf(folder, sizeof(folder), "%.*s", (int)(at - *name), *name);
		below = mkdirat(fd, folder, 0755) != 0 && errno != EEXIST
				? -1
				: openat(fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = below;
		*name = at + 1;
	}
	if (fd < 0) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(*name - path), path);
		fail(x, folder);
	}
	return fd;
}

static int write_all(int fd, const unsigned char *octets, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, octets, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		octets += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Under another name first: who serves the directory never sees half a certificate. */
static int write_file(struct exporting *x, const char *path, const unsigned char *octets, size_t len)
{
	char unfinished[PATH_BYTES_MAX];
	const char *name;
	const int folder = open_folder(x, path, &name);
	int fd = -1, result = 0;

	if (folder < 0)
		return -1;
	snprintf(unfinished, sizeof(unfinished), "%s" UNFINISHED_SUFFIX, name);
	for (int i = 0; i < 2 && fd < 0; i++) { /* what is there was left by one that was interrupted */
		fd = openat(folder, unfinished,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0 && (errno != EEXIST || unlinkat(folder, unfinished, 0) != 0))
			break;
	}
	if (fd < 0 || write_all(fd, octets, len) != 0)
		result = fail(x, path);
	if (fd >= 0 && close(fd) != 0 && result == 0)
		result = fail(x, path);
	if (result == 0 && renameat(folder, unfinished, folder, name) != 0)
		result = fail(x, path);
	if (result != 0 && fd >= 0)
		unlinkat(folder, unfinished, 0);
	close(folder);
	return result;
}

/* A domain as part of a path: canonical ones are; whatever else stands in the database is passed over. */
static bool is_safe(const char *domain)
{
	return domain[0] != '\0' && domain[0] != '.' &&
	       strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(domain) &&
	       strstr(domain, "..") == NULL;
}

/* The certificates gathered for x->pattern, in both places. 0 or -1. */
static int write_address(struct exporting *x)
{
	const char *at = strrchr(x->pattern, '@');
	char hash[WKD_HASH_MAX], path[PATH_BYTES_MAX];

	if (x->len == 0)
		return 0;
	wkd_hash(x->pattern, (size_t)(at - x->pattern), hash);
	for (int is_direct = 0; is_direct < 2; is_direct++) {
		snprintf(path, sizeof(path),
			 is_direct ? "direct/%s/.well-known/openpgpkey/hu/%s"
				   : ".well-known/openpgpkey/%s/hu/%s",
			 at + 1, hash);
		if (write_file(x, path, x->packets, x->len) != 0)
			return -1;
		snprintf(path, sizeof(path),
			 is_direct ? "direct/%s/.well-known/openpgpkey/policy"
				   : ".well-known/openpgpkey/%s/policy",
			 at + 1);
		if (write_file(x, path, NULL, 0) != 0)
			return -1;
	}
	x->n_addresses++;
	x->len = 0;
	return 0;
}

/* 0, or -1 after having said why. */
static int take_record(struct exporting *x, const struct record *r, FILE *from)
{
	const char *at = strrchr(r->pattern, '@');
	unsigned char *more;

	if (r->pattern[ADDRESS_MAX] != '\0' || r->len > ADDRESS_PACKETS_MAX - x->len) {
		cli_error("certificates of %.*s: larger than %u MB", ADDRESS_MAX, r->pattern,
			  ADDRESS_PACKETS_MAX >> 20);
		x->code = EX_DATAERR;
		return -1;
	}
	if (strcmp(r->pattern, x->pattern) != 0) {
		if (write_address(x) != 0)
			return -1;
		snprintf(x->pattern, sizeof(x->pattern), "%s", r->pattern);
	}
	more = realloc(x->packets, x->len + r->len + 1);
	if (more == NULL || fread(more + x->len, 1, r->len, from) != r->len) {
		x->packets = more != NULL ? more : x->packets;
		x->code = more != NULL ? EX_SOFTWARE : EX_OSERR;
		return -1; /* the other process says why */
	}
	x->packets = more;
	if (at != NULL && at != r->pattern && is_safe(at + 1))
		x->len += r->len;
	return 0;
}

static void write_all_records(struct exporting *x, FILE *from)
{
	struct record r;

	while (x->code == 0 && fread(&r, sizeof(r), 1, from) == 1)
		if (take_record(x, &r, from) != 0)
			return;
	if (x->code == 0)
		write_address(x);
}

int keys_run_export(struct cli *cli, int argc, char **argv)
{
	struct exporting x = {.cli = cli, .dir = -1};
	struct reading reading = {.now_unix = clock_now_unix()};
	const char *wkd = NULL;
	const struct option_spec specs[] = {
		{"wkd", 0, "DIR", OPTION_TEXT, &wkd, "where; it is made if need be"},
	};
	char number[OUTPUT_NUMBER_MAX], **operands;
	struct apart a;
	int code;

	if (options_parse(cli, argc, argv, specs,
			  OPTIONS_N(specs), "DIR is the root of https://openpgpkey.DOMAIN for all domains, DIR/direct/DOMAIN that of https://DOMAIN.",
			  &operands) != 0 ||
	    wkd == NULL)
		cli_misuse(cli, "where to? As in: keys export --wkd /srv/wkd");
	reading.settings = open_settings(cli);
	if ((mkdir(wkd, 0755) != 0 && errno != EEXIST) ||
	    (x.dir = open(wkd, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		fail(&x, wkd);
	} else if ((x.code = apart_begin(&a, reading.settings, read_database, &reading)) == 0) {
		write_all_records(&x, a.from);
		code = apart_end(&a);
		x.code = x.code != 0 ? x.code : code;
	}
	if (x.code == 0 && !cli->json)
		printf("%s %s\n", output_number(number, x.n_addresses),
		       output_plural(x.n_addresses, "address", "addresses"));
	free(x.packets);
	if (x.dir >= 0)
		close(x.dir);
	settings_unref(reading.settings);
	return x.code;
}
