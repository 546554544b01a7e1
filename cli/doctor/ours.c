/* SPDX-License-Identifier: ISC
 *
 * ours.c: whose mail counts as ours, and which domains, against what Postfix's own configuration
 * says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"

static const char topic[] = "ours";

static bool demands_anything(enum requirement r)
{
	return r != REQUIREMENT_EXEMPT && r != REQUIREMENT_OBSERVE;
}

/* Do strangers and ours meet different demands? If not, nothing here matters. */
static bool is_local_milder(const struct settings *s)
{
	return demands_anything(s->default_requirement) &&
	       s->local_requirement != s->default_requirement;
}

/* Written by the administrator, or loopback of $mynetworks: true for the networks in local_clients.
 */
static bool is_written(const struct settings *s, const struct netaddr *network)
{
	for (size_t i = 0; i < s->n_local_clients; i++)
		if (netaddr_contains(&s->local_clients[i], network))
			return true;
	return false;
}

static void examine_width(struct doctor *x)
{
	const struct settings *s = x->settings;
	char mend[1000];

	for (size_t i = 0; i < s->n_local_clients; i++)
		if (s->local_clients[i].prefix_bits < 96 + 8 &&
		    s->local_requirement < REQUIREMENT_SIGNED)
			doctor_tell(x, DOCTOR_PROBLEM, topic,
				    doctor_by_setting(x, mend, sizeof(mend), "local_clients",
						      "$mynetworks"),
				    "local_clients holds a network so wide that strangers count as "
				    "ours");
	for (size_t i = 0; s->are_mynetworks_local && i < s->postfix->n_networks; i++)
		if (s->postfix->networks[i].network.prefix_bits < 96 + 8 &&
		    !s->postfix->networks[i].is_excluded)
			doctor_tell(x, DOCTOR_PROBLEM, topic,
				    doctor_by_value(x, mend, sizeof(mend), NULL, false,
						    "mynetworks",
						    "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128"),
				    "Postfix's mynetworks holds a network so wide that strangers "
				    "count as ours: this "
				    "Postfix relays for them, too");
}

/* mynetworks may relay: what is not in local_clients goes out as a stranger's. */
static void examine_mynetworks(struct doctor *x, const struct postfix_facts *f)
{
	const struct settings *s = x->settings;
	char missing[600] = "", text[NETADDR_TEXT_MAX], value[DOCTOR_TEXT_MAX] = "",
	     mend[DOCTOR_TEXT_MAX + 1000];
	size_t used = 0;

	if (s->are_mynetworks_local || !is_local_milder(s))
		return;
	for (size_t i = 0; i < f->n_networks; i++)
		if (!f->networks[i].is_excluded &&
		    postfix_facts_is_ours(f, &f->networks[i].network) &&
		    !is_written(s, &f->networks[i].network) &&
		    used + NETADDR_TEXT_MAX + 2 < sizeof(missing) &&
		    /* ::ffff:127.0.0.0/104 is 127.0.0.0/8 once more */
		    strstr(missing, netaddr_format(&f->networks[i].network, text)) == NULL)
			used += (size_t)snprintf(missing + used, sizeof(missing) - used, "%s%s",
						 used > 0 ? ", " : "",
						 netaddr_format(&f->networks[i].network, text));
	if (missing[0] == '\0')
		return;
	used = 0;
	for (size_t i = 0; i < s->n_local_clients && used + NETADDR_TEXT_MAX + 2 < sizeof(value);
	     i++)
		used += (size_t)snprintf(value + used, sizeof(value) - used, ", %s",
					 netaddr_format(&s->local_clients[i], text));
	doctor_tell(
		x, DOCTOR_PROBLEM, topic,
		doctor_by_setting(x, mend, sizeof(mend), "local_clients", "$mynetworks%s", value),
		"Postfix's mynetworks has %s, and local_clients has not: what they send to the "
		"outside is judged as "
		"a stranger's",
		missing);
}

/* Behind a content filter or proxy every client is loopback. */
static void examine_filtered(struct doctor *x, const struct postfix_facts *f)
{
	static const struct netaddr loopback4 = {
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}, 128};
	static const struct netaddr loopback6 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
						 128};
	const struct settings *s = x->settings;
	char mend[1000];
	const bool is_unprotected = s->protected_domains.n == 0 &&
				    !s->are_postfix_domains_protected;

	if (!f->is_filtered || !is_local_milder(s))
		return;
	if (is_written(s, &loopback4) || is_written(s, &loopback6))
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_setting(x, mend, sizeof(mend), "local_clients", "$mynetworks"),
			"our filter judges what comes back from a content filter or proxy, "
			"where every client is "
			"127.0.0.1, and local_clients counts that as ours: a stranger's "
			"cleartext is taken");
	else
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "our filter judges what comes back from a content filter or proxy: "
			    "nobody is known there, "
			    "and so nobody is one of ours");
	if (is_unprotected)
		doctor_tell(
			x, DOCTOR_PROBLEM, topic,
			doctor_by_setting(x, mend, sizeof(mend), "protected_domains", "postfix"),
			"what your own users send to the outside comes back from the filter as "
			"a stranger's mail, and "
			"is refused as one");
}

static void examine_domains(struct doctor *x, const struct postfix_facts *f)
{
	const struct settings *s = x->settings;

	if (s->are_postfix_domains_protected && f->are_all_domains)
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "protected_domains = postfix: not all of Postfix's domains can be "
			    "listed, so every domain is "
			    "protected; name yours there instead");
	else if (s->are_postfix_domains_protected)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "%zu domains of Postfix are protected",
			    f->domains.n);
	else if (s->protected_domains.n > 0 && !f->are_all_domains)
		for (size_t i = 0; i < f->domains.n; i++)
			if (!domain_set_has(&s->protected_domains, f->domains.names[i]) &&
			    strchr(f->domains.names[i], '.') != NULL &&
			    f->domains.names[i][0] != '.')
				doctor_tell(x, DOCTOR_NOTE, topic, NULL,
					    "Postfix takes mail for %s, which is not in "
					    "protected_domains",
					    f->domains.names[i]);
}

static void examine_delimiter(struct doctor *x)
{
	char value[100], mend[1000];

	if (!doctor_parameter(x, "recipient_delimiter", value, sizeof(value))) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "recipient_delimiter cannot be had");
		return;
	}
	if (strcmp(value, x->settings->recipient_delimiter) == 0)
		return;
	doctor_tell(x, DOCTOR_PROBLEM, topic,
		    doctor_by_setting(x, mend, sizeof(mend), "recipient_delimiter", "%s", value),
		    "recipient_delimiter is \"%s\" in Postfix and \"%s\" here: mail to an address "
		    "with an extension goes "
		    "past the rule for its mailbox, or meets another's",
		    value, x->settings->recipient_delimiter);
}

/* A local user of Sendmail may have another domain than the one that is named for those without. */
static void examine_unqualified(struct doctor *x)
{
	const struct settings *s = x->settings;
	struct address someone;
	char text[ADDRESS_MAX + 1];

	if (s->unqualified_domain[0] == '\0')
		return;
	snprintf(text, sizeof(text), "a@%s", s->unqualified_domain);
	address_canonical(text, strlen(text), &someone);
	if (!settings_is_protected(s, &someone))
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "unqualified_domain is %s, which is not in protected_domains: an "
			    "address that comes without a domain is protected, and the same one "
			    "with that domain is not",
			    s->unqualified_domain);
}

void doctor_ours(struct doctor *x)
{
	const char *directory = x->postfix.config_directory != NULL ? x->postfix.config_directory
								    : "";
	char err[300];
	struct postfix_facts *f = postfix_facts_ask(directory, x->settings->filter_socket, err,
						    sizeof(err));

	if (f == NULL) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL,
			    "whose mail is ours: %s; $mynetworks is loopback then, and every "
			    "domain is protected",
			    err);
		examine_unqualified(x);
		return;
	}
	postfix_facts_free(x->settings->postfix);
	x->settings->postfix = f;
	examine_unqualified(x);
	examine_width(x);
	examine_mynetworks(x, f);
	examine_filtered(x, f);
	examine_domains(x, f);
	examine_delimiter(x);
	if (f->left_out[0] != '\0')
		doctor_tell(x, DOCTOR_NOTE, topic, NULL, "of Postfix's lists cannot be listed: %s",
			    f->left_out);
	if (x->settings->are_mynetworks_local)
		doctor_tell(x, DOCTOR_OK, topic, NULL,
			    "local_clients has the %zu networks of mynetworks", f->n_networks);
}
