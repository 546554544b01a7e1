/* SPDX-License-Identifier: ISC
 *
 * person_certificates.c: user ids of a person in certificates that somebody else's keys are from,
 * and that stay for those (person.h).
 */
#include "db/record/person_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/certificate_packet.h"
#include "db/engine/change.h"
#include "db/engine/column.h"
#include "db/engine/sealed.h"

#define PAGE_ROWS 50

/* Of a page: a certificate without what is to go. */
struct stripped {
	char kept[SEALED_TEXT_MAX]; /* its fingerprint, as it is kept */
	unsigned char *packets;	    /* as they are kept, or to be handed over: as they are */
	size_t len;
};

static bool is_somebody_else(void *context, const char *address)
{
	return strcmp(address, context) != 0;
}

/* Fills in *out where something goes; what nobody here can read stays. 1, 0 nothing goes, -1. */
static int strip(struct db *d, sqlite3_stmt *st, const char *address, bool is_kept,
		 struct stripped *out)
{
	size_t len = 0, left;
	unsigned char *packets = sealed_packets_open(&d->hashed, sqlite3_column_blob(st, 1),
						     (size_t)sqlite3_column_bytes(st, 1), &len);
	bool has_any;

	if (packets == NULL)
		return errno == ENOMEM ? db_fail(d, DB_BROKEN, "out of memory") : 0;
	left = certificate_for(packets, len, is_somebody_else, (void *)(uintptr_t)address, packets,
			       &has_any);
	if (left == len) {
		free(packets);
		return 0;
	}
	*out = (struct stripped){.packets = packets, .len = left};
	if (is_kept) {
		out->packets = sealed_packets(&d->hashed, packets, left, &out->len);
		free(packets);
	}
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

/* Those after last, which moves on: what is stripped is put into page. How many were looked at, or
 * -1. */
static int strip_page(struct db *d, const char *address, bool is_kept, char last[SEALED_TEXT_MAX],
		      struct stripped page[PAGE_ROWS], size_t *n_stripped)
{
	sqlite3_stmt *st = db_statement(d, is_kept ? SQL_PERSON_CERTIFICATES_PAGE
						   : SQL_PERSON_CERTIFICATES_OTHERS);
	int got = -1, n_rows = 0, result = 0;

	*n_stripped = 0;
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, last);
	db_bind_int(st, 2, PAGE_ROWS);
	if (!is_kept)
		db_bind_text(st, 3, address);
	while (result >= 0 && (got = db_step(d, st)) == 1) {
		result = strip(d, st, address, is_kept, &page[*n_stripped]);
		*n_stripped += result > 0;
		db_column_text(st, 0, last, SEALED_TEXT_MAX);
		n_rows++;
	}
	sqlite3_reset(st);
	return got < 0 || result < 0 ? -1 : n_rows;
}

int person_certificates(struct db *d, const char *address, int64_t *n)
{
	struct stripped page[PAGE_ROWS];
	char last[SEALED_TEXT_MAX] = "";
	int n_rows = PAGE_ROWS;
	size_t n_stripped;

	while (n_rows == PAGE_ROWS) {
		if (db_begin_write(d) != 0)
			return -1;
		n_rows = strip_page(d, address, true, last, page, &n_stripped);
		for (size_t i = 0; i < n_stripped; i++) {
			if (n_rows >= 0 && put(d, &page[i]) != 0)
				n_rows = -1;
			free(page[i].packets);
		}
		*n += (int64_t)n_stripped;
		if (db_end(d, n_rows < 0 ? -1 : 0) != 0)
			return -1;
	}
	return 0;
}

/* ---- at a site ---- */

/* An item of a change, malloc()ed; NULL failed. */
static char *item_of(struct db *d, const struct stripped *s)
{
	sqlite3_stmt *st = db_statement(d, SQL_PERSON_CERTIFICATE_ITEM);
	char *item = NULL;

	if (st == NULL)
		return NULL;
	db_bind_text(st, 1, s->kept);
	sqlite3_bind_blob64(st, 2, s->packets, s->len, SQLITE_STATIC);
	if (db_step(d, st) == 1 && (item = strdup(column_text(st, 0))) == NULL)
		db_fail(d, DB_BROKEN, "out of memory");
	sqlite3_reset(st);
	return item;
}

int person_certificates_hand_over(struct db *d, const char *address,
				  const struct db_remote_row *like)
{
	struct stripped page[PAGE_ROWS];
	struct db_remote_row row = *like;
	char *items[PAGE_ROWS], last[SEALED_TEXT_MAX] = "";
	int n_rows = PAGE_ROWS;
	size_t n;

	while (n_rows == PAGE_ROWS) {
		if (db_begin_read(d) != 0)
			return -1;
		n_rows = strip_page(d, address, false, last, page, &n);
		for (size_t i = 0; i < n; i++) {
			items[i] = n_rows >= 0 ? item_of(d, &page[i]) : NULL;
			if (items[i] == NULL)
				n_rows = -1;
			free(page[i].packets);
		}
		if (db_end(d, n_rows < 0 ? -1 : 0) != 0)
			n_rows = -1;
		/* The centre is spoken to when that is over: mail must not wait for a network. */
		for (size_t i = 0; i < n; i++) {
			row.text = items[i];
			if (n_rows >= 0 && change_send_row(d, &row) != 0)
				n_rows = -1;
			free(items[i]);
		}
	}
	return n_rows < 0 ? -1 : 0;
}
