/* SPDX-License-Identifier: ISC
 *
 * person_certificates.c: user ids of a person in certificates that somebody else's keys are from,
 * and that stay for those (person.h).
 */
#include "db/record/person_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/certificate_packet.h"
#include "db/engine/column.h"
#include "db/engine/sealed.h"

#define PAGE_ROWS 50

/* Of a page: a certificate without what is to go, as it is kept. */
struct stripped {
	char kept[SEALED_TEXT_MAX]; /* its fingerprint */
	unsigned char *packets;
	size_t len;
};

static bool is_somebody_else(void *context, const char *address)
{
	return strcmp(address, context) != 0;
}

/* Fills in *out where something goes; what nobody here can read stays. 1, 0 nothing goes, -1. */
static int strip(struct db *d, sqlite3_stmt *st, const char *address, struct stripped *out)
{
	size_t len = 0, left;
	unsigned char *packets = sealed_packets_open(&d->hashed, sqlite3_column_blob(st, 1),
						     (size_t)sqlite3_column_bytes(st, 1), &len);
	bool has_any;

	if (packets == NULL)
		return 0;
	left = certificate_for(packets, len, is_somebody_else, (void *)(uintptr_t)address, packets,
			       &has_any);
	out->packets = left < len ? sealed_packets(&d->hashed, packets, left, &out->len) : NULL;
	free(packets);
	if (left == len)
		return 0;
	db_column_text(st, 0, out->kept, sizeof out->kept);
	return out->packets != NULL ? 1 : db_fail(d, DB_BROKEN, "out of memory");
}

static int put(struct db *d, const struct stripped *s)
{
	sqlite3_stmt *st = db_statement(d, SQL_CERTIFICATE_PUT);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, s->kept);
	sqlite3_bind_blob64(st, 2, s->packets, s->len, SQLITE_STATIC);
	return db_run(d, st);
}

/* Those after last, which moves on. How many were looked at, or -1. */
static int strip_page(struct db *d, const char *address, char last[SEALED_TEXT_MAX], int64_t *n)
{
	struct stripped page[PAGE_ROWS];
	sqlite3_stmt *st = db_statement(d, SQL_PERSON_CERTIFICATES_PAGE);
	int got = -1, n_rows = 0, result = 0;
	size_t n_stripped = 0;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, last);
	db_bind_int(st, 2, PAGE_ROWS);
	while (result >= 0 && (got = db_step(d, st)) == 1) {
		result = strip(d, st, address, &page[n_stripped]);
		n_stripped += result > 0;
		db_column_text(st, 0, last, SEALED_TEXT_MAX);
		n_rows++;
	}
	sqlite3_reset(st);
	if (got < 0)
		result = -1;
	for (size_t i = 0; i < n_stripped; i++) {
		result = result < 0 ? -1 : put(d, &page[i]);
		free(page[i].packets);
	}
	*n += (int64_t)n_stripped;
	return result < 0 ? -1 : n_rows;
}

int person_certificates(struct db *d, const char *address, int64_t *n)
{
	char last[SEALED_TEXT_MAX] = "";
	int n_rows = PAGE_ROWS;

	while (n_rows == PAGE_ROWS) {
		if (db_begin_write(d) != 0)
			return -1;
		n_rows = strip_page(d, address, last, n);
		if (db_end(d, n_rows < 0 ? -1 : 0) != 0)
			return -1;
	}
	return n_rows < 0 ? -1 : 0;
}
