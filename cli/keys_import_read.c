/* SPDX-License-Identifier: ISC
 *
 * keys_import_read.c: the certificates in the files that are imported, one after the other.
 */
#include "cli/keys_import.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/certificate_packet.h"
#include "cli/certificate_split.h"
#include "cli/output.h"
#include "common/log.h"

#define BAD_MAX 200 /* that are told; then whoever made the files is to look at them first */

void keys_import_complain(struct importing *im, size_t number, const char *why)
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
			keys_import_complain(im, number, why);
			certificate_subkeys(packets, len, tell_unread_key, im);
		} else {
			keys_import_complain(im, number, why);
		}
		free(c);
		return im->n_bad >= BAD_MAX ? -1 : 0;
	}
	if (c->has_sha1)
		cli_warning("%s: certificate %zu: %s: parts of it are signed with SHA-1, which "
			    "many programs do not trust any more",
			    log_escape(name, sizeof(name), im->file->name, strlen(im->file->name)),
			    number, c->fingerprint);
	if (keys_import_assign(im, number, c) == 0) {
		im->certificates = keys_import_grow(im->certificates, im->n_certificates,
						    &im->certificates_room,
						    sizeof(*im->certificates));
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
	keys_import_complain(im, number, why);
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
		keys_import_complain(im, 0, file->bad);
		return 0;
	}
	n = certificate_split(file->bytes, file->len, &sink, why);
	if (n < 0)
		return im->n_bad >= BAD_MAX && !im->is_out_of_memory ? 0 : -1;
	if (n == 0)
		keys_import_complain(im, 0, why);
	return 0;
}

/* 0, or an exit code. */
int keys_import_read(struct importing *im)
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
