/* SPDX-License-Identifier: ISC
 *
 * milter_load: loads a milter as many smtpd processes of a Postfix would, and says how fast it
 * answered.
 *
 *   milter_load -s SOCKET -f MESSAGE [-c CONNECTIONS] [-n MESSAGES] [-m PER_CONNECTION] [-t
 * SECONDS]
 *               [-r RECIPIENTS] [-R POOL] [-D DOMAIN] [-x accept|reject|tempfail] [-w WRITE_BYTES]
 *               [-p PID] [-W TIMEOUT_S] [-z] [-T]
 *
 * CONNECTIONS threads share MESSAGES messages (or as many as SECONDS allow); each opens a
 * connection, sends PER_CONNECTION messages, closes. Recipients are user0..userN@DOMAIN (N: POOL -
 * 1), met in no order; each has 8 correspondents, who write again and again, so that pairs are
 * mostly known ones, and whose address stands in From: too. Queue ids vary. -x: every message must
 * end so. -z: declare no SIZE. -T: every message waits, its body sent, until all connections have
 * come as far: as many messages open at once as there are connections (for memory). -p: what
 * process PID used of the processor and of memory is reported too.
 *
 * Output: one JSON object. Exit 0; 1 when a message got no answer or another than -x says; 64
 * misuse. Only unix sockets and 127.0.0.1.
 */
#include <err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/bench/bench_load.h"
#include "tests/bench/bench_mail.h"
#include "tests/bench/bench_stats.h"
#include "tests/bench/milter_peer.h"

#define STACK_BYTES (512 * 1024)

static struct {
	const char *file, *domain;
	int recipients, pool;
	size_t write_bytes;
	enum peer_end expected; /* END_COUNT: any */
	bool has_size, together;
} option = {.domain = "example.org",
	    .recipients = 1,
	    .pool = 1000,
	    .write_bytes = 4096,
	    .expected = END_COUNT,
	    .has_size = true};

static struct load load = {
	.connections = 1, .per_connection = 1, .seconds = 60, .timeout_s = 300, .n = 1000};
static struct mail *mail;
static pthread_barrier_t body_line;

struct worker {
	struct peer peer;
	uint64_t ended[END_COUNT], n_connections;
	int64_t last_answer_ns;
	struct histogram message, eom; /* MAIL to answer; end of body to answer */
};

static void fill_envelope(struct peer_envelope *e, long serial)
{
	/* A step that has no factor in common with a round POOL, so that all are met. */
	const unsigned long number = (unsigned long)serial * 7919 % (unsigned long)option.pool;
	const unsigned long friend = (unsigned long)(serial / option.pool) % 8;

	e->n_recipients = (unsigned)option.recipients;
	e->has_size = option.has_size;
	snprintf(e->queue_id, sizeof(e->queue_id), "%05lX%06lX", (unsigned long)serial,
		 (unsigned long)getpid());
	snprintf(e->sender, sizeof(e->sender), "sender%lu@client%lu.test", number + friend * 613,
		 number % 101);
	for (int i = 0; i < option.recipients; i++)
		snprintf(e->recipient[i], sizeof(e->recipient[i]), "user%lu@%s",
			 (number + (unsigned long)i) % (unsigned long)option.pool, option.domain);
}

static void wait_for_all(void *line)
{
	pthread_barrier_wait(line);
}

/* One connection. False when there is no more to send or it broke. */
static bool one_connection(struct worker *w, struct peer_envelope *e)
{
	long serial;
	bool go_on = true;

	if (!load_take(&load, &serial))
		return false;
	w->n_connections++;
	if (peer_open(&w->peer, load.socket, load.timeout_s, option.write_bytes) != 0) {
		w->ended[END_BROKEN]++;
		peer_close(&w->peer);
		if (option.together)
			wait_for_all(&body_line);
		return false;
	}
	for (int i = 0; go_on && (i == 0 || load_take(&load, &serial)); i++) {
		int64_t begin_ns = stats_now_ns(), eom_ns;
		enum peer_end end;

		fill_envelope(e, serial);
		end = peer_message(&w->peer, e, mail, option.together ? wait_for_all : NULL,
				   &body_line, &eom_ns);
		w->last_answer_ns = stats_now_ns();
		w->ended[end]++;
		histogram_add(&w->message, w->last_answer_ns - begin_ns);
		histogram_add(&w->eom, w->last_answer_ns - eom_ns);
		go_on = end != END_BROKEN && i + 1 < load.per_connection;
	}
	go_on = !w->peer.error[0];
	peer_close(&w->peer);
	return go_on;
}

static void *work(void *context)
{
	struct worker *w = context;
	struct peer_envelope *e = calloc(1, sizeof(*e));

	if (!e)
		err(EX_OSERR, "memory");
	load_start(&load);
	while (one_connection(w, e))
		;
	free(e);
	return NULL;
}

static void usage(void)
{
	fprintf(stderr, "usage: milter_load -s SOCKET -f MESSAGE [-c CONNECTIONS] [-n MESSAGES] "
			"[-m PER_CONNECTION]\n"
			"       [-t SECONDS] [-r RECIPIENTS] [-R POOL] [-D DOMAIN] [-x "
			"accept|reject|tempfail]\n"
			"       [-w WRITE_BYTES] [-p PID] [-W TIMEOUT_S] [-z] [-T]\n");
	exit(EX_USAGE);
}

static enum peer_end expected_end(const char *text)
{
	if (strcmp(text, "accept") == 0)
		return END_ACCEPTED;
	if (strcmp(text, "reject") == 0)
		return END_REJECTED;
	if (strcmp(text, "tempfail") == 0)
		return END_TEMPFAILED;
	usage();
	return END_COUNT;
}

static void read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, LOAD_OPTIONS "f:r:R:D:x:w:zT")) != -1) {
		switch (c) {
		case 'f':
			option.file = optarg;
			break;
		case 'r':
			option.recipients = (int)stats_number("-r", optarg, 1, PEER_RECIPIENTS_MAX);
			break;
		case 'R':
			option.pool = (int)stats_number("-R", optarg, 1, 1000000000);
			break;
		case 'D':
			option.domain = optarg;
			break;
		case 'x':
			option.expected = expected_end(optarg);
			break;
		case 'w':
			option.write_bytes = (size_t)stats_number("-w", optarg, 64, 1 << 24);
			break;
		case 'z':
			option.has_size = false;
			break;
		case 'T':
			option.together = true;
			break;
		default:
			if (!load_option(&load, c, optarg))
				usage();
		}
	}
	if (optind != argc || !load.socket || !option.file || load.per_connection == 0)
		usage();
	if (option.together && (load.n != load.connections || load.per_connection != 1))
		errx(EX_USAGE, "-T wants as many messages as connections, one each");
}

static void print_report(const struct worker *all)
{
	const double elapsed_s = load_elapsed_s(&load, all->last_answer_ns);
	static const char *const name[END_COUNT] = {"accepted", "rejected", "tempfailed", "early",
						    "broken"};
	uint64_t answered = all->ended[END_ACCEPTED] + all->ended[END_REJECTED] +
			    all->ended[END_TEMPFAILED] + all->ended[END_EARLY];
	const char *comma = "";

	printf("{\"connections\":%d,\"per_connection\":%d,\"messages\":%llu,\"elapsed_s\":%.4f,",
	       load.connections, load.per_connection, (unsigned long long)answered, elapsed_s);
	printf("\"messages_per_s\":%.2f,\"bytes_per_s\":%.0f,\"message_bytes\":%zu,\"write_bytes\":"
	       "%zu,",
	       (double)answered / elapsed_s,
	       (double)answered * (double)mail->size_bytes / elapsed_s, mail->size_bytes,
	       option.write_bytes);
	printf("\"opened\":%llu,\"wire_bytes\":%llu,\"steps\":\"0x%x\",\"actions\":\"0x%x\",",
	       (unsigned long long)all->n_connections, (unsigned long long)all->peer.bytes_out,
	       all->peer.steps, all->peer.actions);
	for (int i = 0; i < END_COUNT; i++)
		printf("\"%s\":%llu,", name[i], (unsigned long long)all->ended[i]);
	printf("\"replies\":{");
	for (int e = 0; e < EVENT_COUNT; e++)
		for (int r = 0; r < REPLY_COUNT; r++)
			if (all->peer.count[e][r]) {
				printf("%s\"%s-%s\":%llu", comma, peer_event_name[e],
				       peer_reply_name[r],
				       (unsigned long long)all->peer.count[e][r]);
				comma = ",";
			}
	printf("},");
	histogram_print_json(stdout, "latency_us", &all->message);
	printf(",");
	histogram_print_json(stdout, "eom_latency_us", &all->eom);
	printf(",");
	load_print_usage(&load);
	printf("}\n");
}

static void merge(struct worker *all, const struct worker *w)
{
	for (int i = 0; i < END_COUNT; i++)
		all->ended[i] += w->ended[i];
	for (int e = 0; e < EVENT_COUNT; e++)
		for (int r = 0; r < REPLY_COUNT; r++)
			all->peer.count[e][r] += w->peer.count[e][r];
	all->peer.bytes_out += w->peer.bytes_out;
	all->peer.steps |= w->peer.steps;
	all->peer.actions |= w->peer.actions;
	all->n_connections += w->n_connections;
	if (w->last_answer_ns > all->last_answer_ns)
		all->last_answer_ns = w->last_answer_ns;
	histogram_merge(&all->message, &w->message);
	histogram_merge(&all->eom, &w->eom);
	if (w->peer.error[0])
		warnx("%s", w->peer.error);
}

int main(int argc, char **argv)
{
	struct worker *worker, *all;
	uint64_t total;

	read_options(argc, argv);
	mail = mail_load(option.file);
	worker = calloc((size_t)load.connections, sizeof(*worker));
	all = calloc(1, sizeof(*all));
	if (!worker || !all)
		err(EX_OSERR, "memory");
	pthread_barrier_init(&body_line, NULL, (unsigned)load.connections);
	load_run(&load, STACK_BYTES, work, worker, sizeof(*worker));
	for (int i = 0; i < load.connections; i++)
		merge(all, &worker[i]);
	print_report(all);
	total = all->message.n; /* what was begun */
	if (all->ended[END_BROKEN] > 0 || total == 0)
		return 1;
	if (option.expected != END_COUNT && all->ended[option.expected] != total) {
		warnx("%llu of %llu messages did not end as expected",
		      (unsigned long long)(total - all->ended[option.expected]),
		      (unsigned long long)total);
		return 1;
	}
	free(worker);
	free(all);
	mail_free(mail);
	return 0;
}
