/* SPDX-License-Identifier: ISC
 *
 * etpan.c: what libetpan (MailCore: Airmail, Canary, Spark) would show of a message; see talk.h.
 */
#include <libetpan/libetpan.h>

#include "talk.h"

static void show(struct mailmime *mime)
{
	struct mailmime_data *data;
	char *decoded = NULL;
	size_t at = 0, len = 0;

	if (!mime)
		return;
	switch (mime->mm_type) {
	case MAILMIME_MULTIPLE:
		for (clistiter *i = clist_begin(mime->mm_data.mm_multipart.mm_mp_list); i;
		     i = clist_next(i))
			show((struct mailmime *)clist_content(i));
		return;
	case MAILMIME_MESSAGE:
		if (mime->mm_parent) /* an embedded message's header is shown, too */
			talk_leaf("message/rfc822", mime->mm_mime_start, mime->mm_length);
		show(mime->mm_data.mm_message.mm_msg_mime);
		return;
	default:
		break;
	}
	data = mime->mm_data.mm_single;
	if (!data || data->dt_type != MAILMIME_DATA_TEXT)
		return;
	if (mailmime_part_parse(data->dt_data.dt_text.dt_data, data->dt_data.dt_text.dt_length, &at,
				data->dt_encoding, &decoded, &len) != MAILIMF_NO_ERROR)
		return;
	char type[256];
	struct mailmime_content *kind = mime->mm_content_type;
	const char *top = "text";
	if (kind && kind->ct_type && kind->ct_type->tp_type == MAILMIME_TYPE_DISCRETE_TYPE) {
		static const char *const names[] = {
			[MAILMIME_DISCRETE_TYPE_TEXT] = "text",
			[MAILMIME_DISCRETE_TYPE_IMAGE] = "image",
			[MAILMIME_DISCRETE_TYPE_APPLICATION] = "application"};
		unsigned discrete = (unsigned)kind->ct_type->tp_data.tp_discrete_type->dt_type;
		if (discrete < sizeof names / sizeof *names && names[discrete])
			top = names[discrete];
	}
	snprintf(type, sizeof type, "%s/%s", top,
		 kind && kind->ct_subtype ? kind->ct_subtype : "plain");
	talk_leaf(type, decoded, len);
	const char *charset = mime->mm_content_type
				      ? mailmime_content_charset_get(mime->mm_content_type)
				      : NULL;
	char *converted = NULL;
	if (charset &&
	    charconv("utf-8", charset, decoded, len, &converted) == MAIL_CHARCONV_NO_ERROR) {
		talk_leaf(type, converted, strlen(converted));
		free(converted);
	}
	mmap_string_unref(decoded);
}

int main(void)
{
	while (talk_next()) {
		struct mailmime *mime = NULL;
		size_t at = 0;
		if (mailmime_parse(talk_message, talk_len, &at, &mime) == MAILIMF_NO_ERROR &&
		    mime) {
			show(mime);
			mailmime_free(mime);
		}
		talk_answer();
	}
	return 0;
}
