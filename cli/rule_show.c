/* SPDX-License-Identifier: ISC */
#include "cli/rule_show.h"

#include <string.h>

#include "cli/output.h"
#include "common/clock.h"

static json_t *text_or_null(const char *text)
{
	return output_json_text(text[0] != '\0' ? text : NULL);
}

json_t *rule_show_json(const struct rule *r)
{
	char client[NETADDR_TEXT_MAX];
	json_t *o = json_object();

	json_object_set_new(o, "id", json_integer(r->id));
	json_object_set_new(o, "recipient", output_json_text(r->recipient.text));
	json_object_set_new(o, "sender", output_json_text(r->has_sender ? r->sender.text : NULL));
	json_object_set_new(o, "client", text_or_null(rule_client_text(r, client)));
	json_object_set_new(o, "requirement", output_json_text(requirement_name(r->requirement)));
	json_object_set_new(o, "starts_at", output_json_time(r->starts_at_unix));
	json_object_set_new(o, "expires_at", output_json_time(r->expires_at_unix));
	json_object_set_new(o, "note", text_or_null(r->note));
	json_object_set_new(o, "help_url", text_or_null(r->help_url));
	json_object_set_new(o, "author", text_or_null(r->author));
	json_object_set_new(o, "created_at", output_json_time(r->created_at_unix));
	json_object_set_new(o, "hits", json_integer(r->hits));
	json_object_set_new(o, "last_hit_at", output_json_time(r->last_hit_at_unix));
	json_object_set_new(o, "owner", text_or_null(r->owner));
	return o;
}

char *rule_show_phrase(const struct rule *r, char *out, size_t out_size)
{
	char client[NETADDR_TEXT_MAX];
	char when[CLOCK_TEXT_MAX];
	char text[OUTPUT_TEXT_MAX];
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "%s %s", requirement_name(r->requirement),
			     r->recipient.text);
	if (r->has_sender)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " from %s", r->sender.text);
	if (r->client_kind != RULE_CLIENT_ANY)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " client %s",
				      rule_client_text(r, client));
	if (r->starts_at_unix != 0)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " starting %s",
				      output_time(r->starts_at_unix, when));
	if (r->expires_at_unix != 0)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " until %s",
				      output_time(r->expires_at_unix, when));
	return output_clean(out, out_size, text);
}

char *rule_show_state(const struct rule *r, int64_t now_unix, char out[RULE_SHOW_STATE_MAX])
{
	char when[CLOCK_TEXT_MAX];

	out[0] = '\0';
	if (r->expires_at_unix != 0 && r->expires_at_unix <= now_unix)
		snprintf(out, RULE_SHOW_STATE_MAX, "expired %s",
			 output_time(r->expires_at_unix, when));
	else if (r->starts_at_unix > now_unix)
		snprintf(out, RULE_SHOW_STATE_MAX, "starts %s",
			 output_time(r->starts_at_unix, when));
	return out;
}
