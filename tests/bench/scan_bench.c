/* SPDX-License-Identifier: ISC
 *
 * scan_bench: the scanner alone, on one core, against memchr over the same bytes.
 *
 *   scan_bench -f MESSAGE [-b CHUNK_BYTES] [-r ROUNDS] [-M MIN_MS] [-x encrypted|...]
 *
 * A round feeds MESSAGE to the scanner as the filter would (fields, then the body in chunks) as
 * often as fills MIN_MS milliseconds, then lets memchr look for a byte that is not there, as often
 * as fills the same; so rounds of both alternate and noise hits both. Time is the thread's
 * processor time. -x: the verdict that the message must get, so that what is measured is what is
 * meant.
 *
 * Output: one JSON object: bytes per second of both, and their ratio, a value a round.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "scan/judge.h"
#include "scan/scan.h"
#include "tests/bench/bench_mail.h"
#include "tests/bench/bench_stats.h"

#define ROUNDS_MAX 1000

static size_t chunk_bytes = 65535; /* as libmilter gives them */
static volatile size_t sink;	   /* so that memchr is not optimised away */

static int64_t cpu_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void run_scan(struct scan *s, const struct mail *m, struct scan_facts *facts)
{
	scan_reset(s);
	for (size_t i = 0; i < m->n_fields; i++)
		scan_header(s, (const unsigned char *)m->field[i].name, strlen(m->field[i].name),
			    (const unsigned char *)m->field[i].value, strlen(m->field[i].value));
	scan_end_of_header(s);
	for (size_t at = 0; at < m->body_len; at += chunk_bytes) {
		size_t left = m->body_len - at;

		scan_body(s, m->body + at, left < chunk_bytes ? left : chunk_bytes);
	}
	scan_finish(s, facts);
}

static void run_memchr(const struct mail *m)
{
	for (size_t at = 0; at < m->body_len; at += chunk_bytes) {
		size_t left = m->body_len - at;

		sink += memchr(m->body + at, 0, left < chunk_bytes ? left : chunk_bytes) != NULL;
	}
}

/* Bytes a second of one round. */
static double rate(struct scan *s, const struct mail *m, int64_t min_ns)
{
	struct scan_facts facts;
	int64_t begin_ns = cpu_now_ns(), now_ns;
	double n = 0;

	do {
		/* memchr is fast: look at the clock less often than it runs. */
		for (int i = 0; i < (s ? 1 : 8); i++, n++) {
			if (s)
				run_scan(s, m, &facts);
			else
				run_memchr(m);
		}
		now_ns = cpu_now_ns();
	} while (now_ns - begin_ns < min_ns);
	return n * (double)m->body_len * 1e9 / (double)(now_ns - begin_ns);
}

static const char *verdict_of(struct scan *s, const struct mail *m)
{
	static struct judgement j;
	const struct acceptance accept = {.forms = ~0u};
	const struct judge_envelope envelope = {false, false};
	struct scan_facts facts;

	run_scan(s, m, &facts);
	judge(&facts, &accept, &envelope, &j);
	return verdict_name(j.verdict);
}

static void print_values(const char *name, const double *value, int n, double unit)
{
	printf("\"%s\":[", name);
	for (int i = 0; i < n; i++)
		printf("%s%.4f", i ? "," : "", value[i] / unit);
	printf("]");
}

int main(int argc, char **argv)
{
	static double scan_rate[ROUNDS_MAX], memchr_rate[ROUNDS_MAX], ratio[ROUNDS_MAX];
	const char *file = NULL, *expected = NULL, *verdict;
	int rounds = 10, min_ms = 200, c;
	struct mail *m;
	struct scan *s;

	while ((c = getopt(argc, argv, "f:b:r:M:x:")) != -1) {
		if (c == 'f')
			file = optarg;
		else if (c == 'b')
			chunk_bytes = (size_t)stats_number("-b", optarg, 1, 1 << 30);
		else if (c == 'r')
			rounds = (int)stats_number("-r", optarg, 1, ROUNDS_MAX);
		else if (c == 'M')
			min_ms = (int)stats_number("-M", optarg, 1, 60000);
		else if (c == 'x')
			expected = optarg;
		else
			file = NULL, optind = argc + 1;
	}
	if (!file || optind != argc)
		errx(EX_USAGE, "usage: scan_bench -f MESSAGE [-b CHUNK_BYTES] [-r ROUNDS] [-M "
			       "MIN_MS] [-x VERDICT]");
	m = mail_load(file);
	s = scan_new();
	if (!s)
		err(EX_OSERR, "memory");
	verdict = verdict_of(s, m);
	if (expected && strcmp(verdict, expected) != 0)
		errx(EX_DATAERR, "%s: verdict is %s, not %s", file, verdict, expected);
	for (int i = 0; i < rounds; i++) {
		scan_rate[i] = rate(s, m, (int64_t)min_ms * 1000000);
		memchr_rate[i] = rate(NULL, m, (int64_t)min_ms * 1000000);
		ratio[i] = scan_rate[i] / memchr_rate[i];
	}
	printf("{\"verdict\":\"%s\",\"body_bytes\":%zu,\"chunk_bytes\":%zu,", verdict, m->body_len,
	       chunk_bytes);
	print_values("scan_gb_per_s", scan_rate, rounds, 1e9);
	printf(",");
	print_values("memchr_gb_per_s", memchr_rate, rounds, 1e9);
	printf(",");
	print_values("ratio", ratio, rounds, 1);
	printf("}\n");
	scan_free(s);
	mail_free(m);
	return 0;
}
