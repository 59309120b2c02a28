/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/error.h"

#define WORK_DIRECTORY "work" /* current while compiling: libbcc searches it first, so it stays empty */
#define STUB_DIRECTORY "stubs"

/* libbcc reads these, and what it runs by system() would read PATH; CPATH and its like reach clang. */
static int clear_environment(void)
{
	if (clearenv() != 0 || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) != 0 ||
	    setenv("TMPDIR", "/nonexistent", 1) != 0)
		return -errno;
	return 0;
}

/* /tmp may be missing in a container's image, /run on an odd host: any directory will do to mount upon. */
static int mount_private(struct sandbox *sandbox)
{
	static const char *const places[] = { "/tmp", "/run", "/mnt", "/var", "/srv" };

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return -errno;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (mount("tcptop", places[i], "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOSUID,
		        "size=1m,nr_inodes=64,mode=0700") == 0) {
			snprintf(sandbox->root, sizeof sandbox->root, "%s", places[i]);
			return 0;
		}
	}
	return -errno;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind, (void)walk;
	return remove(path);
}

static void remove_directory(const char *path)
{
	nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/*
 * The compiler's process may be killed at any moment. A second process, which holds nothing else, waits for the end of
 * file on a pipe from it and then removes the directory. It runs in a new session, out of reach of Ctrl-C.
 */
static int start_cleaner(struct sandbox *sandbox)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	sandbox->cleaner = fork();
	if (sandbox->cleaner == 0) {
		char byte;

		setsid();
		dup2(fds[0], STDIN_FILENO);
		descriptors_close(
		    STDOUT_FILENO, INT_MAX); /* the pipe's other end, too: it would wait for itself */
		while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
			;
		remove_directory(sandbox->root);
		_exit(0);
	}
	int err = sandbox->cleaner < 0 ? -errno : 0;

	close(fds[0]);
	sandbox->pipe = fds[1];
	return err;
}

static int make_temporary(struct sandbox *sandbox)
{
	snprintf(sandbox->root, sizeof sandbox->root, "/tmp/tcptop-XXXXXX");
	if (!mkdtemp(sandbox->root)) {
		sandbox->root[0] = '\0';
		return -errno;
	}
	sandbox->temporary = true;
	int err = start_cleaner(sandbox);

	if (err) {
		remove_directory(sandbox->root);
		sandbox->temporary = false;
	}
	return err;
}

/* It is of the user's files, and in force for headers and for what the compiler prints, too. */
static void raise_file_limit(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_FSIZE, &limit) == 0 || getrlimit(RLIMIT_FSIZE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

/*
 * A directory under /tmp is this user's, who could swap what is compiled in it. That gives nobody anything where the
 * capabilities are the user's own; where they are the file's, as the kernel tells by AT_SECURE, it gives them away.
 */
static int check_caller(struct error *error)
{
	if (!getauxval(AT_SECURE))
		return 0;
	return error_set(error, EXIT_CODE_PERMISSION, -EPERM,
	    "not permitted with capabilities of the file: without CAP_SYS_ADMIN whoever calls it could run "
	    "any "
	    "BPF program\ntake them away from the file, and run it with sudo");
}

int sandbox_enter(struct sandbox *sandbox, struct error *error)
{
	memset(sandbox, 0, sizeof *sandbox);
	umask(077);
	raise_file_limit();
	int err = clear_environment();

	if (!err && mount_private(sandbox) != 0) {
		err = check_caller(error);
		if (err)
			return err;
		err = make_temporary(sandbox);
	}
	if (!err &&
	    (chdir(sandbox->root) != 0 || mkdir(WORK_DIRECTORY, 0700) != 0 || chdir(WORK_DIRECTORY) != 0))
		err = -errno;
	if (err && error_remedy(err))
		return error_set(error, EXIT_CODE_RUNTIME, err, "cannot compile: %s", strerror(-err));
	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err,
		    "cannot compile: it needs a writable /tmp: %s\nin a container: start it with --tmpfs "
		    "/tmp; in a "
		    "pod: an emptyDir at /tmp",
		    strerror(-err));
	return 0;
}

static int write_file(const char *path, const char *text)
{
	char directory[256];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
		if (mkdir(directory, 0700) != 0 && errno != EEXIST)
			return -errno;
	}
	FILE *stream = fopen(path, "wxe");

	if (!stream)
		return -errno;
	fputs(text, stream);
	return fclose(stream) == 0 ? 0 : -errno;
}

void sandbox_shorten_symbols(struct sandbox *sandbox)
{
	char path[128];

	if (sandbox->temporary)
		return;
	snprintf(path, sizeof path, "%s/kallsyms", sandbox->root);
	if (write_file(path, "ffffffff81000000 T bpf_probe_read_kernel\n") == 0)
		mount(path, "/proc/kallsyms", NULL, MS_BIND, NULL);
}

int sandbox_add_header(struct sandbox *sandbox, const char *path, const char *text, struct error *error)
{
	char root[128], file[256];

	snprintf(root, sizeof root, "%s/" STUB_DIRECTORY, sandbox->root);
	snprintf(file, sizeof file, "%s/include/%s", root, path);
	int err = write_file(file, text);

	if (!err && setenv("BCC_KERNEL_SOURCE", root, 1) != 0)
		err = -errno;
	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err, "cannot write the stub headers into %s: %s",
		    sandbox->root, strerror(-err));
	return 0;
}

void sandbox_leave(struct sandbox *sandbox)
{
	if (!sandbox->temporary)
		return;
	sandbox->temporary = false;
	close(sandbox->pipe);
	waitpid(sandbox->cleaner, NULL, 0);
}
