/* SPDX-License-Identifier: ISC
 *
 * bench_load.h: what loading a server is made of, whatever it speaks: threads that begin together,
 * share a number of messages or requests, and stop in time; and what the server's process used
 * meanwhile.
 */
#ifndef PGPGATE_BENCH_LOAD_H
#define PGPGATE_BENCH_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/bench_stats.h"

struct load {
	/* options */
	const char *socket;
	int connections;
	int per_connection; /* messages or requests; 0: no end, where that is allowed */
	int seconds;
	int timeout_s;
	long n;
	pid_t pid; /* of the server; 0: not known */
	/* private */
	pthread_barrier_t start_line;
	atomic_long next;
	int64_t begin_ns, deadline_ns;
	struct usage before, after;
};

#define LOAD_OPTIONS "s:c:n:m:t:p:W:"

/* Takes option c of LOAD_OPTIONS; false if it is another. Misuse ends the program. */
bool load_option(struct load *l, int c, const char *argument);

/* Runs work(worker) in one thread a connection, worker being the next of worker_bytes each; returns
 * when all have ended. Each calls load_start() first, then load_take() for each message; false: no
 * more. */
void load_run(struct load *l, size_t stack_bytes, void *(*work)(void *worker), void *workers,
	      size_t worker_bytes);
void load_start(struct load *l);
bool load_take(struct load *l, long *serial);

/* From the begin to the last answer: seconds, more than 0. */
double load_elapsed_s(const struct load *l, int64_t last_answer_ns);

/* Writes `"load_cpu_s":..,"server_cpu_s":..,"server_peak_kib":..,"server_now_kib":..`. */
void load_print_usage(const struct load *l);

#endif
