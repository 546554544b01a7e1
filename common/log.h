/* SPDX-License-Identifier: ISC
 *
 * log.h: the log of the daemons and the diagnostics of the command line: syslog, facility mail, or
 * standard error. Log once, where it is decided.
 *
 * Nothing from outside reaches the log unescaped: log_escape() for every string that a client, a
 * message, a file or a database gave us. All functions may be called from any thread after
 * log_open().
 */
#ifndef PGPGATE_COMMON_LOG_H
#define PGPGATE_COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Opens the log under the name `ident` (borrowed for the life of the process). With to_stderr the
 * lines go to standard error as "ident: text"; to the journal, which
 * knows the name, as "<priority>text". verbose: 0 no debug lines, 1 and more with. */
void log_open(const char *ident, bool to_stderr, int verbose);

/* With on, lines that go to syslog go to standard error as well: while a daemon starts. */
void log_echo(bool on);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies text (text_len bytes, may hold NUL, need not be UTF-8) into out, escaped so that the
 * result is valid UTF-8 with no control character, no line break, no terminal sequence, no
 * bidirectional override and no C1 control: such bytes become \xHH and a backslash becomes \\. Cut,
 * with "..." at the end, at out_size - 1 bytes, never within a character. Returns out. out_size at
 * least 8. */
char *log_escape(char *out, size_t out_size, const char *text, size_t text_len);

#endif
