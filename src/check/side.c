/* SPDX-License-Identifier: Apache-2.0 */
#include "check/side.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static const char *const role_names[] = {
	[SIDE_SENDER] = "sender",
	[SIDE_RECEIVER] = "receiver",
	[SIDE_SENDER_OTHER] = "sender_other",
	[SIDE_RECEIVER_OTHER] = "receiver_other",
};

const char *side_role_name(unsigned role)
{
	return role_names[role];
}

static size_t shared_size(unsigned capacity)
{
	return sizeof(struct shared) + capacity * sizeof(struct truth);
}

struct shared *shared_map(unsigned capacity, int fd)
{
	struct shared *shared = MAP_FAILED;
	struct stat file;

	if (fstat(fd, &file) == 0 && file.st_size == (off_t)shared_size(capacity))
		shared = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return shared == MAP_FAILED ? NULL : shared;
}

struct shared *shared_open(unsigned capacity, int *fd)
{
	struct shared *shared = NULL;

	*fd = memfd_create("tcptop-check", MFD_CLOEXEC);
	if (*fd >= 0 && ftruncate(*fd, (off_t)shared_size(capacity)) == 0)
		shared = shared_map(capacity, *fd);
	if (shared)
		shared->capacity = capacity;
	return shared;
}

void shared_close(struct shared *shared, int fd)
{
	munmap(shared, shared_size(shared->capacity));
	close(fd);
}

int shared_fail(struct shared *shared, int err, const char *format, ...)
{
	va_list arguments;

	if (atomic_exchange(&shared->failed, true))
		return err;
	shared->err = err;
	va_start(arguments, format);
	vsnprintf(shared->text, sizeof shared->text, format, arguments);
	va_end(arguments);
	return err;
}

int side_fail(struct side *side, int err, const char *format, ...)
{
	char what[SIDE_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	return shared_fail(side->shared, err, "%s: %s: %s", side_role_name(side->role), what, strerror(-err));
}

int side_fail_errno(struct side *side, const char *what)
{
	return side_fail(side, -errno, "%s", what);
}

/* An IPv4-mapped address is kept as the IPv4 address that travels. */
static uint8_t address_fill(const struct sockaddr_storage *from, uint8_t address[16], uint16_t *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
	bool mapped = from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

	*port = ntohs(in->sin_port); /* in both at the same place */
	if (from->ss_family == AF_INET6 && !mapped) {
		memcpy(address, &in6->sin6_addr, 16);
		return 6;
	}
	memcpy(address, mapped ? (const void *)&in6->sin6_addr.s6_addr[12] : &in->sin_addr, 4);
	return 4;
}

/* A new session of the run, of this process. */
static int socket_identify(struct side *side, struct side_socket *socket)
{
	struct sockaddr_storage local = { 0 }, remote = { 0 };
	socklen_t local_length = sizeof local, remote_length = sizeof remote;
	struct shared *shared = side->shared;
	unsigned slot = atomic_fetch_add(&shared->session_count, 1);
	struct truth *truth = &shared->sessions[slot];
	struct stat netns;

	if (slot >= shared->capacity) {
		atomic_store(&shared->session_count, shared->capacity);
		return side_fail(side, -ENOBUFS, "more than %u connections", shared->capacity);
	}
	if (getsockname(socket->fd, (struct sockaddr *)&local, &local_length) < 0 ||
	    getpeername(socket->fd, (struct sockaddr *)&remote, &remote_length) < 0)
		return side_fail_errno(side, "getsockname");
	truth->family = address_fill(&local, truth->laddr, &truth->lport);
	address_fill(&remote, truth->raddr, &truth->rport);
	truth->netns = stat("/proc/self/ns/net", &netns) == 0 ? (uint32_t)netns.st_ino : 0;
	truth->role = side->role;
	truth->pid = getpid();
	truth->first = socket == side->sockets;
	side_comm(truth->comm);
	socket->truth = truth;
	return 0;
}

int side_adopt(struct side *side, int fd)
{
	struct side_socket *socket = &side->sockets[side->socket_count];

	if (side->socket_count == side->socket_max)
		return side_fail(side, -ENOBUFS, "more than %zu sockets", side->socket_max);
	side->socket_count++;
	socket->fd = fd;
	return socket_identify(side, socket);
}

int side_socket_open(const struct path *path)
{
	int domain = path->flags & (PATH_IPV6 | PATH_MAPPED) ? AF_INET6 : AF_INET;
	int fd = socket(
	    domain, SOCK_STREAM | SOCK_CLOEXEC, path->flags & PATH_MPTCP ? IPPROTO_MPTCP : IPPROTO_TCP);

	return fd < 0 ? -errno : fd;
}

int side_listen(const struct path *path, struct sockaddr_storage *address, socklen_t *length)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
	bool is_v6 = path->flags & (PATH_IPV6 | PATH_MAPPED);
	int fd = side_socket_open(path), err;

	if (fd < 0)
		return fd;
	memset(address, 0, sizeof *address);
	address->ss_family = is_v6 ? AF_INET6 : AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (is_v6)
		inet_pton(AF_INET6, path->flags & PATH_MAPPED ? "::ffff:127.0.0.1" : "::1", &in6->sin6_addr);
	*length = is_v6 ? sizeof *in6 : sizeof *in;
	if (bind(fd, (struct sockaddr *)address, *length) == 0 && listen(fd, SOMAXCONN) == 0 &&
	    getsockname(fd, (struct sockaddr *)address, length) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int side_connect(struct side *side)
{
	int fd = side_socket_open(side->path);

	if (fd < 0)
		return side_fail(side, fd, "socket");
	if (connect(fd, (struct sockaddr *)&side->server, side->server_length) < 0)
		return side_fail_errno(side, "connect");
	return side_adopt(side, fd);
}

int side_accept(struct side *side)
{
	int fd = accept4(side->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? side_fail_errno(side, "accept") : side_adopt(side, fd);
}

OPERATION(call_send, send(fd, buffer, size, 0))
OPERATION(call_recv, recv(fd, buffer, size, 0))

/* Repeats the path's operation until so many bytes have moved, or, of SIDE_ALL, until it returns 0. */
static int repeat(struct side *side, struct side_socket *socket, uint64_t bytes, bool sends)
{
	const struct path_loop *loop = sends ? &side->path->write : &side->path->read;
	operation *call = loop->call ? loop->call : sends ? call_send : call_recv;
	uint64_t *sum = sends ? &socket->truth->tx_bytes : &socket->truth->rx_bytes, left = bytes;
	size_t chunk = loop->chunk ? loop->chunk : SIDE_CHUNK;

	while (left) {
		void *buffer = sends ? side->sent : side->received;
		ssize_t moved = call(side, socket->fd, buffer, left < chunk ? left : chunk);

		if (moved < 0)
			return side_fail_errno(side, sends ? "the sending call" : "the receiving call");
		if (moved == 0)
			return bytes == SIDE_ALL ? 0 : side_fail(side, -ENODATA, "the stream ended early");
		__atomic_fetch_add(sum, (uint64_t)moved, __ATOMIC_RELAXED); /* it may be threads' */
		left -= (uint64_t)moved;
		if (sends && left && side->path->flags & PATH_SENT_WHOLE)
			return side_fail(side, -ENODATA, "one blocking send did not take all");
		if (loop->pause_us)
			usleep(loop->pause_us);
	}
	return 0;
}

int side_send(struct side *side, struct side_socket *socket, uint64_t bytes)
{
	return repeat(side, socket, bytes, true);
}

int side_receive(struct side *side, struct side_socket *socket, uint64_t bytes)
{
	return repeat(side, socket, bytes, false);
}

int side_shutdown(struct side *side, struct side_socket *socket)
{
	return shutdown(socket->fd, SHUT_WR) < 0 ? side_fail_errno(side, "shutdown") : 0;
}

void side_close(struct side_socket *socket)
{
	close(socket->fd);
	socket->fd = -1;
}

int side_send_plain(struct side *side)
{
	return side_send(side, &side->sockets[0], side->path->bytes)
	           ?: side_shutdown(side, &side->sockets[0]);
}

int side_receive_plain(struct side *side)
{
	bool late = side->path->flags & PATH_LATE;
	int err = 0;

	for (uint32_t i = 0; i < (late ? side->path->connections ?: 1 : 1) && !err; i++)
		err = (late ? side_accept(side) : 0) ?: side_receive(side, &side->sockets[i], SIDE_ALL);
	return err;
}

const char *path_options_set(const struct path *path, unsigned role, int fd)
{
	for (int i = 0; i < 2; i++) {
		const struct path_option *option = &path->options[role][i];

		if (option->name &&
		    setsockopt(fd, option->level, option->option, option->value, option->size) < 0)
			return option->name;
	}
	return NULL;
}

int side_options(struct side *side, int fd)
{
	const char *refused = path_options_set(side->path, side->role, fd);

	return refused ? side_fail_errno(side, refused) : 0;
}

int side_move(struct side *side)
{
	const struct path *path = side->path;
	bool sends = side->role == SIDE_SENDER;
	int (*move)(struct side *) = sends ? path->send ?: side_send_plain
	                                   : path->receive ?: side_receive_plain;
	int err = path->flags & PATH_LATE ? 0 : side_options(side, side->sockets[0].fd);

	if (!err && sends && path->flags & PATH_NONBLOCKING &&
	    fcntl(side->sockets[0].fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		err = side_fail_errno(side, "O_NONBLOCK");
	err = err ?: (path->start ? path->start(side) : 0) ?: move(side);
	for (int i = 0; i < 2 && !err; i++)
		if (path->must_meet[!sends][i] && !side->met[i])
			err = side_fail(side, -ENODATA, "%s", path->must_meet[!sends][i]);
	return err;
}

int side_signal(struct side *side)
{
	return write(side->peer_fd, "", 1) == 1 ? 0 : side_fail_errno(side, "signal to the other side");
}

int side_wait(struct side *side)
{
	char byte;

	return read(side->peer_fd, &byte, 1) == 1 ? 0 : side_fail(side, -EPIPE, "waiting for the other side");
}

int side_equip(struct side *side)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	side->socket_max = side->path->connections + SIDE_SOCKETS_MORE;
	side->sockets = calloc(side->socket_max, sizeof *side->sockets);
	side->sent = mmap(NULL, SIDE_BUFFER_BYTES, PROT_READ, flags, -1, 0);
	side->received = mmap(NULL, SIDE_BUFFER_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (!side->sockets || side->sent == MAP_FAILED || side->received == MAP_FAILED)
		return side_fail(side, -ENOMEM, "buffers");
	side->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (side->null_fd < 0 || pipe2(side->pipe_fds, O_CLOEXEC) < 0)
		return side_fail_errno(side, "pipe");
	if (!(side->path->flags & PATH_FILE))
		return 0;
	side->file_fd = memfd_create("tcptop-check", MFD_CLOEXEC);
	return ftruncate(side->file_fd, (off_t)side->path->bytes) < 0 ? side_fail_errno(side, "file") : 0;
}

int64_t side_now_ms(void)
{
	return (int64_t)(clock_now_ns() / 1000000);
}

void side_wait_go(struct side *side)
{
	atomic_fetch_add(&side->shared->ready_count, 1);
	while (!atomic_load(&side->shared->go_ms))
		usleep(500);
}

void side_comm(char comm[PATH_COMM_LENGTH])
{
	memset(comm, 0, PATH_COMM_LENGTH);
	prctl(PR_GET_NAME, comm);
}

void side_process_init(const char *comm, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before the line above */
		_exit(EXIT_FAILURE);
	prctl(PR_SET_NAME, comm);
	for (int number = 1; number < NSIG; number++)
		signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int side_fork(struct side *side, uint8_t role, const char *comm, pid_t *pid)
{
	struct clone_args clone = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)pid, .set_tid_size = 1 };
	const char *call = *pid ? "clone3 with a chosen PID" : "fork";
	pid_t parent = getpid();

	*pid = *pid ? (pid_t)syscall(SYS_clone3, &clone, sizeof clone) : fork();
	if (*pid)
		return *pid < 0 ? side_fail_errno(side, call) : 0;
	side_process_init(comm, parent);
	side->role = role;
	for (size_t i = 0; i < side->socket_count; i++)
		if (side->sockets[i].fd >= 0 && socket_identify(side, &side->sockets[i]))
			_exit(EXIT_FAILURE);
	return 0;
}

int side_join(struct side *side, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return side_fail_errno(side, "waitpid");
	return status == 0 ? 0 : side_fail(side, -ECHILD, "the forked process failed");
}

void side_exit(struct side *side, int result)
{
	for (size_t i = 0; i < side->socket_count; i++)
		if (side->sockets[i].truth->pid == getpid())
			side_comm(side->sockets[i].truth->comm_last);
	_exit(result < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
