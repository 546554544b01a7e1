/* SPDX-License-Identifier: ISC
 *
 * settings_text.h: what the parsers of values share (settings_types.c, settings_special.c).
 */
#ifndef PGPGATE_COMMON_SETTINGS_TEXT_H
#define PGPGATE_COMMON_SETTINGS_TEXT_H

#include <stdbool.h>

#include "common/settings_keys.h"

/* Writes the sentence `"VALUE" is not allowed here; FORMS`. Returns -1. */
int settings_complain(const struct settings_value *v, const char *forms);

/* Keeps a copy as the canonical text. 0, or -1 (memory). */
int settings_keep(struct settings_value *v, const char *canonical);

/* Keeps a copy in *where, too. */
int settings_keep_string(struct settings_value *v, char **where, const char *text);

bool settings_is_printable_ascii(const char *text);

#endif
