/* SPDX-License-Identifier: ISC */
#include "cli/mail_judge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scan/message.h"

struct mail_judge {
	struct scan *scan;
	struct message *message;
	struct from_header header_from;
};

static void note_field(void *context, const char *name, size_t name_len, const char *value,
		       size_t value_len)
{
	struct mail_judge *m = context;

	if (name_len == 4 && strncasecmp(name, "From", 4) == 0)
		from_header_add(&m->header_from, value, value_len);
}

struct mail_judge *mail_judge_new(scan_observer *observer, void *context)
{
	struct mail_judge *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->scan = scan_new();
	if (m->scan != NULL)
		m->message = message_new(m->scan, note_field, m);
	if (m->message == NULL) {
		mail_judge_free(m);
		return NULL;
	}
	if (observer != NULL)
		scan_observe(m->scan, observer, context);
	return m;
}

void mail_judge_free(struct mail_judge *m)
{
	if (m == NULL)
		return;
	message_free(m->message);
	scan_free(m->scan);
	free(m);
}

void mail_judge_begin(struct mail_judge *m)
{
	scan_reset(m->scan);
	message_reset(m->message);
	memset(&m->header_from, 0, sizeof(m->header_from));
}

void mail_judge_feed(struct mail_judge *m, const unsigned char *bytes, size_t len)
{
	message_feed(m->message, bytes, len);
}

void mail_judge_finish(struct mail_judge *m, const struct acceptance *accept,
		       const struct judge_envelope *envelope, struct judgement *out)
{
	struct scan_facts facts;

	message_finish(m->message, &facts);
	judge(&facts, accept, envelope, out);
}

const struct from_header *mail_judge_header_from(const struct mail_judge *m)
{
	return &m->header_from;
}
