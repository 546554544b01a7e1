/* SPDX-License-Identifier: ISC
 *
 * running.h: libmilter's callbacks under way. smfi_main() returns while some still run, and workers
 * may begin new ones after that: so they are counted.
 *
 * One a process. Any thread.
 */
#ifndef PGPGATE_FILTER_RUNNING_H
#define PGPGATE_FILTER_RUNNING_H

#include <stdbool.h>

/* False: the filter stops, and the callback must do nothing. */
bool running_begin(void);

/* Of one that was allowed to begin. Leaves errno 0, so that the thread's next callback sees whether
 * libmilter was out of memory since. */
void running_end(void);

/* After milter_run(): lets no new callback begin and waits for those under way, at most timeout_ms.
 * True: none runs any more, and what milter_listen() was given may be freed. */
bool running_drain(int timeout_ms);

#endif
