/* SPDX-License-Identifier: ISC
 *
 * settings_types.c: checks one value of pgpgate.conf and puts it into struct settings: the general
 * types. What only one key has is in settings_special.c.
 */
#include "common/settings_keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/complain.h"
#include "common/settings_text.h"
#include "common/socket.h"

static void *member(const struct settings_key *k, const struct settings_value *v)
{
	return (char *)v->settings + k->offset;
}

int settings_complain(const struct settings_value *v, const char *forms)
{
	char what[300];

	snprintf(what, sizeof(what), "is not allowed here; %s", forms);
	return complain_about(v->text, what, v->err, v->err_size);
}

int settings_keep(struct settings_value *v, const char *canonical)
{
	v->canonical = strdup(canonical);
	if (v->canonical != NULL)
		return 0;
	snprintf(v->err, v->err_size, "out of memory");
	return -1;
}

int settings_keep_string(struct settings_value *v, char **where, const char *text)
{
	*where = strdup(text);
	if (*where != NULL)
		return settings_keep(v, text);
	snprintf(v->err, v->err_size, "out of memory");
	return -1;
}

bool settings_is_printable_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

int settings_parse_bool(const struct settings_key *k, struct settings_value *v)
{
	bool is_yes = strcasecmp(v->text, "yes") == 0;

	if (!is_yes && strcasecmp(v->text, "no") != 0)
		return settings_complain(v, "write yes or no");
	*(bool *)member(k, v) = is_yes;
	return settings_keep(v, is_yes ? "yes" : "no");
}

/* Index of the word, or -1 with a sentence that lists them all. */
static int find_word(const struct settings_key *k, struct settings_value *v)
{
	char forms[200] = "write ";

	for (int i = 0; k->words[i] != NULL; i++)
		if (strcmp(v->text, k->words[i]) == 0)
			return i;
	for (int i = 0; k->words[i] != NULL; i++) {
		size_t len = strlen(forms);
		const char *joint = i == 0 ? "" : k->words[i + 1] == NULL ? " or " : ", ";

		snprintf(forms + len, sizeof(forms) - len, "%s%s", joint, k->words[i]);
	}
	return settings_complain(v, forms);
}

int settings_parse_word(const struct settings_key *k, struct settings_value *v)
{
	int i = find_word(k, v);

	if (i < 0)
		return -1;
	memcpy(member(k, v), &i, sizeof(i));
	return settings_keep(v, k->words[i]);
}

int settings_parse_choice(const struct settings_key *k, struct settings_value *v)
{
	int i = find_word(k, v);

	if (i < 0)
		return -1;
	*(bool *)member(k, v) = i == 1;
	return settings_keep(v, k->words[i]);
}

int settings_parse_duration(const struct settings_key *k, struct settings_value *v)
{
	if (clock_parse_duration(v->text, member(k, v), v->err, v->err_size) != 0)
		return -1;
	return settings_keep(v, v->text);
}

/* Decimal digits only, k->min..k->max. */
static int parse_integer(const struct settings_key *k, struct settings_value *v, int64_t *out)
{
	char forms[100];
	int64_t value = 0;
	const char *at = v->text;

	for (; isdigit((unsigned char)*at) && value <= k->max; at++)
		value = value * 10 + (*at - '0');
	if (at != v->text && *at == '\0' && value >= k->min && value <= k->max) {
		*out = value;
		return 0;
	}
	snprintf(forms, sizeof(forms), "write a whole number from %lld to %lld", (long long)k->min,
		 (long long)k->max);
	return settings_complain(v, forms);
}

static int keep_integer(struct settings_value *v, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return settings_keep(v, text);
}

int settings_parse_bytes(const struct settings_key *k, struct settings_value *v)
{
	int64_t value;

	if (parse_integer(k, v, &value) != 0)
		return -1;
	*(int64_t *)member(k, v) = value;
	return keep_integer(v, value);
}

int settings_parse_number(const struct settings_key *k, struct settings_value *v)
{
	int64_t value;

	if (parse_integer(k, v, &value) != 0)
		return -1;
	*(unsigned *)member(k, v) = (unsigned)value;
	return keep_integer(v, value);
}

int settings_parse_socket(const struct settings_key *k, struct settings_value *v)
{
	struct socket_address a;

	if (socket_parse(v->text, &a, v->err, v->err_size) != 0)
		return -1;
	if (a.is_unix && a.path[0] != '/')
		return settings_complain(v, "write an absolute path: local:/path/to/socket");
	return settings_keep_string(v, member(k, v), v->text);
}

int settings_parse_listen(const struct settings_key *k, struct settings_value *v)
{
	static const char forms[] =
		"write address:port, as 127.0.0.1:9157 or [::1]:9157, or nothing";
	struct settings_key port_key = {.min = 1, .max = 65535};
	struct settings_value port = *v;
	char host[NETADDR_TEXT_MAX];
	char ignored[200];
	const char *colon = strrchr(v->text, ':');
	size_t host_len = colon == NULL ? 0 : (size_t)(colon - v->text);
	struct netaddr a;
	int64_t number;
	bool has_bracket = v->text[0] == '[';

	if (v->text[0] == '\0')
		return settings_keep_string(v, member(k, v), "");
	if (host_len == 0 || host_len >= sizeof(host))
		return settings_complain(v, forms);
	memcpy(host, v->text, host_len);
	host[host_len] = '\0';
	port.text = colon + 1;
	port.err = ignored;
	port.err_size = sizeof(ignored);
	if (netaddr_parse(host, &a, ignored, sizeof(ignored)) != 0 || strchr(host, '/') != NULL ||
	    has_bracket != (strchr(host, ':') != NULL) ||
	    parse_integer(&port_key, &port, &number) != 0)
		return settings_complain(v, forms);
	return settings_keep_string(v, member(k, v), v->text);
}

bool settings_is_url(const char *text)
{
	const char *rest = NULL;

	if (strncasecmp(text, "https://", 8) == 0)
		rest = text + 8;
	else if (strncasecmp(text, "http://", 7) == 0)
		rest = text + 7;
	return rest != NULL && isalnum((unsigned char)*rest) && strlen(text) <= SETTINGS_URL_MAX &&
	       settings_is_printable_ascii(text) && strpbrk(text, " \"<>\\") == NULL;
}

int settings_parse_domain(const struct settings_key *k, struct settings_value *v)
{
	char domain[ADDRESS_MAX + 1] = "";

	if (v->text[0] != '\0' &&
	    (address_canonical_domain(v->text, strlen(v->text), domain) != 0 || domain[0] == '['))
		return settings_complain(v, "write a domain, such as example.org, or nothing");
	return settings_keep_string(v, member(k, v), domain);
}

int settings_parse_path(const struct settings_key *k, struct settings_value *v)
{
	if (v->text[0] != '\0' && (v->text[0] != '/' || strlen(v->text) > 4000))
		return settings_complain(v, "write an absolute path, or nothing");
	return settings_keep_string(v, member(k, v), v->text);
}

int settings_parse_url(const struct settings_key *k, struct settings_value *v)
{
	if (v->text[0] != '\0' && !settings_is_url(v->text))
		return settings_complain(
			v, "write a URL as https://example.org/pgp (ASCII, no blanks, "
			   "at most 300 bytes), or nothing");
	return settings_keep_string(v, member(k, v), v->text);
}
