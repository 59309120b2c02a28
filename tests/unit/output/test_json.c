/* SPDX-License-Identifier: Apache-2.0 */
/* The module itself is included for its static functions. */
#include "output/json.c"

#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "golden/golden.h"
#include "names/names.h"
#include "tell_names.h"

static const char *const not_counted[] = { "splice_io_uring", "odd\"id" };
static const char *const options[] = { "--pid=1,2", "--comm=a\"b" };
static const struct origin origin = {
	.version = "9.8.7",
	.host = "web1",
	.boot_id = "01234567-89ab-cdef-0123-456789abcdef",
	.kernel = "6.18.1",
	.start_ns = UINT64_C(1795344136122000000),
	.monotonic_ms = UINT64_C(4294967301),
};

/* known: of a cgroup; NULL: nothing is. For free(). */
static char *show(const struct snapshot *snapshot, size_t not_counted_count, const struct cgroup_told *known)
{
	struct run run = {
		.interval_ns = 1000000000,
		.live = true,
		.method = PROBE_TRACEPOINT,
		.not_counted = not_counted,
		.not_counted_count = not_counted_count,
		.origin = &origin,
		.options = options,
		.option_count = ARRAY_LENGTH(options),
		.names = names_open(NULL, NULL), /* no cgroup of this host is a sample's */
	};
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *state;

	assert_non_null(stream);
	tell_names(run.names, known);
	assert_int_equal(renderer_json.open(&state, &run, stream, &error), 0);
	assert_int_equal(renderer_json.show(state, snapshot, &error), 0);
	renderer_json.close(state);
	names_close(run.names);
	fclose(stream);
	return output;
}

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		struct snapshot snapshot;
		char golden[64], *output;

		snprintf(golden, sizeof golden, "json_%s.jsonl", samples[i].name);
		sample_fill(&snapshot, &samples[i]);
		output = show(&snapshot, 0, NULL);
		golden_expect(golden, output, strlen(output));
		free(output);
		snapshot_fini(&snapshot);
	}
}

/* What the sums are of, as harmless as any text. */
static void test_filter_is_told(void **state)
{
	struct run run = { .interval_ns = 1000000000, .live = true, .words = "comm:\"x !local \xff\033" };
	struct snapshot snapshot;
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *renderer;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(renderer_json.open(&renderer, &run, stream, &error), 0);
	assert_int_equal(renderer_json.show(renderer, &snapshot, &error), 0);
	renderer_json.close(renderer);
	fclose(stream);
	char *rest = output;

	for (int i = 0; i < 2; i++, rest = strchr(rest, '\n') + 1) {
		json_t *line = json_loads(rest, JSON_DISABLE_EOF_CHECK, NULL);

		assert_non_null(line);
		assert_string_equal(
		    json_string_value(json_object_get(line, "filter")), "comm:\"x !local \xef\xbf\xbd\033");
		json_decref(line);
	}
	assert_string_equal(rest, "");
	free(output);
	snapshot_fini(&snapshot);
}

static void test_golden_sockets(void **state)
{
	struct snapshot snapshot;
	char *output;

	(void)state;
	sample_fill_sockets(&snapshot);
	output = show(&snapshot, 0, NULL);
	golden_expect("json_sockets.jsonl", output, strlen(output));
	free(output);
	snapshot_fini(&snapshot);
}

static void test_golden_losses(void **state)
{
	struct snapshot snapshot;
	char *output;

	(void)state;
	sample_fill(&snapshot, sample_find("ipv6"));
	snapshot.other = (struct session_other){ .calls = 3, .rx_bytes = 1001, .tx_bytes = 7 };
	snapshot.missed_runs = 12;
	snapshot_total(&snapshot);
	output = show(&snapshot, ARRAY_LENGTH(not_counted), NULL);
	golden_expect("json_losses.jsonl", output, strlen(output));
	free(output);
	snapshot_fini(&snapshot);
}

static uint64_t integer_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("\"%s\" is not an integer", key);
	return json_integer_value(value);
}

static const char *string_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		fail_msg("\"%s\" is not a string", key);
	return json_string_value(value);
}

/* comm is the name, or comm_hex is and comm has a U+FFFD. */
static void expect_name(const json_t *object, const char *comm)
{
	char hex[2 * SESSION_COMM_LENGTH + 1] = "";

	if (!json_object_get(object, "comm_hex")) {
		assert_string_equal(string_of(object, "comm"), comm);
		return;
	}
	for (size_t i = 0; comm[i]; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)comm[i]);
	assert_string_equal(string_of(object, "comm_hex"), hex);
	assert_non_null(strstr(string_of(object, "comm"), "\xEF\xBF\xBD"));
	assert_string_not_equal(string_of(object, "comm"), comm);
}

static void expect_session(const json_t *object, const struct sample_session *session)
{
	assert_string_equal(string_of(object, "type"), "session");
	expect_name(object, session->comm);
	assert_int_equal(integer_of(object, "pid"), session->pid);
	assert_int_equal(integer_of(object, "family"), session->family);
	assert_string_equal(string_of(object, "laddr"), session->laddr);
	assert_string_equal(string_of(object, "raddr"), session->raddr);
	assert_int_equal(integer_of(object, "lport"), session->lport);
	assert_int_equal(integer_of(object, "rport"), session->rport);
	assert_int_equal(integer_of(object, "netns"), 4026531840);
	assert_int_equal(integer_of(object, "rx_bytes"), session->rx_bytes);
	assert_int_equal(integer_of(object, "tx_bytes"), session->tx_bytes);
	assert_int_equal(json_object_get(object, "uid") != NULL, session->uid != UNKNOWN);
	assert_int_equal(json_object_get(object, "cgroup_id") != NULL, session->cgroup_id != 0);
	assert_int_equal(json_object_get(object, "mntns") != NULL, session->mntns != 0);
	if (session->cgroup_id)
		assert_int_equal(integer_of(object, "cgroup_id"), session->cgroup_id);
	assert_int_equal(json_object_get(object, "ifindex") != NULL, session->ifindex != 0);
	assert_int_equal(json_object_get(object, "ifname") != NULL, session->ifname != NULL);
	if (session->ifindex)
		assert_int_equal(integer_of(object, "ifindex"), session->ifindex);
	if (session->ifname && !json_object_get(object, "ifname_hex"))
		assert_string_equal(string_of(object, "ifname"), session->ifname);
}

static void skip_start(char **line)
{
	static const char begin[] = "{\"type\":\"start\",";

	assert_memory_equal(*line, begin, strlen(begin));
	*line = strchr(*line, '\n') + 1;
}

/* Parses one line and steps over it. For json_decref. */
static json_t *next_object(char **line)
{
	char *end = strchr(*line, '\n');
	json_error_t why;
	json_t *object;

	assert_non_null(end);
	object = json_loadb(*line, end - *line, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(object))
		fail_msg("%s: %.*s", why.text, (int)(end - *line), *line);
	assert_string_equal(string_of(object, "time"), "2026-11-22T10:42:17.123Z");
	assert_true(json_is_real(json_object_get(object, "interval_s")));
	*line = end + 1;
	return object;
}

/* Every object of every sample parses, in the right order, and holds the very values. */
static void test_parses_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		struct snapshot snapshot;
		uint64_t previous_bytes = UINT64_MAX;
		char *output, *line;
		json_t *object;

		sample_fill(&snapshot, &samples[i]);
		line = output = show(&snapshot, 1, NULL);
		skip_start(&line);
		for (size_t k = 0; k < samples[i].count; k++) {
			const struct sample_session *session = samples[i].sessions;
			uint64_t total_bytes;

			object = next_object(&line);
			total_bytes = integer_of(object, "rx_bytes") + integer_of(object, "tx_bytes");
			assert_true(total_bytes <= previous_bytes);
			previous_bytes = total_bytes;
			/* In no sample do PID and first byte count agree in two sessions. */
			while (session->pid != integer_of(object, "pid") ||
			       session->rx_bytes != integer_of(object, "rx_bytes")) {
				session++;
				assert_true(session < samples[i].sessions + samples[i].count);
			}
			expect_session(object, session);
			json_decref(object);
		}
		object = next_object(&line);
		assert_string_equal(string_of(object, "type"), "interval");
		assert_string_equal(string_of(object, "probe"), "tracepoint");
		assert_int_equal(integer_of(object, "sessions"), samples[i].count);
		assert_int_equal(integer_of(object, "rx_bytes"), snapshot.rx_bytes);
		assert_int_equal(json_array_size(json_object_get(object, "not_counted")), 1);
		json_decref(object);
		assert_string_equal(line, "");
		free(output);
		snapshot_fini(&snapshot);
	}
}

/* Any 15 bytes: the line stays one line of valid JSON and gives the bytes back. */
static void test_random_names(void **state)
{
	uint64_t random = 88172645463325252;
	struct sample sample = *sample_find("ipv4");

	(void)state;
	sample.count = 1;
	for (int round = 0; round < 5000; round++) {
		char comm[SESSION_COMM_LENGTH] = "";
		struct snapshot snapshot;
		char *output, *line;
		json_t *object;

		for (size_t i = 0; i < sizeof comm - 1; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			comm[i] = random >> 56 ? random >> 56 : 1;
		}
		comm[random % sizeof comm] = '\0';
		sample.sessions[0].comm = comm;
		sample_fill(&snapshot, &sample);
		line = output = show(&snapshot, 0, NULL);
		skip_start(&line);
		object = next_object(&line);
		expect_name(object, comm);
		json_decref(object);
		json_decref(next_object(&line));
		assert_string_equal(line, "");
		free(output);
		snapshot_fini(&snapshot);
	}
}

static void test_seconds(void **state)
{
	static const struct {
		uint64_t interval_ns;
		const char *expected;
	} rows[] = {
		{ 0, "0.0000" },
		{ 10012000, "0.010012" },
		{ 10010000, "0.01001" },
		{ 999999499, "0.999999" },
		{ 999999500, "1.0000" },
		{ 1000300000, "1.0003" },
		{ 1000000000, "1.0000" },
		{ UINT64_C(31536000000000000), "31536000.0000" },
	};
	char buffer[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		stamp_seconds(buffer, sizeof buffer, rows[i].interval_ns);
		assert_string_equal(buffer, rows[i].expected);
	}
}

static void test_write_errors(void **state)
{
	struct run run = { .interval_ns = 1000000000, .live = true, .method = PROBE_FENTRY };
	struct json json = { .stream = fopen("/dev/full", "w"), .run = &run };
	void *refused;
	struct snapshot snapshot;
	struct error error;
	int ends[2];

	(void)state;
	assert_non_null(json.stream);
	sample_fill(&snapshot, sample_find("both"));
	assert_int_equal(renderer_json.show(&json, &snapshot, &error), -ENOSPC);
	assert_int_equal(error.exit_code, EXIT_CODE_OUTPUT);
	assert_string_equal(error.text, "cannot write the output: No space left on device");
	assert_int_equal(renderer_json.open(&refused, &run, json.stream, &error), -ENOSPC);
	assert_null(refused);
	fclose(json.stream);

	assert_int_equal(pipe(ends), 0);
	json.stream = fdopen(ends[1], "w");
	assert_non_null(json.stream);
	close(ends[0]);
	assert_int_equal(renderer_json.show(&json, &snapshot, &error), -EPIPE);
	fclose(json.stream);
	seen_fini(&json.seen);
	snapshot_fini(&snapshot);
}

static const struct cgroup_told web = { .id = 4711,
	.texts = { [CGROUP_NAME] = "shop/web/main",
	    [CGROUP_PATH] = "/kubepods/\xff\n",
	    [CGROUP_CONTAINER] = "main",
	    [CGROUP_POD] = "web",
	    [CGROUP_NAMESPACE] = "shop" } };
static const char web_line[] =
    "{\"type\":\"cgroup\",\"time\":\"2026-11-22T10:42:17.123Z\",\"interval_s\":1.0003,\"cgroup_id\":4711,"
    "\"path\":\"/kubepods/\xEF\xBF\xBD\\n\",\"path_hex\":\"2f6b756265706f64732fff0a\",\"name\":\"shop/web/"
    "main\","
    "\"container\":\"main\",\"pod\":\"web\",\"namespace\":\"shop\"}\n";

static size_t count_lines(const char *output, const char *line)
{
	size_t count = 0;

	for (const char *at = output; (at = strstr(at, line)); at += strlen(line))
		count++;
	return count;
}

static void test_golden_cgroups(void **state)
{
	struct snapshot snapshot;
	char *output;

	(void)state;
	sample_fill(&snapshot, sample_find("ipv4"));
	output = show(&snapshot, 0, &web);
	golden_expect("json_cgroups.jsonl", output, strlen(output));
	free(output);
	snapshot_fini(&snapshot);
}

/* A cgroup's line stands before its first session, once; again when more is known, and in each new file. */
static void test_cgroups_are_named_once(void **state)
{
	struct run run = {
		.interval_ns = 1000000000, .method = PROBE_TRACEPOINT, .names = names_open(NULL, NULL)
	};
	struct cgroup_told more = web;
	struct snapshot snapshot;
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *renderer;

	(void)state;
	sample_fill(&snapshot, sample_find("ipv4"));
	assert_int_equal(cgroup_list_add(&snapshot.told, &web), 0);
	assert_int_equal(renderer_json.open(&renderer, &run, stream, &error), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(renderer_json.show(renderer, &snapshot, &error), 0);
	fflush(stream);
	assert_int_equal(count_lines(output, web_line), 1);
	assert_int_equal(count_lines(output, "\"cgroup\""), 1); /* of the other sessions no cgroup is known */
	assert_true(strstr(output, web_line) < strstr(output, "\"cgroup_id\":4711,\"mntns\""));
	assert_int_equal(renderer_json.begin(renderer, &error), 0);
	assert_int_equal(renderer_json.show(renderer, &snapshot, &error), 0);
	fflush(stream);
	assert_int_equal(count_lines(output, web_line), 2);
	assert_int_equal(count_lines(output, "{\"type\":\"start\""), 2);
	assert_int_equal(count_lines(output, "\"total_rx_bytes\":8348,"), 1); /* goes on: 4 times 2,087 */
	more.texts[CGROUP_CONTAINER_ID] = "0123";
	assert_int_equal(cgroup_list_add(&snapshot.told, &more), 0);
	assert_int_equal(renderer_json.show(renderer, &snapshot, &error), 0);
	renderer_json.close(renderer);
	fclose(stream);
	assert_int_equal(count_lines(output, web_line), 2);
	assert_int_equal(count_lines(output, "\"container_id\":\"0123\","), 1);
	free(output);
	names_close(run.names);
	snapshot_fini(&snapshot);
}

/* Of a recording that does not say where it was made nothing is invented. */
static void test_unknown_origin(void **state)
{
	struct run run = { .method = PROBE_AUTO };
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *renderer;

	(void)state;
	assert_int_equal(renderer_json.open(&renderer, &run, stream, &error), 0);
	renderer_json.close(renderer);
	fclose(stream);
	assert_string_equal(output,
	    "{\"type\":\"start\",\"schema\":1,\"probe\":\"auto\",\"not_counted\":[],\"filters\":[]}\n");
	free(output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_filter_is_told),
		cmocka_unit_test(test_golden_sockets),
		cmocka_unit_test(test_golden_losses),
		cmocka_unit_test(test_parses_back),
		cmocka_unit_test(test_random_names),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_write_errors),
		cmocka_unit_test(test_golden_cgroups),
		cmocka_unit_test(test_cgroups_are_named_once),
		cmocka_unit_test(test_unknown_origin),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
