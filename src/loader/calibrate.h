/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call costs more since programs are attached. Measured with calls that move nothing, so that nothing is counted:
 * recv() on a socket without a connection passes every hook and returns ENOTCONN.
 */
#ifndef TCPTOP_CALIBRATE_H
#define TCPTOP_CALIBRATE_H

#include <stdint.h>

/*
 * Times of a call, in units of another system call that no hook is in: a processor that is shared or changes its speed
 * changes both.
 */
struct calibration {
	int fd;         /* the socket */
	double before;  /* without programs */
	double unit_ns; /* that of the other call */
};

enum { CALIBRATION_NS_MAX = 20000 }; /* above is no measurement, but a machine that did other things */

/* Before the programs are attached. About 3 ms. 0 or -errno; calibration_end has to follow. */
int calibration_begin(struct calibration *calibration);

/* After it. Nanoseconds of a call's programs; 0: it could not be measured. */
uint32_t calibration_end(struct calibration *calibration);

/* Of a call that took so many units before, and after: nanoseconds that it takes more, or 0, as calibration_end. */
uint32_t calibration_price(double before, double after, double unit_ns);

#endif
