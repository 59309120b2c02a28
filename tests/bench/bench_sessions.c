/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an interval with N sessions costs, by stage, in nanoseconds of processor time a session: real tables of the kernel,
 * filled by bpf(2), are swapped and drained, and what was drained is shown by each renderer. Needs root.
 *     bench_sessions [-m MOST] [-l LINEAR] [-r] [-o FORM] [-b] [N]...
 * N: 1,000 to 1,000,000 unless told. The mean of all intervals but the first one, which has a column of its own, all with
 * the same sessions. -r: 128 of a thousand go and others come in each. -o: screen,
 * text or json alone. -b: fails when the peak of memory is above what the start tells with -v, or less than half of it. With -m it fails when the screen takes more nanoseconds a session with the greatest N, with -l
 * when it takes so many times more a session than with the least.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "fit.h"
#include "loader/tracing.h"
#include "model/snapshot.h"
#include "names/names.h"
#include "output/renderer.h"
#include "renderers.h"
#include "screen/frame.h"
#include "screen/playback.h"
#include "screen/screen_options.h"
#include "screen/ui.h"
#include "trace/maps.h"

enum {
	/* so many that some of those that are kept for looking back go, and more of those that take little time */
	INTERVALS_MIN = 17,
	INTERVALS_MAX = 200,
	SESSIONS_ENOUGH = 400000,
	BATCH = 4096,
	COUNTS_MAX = 16,
	WIDTH = 200,
	HEIGHT = 60,
	SECOND_NS = 1000000000,
};

enum stage { STAGE_DRAIN, STAGE_MERGE, STAGE_PAINT, STAGE_TEXT, STAGE_JSON, STAGE_COUNT };

/* Of the screen: all that an interval takes there, on both threads. */
#define SCREEN_STAGES STAGE_TEXT

static const char *const stage_names[STAGE_COUNT] = {
	[STAGE_DRAIN] = "drain",
	[STAGE_MERGE] = "merge",
	[STAGE_PAINT] = "paint",
	[STAGE_TEXT] = "text",
	[STAGE_JSON] = "json",
};

struct bench {
	struct tracing tracing;
	struct maps maps;
	struct snapshot snapshot;
	struct run run;
	struct screen_options options;
	struct ui ui;
	const struct renderer *renderers[2]; /* text, JSON */
	void *states[2];
	FILE *nothing;
	bool changes;
	const char *form; /* of output, alone; NULL: all of them */
	double ns[STAGE_COUNT][INTERVALS_MAX];
};

static _Noreturn void fail(const char *what, int err)
{
	fprintf(stderr, "bench_sessions: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(EXIT_FAILURE);
}

/* Processor time: what else runs on the machine is not in it. */
static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static int map_open(
    struct bench *bench, enum map map, enum bpf_map_type type, size_t key, size_t value, uint32_t count)
{
	int fd = bpf_map_create(type, "bench", (uint32_t)key, (uint32_t)value, count, NULL);

	if (fd < 0)
		fail("creating a table (needs root)", errno);
	return bench->tracing.maps[map] = fd;
}

/* As the program text declares them; tests/unit/trace has its own, for programs that write them. */
static void tables_open(struct bench *bench, size_t count)
{
	struct bpf_map_create_opts options = { .sz = sizeof options };
	uint32_t places = count < 65536 ? 65536 : (uint32_t)count;

	tracing_init(&bench->tracing);
	map_open(bench, MAP_GENERATION, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	map_open(bench, MAP_OTHER, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct session_other), 1);
	for (enum map map = MAP_SESSIONS4_EVEN; map <= MAP_SESSIONS4_ODD; map++)
		map_open(bench, map, BPF_MAP_TYPE_HASH, sizeof(struct session_key4),
		    sizeof(struct session_value), places);
	for (enum map map = MAP_SESSIONS6_EVEN; map <= MAP_SESSIONS6_ODD; map++)
		map_open(bench, map, BPF_MAP_TYPE_HASH, sizeof(struct session_key6),
		    sizeof(struct session_value), places);
	options.inner_map_fd = (uint32_t)map_open(bench, MAP_BARRIER_SLOT, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	bench->tracing.maps[MAP_BARRIER] =
	    bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "bench", 4, 4, 1, &options);
	if (bench->tracing.maps[MAP_BARRIER] < 0)
		fail("creating a table of tables", errno);
}

/* Both ends of half as many connections within the host, which is what costs most: each looks for its other end. */
static void session_fill(
    struct session_key4 *key, struct session_value *value, size_t number, unsigned interval, bool changes)
{
	size_t connection = number / 2;
	bool far = number % 2;
	uint32_t near_address = htobe32(0x0a000000u | (uint32_t)(connection >> 14));
	uint32_t far_address = htobe32(0x0ac80001u);
	uint16_t near_port = (uint16_t)(1024 + (connection & 0x3fff)), far_port = 443;

	if (changes && connection % 1000 < 128) /* ports that are used for a moment */
		far_port = (uint16_t)(2000 + interval);
	*key = (struct session_key4){
		.laddr = far ? far_address : near_address,
		.raddr = far ? near_address : far_address,
		.lport = far ? far_port : near_port,
		.rport = htobe16(far ? near_port : far_port),
		.pid = far ? 4000 : 1000 + (uint32_t)(connection % 500),
		.netns = 4026531840u,
	};
	*value = (struct session_value){
		.rx_bytes = (number * 2654435761u + interval * 40503u) % (1u << 20),
		.tx_bytes = (number * 40503u + interval * 2654435761u) % (1u << 18),
		.cgroup_id = 1 + connection % 20,
		.uid = (uint32_t)(connection % 20),
		.mntns = 4026531841u,
	};
	snprintf(value->comm, sizeof value->comm, far ? "server" : "worker-%u", (unsigned)(connection % 50));
}

static void tables_fill(struct bench *bench, size_t count, unsigned interval)
{
	static struct session_key4 keys[BATCH];
	static struct session_value values[BATCH];
	int fd = bench->tracing.maps[bench->maps.generation ? MAP_SESSIONS4_ODD : MAP_SESSIONS4_EVEN];

	for (size_t i = 0; i < count;) {
		uint32_t batch = count - i < BATCH ? (uint32_t)(count - i) : BATCH;

		for (uint32_t j = 0; j < batch; j++)
			session_fill(&keys[j], &values[j], i + j, interval, bench->changes);
		if (bpf_map_update_batch(fd, keys, values, &batch, NULL) != 0)
			fail("filling a table", errno);
		i += batch;
	}
}

static void put_nothing(void *to, unsigned y, const struct line *line)
{
	(void)to;
	(void)y;
	(void)line;
}

static void check(int err, const char *what, const struct error *error)
{
	if (err < 0)
		fail(error && error->text[0] ? error->text : what, err);
}

/* Adds what has passed since *from to a stage, and starts the next one. */
static void stage_end(struct bench *bench, enum stage stage, unsigned interval, double *from)
{
	double now = cpu_ns();

	bench->ns[stage][interval] = now - *from;
	*from = now;
}

static bool is_wanted(const struct bench *bench, const char *form)
{
	return !bench->form || strcmp(bench->form, form) == 0;
}

static void screen_show(struct bench *bench, unsigned interval, double *from)
{
	const struct line_sink sink = { put_nothing, NULL };
	struct ui *ui = &bench->ui;

	check(ui_begin_interval(ui, &bench->snapshot), "taking in", NULL);
	check(past_merge(&ui->past, &ui->traffic, &bench->snapshot, view_kept(&ui->view)), "merging", NULL);
	stage_end(bench, STAGE_MERGE, interval, from);
	check(frame_draw(ui, WIDTH, HEIGHT, &sink), "painting", NULL);
	stage_end(bench, STAGE_PAINT, interval, from);
}

static void interval_run(struct bench *bench, size_t count, unsigned interval)
{
	struct error error = { 0 };
	uint64_t time_ns;

	tables_fill(bench, count, interval);
	check(maps_swap(&bench->maps, &time_ns, &error), "swapping", &error);
	double from = cpu_ns();

	snapshot_reset(&bench->snapshot);
	check(maps_drain(&bench->maps, &bench->snapshot, &error), "draining", &error);
	stage_end(bench, STAGE_DRAIN, interval, &from);
	if (bench->snapshot.session_count != count)
		fail("not all was drained", EIO);
	bench->snapshot.time = (struct timespec){ .tv_sec = 1795344137 + interval };
	bench->snapshot.interval_ns = SECOND_NS;
	if (is_wanted(bench, "screen"))
		screen_show(bench, interval, &from);
	for (size_t i = 0; i < COUNT_OF(bench->renderers); i++) {
		if (!is_wanted(bench, bench->renderers[i]->name))
			continue;
		check(bench->renderers[i]->show(bench->states[i], &bench->snapshot, &error), "printing",
		    &error);
		stage_end(bench, (enum stage)(STAGE_TEXT + i), interval, &from);
	}
	snapshot_release(&bench->snapshot);
}

static const struct renderer *renderer_find(const char *name)
{
	for (size_t i = 0; i < renderer_count; i++)
		if (strcmp(renderers[i]->name, name) == 0)
			return renderers[i];
	fail(name, ENOENT);
}

static void bench_open(struct bench *bench, size_t count)
{
	struct error error = { 0 };

	tables_open(bench, count);
	check(maps_init(&bench->maps, &bench->tracing), "opening", NULL);
	snapshot_init(&bench->snapshot);
	screen_options_init(&bench->options);
	bench->nothing = fopen("/dev/null", "we");
	bench->run = (struct run){ .interval_ns = SECOND_NS,
		.method = PROBE_TRACEPOINT,
		.names = names_open(NULL, NULL),
		.screen = &bench->options };
	if (!bench->nothing || !bench->run.names || ui_init(&bench->ui, &bench->run, true) < 0)
		fail("opening", ENOMEM);
	bench->renderers[0] = renderer_find("text");
	bench->renderers[1] = renderer_find("json");
	for (size_t i = 0; i < COUNT_OF(bench->renderers); i++)
		check(bench->renderers[i]->open(&bench->states[i], &bench->run, bench->nothing, &error),
		    "opening", &error);
}

static void bench_close(struct bench *bench)
{
	for (size_t i = 0; i < COUNT_OF(bench->renderers); i++)
		bench->renderers[i]->close(bench->states[i]);
	ui_fini(&bench->ui);
	names_close(bench->run.names);
	fclose(bench->nothing);
	snapshot_fini(&bench->snapshot);
	maps_fini(&bench->maps);
	tracing_close(&bench->tracing);
}

/* What a run is asked for. */
struct wanted {
	double most_ns;
	double linear;
	bool changes;
	const char *form;
	bool checks_memory;
};

/* Whether the peak is what was said. */
static bool memory_is_as_told(const struct wanted *wanted, size_t count, double peak_bytes)
{
	const struct renderer *renderer = renderer_find(wanted->form ? wanted->form : "screen");
	double said_bytes = (double)fit_own_bytes((uint32_t)count, 4, renderer->shown_bytes);

	if (!wanted->checks_memory || (peak_bytes <= said_bytes && said_bytes <= 2 * peak_bytes))
		return true;
	printf("said are %.1f MB\n", said_bytes / (1 << 20));
	return false;
}

/* Prints a line, and returns the nanoseconds a session that the screen takes; infinite: too much memory. */
static double measure(size_t count, const struct wanted *wanted)
{
	struct bench *bench = calloc(1, sizeof *bench);
	double screen = 0, first = 0;
	unsigned intervals = INTERVALS_MIN + (unsigned)(SESSIONS_ENOUGH / count);
	struct rusage usage;

	intervals = intervals < INTERVALS_MAX ? intervals : INTERVALS_MAX;
	if (!bench)
		fail("no memory", ENOMEM);
	bench->changes = wanted->changes;
	bench->form = wanted->form;
	bench_open(bench, count);
	for (unsigned i = 0; i < intervals; i++)
		interval_run(bench, count, i);
	printf("%8zu", count);
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
		double sum = 0;

		for (unsigned i = 1; i < intervals; i++)
			sum += bench->ns[stage][i];
		double mean = sum / (intervals - 1) / (double)count;

		first += stage < SCREEN_STAGES ? bench->ns[stage][0] / (double)count : 0;
		screen += stage < SCREEN_STAGES ? mean : 0;
		printf(" %7.0f", mean);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf(" | %7.0f %7.0f %7.1f\n", screen, first, (double)usage.ru_maxrss / 1024);
	fflush(stdout);
	bench_close(bench);
	free(bench);
	return memory_is_as_told(wanted, count, (double)usage.ru_maxrss * 1024) ? screen : INFINITY;
}

static void head_print(void)
{
	printf("%8s", "sessions");
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
		printf(" %7s", stage_names[stage]);
	printf(" | %7s %7s %7s\n", "screen", "first", "peak MB");
}

static bool parse(struct wanted *wanted, int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "m:l:ro:b")) != -1;) {
		if (option == 'm')
			wanted->most_ns = strtod(optarg, NULL);
		else if (option == 'l')
			wanted->linear = strtod(optarg, NULL);
		else if (option == 'r')
			wanted->changes = true;
		else if (option == 'o')
			wanted->form = optarg;
		else if (option == 'b')
			wanted->checks_memory = true;
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	size_t counts[COUNTS_MAX] = { 1000, 10000, 100000, 1000000 }, count = 0;
	struct wanted wanted = { .most_ns = INFINITY, .linear = INFINITY };
	double least = 0, greatest = 0;
	bool fits = true;

	if (!parse(&wanted, argc, argv))
		return 2;
	for (; optind < argc && count < COUNTS_MAX; optind++)
		if ((counts[count++] = strtoul(argv[optind], NULL, 10)) == 0)
			return 2;
	setlocale(LC_CTYPE, "C.UTF-8");
	head_print();
	for (size_t i = 0; i < (count ? count : 4); i++) {
		greatest = measure(counts[i], &wanted);
		least = i ? least : greatest;
		fits = fits && greatest < INFINITY;
	}
	if (greatest > wanted.most_ns)
		printf("more than %.0f ns a session\n", wanted.most_ns);
	if (greatest > wanted.linear * least)
		printf("more than %.1f times what the least takes a session\n", wanted.linear);
	return !fits || greatest > wanted.most_ns || greatest > wanted.linear * least;
}
