/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LEAVE_MAX 256

/* Mutable and global, as a signal handler can reach nothing else. */
static struct {
	volatile sig_atomic_t armed;
	int fd;
	int has_settings;
	struct termios settings;
	char leave[LEAVE_MAX];
	size_t length;
} saved;

void terminal_arm(int fd, const char *leave, size_t length)
{
	saved.armed = 0;
	saved.fd = fd;
	saved.has_settings = tcgetattr(fd, &saved.settings) == 0;
	saved.length = length < LEAVE_MAX ? length : LEAVE_MAX;
	memcpy(saved.leave, leave, saved.length);
	saved.armed = 1;
}

void terminal_disarm(void)
{
	saved.armed = 0;
}

void terminal_restore(void)
{
	int kept = errno;

	if (!saved.armed)
		return;
	saved.armed = 0;
	if (saved.has_settings)
		tcsetattr(saved.fd, TCSANOW, &saved.settings);
	if (write(saved.fd, saved.leave, saved.length) < 0) {
		/* There is nothing left to do about it. */
	}
	errno = kept;
}
