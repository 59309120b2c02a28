/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a limit ends has whole lines, wherever in a line, a write or a buffer the limit is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output/stream.h"

#define LINE "0123456789abcdef\n"
#define LINE_BYTES (sizeof LINE - 1)

static off_t write_lines(int fd, size_t lines, int buffering, int *err)
{
	FILE *stream = stream_open(fd);

	assert_non_null(stream);
	setvbuf(stream, NULL, buffering, BUFSIZ);
	errno = 0;
	for (size_t i = 0; i < lines; i++)
		fputs(LINE, stream);
	*err = fflush(stream) != 0 || ferror(stream) ? errno : 0;
	fputs("later\n", stream);
	fclose(stream);
	return lseek(fd, 0, SEEK_END);
}

static void test_limits(void **state)
{
	static const int bufferings[] = { _IOFBF, _IOLBF, _IONBF };
	struct rlimit limit, low;
	int err;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	for (rlim_t size = 4 * LINE_BYTES; size <= 5 * LINE_BYTES; size++)
		for (size_t i = 0; i < 3; i++) {
			int fd = memfd_create("stream", MFD_CLOEXEC);

			low = limit;
			low.rlim_cur = size;
			assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
			off_t length = write_lines(fd, 10, bufferings[i], &err);

			assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
			assert_int_equal(err, EFBIG);
			assert_int_equal(length, size / LINE_BYTES * LINE_BYTES);
			assert_int_equal(lseek(fd, 0, SEEK_CUR), length);
			close(fd);
		}
}

/* What others have written behind it is not this stream's to take out. */
static void test_others(void **state)
{
	int fd = memfd_create("stream", MFD_CLOEXEC), err;
	FILE *stream = stream_open(fd);
	struct rlimit limit, low;

	(void)state;
	assert_non_null(stream);
	fputs("whole\ncut", stream);
	assert_int_equal(fflush(stream), 0);
	assert_int_equal(pwrite(fd, "other\n", 6, 9), 6);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	low = limit;
	low.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	fputs(" off\n", stream);
	err = fflush(stream);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(err, EOF);
	fclose(stream);
	assert_int_equal(lseek(fd, 0, SEEK_END), 15);
	close(fd);
}

static void test_no_file(void **state)
{
	int ends[2], err, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char bytes[256];

	(void)state;
	write_lines(full, 2, _IOFBF, &err);
	assert_int_equal(err, ENOSPC);
	close(full);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	write_lines(ends[1], 2, _IOFBF, &err);
	assert_int_equal(err, 0);
	assert_int_equal(read(ends[0], bytes, sizeof bytes), 2 * LINE_BYTES + 6);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	write_lines(ends[1], 2, _IOFBF, &err);
	assert_int_equal(err, EPIPE);
	close(ends[1]);
}

/* Whoever has made a pipe non-blocking loses nothing: what does not fit waits. */
static void test_non_blocking(void **state)
{
	enum { LINES = 20000 };
	int ends[2], err = -1, status;
	size_t bytes = 0;
	char buffer[4096];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	pid_t writer = fork();

	if (writer == 0) {
		close(ends[0]);
		write_lines(ends[1], LINES, _IOFBF, &err);
		_exit(err);
	}
	close(ends[1]);
	usleep(20000); /* it fills the pipe */
	for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
		bytes += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	assert_int_equal(bytes, LINES * LINE_BYTES + 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_non_blocking),
	};

	return cmocka_run_group_tests_name("output_stream", tests, NULL, NULL);
}
