/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys import: keys from certificates. All or nothing.
 */
#include "cli/keys_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/certificate_packet.h"
#include "cli/changes.h"
#include "cli/keys.h"
#include "cli/open.h"
#include "cli/output.h"
#include "cli/rule_add.h"
#include "cli/site_session.h"
#include "common/clock.h"

static int compare_keys(const void *a, const void *b)
{
	const struct recipient_key *left = a, *right = b;
	const int order = strcmp(left->pattern, right->pattern);

	return order != 0 ? order : strcmp(left->fingerprint, right->fingerprint);
}

/* A certificate with two addresses that become one, or that came twice: what comes twice is put
 * once. */
static void drop_doubles(struct importing *im)
{
	size_t n = 0;

	if (im->n_keys > 0)
		qsort(im->keys, im->n_keys, sizeof(*im->keys), compare_keys);
	for (size_t i = 0; i < im->n_keys; i++)
		if (n == 0 || compare_keys(&im->keys[n - 1], &im->keys[i]) != 0)
			im->keys[n++] = im->keys[i];
	im->n_keys = n;
}

static void release(struct importing *im)
{
	certificate_files_free(&im->files);
	for (size_t i = 0; i < im->n_certificates; i++)
		free((void *)(uintptr_t)im->certificates[i].packets);
	free(im->certificates);
	free(im->keys);
	certificate_reader_free(im->reader);
}

/* Whose user ids are kept of a certificate: of those whose keys are from it, now or already. */
struct owners {
	const struct importing *im;
	struct db *d;
	const char *fingerprint;
	bool is_found;
	bool has_failed; /* the database */
};

static int see_owner(void *context, const struct recipient_key *k)
{
	struct owners *o = context;

	o->is_found = strcmp(k->primary_fingerprint, o->fingerprint) == 0;
	return o->is_found;
}

static bool is_owner(void *context, const char *address)
{
	struct owners *o = context;

	for (size_t i = 0; i < o->im->n_keys; i++)
		if (strcmp(o->im->keys[i].pattern, address) == 0 &&
		    strcmp(o->im->keys[i].primary_fingerprint, o->fingerprint) == 0)
			return true;
	o->is_found = false;
	o->has_failed |= keys_list(o->d, address, 0, see_owner, o) < 0;
	return o->is_found;
}

/* 0, or -1: the database failed. */
static int drop_user_ids(struct importing *im, struct db *d)
{
	bool has_failed = false;

	for (size_t i = 0; i < im->n_certificates; i++) {
		struct key_certificate *c = &im->certificates[i];
		struct owners owners = {.im = im, .d = d, .fingerprint = c->fingerprint};
		bool has_any;

		c->len = certificate_for(c->packets, c->len, is_owner, &owners,
					 (unsigned char *)(uintptr_t)c->packets, &has_any);
		has_failed |= owners.has_failed;
	}
	return has_failed ? -1 : 0;
}

static int put(struct importing *im, struct settings *s, bool dry_run, bool replaces_all,
	       bool supersedes, const char *note)
{
	struct keys_show show = {.cli = im->cli, .is_dry_run = dry_run};
	struct keys_change c = {.author = cli_author(),
				.now_unix = im->now_unix,
				.is_dry_run = dry_run,
				.replaces_all = replaces_all,
				.supersedes = supersedes,
				.tell = keys_show_change,
				.context = &show};
	struct keys_result result;
	struct db *d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	int code = 0;

	drop_doubles(im);
	for (size_t i = 0; i < im->n_keys; i++)
		snprintf(im->keys[i].note, sizeof(im->keys[i].note), "%s", note);
	if (drop_user_ids(im, d) != 0) {
		code = open_failed(d);
		db_close(d);
		return code;
	}
	c.keys = im->keys;
	c.n_keys = im->n_keys;
	c.certificates = im->certificates;
	c.n_certificates = im->n_certificates;
	code = dry_run ? 0 : site_session_begin(im->cli, s, d, NULL);
	if (code == 0 && keys_put(d, &c, &result) != 0)
		code = open_failed(d);
	else if (code == 0)
		keys_show_result(im->cli, &result, dry_run);
	code = site_session_end(code);
	db_close(d);
	return code;
}

int keys_run_import(struct cli *cli, int argc, char **argv)
{
	struct importing im = {.cli = cli, .now_unix = clock_now_unix()};
	bool dry_run = false, replaces_all = false, supersedes = false;
	const char *wkd = NULL, *note = "", *program = "gpg";
	const struct option_spec specs[] = {
		{"wkd", 0, "DIR", OPTION_TEXT, &wkd,
		 "a Web Key Directory, as a web server serves it"},
		{"domain", 0, "DOMAIN", OPTION_LIST, &im.domains,
		 "without a pattern: the addresses of each certificate in this domain; repeatable"},
		{"any-user-id", 0, NULL, OPTION_FLAG, &im.any_user_id,
		 "the certificate need not name the address"},
		{"replace-all", 0, NULL, OPTION_FLAG, &replaces_all,
		 "all other keys, of all recipients, are removed"},
		{"supersede", 0, NULL, OPTION_FLAG, &supersedes,
		 "other keys of these recipients end now"},
		{"note", 0, "TEXT", OPTION_TEXT, &note, "why; kept with the keys"},
		{"gpg", 0, "PROGRAM", OPTION_TEXT, &program, "where gpg is"},
		CHANGES_OPTION_WAIT(cli),
		{"dry-run", 0, NULL, OPTION_FLAG, &dry_run, "only show what would change"},
	};
	char why[CERTIFICATE_READ_WHY_MAX], **operands;
	const int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
				    "Certificates, armored or not, several in a file; of a "
				    "directory all files. All or nothing. "
				    "Exit status 65: one of them is bad.",
				    &operands);
	struct settings *s;
	int code;

	if (wkd != NULL ? n != 0 : n < 1 || n > 2)
		cli_misuse(cli, "which file?");
	if (wkd == NULL && n == 1 && im.domains.n == 0)
		cli_misuse(cli, "whose are they? Give a pattern before the file, or --domain");
	if (strlen(note) > NOTE_MAX)
		cli_misuse(cli, "--note: at most %d bytes", NOTE_MAX);
	s = open_settings(cli);
	im.settings = s;
	im.is_wkd = wkd != NULL;
	im.has_pattern = n == 2;
	if (im.has_pattern)
		rule_add_pattern(cli, s, operands[0], false, &im.pattern);
	if (certificate_files_read(&im.files, wkd != NULL ? wkd : operands[n - 1], im.is_wkd) !=
	    0) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	open_become_user(s);
	open_refuse_root("a stranger's certificate");
	im.reader = certificate_reader_new(program, why);
	if (im.reader == NULL) {
		cli_error("%s", why);
		code = EX_UNAVAILABLE;
	} else if (im.files.n == 0) {
		cli_error("there is no certificate; nothing was changed");
		code = EX_DATAERR;
	} else {
		code = keys_import_read(&im);
		if (code == 0)
			code = put(&im, s, dry_run, replaces_all, supersedes, note);
	}
	release(&im);
	settings_unref(s);
	return code;
}
