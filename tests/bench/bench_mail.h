/* SPDX-License-Identifier: ISC
 *
 * bench_mail.h: one message from a file, as a milter or the scanner is given it: fields with what
 * stands behind the colon (leading white space kept, folds as LF), and a body with CR LF line ends.
 * It is read once and shared by all threads.
 */
#ifndef PGPGATE_BENCH_MAIL_H
#define PGPGATE_BENCH_MAIL_H

#include <stddef.h>

#define MAIL_FIELDS_MAX 200

struct mail {
	size_t n_fields;
	struct {
		char *name, *value;
	} field[MAIL_FIELDS_MAX];
	unsigned char *body;
	size_t body_len;
	size_t size_bytes; /* as MAIL FROM would declare it: header and body with CR LF */
};

/* Ends the process with a one-line error when the file cannot be read or has no header. */
struct mail *mail_load(const char *path);
void mail_free(struct mail *m);

#endif
