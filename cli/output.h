/* SPDX-License-Identifier: ISC
 *
 * output.h: how the command line prints: text for 80 columns, colour on a terminal only (and not
 * with NO_COLOR, https://no-color.org, or TERM=dumb), JSON lines, numbers and times.
 *
 * Nothing from outside reaches a terminal as it is. Two ways, by where the text is from:
 * log_escape() for what nobody has escaped yet (file names, operands, header fields);
 * output_clean() for what the database holds, which was canonical or escaped when it was written:
 * it escapes what is left, if somebody else has written there, and keeps backslashes as they are.
 *
 * One thread. Call output_init() first.
 */
#ifndef PGPGATE_CLI_OUTPUT_H
#define PGPGATE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "common/verdict.h"

#define OUTPUT_COLUMNS 80
#define OUTPUT_TEXT_MAX 2048 /* bytes of one text in a line; longer ones are cut, with "..." */

enum output_colour {
	COLOUR_PLAIN,
	COLOUR_BOLD,
	COLOUR_DIM,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_RED,
	COLOUR_BLUE
};

void output_init(void);
bool output_is_terminal(void); /* standard output */

/* The terminal sequence that begins a colour, or "" when colours are off. Ends with COLOUR_PLAIN.
 */
const char *output_colour(enum output_colour colour);
enum output_colour output_verdict_colour(enum verdict v);
enum output_colour output_action_colour(enum action a);

/* Copies text, escaped but for backslashes. Returns out. */
char *output_clean(char *out, size_t out_size, const char *text);

/* Text as one word of a command to copy, quoted where a shell needs it. False, and there is no such
 * word: it begins like an option, has control characters, or is too long. */
bool output_word(char *out, size_t out_size, const char *text);

/* Columns that a clean UTF-8 text takes on a terminal. */
size_t output_width(const char *text);

/* The text, and blanks until it takes at least `width` columns. */
void output_pad(FILE *to, const char *text, size_t width);
void output_pad_colour(FILE *to, enum output_colour colour, const char *text, size_t width);

/* Words of a clean text within 80 columns. `used`: columns taken already in this line; the lines
 * after it are indented. Ends the line. A word that is longer than a line goes on in the next one.
 */
void output_wrap(FILE *to, size_t indent, size_t used, const char *text);

/* "1,234,567"; "1.2 MB" (powers of 1000). Return out. */
#define OUTPUT_NUMBER_MAX 32
char *output_number(char out[OUTPUT_NUMBER_MAX], int64_t n);
char *output_bytes(char out[OUTPUT_NUMBER_MAX], int64_t n);
/* "3 days", "2 hours", "45 seconds": the largest unit that fits twice, or the exact one. */
char *output_duration(char out[OUTPUT_NUMBER_MAX], int64_t seconds);
const char *output_plural(int64_t n, const char *one, const char *many);

/* A time for people: on a terminal local time with the zone, elsewhere as clock_format(). Returns
 * out, whose size is CLOCK_TEXT_MAX. */
char *output_time(int64_t time_unix, char *out);

/* realloc(3), or ends the process with EX_OSERR after having said why: what lacks a part for want
 * of memory would be printed as if it were whole, with exit 0. JSON values are made of this, too.
 */
void *output_memory(void *old, size_t size);
char *output_copy(const char *text); /* strdup(3), likewise */

/* Likewise ends the process if errno is ENOMEM: after a call of the C library that failed, such as
 * fopen(3), where a failure is passed over otherwise. */
void output_end_without_memory(void);

/* JSON values. Strings that are not UTF-8 are escaped; a time of 0, and NULL, are null. New
 * references. */
json_t *output_json_text(const char *text);
json_t *output_json_time(int64_t time_unix);

/* Prints one object as one line and releases it. */
void output_json(json_t *object);

#endif
