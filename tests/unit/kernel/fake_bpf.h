/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program text takes from libbcc and the kernel, for running it here: tables whose entries stand in a list, CPUs one after the
 * other, and a few of the kernel's objects as bytes. A text is included behind this.
 */
#ifndef TCPTOP_FAKE_BPF_H
#define TCPTOP_FAKE_BPF_H

#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef __u64 u64;
typedef __s64 s64;
typedef __u32 u32;
typedef __s32 s32;
typedef __u16 u16;
typedef __u8 u8;

enum { FAKE_CPUS = 2 };

static unsigned fake_cpu; /* on which programs run */

struct fake_entry {
	struct fake_entry *next;
	void *key, *value;
};

struct fake_table {
	size_t key_size, value_size, capacity;
	bool is_array, is_percpu;
	size_t count;
	struct fake_entry *entries;
	struct fake_table *next; /* of those in use */
};

static struct fake_table *fake_tables;

static inline void fake_reset(void)
{
	for (; fake_tables; fake_tables = fake_tables->next) {
		while (fake_tables->entries) {
			struct fake_entry *entry = fake_tables->entries;

			fake_tables->entries = entry->next;
			free(entry->key);
			free(entry->value);
			free(entry);
		}
		fake_tables->count = 0;
	}
}

static inline struct fake_entry *fake_find(const struct fake_table *table, const void *key)
{
	struct fake_entry *entry = table->entries;

	while (entry && memcmp(entry->key, key, table->key_size) != 0)
		entry = entry->next;
	return entry;
}

static inline int fake_insert(struct fake_table *table, const void *key, const void *value)
{
	struct fake_entry *entry;
	size_t size = table->value_size * (table->is_percpu ? FAKE_CPUS : 1);

	if (fake_find(table, key))
		return -EEXIST;
	if (table->count == table->capacity)
		return -E2BIG;
	if (!table->entries) {
		table->next = fake_tables;
		fake_tables = table;
	}
	entry = calloc(1, sizeof *entry);
	entry->key = memcpy(malloc(table->key_size), key, table->key_size);
	entry->value = calloc(1, size);
	if (value)
		memcpy(entry->value, value, table->value_size);
	entry->next = table->entries;
	table->entries = entry;
	table->count++;
	return 0;
}

static inline void *fake_lookup(struct fake_table *table, const void *key)
{
	struct fake_entry *entry;

	if (table->is_array && *(const u32 *)key >= table->capacity)
		return NULL;
	if (table->is_array)
		fake_insert(table, key, NULL); /* if it is not there, as zeros */
	entry = fake_find(table, key);
	if (!entry)
		return NULL;
	return (char *)entry->value + (table->is_percpu ? fake_cpu * table->value_size : 0);
}

static inline int fake_update(struct fake_table *table, const void *key, const void *value)
{
	void *found = fake_lookup(table, key);

	if (!found)
		return fake_insert(table, key, value);
	memcpy(found, value, table->value_size);
	return 0;
}

static inline int fake_delete(struct fake_table *table, const void *key)
{
	struct fake_entry **at = &table->entries, *entry = fake_find(table, key);

	if (!entry)
		return -ENOENT;
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	free(entry->key);
	free(entry->value);
	free(entry);
	if (!--table->count) { /* it is no longer in use: fake_insert() lists it again */
		struct fake_table **listed = &fake_tables;

		while (*listed != table)
			listed = &(*listed)->next;
		*listed = table->next;
	}
	return 0;
}

#define FAKE_TABLE(name, key_type, type, entries_, array_, percpu_)                                       \
	static struct fake_table name##_table = { .key_size = sizeof(key_type),                           \
		.value_size = sizeof(type),                                                               \
		.capacity = (entries_),                                                                   \
		.is_array = (array_),                                                                     \
		.is_percpu = (percpu_) };                                                                 \
	static inline type *name##_lookup(const key_type *key)                                            \
	{                                                                                                 \
		return fake_lookup(&name##_table, key);                                                   \
	}                                                                                                 \
	static inline int name##_insert(const key_type *key, const type *value)                           \
	{                                                                                                 \
		return fake_insert(&name##_table, key, value);                                            \
	}                                                                                                 \
	static inline int name##_update(const key_type *key, const type *value)                           \
	{                                                                                                 \
		return fake_update(&name##_table, key, value);                                            \
	}                                                                                                 \
	static inline int name##_delete(const key_type *key)                                              \
	{                                                                                                 \
		return fake_delete(&name##_table, key);                                                   \
	}                                                                                                 \
	static const struct {                                                                             \
		type *(*lookup)(const key_type *);                                                        \
		int (*insert)(const key_type *, const type *), (*update)(const key_type *, const type *); \
		int (*delete)(const key_type *);                                                          \
	} name = { name##_lookup, name##_insert, name##_update, name##_delete }

#define BPF_TABLE(kind, key_type, type, name, entries) FAKE_TABLE(name, key_type, type, entries, false, false)
#define BPF_ARRAY(name, type, entries) FAKE_TABLE(name, u32, type, entries, true, false)
#define BPF_PERCPU_ARRAY(name, type, entries) FAKE_TABLE(name, u32, type, entries, true, true)

#define BPF_SK_STORAGE_GET_F_CREATE 1

/* Of sockets, by their address; fake_storage_refused: their option memory is full. */
static bool fake_storage_refused __attribute__((unused));

#define BPF_SK_STORAGE(name, type)                                       \
	FAKE_TABLE(name##_of, u64, type, 1 << 20, false, false);         \
	static inline type *name##_get(void *sk, type *fresh, int flags) \
	{                                                                \
		u64 key = (u64)sk;                                       \
                                                                         \
		if (flags && !fake_storage_refused)                      \
			name##_of.insert(&key, fresh);                   \
		return name##_of.lookup(&key);                           \
	}                                                                \
	static inline int name##_drop(void *sk)                          \
	{                                                                \
		u64 key = (u64)sk;                                       \
                                                                         \
		return name##_of.delete(&key);                           \
	}                                                                \
	static const struct {                                            \
		type *(*sk_storage_get)(void *, type *, int);            \
		int (*sk_storage_delete)(void *);                        \
	} name = { name##_get, name##_drop }

/* An object of the kernel's; fields are where the text has them. */
struct fake_object {
	u8 bytes[8192] __attribute__((aligned(8)));
};

#define FIELD_OF(type, object, offset) (*(type *)((object)->bytes + (offset)))

static inline long bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	if (!from || (u64)from < 4096 + 8192) /* a field of what is not there */
		return -EFAULT;
	memcpy(to, from, size);
	return 0;
}

static inline u64 bpf_get_current_uid_gid(void)
{
	return 7;
}

static inline u64 bpf_get_current_cgroup_id(void)
{
	return 8;
}

#endif
