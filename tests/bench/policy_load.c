/* SPDX-License-Identifier: ISC
 *
 * policy_load: loads a policy server as the smtpd processes of a Postfix 3.7 do: one request in
 * flight a connection, the full set of attributes in Postfix's order, persistent connections.
 *
 *   policy_load -s SOCKET [-c CONNECTIONS] [-n REQUESTS] [-m PER_CONNECTION] [-t SECONDS] [-r
 * RECIPIENTS]
 *               [-F FORMAT] [-R POOL] [-S SEED] [-x ACTION] [-p PID] [-W TIMEOUT_S] [-k SECONDS]
 *
 * CONNECTIONS threads share REQUESTS requests (or as many as SECONDS allow). PER_CONNECTION 0: a
 * connection is never closed. RECIPIENTS requests belong to one message (one instance). Recipients
 * are FORMAT with its one
 * "%d" replaced by a number below POOL, scattered, so that a server with many rules meets many of
 * them. -x: every action must begin so. -k: afterwards keep the connections open so long (to look
 * at memory).
 *
 * Output: one JSON object. Exit 0; 1 when a request got no answer or another than -x says; 64
 * misuse. Only unix sockets and 127.0.0.1.
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/bench/bench_load.h"
#include "tests/bench/bench_stats.h"

#define STACK_BYTES (256 * 1024)
#define ACTIONS_MAX 8 /* different actions that are counted by name */
#define ANSWER_MAX 1024

static struct {
	const char *format_head, *format_tail, *expected;
	int recipients, keep_s;
	long pool, seed;
} option = {.format_head = "user", .format_tail = "@example.org", .recipients = 1, .pool = 1000};

static struct load load = {.connections = 1, .seconds = 60, .timeout_s = 100, .n = 1000};

struct action_count {
	char name[32];
	uint64_t n;
};

struct worker {
	int fd;
	struct action_count action[ACTIONS_MAX];
	uint64_t n_broken, n_connections;
	int64_t last_answer_ns;
	struct histogram latency;
	char error[128];
};

/* The same number for the same serial in every run (splitmix64). */
static uint64_t scatter(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static size_t make_request(char *out, size_t size, long serial)
{
	unsigned long message = (unsigned long)(serial / option.recipients);
	unsigned long number = (unsigned long)(scatter((uint64_t)(serial + option.seed)) %
					       (uint64_t)option.pool);
	char queue_id[24] = "";

	if (serial % option.recipients > 0)
		snprintf(queue_id, sizeof(queue_id), "%010lX", message);
	return (size_t)snprintf(
		out, size,
		"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
		"client_address=192.0.2.%lu\nclient_name=client.bench.test\nclient_port=34804\n"
		"reverse_client_name=client.bench.test\nserver_address=127.0.0.1\nserver_port=25\n"
		"helo_name=client.bench.test\nsender=sender%lu@client%lu.test\n"
		"recipient=%s%lu%s\nrecipient_count=0\nqueue_id=%s\n"
		"instance=%lx.6b0299e1.%lx.0\nsize=20165\netrn_domain=\nstress=\nsasl_method=\n"
		"sasl_username=\nsasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\n"
		"ccert_pubkey_fingerprint=\nencryption_protocol=\nencryption_cipher=\n"
		"encryption_keysize=0\npolicy_context=\n\n",
		message % 251 + 1, message % 997, message % 101, option.format_head, number,
		option.format_tail, queue_id, (unsigned long)getpid(), message);
}

static void count_action(struct worker *w, const char *text)
{
	size_t len = strcspn(text, " \n");
	struct action_count *a = w->action;

	if (len >= sizeof(a->name))
		len = sizeof(a->name) - 1;
	while (a < w->action + ACTIONS_MAX - 1 && a->name[0] &&
	       (strncmp(a->name, text, len) != 0 || a->name[len] != '\0'))
		a++;
	if (!a->name[0])
		snprintf(a->name, sizeof(a->name), "%.*s", (int)len, text);
	a->n++;
}

static int fail(struct worker *w, const char *what)
{
	snprintf(w->error, sizeof(w->error), "%s: %s", what,
		 errno ? strerror(errno) : "unexpected answer");
	w->n_broken++;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	return -1;
}

/* One request and its answer, which ends with an empty line. */
static int ask(struct worker *w, const char *request, size_t len)
{
	char answer[ANSWER_MAX];
	size_t have = 0;
	ssize_t n;

	errno = 0;
	while (len > 0) {
		n = write(w->fd, request, len);
		if (n <= 0)
			return fail(w, "write");
		request += n;
		len -= (size_t)n;
	}
	do {
		n = read(w->fd, answer + have, sizeof(answer) - 1 - have);
		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			return fail(w, "read");
		have += (size_t)n;
	} while (have < sizeof(answer) - 1 &&
		 (have < 2 || memcmp(answer + have - 2, "\n\n", 2) != 0));
	answer[have] = '\0';
	errno = 0;
	if (strncmp(answer, "action=", 7) != 0)
		return fail(w, "answer");
	count_action(w, answer + 7);
	return 0;
}

static void *work(void *context)
{
	struct worker *w = context;
	char request[4096];
	long serial;
	int left = 0;

	w->fd = -1;
	load_start(&load);
	while (load_take(&load, &serial)) {
		int64_t begin_ns = stats_now_ns();
		size_t len = make_request(request, sizeof(request), serial);

		if (w->fd < 0) {
			w->fd = stats_connect(load.socket, load.timeout_s);
			w->n_connections++;
			left = load.per_connection;
			if (w->fd < 0) {
				fail(w, load.socket);
				break;
			}
		}
		if (ask(w, request, len) != 0)
			break;
		w->last_answer_ns = stats_now_ns();
		histogram_add(&w->latency, w->last_answer_ns - begin_ns);
		if (--left == 0) {
			close(w->fd);
			w->fd = -1;
		}
	}
	if (option.keep_s)
		sleep((unsigned)option.keep_s);
	if (w->fd >= 0)
		close(w->fd);
	return NULL;
}

static void usage(void)
{
	fprintf(stderr, "usage: policy_load -s SOCKET [-c CONNECTIONS] [-n REQUESTS] [-m "
			"PER_CONNECTION] [-t SECONDS]\n"
			"       [-r RECIPIENTS] [-F FORMAT] [-R POOL] [-S SEED] [-x ACTION] [-p "
			"PID] [-W TIMEOUT_S]\n"
			"       [-k SECONDS]\n");
	exit(EX_USAGE);
}

static void set_format(char *text)
{
	char *mark = strstr(text, "%d");

	if (!mark)
		errx(EX_USAGE, "-F %s: no %%d in it", text);
	*mark = '\0';
	option.format_head = text;
	option.format_tail = mark + 2;
}

static void read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, LOAD_OPTIONS "r:F:R:S:x:k:")) != -1) {
		switch (c) {
		case 'r':
			option.recipients = (int)stats_number("-r", optarg, 1, 1000);
			break;
		case 'F':
			set_format(optarg);
			break;
		case 'R':
			option.pool = stats_number("-R", optarg, 1, 1000000000);
			break;
		case 'S':
			option.seed = stats_number("-S", optarg, 0, 1000000000);
			break;
		case 'x':
			option.expected = optarg;
			break;
		case 'k':
			option.keep_s = (int)stats_number("-k", optarg, 0, 3600);
			break;
		default:
			if (!load_option(&load, c, optarg))
				usage();
		}
	}
	if (optind != argc || !load.socket)
		usage();
}

static void merge(struct worker *all, const struct worker *w)
{
	for (int i = 0; i < ACTIONS_MAX && w->action[i].name[0]; i++) {
		struct action_count *a = all->action;

		while (a < all->action + ACTIONS_MAX - 1 && a->name[0] &&
		       strcmp(a->name, w->action[i].name) != 0)
			a++;
		if (!a->name[0])
			*a = (struct action_count){0};
		memcpy(a->name, w->action[i].name, sizeof(a->name));
		a->n += w->action[i].n;
	}
	all->n_broken += w->n_broken;
	all->n_connections += w->n_connections;
	if (w->last_answer_ns > all->last_answer_ns)
		all->last_answer_ns = w->last_answer_ns;
	histogram_merge(&all->latency, &w->latency);
	if (w->error[0])
		warnx("%s", w->error);
}

/* Prints the report; returns how many answers were not the expected one. */
static uint64_t print_report(const struct worker *all)
{
	const double elapsed_s = load_elapsed_s(&load, all->last_answer_ns);
	uint64_t n_unexpected = 0;
	const char *comma = "";

	printf("{\"connections\":%d,\"requests\":%llu,\"elapsed_s\":%.4f,\"requests_per_s\":%.2f,"
	       "\"opened\":%llu,",
	       load.connections, (unsigned long long)all->latency.n, elapsed_s,
	       (double)all->latency.n / elapsed_s, (unsigned long long)all->n_connections);
	printf("\"broken\":%llu,\"actions\":{", (unsigned long long)all->n_broken);
	for (int i = 0; i < ACTIONS_MAX && all->action[i].name[0]; i++) {
		printf("%s\"", comma);
		for (const char *c = all->action[i].name; *c; c++)
			putchar(*c > ' ' && *c != '"' && *c != '\\' && *c < 127 ? *c : '?');
		printf("\":%llu", (unsigned long long)all->action[i].n);
		comma = ",";
		if (option.expected && strcasecmp(all->action[i].name, option.expected) != 0)
			n_unexpected += all->action[i].n;
	}
	printf("},");
	histogram_print_json(stdout, "latency_us", &all->latency);
	printf(",");
	load_print_usage(&load);
	printf("}\n");
	return n_unexpected;
}

int main(int argc, char **argv)
{
	struct worker *worker, *all;
	uint64_t n_unexpected;

	read_options(argc, argv);
	worker = calloc((size_t)load.connections, sizeof(*worker));
	all = calloc(1, sizeof(*all));
	if (!worker || !all)
		err(EX_OSERR, "memory");
	load_run(&load, STACK_BYTES, work, worker, sizeof(*worker));
	for (int i = 0; i < load.connections; i++)
		merge(all, &worker[i]);
	n_unexpected = print_report(all);
	if (n_unexpected)
		warnx("%llu answers are not %s", (unsigned long long)n_unexpected, option.expected);
	return n_unexpected || all->n_broken || all->latency.n == 0;
}
