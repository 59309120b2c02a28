/* SPDX-License-Identifier: Apache-2.0 */
#include "base/confine.h"

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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

#define DESCRIPTORS_MAX 128
#define THREADS_MAX 1024 /* of the user's: other tcptops are counted, too */

void confine_tell(bool verbose, const char *program, const char *what, int err)
{
	if (err && verbose)
		fprintf(stderr, "%s: not confined by %s: %s\n", program, what, strerror(-err));
}

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

/* gcc has a macro for each sanitizer, clang asks so: refused a dup(2), its runtime never ends. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
#undef ARCHITECTURE
#endif

#ifndef ARCHITECTURE

int confine_calls(enum confine_list list)
{
	(void)list;
	return -ENOSYS;
}

#else

#define TCGETS2_NUMBER 0x802c542a /* what isatty(3) and tcgetattr(3) ask since glibc 2.42 */

enum condition { ALWAYS, EQUAL, NO_BIT, ANY_BIT };
enum action { ALLOW, NOT_THERE, KILL };

#define OF_EVERY (~0U)
#define OF_SHOWS (CONFINE_PLAIN | CONFINE_THREADS)
#define OF_BOTH (OF_SHOWS | CONFINE_NAMES)
#define OF_THREADS (CONFINE_THREADS | CONFINE_NAMES)
#define OF_FILES (CONFINE_KEEPER | CONFINE_WRITER)
#define READ_ONLY (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

/* clang-format off */
/* By number, in the lists that are named; an argument, of which the lower half counts, has to be so. The first match counts. */
static const struct rule {
	int number;
	enum action action;
	unsigned lists;
	enum condition condition;
	unsigned argument;
	uint32_t value;
} rules[] = {
#define RULE(name, of) { .number = SYS_##name, .lists = (of) }
#define RULE_ON(name, of, test, n, v) \
	{ .number = SYS_##name, .lists = (of), .condition = (test), .argument = (n), .value = (v) }
#define EVERY(name) RULE(name, OF_EVERY)
#define EVERY_EQUAL(name, n, v) RULE_ON(name, OF_EVERY, EQUAL, n, v)
#define EVERY_NO_BIT(name, n, v) RULE_ON(name, OF_EVERY, NO_BIT, n, v)
#define BOTH(name) RULE(name, OF_BOTH)
#define SHOWS(name) RULE(name, OF_SHOWS)
#define SHOWS_EQUAL(name, n, v) RULE_ON(name, OF_SHOWS, EQUAL, n, v)
#define THREADS_ANY_BIT(name, n, v) RULE_ON(name, OF_THREADS, ANY_BIT, n, v)
#define NAMES(name) RULE(name, CONFINE_NAMES)
#define NAMES_EQUAL(name, n, v) RULE_ON(name, CONFINE_NAMES, EQUAL, n, v)
#define FILES(name) RULE(name, OF_FILES)
#define WRITER(name) RULE(name, CONFINE_WRITER)
#define SIDES(name) RULE(name, CONFINE_SIDES)
#define SIDES_ANY_BIT(name, n, v) RULE_ON(name, CONFINE_SIDES, ANY_BIT, n, v)
#define KILLS(name) { .number = SYS_##name, .lists = OF_EVERY, .action = KILL }
#define KILLS_EQUAL(name, n, v) \
	{ .number = SYS_##name, .lists = OF_EVERY, .action = KILL, .condition = EQUAL, .argument = (n), .value = (v) }
	/* bytes, memory, time, signals, the end; files are read; code is mapped for name services, and by a program that begins */
	EVERY(read), EVERY(write), EVERY(pread64), EVERY(lseek), EVERY(close), EVERY(fstat), EVERY(newfstatat), EVERY(fcntl), EVERY(sendmsg),
	EVERY(recvmsg), EVERY(sendto), EVERY(recvfrom), EVERY(ppoll), EVERY(futex), EVERY(clock_gettime), EVERY(clock_nanosleep),
	EVERY(nanosleep), EVERY(munmap), EVERY(mremap), EVERY(madvise), EVERY(brk), EVERY(rt_sigaction), EVERY(rt_sigprocmask),
	EVERY(rt_sigreturn), EVERY(sigaltstack), EVERY(restart_syscall), EVERY(exit), EVERY(exit_group), EVERY(set_robust_list), EVERY(rseq),
	EVERY(getpid), EVERY(gettid), EVERY(getrandom), EVERY(getuid), EVERY(getgid), EVERY(geteuid), EVERY(getegid),
#ifdef SYS_poll
	EVERY(poll),
	EVERY_NO_BIT(open, 1, READ_ONLY),
#endif
	EVERY_NO_BIT(openat, 2, READ_ONLY), EVERY_NO_BIT(mmap, 2, PROT_EXEC), EVERY_NO_BIT(mprotect, 2, PROT_EXEC),
	/* what is shown, and what name services do as well */
	BOTH(writev), BOTH(statx), BOTH(eventfd2), BOTH(rt_sigpending), BOTH(rt_sigtimedwait), BOTH(uname), BOTH(sysinfo), BOTH(sched_yield),
	BOTH(sched_getaffinity), BOTH(getdents64), BOTH(readlinkat), BOTH(faccessat), BOTH(faccessat2), BOTH(prlimit64), BOTH(setsockopt), BOTH(bind),
	BOTH(getsockname), BOTH(shutdown), BOTH(memfd_create), BOTH(timerfd_create), BOTH(timerfd_settime),
#ifdef SYS_poll
	BOTH(stat), BOTH(lstat), BOTH(access), BOTH(readlink),
#endif
	/* the loop and the terminal; interfaces by netlink */
	SHOWS(ftruncate), SHOWS(dup3), SHOWS(wait4), SHOWS(sched_setscheduler), SHOWS(capget), SHOWS_EQUAL(socket, 0, AF_NETLINK),
	SHOWS_EQUAL(connect, 2, sizeof(struct sockaddr_nl)),
#ifdef SYS_dup2
	SHOWS(dup2),
#endif
	KILLS_EQUAL(ioctl, 1, TIOCSTI), KILLS_EQUAL(ioctl, 1, TIOCLINUX),
	SHOWS_EQUAL(ioctl, 1, SIOCETHTOOL), SHOWS_EQUAL(ioctl, 1, SIOCGIFNAME), SHOWS_EQUAL(ioctl, 1, TCGETS), SHOWS_EQUAL(ioctl, 1, TCGETS2_NUMBER),
	SHOWS_EQUAL(ioctl, 1, TIOCGWINSZ), SHOWS_EQUAL(ioctl, 1, TCSETS), SHOWS_EQUAL(ioctl, 1, TCSETSW),
	SHOWS_EQUAL(ioctl, 1, TCSETSF), SHOWS_EQUAL(ioctl, 1, FIONREAD), SHOWS_EQUAL(ioctl, 1, TCFLSH),
	/* the kernel's tables; sockets are looked at from when it is asked for */
	SHOWS_EQUAL(bpf, 0, BPF_MAP_LOOKUP_ELEM), SHOWS_EQUAL(bpf, 0, BPF_MAP_UPDATE_ELEM),
	SHOWS_EQUAL(bpf, 0, BPF_MAP_DELETE_ELEM), SHOWS_EQUAL(bpf, 0, BPF_MAP_GET_NEXT_KEY),
	SHOWS_EQUAL(bpf, 0, BPF_MAP_LOOKUP_BATCH), SHOWS_EQUAL(bpf, 0, BPF_MAP_LOOKUP_AND_DELETE_BATCH),
	SHOWS_EQUAL(bpf, 0, BPF_MAP_LOOKUP_AND_DELETE_ELEM), SHOWS_EQUAL(bpf, 0, BPF_MAP_DELETE_BATCH),
	SHOWS_EQUAL(bpf, 0, BPF_OBJ_GET_INFO_BY_FD), SHOWS_EQUAL(bpf, 0, BPF_LINK_CREATE), SHOWS_EQUAL(bpf, 0, BPF_ITER_CREATE),
	SHOWS_EQUAL(bpf, 0, BPF_RAW_TRACEPOINT_OPEN),
	/* threads, of which clone3 hides what they are */
	{ .number = SYS_clone3, .lists = OF_THREADS, .action = NOT_THERE },
	THREADS_ANY_BIT(clone, 0, CLONE_THREAD),
	/* name services: sockets, modules */
	NAMES_EQUAL(socket, 0, AF_UNIX), NAMES_EQUAL(socket, 0, AF_INET), NAMES_EQUAL(socket, 0, AF_INET6), NAMES_EQUAL(socket, 0, AF_NETLINK),
	NAMES(mmap), NAMES(mprotect), NAMES(connect), NAMES(socketpair), NAMES(sendmmsg), NAMES(recvmmsg), NAMES(getsockopt), NAMES(getpeername),
	NAMES(pipe2), NAMES(epoll_create1), NAMES(epoll_ctl), NAMES(epoll_pwait), NAMES(fstatfs), NAMES(statfs), NAMES(flock),
	NAMES(getppid), NAMES(getresuid), NAMES(getresgid), NAMES(getgroups), NAMES(gettimeofday), NAMES(clock_getres), NAMES(getcwd),
	NAMES(readv), NAMES(signalfd4), NAMES(umask), NAMES(prctl), NAMES_EQUAL(ioctl, 1, FIONREAD),
	/* files of the directory's owner, or of the caller */
	FILES(openat), FILES(unlinkat), FILES(fchmod), WRITER(mkdirat),
#ifdef SYS_renameat
	FILES(renameat),
#endif
	FILES(renameat2),
#ifdef SYS_rename
	FILES(open), WRITER(rename), WRITER(unlink), WRITER(mkdir),
#endif
	/* connections, pipes, rings, processes of all kinds, of nobody and in a namespace of their own; also across exec */
	SIDES(socket), SIDES(connect), SIDES(bind), SIDES(listen), SIDES(accept4), SIDES(accept), SIDES(shutdown), SIDES(socketpair), SIDES(setsockopt),
	SIDES(getsockopt), SIDES(getsockname), SIDES(getpeername), SIDES(sendmmsg), SIDES(recvmmsg), SIDES(readv), SIDES(writev), SIDES(splice),
	SIDES(tee), SIDES(vmsplice), SIDES(sendfile), SIDES(pipe2), SIDES(io_uring_setup), SIDES(io_uring_enter), SIDES(io_uring_register),
	SIDES(clone), SIDES(clone3), SIDES(wait4), SIDES(kill), SIDES(execve), SIDES(getppid), SIDES(prctl), SIDES(prlimit64), SIDES(ioctl),
	SIDES(openat), SIDES(memfd_create), SIDES(ftruncate), SIDES(mmap), SIDES(mprotect), SIDES(set_tid_address), SIDES(readlinkat),
	SIDES(faccessat), SIDES(getdents64), SIDES(sched_yield), SIDES(sched_getaffinity), SIDES(statx), SIDES(uname), SIDES(sysinfo),
	SIDES_ANY_BIT(unshare, 0, CLONE_NEWNET),
#ifdef SYS_arch_prctl
	SIDES(arch_prctl), SIDES(access), SIDES(readlink), SIDES(stat),
#endif
	/* what raise(3) and abort(3) do; the value is this process's number */
	EVERY_EQUAL(tgkill, 0, 0),
	/* of an intruder */
	KILLS(execve), KILLS(execveat), KILLS(ptrace), KILLS(process_vm_readv), KILLS(process_vm_writev), KILLS(kill), KILLS(tkill),
	KILLS(mount), KILLS(umount2), KILLS(pivot_root), KILLS(chroot), KILLS(unshare), KILLS(setns), KILLS(setuid), KILLS(setgid),
	KILLS(setreuid), KILLS(setregid), KILLS(setresuid), KILLS(setresgid), KILLS(setgroups), KILLS(capset), KILLS(init_module),
	KILLS(finit_module), KILLS(delete_module), KILLS(kexec_load), KILLS(reboot), KILLS(swapon), KILLS(swapoff), KILLS(add_key),
	KILLS(request_key), KILLS(keyctl), KILLS(userfaultfd), KILLS(perf_event_open), KILLS(open_by_handle_at),
	KILLS(io_uring_setup), KILLS(bpf), KILLS(personality), KILLS(pidfd_open), KILLS(pidfd_getfd), KILLS(pidfd_send_signal),
#undef RULE
#undef RULE_ON
#undef EVERY
#undef EVERY_EQUAL
#undef EVERY_NO_BIT
#undef BOTH
#undef SHOWS
#undef SHOWS_EQUAL
#undef THREADS_ANY_BIT
#undef NAMES
#undef NAMES_EQUAL
#undef FILES
#undef WRITER
#undef SIDES
#undef SIDES_ANY_BIT
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

static void make_program(struct program *program, enum confine_list list)
{
	program->length = 0;
	load(program, offsetof(struct seccomp_data, arch));
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		if (rules[i].lists & list)
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

int confine_calls(enum confine_list list)
{
	struct program *program = calloc(1, sizeof *program);

	if (!program)
		return -ENOMEM;
	if (list != CONFINE_SIDES) { /* which have as many as their path has connections */
		limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
		limit(RLIMIT_NPROC, list & OF_THREADS ? THREADS_MAX : 0);
	}
	make_program(program, list);
	const struct sock_fprog filter = { program->length, program->code };
	/* Positive: a thread that could not be had. */
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
	int err = result == 0 ? 0 : result < 0 ? -errno : -EBUSY;

	free(program);
	return err;
}

#endif
