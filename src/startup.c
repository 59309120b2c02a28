/* SPDX-License-Identifier: Apache-2.0 */
#include "startup.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "loader/loader.h"
#include "loop.h"
#include "options.h"
#include "loader/privilege.h"
#include "trace/maps.h"
#include "trace/tracer.h"

/* What libbcc and the verifier printed: all of it with -v, else the first error, which tells the cause. */
static void show_compiler_output(const struct loader *loader, bool verbose, bool failed)
{
	char line[512];
	FILE *stream = loader->output >= 0 && lseek(loader->output, 0, SEEK_SET) == 0
	                   ? fdopen(dup(loader->output), "r")
	                   : NULL;

	while (stream && fgets(line, sizeof line, stream)) {
		bool telling = strstr(line, "error:") != NULL;

		if (verbose || (failed && telling))
			fprintf(stderr, "%s", line);
		if (!verbose && failed && telling)
			break;
	}
	if (stream)
		fclose(stream);
}

/* Kernel memory of a session in both generations of its family's tables, taken at once (6.1, 6.18). */
enum { SESSION4_BYTES = 288, SESSION6_BYTES = 336, MAX_SESSIONS_LEAST = 1024 };

static uint64_t read_available_bytes(void)
{
	uint64_t available_kb = 0;
	char line[128];
	FILE *stream = fopen("/proc/meminfo", "re");

	while (stream && fgets(line, sizeof line, stream))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &available_kb) == 1)
			break;
	if (stream)
		fclose(stream);
	return available_kb * 1024;
}

int startup_fit_tables(struct options *options, struct error *error)
{
	uint64_t session_bytes =
	    (options->family == 6 ? 0 : SESSION4_BYTES) + (options->family == 4 ? 0 : SESSION6_BYTES);
	uint64_t needed_bytes = options->max_sessions * session_bytes;
	uint64_t available_bytes = read_available_bytes(), fit = available_bytes / 2 / session_bytes;

	if (!available_bytes || options->max_sessions <= fit)
		return 0;
	if (options->max_sessions == MAX_SESSIONS_DEFAULT) {
		options->max_sessions = fit < MAX_SESSIONS_LEAST ? MAX_SESSIONS_LEAST : fit;
		fprintf(stderr, "tcptop: %.1f MB of memory are available: tables for %u sessions, not %u\n",
		    available_bytes / 1e6, options->max_sessions, MAX_SESSIONS_DEFAULT);
		return 0;
	}
	return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM,
	    "--max-sessions %u needs %.1f MB of kernel memory, over half of the %.1f MB that are available\n"
	    "--max-sessions %" PRIu64 " fits; the bytes of more sessions are counted as a sum",
	    options->max_sessions, needed_bytes / 1e6, available_bytes / 1e6, fit);
}

/* Tables, programs and attachments take up to 60; what the user's shell allows softly may be less. */
static void raise_descriptor_limit(void)
{
	const rlim_t wanted = 256;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The compiler stops and goes on with this process. 0 or STARTUP_ENDED. */
static int take_signals(struct signals *signals, const struct loader *loader)
{
	for (int number; (number = signals_next(signals)) != 0;) {
		if (signals_is_end(number))
			return STARTUP_ENDED;
		if (number != SIGTSTP)
			continue;
		loader_suspend(loader);
		signals_stop();
		loader_resume(loader);
	}
	return 0;
}

int startup_load(struct tracing *tracing, const struct options *options, const struct filter_fds *filters,
    struct signals *signals, struct error *error)
{
	struct loader loader;
	char note[1024];

	raise_descriptor_limit();
	int result = loader_start(&loader, options, filters, error);

	while (result == 0) {
		struct pollfd events[] = { { loader.socket, POLLIN, 0 },
			{ signals ? signals->fd : -1, POLLIN, 0 } };

		if (poll(events, 2, -1) < 0 && errno != EINTR)
			result =
			    error_set(error, EXIT_CODE_RUNTIME, -errno, "cannot wait: %s", strerror(errno));
		else if (events[1].revents)
			result = take_signals(signals, &loader);
		else if (events[0].revents) {
			*note = '\0';
			result = loader_receive(&loader, tracing, note, sizeof note, error);
			if (*note && options->verbose)
				fprintf(stderr, "tcptop: %s\n", note);
		}
	}
	if (result != STARTUP_ENDED)
		show_compiler_output(&loader, options->verbose, result < 0);
	loader_close(&loader);
	return result < 0 ? result : 0;
}

/* Lets the tracer's thread ask for what it needs when it is nobody's: see tracer.c. */
static void allow_precedence(const struct tracing *tracing)
{
	if (tracing->plan.method == PROBE_KPROBE && tracing->plan.preemptible)
		setrlimit(RLIMIT_RTPRIO, &(struct rlimit){ TRACER_PRIORITY, TRACER_PRIORITY });
}

int startup_give_up_root(const struct tracing *tracing, const struct options *options, struct error *error)
{
	allow_precedence(tracing);
	int err = privilege_drop(error);

	if (err)
		return err;
	bool keep = maps_try(tracing) == -EPERM;

	if (keep || options->verbose)
		fprintf(stderr, "tcptop: %s\n",
		    keep ? privilege_kept_name() : "privileges: none are needed from here on");
	if (keep)
		fprintf(stderr,
		    "tcptop: this kernel asks for it to read tables: the one capability that is kept\n");
	return privilege_settle(keep, error);
}
