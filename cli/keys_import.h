/* SPDX-License-Identifier: ISC
 *
 * keys_import.h: what the files of `pgpgate keys import` share: what was read so far. Files are
 * read and taken apart, each certificate is shown to gpg, and whose it is is decided
 * (keys_import_read.c, keys_import_assign.c); what came of it is put into the database at the end
 * (keys_import.c). What is bad is said at once and counted. One thread.
 */
#ifndef PGPGATE_CLI_KEYS_IMPORT_H
#define PGPGATE_CLI_KEYS_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/certificate_files.h"
#include "cli/certificate_read.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "common/address.h"
#include "db/keys.h"

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

/* Says what is wrong with a certificate of the present file (0: with the file), and counts it. */
void keys_import_complain(struct importing *im, size_t number, const char *why);

/* Room for one more of `size` octets in a list that doubles. NULL: no memory, and the list is gone.
 */
void *keys_import_grow(void *list, size_t n, size_t *room, size_t size);

/* Adds the keys of a certificate for everybody whose it is. 0, or -1: it is for nobody here, and
 * why was said. */
int keys_import_assign(struct importing *im, size_t number, const struct certificate *c);

/* Reads im->files. 0, or an exit code after having said why. */
int keys_import_read(struct importing *im);

#endif
