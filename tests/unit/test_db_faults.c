/* SPDX-License-Identifier: ISC
 *
 * Everything that can be asked of a database, while its disk is full or fails, or while memory is
 * short, at every place where that can happen: it fails with a sentence or does what it should,
 * leaves nothing half done, and works again on the same connection as soon as the trouble is over.
 */
#include "tests/unit/db_operations.h"

/* ---- an engine that fails when it is told to ---- */

enum fault { FAULT_MEMORY, FAULT_FULL, FAULT_WRITE, FAULT_READ, FAULT_SYNC, FAULT_COUNT };
static const char *const fault_names[FAULT_COUNT] = {"no memory", "disk full", "EIO on write",
						     "EIO on read", "EIO on sync"};

static struct {
	bool is_armed, is_hit;
	enum fault fault;
	int countdown; /* what comes at 0 fails; a full disk stays full */
} trouble;

static bool fails(enum fault fault)
{
	if (!trouble.is_armed || trouble.fault != fault || trouble.countdown-- > 0)
		return false;
	trouble.is_hit = true;
	if (fault != FAULT_FULL)
		trouble.is_armed = false;
	return true;
}

static sqlite3_mem_methods memory;

static void *fail_malloc(int n)
{
	return fails(FAULT_MEMORY) ? NULL : memory.xMalloc(n);
}

static void *fail_realloc(void *p, int n)
{
	return fails(FAULT_MEMORY) ? NULL : memory.xRealloc(p, n);
}

/* The unix VFS has one table of methods for files with locks, and one for those without. */
static struct {
	const sqlite3_io_methods *original;
	sqlite3_io_methods methods;
} files[2];
static sqlite3_vfs *unix_vfs, vfs;

static const sqlite3_io_methods *original_of(sqlite3_file *f)
{
	return files[f->pMethods == &files[1].methods].original;
}

static int fail_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	if (fails(FAULT_FULL))
		return SQLITE_FULL;
	if (fails(FAULT_WRITE))
		return SQLITE_IOERR_WRITE;
	return original_of(f)->xWrite(f, bytes, n, at);
}

static int fail_read(sqlite3_file *f, void *bytes, int n, sqlite3_int64 at)
{
	return fails(FAULT_READ) ? SQLITE_IOERR_READ : original_of(f)->xRead(f, bytes, n, at);
}

static int fail_sync(sqlite3_file *f, int flags)
{
	return fails(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : original_of(f)->xSync(f, flags);
}

static int open_file(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	const int rc = unix_vfs->xOpen(unix_vfs, name, f, flags, out_flags);

	(void)v;
	if (rc != SQLITE_OK)
		return rc;
	for (int i = 0; i < 2; i++) {
		if (files[i].original == NULL) {
			files[i].original = f->pMethods;
			files[i].methods = *f->pMethods;
			files[i].methods.xWrite = fail_write;
			files[i].methods.xRead = fail_read;
			files[i].methods.xSync = fail_sync;
		}
		if (files[i].original == f->pMethods) {
			f->pMethods = &files[i].methods;
			break;
		}
	}
	return SQLITE_OK;
}

static void make_engine_fail(void)
{
	sqlite3_mem_methods mine;

	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
	mine = memory;
	mine.xMalloc = fail_malloc;
	mine.xRealloc = fail_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &mine), SQLITE_OK);
	unix_vfs = sqlite3_vfs_find(NULL);
	vfs = *unix_vfs;
	vfs.zName = "failing";
	vfs.xOpen = open_file;
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

/* ---- a database as it was ---- */

static char *image;
static size_t image_size;

static void keep_image(void)
{
	FILE *f = fopen(base.path, "rb");
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	image_size = (size_t)st.st_size;
	image = malloc(image_size);
	assert_non_null(image);
	assert_int_equal(fread(image, 1, image_size, f), image_size);
	fclose(f);
}

static void restore_image(void)
{
	static const char *const others[] = {"-wal", "-shm"};
	char path[400];
	FILE *f;

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s%s", base.path, others[i]);
		unlink(path);
	}
	f = fopen(base.path, "r+b");
	assert_non_null(f);
	assert_int_equal(fwrite(image, 1, image_size, f), image_size);
	assert_int_equal(ftruncate(fileno(f), (off_t)image_size), 0);
	fclose(f);
}

/* What can be seen of the database. */
struct view {
	int n_rules, n_changes, n_verdicts;
	int64_t n_pairs, paused_until_unix;
};

static struct view look(void)
{
	const struct rules_filter all = {.now_unix = NOW};
	struct verdicts_filter everything = FILTER(0);
	struct db *d = fixture_open(&base, DB_READ);
	struct db_status status;
	struct view v = {0};

	assert_int_equal(rules_list(d, &all, see_rule, &v.n_rules), 0);
	assert_int_equal(rules_history(d, NULL, see_change, &v.n_changes), 0);
	assert_int_equal(verdicts_list(d, &everything, see_row, &v.n_verdicts), 0);
	assert_int_equal(db_get_status(d, &status), 0);
	v.n_pairs = status.n_pairs;
	assert_int_equal(db_paused_until(d, NOW, &v.paused_until_unix), 0);
	assert_int_equal(op_check(d), 0);
	db_close(d);
	return v;
}

static bool same(const struct view *a, const struct view *b)
{
	return a->n_rules == b->n_rules && a->n_changes == b->n_changes &&
	       a->n_verdicts == b->n_verdicts && a->n_pairs == b->n_pairs &&
	       a->paused_until_unix == b->paused_until_unix;
}

/* ---- the tests ---- */

/* The n-th time that it can. Was there an n-th time? */
static bool run_with_fault(const struct operation *o, enum fault fault, int n,
			   const struct view *before, const struct view *after)
{
	struct db *d;
	struct view now;
	int result;

	restore_image();
	d = fixture_open(&base, o->writes ? DB_WRITE : DB_READ);
	trouble.fault = fault;
	trouble.countdown = n;
	trouble.is_hit = false;
	trouble.is_armed = true;
	result = o->run(d);
	trouble.is_armed = false;
	if (result == -1 && (db_failure(d) == DB_OK || db_error(d)[0] == '\0'))
		fail_msg("%s, %s, %d: failed without a sentence", o->name, fault_names[fault], n);
	if (result < 0 && !trouble.is_hit)
		fail_msg("%s, %s, %d: failed by itself: %s", o->name, fault_names[fault], n,
			 db_error(d));
	if (result == -1 && fault == FAULT_FULL && db_failure(d) != DB_FULL)
		fail_msg("%s, %d: a full disk is \"%s\"", o->name, n, db_error(d));
	if (result < 0 && o->run == op_backup)
		assert_int_equal(access(backup_path, F_OK), -1);
	now = look();
	if (o->is_one_transaction && !same(&now, before) && !same(&now, after))
		fail_msg("%s, %s, %d: half done", o->name, fault_names[fault], n);
	/* nobody opens it anew */
	if (o->run(d) < 0)
		fail_msg("%s, %s, %d: fails afterwards: %s", o->name, fault_names[fault], n,
			 db_error(d));
	db_close(d);
	return trouble.is_hit;
}

static void run_all(enum fault fault)
{
	for (size_t i = 0; i < N_OPERATIONS; i++) {
		const struct operation *o = &operations[i];
		struct view before, after;
		struct db *d;
		int n = 0;

		restore_image();
		before = look();
		d = fixture_open(&base, o->writes ? DB_WRITE : DB_READ);
		assert_true(o->run(d) >= 0);
		db_close(d);
		after = look();
		/* The first ones one by one; then some, since there are hundreds of allocations. */
		while (run_with_fault(o, fault, n, &before, &after))
			n += 1 + n / 8;
		if (fault != FAULT_MEMORY && fault != FAULT_READ && o->is_one_transaction)
			assert_true(n > 0);
	}
}

static void without_memory(void **state)
{
	(void)state;
	run_all(FAULT_MEMORY);
}

static void on_a_full_disk(void **state)
{
	(void)state;
	run_all(FAULT_FULL);
}

static void on_a_disk_that_fails_to_write(void **state)
{
	(void)state;
	run_all(FAULT_WRITE);
}

static void on_a_disk_that_fails_to_read(void **state)
{
	(void)state;
	run_all(FAULT_READ);
}

/* A disk tells of a failed sync once, whoever asks: nothing may be written back as if it were safe.
 */
static void on_a_disk_that_fails_to_sync_there_is_no_checkpoint(void **state)
{
	struct db *d;

	(void)state;
	for (int n = 0; n < 3; n++) { /* ahead of the lock, then the log again, then the database */
		restore_image();
		d = db_open(base.settings, DB_WRITE);
		assert_non_null(d);
		assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
		trouble.fault = FAULT_SYNC;
		trouble.countdown = n;
		trouble.is_hit = false;
		trouble.is_armed = true;
		assert_int_equal(db_checkpoint(d, 0), -1);
		assert_true(trouble.is_hit);
		assert_non_null(strstr(db_error(d), "checkpoint"));
		assert_int_equal(db_pause(d, NOW + 90, NOW, "root"), 0);
		assert_int_equal(db_checkpoint(d, 0), 1);
		db_close(d);
	}
}

/* Whoever sends a database file is hostile. Bytes are changed at random; whatever is asked ends. */
static void with_a_damaged_file(void **state)
{
	char *whole;
	unsigned seed = 20261122;
	int n_failed = 0, n_well = 0;

	(void)state;
	whole = malloc(image_size);
	assert_non_null(whole);
	memcpy(whole, image, image_size);
	for (int round = 0; round < 150; round++) {
		const struct operation *o = &operations[(size_t)round % N_OPERATIONS];
		struct db *d;

		for (int i = 0; i < 1 + round / 10; i++)
			image[100 + (size_t)rand_r(&seed) % (image_size - 100)] = (char)rand_r(
				&seed);
		restore_image();
		d = db_open(base.settings, o->writes ? DB_WRITE : DB_READ);
		assert_non_null(d);
		if (o->run(d) < 0)
			n_failed++;
		else
			n_well++;
		db_close(d);
		memcpy(image, whole, image_size);
	}
	free(whole);
	restore_image();
	assert_true(n_failed > 0 && n_well > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory),
		cmocka_unit_test(on_a_full_disk),
		cmocka_unit_test(on_a_disk_that_fails_to_write),
		cmocka_unit_test(on_a_disk_that_fails_to_read),
		cmocka_unit_test(on_a_disk_that_fails_to_sync_there_is_no_checkpoint),
		cmocka_unit_test(with_a_damaged_file),
	};
	int result;

	make_engine_fail();
	fill_base();
	keep_image();
	result = cmocka_run_group_tests_name("db_faults", tests, NULL, NULL);
	free(image);
	fixture_end(&base);
	return result;
}
