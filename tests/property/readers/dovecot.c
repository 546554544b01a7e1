/* SPDX-License-Identifier: ISC
 *
 * dovecot.c: what Dovecot's library (search, previews, doveadm's text) reads in a message; see
 * talk.h.
 */
#include <lib.h>
#include <istream.h>
#include <message-decoder.h>
#include <message-parser.h>

#include <stdbool.h>

#include "talk.h"

static void show(void)
{
	struct message_parser_settings set = {.flags = 0};
	struct istream *input = i_stream_create_from_data(talk_message, talk_len);
	pool_t pool = pool_alloconly_create("parts", 4096);
	struct message_parser_ctx *parser = message_parser_init(pool, input, &set);
	struct message_decoder_context *decoder = message_decoder_init(
		NULL, MESSAGE_DECODER_FLAG_RETURN_BINARY);
	struct message_block raw, decoded;
	struct message_part *parts, *last = NULL;
	bool is_embedded = false;

	while (message_parser_parse_next_block(parser, &raw) > 0) {
		if (!message_decoder_decode_next_block(decoder, &raw, &decoded))
			continue;
		if (decoded.hdr) {
			is_embedded = decoded.part->parent &&
				      decoded.part->parent->flags &
					      MESSAGE_PART_FLAG_MESSAGE_RFC822;
			if (is_embedded)
				talk_leaf("message/rfc822", decoded.hdr->full_value,
					  decoded.hdr->full_value_len);
		} else if (decoded.size > 0) {
			if (last != decoded.part) {
				const char *type = message_decoder_current_content_type(decoder);
				talk_leaf(type, "", 0);
				last = decoded.part;
			}
			talk_add(decoded.data, decoded.size);
		}
	}
	message_decoder_deinit(&decoder);
	message_parser_deinit(&parser, &parts);
	pool_unref(&pool);
	i_stream_unref(&input);
}

int main(void)
{
	lib_init();
	while (talk_next()) {
		T_BEGIN
		{
			show();
		}
		T_END;
		talk_answer();
	}
	lib_deinit();
	return 0;
}
