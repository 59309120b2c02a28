/* SPDX-License-Identifier: Apache-2.0 */
/* The stages, in order: options, program text, tracing, tables, rendering. The only printer of errors. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/attach.h"
#include "base/error.h"
#include "loader/filter_map.h"
#include "kernel/kernel.h"
#include "loader/loader.h"
#include "loop.h"
#include "options.h"
#include "output/player.h"
#include "loader/privilege.h"
#include "kernel/method.h"
#include "kernel/program.h"
#include "output/renderer.h"
#include "model/source.h"
#include "startup.h"
#include "screen/terminal.h"
#include "trace/tracer.h"

static int fail(const struct error *error)
{
	fprintf(stderr, "tcptop: %s\n", error->text);
	return error->exit_code;
}

/*
 * A closed standard descriptor would be the next one opened, and data would go there. Opened for reading
 * alone, writing to it fails as it should.
 */
static void occupy_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* The terminal has gone, or the pipe's reader: the end that SIGHUP and EPIPE are, and no failure to write. */
static bool output_has_gone(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };

	return poll(&output, 1, 0) == 1 && (output.revents & (POLLHUP | POLLERR));
}

static int finish_output(struct error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return error_set(
	    error, EXIT_CODE_OUTPUT, -EIO, "cannot write to standard output: %s", strerror(errno));
}

/* The first method that the facts allow and, when trying, that works. */
static bool find_plan(struct probe_plan *plan, const struct options *options, const struct kernel *kernel,
    bool trying, const char **why)
{
	for (size_t i = 0; i < probe_auto_count; i++) {
		enum probe_method method = probe_auto_order[i];

		if (options->probe != PROBE_AUTO && options->probe != method)
			continue;
		if (probe_plan_make(plan, method, kernel->has_btf, kernel, why) &&
		    (!trying || attach_try(&plan->probes[0], kernel) == 0))
			return true;
	}
	return false;
}

/*
 * The method that would run: found by trying or, for those who may not try, as BTF and sysfs predict it. One
 * that was asked for is printed for, also where it does not work.
 */
static int choose_plan(
    struct probe_plan *plan, const struct options *options, const struct kernel *kernel, struct error *error)
{
	const char *why = "";

	if (options->probe == PROBE_AUTO && find_plan(plan, options, kernel, true, &why))
		return 0;
	if (!find_plan(plan, options, kernel, false, &why))
		return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
		    "no probe method can be used on this kernel\n%s", why);
	if (options->probe == PROBE_AUTO)
		fprintf(stderr,
		    "tcptop: for probe method %s, which this kernel's BTF predicts; nothing was tried\n",
		    probe_method_name(plan->method));
	return 0;
}

static int print_program(const struct options *options, struct error *error)
{
	struct probe_plan plan;
	struct kernel kernel;
	char *text;
	int err = kernel_inspect(&kernel, NULL, error);

	err = err ?: choose_plan(&plan, options, &kernel, error);
	if (err)
		return err;
	err = program_build(&text, options, &kernel, &plan,
	    kernel.has_btf ? PROGRAM_LAYOUT_BTF : PROGRAM_LAYOUT_HEADERS, error);
	if (err)
		return err;
	fputs(text, stdout);
	free(text);
	return 0;
}

static int open_filters(struct filter_fds *filters, const struct options *options, struct error *error)
{
	*filters = (struct filter_fds){ -1, -1 };
	if (options->cgroup_map_path) {
		int err = filter_map_check_cgroup2(error);

		if (err)
			return err;
		filters->cgroups = filter_map_open(options->cgroup_map_path, "--cgroupmap", error);
		if (filters->cgroups < 0)
			return filters->cgroups;
	}
	if (options->mntns_map_path) {
		filters->mntns = filter_map_open(options->mntns_map_path, "--mntnsmap", error);
		if (filters->mntns < 0)
			return filters->mntns;
	}
	return 0;
}

static void close_filters(struct filter_fds *filters)
{
	if (filters->cgroups >= 0)
		close(filters->cgroups);
	if (filters->mntns >= 0)
		close(filters->mntns);
}

/* What cannot be seen is said at the start; the screen and JSON say it by themselves, too. */
static void declare(
    const struct run_facts *facts, const struct probe_blind_spot *const *spots, const struct tracing *tracing)
{
	if (tracing->in_pid_namespace)
		fprintf(stderr,
		    "tcptop: started in a PID namespace: PIDs, also those that -p takes, are the host's\n");
	if (facts->options->output == OUTPUT_SCREEN)
		return;
	for (size_t i = 0; i < facts->not_counted_count; i++)
		fprintf(stderr, "tcptop: not counted (%s): %s\n", spots[i]->path, spots[i]->reason);
}

static const struct renderer *choose_renderer(const struct options *options)
{
	switch (options->output) {
	case OUTPUT_SCREEN:
		return &renderer_screen;
	case OUTPUT_JSON:
		return &renderer_json;
	default:
		return &renderer_text;
	}
}

/* A terminal that cannot show the screen shows the text, unless the screen was asked for. */
static int open_renderer(const struct renderer **renderer, void **state, struct options *options,
    const struct run_facts *facts, struct error *error)
{
	*renderer = choose_renderer(options);
	int err = (*renderer)->open(state, facts, stdout, error);

	if (err && *renderer == &renderer_screen && options->output_is_default) {
		fprintf(stderr, "tcptop: %s: printing text\n", error->text);
		options->output = OUTPUT_TEXT;
		*renderer = &renderer_text;
		err = (*renderer)->open(state, facts, stdout, error);
	}
	return err;
}

/* The last stage: a source's snapshots through a renderer. */
static int render(struct options *options, const struct run_facts *facts, const struct source *source,
    struct signals *signals, struct error *error)
{
	const struct renderer *renderer;
	void *state = NULL;
	int err = open_renderer(&renderer, &state, options, facts, error);

	if (err)
		return err;
	err = loop_run(source, renderer, state, signals, STDOUT_FILENO, error);
	renderer->close(state);
	return err;
}

static int trace(
    struct options *options, struct tracing *tracing, struct signals *signals, struct error *error)
{
	const struct probe_blind_spot *spots[NOT_COUNTED_MAX];
	const char *not_counted[NOT_COUNTED_MAX];
	struct run_facts facts = {
		.options = options,
		.method = tracing->plan.method,
		.not_counted = not_counted,
		.not_counted_count = probe_blind_spots(spots, &tracing->plan),
		.view = &options->view,
	};
	struct tracer *tracer = NULL;

	for (size_t i = 0; i < facts.not_counted_count; i++)
		not_counted[i] = spots[i]->path;
	declare(&facts, spots, tracing);
	int err = tracer_open(&tracer, tracing, options->interval_ns, options->count, error);

	if (err)
		return err;
	struct source source = source_of_tracer(tracer);

	err = render(options, &facts, &source, signals, error);
	tracer_close(tracer);
	return err;
}

static int run(struct options *options, struct error *error)
{
	struct filter_fds filters = { -1, -1 };
	struct signals signals = { -1 };
	struct tracing tracing;

	tracing_init(&tracing);
	int err = privilege_check(error);

	err = err ?: startup_fit_tables(options, error);
	err = err ?: open_filters(&filters, options, error);
	err = err ?: signals_open(&signals, options->output != OUTPUT_SCREEN, error);
	err = err ?: startup_load(&tracing, options, &filters, &signals, error);
	close_filters(&filters);
	err = err ?: startup_give_up_root(&tracing, options, error);
	err = err ?: trace(options, &tracing, &signals, error);
	tracing_close(&tracing);
	if (signals.fd >= 0)
		close(signals.fd);
	return err == -EPIPE || err == STARTUP_ENDED ? 0 : err;
}

/* A recording instead of this host: needs no privilege, and keeps none. */
static int replay(struct options *options, struct error *error)
{
	bool screen = options->output == OUTPUT_SCREEN;
	struct signals signals = { -1 };
	struct player *player = NULL;
	struct run_facts facts = { .options = options, .view = &options->view };
	int err = player_open(&player, options, error);

	err = err ?: privilege_drop(error);
	err = err ?: privilege_settle(false, error);
	err = err ?: player_start(player, error); /* may wait for a pipe: signals still do what they do */
	err = err ?: signals_open(&signals, !screen, error);
	if (!err) {
		struct source_filter filter;
		struct source source = source_filter_open(&filter, player_source(player), options);

		facts.method = player_method(player);
		facts.not_counted = player_not_counted(player, &facts.not_counted_count);
		err = render(options, &facts, &source, &signals, error);
		source_filter_close(&filter);
	}
	player_close(player);
	if (signals.fd >= 0)
		close(signals.fd);
	return err == -EPIPE ? 0 : err;
}

static void execute_check(char *program, char *self, const char *max_sessions, const struct options *options)
{
	bool json = options->output == OUTPUT_JSON;
	char *argv[] = { program, (char *)"--tcptop", self, (char *)"--probe",
		(char *)(uintptr_t)probe_method_name(options->probe), (char *)"-o",
		json ? (char *)"json" : (char *)"text", NULL, NULL, NULL, NULL };
	int count = 7;

	if (*max_sessions) {
		argv[count++] = (char *)"--max-sessions";
		argv[count++] = (char *)(uintptr_t)max_sessions;
	}
	if (options->verbose)
		argv[count++] = (char *)"-v";
	execv(program, argv);
}

/* The self-test is a program beside this one or, installed, in libexec. Does not return when it could be executed. */
static int check(struct options *options, struct error *error)
{
	char self[PATH_MAX] = "", beside[PATH_MAX + 16], installed[] = TCPTOP_LIBEXECDIR "/tcptop-check";
	char max_sessions[16] = "";
	int err = privilege_check(error);

	if (options->max_sessions != MAX_SESSIONS_DEFAULT)
		snprintf(max_sessions, sizeof max_sessions, "%" PRIu32, options->max_sessions);
	err = err ?: startup_fit_tables(options, error);
	if (err)
		return err;
	if (readlink("/proc/self/exe", self, sizeof self - 1) > 0) {
		snprintf(beside, sizeof beside, "%.*s-check", (int)sizeof self, self);
		snprintf(strrchr(beside, '/'), sizeof "/tcptop-check", "/tcptop-check");
		execute_check(beside, self, max_sessions, options);
	}
	execute_check(installed, self, max_sessions, options);
	return error_set(error, EXIT_CODE_UNSUPPORTED, -errno,
	    "--check needs the program tcptop-check, which is neither beside tcptop nor in %s: %s\n"
	    "install it there, or build its target tcptop-check",
	    TCPTOP_LIBEXECDIR, strerror(errno));
}

static int act(struct options *options, struct error *error)
{
	int err;

	switch (options->action) {
	case ACTION_HELP:
		options_print_help(stdout);
		return 0;
	case ACTION_VERSION:
		printf("tcptop %s\n", TCPTOP_VERSION);
		return 0;
	case ACTION_PRINT_PROGRAM:
		err = startup_fit_tables(options, error);
		return err ?: print_program(options, error);
	case ACTION_CHECK:
		return check(options, error);
	default:
		return options->view.replay_path ? replay(options, error) : run(options, error);
	}
}

/* The terminal is given back before the signal does what it would have done. */
static void on_fatal_signal(int number)
{
	terminal_restore();
	signal(number, SIG_DFL);
	raise(number);
}

/* All that end a process and that nothing here waits for. Those that the user has ignored stay so. */
static void catch_fatal_signals(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU,
		SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT };

	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		if (signal(fatal[i], on_fatal_signal) == SIG_IGN)
			signal(fatal[i], SIG_IGN);
}

int main(int argc, char **argv)
{
	struct options options;
	struct error error = { 0 };

	occupy_standard_descriptors();
	catch_fatal_signals();
	setlocale(LC_ALL, "");
	mallopt(
	    M_MMAP_THRESHOLD, 128 * 1024); /* fixed: what a crowded interval took goes back to the kernel */
	int err = options_parse(&options, argc, argv, isatty(STDOUT_FILENO), &error);

	err = err ?: act(&options, &error);
	err = err ?: finish_output(&error);
	options_fini(&options);
	if (err && error.exit_code == EXIT_CODE_OUTPUT && options.action == ACTION_RUN && output_has_gone())
		return EXIT_CODE_OK;
	return err ? fail(&error) : EXIT_CODE_OK;
}
