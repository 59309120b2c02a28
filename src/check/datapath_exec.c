/* SPDX-License-Identifier: Apache-2.0 */
#include "check/datapath_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/datapath_end.h"

static const char exec_argument[] = "--datapath-exec";

/*
 * What the process is to know of itself after the exec; it lies in a memfd whose number is the second
 * argument.
 */
struct exec_state {
	char id[16];
	int report_fd;
	uint64_t left_bytes;
	struct datapath_socket socket;
};

static int descriptor_keep(struct datapath_end *end, int fd)
{
	return fcntl(fd, F_SETFD, 0) < 0 ? end_fail_errno(end, "fcntl") : 0;
}

int exec_send(struct datapath_end *end)
{
	uint64_t first = end->path->bytes / 2;
	struct exec_state state = { .report_fd = end->report_fd, .left_bytes = end->path->bytes - first };
	char number[16], program[] = "tcptop", argument[sizeof exec_argument];
	char *argv[] = { program, argument, number, NULL };
	int err = end_send_all(end, &end->sockets[0], first, 10007), state_fd;

	if (err)
		return err;
	memcpy(argument, exec_argument, sizeof exec_argument);
	snprintf(state.id, sizeof state.id, "%s", end->path->id);
	state.socket = end->sockets[0];
	state_fd = end_memfd(end, 0);
	if (state_fd < 0 || write(state_fd, &state, sizeof state) != (ssize_t)sizeof state)
		return end_fail_errno(end, "write to a memfd");
	snprintf(number, sizeof number, "%d", state_fd);
	err = descriptor_keep(end, state_fd);
	if (!err)
		err = descriptor_keep(end, state.socket.fd);
	if (!err)
		err = descriptor_keep(end, state.report_fd);
	if (err)
		return err;
	execv("/proc/self/exe", argv);
	return end_fail_errno(end, "exec of /proc/self/exe");
}

/* Whoever gives the argument by hand has no memfd of that form: it ends there. */
static int state_read(const char *number, struct exec_state *state)
{
	char *rest;
	long fd = strtol(number, &rest, 10);
	struct stat file;

	if (*number == '\0' || *rest || fd < 0 || fd > INT_MAX || fstat((int)fd, &file) < 0 ||
	    file.st_size != (off_t)sizeof *state ||
	    pread((int)fd, state, sizeof *state, 0) != (ssize_t)sizeof *state)
		return -EINVAL;
	close((int)fd);
	state->id[sizeof state->id - 1] = '\0';
	return 0;
}

int datapath_exec_main(int argc, char **argv)
{
	struct datapath_end end = {
		.side = DATAPATH_SENDER, .listen_fd = -1, .peer_fd = -1, .socket_count = 1
	};
	struct exec_state state;
	int err;

	if (argc != 3 || strcmp(argv[1], exec_argument) != 0)
		return -1;
	if (state_read(argv[2], &state) < 0)
		return EXIT_FAILURE;
	end.path = datapath_find(state.id);
	if (!end.path)
		return EXIT_FAILURE;
	end.report_fd = state.report_fd;
	end.sockets[0] = state.socket;
	err = end_send_all(&end, &end.sockets[0], state.left_bytes, 10007);
	end_exit(&end, err ? err : end_shutdown(&end, &end.sockets[0]));
}
