/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a probe method really work on this kernel? Loads a program of two instructions, attaches it to
 * inet_sendmsg, sends one byte over a loopback TCP connection and asks the kernel how often the program ran.
 *
 * usage: probe kprobe|fentry
 * exit status: 0 it ran; 1 it did not, or a step before that was refused (named on stderr).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define PROBED "inet_sendmsg"

static int failed(const char *step)
{
	fprintf(stderr, "probe: %s: %s\n", step, strerror(errno));
	return -1;
}

static int program_load(enum bpf_prog_type type, int attach_btf_id)
{
	/* r0 = 0; exit */
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	if (attach_btf_id) {
		opts.expected_attach_type = BPF_TRACE_FENTRY;
		opts.attach_btf_id = attach_btf_id;
	}
	return bpf_prog_load(type, "probe", "GPL", insns, sizeof(insns) / sizeof(*insns), &opts);
}

static int fentry_attach(int *link)
{
	int prog;
	int id = libbpf_find_vmlinux_btf_id(PROBED, BPF_TRACE_FENTRY);

	if (id < 0) {
		errno = -id;
		return failed("finding " PROBED " in the kernel's BTF");
	}
	prog = program_load(BPF_PROG_TYPE_TRACING, id);
	if (prog < 0)
		return failed("loading a tracing program");
	*link = bpf_raw_tracepoint_open(NULL, prog);
	if (*link < 0)
		return failed("attaching fentry");
	return prog;
}

static int kprobe_type(void)
{
	int type = -1;
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "re");

	if (!file)
		return -1;
	if (fscanf(file, "%d", &type) != 1)
		type = -1;
	fclose(file);
	return type;
}

static int kprobe_attach(int *event)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int prog;
	int type = kprobe_type();

	if (type < 0)
		return failed("no perf events of type kprobe");
	prog = program_load(BPF_PROG_TYPE_KPROBE, 0);
	if (prog < 0)
		return failed("loading a kprobe program");
	attr.type = type;
	attr.kprobe_func = (unsigned long)PROBED;
	*event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (*event < 0)
		return failed("opening the perf event");
	if (ioctl(*event, PERF_EVENT_IOC_SET_BPF, prog) || ioctl(*event, PERF_EVENT_IOC_ENABLE, 0))
		return failed("attaching the program to the event");
	return prog;
}

static int byte_send(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	if (server < 0 || client < 0 || bind(server, (struct sockaddr *)&address, size) ||
	    listen(server, 1) || getsockname(server, (struct sockaddr *)&address, &size) ||
	    connect(client, (struct sockaddr *)&address, size) || send(client, "x", 1, 0) != 1)
		return failed("sending a byte over loopback");
	close(client);
	close(server);
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	int stats, prog;
	int attachment = -1;

	if (argc != 2 || (strcmp(argv[1], "kprobe") && strcmp(argv[1], "fentry"))) {
		fprintf(stderr, "usage: probe kprobe|fentry\n");
		return 2;
	}
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0) {
		failed("switching run counts on");
		return EXIT_FAILURE;
	}
	prog = strcmp(argv[1], "kprobe") ? fentry_attach(&attachment) : kprobe_attach(&attachment);
	if (prog < 0 || byte_send())
		return EXIT_FAILURE;
	if (bpf_obj_get_info_by_fd(prog, &info, &size)) {
		failed("asking for the program's run count");
		return EXIT_FAILURE;
	}
	printf("%s on " PROBED " ran %llu times\n", argv[1], (unsigned long long)info.run_cnt);
	return info.run_cnt ? EXIT_SUCCESS : EXIT_FAILURE;
}
