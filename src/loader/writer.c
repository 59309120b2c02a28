/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/error.h"
#include "base/passing.h"
#include "base/util.h"
#include "loader/privilege.h"

#define PATIENCE_MS 1000
#define SAME_SECOND_MAX 100
#define READ_SETTINGS (-1)
#define END_TRIES 100
#define END_TRY_US 2000

struct writer {
	int socket;
	pid_t child;
	unsigned number; /* of the request made last */
};

struct request {
	unsigned number;
	int file; /* enum writer_file, with a memfd beside it, or READ_SETTINGS */
};

struct answer {
	unsigned number;
	int result;
	char name[WRITER_NAME_SIZE];
	char settings[WRITER_SETTINGS_MAX + 1];
};

/* ---- the child ---- */

/* The user's home by the user database, as sudo may have kept root's HOME or the user's. */
struct caller {
	uid_t uid;
	gid_t gid;
	bool is_sudo;
	char home[PATH_MAX];
};

static bool parse_id(const char *text, unsigned *id)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long number = strtoul(text, &end, 10);

	*id = (unsigned)number;
	return !errno && !*end && number < UINT32_MAX;
}

/* SUDO_UID counts for root alone, who could be anyone anyhow. */
static void find_caller(struct caller *caller)
{
	unsigned uid, gid;
	const char *home = getenv("HOME");

	*caller = (struct caller){ .uid = getuid(), .gid = getgid() };
	if (caller->uid == 0 && parse_id(getenv("SUDO_UID"), &uid) && parse_id(getenv("SUDO_GID"), &gid)) {
		caller->is_sudo = uid != 0;
		caller->uid = uid;
		caller->gid = gid;
	}
	struct passwd *user = caller->is_sudo || !home ? getpwuid(caller->uid) : NULL;

	home = caller->is_sudo || !home ? (user ? user->pw_dir : "") : home;
	if (strlen(home) < sizeof caller->home)
		strcpy(caller->home, home);
}

/* Of another user's environment only that user's own directories count. */
static int settings_path(const struct caller *caller, char path[WRITER_NAME_SIZE], bool make)
{
	const char *base = caller->is_sudo ? NULL : getenv("XDG_CONFIG_HOME");
	const char *const parts[] = { base && *base == '/' ? base : caller->home,
		base && *base == '/' ? "" : "/.config", "/tcptop", "/settings" };
	size_t used = 0;

	if (parts[0][0] != '/')
		return -ENOENT;
	path[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		used += (size_t)snprintf(path + used, WRITER_NAME_SIZE - used, "%s", parts[i]);
		if (used >= WRITER_NAME_SIZE)
			return -ENAMETOOLONG;
		if (make && i < 3 && mkdir(path, 0700) != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int finish(int fd, int from, const char *name)
{
	int err = passing_copy(from, fd);

	if (close(fd) != 0 && !err)
		err = -errno;
	if (err)
		unlink(name);
	return err;
}

/* Never over one that is there. */
static int write_new(int from, const char *suffix, char name[WRITER_NAME_SIZE])
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;
	int fd = -1;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
	for (int i = 1; fd < 0 && i <= SAME_SECOND_MAX; i++) {
		if (i == 1)
			snprintf(name, WRITER_NAME_SIZE, "tcptop-%s.%s", stamp, suffix);
		else
			snprintf(name, WRITER_NAME_SIZE, "tcptop-%s-%d.%s", stamp, i, suffix);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0 && errno != EEXIST)
			return -errno;
	}
	return fd < 0 ? -EEXIST : finish(fd, from, name);
}

/* As a whole or not at all; what stands there, be it a link, is replaced and not written through. */
static int write_settings(const struct caller *caller, int from, char name[WRITER_NAME_SIZE])
{
	char temporary[WRITER_NAME_SIZE + 8];
	int err = settings_path(caller, name, true);

	if (err)
		return err;
	snprintf(temporary, sizeof temporary, "%s.XXXXXX", name);
	int fd = mkostemp(temporary, O_CLOEXEC);

	err = fd < 0 ? -errno : finish(fd, from, temporary);
	if (!err && rename(temporary, name) != 0) {
		err = -errno;
		unlink(temporary);
	}
	return err;
}

/* A pipe or a device there must not be waited for. */
static int read_settings(const struct caller *caller, struct answer *answer)
{
	struct stat stat;
	int err = settings_path(caller, answer->name, false);
	int fd = err ? -1 : open(answer->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err ? err : -errno;
	ssize_t count = -EINVAL;

	if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
		count = stat.st_size > WRITER_SETTINGS_MAX ? -EFBIG
		                                           : read(fd, answer->settings, WRITER_SETTINGS_MAX);
	if (count == -1)
		count = -errno;
	close(fd);
	return (int)count;
}

/* What a request of a user without rights can ask for: the name is not its to choose. */
static void serve(int socket, const struct caller *caller)
{
	struct request request;
	int fd;

	while (passing_receive(socket, &request, sizeof request, &fd) == 0) {
		struct answer answer = { .number = request.number, .result = -EINVAL };

		if (request.file == READ_SETTINGS)
			answer.result = read_settings(caller, &answer);
		else if (request.file == WRITER_SETTINGS)
			answer.result = write_settings(caller, fd, answer.name);
		else if (request.file == WRITER_TEXT || request.file == WRITER_JSON)
			answer.result =
			    write_new(fd, request.file == WRITER_TEXT ? "txt" : "jsonl", answer.name);
		if (fd >= 0)
			close(fd);
		if (send(socket, &answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer)
			break;
	}
}

/* From root to the caller with all of its groups and no capability. The user stays where it is no root. */
static int become(const struct caller *caller)
{
	struct passwd *user = getuid() == 0 ? getpwuid(caller->uid) : NULL;

	privilege_drop_bounds();
	if (getuid() == 0 && caller->uid != 0 &&
	    ((user ? initgroups(user->pw_name, caller->gid) : setgroups(0, NULL)) != 0 ||
	        setresgid(caller->gid, caller->gid, caller->gid) != 0 ||
	        setresuid(caller->uid, caller->uid, caller->uid) != 0))
		return -errno;
	return privilege_give_up();
}

static void child(int socket)
{
	struct caller caller;

	signal(SIGINT, SIG_IGN); /* of the terminal: it ends when its parent does */
	signal(SIGQUIT, SIG_IGN);
	prctl(PR_SET_NAME, "tcptop-writer");
	find_caller(&caller);
	if (become(&caller) == 0) {
		confine_calls(CONFINE_WRITER); /* what it cannot be, its parent cannot either, and tells */
		serve(socket, &caller);
	}
	_exit(0);
}

/* ---- the parent ---- */

int writer_open(struct writer **writer, struct error *error)
{
	struct writer *new = calloc(1, sizeof *new);
	int sockets[2];

	*writer = NULL;
	if (!new)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
		free(new);
		return error_set(error, EXIT_CODE_RUNTIME, -errno, "no socket pair: %s", strerror(errno));
	}
	new->socket = sockets[0];
	new->child = fork();
	if (new->child == 0) {
		close(sockets[0]);
		child(sockets[1]);
	}
	int err = new->child < 0 ? -errno : 0;

	close(sockets[1]);
	if (err) {
		close(sockets[0]);
		free(new);
		return error_set(error, EXIT_CODE_RUNTIME, err, "cannot start a process: %s", strerror(-err));
	}
	*writer = new;
	return 0;
}

void writer_close(struct writer *writer)
{
	if (!writer)
		return;
	close(writer->socket);
	/* It ends with the socket, unless a file system keeps it. */
	for (int i = 0; i < END_TRIES && waitpid(writer->child, NULL, WNOHANG) == 0; i++)
		usleep(END_TRY_US);
	free(writer);
}

pid_t writer_process(const struct writer *writer)
{
	return writer ? writer->child : 0;
}

/* fd: -1, or what goes with it. */
static int ask(struct writer *writer, int file, int fd, struct answer *answer)
{
	struct request request = { ++writer->number, file };
	int err = passing_send(writer->socket, &request, sizeof request, fd, MSG_DONTWAIT);

	if (err)
		return err == -EAGAIN ? -ETIMEDOUT : err;
	do {
		struct pollfd ready = { .fd = writer->socket, .events = POLLIN };

		if (poll(&ready, 1, PATIENCE_MS) == 0)
			return -ETIMEDOUT;
		ssize_t count = recv(writer->socket, answer, sizeof *answer, MSG_DONTWAIT);

		if (count != sizeof *answer && (count >= 0 || (errno != EINTR && errno != EAGAIN)))
			return -EPIPE;
	} while (answer->number != writer->number); /* that of a request before came late */
	answer->name[sizeof answer->name - 1] = '\0';
	return answer->result;
}

int writer_write(
    struct writer *writer, enum writer_file file, const char *bytes, size_t size, char name[WRITER_NAME_SIZE])
{
	struct answer answer = { 0 };
	int fd = memfd_create("tcptop", MFD_CLOEXEC);

	name[0] = '\0';
	if (fd < 0)
		return -errno;
	int err = passing_write_all(fd, bytes, size);

	err = err ? err : ask(writer, (int)file, fd, &answer);
	close(fd);
	memcpy(name, answer.name, WRITER_NAME_SIZE);
	return err;
}

int writer_read_settings(struct writer *writer, char *buffer, char name[WRITER_NAME_SIZE])
{
	struct answer answer = { 0 };
	int length = ask(writer, READ_SETTINGS, -1, &answer);

	memcpy(name, answer.name, WRITER_NAME_SIZE);
	if (length > WRITER_SETTINGS_MAX)
		return -EINVAL;
	memcpy(buffer, answer.settings, length > 0 ? (size_t)length : 0);
	buffer[length > 0 ? length : 0] = '\0';
	return length;
}
