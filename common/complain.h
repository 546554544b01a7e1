/* SPDX-License-Identifier: ISC
 *
 * complain.h: the one form of a complaint about something that was typed: `"TEXT" is no time; write
 * ...`. Any thread.
 */
#ifndef PGPGATE_COMMON_COMPLAIN_H
#define PGPGATE_COMMON_COMPLAIN_H

#include <stddef.h>

/* Writes the text in quotes, escaped (log_escape()) and cut at 140 bytes, a blank, and `what`,
 * which says what is wrong and what to write instead. Returns -1. */
int complain_about(const char *text, const char *what, char *err, size_t err_size);

#endif
