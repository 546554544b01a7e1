/* SPDX-License-Identifier: ISC */
#include "common/complain.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

int complain_about(const char *text, const char *what, char *err, size_t err_size)
{
	char shown[140];

	log_escape(shown, sizeof(shown), text, strlen(text));
	snprintf(err, err_size, "\"%s\" %s", shown, what);
	return -1;
}
