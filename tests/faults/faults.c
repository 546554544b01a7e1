/* SPDX-License-Identifier: ISC
 *
 * faults.c: for LD_PRELOAD: calls of the C library that fail when they are told to. Made by the
 * tests (tests/e2e/harness/faults.py), for programs without sanitizers.
 *
 *   FAULT_POLL=FILE     poll() fails with ENOMEM as long as FILE is there
 *   FAULT_MEMORY=FILE   FILE holds one struct control, shared with the test: malloc(), calloc(),
 * realloc() and the like of the whole process are counted, and those numbered fail_from <= n <
 * fail_to are refused FAULT_TRACE=1       tells on standard error who asked for what was refused
 *
 * What the loader and this library allocate themselves is not counted: counting begins when the
 * test says so.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* All in the byte order of this machine. */
struct control {
	_Atomic uint64_t is_counting;
	_Atomic uint64_t n;	    /* allocations counted */
	_Atomic uint64_t fail_from; /* the first that fails, from 1 */
	_Atomic uint64_t fail_to;   /* the first after it that is granted */
	_Atomic uint64_t n_failed;
};

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

#define FRAMES_MAX 40

static struct control *control;
static int is_traced;

__attribute__((constructor)) static void begin(void)
{
	void *frame;
	const char *path = getenv("FAULT_MEMORY");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *memory;

	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	is_traced = getenv("FAULT_TRACE") != NULL;
	if (is_traced)
		backtrace(&frame, 1); /* which loads a library once */
	if (memory != MAP_FAILED)
		control = memory;
}

static void trace(void)
{
	void *frames[FRAMES_MAX];

	backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

static int is_refused(void)
{
	uint64_t n;

	if (control == NULL || !control->is_counting)
		return 0;
	n = atomic_fetch_add(&control->n, 1) + 1;
	if (n < control->fail_from || n >= control->fail_to)
		return 0;
	atomic_fetch_add(&control->n_failed, 1);
	if (is_traced)
		trace();
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	return is_refused() ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return is_refused() ? NULL : __libc_realloc(memory, all);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return is_refused() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	if (is_refused())
		return ENOMEM;
	*memory = __libc_memalign(alignment, size);
	return *memory != NULL ? 0 : ENOMEM;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	static const char *switched;
	static _Atomic int is_known;

	if (!is_known) {
		switched = getenv("FAULT_POLL");
		is_known = 1;
	}
	if (switched != NULL && access(switched, F_OK) == 0) {
		errno = ENOMEM;
		return -1;
	}
	/* ppoll() is not replaced. */
	return ppoll(fds, n,
		     timeout < 0 ? NULL
				 : &(struct timespec){.tv_sec = timeout / 1000,
						      .tv_nsec = timeout % 1000 * 1000000L},
		     NULL);
}
