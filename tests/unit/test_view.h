/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of `view` share: a tree over a capture in memory, reached by
 * paths as a user types them.
 */
#ifndef TEST_VIEW_H
#define TEST_VIEW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pktfs/capture.h"
#include "test_build.h"
#include "util/util_base.h"
#include "view/view.h"

struct tree {
	struct text file;
	pktfs_capture *capture;
	struct view *view;
};

static inline struct view *tree_view(pktfs_capture *capture)
{
	struct view_options options = {.path = "/some/trace", .uid = 1, .gid = 2, .umask = 022};
	struct view *view;

	assert_int_equal(view_open(capture, &options, &view), 0);
	return view;
}

/* `tree->file` holds the capture. */
static inline void tree_open(struct tree *tree)
{
	struct pktfs_error error;
	int r = pktfs_open_buffer(tree->file.bytes, tree->file.size, NULL, &tree->capture, &error);

	if (r < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(tree->capture, UINT64_MAX, -1), 0);
	tree->view = tree_view(tree->capture);
}

static inline void tree_close(struct tree *tree)
{
	view_close(tree->view);
	pktfs_close(tree->capture);
	text_free(&tree->file);
}

/* Every component of `path` looked up in turn. */
static inline int tree_find(struct view *view, const char *path, struct view_entry *ret,
			    bool *ret_final)
{
	char copy[512], *part, *rest = copy;
	int r = view_getattr(view, VIEW_ROOT, ret);

	snprintf(copy, sizeof(copy), "%s", path);
	while (!r && (part = strsep(&rest, "/")))
		r = view_lookup(view, ret->st.st_ino, part, ret, ret_final);
	return r;
}

/* The whole file, in pieces of `piece` bytes; as long as stat says. */
static inline void tree_read(struct view *view, const char *path, size_t piece, struct text *ret)
{
	struct view_entry entry;
	char bytes[70000];
	int64_t n;
	int r = tree_find(view, path, &entry, NULL);

	if (r < 0)
		fail_msg("%s: %s", path, strerror(-r));
	assert_true(S_ISREG(entry.st.st_mode));
	do {
		n = view_read(view, entry.st.st_ino, ret->size, bytes, piece);
		if (n < 0)
			fail_msg("%s: read: %s", path, strerror((int)-n));
		text_append(ret, bytes, (size_t)n);
	} while (n > 0);
	if (ret->size != (size_t)entry.st.st_size)
		fail_msg("%s: size %zu, read %zu", path, (size_t)entry.st.st_size, ret->size);
	assert_int_equal(entry.st.st_blocks, (entry.st.st_size + 511) / 512);
}

static inline void expect_text(struct view *view, const char *path, const char *want)
{
	_cleanup_(text_free) struct text text = {0};

	tree_read(view, path, sizeof(char[70000]), &text);
	if (text.size != strlen(want) || memcmp(text.bytes ? text.bytes : "", want, text.size))
		fail_msg("%s: \"%s\", not \"%s\"", path, text.bytes, want);
}

static inline void expect_error(struct view *view, const char *path, int want, bool final)
{
	struct view_entry entry;
	bool is_final = !final;
	int r = tree_find(view, path, &entry, &is_final);

	if (r != want)
		fail_msg("%s: %d (%s), not %d", path, r, strerror(-r), want);
	if (want == -ENOENT && is_final != final)
		fail_msg("%s: final is %d", path, is_final);
}

static inline void expect_absent(struct view *view, const char *path)
{
	expect_error(view, path, -ENOENT, true);
}

struct names {
	char name[4096][64];
	uint64_t node[4096], next[4096];
	unsigned count, stop_at; /* stop_at: 0 never */
	bool attributes;
	struct view *view;
};

static inline bool take_name(void *context, const struct view_dirent *entry)
{
	struct names *names = context;
	struct view_entry now;

	if (names->stop_at && names->count == names->stop_at)
		return false;
	assert_true(names->count < ARRAY_SIZE(names->name));
	snprintf(names->name[names->count], sizeof(names->name[0]), "%s", entry->name);
	names->node[names->count] = entry->entry.st.st_ino;
	names->next[names->count] = entry->next;
	names->count++;
	assert_int_equal(view_getattr(names->view, entry->entry.st.st_ino, &now), 0);
	assert_int_equal(entry->entry.st.st_mode & S_IFMT, now.st.st_mode & S_IFMT);
	if (names->attributes && !now.live)
		assert_memory_equal(&entry->entry.st, &now.st, sizeof(now.st));
	return true;
}

/* Lists `path` ("" is the root) from `cookie` on. */
static inline void tree_list(struct view *view, const char *path, uint64_t cookie, bool attributes,
			     unsigned stop_at, struct names *ret)
{
	struct view_entry entry;
	int r;

	if (*path)
		assert_int_equal(tree_find(view, path, &entry, NULL), 0);
	else
		assert_int_equal(view_getattr(view, VIEW_ROOT, &entry), 0);
	do { /* a set is evaluated meanwhile */
		memset(ret, 0, sizeof(*ret));
		ret->stop_at = stop_at;
		ret->attributes = attributes;
		ret->view = view;
		r = view_list(view, entry.st.st_ino, cookie, attributes, take_name, ret);
	} while (r == -EAGAIN);
	assert_int_equal(r, 0);
}

static inline bool has_name(const struct names *names, const char *name)
{
	unsigned i;

	for (i = 0; i < names->count; i++)
		if (!strcmp(names->name[i], name))
			return true;
	return false;
}

#endif
