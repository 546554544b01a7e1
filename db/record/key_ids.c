/* SPDX-License-Identifier: ISC */
#include "db/record/key_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
	char *out;
	size_t used;
};

/* Without printf(), which takes more instructions for an id than the scanner does for its packet.
 */
static void add(struct text *t, const char *what)
{
	const size_t len = strlen(what);

	if (len >= KEY_IDS_TEXT_MAX - t->used)
		return;
	memcpy(t->out + t->used, what, len + 1);
	t->used += len;
}

static void add_id(struct text *t, const struct hashed *h, uint64_t id)
{
	const char *digits = h->is_on ? "0123456789abcdef" : "0123456789ABCDEF";
	char hex[17];

	if (h->is_on) {
		id = hashed_key_id(h, id);
		add(t, "h:");
	}
	for (int i = 0; i < 16; i++)
		hex[i] = digits[id >> (60 - 4 * i) & 15];
	hex[16] = '\0';
	add(t, hex);
}

char *key_ids_format(const struct judgement *j, const struct hashed *h, char out[KEY_IDS_TEXT_MAX])
{
	struct text t = {.out = out};
	const size_t n_listed = j->n_messages < KEY_IDS_MAX ? j->n_messages : KEY_IDS_MAX;
	const char *between = "";
	char more[24];
	size_t k = 0;

	out[0] = '\0';
	if (j->n_messages == 0)
		return out;
	for (int c = 0; c < CONTAINER_COUNT; c++)
		if ((j->containers & 1u << c) != 0) {
			add(&t, between);
			add(&t, container_name((enum container)c));
			between = ",";
		}
	for (size_t m = 0; m < n_listed; m++) {
		add(&t, m == 0 ? " " : ";");
		if (k == j->n_key_ids || j->key_message[k] != m)
			add(&t, "-");
		for (between = ""; k < j->n_key_ids && j->key_message[k] == m; k++) {
			add(&t, between);
			add_id(&t, h, j->key_ids[k]);
			between = ",";
		}
	}
	if (judgement_has_more_keys(j)) {
		snprintf(more, sizeof more, " +%zu", j->n_session_keys - j->n_key_ids);
		add(&t, more);
	}
	return out;
}

static const char *parse_containers(const char *text, struct judgement *j)
{
	while (*text != '\0' && *text != ' ') {
		const size_t len = strcspn(text, ", ");
		enum container c;
		char name[8];

		if (len < sizeof name) {
			memcpy(name, text, len);
			name[len] = '\0';
			if (container_from_name(name, &c) == 0)
				j->containers |= 1u << c;
		}
		text += len;
		text += *text == ',' ? 1 : 0;
	}
	return text;
}

void key_ids_parse(const char *text, struct judgement *j)
{
	size_t m = 0;
	char *end;

	j->n_key_ids = j->n_session_keys = j->n_messages = 0;
	j->containers = 0;
	j->has_hashed_key_ids = false;
	text = parse_containers(text, j);
	if (*text != ' ')
		return;
	for (text++; *text != '\0' && *text != ' ' && m < KEY_IDS_MAX;) {
		if (*text == ';' || *text == ',' || *text == '-') {
			m += *text == ';' ? 1 : 0;
			text++;
			continue;
		}
		if (strncmp(text, "h:", 2) == 0) {
			j->has_hashed_key_ids = true;
			text += 2;
		}
		if (j->n_key_ids == KEY_IDS_MAX || strspn(text, "0123456789ABCDEFabcdef") != 16)
			return;
		j->key_message[j->n_key_ids] = (unsigned char)m;
		j->key_ids[j->n_key_ids++] = strtoull(text, &end, 16);
		text = end;
	}
	j->n_messages = m + 1;
	j->n_session_keys = j->n_key_ids;
	if (text[0] == ' ' && text[1] == '+') {
		const unsigned long more = strtoul(text + 2, NULL, 10);

		j->n_session_keys += more;
		j->n_messages += more == 0 ? KEY_IDS_MAX
					   : 0; /* it was the messages that were too many */
	}
}
