/* SPDX-License-Identifier: ISC
 *
 * settings_keys.h: the table of keys, for settings.c alone: name, default, and the function that
 * checks a value and puts it into struct settings. settings_keys.c holds the table,
 * settings_types.c the functions.
 */
#ifndef PGPGATE_COMMON_SETTINGS_KEYS_H
#define PGPGATE_COMMON_SETTINGS_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"

/* Where a value comes from and goes to while it is read. */
struct settings_value {
	struct settings *settings; /* being built, not shared yet; zero where no value was read */
	const char *text;	   /* as written, no white space around it */
	char *canonical;	   /* out: malloc()ed, as `pgpgate config` prints it */
	char *err;
	size_t err_size;
};

struct settings_key;
/* 0, or -1 with a sentence in v->err that names the right forms. */
typedef int settings_parse(const struct settings_key *k, struct settings_value *v);

struct settings_key {
	const char *name;
	const char *default_text; /* canonical */
	settings_parse *parse;
	size_t offset;		  /* of the member, for the parsers that need one */
	const char *const *words; /* the words, in the order of the enum, NULL at the end */
	int64_t min, max;	  /* settings_parse_number, settings_parse_bytes */
};

extern const struct settings_key settings_keys[];
extern const size_t settings_keys_count;

/* The parsers, by the type of the member at k->offset. */
settings_parse settings_parse_bool;	  /* bool: yes or no */
settings_parse settings_parse_choice;	  /* bool: the second of two k->words is true */
settings_parse settings_parse_word;	  /* int-sized enum: index into k->words */
settings_parse settings_parse_duration;	  /* int64_t, seconds */
settings_parse settings_parse_bytes;	  /* int64_t, k->min..k->max */
settings_parse settings_parse_number;	  /* unsigned, k->min..k->max */
settings_parse settings_parse_socket;	  /* char *: as libmilter writes them, paths absolute */
settings_parse settings_parse_listen;	  /* char *: "" or address:port */
settings_parse settings_parse_url;	  /* char *: "" or http(s) */
settings_parse settings_parse_connection; /* char *: "" or what libpq takes, without a password */
settings_parse settings_parse_host_name;  /* char *: "" or a host's name */
settings_parse settings_parse_domain;	  /* char *: "" or a canonical domain */
settings_parse settings_parse_path;	  /* char *: "" or an absolute path */
settings_parse settings_parse_umask;
settings_parse settings_parse_user;
settings_parse settings_parse_database;
settings_parse settings_parse_clients;
settings_parse settings_parse_domains;
settings_parse settings_parse_recipients;
settings_parse settings_parse_actions;
settings_parse settings_parse_delimiter;
settings_parse settings_parse_forms;
settings_parse settings_parse_containers;
settings_parse settings_parse_refuse_code;
settings_parse settings_parse_refuse_text;
settings_parse settings_parse_contact;
settings_parse settings_parse_key_url; /* char *: "", wkd or http(s) */

#endif
