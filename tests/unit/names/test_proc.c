/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_root.h"

#include <stdbool.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/pid_namespace.h"
#include "names/proc.h"

#define KTHREADD "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 20 0 0\n"
#define ORDINARY "2 (kthreadd) S 1 2 2 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 20 0 0\n"

static int64_t now_s(void)
{
	return time(NULL);
}

/* A process that began so many seconds after the boot. */
static void add_process(uint32_t pid, const char *comm, uint64_t start_s)
{
	char path[64], text[256];

	snprintf(path, sizeof path, "/proc/%u/stat", pid);
	snprintf(text, sizeof text, "%u (%s) S 1 2 3 0 -1 4194560 4 5 6 7 8 9 10 11 20 0 1 0 %llu 14 15\n",
	    pid, comm, (unsigned long long)(start_s * (uint64_t)sysconf(_SC_CLK_TCK)));
	add_file(path, text);
	snprintf(path, sizeof path, "/proc/%u/cmdline", pid);
	add_file(path, "words");
}

/* When the process that has the PID now began. */
static int64_t start_of(const struct proc *proc, uint32_t pid)
{
	const char *why = NULL;
	int64_t start_s;
	FILE *file = proc_file(proc, pid, INT64_MAX, "cmdline", &start_s, &why);

	if (file)
		fclose(file);
	return start_s;
}

/* Says what is to be known, and what is read of process 700. */
static void expect(bool known, const char *why_pattern)
{
	struct proc proc;
	const char *why = NULL;
	int64_t start_s;

	proc_open(&proc, root);
	assert_int_equal(proc_is_known(&proc), known);
	FILE *file = proc_file(&proc, 700, now_s(), "cmdline", &start_s, &why);

	assert_int_equal(file != NULL, known);
	if (file) {
		fclose(file);
	} else if (!strstr(why, why_pattern)) {
		fail_msg("'%s' lacks '%s'", why, why_pattern);
	}
	assert_int_equal(start_of(&proc, 700) > 0, known);
	proc_close(&proc);
	proc_close(&proc);
}

static void kernel_threads_tell_the_initial_namespace(void **state)
{
	(void)state;
	add_process(700, "web", 1);
	add_file("/proc/2/stat", KTHREADD);
	expect(true, "");
}

/* Whatever its name: a process in a container can choose that. */
static void an_ordinary_second_process_tells_another_namespace(void **state)
{
	(void)state;
	add_process(700, "web", 1);
	add_file("/proc/2/stat", ORDINARY);
	expect(false, "another PID namespace");
}

static void without_a_second_process_nothing_is_known(void **state)
{
	(void)state;
	add_process(700, "web", 1);
	expect(false, "another PID namespace");
	add_file("/proc/2/stat", "2 (kthreadd");
	expect(false, "another PID namespace");
}

static void without_proc_nothing_is_known(void **state)
{
	(void)state;
	expect(false, "no /proc");
}

/* hidepid hides the kernel threads, but not this process. */
static void this_process_tells_its_namespace(void **state)
{
	int initial = pid_namespace_is_initial("");

	(void)state;
	assert_int_equal(pid_namespace_is_initial(root), -ENOENT);
	add_process(700, "web", 1);
	add_link("/proc/self/ns/pid", "/proc/self/ns/pid");
	assert_int_equal(pid_namespace_is_initial(root), initial);
	expect(initial == 1, "another PID namespace");
	unlink(below_root("/proc/self/ns/pid"));
	add_link("/proc/self/ns/pid", "/proc/self/ns/mnt"); /* no namespace of PIDs, so not the initial one */
	assert_int_equal(pid_namespace_is_initial(root), 0);
	expect(false, "another PID namespace");
}

static void expect_file(const struct proc *proc, uint32_t pid, int64_t seen_s, const char *pattern)
{
	const char *why = NULL;
	int64_t start_s;
	FILE *file = proc_file(proc, pid, seen_s, "cmdline", &start_s, &why);
	char text[16] = "";

	assert_int_equal(file == NULL, pattern != NULL);
	if (file) {
		assert_non_null(fgets(text, sizeof text, file));
		assert_string_equal(text, "words");
		fclose(file);
	} else {
		assert_non_null(strstr(why, pattern));
	}
}

static void a_process_that_began_later_is_another_one(void **state)
{
	struct timespec boot;
	struct proc proc;

	(void)state;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	add_file("/proc/2/stat", KTHREADD);
	add_process(700, "a (b) 1 2 S", 1);
	add_process(701, "new) S 1 1", (uint64_t)boot.tv_sec);
	proc_open(&proc, root);
	expect_file(&proc, 700, now_s(), NULL);
	expect_file(&proc, 700, now_s() - boot.tv_sec + 3, NULL);
	expect_file(&proc, 700, now_s() - boot.tv_sec - 3, "another process");
	expect_file(&proc, 701, now_s() + 1, NULL);
	expect_file(&proc, 701, now_s() - 5, "another process");
	expect_file(&proc, 702, now_s(), "ended");
	add_file("/proc/703/stat", "703 (broken");
	add_file("/proc/703/cmdline", "words");
	expect_file(&proc, 703, now_s(), "ended");
	/* The last start whose nanoseconds are a number of 64 bits with a sign: with the wall clock's they are not. */
	add_process(704, "web", INT64_MAX / INT64_C(1000000000));
	expect_file(&proc, 704, INT64_MAX, "ended");
	assert_true(start_of(&proc, 701) >= now_s() - 3 && start_of(&proc, 701) <= now_s() + 1);
	assert_true(start_of(&proc, 702) < 0);
	proc_close(&proc);
}

static void threads_have_a_process(void **state)
{
	struct proc proc;

	(void)state;
	add_file("/proc/2/stat", KTHREADD);
	add_file("/proc/700/status", "Name:\tTgid: 5\nUmask:\t0022\nTgid:\t700\nPid:\t700\n");
	add_file("/proc/701/status", "Name:\tweb\nTgid:\t700\nPid:\t701\n");
	add_file("/proc/703/status", "Name:\tweb\n");
	proc_open(&proc, root);
	assert_int_equal(proc_thread_group(&proc, 700), 700);
	assert_int_equal(proc_thread_group(&proc, 701), 700);
	assert_int_equal(proc_thread_group(&proc, 702), 0);
	assert_int_equal(proc_thread_group(&proc, 703), 0);
	proc_close(&proc);
	assert_int_equal(proc_thread_group(&proc, 700), 0);
}

/* The running kernel's own: a child's time of birth, and that it has gone. */
static void a_child_is_known_from_its_birth_to_its_end(void **state)
{
	struct proc proc;
	const char *why = NULL;
	int64_t before_s = now_s();
	FILE *file;

	(void)state;
	proc_open(&proc, "");
	if (!proc_is_known(&proc)) {
		print_message("skipped: /proc does not show the initial PID namespace here\n");
		skip();
	}
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	int64_t start_s = start_of(&proc, (uint32_t)child);

	assert_true(start_s >= before_s - 1 && start_s <= now_s());
	file = proc_file(&proc, (uint32_t)child, now_s(), "cmdline", &start_s, &why);
	assert_non_null(file);
	assert_null(proc_file(&proc, (uint32_t)child, before_s - 2, "cmdline", &start_s, &why));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
	assert_null(proc_file(&proc, (uint32_t)child, now_s(), "cmdline", &start_s, &why));
	assert_int_equal(proc_thread_group(&proc, (uint32_t)child), 0);
	proc_close(&proc);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(kernel_threads_tell_the_initial_namespace),
		TEST(an_ordinary_second_process_tells_another_namespace),
		TEST(without_a_second_process_nothing_is_known),
		TEST(without_proc_nothing_is_known),
		TEST(this_process_tells_its_namespace),
		TEST(a_process_that_began_later_is_another_one),
		TEST(threads_have_a_process),
		TEST(a_child_is_known_from_its_birth_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
