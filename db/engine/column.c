/* SPDX-License-Identifier: ISC */
#include "db/engine/column.h"

#include <string.h>

#include "db/engine/key.h"

const char *column_text(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return text != NULL ? text : "";
}

const char *column_keep(struct arena *a, sqlite3_stmt *st, int column)
{
	return arena_keep(a, column_text(st, column));
}

const char *column_keep_address(struct arena *a, sqlite3_stmt *st, int column)
{
	char address[KEY_MAX];

	return arena_keep(a, key_to_address(column_text(st, column), address, sizeof address));
}

int64_t column_count(sqlite3_stmt *st, int column)
{
	const int64_t n = sqlite3_column_int64(st, column);

	return n < 0 ? 0 : n > COLUMN_COUNT_MAX ? COLUMN_COUNT_MAX : n;
}

enum policy_source column_source(sqlite3_stmt *st, int column)
{
	for (int i = SOURCE_RULE; i <= SOURCE_HISTORY; i++)
		if (strcmp(column_text(st, column), policy_source_name((enum policy_source)i)) == 0)
			return (enum policy_source)i;
	return SOURCE_DEFAULT;
}
