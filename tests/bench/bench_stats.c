/* SPDX-License-Identifier: ISC
 *
 * See bench_stats.h.
 */
#include "tests/bench/bench_stats.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

int64_t stats_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < (1u << STATS_SUB_BITS))
		return (unsigned)ns;
	shift = 63u - (unsigned)__builtin_clzll(ns) - STATS_SUB_BITS;
	return ((shift + 1) << STATS_SUB_BITS) + (unsigned)((ns >> shift) - (1u << STATS_SUB_BITS));
}

/* The middle of a bucket. */
static double value_of(unsigned bucket)
{
	unsigned shift = bucket >> STATS_SUB_BITS;
	uint64_t low = bucket & ((1u << STATS_SUB_BITS) - 1);

	if (shift == 0)
		return (double)low;
	low = (low + (1u << STATS_SUB_BITS)) << (shift - 1);
	return (double)low + (double)((uint64_t)1 << (shift - 1)) / 2;
}

void histogram_add(struct histogram *h, int64_t ns)
{
	uint64_t value = ns < 0 ? 0 : (uint64_t)ns;

	h->n++;
	h->sum_ns += value;
	if (value > h->max_ns)
		h->max_ns = value;
	h->bucket[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->n += from->n;
	into->sum_ns += from->sum_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
	for (unsigned i = 0; i < STATS_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}

double histogram_percentile_us(const struct histogram *h, double percent)
{
	uint64_t wanted = (uint64_t)((double)h->n * percent / 100.0), seen = 0;

	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		seen += h->bucket[i];
		if (h->bucket[i] > 0 && seen > wanted)
			return value_of(i) / 1000;
	}
	return (double)h->max_ns / 1000;
}

void histogram_print_json(FILE *out, const char *name, const struct histogram *h)
{
	fprintf(out, "\"%s\":{\"n\":%llu,\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,",
		name, (unsigned long long)h->n,
		h->n ? (double)h->sum_ns / (double)h->n / 1000 : 0.0,
		histogram_percentile_us(h, 50), histogram_percentile_us(h, 90),
		histogram_percentile_us(h, 99));
	fprintf(out, "\"p999\":%.1f,\"max\":%.1f}", histogram_percentile_us(h, 99.9),
		(double)h->max_ns / 1000);
}

long stats_number(const char *option, const char *text, long low, long high)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < low || value > high) {
		fprintf(stderr, "%s %s: not a number between %ld and %ld\n", option, text, low,
			high);
		exit(EX_USAGE);
	}
	return value;
}

union any_address {
	struct sockaddr sa;
	struct sockaddr_un un;
	struct sockaddr_in in;
};

/* Returns the length of the address, 0 if spec is none that we take. */
static socklen_t parse_spec(const char *spec, union any_address *out)
{
	const char *path = NULL;
	char *end;
	unsigned long port;

	memset(out, 0, sizeof(*out));
	if (strncmp(spec, "unix:", 5) == 0)
		path = spec + 5;
	else if (strncmp(spec, "local:", 6) == 0)
		path = spec + 6;
	if (path) {
		if (*path == '\0' || strlen(path) >= sizeof(out->un.sun_path))
			return 0;
		out->un.sun_family = AF_UNIX;
		strcpy(out->un.sun_path, path);
		return sizeof(out->un);
	}
	if (strncmp(spec, "inet:", 5) != 0)
		return 0;
	port = strtoul(spec + 5, &end, 10);
	if (*end != '@' || port == 0 || port > 65535)
		return 0;
	out->in.sin_family = AF_INET;
	out->in.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, end + 1, &out->in.sin_addr) != 1)
		return 0;
	return (ntohl(out->in.sin_addr.s_addr) >> 24) == 127 ? sizeof(out->in) : 0;
}

int stats_connect(const char *spec, int timeout_s)
{
	union any_address address;
	socklen_t len = parse_spec(spec, &address);
	struct timeval t = {.tv_sec = timeout_s};
	int fd, one = 1, e;

	if (len == 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	if (address.sa.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, &address.sa, len) == 0)
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

int stats_listen(const char *spec)
{
	union any_address address;
	socklen_t len = parse_spec(spec, &address);
	int fd, one = 1, e;

	if (len == 0) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (address.sa.sa_family == AF_UNIX)
		unlink(address.un.sun_path);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &address.sa, len) == 0 && listen(fd, 511) == 0)
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

void usage_of(pid_t pid, struct usage *out)
{
	char path[64], line[1024];
	unsigned long user = 0, system = 0;
	FILE *f;

	memset(out, 0, sizeof(*out));
	if (pid <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	if (f) {
		char *p = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;

		if (p && sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				&user, &system) == 2)
			out->cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
		fclose(f);
	}
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "VmHWM: %ld", &out->peak_kib);
		sscanf(line, "VmRSS: %ld", &out->now_kib);
	}
	fclose(f);
}

double usage_own_cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
