/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a send and a receive of 64 bytes over loopback take: for each line on standard input one with nanoseconds, of the
 * pair and of a system call that no probe is in, each the lower quartile of many short batches, one beside the other. Their
 * ratio is what the state of the processor changes least.
 *     pair [BATCHES]
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
#define PAIRS 30
#define BATCHES_MAX 100000

struct ends {
	int from, to;
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

static void move_pairs(const struct ends *ends)
{
	char bytes[BYTES] = { 0 };

	for (int i = 0; i < PAIRS; i++)
		if (send(ends->from, bytes, sizeof bytes, 0) != BYTES ||
		    recv(ends->to, bytes, sizeof bytes, MSG_WAITALL) != BYTES)
			fail("pair: moving bytes");
}

static void call_units(void)
{
	char byte;

	for (int i = 0; i < PAIRS; i++)
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

static void measure(const struct ends *ends, size_t batches)
{
	static double units[BATCHES_MAX], ratios[BATCHES_MAX];

	for (size_t i = 0; i < batches; i++) {
		double start = now_ns();

		call_units();
		double middle = now_ns();

		move_pairs(ends);
		units[i] = (middle - start) / PAIRS;
		ratios[i] = (now_ns() - middle) / PAIRS / units[i];
	}
	double unit = quartile(units, batches);

	printf("%.2f %.2f\n", quartile(ratios, batches) * unit, unit);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long batches = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	struct ends ends = connect_ends();
	int byte;

	if (batches == 0 || batches > BATCHES_MAX)
		return 2;
	for (int i = 0; i < 100; i++)
		move_pairs(&ends);
	while ((byte = getchar()) != EOF)
		if (byte == '\n')
			measure(&ends, batches);
	return EXIT_SUCCESS;
}
