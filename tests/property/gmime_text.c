/* SPDX-License-Identifier: ISC
 *
 * gmime_text.c: what GMime would show of a message: an independent reader for the canary property.
 * Reads messages as judge_lines does; answers each with a length (four octets) and the text: every
 * leaf, decoded, and once more converted from its charset if it has one; the header of every
 * embedded message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

static GByteArray *text;

/* Each leaf begins with NUL, its type and a line end. */
static void add_leaf(const char *type, const void *bytes, size_t len)
{
	g_byte_array_append(text, (const guint8 *)"", 1);
	g_byte_array_append(text, (const guint8 *)type, (guint)strlen(type));
	g_byte_array_append(text, (const guint8 *)"\n", 1);
	g_byte_array_append(text, bytes, (guint)len);
	g_byte_array_append(text, (const guint8 *)"\n", 1);
}

static void add_part(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	if (!content)
		return;
	GMimeStream *mem = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(content, mem);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
	char *type = g_mime_content_type_get_mime_type(
		g_mime_object_get_content_type(GMIME_OBJECT(part)));
	add_leaf(type, bytes->data, bytes->len);
	g_free(type);
	g_object_unref(mem);
	if (!GMIME_IS_TEXT_PART(part))
		return;
	char *converted = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
	if (converted) {
		add_leaf("text/plain", converted, strlen(converted));
		g_free(converted);
	}
}

static void add(GMimeObject *parent, GMimeObject *object, gpointer context)
{
	(void)parent;
	(void)context;
	if (GMIME_IS_PART(object)) {
		add_part(GMIME_PART(object));
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		if (!inner)
			return;
		char *headers = g_mime_object_get_headers(GMIME_OBJECT(inner), NULL);
		if (headers)
			add_leaf("message/rfc822", headers, strlen(headers));
		g_free(headers);
		g_mime_message_foreach(inner, add, NULL);
	}
}

static void show(const unsigned char *bytes, size_t len)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)bytes, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message) {
		g_mime_message_foreach(message, add, NULL);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

int main(void)
{
	unsigned char head[4];
	unsigned char *buffer = NULL;

	g_mime_init();
	while (fread(head, 1, 4, stdin) == 4) {
		size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 |
			     head[3];
		buffer = realloc(buffer, len + 1);
		if (!buffer || fread(buffer, 1, len, stdin) != len)
			break;
		text = g_byte_array_new();
		show(buffer, len);
		guint32 size = GUINT32_TO_BE(text->len);
		fwrite(&size, 4, 1, stdout);
		fwrite(text->data, 1, text->len, stdout);
		fflush(stdout);
		g_byte_array_free(text, TRUE);
	}
	free(buffer);
	return 0;
}
