/* SPDX-License-Identifier: ISC
 *
 * record_bench: what it costs to keep the record, without mail, threads and sockets around it: the
 * rows of a message as the filter's writer stores them, in groups, on one core.
 *
 *   record_bench -d DATABASE [-g GROUP] [-n MESSAGES] [-R RECIPIENTS]
 *
 * DATABASE must not exist. One in -R recipients (default 1000) for each message, queue ids as
 * Postfix makes them by default. This is what no improvement of the filter around the database can
 * go below.
 *
 * Output: one JSON object: processor time in microseconds a message: for the rows, for the commit,
 * for writing the WAL back, and in all.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "db/record/verdict_write.h"
#include "tests/bench/bench_stats.h"

#define CHECKPOINT_BYTES (16 << 20) /* as the filter's writer */

struct cost {
	int64_t rows_ns, commit_ns, checkpoint_ns;
};

static int64_t cpu_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fill(struct stored_verdict *v, const struct hashed *h, const struct settings *s, long n,
		 long n_recipients)
{
	static const struct judgement judgement = {.verdict = VERDICT_ENCRYPTED,
						   .form = FORM_PGP_MIME,
						   .reason = "encrypted",
						   .detail = "to 2 keys",
						   .size_bytes = 20000};
	/* Recipients have 8 correspondents each, as with milter_load. */
	const long recipient_number = random() % n_recipients;
	char queue_id[32], message_id[64], address[64], sender[64];
	const struct verdict_recipient recipient = {.address = address,
						    .is_trustworthy = true,
						    .requirement = REQUIREMENT_ENCRYPTED,
						    .demand = REQUIREMENT_ENCRYPTED,
						    .source = SOURCE_RULE,
						    .rule_id = 1 + recipient_number,
						    .passes = true};
	const struct verdict_record record = {.time_unix = clock_now_unix(),
					      .queue_id = queue_id,
					      .host = "mail.example.org",
					      .client = "192.0.2.1",
					      .sender = sender,
					      .is_sender_trustworthy = true,
					      .header_from = sender,
					      .message_id = message_id,
					      .declared_size_bytes = 20000,
					      .size_bytes = 20000,
					      .judgement = &judgement,
					      .action = ACTION_ACCEPT,
					      .would = ACTION_ACCEPT,
					      .reply = "",
					      .recipients = &recipient,
					      .n_recipients = 1};

	/* Microseconds of the second, and the file's inode. */
	snprintf(queue_id, sizeof queue_id, "%05lX%lX", random() % 1000000, 0x40000 + n % 64);
	snprintf(message_id, sizeof message_id, "<bench.%ld@client.test>", n);
	snprintf(address, sizeof address, "user%ld@example.org", recipient_number);
	snprintf(sender, sizeof sender, "sender%ld@client%ld.test",
		 recipient_number + random() % 8 * 613, recipient_number % 101);
	if (stored_verdict_fill(v, h, s, &record) != 0)
		errx(EX_OSERR, "out of memory");
}

static void write_group(struct db *d, struct stored_verdict *group, long n, struct cost *c)
{
	struct daily_sums daily = {.n = 0};
	int64_t begin_ns = cpu_now_ns(), rows_ns;
	int result;

	result = db_begin_write(d);
	for (long i = 0; i < n && result == 0; i++)
		result = stored_verdict_write(d, &group[i], &daily);
	if (result == 0)
		result = daily_sums_write(d, &daily);
	rows_ns = cpu_now_ns();
	c->rows_ns += rows_ns - begin_ns;
	if (result != 0 || db_end(d, 0) != 0)
		errx(EX_IOERR, "%s", db_error(d));
	begin_ns = cpu_now_ns();
	c->commit_ns += begin_ns - rows_ns;
	if (db_checkpoint(d, CHECKPOINT_BYTES) < 0)
		errx(EX_IOERR, "%s", db_error(d));
	c->checkpoint_ns += cpu_now_ns() - begin_ns;
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	long n_group = 12, n_messages = 50000, n_recipients = 1000;
	char database[400], error[512] = "";
	const char *overrides[] = {database};
	struct stored_verdict *group;
	struct settings *settings;
	struct cost c = {0};
	struct db *d;
	int option;

	while ((option = getopt(argc, argv, "d:g:n:R:")) != -1) {
		switch (option) {
		case 'd':
			path = optarg;
			break;
		case 'g':
			n_group = stats_number("-g", optarg, 1, 256);
			break;
		case 'n':
			n_messages = stats_number("-n", optarg, 1, 100000000);
			break;
		case 'R':
			n_recipients = stats_number("-R", optarg, 1, 1000000000);
			break;
		default:
			path = NULL;
		}
	}
	if (path == NULL || optind != argc || access(path, F_OK) == 0)
		errx(EX_USAGE, "usage: record_bench -d NEW_DATABASE [-g GROUP] [-n MESSAGES] [-R "
			       "RECIPIENTS]");
	snprintf(database, sizeof database, "database=sqlite:%s", path);
	settings = settings_load("/nonexistent/pgpgate.conf", true, overrides, 1, error,
				 sizeof error);
	if (settings == NULL)
		errx(EX_CONFIG, "%s", error);
	d = db_open(settings, DB_CREATE);
	group = calloc((size_t)n_group, sizeof *group);
	if (d == NULL || group == NULL || db_failure(d) != DB_OK)
		errx(EX_IOERR, "%s", d != NULL ? db_error(d) : "out of memory");
	for (long n = 0; n < n_messages; n += n_group) {
		for (long i = 0; i < n_group; i++)
			fill(&group[i], db_hashed(d), settings, n + i, n_recipients);
		write_group(d, group, n_group, &c);
		for (long i = 0; i < n_group; i++)
			arena_reset(&group[i].arena);
	}
	n_messages = (n_messages + n_group - 1) / n_group * n_group;
	printf("{\"messages\":%ld,\"group\":%ld,\"rows_us\":%.2f,\"commit_us\":%.2f,\"checkpoint_"
	       "us\":%.2f,"
	       "\"total_us\":%.2f}\n",
	       n_messages, n_group, 1e-3 * (double)c.rows_ns / (double)n_messages,
	       1e-3 * (double)c.commit_ns / (double)n_messages,
	       1e-3 * (double)c.checkpoint_ns / (double)n_messages,
	       1e-3 * (double)(c.rows_ns + c.commit_ns + c.checkpoint_ns) / (double)n_messages);
	free(group);
	db_close(d);
	settings_unref(settings);
	return 0;
}
