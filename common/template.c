/* SPDX-License-Identifier: ISC */
#include "common/template.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/utf8.h"

#define WORD_MAX 1300 /* bytes with NUL of an address of 320 octets, each escaped */

struct filling {
	char *out;
	size_t size, used; /* used < size; the rest holds the NUL */
};

static void put(struct filling *f, const char *text, size_t length)
{
	const size_t room = f->size - 1 - f->used;

	if (length > room)
		length = room;
	memcpy(f->out + f->used, text, length);
	f->used += length;
	f->out[f->used] = '\0';
}

/* RFC 3986 section 2.3, and the "@" that section 3.3 allows in a path. */
static void put_encoded(struct filling *f, const char *word)
{
	for (; *word != '\0'; word++) {
		const unsigned char c = (unsigned char)*word;
		char encoded[4];

		if (c < 0x80 && (isalnum(c) || strchr("-._~@", c) != NULL))
			snprintf(encoded, sizeof encoded, "%c", c);
		else
			snprintf(encoded, sizeof encoded, "%%%02X", c);
		/* Half of an encoded octet would be another one. */
		if (f->used + strlen(encoded) >= f->size)
			return;
		put(f, encoded, strlen(encoded));
	}
}

static void put_word(struct filling *f, bool is_url, const char *word)
{
	char shown[WORD_MAX];

	if (word == NULL)
		return;
	if (is_url) {
		put_encoded(f, word);
		return;
	}
	log_escape(shown, sizeof shown, word, strlen(word));
	put(f, shown, strlen(shown));
}

static const char *domain_of(const char *address)
{
	const char *at = address != NULL ? strrchr(address, '@') : NULL;

	return at != NULL ? at + 1 : "";
}

/* The word that "%c" stands for: false when it stands for itself. */
static bool find_word(const struct template_words *words, char c, const char **word)
{
	switch (c) {
	case 'r':
		*word = words->recipient;
		return true;
	case 'd':
		*word = domain_of(words->recipient);
		return true;
	case 'q':
		*word = words->queue_id;
		return true;
	case 'R':
		*word = words->reason;
		return true;
	case 'l':
		*word = words->local_part;
		return *word != NULL;
	case 'h':
		*word = words->wkd_hash;
		return *word != NULL;
	case 'f':
		*word = words->fingerprint;
		return *word != NULL;
	default:
		return false;
	}
}

char *template_fill(const char *text, bool is_url, const struct template_words *words, char *out,
		    size_t out_size)
{
	struct filling f = {.out = out, .size = out_size};
	const char *word;

	out[0] = '\0';
	for (; *text != '\0'; text++) {
		const bool is_octet = is_url && text[0] == '%' &&
				      isxdigit((unsigned char)text[1]) &&
				      isxdigit((unsigned char)text[2]);

		if (text[0] == '%' && !is_octet && text[1] == '%') {
			put(&f, is_url ? "%25" : "%", is_url ? 3 : 1);
			text++;
		} else if (text[0] == '%' && !is_octet && find_word(words, text[1], &word)) {
			put_word(&f, is_url, word);
			text++;
		} else {
			put(&f, text, 1);
		}
	}
	return utf8_trim_end(out);
}
