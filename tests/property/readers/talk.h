/* SPDX-License-Identifier: ISC
 *
 * talk.h: what the readers written in C share: they read a length (four octets, most significant
 * first) and so many octets of a message, again and again, and answer each with a length and the
 * text that they would show. Each leaf of it begins with NUL, its type and a line end. For one
 * thread; without memory it exits.
 */
#ifndef TALK_H
#define TALK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *talk_message; /* the message at hand; a NUL follows it */
static size_t talk_len;

static char *talk_text;
static size_t talk_text_len, talk_text_room;

static inline void *talk_room(void *old, size_t bytes)
{
	void *p = realloc(old, bytes);
	if (!p)
		exit(EXIT_FAILURE);
	return p;
}

/* True when there is another message. */
static inline int talk_next(void)
{
	unsigned char head[4];

	talk_text_len = 0;
	if (fread(head, 1, 4, stdin) != 4)
		return 0;
	talk_len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	talk_message = (char *)talk_room(talk_message, talk_len + 1);
	talk_message[talk_len] = 0;
	return fread(talk_message, 1, talk_len, stdin) == talk_len;
}

static inline void talk_add(const void *bytes, size_t len)
{
	if (talk_text_len + len > talk_text_room) {
		talk_text_room = (talk_text_len + len) * 2;
		talk_text = (char *)talk_room(talk_text, talk_text_room);
	}
	if (len)
		memcpy(talk_text + talk_text_len, bytes, len);
	talk_text_len += len;
}

/* One leaf; type may be NULL. */
static inline void talk_leaf(const char *type, const void *bytes, size_t len)
{
	if (!type)
		type = "text/plain";
	talk_add("\0", 1);
	talk_add(type, strlen(type));
	talk_add("\n", 1);
	talk_add(bytes, len);
	talk_add("\n", 1);
}

static inline void talk_answer(void)
{
	unsigned char head[4] = {(unsigned char)(talk_text_len >> 24),
				 (unsigned char)(talk_text_len >> 16),
				 (unsigned char)(talk_text_len >> 8), (unsigned char)talk_text_len};

	fwrite(head, 1, 4, stdout);
	fwrite(talk_text, 1, talk_text_len, stdout);
	fflush(stdout);
}

#endif
