/* SPDX-License-Identifier: ISC */
#include "scan/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/copy.h"

static void copy_reason(struct finding *f, const char *reason)
{
	copy_text(f->reason, sizeof(f->reason), reason);
}

void finding_set(struct finding *f, const char *reason, const char *format, ...)
{
	va_list args;

	if (finding_is_set(f))
		return;
	copy_reason(f, reason);
	va_start(args, format);
	vsnprintf(f->detail, sizeof(f->detail), format, args);
	va_end(args);
}
