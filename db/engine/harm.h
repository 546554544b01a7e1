/* SPDX-License-Identifier: ISC
 *
 * harm.h: what has become of DATABASE-wal and DATABASE-shm since a connection opened them, as far
 * as a look at them shows: two stat(2), and the head of the index. What only the sums of the log
 * show is for wal_rescue.h.
 *
 * Not seen is an index that was overwritten in its middle only, or in the ms that a checkpoint
 * reads it: the engine has no sums for that. Nor is it when a file was cut short, or the log
 * replaced, in the ms between the look of who opens (companions.h) and the engine's own.
 *
 * A connection by its owner. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_HARM_H
#define PGPGATE_DB_ENGINE_HARM_H

#include "db/engine/internal.h"

enum harm {
	HARM_NONE,
	HARM_LOG_GONE,	  /* removed or replaced: the engine has the old one open */
	HARM_LOG_SHORT,	  /* shorter than the index says */
	HARM_INDEX_GONE,  /* as the log */
	HARM_INDEX_SHORT, /* who reads it gets SIGBUS */
	HARM_INDEX_WRONG, /* overwritten: it says nothing about the log any more */
};

/* What there is when the engine has just opened them: what later looks compare with. */
void harm_remember(struct db *d);

/* Within a write transaction of d the index is not written by others, and has to be well-formed. */
enum harm harm_find(struct db *d);

/* Without a system call: the index is not overwritten. */
bool harm_index_is_right(struct db *d);

/* "-wal" or "-shm". */
const char *harm_suffix(enum harm h);

#endif
