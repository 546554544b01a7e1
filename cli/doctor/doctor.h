/* SPDX-License-Identifier: ISC
 *
 * doctor.h: the examinations of `pgpgate doctor`. Each looks at one thing and tells what it found
 * through doctor_tell(); none changes anything. What is to be mended comes with a command that
 * mends it when it is typed as it stands there, by root: mend.c writes it.
 */
#ifndef PGPGATE_CLI_DOCTOR_H
#define PGPGATE_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"
#include "common/postfix.h"
#include "common/settings.h"
#include "db/db.h"

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_NOTE,	/* worth knowing; nothing is wrong */
	DOCTOR_PROBLEM, /* to be mended: exit status 1 */
	DOCTOR_SKIPPED, /* could not be looked at from here */
};

#define DOCTOR_TEXT_MAX 4000	/* of one parameter of Postfix */
#define DOCTOR_MASTER_MAX 65536 /* of master.cf */

/* The running Postfix, as postconf(1) shows it. */
struct doctor_postfix {
	bool is_there;
	bool is_chrooted;	      /* an smtpd of master.cf is */
	bool uses_policy;	      /* asks our policy server, wherever */
	bool is_filtering;	      /* an smtpd has a content filter */
	bool is_proxied;	      /* an smtpd has smtpd_proxy_filter */
	bool is_silent;		      /* nobody listens where clients come */
	bool has_others;	      /* other instances, of postmulti(1) */
	int n_bare;		      /* smtpds that have only main.cf's milters, and need ours */
	int n_own;		      /* smtpds that have ours by a -o */
	const char *config_directory; /* --postfix-config, or NULL for the default */
	char queue_directory[512];
	char mail_owner[64];
	char smtpd_milters[DOCTOR_TEXT_MAX];
	char *parameters;		   /* postconf -x, for free() */
	char master[DOCTOR_MASTER_MAX];	   /* postconf -M */
	char overrides[DOCTOR_MASTER_MAX]; /* postconf -P */
};

struct doctor {
	const struct cli *cli;
	struct settings *settings;
	struct db *db; /* NULL when it cannot be opened */
	struct doctor_postfix postfix;
	const char *wkd;		    /* --wkd, or NULL */
	int n_problems, n_skipped, n_notes; /* notes: those with a mend */
	bool is_nagios;			    /* nothing is printed but the last line */
	char first[300]; /* the first problem, or else the first that was skipped */
};

/* tell.c. mend: the command that mends it, or NULL. */
void doctor_tell(struct doctor *x, enum doctor_state state, const char *topic, const char *mend,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* postconf.c: what the programs of Postfix say. A parameter of main.cf, expanded; false when it
 * cannot be had. */
bool doctor_parameter(struct doctor *x, const char *name, char *out, size_t out_size);
/* All parameters as Postfix has them without main.cf, for free(); NULL when that cannot be had. */
char *doctor_defaults(const struct doctor *x);
/* postconf with that option. False when it does not answer. */
bool doctor_ask_postconf(const struct doctor *x, const char *option, char *out, size_t out_size);

/* mend.c: commands for a shell, everything in quotes that wants them. Each returns out. */

/* A word as a shell reads it. */
const char *doctor_quote(char *out, size_t out_size, const char *word);

/* Changes this Postfix: postconf with an option, then the words that the format gives, a line each;
 * and a reload. */
const char *doctor_by_postconf(const struct doctor *x, char *out, size_t out_size,
			       const char *option, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* A list as postconf -P takes it, which takes no blanks: commas do everywhere, and beside braces
 * nothing is needed. */
void doctor_pack(char *list);

/* The same as doctor_by_postconf() for "-P SERVICE/TYPE/NAME=VALUE" where is_own, "-e NAME = VALUE"
 * where not. */
const char *doctor_by_value(const struct doctor *x, char *out, size_t out_size,
			    const struct postfix_service *s, bool is_own, const char *name,
			    const char *value);

/* An editor with main.cf or master.cf, and a reload: where only a person knows what was meant. */
const char *doctor_by_editor(const struct doctor *x, char *out, size_t out_size, const char *name);

/* Writes a setting into pgpgate.conf, and has the daemons take it. */
const char *doctor_by_setting(const struct doctor *x, char *out, size_t out_size, const char *key,
			      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* pgpgate with the words of the format, which are in quotes where that is wanted. */
const char *doctor_by_pgpgate(const struct doctor *x, char *out, size_t out_size,
			      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* words.c: of a list of milters or restrictions. */

/* Does nobody listen there? word: of a list of milters or restrictions. Only for sockets in the
 * file system and ports of this machine, and only where it can be seen; false where not. */
bool doctor_is_dead(const struct doctor *x, const char *word);
/* A word of such a list with that default_action, in braces. Returns out. */
char *doctor_with_action(const char *word, const char *action, char *out, size_t out_size);
/* A milter as Postfix takes it: its type is known, and so are braces and attributes, if any. */
bool doctor_is_well_formed(const char *word);

/* milters.c: tells of an absolute path of our socket in a list that a chrooted smtpd reads. s: the
 * service whose -o it is, or NULL: main.cf's. */
void doctor_absolute(struct doctor *x, const struct postfix_service *s, const char *name,
		     const char *list, const char *socket_text);
/* Tells of milters that Postfix cannot make out, and of those where nobody listens: a problem, but
 * a note where mail is taken without it. s as above. */
void doctor_dead_milters(struct doctor *x, const struct postfix_service *s, const char *list);
/* The command that puts smtpd_milters right. s as above. Returns out. */
const char *doctor_with_ours(struct doctor *x, const struct postfix_service *s, const char *list,
			     char *out, size_t out_size);
/* What is done while our filter is down. list: the milters, our_word: ours in it. s as above. */
void doctor_default_action(struct doctor *x, const struct postfix_service *s, const char *list);
/* The milters of main.cf. */
void doctor_milters(struct doctor *x);

/* database.c: opens x->db. */
void doctor_database(struct doctor *x);
/* postconf.c: fills x->postfix. False: there is no Postfix here. */
bool doctor_postconf(struct doctor *x);
/* postfix.c: main.cf and master.cf. */
void doctor_postfix(struct doctor *x);
/* services.c: what doctor_postfix() looks at in master.cf. Before doctor_milters(). */
void doctor_services(struct doctor *x);
/* policy.c: tells of policy servers where nobody listens, as doctor_dead_milters() does. */
void doctor_dead_policies(struct doctor *x, const struct postfix_service *s, const char *stage,
			  const char *list);
/* Is our policy server asked by that list? Tells where its socket stands there in vain, and notes
 * it in x->postfix.uses_policy. */
bool doctor_asks_us(struct doctor *x, const struct postfix_service *s, const char *stage,
		    const char *list);
/* restrictions.c: tells of restrictions that smtpd does not know, or does not start with. */
void doctor_restrictions(struct doctor *x);
/* values.c: tells of values with which Postfix's programs do not start. */
void doctor_values(struct doctor *x);
/* tables.c: tells of tables that are not there. */
void doctor_tables(struct doctor *x);
/* room.c: can files be written in the folder of the database, and does smtpd find room in its
 * queue? */
void doctor_room(struct doctor *x, const char *folder);
void doctor_queue_room(struct doctor *x);
/* reload.c: what Postfix runs with: is it what its files say now? */
void doctor_reload(struct doctor *x);
/* arguments.c: tells of what smtpd would not start with. */
void doctor_arguments(struct doctor *x, const char *line, const struct postfix_service *s);
/* listening.c: does nobody on this machine listen at that port, whatever the address? By the
 * kernel's word; false where it says none. port: a number, or a service. */
bool doctor_is_unheard(const char *port);
/* Does anybody listen where clients come? */
void doctor_listening(struct doctor *x);
/* Where the policy server is asked. */
void doctor_policy(struct doctor *x);
/* ours.c: whose mail is ours, and which domains, against Postfix's own settings. Before
 * doctor_postfix(). */
void doctor_ours(struct doctor *x);
/* running.c: the settings of the daemons that run, against the file. */
void doctor_running(struct doctor *x);
/* probe.c: mail to the running smtpd, up to RCPT; with_data: a cleartext message, which is to be
 * refused. where: its host:port, or NULL for what master.cf says. */
void doctor_probe(struct doctor *x, const char *address, bool with_data, const char *where);
/* sandbox.c: may the services write where the settings want them to? Before doctor_daemons(). */
void doctor_sandbox(struct doctor *x);
/* daemons.c: sockets, their permissions, a hello to each daemon. */
void doctor_daemons(struct doctor *x);
/* bounces.c: bounces to ours that are refused, and so lost. */
void doctor_bounces(struct doctor *x);
/* keys.c: recipients without a key that must have mail to their own, and keys that end. */
void doctor_keys(struct doctor *x);
/* wkd.c: the Web Key Directory x->wkd, with x->db. */
void doctor_wkd(struct doctor *x);
/* site.c: the centre, the record, the clock. */
void doctor_site(struct doctor *x);
/* aliases.c: exempt aliases of protected mailboxes. */
void doctor_aliases(struct doctor *x);

#endif
