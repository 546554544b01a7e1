/* SPDX-License-Identifier: ISC
 *
 * settings.h: pgpgate.conf, in main.cf syntax, read into one immutable value.
 *
 * A settings value is built whole or not at all: an unknown key, a bad value, a value out of range
 * is an error that names file and line and the mend. It is reference-counted: a daemon that rereads
 * its configuration swaps the pointer, and messages under way keep the one they began with.
 *
 * settings_load() belongs to one thread; _ref, _unref and reading the fields are for any thread.
 */
#ifndef PGPGATE_COMMON_SETTINGS_H
#define PGPGATE_COMMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/domain_set.h"
#include "common/netaddr.h"
#include "common/postfix_facts.h"
#include "common/verdict.h"

enum bounce_acceptance { BOUNCES_REPORT, BOUNCES_REPLY };
enum mixed_recipients { MIXED_SPLIT, MIXED_REFUSE };
enum on_refusal { ON_REFUSAL_REFUSE, ON_REFUSAL_QUARANTINE, ON_REFUSAL_TAG };
enum hidden_recipients { HIDDEN_ACCEPT, HIDDEN_OBSERVE, HIDDEN_REFUSE };
enum verdict_sync { SYNC_PROCESS, SYNC_POWER };

struct settings {
	char *path; /* the file that was read, or NULL when there was none */
	char *filter_socket;
	char *policy_socket;
	mode_t socket_umask;
	char *user;	     /* "" : stay who we are */
	char *database;	     /* URI as written */
	char *database_path; /* the path within "sqlite:PATH" */
	bool enforce;
	enum requirement default_requirement;
	enum requirement local_requirement;
	struct netaddr *local_clients; /* as written, without $mynetworks */
	size_t n_local_clients;
	bool are_mynetworks_local;	     /* local_clients has $mynetworks */
	struct domain_set protected_domains; /* as written, without "postfix" */
	bool are_postfix_domains_protected;  /* protected_domains has "postfix" */
	char *unqualified_domain;	     /* canonical; "": what the MTA appends */
	char *postfix_config;		     /* "": Postfix's own */
	struct postfix_facts *postfix;	     /* never NULL; see settings_ask_postfix() */
	struct pattern *exempt_recipients;
	size_t n_exempt_recipients;
	char *policy_actions[REQUIREMENT_COUNT]; /* access(5) results, by requirement; never NULL */
	char *recipient_delimiter;
	struct acceptance accept;
	enum bounce_acceptance accept_bounces;
	enum mixed_recipients mixed_recipients;
	int64_t reply_window_s; /* 0: off */
	enum on_refusal on_refusal;
	char refuse_code[4];	  /* "550" */
	char refuse_enhanced[12]; /* "5.7.1" */
	char *refuse_text;
	char *help_url; /* "" : none */
	char *contact;	/* "" : none; a local part and "@", or an address */
	char *key_url;	/* "" : none; "wkd", or with %d %l %h %f filled in (common/key_url.h) */
	bool show_keys; /* key ids in replies */
	int64_t key_grace_s; /* how long after its end a key counts */
	enum hidden_recipients
		hidden_recipients; /* session keys that name no key, where own-key is demanded */
	bool add_header;
	bool accept_on_database_error;
	enum verdict_sync verdict_sync;
	int64_t journal_max_bytes;   /* of what waits to be moved into the database */
	int64_t verdict_retention_s; /* 0: for ever */
	int64_t pair_retention_s;    /* 0: for ever */
	bool hash_addresses;
	unsigned max_connections;
	char *mail_providers; /* a file of domains; "": none */
	char *metrics_listen; /* "" : none */
	char *centre;	      /* "" : one host alone; else where PostgreSQL is, as libpq takes it */
	char *centre_admin;   /* the same for what changes rules; "": centre */
	char *host_name;      /* at the site; "": gethostname(2) */
	int64_t stale_after_s, stale_refusal_s, unpushed_max_s; /* pgpgate-site(7) */

	char **value_text; /* by key index, as settings_value() gives them */
	int references;	   /* atomic; only settings_ref and settings_unref touch it */
};

/* Reads `path`. With path_may_be_absent a file that does not exist means all defaults. overrides: n
 * strings "key=value" (-o), applied after the file. On error NULL, and in err one line: "FILE:LINE:
 * what is wrong; what to write instead" ("-o KEY=VALUE: ..." for an override). Release with
 * settings_unref(). */
struct settings *settings_load(const char *path, bool path_may_be_absent,
			       const char *const *overrides, size_t n_overrides, char *err,
			       size_t err_size);

struct settings *settings_ref(struct settings *s); /* returns s */
void settings_unref(struct settings *s);	   /* NULL allowed */

/* The table of keys, in the order of the manual page. Borrowed strings: names and defaults static,
 * values as long as s. Values are in canonical text, as `pgpgate config` prints them. */
size_t settings_count(void);
const char *settings_name(size_t index);
const char *settings_default(size_t index);
const char *settings_value(const struct settings *s, size_t index);

/* Asks the Postfix of this machine for what local_clients and protected_domains take from it, if
 * they do; see postfix_facts.h. For s before it is shared with another thread. Where it gives no
 * answer, what `before` (NULL: none) knew holds, or else loopback and all domains. 0: nothing to
 * ask, or asked; 1: there is no answer, or not all of it can be used, with a sentence for the log
 * in err. */
int settings_ask_postfix(struct settings *s, const struct settings *before, char *err,
			 size_t err_size);

/* Is the client one of ours by address (local_clients)? */
bool settings_is_local_client(const struct settings *s, const struct netaddr *client);

/* Does default_requirement hold for this recipient (protected_domains)? An address that could be
 * anybody's does count, and so does one that came without its domain. */
bool settings_is_protected(const struct settings *s, const struct address *recipient);

/* Gives an address without a domain the one that its user has: unqualified_domain, or the MTA's own
 * name (as it says, hostile; NULL or "": Postfix's myorigin). */
void settings_complete_address(const struct settings *s, const char *mta_name, struct address *a);

/* What help_url and the rules' URLs may be: http(s), printable ASCII without blanks and quotes. */
#define SETTINGS_URL_MAX 300
bool settings_is_url(const char *text);

#define SETTINGS_CONTACT_MAX 200 /* octets of contact */

/* Where the configuration is when -c does not say: $sysconfdir/pgpgate/pgpgate.conf. */
const char *settings_default_path(void);

#endif
