/* SPDX-License-Identifier: ISC
 *
 * camel.c: what Camel (Evolution) would show of a message; see talk.h.
 */
#include <camel/camel.h>

#include "talk.h"

static void show(CamelMimePart *part)
{
	CamelDataWrapper *content = camel_medium_get_content(CAMEL_MEDIUM(part));
	CamelStream *mem;
	GByteArray *bytes;

	if (!content)
		return;
	if (CAMEL_IS_MULTIPART(content)) {
		guint n = camel_multipart_get_number(CAMEL_MULTIPART(content));
		for (guint i = 0; i < n; i++)
			show(camel_multipart_get_part(CAMEL_MULTIPART(content), i));
		return;
	}
	char *type = camel_content_type_simple(camel_data_wrapper_get_mime_type_field(content));
	mem = camel_stream_mem_new();
	if (CAMEL_IS_MIME_MESSAGE(content)) {
		camel_data_wrapper_write_to_stream_sync(content, mem, NULL, NULL);
		show(CAMEL_MIME_PART(content));
	} else {
		camel_data_wrapper_decode_to_stream_sync(content, mem, NULL, NULL);
	}
	bytes = camel_stream_mem_get_byte_array(CAMEL_STREAM_MEM(mem));
	talk_leaf(type, bytes->data, bytes->len);
	const char *charset = camel_content_type_param(
		camel_data_wrapper_get_mime_type_field(content), "charset");
	if (charset && bytes->len) {
		gsize len = 0;
		char *converted = g_convert_with_fallback(
			(const char *)bytes->data, bytes->len, "UTF-8",
			camel_iconv_charset_name(charset), "?", NULL, &len, NULL);
		if (converted)
			talk_leaf(type, converted, len);
		g_free(converted);
	}
	g_object_unref(mem);
	g_free(type);
}

int main(void)
{
	camel_init(NULL, FALSE);
	while (talk_next()) {
		CamelStream *mem = camel_stream_mem_new_with_buffer(talk_message, talk_len);
		CamelMimeMessage *message = camel_mime_message_new();
		if (camel_data_wrapper_construct_from_stream_sync(CAMEL_DATA_WRAPPER(message), mem,
								  NULL, NULL))
			show(CAMEL_MIME_PART(message));
		g_object_unref(message);
		g_object_unref(mem);
		talk_answer();
	}
	return 0;
}
