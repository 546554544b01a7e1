/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys import: keys from certificates: files are read, taken apart, and each certificate is
 * shown to gpg. All or nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/certificate_files.h"
#include "cli/certificate_packet.h"
#include "cli/certificate_read.h"
#include "cli/certificate_split.h"
#include "cli/changes.h"
#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rule_add.h"
#include "cli/site_session.h"
#include "common/clock.h"
#include "common/key_url.h"
#include "common/log.h"

#define BAD_MAX 200 /* that are told; then whoever made the files is to look at them first */

struct importing {
	struct cli *cli;
	const struct settings *settings;
	struct certificate_reader *reader;
	struct pattern pattern;
	bool has_pattern, any_user_id, is_wkd;
	struct option_list domains;
	int64_t now_unix;
	struct certificate_files files;
	const struct certificate_file *file; /* the present one */
	struct recipient_key *keys;
	size_t n_keys, keys_room;
	struct key_certificate *certificates;
	size_t n_certificates, certificates_room;
	size_t n_read, n_bad;
	bool is_out_of_memory;
};

static void complain(struct importing *im, size_t number, const char *why)
{
	char name[OUTPUT_TEXT_MAX / 2];

	im->n_bad++;
	im->n_read += number == 0; /* a file of which nothing was read counts as one */
	log_escape(name, sizeof(name), im->file->name, strlen(im->file->name));
	if (number > 0)
		cli_error("%s: certificate %zu: %s", name, number, why);
	else
		cli_error("%s: %s", name, why);
}

/* One more in a list that doubles. NULL: no memory. */
static void *grow(void *list, size_t n, size_t *room, size_t size)
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

/* ---- certificates ---- */

static void add_keys(struct importing *im, const char *pattern, const struct certificate *c)
{
	for (size_t i = 0; i < c->n_keys; i++) {
		struct recipient_key *k;

		im->keys = grow(im->keys, im->n_keys, &im->keys_room, sizeof(*im->keys));
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
static int assign(struct importing *im, size_t number, const struct certificate *c)
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
			complain(im, number, why);
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
	complain(im, number, why);
	return -1;
}

static void tell_unread_key(void *context, const char *fingerprint)
{
	const struct importing *im = context;

	cli_error("  pgpgate keys add %s %s", im->has_pattern ? im->pattern.text : "ADDRESS",
		  fingerprint);
}

static int take_certificate(void *context, size_t number, const unsigned char *packets, size_t len,
			    unsigned version)
{
	struct importing *im = context;
	struct certificate *c = malloc(sizeof(*c));
	char why[CERTIFICATE_READ_WHY_MAX + 80], name[OUTPUT_TEXT_MAX / 4];
	struct key_certificate *kept;

	if (c == NULL)
		return -1;
	im->n_read++;
	if (certificate_read(im->reader, packets, len, im->now_unix, c, why) != 0) {
		if (certificate_is_beyond_gpg(packets, len)) {
			snprintf(why, sizeof(why),
				 "a version %u key of a kind that gpg does not read; its keys to "
				 "encrypt to can be added with",
				 version);
			complain(im, number, why);
			certificate_subkeys(packets, len, tell_unread_key, im);
		} else {
			complain(im, number, why);
		}
		free(c);
		return im->n_bad >= BAD_MAX ? -1 : 0;
	}
	if (c->has_sha1)
		cli_warning("%s: certificate %zu: %s: parts of it are signed with SHA-1, which "
			    "many programs do not trust any more",
			    log_escape(name, sizeof(name), im->file->name, strlen(im->file->name)),
			    number, c->fingerprint);
	if (assign(im, number, c) == 0) {
		im->certificates = grow(im->certificates, im->n_certificates,
					&im->certificates_room, sizeof(*im->certificates));
		kept = im->certificates != NULL ? &im->certificates[im->n_certificates] : NULL;
		if (kept != NULL) {
			unsigned char *copy = malloc(len);

			snprintf(kept->fingerprint, sizeof(kept->fingerprint), "%s",
				 c->fingerprint);
			kept->packets = copy;
			kept->len = len;
			if (copy != NULL)
				memcpy(copy, packets, len);
			im->n_certificates += copy != NULL;
			im->is_out_of_memory |= copy == NULL;
		}
		im->is_out_of_memory |= kept == NULL;
	}
	free(c);
	return im->is_out_of_memory || im->n_bad >= BAD_MAX ? -1 : 0;
}

static int bad_certificate(void *context, size_t number, const char *why)
{
	struct importing *im = context;

	im->n_read++;
	complain(im, number, why);
	return im->n_bad >= BAD_MAX;
}

/* 0, or -1: no memory. */
static int read_one(struct importing *im, const struct certificate_file *file)
{
	const struct certificate_sink sink = {take_certificate, bad_certificate, im};
	char why[CERTIFICATE_WHY_MAX];
	int n;

	im->file = file;
	if (file->bad != NULL) {
		complain(im, 0, file->bad);
		return 0;
	}
	n = certificate_split(file->bytes, file->len, &sink, why);
	if (n < 0)
		return im->n_bad >= BAD_MAX && !im->is_out_of_memory ? 0 : -1;
	if (n == 0)
		complain(im, 0, why);
	return 0;
}

/* 0, or an exit code. */
static int read_all(struct importing *im)
{
	for (size_t i = 0; i < im->files.n; i++) {
		if (read_one(im, &im->files.list[i]) != 0) {
			cli_error("out of memory");
			return EX_OSERR;
		}
		if (im->n_bad >= BAD_MAX) {
			cli_error("%zu are bad, and there may be more; nothing was changed",
				  im->n_bad);
			return EX_DATAERR;
		}
	}
	if (im->n_bad == 0)
		return 0;
	cli_error("%zu of %zu certificates are bad; nothing was changed", im->n_bad, im->n_read);
	return EX_DATAERR;
}

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
	keys_list(o->d, address, 0, see_owner, o);
	return o->is_found;
}

static void drop_user_ids(struct importing *im, struct db *d)
{
	for (size_t i = 0; i < im->n_certificates; i++) {
		struct key_certificate *c = &im->certificates[i];
		struct owners owners = {.im = im, .d = d, .fingerprint = c->fingerprint};
		bool has_any;

		c->len = certificate_for(c->packets, c->len, is_owner, &owners,
					 (unsigned char *)(uintptr_t)c->packets, &has_any);
	}
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
	drop_user_ids(im, d);
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
		code = read_all(&im);
		if (code == 0)
			code = put(&im, s, dry_run, replaces_all, supersedes, note);
	}
	release(&im);
	settings_unref(s);
	return code;
}
