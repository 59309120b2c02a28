/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded, a heap that refuses the allocation FAIL_AT, counted from 1, or with FAIL_AFTER that one and all after it. Counted are those that the
 * program makes and the libraries that it was started with, but for ncurses, which crashes without memory for its tables (6.4,
 * _nc_find_type_entry); LLVM, which is opened later, has its own habits. FAIL_COUNTER is a file
 * of two 64-bit numbers: how many there were, and how many of them were refused. All processes count together. With
 * FAIL_TRACE each refusal tells on stderr from where. For test_allocations.py.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RANGES_MAX 64
#define FRAMES_MAX 24

/* glibc's own: dlsym(3) would allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

struct counter {
	_Atomic uint64_t asked;
	_Atomic uint64_t refused;
};

struct range {
	uintptr_t begin, end;
};

static struct counter *counter;
static uint64_t fail_at;
static bool fail_after, fail_trace;
static struct range ranges[RANGES_MAX];
static size_t range_count;

static bool is_spared(const char *name)
{
	return strstr(name, "/libncurses") || strstr(name, "/libtinfo");
}

/* The code of an object, unless it is this one. */
static int take_ranges(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size, (void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
		          end = begin + info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X) ||
		    is_spared(info->dlpi_name) || range_count == RANGES_MAX)
			continue;
		if ((uintptr_t)&take_ranges < begin || (uintptr_t)&take_ranges >= end)
			ranges[range_count++] = (struct range){ begin, end };
	}
	return 0;
}

/* At once: who compiles has no environment any more. */
__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAIL_COUNTER"), *at = getenv("FAIL_AT");
	void *frames[1];
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0 || !at)
		return;
	fail_at = strtoull(at, NULL, 10);
	fail_after = getenv("FAIL_AFTER") != NULL;
	fail_trace = getenv("FAIL_TRACE") != NULL;
	dl_iterate_phdr(take_ranges, NULL);
	if (fail_trace)
		backtrace(frames, 1); /* the first one allocates */
	void *memory = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	if (memory != MAP_FAILED)
		counter = memory;
}

static bool is_counted(const void *caller)
{
	for (size_t i = 0; i < range_count; i++)
		if ((uintptr_t)caller >= ranges[i].begin && (uintptr_t)caller < ranges[i].end)
			return true;
	return false;
}

static void trace(void)
{
	void *frames[FRAMES_MAX];

	backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

static bool refuses(const void *caller)
{
	if (!counter || !is_counted(caller))
		return false;
	uint64_t number = atomic_fetch_add(&counter->asked, 1) + 1;

	if (number != fail_at && !(fail_after && number > fail_at))
		return false;
	atomic_fetch_add(&counter->refused, 1);
	if (fail_trace)
		trace();
	return true;
}

void *malloc(size_t size)
{
	if (!refuses(__builtin_return_address(0)))
		return __libc_malloc(size);
	errno = ENOMEM;
	return NULL;
}

void *calloc(size_t count, size_t size)
{
	if (!refuses(__builtin_return_address(0)))
		return __libc_calloc(count, size);
	errno = ENOMEM;
	return NULL;
}

void *realloc(void *old, size_t size)
{
	if (!refuses(__builtin_return_address(0)))
		return __libc_realloc(old, size);
	errno = ENOMEM;
	return NULL;
}
