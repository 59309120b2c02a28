/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target as an ordinary test, without libFuzzer: replay SEEDS KEPT [FILE]... runs every file in the folder SEEDS, then
 * changes of them, the same ones each time, for at most TIME_NS. KEPT is a file with the input that is being run, which
 * remains when the target ends the program. With FILEs just these are run.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "fuzz.h"

#define TIME_NS (2 * NS_PER_S)

enum {
	CHANGED_INPUTS = 4000,
	CHANGES_MAX = 6, /* of one input */
	SEEDS_MAX = 256,
	SIZE_MAX_BYTES = 1 << 16,
};

struct input {
	uint8_t *bytes;
	size_t size;
};

struct seeds {
	struct input inputs[SEEDS_MAX];
	size_t count;
};

/* xorshift64*: the same numbers on every machine. */
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static size_t random_below(size_t end)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return end ? (size_t)((random_state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % end : 0;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static struct input read_input(const char *path)
{
	FILE *file = fopen(path, "re");
	struct input input = { malloc(SIZE_MAX_BYTES + 1), 0 };

	if (!file || !input.bytes)
		fail(path);
	input.size = fread(input.bytes, 1, SIZE_MAX_BYTES + 1, file);
	if (ferror(file))
		fail(path);
	if (input.size > SIZE_MAX_BYTES) {
		errno = EFBIG;
		fail(path);
	}
	fclose(file);
	return input;
}

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their names, which does not depend on the file system. */
static void read_seeds(struct seeds *seeds, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_seed, alphasort);

	if (count == 0)
		errno = ENOENT;
	if (count > SEEDS_MAX)
		errno = E2BIG;
	if (count <= 0 || count > SEEDS_MAX)
		fail(folder);
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		seeds->inputs[seeds->count++] = read_input(path);
		free(entries[i]);
	}
	free(entries);
}

/* In memory that ends where it does, so that a sanitizer sees a look beyond it. */
static void run(int kept, const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact || ftruncate(kept, 0) != 0 || pwrite(kept, bytes, size, 0) != (ssize_t)size)
		fail("the input cannot be kept");
	memcpy(exact, bytes, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

/* ---- changes: each of the input in place, whose bytes have room for SIZE_MAX_BYTES ---- */

static void flip_bit(struct input *input)
{
	if (input->size)
		input->bytes[random_below(input->size)] ^= (uint8_t)(1u << random_below(8));
}

static void set_byte(struct input *input)
{
	static const uint8_t telling[] = { 0, 1, '\t', '\n', 0x1b, ' ', '!', '"', '%', ',', '-', '.', '/',
		'0', '9', ':', '[', '\\', ']', '{', '}', 0x7f, 0x80, 0xc2, 0xff };

	if (input->size)
		input->bytes[random_below(input->size)] =
		    random_below(2) ? telling[random_below(COUNT_OF(telling))] : (uint8_t)random_below(256);
}

/* Puts bytes, which are not the input's own, in at a place. What is too much is left out. */
static void put_in(struct input *input, const uint8_t *bytes, size_t size)
{
	size_t at = random_below(input->size + 1);

	if (size > SIZE_MAX_BYTES - input->size)
		size = SIZE_MAX_BYTES - input->size;
	memmove(input->bytes + at + size, input->bytes + at, input->size - at);
	memcpy(input->bytes + at, bytes, size);
	input->size += size;
}

static void cut_out(struct input *input)
{
	size_t at = random_below(input->size), size = random_below(input->size - at) + 1;

	if (!input->size)
		return;
	if (random_below(4))
		size = size % 8 + 1;
	if (size > input->size - at)
		size = input->size - at;
	memmove(input->bytes + at, input->bytes + at + size, input->size - at - size);
	input->size -= size;
}

static void cut_off(struct input *input)
{
	input->size = random_below(input->size + 1);
}

static void repeat_byte(struct input *input)
{
	uint8_t bytes[300];

	memset(bytes, input->size ? input->bytes[random_below(input->size)] : 'x', sizeof bytes);
	put_in(input, bytes, random_below(sizeof bytes) + 1);
}

/* A piece of any seed. */
static void put_in_piece(struct input *input, const struct seeds *seeds)
{
	const struct input *other = &seeds->inputs[random_below(seeds->count)];
	size_t from = random_below(other->size);

	if (other->size)
		put_in(input, other->bytes + from, random_below(other->size - from) + 1);
}

/* Two of four are of the smallest kind: what is changed much is soon refused. */
static void change(struct input *input, const struct seeds *seeds)
{
	switch (random_below(8)) {
	case 0:
	case 1:
		flip_bit(input);
		break;
	case 2:
	case 3:
		set_byte(input);
		break;
	case 4:
		cut_out(input);
		break;
	case 5:
		put_in_piece(input, seeds);
		break;
	case 6:
		repeat_byte(input);
		break;
	default:
		if (random_below(4) == 0)
			cut_off(input);
		else
			put_in_piece(input, seeds);
	}
}

static void run_changed(int kept, const struct seeds *seeds)
{
	struct input input = { malloc(SIZE_MAX_BYTES), 0 };
	uint64_t end = clock_now_ns() + TIME_NS;
	unsigned count = 0;

	if (!input.bytes)
		fail("memory");
	for (; count < CHANGED_INPUTS && clock_now_ns() < end; count++) {
		const struct input *seed = &seeds->inputs[random_below(seeds->count)];

		input.size = seed->size;
		memcpy(input.bytes, seed->bytes, seed->size);
		for (size_t left = random_below(CHANGES_MAX) + 1; left; left--)
			change(&input, seeds);
		run(kept, input.bytes, input.size);
	}
	free(input.bytes);
	printf("%zu seeds, %u changed inputs\n", seeds->count, count);
}

int main(int argc, char **argv)
{
	static struct seeds seeds;

	if (argc < 3) {
		fprintf(stderr, "usage: %s SEEDS KEPT [FILE]...\n", argv[0]);
		return 2;
	}
	int kept = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (kept < 0)
		fail(argv[2]);
	if (argc == 3)
		read_seeds(&seeds, argv[1]);
	for (int i = 3; i < argc && seeds.count < SEEDS_MAX; i++)
		seeds.inputs[seeds.count++] = read_input(argv[i]);
	run(kept, (const uint8_t *)"", 0);
	for (size_t i = 0; i < seeds.count; i++)
		run(kept, seeds.inputs[i].bytes, seeds.inputs[i].size);
	if (argc == 3)
		run_changed(kept, &seeds);
	for (size_t i = 0; i < seeds.count; i++)
		free(seeds.inputs[i].bytes);
	close(kept);
	return unlink(argv[2]) == 0 ? 0 : 1;
}
