/* SPDX-License-Identifier: ISC
 *
 * person_internal.h: what the files of person.h share. Private to db/record/person*.c.
 */
#ifndef PGPGATE_DB_RECORD_PERSON_INTERNAL_H
#define PGPGATE_DB_RECORD_PERSON_INTERNAL_H

#include "db/engine/internal.h"
#include "db/person.h"

/* Takes the user ids of a canonical address out of every certificate, in short transactions of its
 * own. 0 or -1; *n grows by how many had some. */
int person_certificates(struct db *d, const char *address, int64_t *n);

/* At a site: hands over to the centre how those will be that stay for somebody else's keys, as rows
 * of the change that is being made (like: all but their text). The centre, which reads no packets,
 * has them unchanged otherwise, and every snapshot brings them back. In no transaction. 0 or -1. */
int person_certificates_hand_over(struct db *d, const char *address,
				  const struct db_remote_row *like);

#endif
