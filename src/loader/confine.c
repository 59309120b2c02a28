/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

#define DESCRIPTORS_MAX 128
#define THREADS_MAX 1024 /* of the user's: other tcptops are counted, too */

/* ---- files ---- */

#define MAKE_OR_WRITE                                                                                     \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |     \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
	    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define TRUNCATE (UINT64_C(1) << 14) /* since version 3; headers may be older */

int confine_files(void)
{
	struct landlock_ruleset_attr attributes = { .handled_access_fs = MAKE_OR_WRITE };

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 0)
		return -errno;
	if (version >= 3)
		attributes.handled_access_fs |= TRUNCATE;
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		err = -errno;
	close(fd);
	return err;
}

/* ---- system calls ---- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef ARCHITECTURE
#endif

#ifndef ARCHITECTURE

int confine_calls(unsigned needs)
{
	(void)needs;
	return -ENOSYS;
}

#else

#define TCGETS2_NUMBER 0x802c542a /* what isatty(3) and tcgetattr(3) ask since glibc 2.42 */

enum condition { ALWAYS, EQUAL, NO_BIT, ANY_BIT };
enum action { ALLOW, NOT_THERE, KILL };

/* clang-format off */
/* By number, in each list or in those of a need; an argument, of which the lower half counts, has to be so. The first match counts. */
static const struct rule {
	int number;
	enum action action;
	unsigned needs; /* any of these; 0: whatever is needed */
	enum condition condition;
	unsigned argument;
	uint32_t value;
} rules[] = {
#define RULE(name) { .number = SYS_##name }
#define RULE_EQUAL(name, n, v) { .number = SYS_##name, .condition = EQUAL, .argument = (n), .value = (v) }
#define RULE_NO_BIT(name, n, v) { .number = SYS_##name, .condition = NO_BIT, .argument = (n), .value = (v) }
#define THREADS_ANY_BIT(name, n, v) \
	{ .number = SYS_##name, .needs = CONFINE_THREADS | CONFINE_NAMES, .condition = ANY_BIT, .argument = (n), .value = (v) }
#define NAMES(name) { .number = SYS_##name, .needs = CONFINE_NAMES }
#define KILLS(name) { .number = SYS_##name, .action = KILL }
#define KILLS_EQUAL(name, n, v) \
	{ .number = SYS_##name, .action = KILL, .condition = EQUAL, .argument = (n), .value = (v) }
	/* the loop: time, events, output, memory */
	RULE(read), RULE(write), RULE(writev), RULE(pread64), RULE(lseek), RULE(close), RULE(fstat), RULE(newfstatat),
	RULE(statx), RULE(ftruncate), RULE(fcntl), RULE(dup3), RULE(ppoll), RULE(futex), RULE(clock_gettime),
	RULE(clock_nanosleep), RULE(nanosleep), RULE(timerfd_create), RULE(timerfd_settime), RULE(eventfd2),
	RULE(memfd_create), RULE(munmap), RULE(mremap), RULE(madvise), RULE(brk), RULE(rt_sigaction), RULE(rt_sigprocmask),
	RULE(rt_sigpending), RULE(rt_sigtimedwait), RULE(rt_sigreturn), RULE(sigaltstack), RULE(restart_syscall), RULE(exit),
	RULE(exit_group), RULE(wait4), RULE(set_robust_list), RULE(rseq), RULE(getpid), RULE(gettid), RULE(getrandom),
	RULE(uname), RULE(sysinfo), RULE(sched_yield), RULE(sched_getaffinity), RULE(sched_setscheduler), RULE(getuid), RULE(getgid),
	RULE(geteuid), RULE(getegid), RULE(capget), RULE(getdents64), RULE(readlinkat), RULE(faccessat), RULE(faccessat2),
	RULE(prlimit64),
#ifdef SYS_poll
	RULE(poll), RULE(stat), RULE(lstat), RULE(access), RULE(readlink), RULE(dup2),
	RULE_NO_BIT(open, 1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC),
#endif
	/* files are read; code is mapped for name services alone */
	RULE_NO_BIT(openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC), RULE_NO_BIT(mmap, 2, PROT_EXEC),
	RULE_NO_BIT(mprotect, 2, PROT_EXEC), NAMES(mmap), NAMES(mprotect),
	/* keeper and writer; interfaces by netlink */
	RULE(sendmsg), RULE(recvmsg), RULE(sendto), RULE(recvfrom), RULE(setsockopt), RULE_EQUAL(socket, 0, AF_NETLINK), RULE(bind),
	RULE(getsockname), RULE_EQUAL(connect, 2, sizeof(struct sockaddr_nl)),
	KILLS_EQUAL(ioctl, 1, TIOCSTI), KILLS_EQUAL(ioctl, 1, TIOCLINUX),
	RULE_EQUAL(ioctl, 1, SIOCETHTOOL), RULE_EQUAL(ioctl, 1, SIOCGIFNAME), RULE_EQUAL(ioctl, 1, TCGETS), RULE_EQUAL(ioctl, 1, TCGETS2_NUMBER),
	RULE_EQUAL(ioctl, 1, TIOCGWINSZ), RULE_EQUAL(ioctl, 1, TCSETS), RULE_EQUAL(ioctl, 1, TCSETSW),
	RULE_EQUAL(ioctl, 1, TCSETSF), RULE_EQUAL(ioctl, 1, FIONREAD), RULE_EQUAL(ioctl, 1, TCFLSH),
	/* the kernel's tables; sockets are looked at from when it is asked for */
	RULE_EQUAL(bpf, 0, BPF_MAP_LOOKUP_ELEM), RULE_EQUAL(bpf, 0, BPF_MAP_UPDATE_ELEM),
	RULE_EQUAL(bpf, 0, BPF_MAP_DELETE_ELEM), RULE_EQUAL(bpf, 0, BPF_MAP_GET_NEXT_KEY),
	RULE_EQUAL(bpf, 0, BPF_MAP_LOOKUP_BATCH), RULE_EQUAL(bpf, 0, BPF_MAP_LOOKUP_AND_DELETE_BATCH),
	RULE_EQUAL(bpf, 0, BPF_MAP_LOOKUP_AND_DELETE_ELEM), RULE_EQUAL(bpf, 0, BPF_MAP_DELETE_BATCH),
	RULE_EQUAL(bpf, 0, BPF_OBJ_GET_INFO_BY_FD), RULE_EQUAL(bpf, 0, BPF_LINK_CREATE), RULE_EQUAL(bpf, 0, BPF_ITER_CREATE),
	RULE_EQUAL(bpf, 0, BPF_RAW_TRACEPOINT_OPEN),
	/* threads, of which clone3 hides what they are */
	{ .number = SYS_clone3, .needs = CONFINE_THREADS | CONFINE_NAMES, .action = NOT_THERE },
	THREADS_ANY_BIT(clone, 0, CLONE_THREAD),
	/* name services: sockets */
	NAMES(socket), NAMES(connect),
	NAMES(socketpair), NAMES(sendmmsg), NAMES(recvmmsg), NAMES(getsockopt), NAMES(getpeername), NAMES(shutdown),
	NAMES(pipe2), NAMES(epoll_create1), NAMES(epoll_ctl), NAMES(epoll_pwait), NAMES(fstatfs), NAMES(statfs), NAMES(flock),
	NAMES(getppid), NAMES(getresuid), NAMES(getresgid), NAMES(getgroups), NAMES(gettimeofday), NAMES(clock_getres), NAMES(getcwd),
	NAMES(readv), NAMES(signalfd4), NAMES(umask), NAMES(prctl),
	/* what raise(3) and abort(3) do; the value is this process's number */
	RULE_EQUAL(tgkill, 0, 0),
	/* of an intruder */
	KILLS(execve), KILLS(execveat), KILLS(ptrace), KILLS(process_vm_readv), KILLS(process_vm_writev), KILLS(kill), KILLS(tkill),
	KILLS(mount), KILLS(umount2), KILLS(pivot_root), KILLS(chroot), KILLS(unshare), KILLS(setns), KILLS(setuid), KILLS(setgid),
	KILLS(setreuid), KILLS(setregid), KILLS(setresuid), KILLS(setresgid), KILLS(setgroups), KILLS(capset), KILLS(init_module),
	KILLS(finit_module), KILLS(delete_module), KILLS(kexec_load), KILLS(reboot), KILLS(swapon), KILLS(swapoff), KILLS(add_key),
	KILLS(request_key), KILLS(keyctl), KILLS(userfaultfd), KILLS(perf_event_open), KILLS(open_by_handle_at),
	KILLS(io_uring_setup), KILLS(bpf), KILLS(personality), KILLS(pidfd_open), KILLS(pidfd_getfd), KILLS(pidfd_send_signal),
#undef RULE
#undef RULE_EQUAL
#undef RULE_NO_BIT
#undef NAMES
#undef THREADS_ANY_BIT
#undef KILLS
#undef KILLS_EQUAL
};
/* clang-format on */

/* Instructions: at most so many a rule, and those before and after all of them. */
enum { RULE_LENGTH_MAX = 5, FRAME_LENGTH = 8 };

struct program {
	struct sock_filter code[COUNT_OF(rules) * RULE_LENGTH_MAX + FRAME_LENGTH];
	unsigned short length;
};

static void add(struct program *program, struct sock_filter instruction)
{
	program->code[program->length++] = instruction;
}

static void load(struct program *program, size_t offset)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* The lower half: what the kernel takes of an int or of flags. */
static size_t argument_offset(unsigned argument)
{
	size_t half = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;

	return offsetof(struct seccomp_data, args) + 8 * argument + half;
}

static uint32_t answer(enum action action)
{
	return action == ALLOW       ? SECCOMP_RET_ALLOW
	       : action == NOT_THERE ? SECCOMP_RET_ERRNO | ENOSYS
	                             : SECCOMP_RET_KILL_PROCESS;
}

/* Each rule stands alone: it loads what it looks at, and what does not match goes on behind it. */
static void add_rule(struct program *program, const struct rule *rule)
{
	uint32_t value = rule->number == SYS_tgkill ? (uint32_t)getpid() : rule->value;

	load(program, offsetof(struct seccomp_data, nr));
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->number, 0,
	                 rule->condition == ALWAYS ? 1 : 3));
	if (rule->condition != ALWAYS) {
		unsigned short test = rule->condition == EQUAL ? BPF_JEQ : BPF_JSET;
		bool wanted = rule->condition != NO_BIT;

		load(program, argument_offset(rule->argument));
		add(program, (struct sock_filter)BPF_JUMP(
		                 BPF_JMP | test | BPF_K, value, wanted ? 0 : 1, wanted ? 1 : 0));
	}
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer(rule->action)));
}

static void make_program(struct program *program, unsigned needs)
{
	program->length = 0;
	load(program, offsetof(struct seccomp_data, arch));
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (!rules[i].needs || rules[i].needs & needs)
			add_rule(program, &rules[i]);
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
}

static void limit(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return;
	limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
	limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
	setrlimit(resource, &limit);
}

int confine_calls(unsigned needs)
{
	struct program *program = calloc(1, sizeof *program);

	if (!program)
		return -ENOMEM;
	limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
	limit(RLIMIT_NPROC, needs & (CONFINE_THREADS | CONFINE_NAMES) ? THREADS_MAX : 0);
	make_program(program, needs);
	const struct sock_fprog filter = { program->length, program->code };
	/* Positive: a thread that could not be had. */
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
	int err = result == 0 ? 0 : result < 0 ? -errno : -EBUSY;

	free(program);
	return err;
}

#endif
