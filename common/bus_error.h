/* SPDX-License-Identifier: ISC
 *
 * bus_error.h: the engine maps the index of the write-ahead log into memory, and whoever cuts that
 * file short ends every program that reads it next with SIGBUS. This makes of it a line in the log
 * and exit code EX_IOERR: a service is started again, the index is made anew, and what was not
 * answered comes again. Messages that are on record in the journal stay there.
 */
#ifndef PGPGATE_COMMON_BUS_ERROR_H
#define PGPGATE_COMMON_BUS_ERROR_H

#include <stdbool.h>

/* Before there are threads. ident is borrowed for the life of the process; with to_syslog the line
 * goes to /dev/log, too. */
void bus_error_catch(const char *ident, bool to_syslog);

#endif
