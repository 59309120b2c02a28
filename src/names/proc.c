/* SPDX-License-Identifier: Apache-2.0 */
#include "names/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/pid_namespace.h"
#include "base/util.h"

#define KERNEL_THREAD \
	0x00200000U    /* PF_KTHREAD, include/linux/sched.h: the same in every kernel since 2.6.27 */
#define KTHREADD_PID 2 /* rest_init() of init/main.c: the second process is the kernel threads' parent */
/* 146 years after the boot: what is later is garbage, and might not fit into the sum with the wall clock. */
#define START_NS_MAX ((uint64_t)INT64_MAX / 2)

/* Opens a file below a directory as a stream; NULL with errno. */
static FILE *open_below(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	FILE *stream = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (fd >= 0 && !stream)
		close(fd);
	return stream;
}

static int open_process(const struct proc *proc, uint32_t pid)
{
	char name[16];

	snprintf(name, sizeof name, "%" PRIu32, pid);
	return openat(proc->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Of "PID (name) state ppid ...", proc_pid_stat(5): fields 9 and 22. The name may hold anything. */
static bool read_stat(int process, uint32_t *flags, uint64_t *start_ticks)
{
	FILE *stream = open_below(process, "stat");
	char text[1024];
	const char *end;

	if (!stream)
		return false;
	size_t length = fread(text, 1, sizeof text - 1, stream);

	fclose(stream);
	text[length] = '\0';
	end = strrchr(text, ')');
	return end &&
	       sscanf(end + 1,
	           " %*c %*d %*d %*d %*d %*d %" SCNu32 " %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
	           "%" SCNu64,
	           flags, start_ticks) == 2;
}

/* Kernel threads are in the initial PID namespace alone, and the first of them has the same PID on every host. */
static bool has_kernel_threads(const struct proc *proc)
{
	uint32_t flags = 0;
	uint64_t unused;
	int process = open_process(proc, KTHREADD_PID);
	bool found = process >= 0 && read_stat(process, &flags, &unused) && (flags & KERNEL_THREAD);

	if (process >= 0)
		close(process);
	return found;
}

/*
 * An instance of /proc shows the processes of one PID namespace and of those below it. So it is the initial one's where
 * it shows a process of the initial one: this one (also if hidepid hides others), or a kernel thread (also if this
 * process is in a namespace below, say made by unshare without a /proc of its own).
 */
void proc_open(struct proc *proc, const char *root)
{
	char path[256];

	snprintf(path, sizeof path, "%s/proc", root);
	*proc = (struct proc){ .fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) };
	if (proc->fd < 0) {
		proc->why = "there is no /proc here";
	} else if (pid_namespace_is_initial(root) != 1 && !has_kernel_threads(proc)) {
		proc_close(proc);
		proc->why = "/proc shows another PID namespace";
	}
}

void proc_close(struct proc *proc)
{
	if (proc->fd >= 0)
		close(proc->fd);
	proc->fd = -1;
}

/* -ERANGE: no time. Both clocks are this process's own: a time namespace moves them as it moves what /proc tells. */
static int64_t wall_clock_s(uint64_t start_ticks)
{
	struct timespec wall, boot;
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);

	if (start_ticks > START_NS_MAX / tick_ns)
		return -ERANGE;
	int64_t start_ns = (int64_t)(start_ticks * tick_ns);

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	int64_t offset_ns =
	    (wall.tv_sec - boot.tv_sec) * (int64_t)NS_PER_S + (int64_t)wall.tv_nsec - boot.tv_nsec;

	return (start_ns + offset_ns) / (int64_t)NS_PER_S;
}

static int64_t start_of(int process)
{
	uint32_t flags;
	uint64_t start_ticks;

	return read_stat(process, &flags, &start_ticks) ? wall_clock_s(start_ticks) : -ESRCH;
}

FILE *proc_file(const struct proc *proc, uint32_t pid, int64_t seen_s, const char *name, int64_t *start_s,
    const char **why)
{
	*start_s = -ESRCH;
	if (!proc_is_known(proc)) {
		*why = proc->why;
		return NULL;
	}
	/* Everything below this descriptor is of one process, whatever becomes of its PID. */
	int process = open_process(proc, pid);
	FILE *stream = NULL;

	if (process >= 0)
		*start_s = start_of(process);

	*why = "/proc does not show the process: it has ended or is hidden";
	if (*start_s > seen_s)
		*why = "the PID may be another process's by now";
	else if (*start_s >= 0)
		stream = open_below(process, name);
	if (process >= 0)
		close(process);
	return stream;
}

uint32_t proc_thread_group(const struct proc *proc, uint32_t pid)
{
	int process = proc_is_known(proc) ? open_process(proc, pid) : -1;
	FILE *stream = process >= 0 ? open_below(process, "status") : NULL;
	uint32_t group = 0;
	char line[256];

	while (stream && !group && fgets(line, sizeof line, stream))
		sscanf(line, "Tgid: %" SCNu32, &group);
	if (stream)
		fclose(stream);
	if (process >= 0)
		close(process);
	return group;
}
