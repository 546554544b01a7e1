/* SPDX-License-Identifier: ISC */
#include "filter/milter_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "filter/transaction.h"

#define REPLY_LINE_MAX (OUTCOME_LINE_MAX * 2) /* every % doubled; cut to what libmilter takes */
#define LIBMILTER_LINE_MAX 980

static struct log_limit no_reply;

void milter_complain(struct log_limit *l, const char *format, ...)
{
	char text[200];
	va_list arguments;
	unsigned n = 0;

	if (!log_limit_allows(l, clock_monotonic_ms(), &n))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_error("%s (%u more times)", text, n);
}

/* 0, or -1: libmilter has no memory for it. */
static int set_reply(SMFICTX *ctx, const struct outcome *o)
{
	char(*text)[REPLY_LINE_MAX] = calloc(OUTCOME_LINES_MAX, sizeof *text);
	char *line[OUTCOME_LINES_MAX] = {NULL};
	int result = -1;

	for (size_t i = 0; text != NULL && i < o->n_lines; i++) {
		size_t n = 0;

		for (const char *p = o->line[i]; *p != '\0' && n + 2 < LIBMILTER_LINE_MAX; p++) {
			if (*p == '%')
				text[i][n++] = '%';
			text[i][n++] = *p;
		}
		line[i] = text[i];
	}
	if (text != NULL &&
	    smfi_setmlreply(ctx, (char *)o->code, (char *)o->enhanced, line[0], line[1], line[2],
			    line[3], line[4], line[5], line[6], line[7], line[8], line[9], line[10],
			    line[11], line[12], line[13], line[14], line[15], line[16], line[17],
			    line[18], line[19], line[20], line[21], line[22], line[23],
			    NULL) == MI_SUCCESS)
		result = 0;
	else
		milter_complain(&no_reply, "libmilter did not take the reply %s %s: 451", o->code,
				o->enhanced);
	free(text);
	return result;
}

sfsistat milter_status(const struct outcome *o)
{
	return o->code[0] == '5'   ? SMFIS_REJECT
	       : o->code[0] == '4' ? SMFIS_TEMPFAIL
				   : SMFIS_CONTINUE;
}

sfsistat milter_reply(SMFICTX *ctx, const struct outcome *o)
{
	return set_reply(ctx, o) == 0 ? milter_status(o) : SMFIS_TEMPFAIL;
}

_Static_assert(OUTCOME_LINES_MAX == 24, "milter_reply() names each line");

sfsistat milter_tempfail(SMFICTX *ctx)
{
	struct outcome out;

	outcome_tempfail(&out);
	return milter_reply(ctx, &out);
}

/* Deletes forged fields, last first, because the MTA renumbers; then adds ours. 0 or -1. */
static int change_headers(SMFICTX *ctx, const char *value, unsigned n_forged)
{
	char with_space[256];

	for (unsigned i = n_forged; i > 0; i--) {
		if (smfi_chgheader(ctx, TRANSACTION_HEADER, (int)i, NULL) != MI_SUCCESS)
			return -1;
	}
	if (value == NULL)
		return 0;
	/* With LEADSPC the MTA adds no space of its own. */
	snprintf(with_space, sizeof with_space, " %s", value);
	return smfi_addheader(ctx, TRANSACTION_HEADER, with_space) == MI_SUCCESS ? 0 : -1;
}

int milter_hand_over(void *context, const struct outcome *out, const char *header_value,
		     unsigned n_forged)
{
	SMFICTX *ctx = context;

	if (milter_status(out) != SMFIS_CONTINUE)
		return set_reply(ctx, out);
	if (change_headers(ctx, header_value, n_forged) == 0 &&
	    (out->action != ACTION_QUARANTINE ||
	     smfi_quarantine(ctx, (char *)(out->n_lines > 0 ? out->line[0] : TRANSACTION_HEADER)) ==
		     MI_SUCCESS))
		return 0;
	milter_complain(&no_reply, "libmilter did not take a header change or the quarantine: 451");
	return -1;
}
