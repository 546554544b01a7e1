/* SPDX-License-Identifier: ISC */
#include "cli/import_line.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/log.h"

static const char blanks[] = " \t\r";

static int wrong(char *err, size_t err_size, const char *before, const char *outside,
		 const char *after)
{
	char escaped[160];

	snprintf(err, err_size, "%s%s%s", before,
		 log_escape(escaped, sizeof(escaped), outside, strlen(outside)), after);
	return -1;
}

int import_map_add(struct import_context *c, const char *text, char *err, size_t err_size)
{
	const char *equals = strrchr(text, '=');
	struct import_map *m = &c->map[c->n_maps];

	if (c->n_maps == IMPORT_MAPS_MAX)
		return wrong(err, err_size, "too many --map at ", text, "");
	if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof(m->result))
		return wrong(err, err_size,
			     "--map wants RESULT=REQUIREMENT, as in OK=exempt; not '", text, "'");
	snprintf(m->result, sizeof(m->result), "%.*s", (int)(equals - text), text);
	m->is_skipped = strcmp(equals + 1, "skip") == 0;
	if (!m->is_skipped && requirement_from_name(equals + 1, &m->requirement) != 0)
		return wrong(err, err_size, "--map ", text,
			     ": exempt, observe, signed, encrypted, ratchet, own-key, readable or "
			     "skip must follow the '='");
	c->n_maps++;
	return 0;
}

static const struct import_map *find_map(const struct import_context *c, const char *result)
{
	size_t word = strcspn(result, blanks);

	for (size_t i = 0; i < c->n_maps; i++)
		if (strcasecmp(c->map[i].result, result) == 0)
			return &c->map[i];
	for (size_t i = 0; i < c->n_maps; i++)
		if (strlen(c->map[i].result) == word &&
		    strncasecmp(c->map[i].result, result, word) == 0)
			return &c->map[i];
	return NULL;
}

static int access_line(const struct import_context *c, const char *line, struct rule *out,
		       char *err, size_t err_size)
{
	char key[ADDRESS_MAX + 16], result[400], subdomains[ADDRESS_MAX + 32];
	size_t key_len = strcspn(line, blanks);
	const char *rest = line + key_len + strspn(line + key_len, blanks);
	size_t rest_len = strlen(rest);
	const struct import_map *m;

	if (key_len >= sizeof(key))
		return wrong(err, err_size, "the pattern is too long", "", "");
	while (rest_len > 0 && strchr(blanks, rest[rest_len - 1]) != NULL)
		rest_len--;
	if (rest_len == 0)
		return wrong(err, err_size,
			     "no result after the pattern: access(5) wants `pattern result`", "",
			     "");
	snprintf(key, sizeof(key), "%.*s", (int)key_len, line);
	snprintf(result, sizeof(result), "%.*s", (int)rest_len, rest);
	m = find_map(c, result);
	if (m == NULL)
		return wrong(
			err, err_size, "what does '", result,
			"' mean here? Say it with --map RESULT=REQUIREMENT, as in --map OK=exempt");
	if (m->is_skipped)
		return 0;
	memset(out, 0, 2 * sizeof(*out));
	if (pattern_parse(key, c->delimiters, false, &out[0].recipient, err, err_size) != 0)
		return -1;
	out[0].requirement = m->requirement;
	if (out[0].recipient.kind != PATTERN_DOMAIN)
		return 1;
	out[1] = out[0];
	snprintf(subdomains, sizeof(subdomains), ".%s", out[0].recipient.text);
	if (pattern_parse(subdomains, c->delimiters, false, &out[1].recipient, err, err_size) != 0)
		return -1;
	return 2;
}

/* The text of a field; NULL for null. -1 when it is no text. */
static int field_text(const char *name, json_t *value, const char **out, char *err, size_t err_size)
{
	if (json_is_null(value)) {
		*out = NULL;
		return 0;
	}
	if (!json_is_string(value))
		return wrong(err, err_size, "\"", name, "\" must be a string or null");
	*out = json_string_value(value);
	if (strlen(*out) != json_string_length(value))
		return wrong(err, err_size, "\"", name, "\" holds a NUL");
	return 0;
}

static int set_field(const struct import_context *c, const char *name, json_t *value,
		     struct rule *r, char *err, size_t err_size)
{
	static const char *const ignored[] = {"id", "author", "created_at", "hits", "last_hit_at"};
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (strcmp(name, ignored[i]) == 0)
			return 0;
	if (field_text(name, value, &text, err, err_size) != 0)
		return -1;
	if (text == NULL)
		return 0;
	if (strcmp(name, "recipient") == 0)
		return pattern_parse(text, c->delimiters, false, &r->recipient, err, err_size);
	if (strcmp(name, "sender") == 0) {
		r->has_sender = true;
		return pattern_parse(text, c->delimiters, true, &r->sender, err, err_size);
	}
	if (strcmp(name, "client") == 0)
		return rule_client_parse(text, r, err, err_size);
	if (strcmp(name, "requirement") == 0) {
		if (requirement_from_name(text, &r->requirement) != 0)
			return wrong(err, err_size, "unknown requirement '", text,
				     "': one of exempt, observe, signed, encrypted, ratchet, "
				     "own-key, readable");
		return 0;
	}
	if (strcmp(name, "starts_at") == 0)
		return clock_parse_when(text, c->now_unix, false, &r->starts_at_unix, err,
					err_size);
	if (strcmp(name, "expires_at") == 0)
		return clock_parse_when(text, c->now_unix, true, &r->expires_at_unix, err,
					err_size);
	if (strcmp(name, "note") == 0)
		return rule_set_text(r, text, NULL, err, err_size);
	if (strcmp(name, "help_url") == 0)
		return rule_set_text(r, NULL, text, err, err_size);
	if (strcmp(name, "owner") == 0)
		return rule_set_owner(r, text, err, err_size);
	return wrong(err, err_size, "unknown field \"", name, "\"");
}

static int json_line(const struct import_context *c, const char *line, struct rule *r, char *err,
		     size_t err_size)
{
	json_error_t problem;
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, &problem);
	const char *name;
	json_t *value;
	int result = 1;

	if (o == NULL) {
		snprintf(err, err_size, "column %d: ", problem.column);
		return wrong(err + strlen(err), err_size - strlen(err), "", problem.text, "");
	}
	memset(r, 0, sizeof(*r));
	if (!json_is_object(o))
		result = wrong(err, err_size, "a JSON object is wanted", "", "");
	else if (!json_is_string(json_object_get(o, "recipient")))
		result = wrong(err, err_size, "\"recipient\" is missing", "", "");
	else if (!json_is_string(json_object_get(o, "requirement")))
		result = wrong(err, err_size, "\"requirement\" is missing", "", "");
	if (result == 1) {
		json_object_foreach(o, name, value)
		{
			if (set_field(c, name, value, r, err, err_size) != 0) {
				result = -1;
				break;
			}
		}
	}
	if (result == 1 && r->expires_at_unix != 0 && r->expires_at_unix <= r->starts_at_unix)
		result = wrong(err, err_size, "\"expires_at\" is not after \"starts_at\"", "", "");
	json_decref(o);
	return result;
}

int import_line(struct import_context *c, const char *line, struct rule out[IMPORT_RULES_MAX],
		char *err, size_t err_size)
{
	const char *text = line + strspn(line, blanks);
	int n;

	if (*text == '\0' || (*text == '#' && c->format != IMPORT_JSON))
		return 0;
	if (c->format == IMPORT_AUTO)
		c->format = *text == '{' ? IMPORT_JSON : IMPORT_TEXT;
	switch (c->format) {
	case IMPORT_JSON:
		return json_line(c, text, out, err, err_size);
	case IMPORT_ACCESS:
		return access_line(c, text, out, err, err_size);
	case IMPORT_AUTO:
	case IMPORT_TEXT:
		break;
	}
	n = rule_parse(text, c->delimiters, c->now_unix, out, err, err_size);
	return n == 1 ? 0 : n == 0 ? 1 : -1;
}
