/* SPDX-License-Identifier: ISC */
#include "scan/report.h"

#include <string.h>

#include "scan/text.h"

#define REPORT_LINE_MAX 998 /* RFC 5322 section 2.1.1 */

void report_reset(struct report *r)
{
	memset(r, 0, sizeof(*r));
}

void report_line(struct report *r, const unsigned char *line, size_t len)
{
	const unsigned char *colon;
	size_t name_len;

	len = text_trimmed(line, len);
	if (len == 0) {
		r->has_field = false;
		return;
	}
	if (text_is_blank(line[0])) {
		r->is_malformed |= !r->has_field;
		return;
	}
	colon = memchr(line, ':', len);
	name_len = colon ? (size_t)(colon - line) : 0;
	if (name_len == 0 || len > REPORT_LINE_MAX) {
		r->is_malformed = true;
		return;
	}
	for (size_t i = 0; i < name_len; i++)
		if (line[i] <= ' ' || line[i] >= 0x7f)
			r->is_malformed = true;
	r->has_field = true;
	r->has_recipient |= text_is(line, name_len, "Final-Recipient") ||
			    text_is(line, name_len, "Original-Recipient");
	r->has_action |= text_is(line, name_len, "Action");
	r->has_status |= text_is(line, name_len, "Status");
	r->has_disposition |= text_is(line, name_len, "Disposition");
}

bool report_is_well_formed(const struct report *r, enum report_kind kind)
{
	if (r->is_malformed)
		return false;
	switch (kind) {
	case REPORT_DELIVERY_STATUS: /* RFC 3464 section 2.3: all three are required */
		return r->has_recipient && r->has_action && r->has_status;
	case REPORT_DISPOSITION: /* RFC 8098 section 3.1 */
		return r->has_recipient && r->has_disposition;
	case REPORT_NONE:
		break;
	}
	return false;
}
