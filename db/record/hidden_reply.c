/* SPDX-License-Identifier: ISC */
#include "db/record/hidden_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/template.h"
#include "common/utf8.h"
#include "db/engine/key.h"

#define CUT_MIN 32 /* of an address that the end of its line has cut off, so much is looked for */

/* <address>, whoever it is, <URL> where a key is, and 0x and a key id. */
static void hide_marked(const struct hashed *h, const char *reply, char out[HIDDEN_REPLY_MAX])
{
	char address[KEY_MAX], hash[HASHED_ADDRESS_MAX];
	size_t used = 0;

	while (*reply != '\0' && used + HASHED_ADDRESS_MAX + 2 < HIDDEN_REPLY_MAX) {
		const char *end = *reply == '<' ? strchr(reply, '>') : NULL;
		const size_t len = end != NULL ? (size_t)(end - reply - 1) : 0;
		char *after;

		if (strncmp(reply, "0x", 2) == 0 && strspn(reply + 2, "0123456789ABCDEF") == 16) {
			used += (size_t)snprintf(out + used, HIDDEN_REPLY_MAX - used,
						 "h:%016" PRIx64,
						 hashed_key_id(h, strtoull(reply, &after, 16)));
			reply = after;
			continue;
		}
		if (len == 0 || len >= sizeof address) {
			out[used++] = *reply++;
			continue;
		}
		memcpy(address, reply + 1, len);
		address[len] = '\0';
		used += (size_t)snprintf(out + used, HIDDEN_REPLY_MAX - used, "<%s>",
					 hashed_address(h, address, hash));
		reply = end + 1;
	}
	out[used] = '\0';
}

/* Octets of `form` that stand here: all, or those before the line ends. 0: it does not. */
static size_t matched(const char *at, const char *form)
{
	size_t n = 0;

	while (form[n] != '\0' && at[n] == form[n])
		n++;
	if (form[n] == '\0' || (n >= CUT_MIN && (at[n] == '\0' || at[n] == '\n')))
		return n;
	return 0;
}

static void replace(const struct hashed *h, char text[HIDDEN_REPLY_MAX], const char *form,
		    const char *address)
{
	char hash[HASHED_ADDRESS_MAX];
	size_t hash_len;

	for (char *at = text; (at = strchr(at, form[0])) != NULL;) {
		const size_t n = matched(at, form), rest = strlen(at + n) + 1;

		if (n == 0) {
			at++;
			continue;
		}
		hash_len = strlen(hashed_address(h, address, hash));
		if ((size_t)(at - text) + hash_len + rest > HIDDEN_REPLY_MAX) {
			*at = '\0';
			return;
		}
		memmove(at + hash_len, at + n, rest);
		memcpy(at, hash, hash_len);
		at += hash_len;
	}
}

char *hidden_reply(const struct hashed *h, const struct verdict_record *r,
		   char out[HIDDEN_REPLY_MAX])
{
	char form[HIDDEN_REPLY_MAX];

	hide_marked(h, r->reply, out);
	for (size_t i = 0; i < r->n_recipients; i++) {
		const struct template_words words = {.recipient = r->recipients[i].address};

		/* Who has no domain is no one in particular: a word like others. */
		if (r->recipients[i].passes || strchr(words.recipient, '@') == NULL)
			continue;
		for (int is_url = 0; is_url < 2; is_url++)
			replace(h, out, template_fill("%r", is_url != 0, &words, form, sizeof form),
				words.recipient);
	}
	return utf8_trim_end(out);
}
