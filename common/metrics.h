/* SPDX-License-Identifier: ISC
 *
 * metrics.h: Prometheus' text exposition format 0.0.4, as node_exporter's textfile collector and
 * Prometheus itself read it: HELP and TYPE before the samples of a metric, base units (seconds,
 * bytes), counters end in _total. Names and labels are ours and need no escaping; nothing from a
 * message may become one.
 *
 * Histograms count durations. A struct histogram belongs to one thread.
 */
#ifndef PGPGATE_COMMON_METRICS_H
#define PGPGATE_COMMON_METRICS_H

#include <stdint.h>
#include <stdio.h>

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* The two lines before the samples of a metric. */
void metrics_head(FILE *out, const char *name, enum metric_type type, const char *help);
/* One sample. labels: "" or what stands between the braces, `verdict="encrypted"`. */
void metrics_sample(FILE *out, const char *name, const char *labels, int64_t value);
/* Head and the only sample. */
void metrics_single(FILE *out, const char *name, enum metric_type type, const char *help,
		    int64_t value);

/* Upper bounds from 50 microseconds to 10 seconds, the longest that anybody waits for us. */
#define HISTOGRAM_BOUNDS 14

struct histogram {
	uint64_t n[HISTOGRAM_BOUNDS + 1];      /* the last: beyond all bounds */
	uint64_t sum_us[HISTOGRAM_BOUNDS + 1]; /* of these */
};

void histogram_add(struct histogram *h, int64_t duration_us);
/* Upper bound, inclusive, of n[i], in microseconds; INT64_MAX for the last. */
int64_t histogram_bound_us(size_t i);
/* Adds all of from to h. */
void histogram_merge(struct histogram *h, const struct histogram *from);
void metrics_histogram(FILE *out, const char *name, const char *help, const struct histogram *h);

#endif
