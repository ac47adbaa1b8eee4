/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that are read and listed many at once, as one by one. */
#include "test_view.h"

#include <unistd.h>

/* `count` packets of 60 + n bytes, one a second. */
static void build_some(struct text *file, unsigned count)
{
	unsigned n;

	build_shb(file, false);
	build_idb(file, false, 1, 9, 65535, "eth0");
	for (n = 1; n <= count; n++)
		build_epb(file, false, 0, (UINT64_C(1763721127) + n) * 1000000000 + n, 60 + n, n,
			  n == 3 ? "look at this" : NULL);
}

/* What is not there, or too large, takes no room. */
static void reads(void **state)
{
	uint8_t bytes[16 * 70];
	struct view_entry entry;
	struct tree tree = {0};
	int64_t sizes[16];
	unsigned i, j, at = 0;

	(void)state;
	build_some(&tree.file, 12);
	tree_open(&tree);
	assert_int_equal(tree_find(tree.view, "packets/1", &entry, NULL), 0);
	assert_int_equal(view_read_lasting(tree.view, entry.st.st_ino - 1, 16, bytes, 70, sizes),
			 0);
	for (i = 0; i < 16; i++) {
		if (i == 0 || i > 12) {
			assert_int_equal(sizes[i], -ENOENT);
			continue;
		}
		assert_int_equal(sizes[i], i <= 10 ? 60 + (int)i : -EFBIG);
		for (j = 0; sizes[i] > 0 && j < sizes[i]; j++)
			assert_int_equal(bytes[at++], build_byte(i, j));
	}
	assert_int_equal(view_read_lasting(tree.view, VIEW_ROOT, 1, bytes, 70, sizes), -EINVAL);
	assert_int_equal(tree_find(tree.view, "packets", &entry, NULL), 0);
	assert_int_equal(view_read_lasting(tree.view, entry.st.st_ino, 1, bytes, 70, sizes),
			 -EINVAL);
	tree_close(&tree);
}

static bool count_entry(void *context, const struct view_dirent *entry)
{
	unsigned *count = context;

	(void)entry;
	++*count;
	return true;
}

/* Of a file that was cut meanwhile: what is not there is not taken for something. */
static void cut(void **state)
{
	char path[] = "/tmp/pktfs-test-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	uint8_t bytes[16 * 200];
	struct view_entry entry;
	struct tree tree = {0};
	unsigned count = 0, all = 0;
	int64_t sizes[16];

	(void)state;
	build_some(&tree.file, 40);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, tree.file.bytes, tree.file.size), tree.file.size);
	assert_int_equal(pktfs_open(path, NULL, &tree.capture, NULL), 0);
	assert_int_equal(pktfs_wait(tree.capture, UINT64_MAX, -1), 0);
	tree.view = tree_view(tree.capture);
	assert_int_equal(tree_find(tree.view, "packets/1", &entry, NULL), 0);
	assert_int_equal(ftruncate(fd, (off_t)tree.file.size - 50), 0);
	assert_int_equal(view_read_lasting(tree.view, entry.st.st_ino + 24, 16, bytes, 200, sizes),
			 -EIO);
	assert_int_equal(view_read_lasting(tree.view, entry.st.st_ino, 16, bytes, 200, sizes), 0);
	assert_int_equal(sizes[15], 76);
	assert_int_equal(bytes[0], build_byte(1, 0));
	assert_int_equal(tree_find(tree.view, "packets", &entry, NULL), 0);
	assert_int_equal(view_list_lasting(tree.view, entry.st.st_ino, 0, count_entry, &count),
			 -EIO);
	assert_int_equal(view_list(tree.view, entry.st.st_ino, 0, true, count_entry, &all), 0);
	assert_int_equal(all, 42);
	unlink(path);
	tree_close(&tree);
}

struct same_listing {
	struct view_dirent want[64];
	char names[64][16];
	unsigned count, at, most;
};

static bool keep_entry(void *context, const struct view_dirent *entry)
{
	struct same_listing *same = context;

	snprintf(same->names[same->count], sizeof(same->names[0]), "%s", entry->name);
	same->want[same->count++] = *entry;
	return true;
}

static bool same_entry(void *context, const struct view_dirent *entry)
{
	struct same_listing *same = context;
	const struct view_dirent *want = &same->want[same->at];

	if (same->at == same->most)
		return false;
	assert_in_range(same->at, 0, same->count - 1);
	assert_string_equal(entry->name, same->names[same->at++]);
	assert_int_equal(entry->next, want->next);
	assert_memory_equal(&entry->entry.st, &want->entry.st, sizeof(want->entry.st));
	assert_int_equal(entry->entry.live, want->entry.live);
	assert_int_equal(entry->entry.fleeting, want->entry.fleeting);
	return true;
}

/* From each entry on, in whole and in part, as one by one. */
static void listings(void **state)
{
	static const char *const folders[] = {
		"packets",
		"payload",
		"by/range/3-5,9,11-/packets",
		"by/match/look at this/packets",
	};
	struct view_entry entry;
	struct tree tree = {0};
	unsigned i;

	(void)state;
	build_some(&tree.file, 40);
	tree_open(&tree);
	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		struct same_listing same = {.most = 64};
		unsigned j;
		int r;

		while ((r = tree_find(tree.view, folders[i], &entry, NULL)) == -EAGAIN)
			usleep(1000);
		assert_int_equal(r, 0);
		while ((r = view_list(tree.view, entry.st.st_ino, 0, true, keep_entry, &same)) ==
		       -EAGAIN) {
			same.count = 0;
			usleep(1000);
		}
		assert_int_equal(r, 0);
		for (j = 0; j <= same.count; j++) {
			uint64_t cookie = j ? same.want[j - 1].next : 0;

			same.at = j;
			same.most = j % 2 ? 64 : j + 2;
			assert_int_equal(view_list_lasting(tree.view, entry.st.st_ino, cookie,
							   same_entry, &same),
					 0);
			assert_int_equal(same.at, MIN(same.most, same.count));
		}
	}
	tree_close(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(cut),
		cmocka_unit_test(listings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
