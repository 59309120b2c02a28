/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a send and a receive of 64 bytes over loopback take: for each line on standard input one with nanoseconds, of the
 * pair and of a system call that no probe is in, each the lower quartile of many short batches, one beside the other. Their
 * ratio is what the state of the processor changes least. With a pause each batch begins that long after the one before.
 *     pair [BATCHES [PAIRS [PAUSE_US]]]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BYTES 64
#define PAIRS_MAX 1000
#define UNITS 30
#define BATCHES_MAX 100000

struct ends {
	int from, to;
};

struct load {
	unsigned long batches, pairs; /* so many pairs each */
	double pause_ns;              /* from one batch's beginning to the next one's; 0: none */
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static struct ends connect_ends(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *any = (struct sockaddr *)&address;
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), from = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0 || from < 0 || bind(listener, any, length) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, any, &length) != 0 || connect(from, any, length) != 0)
		fail("pair: connecting");
	int to = accept(listener, NULL, NULL);

	if (to < 0)
		fail("pair: accepting");
	close(listener);
	return (struct ends){ from, to };
}

static void move_pairs(const struct ends *ends, unsigned long pairs)
{
	char bytes[BYTES] = { 0 };

	for (unsigned long i = 0; i < pairs; i++)
		if (send(ends->from, bytes, sizeof bytes, 0) != BYTES ||
		    recv(ends->to, bytes, sizeof bytes, MSG_WAITALL) != BYTES)
			fail("pair: moving bytes");
}

static void call_units(void)
{
	char byte;

	for (int i = 0; i < UNITS; i++)
		recv(-1, &byte, 1, 0); /* EBADF */
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double quartile(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return values[count / 4];
}

static void wait_until(double ns)
{
	const struct timespec until = { (time_t)(ns / 1e9), (long)(ns - 1e9 * (double)(time_t)(ns / 1e9)) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void measure(const struct ends *ends, const struct load *load)
{
	static double units[BATCHES_MAX], ratios[BATCHES_MAX];
	double next = now_ns();

	for (size_t i = 0; i < load->batches; i++) {
		if (load->pause_ns > 0)
			wait_until(next += load->pause_ns);
		double start = now_ns();

		move_pairs(ends, load->pairs);
		double middle = now_ns();

		call_units();
		units[i] = (now_ns() - middle) / UNITS;
		ratios[i] = (middle - start) / (double)load->pairs / units[i];
	}
	double unit = quartile(units, load->batches);

	printf("%.2f %.2f\n", quartile(ratios, load->batches) * unit, unit);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct load load = {
		.batches = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000,
		.pairs = argc > 2 ? strtoul(argv[2], NULL, 10) : 30,
		.pause_ns = argc > 3 ? 1e3 * strtod(argv[3], NULL) : 0,
	};
	struct ends ends = connect_ends();
	int byte;

	if (load.batches == 0 || load.batches > BATCHES_MAX || load.pairs == 0 || load.pairs > PAIRS_MAX)
		return 2;
	for (int i = 0; i < 100; i++)
		move_pairs(&ends, load.pairs);
	while ((byte = getchar()) != EOF)
		if (byte == '\n')
			measure(&ends, &load);
	return EXIT_SUCCESS;
}
