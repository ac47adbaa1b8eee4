/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_file.h"

#include <search.h>
#include <stdio.h>
#include <string.h>

#include "util/util_table.h"

/* Of a name; the rest is for what makes it unique. */
#define FILE_STEM_MAX 230u

struct file_name {
	char *name;
	uint64_t number;
};

struct view_files {
	pthread_mutex_t lock;
	/* under the lock */
	struct table names; /* struct file_name, by number */
	void *tree;         /* the same, by name (tsearch) */
};

struct view_files *view_files_new(void)
{
	struct view_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	pthread_mutex_init(&files->lock, NULL);
	table_init(&files->names, sizeof(struct file_name));
	return files;
}

static void leave_entry(void *entry)
{
	(void)entry;
}

void view_files_free(struct view_files *files)
{
	uint64_t i;

	if (!files)
		return;
	tdestroy(files->tree, leave_entry);
	for (i = 0; i < files->names.appended; i++)
		free(((struct file_name *)table_at(&files->names, i))->name);
	table_free(&files->names);
	pthread_mutex_destroy(&files->lock);
	free(files);
}

bool view_files_shown(struct view *view)
{
	return pktfs_files(view->capture) > 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file_name *)a)->name, ((const struct file_name *)b)->name);
}

/* The last component, escaped; names like "." stand for something else. */
static void stem_of(const char *path, struct text *text)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	view_name_escape(text, name, strlen(name));
	if (text->size > FILE_STEM_MAX) {
		text->size = FILE_STEM_MAX;
		text->bytes[text->size] = '\0';
	}
	if (!text->size || !strcmp(text->bytes, ".") || !strcmp(text->bytes, "..")) {
		text->size = 0;
		text_string(text, "file");
	}
}

/* With the lock: the next name. 0 or -ENOMEM. */
static int add(struct view_files *files, const char *path)
{
	struct file_name *entry = table_append(&files->names), **found = NULL;
	_cleanup_(text_free) struct text text = {0};
	uint64_t copies = 1;
	size_t stem;

	if (!entry)
		return -ENOMEM;
	stem_of(path, &text);
	entry->number = files->names.appended - 1;
	for (stem = text.size; !text.failed;
	     text_printf(&text, "-%llu", (unsigned long long)copies)) {
		entry->name = text.bytes;
		found = tsearch(entry, &files->tree, by_name);
		if (!found || *found == entry)
			break;
		text.size = stem;
		copies++;
	}
	if (text.failed || !found) {
		table_unappend(&files->names);
		return -ENOMEM;
	}
	text.bytes = NULL; /* is the entry's */
	return 0;
}

/* With the lock: names for all files that there are by now. */
static int catch_up(struct view *view)
{
	struct view_files *files = view->files;
	uint64_t count = pktfs_files(view->capture);
	struct pktfs_file_status status;
	int r = 0;

	while (r == 0 && files->names.appended < count) {
		r = pktfs_file_status_get(view->capture, files->names.appended, &status);
		if (r == 0)
			r = add(files, status.path);
	}
	return r;
}

int view_file_name(struct view *view, uint64_t number, char name[VIEW_NAME_ROOM])
{
	struct view_files *files = view->files;
	int r;

	UTIL_LOCK_SCOPE(&files->lock);
	r = catch_up(view);
	if (r < 0)
		return r;
	if (number >= files->names.appended)
		return -ENOENT;
	snprintf(name, VIEW_NAME_ROOM, "%s",
		 ((struct file_name *)table_at(&files->names, number))->name);
	return 0;
}

int view_file_number(struct view *view, const char *name, uint64_t *ret)
{
	struct view_files *files = view->files;
	struct file_name wanted = {.name = (char *)(uintptr_t)name}, **found;
	int r;

	UTIL_LOCK_SCOPE(&files->lock);
	r = catch_up(view);
	if (r < 0)
		return r;
	found = tfind(&wanted, &files->tree, by_name);
	if (!found)
		return -ENOENT;
	*ret = (*found)->number;
	return 0;
}
