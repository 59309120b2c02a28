/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/error.h"
#include "base/passing.h"
#include "loader/privilege.h"

#define MODE 0644
#define END_TRIES 100
#define END_TRY_US 2000
#define ANSWER_MS 3000 /* a file system that hangs is not waited for */

enum wish { APPEND, READ, REPLACE, TRY, REMOVE };

struct keeper {
	int socket;
	pid_t child;
	bool owes; /* an answer that was not waited for */
};

/* ---- the child ---- */

struct place {
	int directory;
	char name[NAME_MAX + 1];
	char temporary[NAME_MAX + 8]; /* ".NAME.tmp": collectors read names with their own ending alone */
	dev_t device;                 /* of what was put there last */
	ino_t inode;
};

/* A run that was killed may have left one. Nothing that stands there is written through. */
static int open_temporary(const struct place *place)
{
	unlinkat(place->directory, place->temporary, 0);
	int fd = openat(
	    place->directory, place->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);

	return fd < 0 ? -errno : fd;
}

static int try(const struct place *place)
{
	int fd = open_temporary(place);

	if (fd < 0)
		return fd;
	close(fd);
	return unlinkat(place->directory, place->temporary, 0) == 0 ? 0 : -errno;
}

static int replace(struct place *place, int from)
{
	struct stat status = { 0 };
	int fd = open_temporary(place);

	if (fd < 0)
		return fd;
	int err = passing_copy(from, fd);

	if (!err && (fchmod(fd, MODE) != 0 || fstat(fd, &status) != 0)) /* whatever the umask is */
		err = -errno;
	if (close(fd) != 0 && !err)
		err = -errno;
	if (!err && renameat(place->directory, place->temporary, place->directory, place->name) != 0)
		err = -errno;
	if (err) {
		unlinkat(place->directory, place->temporary, 0);
		return err;
	}
	place->device = status.st_dev;
	place->inode = status.st_ino;
	return 0;
}

static int remove_own(const struct place *place)
{
	struct stat status;

	if (!place->inode || fstatat(place->directory, place->name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
	    status.st_dev != place->device || status.st_ino != place->inode)
		return 0;
	return unlinkat(place->directory, place->name, 0) == 0 ? 0 : -errno;
}

/* Else the next line would be part of the one that was cut off. */
static void end_last_line(const struct place *place, int fd)
{
	struct stat status;
	char last = '\n';

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
		return;
	int reader = openat(place->directory, place->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (reader >= 0 && pread(reader, &last, 1, status.st_size - 1) == 1 && last != '\n')
		passing_write_all(fd, "\n", 1); /* if it fails, so will what follows */
	if (reader >= 0)
		close(reader);
}

/* Whoever else can write in the directory may have put a link there, to a file that this process alone can write. */
static bool is_shared(const struct place *place)
{
	struct stat directory;

	return fstat(place->directory, &directory) != 0 || directory.st_uid != geteuid() ||
	       (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static int check_links(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	return S_ISREG(status.st_mode) && status.st_nlink != 1 ? -EMLINK : 0;
}

static int append(const struct place *place)
{
	bool shared = is_shared(place);
	int fd = openat(place->directory, place->name,
	    O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (shared ? O_NOFOLLOW : 0),
	    MODE);

	if (fd < 0)
		return -errno;
	int err = shared ? check_links(fd) : 0;

	if (!err && fcntl(fd, F_SETFL, O_APPEND) != 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	end_last_line(place, fd);
	return fd;
}

/* A descriptor, or -errno: of a file as append() takes one. */
static int open_to_read(const struct place *place)
{
	bool shared = is_shared(place);
	struct stat status;
	int fd = openat(place->directory, place->name,
	    O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (shared ? O_NOFOLLOW : 0));

	if (fd < 0)
		return -errno;
	int err = fstat(fd, &status) != 0 ? -errno : !S_ISREG(status.st_mode) ? -ENOENT : 0;

	if (err)
		close(fd);
	return err ?: fd;
}

static void serve(int socket, struct place *place)
{
	enum wish wish;
	int from;

	while (passing_receive(socket, &wish, sizeof wish, &from) == 0) {
		int result = wish == APPEND    ? append(place)
		             : wish == READ    ? open_to_read(place)
		             : wish == REPLACE ? replace(place, from)
		             : wish == TRY     ? try(place)
		                               : remove_own(place);
		int opened = (wish == APPEND || wish == READ) && result >= 0 ? result : -1;

		if (opened >= 0)
			result = 0;
		int err = passing_send(socket, &result, sizeof result, opened, 0);

		if (from >= 0)
			close(from);
		if (opened >= 0)
			close(opened);
		if (err)
			return;
	}
}

/* Where this process may not become another user, or the user namespace does not know the owner, the user stays. */
static int become_owner(int directory)
{
	struct stat status;

	if (fstat(directory, &status) != 0)
		return -errno;
	privilege_drop_bounds();
	if (geteuid() == 0 && status.st_uid != 0 && setgroups(0, NULL) == 0 &&
	    setresgid(status.st_gid, status.st_gid, status.st_gid) == 0 &&
	    setresuid(status.st_uid, status.st_uid, status.st_uid) != 0 && errno != EINVAL && errno != EPERM)
		return -errno;
	return privilege_give_up();
}

/* Signals of the terminal do not end it: it does when its parent has, which may have something to remove. */
static _Noreturn void child(int socket, struct place *place)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGXFSZ };

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "tcptop-keeper");
	if (become_owner(place->directory) == 0) {
		confine_calls(CONFINE_KEEPER); /* what it cannot be, its parent cannot either, and tells */
		serve(socket, place);
	}
	_exit(0);
}

/* ---- the parent ---- */

static int find_place(struct place *place, const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char directory[PATH_MAX];
	size_t length = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > NAME_MAX - 5 ||
	    length >= sizeof directory)
		return error_set(error, EXIT_CODE_USAGE, -EINVAL, "%.300s is no path of a file", path);
	snprintf(directory, sizeof directory, "%.*s", length ? (int)length : 1, length ? path : ".");
	snprintf(place->name, sizeof place->name, "%s", name);
	snprintf(place->temporary, sizeof place->temporary, ".%s.tmp", place->name);
	place->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->directory < 0)
		return error_set(error, EXIT_CODE_OUTPUT, -errno, "cannot open the directory of %.300s: %s",
		    path, strerror(errno));
	return 0;
}

static int start(struct keeper *keeper, struct place *place)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return -errno;
	keeper->socket = sockets[0];
	keeper->child = fork();
	if (keeper->child == 0) {
		close(sockets[0]);
		child(sockets[1], place);
	}
	int err = keeper->child < 0 ? -errno : 0;

	close(sockets[1]);
	if (err)
		close(sockets[0]);
	return err;
}

int keeper_open(struct keeper **keeper, const char *path, struct error *error)
{
	struct place place = { .directory = -1 };
	struct keeper *new = calloc(1, sizeof *new);

	*keeper = NULL;
	if (!new)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	int err = find_place(&place, path, error);

	if (!err && (err = start(new, &place)) < 0)
		error_set(error, EXIT_CODE_RUNTIME, err, "cannot start a process: %s", strerror(-err));
	if (place.directory >= 0)
		close(place.directory);
	if (err)
		free(new);
	else
		*keeper = new;
	return err;
}

void keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	close(keeper->socket);
	/* It ends with the socket, unless a file system keeps it. */
	for (int i = 0; i < END_TRIES && waitpid(keeper->child, NULL, WNOHANG) == 0; i++)
		usleep(END_TRY_US);
	free(keeper);
}

pid_t keeper_process(const struct keeper *keeper)
{
	return keeper ? keeper->child : 0;
}

/* 0 with *result and *opened, or -1: -errno is the result then. */
static int receive(struct keeper *keeper, int timeout_ms, int *result, int *opened)
{
	struct pollfd answer = { .fd = keeper->socket, .events = POLLIN };
	int ready;

	*opened = -1;
	do
		ready = poll(&answer, 1, timeout_ms);
	while (ready < 0 && errno == EINTR);
	keeper->owes = ready == 0;
	if (ready > 0 && passing_receive(keeper->socket, result, sizeof *result, opened) == 0)
		return 0;
	*result = ready == 0 ? -ETIMEDOUT : -ESRCH; /* a child that is gone is no reader that is */
	return -1;
}

/*
 * fd: what goes along, or -1. *opened: what came back, or -1. -ETIMEDOUT: the child still does what it was asked for, now or
 * before: nothing else is asked meanwhile.
 */
static int ask(struct keeper *keeper, enum wish wish, int fd, int *opened)
{
	int result;

	*opened = -1;
	if (keeper->owes && receive(keeper, 0, &result, opened) < 0)
		return result;
	if (*opened >= 0)
		close(*opened);
	if (passing_send(keeper->socket, &wish, sizeof wish, fd, 0) != 0)
		return -ESRCH;
	receive(keeper, ANSWER_MS, &result, opened);
	return result;
}

int keeper_append(struct keeper *keeper)
{
	int opened, err = ask(keeper, APPEND, -1, &opened);

	return opened >= 0 ? opened : err < 0 ? err : -EMFILE;
}

int keeper_read(struct keeper *keeper, char *bytes, size_t size)
{
	int opened, err = ask(keeper, READ, -1, &opened);

	if (opened < 0)
		return err == -ENOENT ? 0 : err < 0 ? err : -EMFILE;
	ssize_t count = pread(opened, bytes, size, 0);

	err = count < 0 ? -errno : 0;
	close(opened);
	return err ?: (int)count;
}

int keeper_replace(struct keeper *keeper, const char *bytes, size_t size)
{
	int fd = memfd_create("tcptop", MFD_CLOEXEC), unused;

	if (fd < 0)
		return -errno;
	int err = passing_write_all(fd, bytes, size) ?: ask(keeper, REPLACE, fd, &unused);

	close(fd);
	return err;
}

int keeper_try(struct keeper *keeper)
{
	int unused;

	return ask(keeper, TRY, -1, &unused);
}

int keeper_remove(struct keeper *keeper)
{
	int unused;

	return ask(keeper, REMOVE, -1, &unused);
}
