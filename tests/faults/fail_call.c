/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program under a supervisor that lets one of its system calls fail, be it of a thread or a child, and do nothing:
 *
 *     fail_call N VARIANT COUNTER PROGRAM [ARGUMENT]...
 *
 * N: which, counted from 1 after the first rt_sigprocmask(2), tcptop's first call; 0: none. VARIANT: which of the errors that the call
 * can end with. COUNTER: a file that says how many calls there were, at the end or until one failed, and number and error of that ("0 0":
 * none). Ends as the program does, by a signal too. For test_calls.py.
 *
 * A filter of seccomp tells of each call (SECCOMP_RET_USER_NOTIF): other than under ptrace(2) signals, stops and the ends of children are as
 * ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define LISTENER_FD \
	1000 /* out of the way: the program's own descriptors have the numbers that they always have */

/* What a call can end with at any moment; 0: no more. All others: memory, or it is not permitted. */
static const struct {
	int number;
	int errors[4];
} known[] = {
	{ SYS_read, { EIO, EINTR, EAGAIN } },
	{ SYS_pread64, { EIO, EINTR } },
	{ SYS_getdents64, { EIO } },
	{ SYS_write, { EIO, EINTR, ENOSPC, EAGAIN } },
	{ SYS_writev, { EIO, EINTR, ENOSPC, EAGAIN } },
	{ SYS_lseek, { EIO } },
	{ SYS_ftruncate, { EIO, EINTR } },
	{ SYS_close, { EIO } },
	{ SYS_openat, { EMFILE, EACCES, EINTR, ENOMEM } },
	{ SYS_fstat, { EIO } },
	{ SYS_newfstatat, { EIO, EACCES } },
	{ SYS_statx, { EIO, EACCES } },
	{ SYS_ppoll, { EINTR, ENOMEM } },
	{ SYS_clone, { EAGAIN, ENOMEM } },
	{ SYS_clone3, { EAGAIN, ENOMEM, ENOSYS } },
	{ SYS_wait4, { EINTR } },
	{ SYS_socket, { EMFILE, ENOMEM } },
	{ SYS_socketpair, { EMFILE, ENOMEM } },
	{ SYS_sendmsg, { ENOMEM, EINTR } },
	{ SYS_recvmsg, { ENOMEM, EINTR } },
	{ SYS_sendto, { ENOMEM, EINTR } },
	{ SYS_recvfrom, { ENOMEM, EINTR } },
	{ SYS_mmap, { ENOMEM } },
	{ SYS_mprotect, { ENOMEM } },
	{ SYS_brk, { ENOMEM } },
	{ SYS_clock_nanosleep, { EINTR } },
	{ SYS_ioctl, { EIO, EINTR } },
	{ SYS_eventfd2, { EMFILE, ENOMEM } },
	{ SYS_signalfd4, { EMFILE, ENOMEM } },
	{ SYS_timerfd_create, { EMFILE, ENOMEM } },
	{ SYS_memfd_create, { EMFILE, ENOMEM } },
	{ SYS_pipe2, { EMFILE } },
	{ SYS_bpf, { ENOMEM, EPERM, EINTR } },
#ifdef SYS_poll
	{ SYS_poll, { EINTR, ENOMEM } },
#endif
};

/* Those that cannot fail, whose failure no C program can tell, or that do not return. */
static const int spared[] = { SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_futex, SYS_execve,
	SYS_set_robust_list, SYS_rseq, SYS_munmap, SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid,
	SYS_geteuid, SYS_getgid, SYS_getegid, SYS_timerfd_settime };

static int error_of(int number, unsigned variant)
{
	static const int others[] = { ENOMEM, EPERM };

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		size_t count = 0;

		if (known[i].number != number)
			continue;
		while (count < COUNT_OF(known[i].errors) && known[i].errors[count])
			count++;
		return known[i].errors[variant % count];
	}
	return others[variant % COUNT_OF(others)];
}

static bool is_spared(int number)
{
	for (size_t i = 0; i < COUNT_OF(spared); i++)
		if (spared[i] == number)
			return true;
	return false;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fail_call: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* Its descriptors are this process's until it executes the program, so that the listener is, too. */
static pid_t start(char **command, int *listener)
{
	_Atomic int *shared =
	    mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF) };
	const struct sock_fprog filter = { COUNT_OF(code), code };

	if (shared == MAP_FAILED)
		fail("mmap");
	*shared = 0;
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (geteuid() != 0)
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		long fd =
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);

		*shared = fd < 0 ? -errno : (int)fd;
		if (fd >= 0)
			execv(command[0], command);
		_exit(126);
	}
	if (child < 0)
		fail("clone");
	while (*shared == 0)
		usleep(100);
	errno = *shared < 0 ? -*shared : 0;
	if (errno)
		fail("seccomp");
	*listener = fcntl(*shared, F_DUPFD_CLOEXEC, LISTENER_FD);
	close(*shared);
	if (*listener < 0)
		fail("dup");
	return child;
}

struct run {
	unsigned long at, count;
	unsigned variant;
	int failed, error;
	bool begun;
};

static void tell(FILE *counter, const struct run *run)
{
	rewind(counter);
	fprintf(counter, "%lu %d %d\n", run->count, run->failed, run->error);
	fflush(counter);
}

static void answer(int listener, struct run *run, FILE *counter)
{
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp response = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
		return; /* a signal came first, or it has gone */
	int number = asked.data.nr;

	run->begun |= number == SYS_rt_sigprocmask;
	if (run->begun && !is_spared(number) && ++run->count == run->at) {
		run->failed = number;
		run->error = error_of(number, run->variant);
		response.flags = 0;
		/* brk(2) tells by a value: where the break is */
		response.error = number == SYS_brk ? 0 : -run->error;
		tell(counter, run);
	}
	response.id = asked.id;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	int listener, status;

	if (argc < 5) {
		fprintf(stderr, "usage: fail_call N VARIANT COUNTER PROGRAM [ARGUMENT]...\n");
		return 125;
	}
	run.at = strtoul(argv[1], NULL, 10);
	run.variant = (unsigned)strtoul(argv[2], NULL, 10);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= LISTENER_FD) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	FILE *counter = fopen(argv[3], "we");

	if (!counter)
		fail(argv[3]);
	signal(SIGINT, SIG_IGN); /* the program's */
	pid_t child = start(argv + 4, &listener);

	for (;;) {
		struct pollfd event = { .fd = listener, .events = POLLIN };

		if (poll(&event, 1, -1) < 0)
			continue;
		if (event.revents & POLLIN)
			answer(listener, &run, counter);
		else if (event.revents)
			break;
	}
	if (!run.failed)
		tell(counter, &run);
	fclose(counter);
	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}
