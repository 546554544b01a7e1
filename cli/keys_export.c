/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys export --wkd DIR: a Web Key Directory that a web server can serve, from the
 * certificates kept: draft-koch-openpgp-webkey-service section 3.1, both methods.
 *
 *     DIR/.well-known/openpgpkey/DOMAIN/hu/HASH, DIR/.well-known/openpgpkey/DOMAIN/policy
 * openpgpkey.DOMAIN DIR/direct/DOMAIN/.well-known/openpgpkey/hu/HASH, .../policy DOMAIN
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
#include "cli/wkd_tree.h"
#include "common/clock.h"
#include "common/log.h"

#define ADDRESS_PACKETS_MAX (64u << 20) /* of all certificates of one address */
#define UNFINISHED_SUFFIX ".new"

/* What one process hands to the other for each address, with len octets behind it. */
struct record {
	char address[ADDRESS_MAX + 1];
	uint64_t len;
};

/* ---- the process that reads the database ---- */

struct reading {
	struct settings *settings;
	FILE *to;
	int64_t now_unix;
};

static int send_entry(void *context, const struct wkd_entry *e)
{
	struct reading *r = context;
	struct record now = {.len = e->len};

	snprintf(now.address, sizeof(now.address), "%s", e->address);
	fwrite(&now, sizeof(now), 1, r->to);
	fwrite(e->bytes, 1, e->len, r->to);
	return ferror(r->to);
}

static void tell_unnamed(void *context, const char *address, const char *fingerprint)
{
	char clean[OUTPUT_TEXT_MAX];

	(void)context;
	cli_warning("%s is left out: no user id of %s names it, so no program would take it",
		    output_clean(clean, sizeof(clean), address), fingerprint);
}

static int read_database(void *context, FILE *to)
{
	struct reading *r = context;
	const struct wkd_teller teller = {send_entry, tell_unnamed, r};
	struct db *d = open_connection(r->settings, DB_READ);
	int code = 0;

	r->to = to;
	if (db_failure(d) != DB_OK || wkd_tree_tell(d, r->now_unix, &teller) < 0)
		code = open_failed(d);
	db_close(d);
	return code;
}

/* ---- the process that writes ---- */

struct exporting {
	struct cli *cli;
	int dir; /* DIR */
	int64_t n_addresses;
	int code;
};

static int fail(struct exporting *x, const char *path)
{
	char shown[WKD_PATH_MAX];

	cli_error("%s: %s", log_escape(shown, sizeof(shown), path, strlen(path)), strerror(errno));
	x->code = EX_CANTCREAT;
	return -1;
}

/* The folder of path below x->dir, made where it is absent. Whoever owns DIR, such as the web
 * server, may have put links there: none is followed. A descriptor, or -1 after having said why. */
static int open_folder(struct exporting *x, const char *path, const char **name)
{
	char folder[WKD_PATH_MAX];
	int fd = dup(x->dir);

	*name = path;
	for (const char *at = strchr(path, '/'); fd >= 0 && at != NULL; at = strchr(*name, '/')) {
		int below;

		snprintf(folder, sizeof(folder), "%.*s", (int)(at - *name), *name);
		below = mkdirat(fd, folder, 0755) != 0 && errno != EEXIST
				? -1
				: openat(fd, folder,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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
static int write_file(struct exporting *x, const char *path, const unsigned char *octets,
		      size_t len)
{
	char unfinished[WKD_PATH_MAX];
	const char *name;
	const int folder = open_folder(x, path, &name);
	int fd = -1, result = 0;

	if (folder < 0)
		return -1;
	snprintf(unfinished, sizeof(unfinished), "%s" UNFINISHED_SUFFIX, name);
	for (int i = 0; i < 2 && fd < 0;
	     i++) { /* what is there was left by one that was interrupted */
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

/* In both places. 0 or -1. */
static int write_entry(struct exporting *x, const struct wkd_entry *e)
{
	char path[WKD_PATH_MAX];

	for (enum wkd_method m = WKD_ADVANCED; m <= WKD_DIRECT; m++)
		if (write_file(x, wkd_tree_path(e, m, e->hash, path), e->bytes, e->len) != 0 ||
		    write_file(x, wkd_tree_path(e, m, "policy", path), NULL, 0) != 0)
			return -1;
	x->n_addresses++;
	return 0;
}

/* 0, or -1 after having said why. The other process reads what strangers wrote: it is not believed.
 */
static int take_record(struct exporting *x, const struct record *r, FILE *from)
{
	struct wkd_entry e;
	unsigned char *bytes;
	int result = -1;

	if (r->address[ADDRESS_MAX] != '\0' || r->len > ADDRESS_PACKETS_MAX) {
		cli_error("certificates of %.*s: larger than %u MB", ADDRESS_MAX, r->address,
			  ADDRESS_PACKETS_MAX >> 20);
		x->code = EX_DATAERR;
		return -1;
	}
	bytes = output_memory(NULL, r->len + 1);
	if (fread(bytes, 1, r->len, from) != r->len)
		x->code = EX_SOFTWARE; /* the other process says why */
	else if (wkd_tree_entry(r->address, bytes, r->len, &e) != 0)
		result = 0;
	else
		result = write_entry(x, &e);
	free(bytes);
	return result;
}

static void write_all_records(struct exporting *x, FILE *from)
{
	struct record r;

	while (x->code == 0 && fread(&r, sizeof(r), 1, from) == 1)
		if (take_record(x, &r, from) != 0)
			return;
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

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "DIR is the root of https://openpgpkey.DOMAIN for all domains, "
			  "DIR/direct/DOMAIN that of https://DOMAIN.",
			  &operands) != 0 ||
	    wkd == NULL)
		cli_misuse(cli, "where to? As in: keys export --wkd /srv/wkd");
	reading.settings = open_settings(cli);
	umask(022); /* a web server reads it */
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
	if (x.dir >= 0)
		close(x.dir);
	settings_unref(reading.settings);
	return x.code;
}
