/* SPDX-License-Identifier: ISC */
#include "tests/bench/bench_load.h"

#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>

#define CONNECTIONS_MAX 2000

bool load_option(struct load *l, int c, const char *argument)
{
	switch (c) {
	case 's':
		l->socket = argument;
		return true;
	case 'c':
		l->connections = (int)stats_number("-c", argument, 1, CONNECTIONS_MAX);
		return true;
	case 'n':
		l->n = stats_number("-n", argument, 1, 100000000);
		return true;
	case 'm':
		l->per_connection = (int)stats_number("-m", argument, 0, 100000000);
		return true;
	case 't':
		l->seconds = (int)stats_number("-t", argument, 1, 3600);
		return true;
	case 'p':
		l->pid = (pid_t)stats_number("-p", argument, 1, 1 << 30);
		return true;
	case 'W':
		l->timeout_s = (int)stats_number("-W", argument, 1, 3600);
		return true;
	}
	return false;
}

void load_run(struct load *l, size_t stack_bytes, void *(*work)(void *worker), void *workers,
	      size_t worker_bytes)
{
	pthread_t *thread = calloc((size_t)l->connections, sizeof(*thread));
	pthread_attr_t attributes;

	if (!thread)
		err(EX_OSERR, "memory");
	signal(SIGPIPE, SIG_IGN);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, stack_bytes);
	pthread_barrier_init(&l->start_line, NULL, (unsigned)l->connections + 1);
	for (int i = 0; i < l->connections; i++)
		if (pthread_create(&thread[i], &attributes, work,
				   (unsigned char *)workers + (size_t)i * worker_bytes) != 0)
			errx(EX_OSERR, "no more threads");
	usage_of(l->pid, &l->before);
	l->begin_ns = stats_now_ns();
	l->deadline_ns = l->begin_ns + (int64_t)l->seconds * 1000000000;
	pthread_barrier_wait(&l->start_line);
	for (int i = 0; i < l->connections; i++)
		pthread_join(thread[i], NULL);
	usage_of(l->pid, &l->after);
	free(thread);
}

void load_start(struct load *l)
{
	pthread_barrier_wait(&l->start_line);
}

bool load_take(struct load *l, long *serial)
{
	*serial = atomic_fetch_add(&l->next, 1);
	return *serial < l->n && stats_now_ns() < l->deadline_ns;
}

double load_elapsed_s(const struct load *l, int64_t last_answer_ns)
{
	return (double)(last_answer_ns > l->begin_ns ? last_answer_ns - l->begin_ns : 1) / 1e9;
}

void load_print_usage(const struct load *l)
{
	printf("\"load_cpu_s\":%.3f,\"server_cpu_s\":%.3f,\"server_peak_kib\":%ld,\"server_now_"
	       "kib\":%ld",
	       usage_own_cpu_s(), l->after.cpu_s - l->before.cpu_s, l->after.peak_kib,
	       l->after.now_kib);
}
