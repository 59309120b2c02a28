/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole screen without a terminal: any bytes that one may send, sizes, and intervals in between. Each line is as wide
 * as the C library says, none is wider than the screen, and none is missing: paint() of the unit tests looks. The first
 * byte says what the terminal and the source can; then 0xff begins an interval, 0xfe a size, 0xfd is silence, and each
 * other byte is the terminal's.
 */
#include "screen/test_ui.h"

#include <netdb.h>

#include "fuzz.h"
#include "screen/decoder.h"

enum {
	EVENTS_MAX = 400,
	SESSIONS_MAX = 8,
	IS_ASCII = 1 << 0,
	CAN_SEEK = 1 << 1,
	IS_LIVE = 1 << 2,
	TELLS_ALL = 1 << 3, /* sockets and connections, too */
};

struct terminal {
	struct fixture *fixture;
	struct decoder decoder;
	unsigned width, height;
};

/* No server is asked for the names of hosts. */
int getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host,
    socklen_t host_length, char *restrict service, socklen_t service_length, int flags)
{
	(void)address, (void)length, (void)service, (void)service_length, (void)flags;
	snprintf(host, host_length, "host.example");
	return 0;
}

/* Keys that must not end the program, wherever they arrive. */
static void take(struct terminal *terminal, const struct input *input)
{
	struct fixture *fixture = terminal->fixture;

	frame_input(&fixture->ui, input, &fixture->request);
	paint(fixture, terminal->width, terminal->height);
}

static void take_size(struct terminal *terminal, struct fuzz_bytes *bytes)
{
	unsigned width = fuzz_take(bytes);

	terminal->width = width < 200 ? width + 1 : (width - 199) * 20;
	terminal->height = fuzz_take(bytes) % LINES_MAX + 1;
	paint(terminal->fixture, terminal->width, terminal->height);
}

static uint64_t take_amount(struct fuzz_bytes *bytes)
{
	uint64_t amount = fuzz_take(bytes);

	return amount << fuzz_take(bytes) % 56;
}

/* The name is the next bytes, whatever they are. */
static void take_session(struct fixture *fixture, struct fuzz_bytes *bytes)
{
	static const char *const remotes[] = { "203.0.113.84", "2001:db8::15", "10.0.0.5", "fe80::2" };
	uint8_t which = fuzz_take(bytes);
	uint64_t rx_bytes = take_amount(bytes), tx_bytes = take_amount(bytes);
	char comm[5];

	for (size_t i = 0; i < sizeof comm - 1; i++)
		comm[i] = (char)fuzz_take(bytes);
	comm[sizeof comm - 1] = '\0';
	add(fixture, comm, which, remotes[which % ARRAY_LENGTH(remotes)], which % 4 ? 443 : which, rx_bytes,
	    tx_bytes);
	if (which & 0x80)
		close_connection(fixture, "203.0.113.84", which);
}

static void take_interval(struct terminal *terminal, struct fuzz_bytes *bytes)
{
	struct fixture *fixture = terminal->fixture;

	begin(fixture);
	for (unsigned left = fuzz_take(bytes) % (SESSIONS_MAX + 1); left; left--)
		take_session(fixture, bytes);
	snapshot_total(&fixture->snapshot);
	if (ui_begin_interval(&fixture->ui, &fixture->snapshot) == 1)
		HOLDS(playback_merge(&fixture->ui, &fixture->snapshot) == 0);
	paint(fixture, terminal->width, terminal->height);
}

static void take_event(struct terminal *terminal, struct fuzz_bytes *bytes)
{
	uint8_t byte = fuzz_take(bytes);
	struct input input;

	if (byte == 0xff)
		take_interval(terminal, bytes);
	else if (byte == 0xfe)
		take_size(terminal, bytes);
	else if (byte == 0xfd ? decoder_flush(&terminal->decoder, &input)
	                      : decoder_put(&terminal->decoder, byte, &input))
		take(terminal, &input);
}

static void print_final(struct fixture *fixture)
{
	char *text;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	HOLDS(stream);
	frame_print_final(&fixture->ui, stream, 80, 24);
	fclose(stream);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_bytes input = { bytes, size };
	uint8_t can = fuzz_take(&input);
	void *state;

	HOLDS(start(&state, !(can & IS_ASCII)) == 0);
	struct terminal terminal = { .fixture = state, .width = 80, .height = 24 };

	terminal.fixture->run.can_seek = can & CAN_SEEK;
	terminal.fixture->run.live = can & IS_LIVE;
	terminal.fixture->run.can_tell_sockets = can & TELLS_ALL;
	terminal.fixture->run.can_tell_connections = can & TELLS_ALL;
	decoder_init(&terminal.decoder);
	paint(terminal.fixture, terminal.width, terminal.height);
	for (unsigned i = 0; i < EVENTS_MAX && input.left; i++)
		take_event(&terminal, &input);
	print_final(terminal.fixture);
	return tear_down(&state);
}
