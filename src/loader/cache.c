/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/cache.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/passing.h"
#include "loader/cached.h"
#include "loader/compiled.h"

#define FILES_MAX 32
#define FILE_BYTES_MAX (4 << 20)
#define UNFINISHED "new-" /* files that are being written begin so, */
#define UNFINISHED_S 60   /* and are nobody's after that */
#define NAME_SIZE 32
#define KEPT_NAME 16 /* digits, and nothing else: other files are not this program's */

_Static_assert((int)CACHED_NAME_SIZE == (int)COMPILED_NAME_SIZE, "names are copied");

/* ---- the directory ---- */

/* Root's, and nobody else can write it. */
static bool is_roots(const struct stat *status, mode_t type)
{
	return (status->st_mode & S_IFMT) == type && status->st_uid == 0 &&
	       !(status->st_mode & (S_IWGRP | S_IWOTH));
}

int cache_open(struct cache *cache)
{
	struct stat status;

	cache->directory = -1;
	if (geteuid() != 0 || getauxval(AT_SECURE))
		return -EPERM;
	if (mkdir(TCPTOP_CACHE_DIRECTORY, 0700) != 0 && errno != EEXIST)
		return -errno;
	int fd = open(TCPTOP_CACHE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0 || !is_roots(&status, S_IFDIR)) {
		close(fd);
		return -EPERM;
	}
	cache->directory = fd;
	return 0;
}

void cache_close(struct cache *cache)
{
	if (cache->directory >= 0)
		close(cache->directory);
	cache->directory = -1;
}

static void name_file(char name[NAME_SIZE], const void *key, size_t key_bytes)
{
	snprintf(name, NAME_SIZE, "%016" PRIx64, hash_bytes(HASH_BASIS, key, key_bytes));
}

/* ---- reading ---- */

/* A whole file, for free(). 0 or -errno. */
static int read_file(int directory, const char *name, void **bytes, size_t *size)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	ssize_t length = 0;
	char *image = NULL;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0 || !is_roots(&status, S_IFREG) || status.st_size > FILE_BYTES_MAX)
		err = -EPERM;
	else if (!(image = malloc((size_t)status.st_size + 1)))
		err = -ENOMEM;
	for (*size = 0; !err && *size < (size_t)status.st_size; *size += (size_t)length) {
		length = read(fd, image + *size, (size_t)status.st_size - *size);
		if (length <= 0)
			err = length < 0 ? -errno : -EBADMSG;
	}
	if (!err)
		futimens(fd, NULL); /* it is of use: others go first */
	close(fd);
	if (err)
		free(image);
	*bytes = image;
	return err;
}

static int make_map(const struct cached_map *map, int btf_fd)
{
	bool has_btf = map->btf_key_type || map->btf_value_type;
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = map->flags);

	if (has_btf) {
		options.btf_fd = (__u32)btf_fd;
		options.btf_key_type_id = map->btf_key_type;
		options.btf_value_type_id = map->btf_value_type;
	}
	int fd = bpf_map_create(
	    map->type, map->kernel_name, map->key_bytes, map->value_bytes, map->max_entries, &options);

	return fd < 0 ? -errno : fd;
}

static int make_maps(struct compiled *compiled, const struct cached *cached)
{
	int btf_fd = -1, err = 0;

	if (cached->btf_bytes) {
		btf_fd = bpf_btf_load(cached->btf, cached->btf_bytes, NULL);
		if (btf_fd < 0)
			return -errno;
	}
	for (size_t i = 0; i < cached->map_count && !err; i++) {
		struct compiled_map *map = &compiled->maps[compiled->map_count];

		map->fd = make_map(&cached->maps[i], btf_fd);
		err = map->fd < 0 ? map->fd : 0;
		memcpy(map->name, cached->maps[i].name, sizeof map->name);
		compiled->map_count += !err;
	}
	if (btf_fd >= 0)
		close(btf_fd);
	return err;
}

/* Descriptors in the places of maps. */
static void place_functions(
    struct compiled *compiled, const struct cached *cached, struct bpf_insn *instructions)
{
	for (size_t i = 0; i < cached->instruction_count; i++)
		if (cached_loads_map(&instructions[i])) {
			instructions[i].imm = compiled->maps[instructions[i].imm].fd;
			i++;
		}
	for (size_t i = 0; i < cached->function_count; i++) {
		struct compiled_function *function = &compiled->functions[i];

		memcpy(function->name, cached->functions[i].name, sizeof function->name);
		function->instructions = instructions;
		function->count = cached->functions[i].count;
		instructions += function->count;
	}
	compiled->function_count = cached->function_count;
}

static int compile_cached(struct compiled *compiled, const struct cached *cached)
{
	size_t bytes = cached->instruction_count * sizeof *cached->instructions;

	*compiled = (struct compiled){ 0 };
	if (cached->map_count > COMPILED_MAPS_MAX || cached->function_count > COMPILED_FUNCTIONS_MAX)
		return -EBADMSG;
	compiled->owned = malloc(bytes + 1);
	if (!compiled->owned)
		return -ENOMEM;
	memcpy(compiled->owned, cached->instructions, bytes);
	int err = make_maps(compiled, cached);

	if (err)
		compiled_fini(compiled);
	else
		place_functions(compiled, cached, compiled->owned);
	return err;
}

int cache_read(const struct cache *cache, const void *key, size_t key_bytes, struct compiled *compiled)
{
	struct cached cached;
	char name[NAME_SIZE];
	void *bytes;
	size_t size;

	name_file(name, key, key_bytes);
	int err = cache->directory < 0 ? -ENOENT : read_file(cache->directory, name, &bytes, &size);

	if (err)
		return err;
	err = cached_decode(&cached, bytes, size);
	if (!err && (cached.key_bytes != key_bytes || memcmp(cached.key, key, key_bytes) != 0))
		err = -ENOENT;
	err = err ?: compile_cached(compiled, &cached);
	free(bytes);
	return err;
}

/* ---- writing ---- */

/* A compiled program on its way into a file. */
struct writing {
	struct cached_map maps[COMPILED_MAPS_MAX];
	struct cached_function functions[COMPILED_FUNCTIONS_MAX];
	struct bpf_insn *instructions;
	size_t instruction_count;
	uint32_t btf_id; /* of all maps that have one */
	void *btf;
	uint32_t btf_bytes;
};

static int describe_maps(struct writing *writing, const struct compiled *compiled)
{
	for (size_t i = 0; i < compiled->map_count; i++) {
		struct cached_map *map = &writing->maps[i];
		struct bpf_map_info info = { 0 };
		__u32 length = sizeof info;

		if (bpf_obj_get_info_by_fd(compiled->maps[i].fd, &info, &length) != 0)
			return -errno;
		if (info.btf_id && writing->btf_id && info.btf_id != writing->btf_id)
			return -ENOTSUP;
		writing->btf_id = info.btf_id ?: writing->btf_id;
		*map = (struct cached_map){ .type = info.type,
			.key_bytes = info.key_size,
			.value_bytes = info.value_size,
			.max_entries = info.max_entries,
			.flags = info.map_flags,
			.btf_key_type = info.btf_id ? info.btf_key_type_id : 0,
			.btf_value_type = info.btf_id ? info.btf_value_type_id : 0 };
		memcpy(map->name, compiled->maps[i].name, sizeof map->name);
		memcpy(map->kernel_name, info.name, sizeof map->kernel_name);
	}
	return 0;
}

static int take_btf(struct writing *writing)
{
	struct btf *btf = writing->btf_id ? btf__load_from_kernel_by_id(writing->btf_id) : NULL;
	int err = -errno;
	__u32 bytes = 0;

	if (!writing->btf_id)
		return 0;
	if (!btf)
		return err; /* EPERM: it takes CAP_SYS_ADMIN */
	const void *data = btf__raw_data(btf, &bytes);

	writing->btf = data ? malloc(bytes) : NULL;
	if (writing->btf)
		memcpy(writing->btf, data, bytes);
	writing->btf_bytes = bytes;
	btf__free(btf);
	return writing->btf ? 0 : -ENOMEM;
}

/* The place of the map with this descriptor; -1: it is none of these. */
static int find_map(const struct compiled *compiled, int fd)
{
	for (size_t i = 0; i < compiled->map_count; i++)
		if (compiled->maps[i].fd == fd)
			return (int)i;
	return -1;
}

static int take_instructions(struct writing *writing, const struct compiled *compiled)
{
	size_t count = 0;

	for (size_t i = 0; i < compiled->function_count; i++)
		count += compiled->functions[i].count;
	writing->instructions = calloc(count + 1, sizeof *writing->instructions);
	if (!writing->instructions)
		return -ENOMEM;
	for (size_t i = 0; i < compiled->function_count; i++) {
		const struct compiled_function *function = &compiled->functions[i];

		memcpy(writing->functions[i].name, function->name, sizeof function->name);
		writing->functions[i].count = (uint32_t)function->count;
		memcpy(writing->instructions + writing->instruction_count, function->instructions,
		    function->count * sizeof *function->instructions);
		writing->instruction_count += function->count;
	}
	for (size_t i = 0; i < count; i++) {
		struct bpf_insn *instruction = &writing->instructions[i];

		if (!cached_loads_map(instruction))
			continue;
		if (instruction->src_reg != BPF_PSEUDO_MAP_FD)
			return -ENOTSUP;
		instruction->imm = find_map(compiled, instruction->imm);
		if (instruction->imm < 0)
			return -ENOTSUP;
		i++;
	}
	return 0;
}

/* Under another name first: whoever reads finds all of it, or nothing. */
static int write_file(int directory, const char *name, const void *bytes, size_t size)
{
	char unfinished[NAME_SIZE];

	snprintf(unfinished, sizeof unfinished, UNFINISHED "%d", (int)getpid());
	unlinkat(directory, unfinished, 0);
	int fd = openat(directory, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	int err = passing_write_all(fd, bytes, size);

	if (close(fd) != 0 && !err)
		err = -errno;
	if (!err && renameat(directory, unfinished, directory, name) != 0)
		err = -errno;
	if (err)
		unlinkat(directory, unfinished, 0);
	return err;
}

/* Takes away what was never finished. Returns how many files there are, with the name of the oldest. */
static size_t find_oldest(int directory, DIR *stream, char oldest[NAME_SIZE])
{
	struct stat status;
	struct dirent *entry;
	time_t oldest_s = 0;
	size_t count = 0;

	while ((entry = readdir(stream))) {
		bool is_unfinished = strncmp(entry->d_name, UNFINISHED, strlen(UNFINISHED)) == 0;

		if (strlen(entry->d_name) >= NAME_SIZE ||
		    !(is_unfinished || strspn(entry->d_name, "0123456789abcdef") == KEPT_NAME) ||
		    fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		if (is_unfinished && status.st_mtime + UNFINISHED_S < time(NULL))
			unlinkat(directory, entry->d_name, 0);
		if (is_unfinished || (count++ && status.st_mtime >= oldest_s))
			continue;
		oldest_s = status.st_mtime;
		memcpy(oldest, entry->d_name, strlen(entry->d_name) + 1);
	}
	return count;
}

/* Lets the oldest go. */
static void prune(int directory)
{
	char oldest[NAME_SIZE];
	size_t count;

	do {
		int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;

		if (!stream) {
			if (fd >= 0)
				close(fd);
			return;
		}
		count = find_oldest(directory, stream, oldest);
		closedir(stream);
	} while (count > FILES_MAX && unlinkat(directory, oldest, 0) == 0);
}

int cache_write(const struct cache *cache, const void *key, size_t key_bytes, const struct compiled *compiled)
{
	struct writing *writing = calloc(1, sizeof *writing);
	char name[NAME_SIZE];
	void *bytes = NULL;
	size_t size;

	if (!writing)
		return -ENOMEM;
	int err = describe_maps(writing, compiled);

	err = err ?: take_btf(writing);
	err = err ?: take_instructions(writing, compiled);
	const struct cached cached = { key, key_bytes, writing->maps, compiled->map_count, writing->functions,
		compiled->function_count, writing->instructions, writing->instruction_count, writing->btf,
		writing->btf_bytes };

	err = err ?: cached_encode(&cached, &bytes, &size);
	name_file(name, key, key_bytes);
	err = err ?: write_file(cache->directory, name, bytes, size);
	if (!err)
		prune(cache->directory);
	free(bytes);
	free(writing->btf);
	free(writing->instructions);
	free(writing);
	return err;
}
