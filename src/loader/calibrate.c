/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/calibrate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

/* A batch is too short to be interrupted often; of all the one at a quarter counts, as nothing makes a call quicker. */
#define BATCHES 41
#define CALLS 25

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return COMPARE(left, right);
}

static double quarter(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return values[count / 4];
}

/* Both fail at once, the one with ENOTCONN, the other with EBADF. */
static uint64_t calls_ns(int fd)
{
	uint64_t start_ns = clock_now_ns();
	char byte;

	for (int i = 0; i < CALLS; i++)
		recv(fd, &byte, sizeof byte, MSG_DONTWAIT);
	return clock_now_ns() - start_ns;
}

/* A call's time by the unit, which is measured beside it. */
static double measure(int fd, double *unit_ns)
{
	double ratios[BATCHES], units_ns[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		units_ns[i] = (double)calls_ns(-1) / CALLS;
		ratios[i] = (double)calls_ns(fd) / CALLS / (units_ns[i] > 0 ? units_ns[i] : 1);
	}
	*unit_ns = quarter(units_ns, BATCHES);
	return quarter(ratios, BATCHES);
}

int calibration_begin(struct calibration *calibration)
{
	calibration->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (calibration->fd < 0)
		return -errno;
	calibration->before = measure(calibration->fd, &calibration->unit_ns);
	return 0;
}

uint32_t calibration_price(double before, double after, double unit_ns)
{
	double ns = (after - before) * unit_ns;

	return ns >= 1 && ns < CALIBRATION_NS_MAX ? (uint32_t)ns : 0;
}

uint32_t calibration_end(struct calibration *calibration)
{
	if (calibration->fd < 0)
		return 0;
	double before_unit_ns = calibration->unit_ns, after = measure(calibration->fd, &calibration->unit_ns);
	double unit_ns = before_unit_ns < calibration->unit_ns ? before_unit_ns : calibration->unit_ns;

	close(calibration->fd);
	calibration->fd = -1;
	return calibration_price(calibration->before, after, unit_ns);
}
