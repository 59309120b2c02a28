/* SPDX-License-Identifier: Apache-2.0 */
#include "check/datapath_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

int end_fail(struct datapath_end *end, int err, const char *format, ...)
{
	char what[END_TEXT_LENGTH / 2];
	va_list arguments;

	if (end->text[0])
		return err;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	snprintf(end->text, sizeof end->text, "%s: %s", what, strerror(-err));
	return err;
}

int end_fail_errno(struct datapath_end *end, const char *what)
{
	return end_fail(end, -errno, "%s", what);
}

/* An IPv4-mapped address is kept as the IPv4 address that travels. */
static uint8_t address_fill(const struct sockaddr_storage *from, uint8_t address[16], uint16_t *port)
{
	memset(address, 0, 16);
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;

		memcpy(address, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
		return 4;
	}
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

	*port = ntohs(in6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(address, &in6->sin6_addr.s6_addr[12], 4);
		return 4;
	}
	memcpy(address, &in6->sin6_addr, 16);
	return 6;
}

int end_identify(struct datapath_session *truth, int fd)
{
	struct sockaddr_storage local = { 0 }, remote = { 0 };
	socklen_t local_length = sizeof local, remote_length = sizeof remote;
	struct stat netns;

	if (getsockname(fd, (struct sockaddr *)&local, &local_length) < 0 ||
	    getpeername(fd, (struct sockaddr *)&remote, &remote_length) < 0)
		return -errno;
	truth->family = address_fill(&local, truth->laddr, &truth->lport);
	address_fill(&remote, truth->raddr, &truth->rport);
	truth->netns = stat("/proc/self/ns/net", &netns) == 0 ? (uint32_t)netns.st_ino : 0;
	return 0;
}

int end_adopt(struct datapath_end *end, int fd)
{
	struct datapath_socket *socket;
	int err;

	if (end->socket_count == END_SOCKETS_MAX)
		return end_fail(end, -ENOBUFS, "more than %d sockets", END_SOCKETS_MAX);
	socket = &end->sockets[end->socket_count++];
	memset(socket, 0, sizeof *socket);
	socket->fd = fd;
	socket->truth.side = end->side;
	socket->truth.pid = getpid();
	end_comm(socket->truth.comm);
	err = end_identify(&socket->truth, fd);
	return err ? end_fail(end, err, "getsockname") : 0;
}

int end_socket_open(const struct datapath *path)
{
	int domain = path->flags & (DATAPATH_IPV6 | DATAPATH_MAPPED) ? AF_INET6 : AF_INET;
	int protocol = path->flags & DATAPATH_MPTCP ? IPPROTO_MPTCP : IPPROTO_TCP;
	int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

static void address_loopback(const struct datapath *path, struct sockaddr_storage *address, socklen_t *length)
{
	memset(address, 0, sizeof *address);
	if (path->flags & (DATAPATH_IPV6 | DATAPATH_MAPPED)) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

		in6->sin6_family = AF_INET6;
		inet_pton(
		    AF_INET6, path->flags & DATAPATH_MAPPED ? "::ffff:127.0.0.1" : "::1", &in6->sin6_addr);
		*length = sizeof *in6;
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)address;

		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*length = sizeof *in;
	}
}

int end_listen(const struct datapath *path, int backlog, struct sockaddr_storage *address, socklen_t *length)
{
	int fd = end_socket_open(path);

	if (fd < 0)
		return fd;
	address_loopback(path, address, length);
	if (bind(fd, (struct sockaddr *)address, *length) == 0 && listen(fd, backlog) == 0 &&
	    getsockname(fd, (struct sockaddr *)address, length) == 0)
		return fd;
	int err = -errno;

	close(fd);
	return err;
}

int end_connect(struct datapath_end *end)
{
	int fd = end_socket_open(end->path);

	if (fd < 0)
		return end_fail(end, fd, "socket");
	if (connect(fd, (struct sockaddr *)&end->server, end->server_length) < 0) {
		end_fail_errno(end, "connect");
		close(fd);
		return -EIO;
	}
	return end_adopt(end, fd);
}

int end_accept(struct datapath_end *end)
{
	int fd = accept4(end->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? end_fail_errno(end, "accept") : end_adopt(end, fd);
}

int end_send_all(struct datapath_end *end, struct datapath_socket *socket, uint64_t bytes, size_t chunk)
{
	const char *buffer = end_buffer(end);

	if (!buffer)
		return -ENOMEM;
	while (bytes) {
		ssize_t sent = send(socket->fd, buffer, bytes < chunk ? bytes : chunk, 0);

		if (sent < 0)
			return end_fail_errno(end, "send");
		socket->truth.tx_bytes += (uint64_t)sent;
		bytes -= (uint64_t)sent;
	}
	return 0;
}

/* What is received lands here and is not looked at: only its length is truth. */
static char *scratch_buffer(struct datapath_end *end, size_t size)
{
	char *buffer = malloc(size);

	if (!buffer)
		end_fail(end, -ENOMEM, "malloc");
	return buffer;
}

int end_receive_all(struct datapath_end *end, struct datapath_socket *socket, size_t chunk, int flags)
{
	char *buffer = scratch_buffer(end, chunk);
	ssize_t received = -1;

	if (!buffer)
		return -ENOMEM;
	while ((received = recv(socket->fd, buffer, chunk, flags)) > 0)
		socket->truth.rx_bytes += (uint64_t)received;
	if (received < 0)
		end_fail_errno(end, "recv");
	free(buffer);
	return received < 0 ? -EIO : 0;
}

int end_receive_exactly(
    struct datapath_end *end, struct datapath_socket *socket, uint64_t bytes, size_t chunk)
{
	char *buffer = scratch_buffer(end, chunk);
	ssize_t received = 1;

	if (!buffer)
		return -ENOMEM;
	while (bytes && received > 0) {
		received = recv(socket->fd, buffer, bytes < chunk ? bytes : chunk, 0);
		if (received > 0) {
			socket->truth.rx_bytes += (uint64_t)received;
			bytes -= (uint64_t)received;
		}
	}
	if (received < 0)
		end_fail_errno(end, "recv");
	else if (bytes)
		end_fail(end, -ENODATA, "the stream ended early");
	free(buffer);
	return bytes ? -EIO : 0;
}

int end_shutdown(struct datapath_end *end, struct datapath_socket *socket)
{
	return shutdown(socket->fd, SHUT_WR) < 0 ? end_fail_errno(end, "shutdown") : 0;
}

void end_close(struct datapath_socket *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
}

int end_send_plain(struct datapath_end *end)
{
	int err = end_send_all(end, &end->sockets[0], end->path->bytes, END_CHUNK);

	return err ? err : end_shutdown(end, &end->sockets[0]);
}

int end_send_pieces(struct datapath_end *end, size_t piece_bytes, unsigned pause_us)
{
	uint64_t left = end->path->bytes;
	int err = 0;

	while (left && !err) {
		uint64_t bytes = left < piece_bytes ? left : piece_bytes;

		err = end_send_all(end, &end->sockets[0], bytes, bytes);
		left -= bytes;
		end_sleep_us(pause_us);
	}
	return err ? err : end_shutdown(end, &end->sockets[0]);
}

int end_send_once(struct datapath_end *end)
{
	struct datapath_socket *socket = &end->sockets[0];
	const char *buffer = end_buffer(end);
	ssize_t sent = buffer ? send(socket->fd, buffer, end->path->bytes, 0) : -1;

	if (sent < 0)
		return end_fail_errno(end, "send");
	socket->truth.tx_bytes = (uint64_t)sent;
	if ((uint64_t)sent != end->path->bytes)
		return end_fail(end, -ENODATA, "one blocking send did not take all");
	return end_shutdown(end, socket);
}

int end_receive_plain(struct datapath_end *end)
{
	return end_receive_all(end, &end->sockets[0], END_CHUNK, 0);
}

int end_signal(struct datapath_end *end)
{
	return write(end->peer_fd, "", 1) == 1 ? 0 : end_fail_errno(end, "signal to the other side");
}

int end_wait(struct datapath_end *end)
{
	char byte;

	return read(end->peer_fd, &byte, 1) == 1 ? 0 : end_fail(end, -EPIPE, "waiting for the other side");
}

void *end_buffer(struct datapath_end *end)
{
	if (!end->buffer) {
		void *pages = mmap(NULL, END_BUFFER_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pages == MAP_FAILED)
			end_fail_errno(end, "mmap");
		else
			end->buffer = pages;
	}
	return end->buffer;
}

int end_memfd(struct datapath_end *end, uint64_t bytes)
{
	int fd = memfd_create("tcptop-datapath", MFD_CLOEXEC);

	if (fd < 0)
		return end_fail_errno(end, "memfd_create");
	if (ftruncate(fd, (off_t)bytes) < 0) {
		end_fail_errno(end, "ftruncate");
		close(fd);
		return -EIO;
	}
	return fd;
}

int64_t end_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void end_sleep_us(unsigned us)
{
	struct timespec time = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };

	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

int end_nonblocking(struct datapath_end *end, int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0)
		return end_fail_errno(end, "fcntl");
	return 0;
}

void end_comm(char comm[DATAPATH_COMM_LENGTH])
{
	memset(comm, 0, DATAPATH_COMM_LENGTH);
	prctl(PR_GET_NAME, comm);
}

void end_process_init(const char *comm, pid_t parent)
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

int end_fork(struct datapath_end *end, uint8_t side, const char *comm, pid_t *pid)
{
	pid_t parent = getpid();

	*pid = fork();
	if (*pid < 0)
		return end_fail_errno(end, "fork");
	if (*pid == 0)
		end_become(end, side, comm, parent);
	return 0;
}

void end_become(struct datapath_end *end, uint8_t side, const char *comm, pid_t parent)
{
	end_process_init(comm, parent);
	end->side = side;
	for (size_t i = 0; i < end->socket_count; i++) {
		struct datapath_session *truth = &end->sockets[i].truth;

		truth->side = side;
		truth->pid = getpid();
		truth->tx_bytes = truth->rx_bytes = 0;
		end_comm(truth->comm);
	}
}

int end_join(struct datapath_end *end, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return end_fail_errno(end, "waitpid");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0
	           ? 0
	           : end_fail(end, -ECHILD, "the forked process failed");
}

/* A lost report shows as a missing session or a missing side: the collector fails the run. */
static void report_write(const struct datapath_end *end, const struct datapath_report *report)
{
	if (write(end->report_fd, report, sizeof *report) < 0)
		_exit(EXIT_FAILURE);
}

static void report_sessions(const struct datapath_end *end, bool used_only)
{
	struct datapath_report report = { .kind = REPORT_SESSION, .side = end->side };

	for (size_t i = 0; i < end->socket_count; i++) {
		report.session = end->sockets[i].truth;
		end_comm(report.session.comm_last);
		if (!used_only || report.session.tx_bytes || report.session.rx_bytes)
			report_write(end, &report);
	}
}

void end_report_ready(const struct datapath_end *end)
{
	struct datapath_report report = { .kind = REPORT_READY, .side = end->side };

	report_sessions(end, false);
	report_write(end, &report);
}

void end_exit(struct datapath_end *end, int result)
{
	struct datapath_report report = { .kind = REPORT_FAILED, .side = end->side, .err = result };

	/* A process that only holds a socket which another one uses has no session. */
	report_sessions(end, true);
	if (result < 0) {
		snprintf(report.text, sizeof report.text, "%s", end->text);
		report_write(end, &report);
	}
	_exit(result < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int end_probe_locked_memory(char *reason, size_t size)
{
	const rlim_t needed_bytes = 1 << 20;
	struct rlimit limit;

	if (geteuid() == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur >= needed_bytes)
		return 0;
	snprintf(reason, size, "the limit on locked memory is under %llu KB (ulimit -l)",
	    (unsigned long long)needed_bytes / 1024);
	return -ENOBUFS;
}
