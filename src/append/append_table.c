/* SPDX-License-Identifier: BSD-2-Clause */
#include "append_table.h"

#include <string.h>
#include <sys/random.h>

#define PAGE_FILES   64u
#define FIRST_ROOM   16u
#define FIRST_BUCKET 64u

/* The names of a place, in order of their numbers. */
struct append_list {
	struct append_place place;
	struct append_file *first, *last;
};

/* Files of consecutive numbers. */
struct append_page {
	unsigned used;
	struct append_file *files[PAGE_FILES];
};

int append_table_init(struct append_table *table, uint64_t names_max, uint64_t list_max)
{
	*table = (struct append_table){.names_max = names_max, .list_max = list_max};
	table->buckets = calloc(FIRST_BUCKET, sizeof(struct append_file *));
	if (!table->buckets)
		return -ENOMEM;
	table->bucket_count = FIRST_BUCKET;
	/* names are other people's: they must not choose their bucket */
	if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) < 0)
		table->seed = (uintptr_t)table->buckets;
	return 0;
}

void append_table_free(struct append_table *table)
{
	size_t i, k;

	for (i = 0; i < table->page_count; i++) {
		for (k = 0; table->pages[i] && k < PAGE_FILES; k++)
			free(table->pages[i]->files[k]);
		free(table->pages[i]);
	}
	for (i = 0; i < table->list_room; i++)
		free(table->lists[i]);
	free(table->pages);
	free(table->lists);
	free(table->buckets);
	*table = (struct append_table){0};
}

/* ---- places */

static uint64_t list_number(const struct append_place *place)
{
	switch (place->kind) {
	case APPEND_ONLY:
		return 0;
	case APPEND_BLOCKS:
		return 1;
	default:
		return place->interface < UINT64_MAX - 2 ? place->interface + 2 : UINT64_MAX;
	}
}

static struct append_list *find_list(const struct append_table *table,
				     const struct append_place *place)
{
	uint64_t number = list_number(place);

	return number < table->list_room ? table->lists[number] : NULL;
}

/* An interface that exists: so the table of lists is not longer than theirs. */
static struct append_list *make_list(struct append_table *table, const struct append_place *place)
{
	uint64_t number = list_number(place), room = MAX(table->list_room, FIRST_ROOM);
	struct append_list **lists;

	while (room <= number)
		room *= 2;
	if (room > table->list_room) {
		lists = reallocarray(table->lists, room, sizeof(*lists));
		if (!lists)
			return NULL;
		memset(lists + table->list_room, 0, (room - table->list_room) * sizeof(*lists));
		table->lists = lists;
		table->list_room = room;
	}
	if (!table->lists[number]) {
		table->lists[number] = calloc(1, sizeof(struct append_list));
		if (table->lists[number])
			table->lists[number]->place = *place;
	}
	return table->lists[number];
}

bool append_place_is(const struct append_file *file, const struct append_place *place)
{
	return list_number(&file->list->place) == list_number(place);
}

struct append_place append_place_of(const struct append_file *file)
{
	return file->list->place;
}

/* The new ones have the highest numbers: nearly always it is the last. */
static void list_insert(struct append_file *file)
{
	struct append_list *list = file->list;
	struct append_file *before = list->last;

	while (before && before->id > file->id)
		before = before->before;
	file->before = before;
	file->after = before ? before->after : list->first;
	*(file->before ? &file->before->after : &list->first) = file;
	*(file->after ? &file->after->before : &list->last) = file;
}

static void list_remove(struct append_file *file)
{
	*(file->before ? &file->before->after : &file->list->first) = file->after;
	*(file->after ? &file->after->before : &file->list->last) = file->before;
	file->before = file->after = NULL;
}

/* ---- names */

static size_t hash(const struct append_table *table, const struct append_list *list,
		   const char *name)
{
	uint64_t h = table->seed ^ (uintptr_t)list;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(h ^ (h >> 32)) & (table->bucket_count - 1);
}

static void hash_insert(struct append_table *table, struct append_file *file)
{
	struct append_file **bucket = &table->buckets[hash(table, file->list, file->name)];

	file->same_hash = *bucket;
	*bucket = file;
}

static void hash_remove(struct append_table *table, struct append_file *file)
{
	struct append_file **at = &table->buckets[hash(table, file->list, file->name)];

	while (*at != file)
		at = &(*at)->same_hash;
	*at = file->same_hash;
	file->same_hash = NULL;
}

/* Without memory it stays as it is, and gets slower. */
static void hash_grow(struct append_table *table)
{
	struct append_file **old = table->buckets, *file, *next;
	size_t i, count = table->bucket_count;

	if (table->names < count)
		return;
	table->buckets = calloc(count * 2, sizeof(struct append_file *));
	if (!table->buckets) {
		table->buckets = old;
		return;
	}
	table->bucket_count = count * 2;
	for (i = 0; i < count; i++) {
		for (file = old[i]; file; file = next) {
			next = file->same_hash;
			hash_insert(table, file);
		}
	}
	free(old);
}

static void set_named(struct append_table *table, struct append_file *file)
{
	file->named = true;
	list_insert(file);
	hash_grow(table);
	hash_insert(table, file);
	table->names++;
	table->committed_names += file->committed;
}

void append_table_unname(struct append_table *table, struct append_file *file)
{
	if (!file->named)
		return;
	hash_remove(table, file);
	list_remove(file);
	file->named = false;
	table->names--;
	table->committed_names -= file->committed;
}

struct append_file *append_table_by_name(const struct append_table *table,
					 const struct append_place *place, const char *name)
{
	const struct append_list *list = find_list(table, place);
	struct append_file *file;

	if (!list)
		return NULL;
	file = table->buckets[hash(table, list, name)];
	while (file && (file->list != list || strcmp(file->name, name)))
		file = file->same_hash;
	return file;
}

/* ---- numbers */

static struct append_file **slot(const struct append_table *table, uint64_t id)
{
	uint64_t page = id / PAGE_FILES;

	if (page < table->first_page || page - table->first_page >= table->page_count ||
	    !table->pages[page - table->first_page])
		return NULL;
	return &table->pages[page - table->first_page]->files[id % PAGE_FILES];
}

/* Pages without a file at the front of the table go. */
static void drop_pages(struct append_table *table)
{
	size_t gone = 0;

	while (gone < table->page_count && !table->pages[gone])
		gone++;
	if (gone < FIRST_ROOM || gone < table->page_count / 2)
		return;
	table->page_count -= gone;
	table->first_page += gone;
	memmove(table->pages, table->pages + gone, table->page_count * sizeof(*table->pages));
}

/* The place of number `id`, the highest so far. */
static struct append_file **make_slot(struct append_table *table, uint64_t id)
{
	uint64_t number = id / PAGE_FILES;
	struct append_page **pages;
	size_t room;

	drop_pages(table);
	if (!table->page_count)
		table->first_page = number;
	while (table->first_page + table->page_count <= number) {
		room = table->page_room ? table->page_room * 2 : FIRST_ROOM;
		if (table->page_count == table->page_room) {
			pages = reallocarray(table->pages, room, sizeof(*pages));
			if (!pages)
				return NULL;
			table->pages = pages;
			table->page_room = room;
		}
		table->pages[table->page_count++] = NULL;
	}
	pages = &table->pages[number - table->first_page];
	if (!*pages)
		*pages = calloc(1, sizeof(**pages));
	return *pages ? slot(table, id) : NULL;
}

static void count_slot(struct append_table *table, uint64_t id, int change)
{
	struct append_page **page = &table->pages[id / PAGE_FILES - table->first_page];

	(*page)->used += (unsigned)change;
	if ((*page)->used)
		return;
	free(*page);
	*page = NULL;
}

struct append_file *append_table_by_id(const struct append_table *table, uint64_t id)
{
	struct append_file **at = slot(table, id);

	return at ? *at : NULL;
}

struct append_file *append_table_next(const struct append_table *table, uint64_t after)
{
	uint64_t id = MAX(after + 1, table->first_page * PAGE_FILES);
	struct append_file **at;

	while (after != UINT64_MAX && id <= table->last_id) {
		at = slot(table, id);
		if (at && *at)
			return *at;
		id = at ? id + 1 : (id / PAGE_FILES + 1) * PAGE_FILES;
	}
	return NULL;
}

struct append_file *append_table_after(const struct append_table *table,
				       const struct append_place *place, uint64_t after)
{
	const struct append_list *list = find_list(table, place);
	struct append_file *file;

	if (!list || !list->first)
		return NULL;
	if (after < list->first->id)
		return list->first;
	if (after >= list->last->id)
		return NULL;
	file = append_table_by_id(table, after);
	if (file && file->named && file->list == list)
		return file->after;
	/* that one is gone: there is another above, and it is looked for */
	do
		file = append_table_next(table, after);
	while (file && (!file->named || file->list != list) && (after = file->id));
	return file;
}

/* ---- files */

static struct append_file *new_file(struct append_list *list, const char *name)
{
	size_t size = strlen(name) + 1;
	struct append_file *file = calloc(1, sizeof(*file) + size);

	if (!file)
		return NULL;
	file->list = list;
	memcpy(file->name, name, size);
	return file;
}

struct append_file *append_table_add(struct append_table *table, const struct append_place *place,
				     const char *name)
{
	struct append_list *list = make_list(table, place);
	struct append_file **at = list ? make_slot(table, table->last_id + 1) : NULL;

	if (!at)
		return NULL;
	*at = new_file(list, name);
	count_slot(table, table->last_id + 1, *at ? 1 : 0);
	if (!*at)
		return NULL;
	(*at)->id = ++table->last_id;
	set_named(table, *at);
	return *at;
}

static void chain_remove(struct append_table *table, struct append_file *file)
{
	*(file->older ? &file->older->newer : &table->oldest) = file->newer;
	*(file->newer ? &file->newer->older : &table->newest) = file->older;
	file->older = file->newer = NULL;
	file->chained = false;
}

void append_table_settle(struct append_table *table, struct append_file *file)
{
	if (file->named)
		return;
	if (file->chained && !file->listed)
		chain_remove(table, file);
	if (file->chained || file->draft)
		return;
	*slot(table, file->id) = NULL;
	count_slot(table, file->id, -1);
	free(file);
}

/* Puts `file`, which has no name, into the place of `old`. */
static void take_place(struct append_table *table, struct append_file *old,
		       struct append_file *file)
{
	*slot(table, file->id) = file;
	if (!file->chained)
		return;
	*(file->older ? &file->older->newer : &table->oldest) = file;
	*(file->newer ? &file->newer->older : &table->newest) = file;
	if (table->oldest_listed == old)
		table->oldest_listed = file;
}

struct append_file *append_table_rename(struct append_table *table, struct append_file *file,
					const struct append_place *place, const char *name)
{
	struct append_list *list = make_list(table, place);
	size_t size = strlen(name) + 1;
	struct append_file *moved = list ? malloc(sizeof(*moved) + size) : NULL;

	if (!moved)
		return NULL;
	append_table_unname(table, file);
	memcpy(moved, file, sizeof(*file));
	memcpy(moved->name, name, size);
	moved->list = list;
	take_place(table, file, moved);
	free(file);
	set_named(table, moved);
	return moved;
}

/* ---- records */

/* The oldest record that is listed is not one of the newest any more. */
static void unlist(struct append_table *table)
{
	struct append_file *file = table->oldest_listed;

	table->oldest_listed = file->newer;
	file->listed = false;
	table->listed--;
	append_table_settle(table, file);
}

static void forget_oldest(struct append_table *table)
{
	struct append_file *file = table->oldest;

	while (!file->named)
		file = file->newer;
	append_table_unname(table, file);
	append_table_settle(table, file);
}

void append_table_commit(struct append_table *table, struct append_file *file)
{
	file->committed = file->chained = file->listed = true;
	table->committed_names += file->named;
	file->older = table->newest;
	*(table->newest ? &table->newest->newer : &table->oldest) = file;
	table->newest = file;
	if (!table->oldest_listed)
		table->oldest_listed = file;
	if (++table->listed > table->list_max)
		unlist(table);
	if (table->committed_names > table->names_max)
		forget_oldest(table);
}
