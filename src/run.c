/* SPDX-License-Identifier: Apache-2.0 */
/* The stages, in order: program text, tracing, root given up, snapshots, rendering. */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/error.h"
#include "base/util.h"
#include "fit.h"
#include "kernel/filters.h"
#include "kernel/method.h"
#include "kernel/program.h"
#include "loader/attach.h"
#include "loader/child.h"
#include "loader/filter_map.h"
#include "loader/keeper.h"
#include "loader/loader.h"
#include "loader/privilege.h"
#include "loader/tracing.h"
#include "loader/writer.h"
#include "names/containers.h"
#include "names/names.h"
#include "notices.h"
#include "options.h"
#include "output/origin.h"
#include "output/player.h"
#include "show.h"
#include "sieve.h"
#include "signals.h"
#include "trace/maps.h"
#include "trace/tracer.h"
#include "user_files.h"

/* ---- what the floors are asked for ---- */

static void close_filters(struct loader_request *request)
{
	for (size_t i = 0; i < filter_count; i++)
		if (request->filter_fds[i] >= 0)
			close(request->filter_fds[i]);
}

static int open_filters(struct loader_request *request, const struct options *options, struct error *error)
{
	int err = 0;

	for (size_t i = 0; i < filter_count && !err; i++) {
		char option[32];

		if (!options->filter_paths[i])
			continue;
		snprintf(option, sizeof option, "--%s", filters[i].option);
		err = filters[i].available ? filters[i].available(error) : 0;
		if (!err)
			request->filter_fds[i] = filter_map_open(options->filter_paths[i], option, error);
		if (!err && request->filter_fds[i] < 0)
			err = request->filter_fds[i];
	}
	return err;
}

/* Nothing depends on where it is, and no file system is held by it. A relative --host-root does. */
static void leave_directory(const struct options *options)
{
	bool relative = options->host_root && options->host_root[0] && options->host_root[0] != '/';

	if (!relative && chdir("/") != 0)
		return;
}

static void confine(const struct options *options)
{
	bool has_threads = options->renderer->full_screen || options->words || options->replay_path;

	confine_tell(options->verbose, "tcptop", "seccomp",
	    confine_calls(has_threads ? CONFINE_THREADS : CONFINE_PLAIN));
}

/* What is not the screen, which has its own filter, gets only what passes --filter. 0 or -errno with *error. */
static int run_source(struct show *show, const struct options *options, const struct source *source,
    struct signals *signals, struct error *error)
{
	struct source shown = *source;
	struct sieve *sieve = NULL;
	int err = 0;

	if (options->words && !options->renderer->full_screen) {
		err = sieve_open(&sieve, source, options->words, show->run.names, error);
		if (!err)
			shown = sieve_source(sieve);
	}
	if (!err) {
		confine(options);
		err = show_run(show, options, &shown, signals, error);
	}
	sieve_close(sieve);
	return err;
}

/* ---- live ---- */

/* The user asked it to end before tracing began: not a failure, and there is nothing to print. */
#define ENDED_BY_USER (-ECANCELED)
#define FIRST_PASS_NS (NS_PER_S / 100)
#define PASSES_OF_DIAGNOSIS 4 /* where there are so many sockets that a pass is dear */

/* Shows what libbcc and the verifier printed: all of it with -v, else the first error, where nothing else tells the cause. */
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

/* Maps, programs and attachments take up to 60 descriptors; the soft limit may be lower. */
static void raise_descriptor_limit(void)
{
	const rlim_t wanted = 256;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The compiler is stopped and continued together with this process. *reopen: it was asked for. 0 or ENDED_BY_USER. */
static int take_signals(struct signals *signals, const struct loader *loader, bool *reopen)
{
	for (int number; (number = signals_next(signals)) != 0;) {
		if (signals_is_end(number))
			return ENDED_BY_USER;
		*reopen |= number == SIGUSR1;
		if (number != SIGTSTP)
			continue;
		loader_suspend(loader);
		signals_stop();
		loader_resume(loader);
	}
	return 0;
}

/*
 * Has the loader's child compile and attach, and waits for it; a signal to end comes first. Fills *tracing, the
 * caller's; 0, ENDED_BY_USER, or -errno with *error.
 */
static int load(struct tracing *tracing, const struct loader_request *request, struct signals *signals,
    bool verbose, struct error *error)
{
	struct loader loader;
	char note[1024];
	bool reopen = false;

	raise_descriptor_limit();
	int result = loader_start(&loader, request, error);

	while (result == 0) {
		struct pollfd events[] = { { loader.socket, POLLIN, 0 }, { signals->fd, POLLIN, 0 } };

		if (poll(events, 2, -1) < 0 && errno != EINTR)
			result =
			    error_set(error, EXIT_CODE_RUNTIME, -errno, "cannot wait: %s", strerror(errno));
		else if (events[1].revents)
			result = take_signals(signals, &loader, &reopen);
		else if (events[0].revents) {
			*note = '\0';
			result = loader_receive(&loader, tracing, note, sizeof note, error);
			if (*note && verbose)
				fprintf(stderr, "tcptop: %s\n", note);
		}
	}
	if (result != ENDED_BY_USER)
		show_compiler_output(&loader, verbose, result < 0 && !strchr(error->text, '\n'));
	loader_close(&loader);
	if (reopen)
		kill(getpid(), SIGUSR1); /* for the loop, which has the output */
	return result < 0 ? result : 0;
}

/* Says at the start what cannot be seen: in one line, or with reasons. The screen and JSON show it, too. */
static void declare(const struct options *options, const struct blind_spot *const *spots, size_t spot_count)
{
	if (options->renderer->full_screen || !spot_count)
		return;
	for (size_t i = 0; i < spot_count && options->verbose; i++)
		fprintf(stderr, "tcptop: not counted (%s): %s\n", spots[i]->id, spots[i]->reason);
	if (!options->verbose)
		fprintf(stderr, "tcptop: %zu rare path%s not counted: -v lists, the man page explains\n",
		    spot_count, spot_count == 1 ? " is" : "s are");
}

/* Raises RLIMIT_RTPRIO first: as another user the tracer's thread could not get its priority (trace/tracer.c). */
static int give_up_root(const struct tracing *tracing, const struct options *options, struct error *error)
{
	if (tracer_needs_precedence(&tracing->plan))
		setrlimit(RLIMIT_RTPRIO, &(struct rlimit){ TRACER_PRIORITY, TRACER_PRIORITY });
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
	err = privilege_settle(keep, error);
	if (err)
		return err;
	leave_directory(options);
	confine_tell(options->verbose, "tcptop", "landlock", confine_files());
	return 0;
}

/* What is shown of tracing beside its snapshots. */
struct declared {
	const struct blind_spot *spots[NOT_COUNTED_MAX];
	const char *ids[NOT_COUNTED_MAX];
};

static void show_tracing(struct show *show, struct declared *declared, const struct tracing *tracing)
{
	size_t count = plan_blind_spots(declared->spots, &tracing->plan);

	for (size_t i = 0; i < count; i++)
		declared->ids[i] = declared->spots[i]->id;
	show->run.method = tracing->plan.method;
	show->run.not_counted = declared->ids;
	show->run.not_counted_count = count;
}

/* With what root may see. */
static void tell_start(
    const struct options *options, const struct loader_request *request, const struct tracing *tracing)
{
	notices_pids(options, tracing->in_pid_namespace);
	for (size_t i = 0; i < filter_count; i++)
		if (request->filter_fds[i] >= 0)
			notices_filter_map(request->filter_fds[i], filters[i].option);
	if (request->program.ends && !plan_has_duty(&tracing->plan, DUTY_NOTE_ENDS))
		notices_no_ends();
}

/* From root and a command line to descriptors and another user. 0, ENDED_BY_USER, or -errno with *error. */
static int start_tracing(struct show *show, struct tracing *tracing, struct options *options,
    struct signals *signals, struct error *error)
{
	struct loader_request request = { .method = options->probe, .compiles_anew = options->compiles_anew };
	struct conditions conditions = { .root = options->host_root, .containers = show->containers };

	memset(request.filter_fds, -1, sizeof request.filter_fds);
	int err = privilege_check(error);

	fit_sockets(&options->max_sockets);
	err = err ?: options_program(&request.program, &conditions, options, error);
	err = err ?: fit_maps(&request.program.max_sessions, request.program.family, error);
	if (!err)
		fit_tell_own(request.program.max_sessions, request.program.family,
		    options->renderer->shown_bytes, options->verbose);
	err = err ?: open_filters(&request, options, error);
	err = err ?: signals_open(signals, !options->renderer->full_screen, options->output_path, error);
	err = err ?: load(tracing, &request, signals, options->verbose, error);
	if (!err)
		tell_start(options, &request, tracing);
	close_filters(&request);
	conditions_fini(&conditions);
	/* After the program that notes new cgroups was attached, so that none is made in between unseen. */
	err = err ?: show_open_names(show, options, error);
	err = err ?: give_up_root(tracing, options, error);
	return err ?: show_ask_apart(show, options, error);
}

static int check_connections(
    const struct options *options, const struct tracing *tracing, struct error *error)
{
	if (!options->connections || plan_has_duty(&tracing->plan, DUTY_NOTE_LIVES))
		return 0;
	return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
	    "--connections needs Linux 5.19 or later with BTF (CONFIG_DEBUG_INFO_BTF)");
}

/* How connections end is more to be found by --diagnose, and final for --strict, where it can be told. */
static struct tracer_wants wants_of(const struct options *options, const struct plan *plan,
    const struct show *show, const struct user_files *files)
{
	bool diagnoses = options->action == ACTION_DIAGNOSE;

	return (struct tracer_wants){
		.links = options->renderer->shows_more,
		.connections = options->connections ||
		               ((diagnoses || options->strict) && plan_has_duty(plan, DUTY_NOTE_LIVES)),
		.pass_within_ns = diagnoses ? options->interval_ns / PASSES_OF_DIAGNOSIS : 0,
		.children = { keeper_process(show->output_keeper), keeper_process(show->textfile_keeper),
		    writer_process(files->writer), names_process(show->run.names) },
	};
}

int run_live(struct options *options, struct error *error)
{
	struct user_files files;
	struct signals signals = { -1 };
	struct tracer *tracer = NULL;
	struct declared declared;
	struct tracing tracing;
	struct origin origin;
	struct show show;

	tracing_init(&tracing);
	user_files_open(&files, options);
	show_init(&show, options);
	show.run.writer = files.writer;
	show.run.notice = files.notice;
	int err = show_open_files(&show, options, error);

	err = err ?: start_tracing(&show, &tracing, options, &signals, error);

	if (!err) {
		show_tracing(&show, &declared, &tracing);
		origin_here(&origin, tracing.start_ns);
		show.run.origin = &origin;
		/* What diagnoses asks for parts of its time, once the first pass is over: that is at once. */
		bool diagnoses = options->action == ACTION_DIAGNOSE;
		const struct tracer_wants wants = wants_of(options, &tracing.plan, &show, &files);

		err = check_connections(options, &tracing, error);
		err = err
		          ?: tracer_open(&tracer, &tracing, diagnoses ? FIRST_PASS_NS : options->interval_ns,
		                 diagnoses ? 0 : options->count, &wants, error);
	}
	if (!err)
		declare(options, declared.spots, show.run.not_counted_count);
	show.run.can_tell_sockets = tracer && tracer_source(tracer).tell_sockets;
	show.run.can_tell_connections = tracer && tracer_source(tracer).tell_connections;
	if (!err && options->strict && !show.run.can_tell_sockets)
		err = error_set(error, EXIT_CODE_UNSUPPORTED, -EOPNOTSUPP,
		    "--strict needs a kernel with BTF and iterators of BPF (5.19 or later)");
	err = err ?: show_open(&show, options, &signals, error);
	if (!err) {
		struct source source = tracer_source(tracer);

		if (options_tell_sockets(options) && source.tell_sockets)
			source.tell_sockets(source.state, true);
		err = run_source(&show, options, &source, &signals, error);
	}
	err = show_close(&show, options, err, error);
	user_files_close(&files);
	tracer_close(tracer);
	tracing_close(&tracing);
	if (signals.fd >= 0)
		close(signals.fd);
	return err == -EPIPE || err == ENDED_BY_USER ? 0 : err;
}

/* ---- a recording ---- */

/* A recording instead of this host: needs no privilege, and keeps none. */
int run_recording(struct options *options, struct error *error)
{
	const struct player_request request = {
		.path = options->replay_path,
		.count = options->action == ACTION_REPLAY ? options->count : 0,
		.filter = { options->family, options->pids, options->pid_count },
	};
	struct signals signals = { -1 };
	struct user_files files;
	struct player *player = NULL;
	struct show show;

	user_files_open(&files, options);
	show_init(&show, options);
	show.run.writer = files.writer;
	show.run.notice = files.notice;
	int err = show_open_files(&show, options, error) ?: player_open(&player, &request, error);

	err = err ?: privilege_drop(error);
	err = err ?: privilege_settle(false, error);
	if (!err) {
		leave_directory(options);
		confine_tell(options->verbose, "tcptop", "landlock", confine_files());
	}
	err = err ?: show_open_names(&show, options, error);
	err = err ?: player_start(player, error); /* may wait for a pipe: signals still do what they do */
	err = err ?: signals_open(&signals, !options->renderer->full_screen, options->output_path, error);
	if (!err) {
		show.run.method = player_method(player);
		show.run.origin = player_origin(player);
		show.run.can_seek = player_can_seek(player);
		show.run.not_counted = player_not_counted(player, &show.run.not_counted_count);
		err = show_open(&show, options, &signals, error);
	}
	if (!err) {
		struct source source = player_source(player);

		player_set_paced(player, options->renderer->full_screen);
		err = run_source(&show, options, &source, &signals, error);
	}
	err = show_close(&show, options, err, error);
	user_files_close(&files);
	player_close(player);
	if (signals.fd >= 0)
		close(signals.fd);
	return err == -EPIPE ? 0 : err;
}

/* ---- the program text ---- */

/*
 * The text of the method that a run would take. Where nothing may be tried, or nothing works, it is that which
 * the kernel's facts predict: what was asked for is printed, also where it does not work.
 */
int run_print_program(struct options *options, struct error *error)
{
	const struct method_trial trial = { .attach = attach_try, .cast = attach_try_cast };
	struct method_refusal refusal, why;
	struct program_request request;
	struct conditions conditions = { .root = options->host_root };
	struct kernel kernel;
	struct plan plan;
	char *text;
	int err = kernel_inspect(&kernel, NULL, error);

	fit_sockets(&options->max_sockets);
	if (err)
		return err;
	attach_raise_memlock();
	if (method_choose(&plan, options->probe, &kernel, &trial, &refusal) != 0) {
		if (method_choose(&plan, options->probe, &kernel, NULL, &why) != 0)
			return error_set(error, EXIT_CODE_UNSUPPORTED, -ENOTSUP,
			    "no probe method can be used on this kernel\n%s", why.why);
		fprintf(stderr, "tcptop: for probe method %s, by this kernel's facts; trials failed: %s\n",
		    probe_method_name(plan.method), refusal.why);
	}
	if (options->verbose)
		fprintf(stderr, "tcptop: probe method %s\n", probe_method_name(plan.method));
	struct containers *containers = containers_open(options->host_root);

	conditions.containers = containers;
	err = options_program(&request, &conditions, options, error);
	containers_close(containers);
	err = err ?: fit_maps(&request.max_sessions, request.family, error);
	program_add_hooks(&plan, &request, &kernel);
	err = err ?: program_build(&text, &request, &kernel, &plan, program_offsets_from(&kernel), error);
	conditions_fini(&conditions);
	if (err)
		return err;
	fputs(text, stdout);
	free(text);
	return 0;
}
