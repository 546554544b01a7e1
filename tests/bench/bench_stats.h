/* SPDX-License-Identifier: ISC
 *
 * bench_stats.h: what the load generators share: a monotonic clock, a histogram of latencies,
 * options that are numbers, sockets, and what a server process has used of the machine.
 *
 * The histogram is log-linear: 64 buckets for each power of two of nanoseconds, so that a
 * percentile is right within 1.6 %, memory is fixed (32 KiB), and adding costs no allocation. One
 * thread a histogram; they are merged at the end.
 */
#ifndef PGPGATE_BENCH_STATS_H
#define PGPGATE_BENCH_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define STATS_SUB_BITS 6
#define STATS_BUCKETS (64 << STATS_SUB_BITS)

struct histogram {
	uint64_t n, sum_ns, max_ns;
	uint64_t bucket[STATS_BUCKETS];
};

int64_t stats_now_ns(void); /* CLOCK_MONOTONIC */
void histogram_add(struct histogram *h, int64_t ns);
void histogram_merge(struct histogram *into, const struct histogram *from);
double histogram_percentile_us(const struct histogram *h, double percent);
/* Writes `"NAME":{"n":..,"mean":..,"p50":..,"p90":..,"p99":..,"p999":..,"max":..}`, microseconds.
 */
void histogram_print_json(FILE *out, const char *name, const struct histogram *h);

/* A decimal number within [low, high], or a one-line error and exit 64. */
long stats_number(const char *option, const char *text, long low, long high);

/* Connects to "unix:/path", "local:/path" or "inet:port@host"; only loopback addresses are taken:
 * these programs load a server on purpose. Times out reads and writes after timeout_s. -1 with
 * errno. */
int stats_connect(const char *spec, int timeout_s);
/* Listens on the same. A stale unix socket is removed. -1 with errno. */
int stats_listen(const char *spec);

/* What process `pid` (0: none) has used: CPU seconds, peak and present resident set in KiB. */
struct usage {
	double cpu_s;
	long peak_kib, now_kib;
};
void usage_of(pid_t pid, struct usage *out);
double usage_own_cpu_s(void);

#endif
