/* SPDX-License-Identifier: ISC
 *
 * verdict_asked.h: whether a row of the record is what a person asked for. Pure but for
 * asked_begin(), which reads the key of an open connection. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_ASKED_H
#define PGPGATE_DB_VERDICT_ASKED_H

#include "db/engine/internal.h"
#include "db/engine/key.h"
#include "db/verdicts.h"

#define OPERAND_MAX 1100 /* bytes with NUL: a Message-ID as it is kept, with its brackets */

/* The ways in which an address may be stored and shown, to hold a row against what was asked. */
struct asked {
	const struct verdicts_filter *filter;
	char sender[2][2][KEY_MAX]; /* [plain, hashed][from, to] */
	char recipient[2][2][KEY_MAX];
	size_t n_forms;
	/* Without angle brackets; and hashed, "" without a key. */
	char message_id[2][OPERAND_MAX];
	char client_hash[HASHED_TEXT_MAX];
};

/* f is borrowed as long as asked is used. */
void asked_begin(struct asked *asked, struct db *d, const struct verdicts_filter *f);
bool asked_row(const struct asked *asked, const struct verdict_row *row);
/* The same of one column, before the whole row is loaded; as it is stored. */
bool asked_client(const struct asked *asked, const char *stored);
bool asked_message_id(const struct asked *asked, const char *stored);

#endif
