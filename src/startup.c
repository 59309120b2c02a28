/* SPDX-License-Identifier: Apache-2.0 */
#include "startup.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "error.h"
#include "loader.h"
#include "loop.h"
#include "options.h"
#include "privilege.h"
#include "tables.h"
#include "tracer.h"

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

int startup_load(struct tracing *tracing, const struct options *options, const struct filter_fds *filters,
    struct signals *signals, struct error *error)
{
	struct loader loader;
	char note[1024];
	int result = loader_start(&loader, options, filters, error);

	while (result == 0) {
		struct pollfd events[] = { { loader.socket, POLLIN, 0 },
			{ signals ? signals->fd : -1, POLLIN, 0 } };

		if (poll(events, 2, -1) < 0 && errno != EINTR)
			result =
			    error_set(error, EXIT_CODE_RUNTIME, -errno, "cannot wait: %s", strerror(errno));
		else if (events[1].revents && signals_is_end(signals_next(signals)))
			result = STARTUP_ENDED;
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
	bool keep = tables_try(tracing) == -EPERM;

	if (keep || options->verbose)
		fprintf(stderr, "tcptop: %s\n",
		    keep ? privilege_kept_name() : "privileges: none are needed from here on");
	if (keep)
		fprintf(stderr,
		    "tcptop: this kernel asks for it to read tables: the one capability that is kept\n");
	return privilege_settle(keep, error);
}
