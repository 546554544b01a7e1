/* SPDX-License-Identifier: ISC */
#include "common/postfix_facts.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/conf_file.h"
#include "common/log.h"
#include "common/postfix.h"

#define PATIENCE_MS 10000	   /* for all programs together */
#define CONFIG_BYTES_MAX (1 << 20) /* of postconf's answers */
#define TABLE_BYTES_MAX (16 << 20) /* of one table: 100,000 aliases have 6 MB */
#define NESTING_MAX 3		   /* files within files */

struct question {
	struct postfix_facts *facts;
	const char *directory, *filter_socket;
	int64_t until_ms;
	char *parameters, *services, *overrides; /* postconf's answers */
	bool is_out_of_memory;
};

static bool add_network(struct postfix_facts *f, const struct netaddr *network, bool is_excluded)
{
	struct client_network *longer = realloc(f->networks, (f->n_networks + 1) * sizeof(*longer));

	if (longer == NULL)
		return false;
	f->networks = longer;
	longer[f->n_networks++] = (struct client_network){*network, is_excluded};
	return true;
}

/* 0; 1: it is no network; -1: no memory. */
static int add_network_text(struct postfix_facts *f, const char *text, bool is_excluded)
{
	struct netaddr network;
	char err[300];

	if (netaddr_parse(text, &network, err, sizeof(err)) != 0)
		return 1;
	return add_network(f, &network, is_excluded) ? 0 : -1;
}

static bool add_loopback(struct postfix_facts *f, bool is_excluded)
{
	return add_network_text(f, "127.0.0.0/8", is_excluded) == 0 &&
	       add_network_text(f, "::1", is_excluded) == 0;
}

struct postfix_facts *postfix_facts_new(void)
{
	struct postfix_facts *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->references = 1;
	f->are_all_domains = true;
	if (add_loopback(f, false))
		return f;
	postfix_facts_free(f);
	return NULL;
}

void postfix_facts_free(struct postfix_facts *f)
{
	if (f == NULL || __atomic_sub_fetch(&f->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(f->networks);
	domain_set_free(&f->domains);
	free(f);
}

bool postfix_facts_is_ours(const struct postfix_facts *f, const struct netaddr *client)
{
	for (size_t i = 0; i < f->n_networks; i++)
		if (netaddr_contains(&f->networks[i].network, client))
			return !f->networks[i].is_excluded;
	return false;
}

bool postfix_facts_has_domain(const struct postfix_facts *f, const char *domain)
{
	return f->are_all_domains || domain_set_has(&f->domains, domain);
}

static int run(const struct question *q, const char *program, const char *const *words, size_t n,
	       char *out, size_t out_size)
{
	const int64_t left_ms = q->until_ms - clock_monotonic_ms();

	return left_ms <= 0 ? -1
			    : postfix_run(q->directory, program, words, n, NULL, out, out_size,
					  (int)left_ms);
}

static void leave_out(struct question *q, const char *item, size_t len)
{
	char *text = q->facts->left_out;
	const size_t used = strlen(text);
	char shown[100];

	log_escape(shown, sizeof(shown), item, len);
	snprintf(text + used, sizeof(q->facts->left_out) - used, "%s%s", used > 0 ? ", " : "",
		 shown);
}

/* ---- lists ---- */

/* Takes one word that is neither file nor table. False: it cannot be used. */
typedef bool take_word(struct question *q, const char *word, size_t len, bool is_excluded);

/* The words of a list; a file's are in its place, and the keys of a table. False where one could
 * not be used: the rest are taken all the same. */
static bool take_list(struct question *q, const char *list, take_word *take, bool wants_tables,
		      int nesting);

/* "#" begins a comment at the start of a line. */
static bool take_file(struct question *q, const char *path, take_word *take, bool wants_tables,
		      int nesting)
{
	char *text;
	size_t len;
	bool is_whole;

	if (nesting >= NESTING_MAX || conf_file_slurp(path, &text, &len) != 0)
		return false;
	for (char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (*line == '#')
			memset(line, ' ', strcspn(line, "\n"));
	}
	is_whole = strlen(text) == len && take_list(q, text, take, wants_tables, nesting + 1);
	free(text);
	return is_whole;
}

/* The keys of a table that can be listed. */
static bool take_table(struct question *q, const char *table, take_word *take)
{
	const char *words[] = {"-s", postfix_listable(table)};
	char *out = malloc(TABLE_BYTES_MAX);
	bool is_whole = out != NULL && words[1] != NULL &&
			run(q, "postmap", words, 2, out, TABLE_BYTES_MAX) == 0 &&
			strlen(out) < TABLE_BYTES_MAX - 1;

	for (const char *line = out; is_whole && *line != '\0'; line += strspn(line, "\n")) {
		const size_t len = strcspn(line, "\t\n");

		if (memchr(line, '@', len) == NULL)
			take(q, line, len, false);
		line += strcspn(line, "\n");
	}
	free(out);
	return is_whole;
}

static bool take_item(struct question *q, const char *word, size_t len, take_word *take,
		      bool wants_tables, int nesting)
{
	const bool is_excluded = word[0] == '!';
	char text[2000];

	word += is_excluded;
	len -= is_excluded;
	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	if (text[0] == '/')
		return !is_excluded && take_file(q, text, take, wants_tables, nesting);
	if (wants_tables && strchr(text, ':') != NULL && text[0] != '[')
		return !is_excluded && take_table(q, text, take);
	return take(q, text, len, is_excluded);
}

static bool take_list(struct question *q, const char *list, take_word *take, bool wants_tables,
		      int nesting)
{
	bool is_whole = true;
	const char *word;
	size_t len;

	while ((word = postfix_word(&list, &len)) != NULL)
		if (!take_item(q, word, len, take, wants_tables, nesting)) {
			is_whole = false;
			leave_out(q, word, len);
		}
	return is_whole;
}

/* ---- networks ---- */

/* A "0.0.0.0/0", whose relaying something else must prevent, says of nobody that it is one of ours.
 */
static bool is_everybody(const char *word, size_t len)
{
	return len > 2 && strncmp(word + len - 2, "/0", 2) == 0;
}

static bool take_network(struct question *q, const char *word, size_t len, bool is_excluded)
{
	const int rc = !is_excluded && is_everybody(word, len)
			       ? 1
			       : add_network_text(q->facts, word, is_excluded);

	q->is_out_of_memory |= rc < 0;
	return rc == 0;
}

/* An exclusion that is not understood could mean what stands behind it: then nothing from there on
 * is ours. */
static void take_networks(struct question *q)
{
	char value[8192];
	char *exclusion;

	if (!postfix_value(q->parameters, "mynetworks", value, sizeof(value)))
		return;
	for (exclusion = strchr(value, '!'); exclusion != NULL;
	     exclusion = strchr(exclusion + 1, '!')) {
		struct netaddr network;
		char text[NETADDR_TEXT_MAX], err[300];

		snprintf(text, sizeof(text), "%.*s", (int)strcspn(exclusion + 1, ", \t"),
			 exclusion + 1);
		if (netaddr_parse(text, &network, err, sizeof(err)) == 0)
			continue;
		leave_out(q, exclusion, strlen(exclusion));
		*exclusion = '\0';
		break;
	}
	take_list(q, value, take_network, false, 0);
}

/* ---- what comes back from a content filter ---- */

static void effective(const struct question *q, const struct postfix_service *s, const char *name,
		      char *out, size_t out_size)
{
	out[0] = '\0';
	if (!postfix_override(q->overrides, s, name, out, out_size))
		postfix_value(q->parameters, name, out, out_size);
}

/* The host of "smtp:[192.0.2.1]:10024" or "127.0.0.1:10024", where it is an address: what it sends
 * is not its own. */
static void exclude_host(struct question *q, const char *where)
{
	const char *bracket = strchr(where, '[');
	char host[NETADDR_TEXT_MAX];
	const char *start = bracket != NULL ? bracket + 1 : where + strspn(where, " ");

	if (bracket == NULL && strncmp(start, "inet:", 5) == 0)
		start += 5;
	if (bracket == NULL && strchr(start, ':') != strrchr(start, ':'))
		start = strchr(start, ':') + 1;
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(start, bracket != NULL ? "]" : ": "),
		 start);
	q->is_out_of_memory |= add_network_text(q->facts, host, true) < 0;
}

/* An smtpd that mail may come back to: it filters nothing itself, and does not listen where clients
 * come. */
static bool is_way_back(const struct question *q, const struct postfix_service *s)
{
	static const char *const for_clients[] = {"smtp",  "25",  "submission", "587",
						  "smtps", "465", "submissions"};
	const char *port = strrchr(s->name, ':');
	const bool is_loopback = strncmp(s->name, "127.", 4) == 0 ||
				 strncmp(s->name, "localhost:", 10) == 0 ||
				 strncmp(s->name, "[::1]:", 6) == 0;

	(void)q;
	if (strcmp(s->type, "inet") != 0)
		return false;
	port = port != NULL ? port + 1 : s->name;
	for (size_t i = 0; !is_loopback && i < sizeof(for_clients) / sizeof(for_clients[0]); i++)
		if (strcmp(port, for_clients[i]) == 0)
			return false;
	return true;
}

static bool has_our_milter(const struct question *q, const struct postfix_service *s,
			   const char *queue_directory)
{
	char value[4000];

	effective(q, s, "receive_override_options", value, sizeof(value));
	if (postfix_has_word(value, "no_milters"))
		return false;
	effective(q, s, "smtpd_milters", value, sizeof(value));
	return postfix_names_socket(queue_directory, value, q->filter_socket);
}

static void look_at_filters(struct question *q)
{
	static const char *const names[] = {"content_filter", "smtpd_proxy_filter"};
	char queue_directory[512] = "", value[4000];
	bool is_filtering = false, comes_back = false;

	postfix_value(q->parameters, "queue_directory", queue_directory, sizeof(queue_directory));
	for (const char *line = q->services; *line != '\0'; line += strspn(line, "\n")) {
		struct postfix_service s;
		bool filters_itself = false;

		if (postfix_service(line, &s) &&
		    (strcmp(s.command, "smtpd") == 0 || strcmp(s.command, "pickup") == 0)) {
			for (size_t i = 0; i < 2; i++) {
				effective(q, &s, names[i], value, sizeof(value));
				if (value[0] == '\0')
					continue;
				filters_itself = true;
				exclude_host(q, value);
			}
			is_filtering |= filters_itself;
			comes_back |= !filters_itself && strcmp(s.command, "smtpd") == 0 &&
				      is_way_back(q, &s) && has_our_milter(q, &s, queue_directory);
		}
		line += strcspn(line, "\n");
	}
	q->facts->is_filtered = is_filtering && comes_back;
	if (!q->facts->is_filtered) {
		free(q->facts->networks);
		q->facts->networks = NULL;
		q->facts->n_networks = 0;
	} else if (!add_loopback(q->facts, true)) {
		q->is_out_of_memory = true;
	}
}

/* ---- domains ---- */

static bool take_domain(struct question *q, const char *word, size_t len, bool is_excluded)
{
	int rc;

	if (is_excluded)
		return false;
	if (word[0] == '[') /* an address literal always counts as ours */
		return true;
	rc = domain_set_add(&q->facts->domains, word, len);
	q->is_out_of_memory |= rc < 0;
	return rc == 0;
}

/* The same with all that is below it. */
static bool take_parent(struct question *q, const char *word, size_t len, bool is_excluded)
{
	char below[300];

	if (!take_domain(q, word, len, is_excluded))
		return false;
	if (word[0] == '.' || word[0] == '[' || len + 2 > sizeof(below))
		return true;
	snprintf(below, sizeof(below), ".%.*s", (int)len, word);
	return take_domain(q, below, len + 1, false);
}

static void take_domains(struct question *q)
{
	static const char *const names[] = {"mydestination", "virtual_mailbox_domains",
					    "virtual_alias_domains", "relay_domains", "myorigin"};
	char parents[2000] = "";
	char *value = malloc(CONFIG_BYTES_MAX);

	postfix_value(q->parameters, "parent_domain_matches_subdomains", parents, sizeof(parents));
	q->is_out_of_memory |= value == NULL;
	q->facts->are_all_domains = false;
	for (size_t i = 0; value != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		take_word *take = postfix_has_word(parents, names[i]) ? take_parent : take_domain;

		if (postfix_value(q->parameters, names[i], value, CONFIG_BYTES_MAX) &&
		    !take_list(q, value, take, true, 0))
			q->facts->are_all_domains = true;
	}
	free(value);
	domain_set_sort(&q->facts->domains);
}

/* Debian has its name in a file, /etc/mailname. */
static void take_origin(struct question *q)
{
	char value[ADDRESS_MAX + 1] = "", *text = NULL;
	const char *word = value;
	size_t len;

	if (!postfix_value(q->parameters, "myorigin", value, sizeof(value)))
		return;
	if (value[0] == '/')
		word = conf_file_slurp(value, &text, &len) == 0 ? text : "";
	word += strspn(word, " \t\n");
	if (address_canonical_domain(word, strcspn(word, " \t\r\n"), q->facts->origin) != 0)
		q->facts->origin[0] = '\0';
	free(text);
}

/* ---- */

/* postconf's three answers. */
static bool ask(struct question *q)
{
	static const char *const parameters[] = {"-x",
						 "mynetworks",
						 "mydestination",
						 "virtual_mailbox_domains",
						 "virtual_alias_domains",
						 "relay_domains",
						 "myorigin",
						 "parent_domain_matches_subdomains",
						 "content_filter",
						 "smtpd_proxy_filter",
						 "smtpd_milters",
						 "receive_override_options",
						 "queue_directory"};
	static const char *const services[] = {"-M"}, *const overrides[] = {"-xP"};

	q->parameters = malloc(CONFIG_BYTES_MAX);
	q->services = malloc(CONFIG_BYTES_MAX);
	q->overrides = malloc(CONFIG_BYTES_MAX);
	return q->parameters != NULL && q->services != NULL && q->overrides != NULL &&
	       run(q, "postconf", parameters, sizeof(parameters) / sizeof(parameters[0]),
		   q->parameters, CONFIG_BYTES_MAX) == 0 &&
	       run(q, "postconf", services, 1, q->services, CONFIG_BYTES_MAX) == 0 &&
	       run(q, "postconf", overrides, 1, q->overrides, CONFIG_BYTES_MAX) == 0;
}

struct postfix_facts *postfix_facts_ask(const char *directory, const char *filter_socket, char *err,
					size_t err_size)
{
	struct question q = {
		.facts = calloc(1, sizeof(*q.facts)),
		.directory = directory,
		.filter_socket = filter_socket,
		.until_ms = clock_monotonic_ms() + PATIENCE_MS,
	};
	bool is_answered = q.facts != NULL && ask(&q);

	if (q.facts != NULL)
		q.facts->references = 1;
	if (is_answered) {
		q.facts->is_known = true;
		look_at_filters(&q); /* first: what it excludes comes before what is ours */
		take_networks(&q);
		take_domains(&q);
		take_origin(&q);
	}
	if (!is_answered || q.is_out_of_memory) {
		snprintf(err, err_size, "%s",
			 q.facts == NULL || q.is_out_of_memory ? "out of memory"
							       : "postconf gave no answer");
		postfix_facts_free(q.facts);
		q.facts = NULL;
	}
	free(q.parameters);
	free(q.services);
	free(q.overrides);
	return q.facts;
}
