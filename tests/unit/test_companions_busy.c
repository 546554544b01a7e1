/* SPDX-License-Identifier: ISC
 *
 * What lies beside the database is harmed while several processes work with it, each in a way of
 * its own, and whoever meets it first: all of them work again, nobody's confirmed change is gone
 * that was not only in what was harmed, at that moment, and the database is sound after everybody
 * was killed. What was begun after the harm and confirmed is there, whoever has noticed it by then.
 * PGPGATE_HARMS: how often each harm is done (1, and those that are known not to be noticed always
 * are left out).
 */
#include "tests/unit/db_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/bus_error.h"
#include "common/clock.h"

#define PATIENCE_MS 60000 /* no test waits so long unless it fails */
#define GROWTH_US 3000	  /* between two writes: so that a round stays small */
#define LOOK_US 100000	  /* an idle daemon does so once a second */
#define HELD_MS 200	  /* what stands in the way of the log does so for that long */
#define CHECKPOINT_BYTES (256 << 10)
#define NAMES_MAX 20000

/* ---- the processes ---- */

enum role { WRITER, MOVER, READER, IDLE, DAEMON, COMMAND, N_ROLES };

static const char *const role_names[] = {"writer", "mover", "reader", "idle", "daemon", "command"};

/* Shared by all. */
struct board {
	atomic_int harm; /* 1: done */
	struct {
		atomic_int n_before, n_after; /* what went well that began before, after the harm */
		atomic_int n_confirmed;	      /* rules, numbered from 0 */
		atomic_int n_safe;	      /* the first that was begun after the harm */
	} of[N_ROLES];
	char error[N_ROLES][DB_ERROR_MAX];
};

static struct board *board;

static int add(struct db *d, enum role role, int n)
{
	char line[300];
	struct rule r;

	/* Long, so that the file grows: then its first page is in the log, too. */
	snprintf(line, sizeof line, "exempt %s.%d@%060d.%060d.%060d.example.org", role_names[role],
		 n, n, n, n);
	r = fixture_rule(line, 1800000000);
	return rules_add(d, &r, 1800000000, NULL, NULL);
}

static int count_row(void *context, const struct rule *rule)
{
	(void)rule;
	++*(int *)context;
	return 0;
}

static int read_rules(struct db *d)
{
	const struct rules_filter all = {0};
	int n = 0;

	return rules_list(d, &all, count_row, &n);
}

static int write_one(struct db *d, enum role role)
{
	const int n = atomic_load(&board->of[role].n_confirmed);

	usleep(GROWTH_US);
	if (add(d, role, n) != 0)
		return -1;
	atomic_store(&board->of[role].n_confirmed, n + 1);
	return 0;
}

/* Whoever opens the database, or harms what lies beside it. Known, and left out: who opens within
 * the ms of the harm, after his look and before the engine's, makes an index of his own, and what
 * he writes then is not seen by others (pgpgate-operation(7)). */
static int take_turn(const struct fixture *f)
{
	char path[400];
	int fd;

	snprintf(path, sizeof path, "%s.turn", f->path);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

/* As the command line: opens, changes, closes. */
static int run_command(const struct fixture *f)
{
	const int turn = take_turn(f);
	struct db *d = db_open(f->settings, DB_WRITE);
	int result = -1;

	close(turn);
	if (d != NULL && db_failure(d) == DB_OK)
		result = write_one(d, COMMAND);
	if (d != NULL && result != 0)
		snprintf(board->error[COMMAND], DB_ERROR_MAX, "%s", db_error(d));
	db_close(d);
	return result;
}

static int act(const struct fixture *f, enum role role, struct db *d)
{
	switch (role) {
	case WRITER:
	case DAEMON:
		return write_one(d, role);
	case MOVER:
		if (write_one(d, role) != 0)
			return -1;
		db_checkpoint(d, CHECKPOINT_BYTES);
		return 0;
	case READER:
		return read_rules(d);
	case IDLE:
		usleep(LOOK_US);
		db_look(d);
		return db_failure(d) == DB_OK ? 0 : -1;
	case COMMAND:
		return run_command(f);
	case N_ROLES:
		break;
	}
	return -1;
}

static _Noreturn void live(const struct fixture *f, enum role role)
{
	struct db_pool *pool = db_pool_new(f->settings, DB_READ, 2);
	struct db *d = role == COMMAND
			       ? NULL
			       : db_open(f->settings,
					 role == READER || role == IDLE ? DB_READ : DB_WRITE);

	if (role == DAEMON) { /* two lie idle, and nobody looks after them */
		struct db *a = db_pool_get(pool), *b = db_pool_get(pool);

		db_pool_put(pool, a);
		db_pool_put(pool, b);
	}
	for (;;) {
		const int was = atomic_load(&board->harm);
		int none = -1;

		if (was)
			atomic_compare_exchange_strong(&board->of[role].n_safe, &none,
						       atomic_load(&board->of[role].n_confirmed));
		if (act(f, role, d) == 0)
			atomic_fetch_add(was ? &board->of[role].n_after : &board->of[role].n_before,
					 1);
		else if (d != NULL)
			snprintf(board->error[role], DB_ERROR_MAX, "%s", db_error(d));
	}
}

static pid_t start(const struct fixture *f, enum role role)
{
	const pid_t parent = getpid();
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	bus_error_catch(role_names[role], false);
	live(f, role);
}

/* ---- the harms ---- */

static void beside(const struct fixture *f, const char *suffix, const char *end, char out[400])
{
	snprintf(out, 400, "%s%s%s", f->path, suffix, end);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static int64_t random_below(int64_t n)
{
	uint32_t r;

	if (n <= 0 || getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
		return 0;
	return (int64_t)(r % (uint64_t)n);
}

static void remove_it(const char *path)
{
	unlink(path);
}

static void cut_to_nothing(const char *path)
{
	(void)!truncate(path, 0);
}

static void cut_a_little(const char *path)
{
	const int64_t size = size_of(path);

	(void)!truncate(path, size - 1 - random_below(size < 200 ? size : 200));
}

static void cut_anywhere(const char *path)
{
	(void)!truncate(path, random_below(size_of(path)));
}

/* At once: what has a valid beginning and garbage behind it nobody could tell from an index. */
static void fill(const char *path, int64_t from, int64_t n)
{
	unsigned char *octets = malloc((size_t)n + 1);
	const int fd = open(path, O_WRONLY);

	assert_non_null(octets);
	for (int64_t at = 0; at < n; at += 256)
		assert_true(getrandom(octets + at, (size_t)(n - at < 256 ? n - at : 256), 0) > 0);
	if (fd >= 0) {
		assert_int_equal(pwrite(fd, octets, (size_t)n, from), n);
		close(fd);
	}
	free(octets);
}

static void overwrite_all(const char *path)
{
	fill(path, 0, size_of(path));
}

static void overwrite_some(const char *path)
{
	const int64_t from = random_below(size_of(path));

	fill(path, from, (size_of(path) - from) / 2);
}

static void zero_all(const char *path)
{
	const int64_t size = size_of(path);
	unsigned char *zeros = calloc(1, (size_t)size + 1);
	const int fd = open(path, O_WRONLY);

	assert_non_null(zeros);
	if (fd >= 0) {
		assert_int_equal(pwrite(fd, zeros, (size_t)size, 0), size);
		close(fd);
	}
	free(zeros);
}

static void replace_by_nothing(const char *path)
{
	char other[420];

	snprintf(other, sizeof other, "%s.other", path);
	close(open(other, O_WRONLY | O_CREAT, 0660));
	rename(other, path);
}

static void put_a_directory(const char *path)
{
	unlink(path);
	mkdir(path, 0700);
}

static void put_garbage(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT, 0660));
	fill(path, 0, 10000);
}

struct harm {
	const char *label, *suffix;
	void (*do_it)(const char *path);
	bool loses;	   /* what was confirmed before may be gone: it was only there */
	bool is_taken_off; /* after a while, by somebody */
	/* The index is read without sums: that it was overwritten is not always seen (harm.h), and
	 * then the database may be damaged: pgpgate-operation(7). Only where PGPGATE_HARMS asks. */
	bool is_not_always_seen;
};

static const struct harm harms[] = {
	{"log removed", "-wal", remove_it, false, false, false},
	{"log emptied", "-wal", cut_to_nothing, true, false, false},
	{"log cut a little", "-wal", cut_a_little, true, false, false},
	{"log cut anywhere", "-wal", cut_anywhere, true, false, false},
	{"log overwritten", "-wal", overwrite_all, true, false, false},
	{"log overwritten in part", "-wal", overwrite_some, true, false, false},
	{"log full of zeros", "-wal", zero_all, true, false, false},
	{"log replaced", "-wal", replace_by_nothing, false, false, false},
	{"log a directory", "-wal", put_a_directory, false, true, false},
	{"index removed", "-shm", remove_it, false, false, false},
	{"index emptied", "-shm", cut_to_nothing, false, false, false},
	{"index cut a little", "-shm", cut_a_little, false, false, false},
	{"index cut anywhere", "-shm", cut_anywhere, false, false, false},
	{"index overwritten", "-shm", overwrite_all, false, false, true},
	{"index full of zeros", "-shm", zero_all, false, false, true},
	{"index replaced", "-shm", replace_by_nothing, false, false, false},
	{"index a directory", "-shm", put_a_directory, false, true, false},
	{"lock removed", ".lock", remove_it, false, false, false},
	{"lock replaced", ".lock", replace_by_nothing, false, false, false},
	{"lock overwritten", ".lock", put_garbage, false, false, false},
	{"lock a directory", ".lock", put_a_directory, false, true, false},
	{"rollback journal of garbage", "-journal", put_garbage, false, false, false},
};

/* ---- a round ---- */

struct round {
	struct fixture f;
	const struct harm *harm;
	pid_t pids[N_ROLES];
};

/* As the service manager would: who ended by SIGBUS is started again. */
static void revive(struct round *r)
{
	for (int role = 0; role < N_ROLES; role++) {
		int status;

		if (waitpid(r->pids[role], &status, WNOHANG) != r->pids[role])
			continue;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_IOERR)
			fail_msg("%s: the %s ended with status %#x", r->harm->label,
				 role_names[role], (unsigned)status);
		r->pids[role] = start(&r->f, (enum role)role);
	}
}

static void end_all(struct round *r)
{
	int status;

	for (int role = 0; role < N_ROLES; role++)
		kill(r->pids[role], SIGKILL);
	for (int role = 0; role < N_ROLES; role++)
		waitpid(r->pids[role], &status, 0);
}

static void wait_for_all(struct round *r, bool is_after, int n)
{
	const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	for (int role = 0; role < N_ROLES;) {
		if (atomic_load(is_after ? &board->of[role].n_after : &board->of[role].n_before) >=
		    n) {
			role++;
			continue;
		}
		revive(r);
		if (clock_monotonic_ms() > until_ms) {
			end_all(r);
			fail_msg("%s: the %s does not work: %s", r->harm->label, role_names[role],
				 board->error[role]);
		}
		usleep(1000);
	}
}

/* Which of the rules of each are there. */
struct found {
	bool is_there[N_ROLES][NAMES_MAX];
};

static int note_rule(void *context, const struct rule *rule)
{
	struct found *found = context;
	char text[RULE_TEXT_MAX], *end;

	rule_format(rule, text, sizeof text);
	for (int role = 0; role < N_ROLES; role++) {
		char start_of[40];
		const char *at;
		long n;

		snprintf(start_of, sizeof start_of, "%s.", role_names[role]);
		at = strstr(text, start_of);
		if (at == NULL)
			continue;
		n = strtol(at + strlen(start_of), &end, 10);
		if (*end == '@' && n >= 0 && n < NAMES_MAX)
			found->is_there[role][n] = true;
	}
	return 0;
}

static void tell(void *context, const char *complaint)
{
	print_message("%s: %s\n", (const char *)context, complaint);
}

static void check(struct round *r)
{
	struct found *found = calloc(1, sizeof *found);
	struct db *d = db_open(r->f.settings, DB_READ);
	const struct rules_filter all = {0};

	assert_non_null(found);
	if (d == NULL || rules_list(d, &all, note_rule, found) != 0)
		fail_msg("%s: %s", r->harm->label, d != NULL ? db_error(d) : "no memory");
	if (db_check(d, tell, (void *)(uintptr_t)r->harm->label) != 0)
		fail_msg("%s: the database is damaged: %s", r->harm->label, db_error(d));
	for (int role = 0; role < N_ROLES; role++) {
		const int from = r->harm->loses ? atomic_load(&board->of[role].n_safe) : 0;
		const int n = atomic_load(&board->of[role].n_confirmed);

		assert_true(n < NAMES_MAX);
		for (int i = from; i < n; i++)
			if (!found->is_there[role][i])
				fail_msg("%s: rule %d of the %s is gone (%d to %d are to be there)",
					 r->harm->label, i, role_names[role], from, n - 1);
	}
	db_close(d);
	free(found);
}

/* Between two instructions of all of them, as far as anybody can. */
static void stop_all(struct round *r)
{
	for (int role = 0; role < N_ROLES; role++)
		kill(r->pids[role], SIGSTOP);
	for (int role = 0; role < N_ROLES; role++) {
		int status;

		assert_int_equal(waitpid(r->pids[role], &status, WUNTRACED), r->pids[role]);
		assert_true(WIFSTOPPED(status));
	}
}

static void do_harm(struct round *r, const char *path)
{
	const int turn = take_turn(&r->f);
	char lock[400];
	int fd = -1;

	if (r->harm->is_not_always_seen) {
		beside(&r->f, ".lock", "", lock);
		fd = open(lock, O_RDWR);
		assert_true(fd >= 0);
		assert_int_equal(flock(fd, LOCK_SH), 0);
		stop_all(r);
	}
	r->harm->do_it(path);
	if (fd >= 0) {
		for (int role = 0; role < N_ROLES; role++)
			kill(r->pids[role], SIGCONT);
		close(fd);
	}
	close(turn);
}

static void run_round(const struct harm *harm)
{
	struct round r = {.harm = harm};
	char path[400];

	memset(board, 0, sizeof *board);
	for (int role = 0; role < N_ROLES; role++)
		atomic_store(&board->of[role].n_safe, -1);
	fixture_begin(&r.f);
	for (int role = 0; role < N_ROLES; role++)
		r.pids[role] = start(&r.f, (enum role)role);
	wait_for_all(&r, false, 2);
	usleep((useconds_t)random_below(50000));
	beside(&r.f, harm->suffix, "", path);
	do_harm(&r, path);
	if (harm->is_taken_off) {
		usleep(HELD_MS * 1000);
		rmdir(path);
	}
	atomic_store(&board->harm, 1);
	wait_for_all(&r, true, 2);
	for (int role = 0; role < N_ROLES; role++)
		atomic_store(&board->of[role].n_after, 0);
	wait_for_all(&r, true, 2);
	end_all(&r);
	check(&r);
	fixture_end(&r.f);
}

static void test_all_work_again(void **state)
{
	const char *often = getenv("PGPGATE_HARMS"), *only = getenv("PGPGATE_HARM");
	const int n = often != NULL ? atoi(often) : 1;

	(void)state;
	for (int i = 0; i < n; i++)
		for (size_t h = 0; h < sizeof harms / sizeof harms[0]; h++)
			if ((only == NULL || strstr(harms[h].label, only) != NULL) &&
			    (often != NULL || !harms[h].is_not_always_seen))
				run_round(&harms[h]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_work_again),
	};

	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (board == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests_name("companions_busy", tests, NULL, NULL);
}
