/* SPDX-License-Identifier: BSD-2-Clause */
/* append/ as the view shows it: names, nodes, links, errors. That what is
 * appended is what was written is the business of test_append*.c. */
#include "test_view.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "append/append.h"
#include "view/view_node.h"

#define SECOND UINT64_C(1763721127)

static struct names listed, again; /* too large for a stack */

struct mount {
	char path[64];
	struct text file;
	struct append *append;
	pktfs_capture *capture;
	struct view *view;
};

static const struct append_who who = {.flags = O_WRONLY, .mode = 0640, .uid = 7, .gid = 8};

static void mount_open(struct mount *m)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_GROWING};
	const struct append_options append = {0};
	struct view_options view = {.path = "/some/trace", .uid = 1, .gid = 2, .umask = 022};
	struct pktfs_error error;
	int fd;

	strcpy(m->path, "/tmp/test_view_append.XXXXXX");
	fd = mkstemp(m->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, m->file.bytes, m->file.size), m->file.size);
	close(fd);
	if (append_open(m->path, &append, &m->append, &error) < 0)
		fail_msg("append: %s", error.text);
	if (pktfs_open(m->path, &options, &m->capture, &error) < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(m->capture, UINT64_MAX, 5000), 0);
	view.append = m->append;
	assert_int_equal(view_open(m->capture, &view, &m->view), 0);
}

static void mount_close(struct mount *m)
{
	assert_int_equal(append_stop(m->append), 0);
	view_close(m->view);
	append_close(m->append);
	pktfs_close(m->capture);
	text_free(&m->file);
	unlink(m->path);
}

/* Five packets, two interfaces: the second is RAW with a snaplen of 100. */
static void two_interfaces(struct mount *m)
{
	unsigned n;

	build_shb(&m->file, false);
	build_idb(&m->file, false, 1, 9, 0, "eth0");
	build_idb(&m->file, false, 101, 6, 100, "eth1");
	for (n = 1; n <= 5; n++)
		build_epb(&m->file, false, 0, (SECOND + n) * 1000000000, 60 + n, n, NULL);
	mount_open(m);
}

static void one_interface(struct mount *m)
{
	build_shb(&m->file, false);
	build_idb(&m->file, false, 1, 9, 0, "eth0");
	build_epb(&m->file, false, 0, SECOND * 1000000000, 60, 1, NULL);
	mount_open(m);
}

static uint64_t node_of(struct view *view, const char *path)
{
	struct view_entry entry;
	int r = tree_find(view, path, &entry, NULL);

	if (r < 0)
		fail_msg("%s: %s", path, strerror(-r));
	return entry.st.st_ino;
}

static int seen(struct view *view, uint64_t end)
{
	int r;

	do {
		r = view_seen(view, end);
	} while (r == -EAGAIN);
	return r;
}

struct file {
	uint64_t node, handle;
};

static int create(struct view *view, const char *directory, const char *name, struct file *ret)
{
	struct view_entry entry;
	int r;

	do {
		r = view_create(view, node_of(view, directory), name, &who, &entry, &ret->handle);
	} while (r == -EAGAIN);
	ret->node = entry.st.st_ino;
	return r;
}

static int finish(struct view *view, const struct file *file)
{
	uint64_t end;
	int r = view_flush(view, file->node, file->handle, 0, &end);

	if (r == 0)
		r = seen(view, end);
	view_release(view, file->node, file->handle);
	return r;
}

static int put(struct view *view, const char *directory, const char *name, const void *bytes,
	       size_t size)
{
	struct file file;
	int r = create(view, directory, name, &file);

	if (r < 0)
		return r;
	assert_int_equal(view_write(view, file.node, 0, bytes, size), size);
	return finish(view, &file);
}

static void expect_link(struct view *view, const char *path, const char *want)
{
	_cleanup_(text_free) struct text text = {0};
	struct view_entry entry;

	assert_int_equal(tree_find(view, path, &entry, NULL), 0);
	assert_true(S_ISLNK(entry.st.st_mode));
	assert_true(entry.fleeting);
	assert_int_equal(view_readlink(view, entry.st.st_ino, &text), 0);
	assert_string_equal(text.bytes, want);
	assert_int_equal(entry.st.st_size, strlen(want));
}

static void directories(void **state)
{
	static const char *const places[] = {"append", "append/0", "append/1", "append/blocks"};
	static const char *const absent[] = {"append/2", "append/x", "append/00", "append/0/x",
					     "append/blocks/0"};
	struct view_entry entry;
	struct mount m = {0};
	unsigned i;

	(void)state;
	two_interfaces(&m);
	assert_true(view_appends(m.view));
	tree_list(m.view, "", 0, true, 0, &listed);
	assert_true(has_name(&listed, "append"));
	tree_list(m.view, "append", 0, true, 0, &listed);
	assert_int_equal(listed.count, 5);
	assert_string_equal(listed.name[2], "0");
	assert_string_equal(listed.name[3], "1");
	assert_string_equal(listed.name[4], "blocks");
	assert_int_equal(listed.node[1], VIEW_ROOT);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(tree_find(m.view, places[i], &entry, NULL), 0);
		assert_int_equal(entry.st.st_mode, S_IFDIR | 0755);
		assert_true(view_list_live(m.view, entry.st.st_ino));
	}
	assert_int_equal(tree_find(m.view, "append/1/..", &entry, NULL), 0);
	assert_int_equal(entry.st.st_ino, node_of(m.view, "append"));
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		expect_error(m.view, absent[i], -ENOENT, false);
	mount_close(&m);
}

static void packet(void **state)
{
	struct view_entry pending, link;
	struct mount m = {0};
	struct file file;
	char bytes[16];

	(void)state;
	two_interfaces(&m);
	assert_int_equal(create(m.view, "append/0", "p", &file), 0);
	assert_int_equal(view_write(m.view, file.node, 3, "def", 3), 3);
	assert_int_equal(view_write(m.view, file.node, 0, "abc", 3), 3);
	assert_int_equal(tree_find(m.view, "append/0/p", &pending, NULL), 0);
	assert_int_equal(pending.st.st_ino, file.node);
	assert_int_equal(pending.st.st_mode, S_IFREG | 0640);
	assert_int_equal(pending.st.st_size, 6);
	assert_int_equal(pending.st.st_uid, 7);
	assert_int_equal(pending.st.st_gid, 8);
	assert_int_equal(pending.st.st_nlink, 1);
	assert_true(pending.live);
	assert_true(pending.fleeting);
	assert_int_equal(view_read(m.view, file.node, 1, bytes, sizeof(bytes)), 5);
	assert_memory_equal(bytes, "bcdef", 5);
	expect_error(m.view, "packets/6", -ENOENT, false);
	assert_int_equal(finish(m.view, &file), 0);
	expect_link(m.view, "append/0/p", "../../packets/000000006");
	assert_int_equal(tree_find(m.view, "append/0/p", &link, NULL), 0);
	assert_true(link.st.st_ino != file.node);
	expect_text(m.view, "packets/6", "abcdef");
	expect_text(m.view, "info/packets", "6\n");
	/* the process that wrote it may still have it open */
	assert_int_equal(view_getattr(m.view, file.node, &pending), 0);
	assert_true(S_ISREG(pending.st.st_mode));
	assert_int_equal(pending.st.st_size, 6);
	assert_int_equal(view_read(m.view, file.node, 4, bytes, sizeof(bytes)), 2);
	assert_memory_equal(bytes, "ef", 2);
	assert_int_equal(view_write(m.view, file.node, 0, "x", 1), -EROFS);
	tree_list(m.view, "append/0", 0, true, 0, &listed);
	assert_int_equal(listed.count, 3);
	assert_string_equal(listed.name[2], "p");
	assert_int_equal(view_remove(m.view, node_of(m.view, "append/0"), "p", false), 0);
	expect_error(m.view, "append/0/p", -ENOENT, false);
	expect_text(m.view, "packets/6", "abcdef");
	mount_close(&m);
}

static void appended(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct mount m = {0};

	(void)state;
	two_interfaces(&m);
	expect_text(m.view, "info/appended", "");
	assert_int_equal(put(m.view, "append/1", "a b", "xyz", 3), 0);
	tree_read(m.view, "info/appended", 100, &text);
	assert_non_null(strstr(text.bytes, "1/a%20b\t6\t"));
	tree_list(m.view, "info", 0, true, 0, &listed);
	assert_true(has_name(&listed, "appended"));
	mount_close(&m);
}

static void only(void **state)
{
	struct mount m = {0};
	struct file file;

	(void)state;
	one_interface(&m);
	assert_int_equal(put(m.view, "append", "p", "abc", 3), 0);
	assert_int_equal(put(m.view, "append", "000000042", "abc", 3), 0);
	expect_link(m.view, "append/p", "../packets/000000002");
	expect_link(m.view, "append/000000042", "../packets/000000003");
	expect_text(m.view, "interfaces/0/packets", "3\n");
	assert_int_equal(create(m.view, "append", "0", &file), -EEXIST);
	assert_int_equal(create(m.view, "append", "blocks", &file), -EEXIST);
	tree_list(m.view, "append", 0, true, 0, &listed);
	assert_int_equal(listed.count, 6);
	assert_string_equal(listed.name[4], "p");
	mount_close(&m);
	two_interfaces(&m);
	assert_int_equal(create(m.view, "append", "p", &file), -EINVAL);
	mount_close(&m);
}

static void expect_attribute(struct view *view, uint64_t node, const char *name, int result,
			     const char *want)
{
	_cleanup_(text_free) struct text text = {0};

	assert_int_equal(view_getxattr(view, node, name, &text), result);
	if (!result)
		assert_string_equal(text.bytes, want);
}

static int set_attribute(struct view *view, uint64_t node, const char *name, const char *value)
{
	return view_setxattr(view, node, name, value, value ? strlen(value) : 0);
}

static void attributes(void **state)
{
	const struct view_setattr time = {
		.what = VIEW_SET_TIME | VIEW_SET_MODE, .time = {1000, 500000000}, .mode = 0600};
	_cleanup_(text_free) struct text names = {0};
	struct view_entry entry;
	struct mount m = {0};
	struct file file;
	uint64_t packet;

	(void)state;
	two_interfaces(&m);
	assert_int_equal(create(m.view, "append/0", "p", &file), 0);
	assert_int_equal(set_attribute(m.view, file.node, "user.pktfs.comment", "hello"), 0);
	assert_int_equal(set_attribute(m.view, file.node, "user.pktfs.flags", "0x00000002"), 0);
	assert_int_equal(set_attribute(m.view, file.node, "user.pktfs.original_length", "99"), 0);
	assert_int_equal(set_attribute(m.view, file.node, "user.pktfs.number", "3"), 0);
	assert_int_equal(set_attribute(m.view, file.node, "user.pktfs.other", "3"), -EOPNOTSUPP);
	assert_int_equal(set_attribute(m.view, file.node, "user.other", "3"), -EOPNOTSUPP);
	assert_int_equal(set_attribute(m.view, file.node, "security.x", "3"), -EOPNOTSUPP);
	assert_int_equal(set_attribute(m.view, file.node, "user.pktfs.flags", "red"), -EINVAL);
	expect_attribute(m.view, file.node, "user.pktfs.comment", 0, "hello");
	expect_attribute(m.view, file.node, "user.pktfs.time", -ENODATA, NULL);
	assert_int_equal(view_setxattr(m.view, file.node, "user.pktfs.time", NULL, 0), -ENODATA);
	assert_int_equal(view_setxattr(m.view, file.node, "user.pktfs.number", NULL, 0), -ENODATA);
	assert_int_equal(set_attribute(m.view, file.node, "user.pktfs.time", "1"), 0);
	assert_int_equal(view_setxattr(m.view, file.node, "user.pktfs.time", NULL, 0), 0);
	assert_int_equal(view_setxattr(m.view, file.node, "user.pktfs.time", NULL, 0), -ENODATA);
	expect_attribute(m.view, file.node, "system.posix_acl_access", -EOPNOTSUPP, NULL);
	assert_int_equal(view_listxattr(m.view, file.node, &names), 0);
	assert_true(names.size > strlen("user.pktfs.comment"));
	assert_memory_equal(names.bytes, "user.pktfs.", 11);
	assert_int_equal(view_setattr(m.view, file.node, &time, &entry), 0);
	assert_int_equal(entry.st.st_mode, S_IFREG | 0600);
	assert_int_equal(entry.st.st_mtim.tv_sec, 1000);
	assert_int_equal(entry.st.st_mtim.tv_nsec, 500000000);
	/* closed while it is empty: it stays */
	assert_int_equal(finish(m.view, &file), 0);
	expect_error(m.view, "packets/6", -ENOENT, false);
	assert_int_equal(view_open_node(m.view, file.node, &who, &file.handle), 0);
	assert_true(file.handle);
	assert_int_equal(view_write(m.view, file.node, 0, "abc", 3), 3);
	assert_int_equal(finish(m.view, &file), 0);
	packet = node_of(m.view, "packets/6");
	expect_attribute(m.view, packet, "user.pktfs.comment", 0, "hello");
	expect_attribute(m.view, packet, "user.pktfs.flags", 0, "0x00000002");
	expect_attribute(m.view, packet, "user.pktfs.original_length", 0, "99");
	expect_attribute(m.view, packet, "user.pktfs.time", 0, "1970-01-01T00:16:40.500000000Z");
	names.size = 0;
	assert_int_equal(view_listxattr(m.view, packet, &names), 0);
	assert_memory_equal(names.bytes + names.size - 17, "user.pktfs.flags", 17);
	expect_attribute(m.view, node_of(m.view, "packets/5"), "user.pktfs.flags", -ENODATA, NULL);
	mount_close(&m);
}

/* What install(1) does after the close. */
static void attributes_of_packets(void **state)
{
	const struct view_setattr mode = {.what = VIEW_SET_MODE | VIEW_SET_OWNER, .mode = 0755};
	const struct view_setattr time = {.what = VIEW_SET_TIME};
	struct view_entry entry;
	struct mount m = {0};
	uint64_t old, new, link, directory;

	(void)state;
	two_interfaces(&m);
	assert_int_equal(put(m.view, "append/0", "p", "abc", 3), 0);
	old = node_of(m.view, "packets/5");
	new = node_of(m.view, "packets/6");
	link = node_of(m.view, "append/0/p");
	directory = node_of(m.view, "append/0");
	assert_int_equal(view_setattr(m.view, new, &mode, &entry), 0);
	assert_int_equal(entry.st.st_mode, S_IFREG | 0444);
	assert_int_equal(view_setattr(m.view, old, &mode, &entry), -EROFS);
	assert_int_equal(view_setattr(m.view, new, &time, &entry), -EROFS);
	assert_int_equal(view_setattr(m.view, link, &mode, &entry), 0);
	assert_int_equal(view_setattr(m.view, link, &time, &entry), -EROFS);
	assert_int_equal(view_setattr(m.view, directory, &time, &entry), 0);
	assert_int_equal(set_attribute(m.view, new, "user.pktfs.comment", "x"), -EROFS);
	assert_int_equal(set_attribute(m.view, new, "system.posix_acl_access", "x"), -EOPNOTSUPP);
	assert_int_equal(set_attribute(m.view, old, "user.pktfs.comment", "x"), -EROFS);
	mount_close(&m);
}

static void renames(void **state)
{
	struct mount m = {0};
	struct file file;
	uint64_t zero, one, end;

	(void)state;
	two_interfaces(&m);
	zero = node_of(m.view, "append/0");
	one = node_of(m.view, "append/1");
	assert_int_equal(put(m.view, "append/0", "p", "abc", 3), 0);
	assert_int_equal(view_rename(m.view, zero, "p", zero, "q", false, &end), 0);
	expect_link(m.view, "append/0/q", "../../packets/000000006");
	expect_error(m.view, "append/0/p", -ENOENT, false);
	assert_int_equal(view_rename(m.view, zero, "q", one, "q", false, &end), -EXDEV);
	assert_int_equal(view_rename(m.view, zero, "p", zero, "x", false, &end), -ENOENT);
	assert_int_equal(create(m.view, "append/0", "r", &file), 0);
	assert_int_equal(view_rename(m.view, zero, "r", zero, "q", true, &end), -EEXIST);
	assert_int_equal(view_rename(m.view, zero, "r", one, "r", false, &end), 0);
	assert_int_equal(view_write(m.view, file.node, 0, "abc", 3), 3);
	assert_int_equal(finish(m.view, &file), 0);
	expect_link(m.view, "append/1/r", "../../packets/000000007");
	expect_text(m.view, "interfaces/1/packets", "1\n");
	assert_int_equal(
		view_rename(m.view, node_of(m.view, "append"), "0", zero, "x", false, &end),
		-EPERM);
	assert_int_equal(
		view_rename(m.view, zero, "q", node_of(m.view, "append"), "1", false, &end),
		-EISDIR);
	assert_int_equal(
		view_rename(m.view, zero, "q", node_of(m.view, "packets"), "q", false, &end),
		-EROFS);
	mount_close(&m);
}

static void make_interfaces(void **state)
{
	static const struct {
		const char *directory, *name;
		int result;
	} cases[] = {
		{"append", "0", -EEXIST},         {"append", "7", -EINVAL},
		{"append", "blocks", -EEXIST},    {"append", "wlan", -EEXIST},
		{"append/0", "x", -EPERM},        {"append/blocks", "x", -EPERM},
		{"append", "x@NO_SUCH", -EINVAL}, {"packets", "x", -EROFS},
	};
	struct view_entry entry;
	struct mount m = {0};
	uint64_t end;
	unsigned i;
	int r;

	(void)state;
	two_interfaces(&m);
	assert_int_equal(view_mkdir(m.view, node_of(m.view, "append"), "wlan", &entry, &end), 0);
	assert_true(S_ISDIR(entry.st.st_mode));
	assert_int_equal(seen(m.view, end), 0);
	expect_text(m.view, "interfaces/2/name", "wlan\n");
	expect_text(m.view, "interfaces/2/link_type", "ETHERNET\n");
	assert_int_equal(node_of(m.view, "append/wlan"), entry.st.st_ino);
	assert_int_equal(view_mkdir(m.view, node_of(m.view, "append"), "r@RAW", &entry, &end), 0);
	assert_int_equal(seen(m.view, end), 0);
	expect_text(m.view, "interfaces/3/link_type", "RAW\n");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		r = view_mkdir(m.view, node_of(m.view, cases[i].directory), cases[i].name, &entry,
			       &end);
		if (r != cases[i].result)
			fail_msg("%s/%s: %d", cases[i].directory, cases[i].name, r);
	}
	assert_int_equal(put(m.view, "append/wlan", "p", "abc", 3), 0);
	expect_link(m.view, "append/wlan/p", "../../packets/000000006");
	expect_link(m.view, "append/2/p", "../../packets/000000006");
	expect_text(m.view, "interfaces/2/packets", "1\n");
	tree_list(m.view, "append", 0, true, 0, &listed);
	assert_int_equal(listed.count, 2 + 4 + 1 + 2);
	assert_true(has_name(&listed, "wlan"));
	assert_true(has_name(&listed, "r@RAW"));
	assert_int_equal(view_remove(m.view, node_of(m.view, "append"), "wlan", true), -EPERM);
	assert_int_equal(view_remove(m.view, node_of(m.view, "append"), "wlan", false), -EISDIR);
	mount_close(&m);
}

static void blocks(void **state)
{
	_cleanup_(text_free) struct text body = {0}, block = {0}, epb = {0};
	struct mount m = {0};

	(void)state;
	two_interfaces(&m);
	text_u32(&body, 0x544c534b, false);
	text_u32(&body, 4, false);
	text_string(&body, "key\n");
	build_block(&block, false, BLOCK_DSB, body.bytes, body.size);
	assert_int_equal(put(m.view, "append/blocks", "keys", block.bytes, block.size), 0);
	expect_link(m.view, "append/blocks/keys", "../../blocks/000000009.dsb");
	expect_text(m.view, "secrets/tls.keylog", "key\n");
	build_epb(&epb, false, 1, SECOND, 10, 3, NULL);
	assert_int_equal(put(m.view, "append/blocks", "packet", epb.bytes, epb.size), 0);
	expect_link(m.view, "append/blocks/packet", "../../packets/000000006");
	assert_int_equal(put(m.view, "append/blocks", "bad", block.bytes, block.size - 4), -EINVAL);
	expect_error(m.view, "append/blocks/bad", -ENOENT, false);
	mount_close(&m);
}

static void refusals(void **state)
{
	const struct append_who reader = {.flags = O_RDONLY};
	_cleanup_(text_free) struct text log = {0};
	struct view_entry entry;
	struct mount m = {0};
	struct file file;
	char large[101] = {0};
	uint64_t handle;

	(void)state;
	two_interfaces(&m);
	assert_int_equal(put(m.view, "append/1", "p", large, sizeof(large)), -EMSGSIZE);
	expect_error(m.view, "append/1/p", -ENOENT, false);
	tree_read(m.view, "info/log", 1000, &log);
	assert_true(log.size > 0);
	expect_text(m.view, "info/packets", "5\n");
	assert_int_equal(create(m.view, "packets", "x", &file), -EROFS);
	assert_int_equal(create(m.view, "by/filter", "x", &file), -EROFS);
	assert_int_equal(view_symlink(m.view, node_of(m.view, "append/0"), "l", "x", &entry),
			 -EPERM);
	assert_int_equal(view_never(m.view, node_of(m.view, "append/0")), -EPERM);
	assert_int_equal(view_never(m.view, node_of(m.view, "packets")), -EROFS);
	assert_int_equal(view_open_node(m.view, node_of(m.view, "packets/1"), &who, &handle),
			 -EROFS);
	assert_int_equal(view_open_node(m.view, node_of(m.view, "packets/1"), &reader, &handle), 0);
	assert_int_equal(handle, 0);
	assert_int_equal(view_remove(m.view, node_of(m.view, "append"), "0", true), -EPERM);
	assert_int_equal(view_remove(m.view, node_of(m.view, "append/0"), "x", false), -ENOENT);
	assert_int_equal(put(m.view, "append/0", "p", "abc", 3), 0);
	assert_int_equal(view_remove(m.view, node_of(m.view, "append/0"), "p", true), -ENOTDIR);
	assert_int_equal(create(m.view, "append/0", "p", &file), -EEXIST);
	mount_close(&m);
}

static void sync_and_space(void **state)
{
	uint64_t ticket, end;
	struct statvfs space;
	struct mount m = {0};
	struct file file;
	int r;

	(void)state;
	two_interfaces(&m);
	assert_int_equal(view_statvfs(m.view, &space), 0);
	assert_true(space.f_blocks > 0);
	assert_int_equal(create(m.view, "append/0", "p", &file), 0);
	assert_int_equal(view_write(m.view, file.node, 0, "abc", 3), 3);
	assert_int_equal(view_sync_begin(m.view, file.node, &ticket, &end), 0);
	while ((r = view_sync_done(m.view, ticket)) == -EAGAIN)
		usleep(1000);
	assert_int_equal(r, 0);
	assert_true(end > 0);
	assert_int_equal(seen(m.view, end), 0);
	expect_link(m.view, "append/0/p", "../../packets/000000006");
	assert_int_equal(finish(m.view, &file), 0);
	expect_text(m.view, "info/packets", "6\n");
	assert_int_equal(view_sync_begin(m.view, node_of(m.view, "packets/1"), &ticket, &end), 0);
	assert_int_equal(view_sync_done(m.view, ticket), 0);
	assert_int_equal(view_sync_begin(m.view, node_of(m.view, "append"), &ticket, &end), 0);
	while ((r = view_sync_done(m.view, ticket)) == -EAGAIN)
		usleep(1000);
	assert_int_equal(r, 0);
	mount_close(&m);
}

/* A listing goes on where it was, whatever was removed and made meanwhile. */
static void resumed(void **state)
{
	struct mount m = {0};
	struct file file;
	char name[32];
	uint64_t directory;
	unsigned i, n;

	(void)state;
	one_interface(&m);
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(create(m.view, "append", name, &file), 0);
		assert_int_equal(finish(m.view, &file), 0);
	}
	directory = node_of(m.view, "append");
	tree_list(m.view, "append", 0, true, 0, &listed);
	assert_int_equal(listed.count, 4 + 100);
	for (i = 0; i < listed.count; i++) {
		tree_list(m.view, "append", listed.next[i], i % 2, 0, &again);
		assert_int_equal(again.count, listed.count - i - 1);
		if (again.count)
			assert_string_equal(again.name[0], listed.name[i + 1]);
	}
	for (i = 4, n = 0; i < 54; i += 2, n++)
		assert_int_equal(view_remove(m.view, directory, listed.name[i], false), 0);
	assert_int_equal(create(m.view, "append", "last", &file), 0);
	assert_int_equal(finish(m.view, &file), 0);
	tree_list(m.view, "append", listed.next[30], true, 0, &again);
	assert_string_equal(again.name[0], listed.name[31]);
	assert_string_equal(again.name[again.count - 1], "last");
	tree_list(m.view, "append", 0, true, 0, &again);
	assert_int_equal(again.count, 104 - n + 1);
	mount_close(&m);
}

static void pcap_file(void **state)
{
	const struct write_pcap_header header = {
		.link_type = 1, .fcs_length = -1, .snaplen = 65535};
	struct view_entry entry;
	struct mount m = {0};
	uint64_t end;

	(void)state;
	write_pcap_header(&m.file, &header);
	mount_open(&m);
	tree_list(m.view, "append", 0, true, 0, &listed);
	assert_int_equal(listed.count, 3);
	expect_error(m.view, "append/blocks", -ENOENT, false);
	assert_int_equal(view_mkdir(m.view, node_of(m.view, "append"), "x", &entry, &end),
			 -EOPNOTSUPP);
	assert_int_equal(put(m.view, "append", "p", "abc", 3), 0);
	assert_int_equal(put(m.view, "append/0", "p", "abc", 3), 0);
	expect_link(m.view, "append/p", "../packets/000000001");
	expect_link(m.view, "append/0/p", "../../packets/000000002");
	mount_close(&m);
}

#define WRITERS 4
#define EACH    100

struct writer {
	struct view *view;
	unsigned number;
};

static void *write_some(void *context)
{
	struct writer *writer = context;
	char name[32], bytes[64], path[64];
	struct view_entry entry;
	uint64_t last = 0;
	unsigned i;

	for (i = 0; i < EACH; i++) {
		_cleanup_(text_free) struct text target = {0};

		snprintf(name, sizeof(name), "w%u.%u", writer->number, i);
		snprintf(bytes, sizeof(bytes), "writer %u packet %u", writer->number, i);
		snprintf(path, sizeof(path), "append/0/%s", name);
		if (put(writer->view, "append/0", name, bytes, strlen(bytes)) < 0 ||
		    tree_find(writer->view, path, &entry, NULL) < 0 ||
		    view_readlink(writer->view, entry.st.st_ino, &target) < 0)
			return context;
		if (strtoull(target.bytes + strlen("../../packets/"), NULL, 10) <= last)
			return context;
		last = strtoull(target.bytes + strlen("../../packets/"), NULL, 10);
		expect_text(writer->view, target.bytes + strlen("../../"), bytes);
	}
	return NULL;
}

static void writers(void **state)
{
	struct writer each[WRITERS];
	pthread_t threads[WRITERS];
	struct mount m = {0};
	void *failed;
	unsigned i;

	(void)state;
	one_interface(&m);
	for (i = 0; i < WRITERS; i++) {
		each[i] = (struct writer){m.view, i};
		assert_int_equal(pthread_create(&threads[i], NULL, write_some, &each[i]), 0);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	expect_text(m.view, "info/packets", "401\n");
	tree_list(m.view, "append/0", 0, true, 0, &listed);
	assert_int_equal(listed.count, 2 + WRITERS * EACH);
	mount_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directories),    cmocka_unit_test(packet),
		cmocka_unit_test(appended),       cmocka_unit_test(only),
		cmocka_unit_test(attributes),     cmocka_unit_test(attributes_of_packets),
		cmocka_unit_test(renames),        cmocka_unit_test(make_interfaces),
		cmocka_unit_test(blocks),         cmocka_unit_test(refusals),
		cmocka_unit_test(sync_and_space), cmocka_unit_test(resumed),
		cmocka_unit_test(pcap_file),      cmocka_unit_test(writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
