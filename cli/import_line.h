/* SPDX-License-Identifier: ISC
 *
 * import_line.h: one line of what `import` reads, in any of its three formats, as rules. Pure: no
 *database, no files; the clock is given.
 *
 *   text	what one would type (rule_parse() in db/rules.h)
 *   json	an object with the fields of `rules --json`; id, author, created_at, hits and
 *last_hit_at are passed over, any other is an error access	Postfix access(5): pattern, white
 *space, result. "example.org" matches its subdomains, too (parent_domain_matches_subdomains), and
 *makes two rules. Which requirement a result means is said by --map; one that is not mapped is an
 *error.
 */
#ifndef PGPGATE_CLI_IMPORT_LINE_H
#define PGPGATE_CLI_IMPORT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/rules.h"

enum import_format { IMPORT_AUTO, IMPORT_TEXT, IMPORT_JSON, IMPORT_ACCESS };

#define IMPORT_MAPS_MAX 64
#define IMPORT_RULES_MAX 2 /* that one line makes */

struct import_map {
	char result[200]; /* the whole right-hand side, or its first word; compared without case */
	bool is_skipped;  /* --map DUNNO=skip */
	enum requirement requirement;
};

struct import_context {
	enum import_format format; /* IMPORT_AUTO until the first line that tells */
	const char *delimiters;
	int64_t now_unix;
	size_t n_maps;
	struct import_map map[IMPORT_MAPS_MAX];
};

/* Reads "OK=exempt". 0, or -1 with a sentence in err. */
int import_map_add(struct import_context *c, const char *text, char *err, size_t err_size);

/* Reads one line (without its line end). Returns the number of rules in out (0 for a blank or
 * comment line), or -1 with a sentence in err. */
int import_line(struct import_context *c, const char *line, struct rule out[IMPORT_RULES_MAX],
		char *err, size_t err_size);

#endif
