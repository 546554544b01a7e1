/* SPDX-License-Identifier: ISC
 *
 * postfix_facts.h: what the settings take from Postfix's configuration: whose mail is ours
 * (mynetworks), which domains are (mydestination, virtual_mailbox_domains, virtual_alias_domains,
 * relay_domains), and what an address without a domain gets (myorigin).
 *
 * Where anything cannot be known the answer is the one that lets no cleartext in: a client is a
 * stranger, a domain is ours. Postfix lets each be a table. Those that can be listed (hash, btree,
 * lmdb, texthash, inline, and files) are; of the others (SQL, LDAP, regular expressions) no network
 * is taken, and one of them makes every domain count as ours.
 *
 * A content filter or proxy in front of the filter: what comes back from it comes from 127.0.0.1,
 * whoever sent it, and Postfix tells milters nothing of XFORWARD. So where an smtpd that could take
 * such mail back has our milter, neither loopback nor the address of the content filter counts as
 * mynetworks.
 *
 * Built by one thread, then only read, by any; counted references.
 */
#ifndef PGPGATE_COMMON_POSTFIX_FACTS_H
#define PGPGATE_COMMON_POSTFIX_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/domain_set.h"
#include "common/netaddr.h"

struct client_network {
	struct netaddr network;
	bool is_excluded; /* "!" in front of it: the first one that matches decides */
};

struct postfix_facts {
	bool is_known;	  /* Postfix was asked and answered; otherwise loopback and all domains */
	bool is_filtered; /* mail comes back from a content filter to an smtpd with our milter */
	struct client_network *networks;
	size_t n_networks;
	struct domain_set domains;
	bool are_all_domains;	      /* not all of ours could be listed, or they are all */
	char origin[ADDRESS_MAX + 1]; /* myorigin, what Postfix appends to an address without a
					 domain; "": not known */
	char left_out[300];	      /* what could not be used, for the log; "" : nothing */
	int references;		      /* atomic, from 1; postfix_facts_free() gives one up */
};

/* What holds before anybody asked. NULL: no memory. */
struct postfix_facts *postfix_facts_new(void);

/* directory: of main.cf, "" for Postfix's own. filter_socket: ours. Takes 10 seconds at most,
 * usually 50 ms; 2 seconds where main.cf has just been changed (postconf waits until it is that
 * old). NULL, with a sentence in err, when Postfix is not there, or does not answer. */
struct postfix_facts *postfix_facts_ask(const char *directory, const char *filter_socket, char *err,
					size_t err_size);

void postfix_facts_free(struct postfix_facts *f);

bool postfix_facts_is_ours(const struct postfix_facts *f, const struct netaddr *client);

/* domain: canonical, as address_domain() gives it. */
bool postfix_facts_has_domain(const struct postfix_facts *f, const char *domain);

#endif
