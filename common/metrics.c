/* SPDX-License-Identifier: ISC */
#include "common/metrics.h"

#include <inttypes.h>

static const struct {
	int64_t us;
	const char *seconds; /* as label: the same text for ever, since it names the series */
} bounds[HISTOGRAM_BOUNDS] = {
	{50, "5e-05"},	  {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},	  {1000, "0.001"},
	{2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {50000, "0.05"},	  {100000, "0.1"},
	{500000, "0.5"},  {1000000, "1.0"}, {5000000, "5.0"}, {10000000, "10.0"},
};

void metrics_head(FILE *out, const char *name, enum metric_type type, const char *help)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};

	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

void metrics_sample(FILE *out, const char *name, const char *labels, int64_t value)
{
	if (labels[0] == '\0')
		fprintf(out, "%s %" PRId64 "\n", name, value);
	else
		fprintf(out, "%s{%s} %" PRId64 "\n", name, labels, value);
}

void metrics_single(FILE *out, const char *name, enum metric_type type, const char *help,
		    int64_t value)
{
	metrics_head(out, name, type, help);
	metrics_sample(out, name, "", value);
}

void histogram_add(struct histogram *h, int64_t duration_us)
{
	size_t i = 0;

	if (duration_us < 0)
		duration_us = 0;
	while (i < HISTOGRAM_BOUNDS && duration_us > bounds[i].us)
		i++;
	h->n[i]++;
	h->sum_us[i] += (uint64_t)duration_us;
}

int64_t histogram_bound_us(size_t i)
{
	return i < HISTOGRAM_BOUNDS ? bounds[i].us : INT64_MAX;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		h->n[i] += from->n[i];
		h->sum_us[i] += from->sum_us[i];
	}
}

void metrics_histogram(FILE *out, const char *name, const char *help, const struct histogram *h)
{
	uint64_t n = 0, sum_us = 0;

	metrics_head(out, name, METRIC_HISTOGRAM, help);
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		n += h->n[i];
		fprintf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, bounds[i].seconds, n);
	}
	n += h->n[HISTOGRAM_BOUNDS];
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		sum_us += h->sum_us[i];
	fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
	/* Not %f: its decimal point is the locale's. */
	fprintf(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n", name, sum_us / 1000000,
		sum_us % 1000000);
	fprintf(out, "%s_count %" PRIu64 "\n", name, n);
}
