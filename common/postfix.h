/* SPDX-License-Identifier: ISC
 *
 * postfix.h: what the configuration of the Postfix on this machine says, by its own programs,
 * postconf(1) and postmap(1): the plain reading. postfix_facts.h makes of it what the policy wants
 * to know.
 */
#ifndef PGPGATE_COMMON_POSTFIX_H
#define PGPGATE_COMMON_POSTFIX_H

#include <stdbool.h>
#include <stddef.h>

/* Runs one of Postfix's programs with -c directory (NULL or "": Postfix's own) in front of n words.
 * Everything else, and what is returned, as run_output(). */
int postfix_run(const char *directory, const char *program, const char *const *words, size_t n,
		const char *input, char *out, size_t out_size, int timeout_ms);

/* One word of a list of main.cf, which commas and white space separate; braces hold them together.
 * *rest moves on. Returns the word, *len bytes that are borrowed from the list, or NULL at the end.
 */
const char *postfix_word(const char **rest, size_t *len);

/* Is it a word of the list? Letter case does not matter. */
bool postfix_has_word(const char *list, const char *word);

/* The value in lines of "name = value", as postconf prints them without -h. False when the name is
 * not there. */
bool postfix_value(const char *lines, const char *name, char *out, size_t out_size);

/* The words of a master.cf line, as postconf -M prints it. */
struct postfix_service {
	char name[200], type[20], private[8], unpriv[8], chroot[8], wakeup[12], limit[12],
		command[64];
};

/* Reads a line. False when it is no service. */
bool postfix_service(const char *line, struct postfix_service *out);

/* The value of -o NAME=VALUE in lines of postconf -P. False when the service has none. */
bool postfix_override(const char *overrides, const struct postfix_service *s, const char *name,
		      char *out, size_t out_size);

/* The name under which postmap -s lists a table, borrowed: what is behind "proxy:". NULL: it cannot
 * be listed, which Postfix's programs take a second to say. */
const char *postfix_listable(const char *table);

/* How main.cf writes our socket: "unix:pgpgate/filter.sock" below the queue directory works with
 * and without chroot; "inet:host:port", an IPv6 address in brackets. Returns out. */
char *postfix_socket(const char *queue_directory, const char *socket_text, char *out,
		     size_t out_size);

/* Does a value of main.cf name this socket, as a whole word, in any way that reaches it: with or
 * without queue directory, by the name or the address of the host? */
bool postfix_names_socket(const char *queue_directory, const char *value, const char *socket_text);

#endif
