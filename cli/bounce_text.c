/* SPDX-License-Identifier: ISC */
#include "cli/bounce_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define QUEUE_ID_MIN 6 /* Postfix's short ones: 5 hexadecimal digits of time and an inode */
#define QUEUE_ID_MAX 40

static void keep(char names[BOUNCE_NAMES_MAX][BOUNCE_NAME_MAX], size_t *n, const char *text,
		 size_t length)
{
	for (size_t i = 0; i < *n; i++)
		if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
			return;
	if (*n == BOUNCE_NAMES_MAX || length >= BOUNCE_NAME_MAX)
		return;
	memcpy(names[*n], text, length);
	names[(*n)++][length] = '\0';
}

bool bounce_is_queue_id(const char *text)
{
	size_t n = 0, n_digits = 0;

	for (; isalnum((unsigned char)text[n]); n++)
		n_digits += isdigit((unsigned char)text[n]) != 0;
	return text[n] == '\0' && n >= QUEUE_ID_MIN && n <= QUEUE_ID_MAX && n_digits > 0;
}

/* Behind "Reference:": white space, line ends and marks of quoting, as mail programs put them
 * there. */
static const char *skip_filling(const char *text)
{
	return text + strspn(text, " \t\r\n>|");
}

static void read_reference(const char *behind, struct bounce_text *out)
{
	const char *id = skip_filling(behind);
	char name[BOUNCE_NAME_MAX];
	size_t n = 0;

	while (isalnum((unsigned char)id[n]))
		n++;
	if (n >= sizeof(name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)n, id);
	if (bounce_is_queue_id(name))
		keep(out->queue_ids, &out->n_queue_ids, name, n);
}

static void read_message_id(const char *behind, struct bounce_text *out)
{
	const char *id = skip_filling(behind);
	const size_t n = strcspn(id, "> \t\r\n");

	if (id[0] == '<' && id[n] == '>')
		keep(out->message_ids, &out->n_message_ids, id, n + 1);
}

void bounce_text_read(const char *text, struct bounce_text *out)
{
	static const char reference[] = "Reference:", message_id[] = "Message-ID:";

	memset(out, 0, sizeof(*out));
	for (; *text != '\0'; text++) {
		if (strncasecmp(text, reference, sizeof(reference) - 1) == 0)
			read_reference(text + sizeof(reference) - 1, out);
		else if (strncasecmp(text, message_id, sizeof(message_id) - 1) == 0)
			read_message_id(text + sizeof(message_id) - 1, out);
	}
}
