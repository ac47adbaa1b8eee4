/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree: names, inode numbers, attributes, listings, errors. */
#include "test_view.h"
#include "view/view_node.h"

#include <pthread.h>
#include <unistd.h>

#define SECOND UINT64_C(1763721127)

static struct names listed, again; /* too large for a stack */

/* `count` packets of 60 + n bytes, one a second, from packet 1 at SECOND. */
static void build_some(struct text *file, unsigned count)
{
	unsigned n;

	build_shb(file, false);
	build_idb(file, false, 1, 9, 65535, "eth0");
	for (n = 1; n <= count; n++)
		build_epb(file, false, 0, (SECOND + n) * 1000000000 + n, 60 + n, n,
			  n == 3 ? "look at this" : NULL);
}

static void root(void **state)
{
	static const char *const want[] = {
		".",           "..",         "README.txt", "info",           "packets",
		"sections",    "interfaces", "blocks",     "names",          "secrets",
		"packets.tsv", "payload",    "by",         "capture.pcapng", "capture.pcap",
	};
	struct tree tree = {0};
	struct view_entry entry;
	unsigned i;

	(void)state;
	build_some(&tree.file, 5);
	tree_open(&tree);
	tree_list(tree.view, "", 0, true, 0, &listed);
	assert_int_equal(listed.count, ARRAY_SIZE(want));
	for (i = 0; i < listed.count; i++)
		assert_string_equal(listed.name[i], want[i]);
	assert_int_equal(listed.node[0], VIEW_ROOT);
	assert_int_equal(listed.node[1], VIEW_ROOT);
	assert_int_equal(view_getattr(tree.view, VIEW_ROOT, &entry), 0);
	assert_int_equal(entry.st.st_ino, VIEW_ROOT);
	assert_int_equal(entry.st.st_mode, S_IFDIR | 0555);
	assert_int_equal(entry.st.st_uid, 1);
	assert_int_equal(entry.st.st_gid, 2);
	assert_int_equal(entry.st.st_mtim.tv_sec, SECOND + 5);
	assert_false(view_list_live(tree.view, VIEW_ROOT));
	tree_close(&tree);
}

static void packet_names(void **state)
{
	static const char *const same[] = {"42", "042", "000000042", "0000000000000000000000042"};
	static const char *const none[] = {
		"0",
		"000000000",
		"101",
		"000000101",
		"-1",
		"+1",
		" 1",
		"1 ",
		"",
		"0x1",
		"1.",
		"1.txt",
		"1.jsn",
		"101.json",
		"1.json.json",
		"99999999999999999999999",
		"18446744073709551617",
		"18446744073709551615",
		"..x",
		"42/",
	};
	struct view_entry first, entry;
	struct tree tree = {0};
	uint64_t packets;
	bool final;
	unsigned i;

	(void)state;
	build_some(&tree.file, 100);
	tree_open(&tree);
	assert_int_equal(tree_find(tree.view, "packets", &entry, NULL), 0);
	packets = entry.st.st_ino;
	assert_int_equal(view_lookup(tree.view, packets, "42", &first, NULL), 0);
	assert_int_equal(first.st.st_size, 102);
	assert_int_equal(first.st.st_mode, S_IFREG | 0444);
	assert_int_equal(first.st.st_nlink, 2);
	assert_int_equal(first.st.st_mtim.tv_sec, SECOND + 42);
	assert_int_equal(first.st.st_mtim.tv_nsec, 42);
	assert_int_equal(first.st.st_blksize, 4096);
	assert_false(first.live);
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		assert_int_equal(view_lookup(tree.view, packets, same[i], &entry, NULL), 0);
		assert_memory_equal(&entry.st, &first.st, sizeof(entry.st));
	}
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		final = false;
		assert_int_equal(view_lookup(tree.view, packets, none[i], &entry, &final), -ENOENT);
		assert_true(final);
	}
	assert_int_equal(view_lookup(tree.view, packets, "..", &entry, NULL), 0);
	assert_int_equal(entry.st.st_ino, VIEW_ROOT);
	tree_close(&tree);
}

static void packet_bytes(void **state)
{
	struct view_entry entry;
	struct tree tree = {0};
	uint8_t bytes[200];
	unsigned offset;
	int64_t n, i;

	(void)state;
	build_some(&tree.file, 10);
	tree_open(&tree);
	assert_int_equal(tree_find(tree.view, "packets/7", &entry, NULL), 0);
	for (offset = 0; offset < 80; offset++) {
		n = view_read(tree.view, entry.st.st_ino, offset, bytes, 20);
		assert_int_equal(n, offset >= 67 ? 0 : MIN(20u, 67 - offset));
		for (i = 0; i < n; i++)
			assert_int_equal(bytes[i], build_byte(7, (uint32_t)(offset + i)));
	}
	assert_int_equal(view_read(tree.view, entry.st.st_ino, UINT64_MAX, bytes, 20), 0);
	tree_close(&tree);
}

/* Resumed behind each entry, a listing is the rest of the whole listing. */
static void check_resumed(struct view *view, const char *path)
{
	unsigned i, stop;

	tree_list(view, path, 0, false, 0, &listed);
	for (i = 0; i < listed.count; i++) {
		stop = i % 7 + 1;
		tree_list(view, path, listed.next[i], i % 2, stop, &again);
		assert_int_equal(again.count, MIN(stop, listed.count - i - 1));
		if (again.count) {
			assert_string_equal(again.name[0], listed.name[i + 1]);
			assert_int_equal(again.node[0], listed.node[i + 1]);
		}
	}
}

static void listings(void **state)
{
	static const char *const directories[] = {
		"",           "info",       "packets",      "sections",
		"sections/0", "interfaces", "interfaces/0", "interfaces/0/statistics",
		"blocks",     "names",      "secrets",
	};
	struct tree tree = {0};
	unsigned i;

	(void)state;
	build_some(&tree.file, 300);
	build_isb(&tree.file, false, 0, 12);
	tree_open(&tree);
	tree_list(tree.view, "packets", 0, true, 0, &listed);
	assert_int_equal(listed.count, 302);
	assert_string_equal(listed.name[2], "000000001");
	assert_string_equal(listed.name[301], "000000300");
	for (i = 3; i < listed.count; i++)
		assert_int_equal(listed.node[i], listed.node[i - 1] + 1);
	for (i = 0; i < ARRAY_SIZE(directories); i++)
		check_resumed(tree.view, directories[i]);
	tree_close(&tree);
}

/* All nodes below `path`, entered into `nodes`. */
static void collect(struct view *view, const char *path, uint64_t *nodes, unsigned *count)
{
	struct names *names = malloc(sizeof(*names));
	struct view_entry entry;
	char below[512];
	unsigned i;

	tree_list(view, path, 0, false, 0, names);
	for (i = 2; i < names->count; i++) {
		if (!strcmp(names->name[i], "by"))
			continue; /* what is listed there depends on what is evaluated */
		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", names->name[i]);
		assert_int_equal(tree_find(view, below, &entry, NULL), 0);
		assert_int_equal(entry.st.st_ino, names->node[i]);
		assert_true(entry.st.st_ino < UINT64_C(1) << 53);
		nodes[(*count)++] = entry.st.st_ino;
		if (S_ISDIR(entry.st.st_mode)) {
			tree_list(view, below, 0, false, 2, &again);
			assert_int_equal(again.node[0], entry.st.st_ino);
			assert_int_equal(tree_find(view, *path ? path : ".", &entry, NULL), 0);
			assert_int_equal(again.node[1], entry.st.st_ino);
			collect(view, below, nodes, count);
		}
	}
	free(names);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void inodes(void **state)
{
	static uint64_t nodes[2][4096];
	struct tree tree = {0};
	unsigned i, count[2] = {0};

	(void)state;
	build_some(&tree.file, 50);
	build_isb(&tree.file, false, 0, 12);
	build_shb(&tree.file, true);
	build_idb(&tree.file, true, 101, 6, 0, NULL);
	build_epb(&tree.file, true, 0, 1000000, 10, 51, NULL);
	for (i = 0; i < 2; i++) {
		tree_open(&tree);
		collect(tree.view, "", nodes[i], &count[i]);
		view_close(tree.view);
		pktfs_close(tree.capture);
	}
	text_free(&tree.file);
	assert_int_equal(count[0], count[1]);
	assert_memory_equal(nodes[0], nodes[1], count[0] * sizeof(nodes[0][0]));
	qsort(nodes[0], count[0], sizeof(nodes[0][0]), compare);
	for (i = 1; i < count[0]; i++) /* a packet in a set is the same node */
		if (view_node_kind(nodes[0][i]) != NODE_PACKET &&
		    view_node_kind(nodes[0][i]) != NODE_PAYLOAD)
			assert_true(nodes[0][i] != nodes[0][i - 1]);
	assert_true(nodes[0][0] != VIEW_ROOT);
}

/* Sets, too, are the same nodes at each mount, in whatever order they are met. */
static void inodes_of_sets(void **state)
{
	static const char *const paths[] = {
		"by/filter/arp",
		"by/filter/arp/packets",
		"by/interface/0/by/match/x/capture.pcapng",
		"by/range/1-2,3/payload",
		"by/time",
		"by/filter/udp/by/filter/arp",
	};
	uint64_t nodes[ARRAY_SIZE(paths)];
	struct tree tree = {0};
	struct view_entry entry;
	unsigned i, at, round;
	int r;

	(void)state;
	build_some(&tree.file, 50);
	for (round = 0; round < 2; round++) {
		tree_open(&tree);
		for (i = 0; i < ARRAY_SIZE(paths); i++) {
			at = round ? ARRAY_SIZE(paths) - 1 - i : i;
			do {
				r = tree_find(tree.view, paths[at], &entry, NULL);
			} while (r == -EAGAIN);
			assert_int_equal(r, 0);
			assert_true(entry.st.st_ino < UINT64_C(1) << 53);
			if (round)
				assert_int_equal(entry.st.st_ino, nodes[at]);
			nodes[at] = entry.st.st_ino;
		}
		view_close(tree.view);
		pktfs_close(tree.capture);
	}
	text_free(&tree.file);
}

static void errors(void **state)
{
	static const char *const none[] = {
		"nothing",
		"info/nothing",
		"sections/1",
		"sections/00",
		"sections/x",
		"interfaces/1",
		"interfaces/0/nothing",
		"interfaces/0/description",
		"interfaces/0/statistics",
		"blocks/0",
		"blocks/3",
		"blocks/1.idb",
		"blocks/000000001.xyz",
		"blocks/99",
		"names/hosts",
		"names/nothing",
		"secrets/tls.keylog",
		"secrets/type_12345678.bin",
		"capture.RAW.pcap",
		"capture.ETHERNET.pcap",
		"capture.x.pcap",
		"capture.",
		"info/problem",
	};
	struct view_entry entry;
	struct tree tree = {0};
	char byte;
	unsigned i;

	(void)state;
	build_some(&tree.file, 3);
	tree_open(&tree);
	for (i = 0; i < ARRAY_SIZE(none); i++)
		expect_absent(tree.view, none[i]);
	expect_error(tree.view, "packets/1/2", -ENOTDIR, true);
	assert_int_equal(view_read(tree.view, VIEW_ROOT, 0, &byte, 1), -EISDIR);
	assert_int_equal(view_getattr(tree.view, 0, &entry), -ENOENT);
	assert_int_equal(view_getattr(tree.view, 2, &entry), -ENOENT);
	assert_int_equal(view_getattr(tree.view, UINT64_MAX, &entry), -ENOENT);
	assert_int_equal(view_read(tree.view, UINT64_MAX, 0, &byte, 1), -ENOENT);
	assert_int_equal(tree_find(tree.view, "packets/1", &entry, NULL), 0);
	assert_int_equal(view_list(tree.view, entry.st.st_ino, 0, false, take_name, &listed),
			 -ENOTDIR);
	tree_close(&tree);
}

/* No inode number makes it crash. */
static void strange_nodes(void **state)
{
	static const uint64_t ordinals[] = {
		0,
		1,
		2,
		3,
		63,
		64,
		65,
		1000,
		65535,
		65536,
		65537,
		65600,
		UINT32_MAX,
		UINT64_C(1) << 32,
		UINT64_C(1) << 40,
		(UINT64_C(1) << 47) - 1,
	};
	_cleanup_(text_free) struct text text = {0};
	struct view_entry entry;
	struct tree tree = {0};
	uint64_t kind, node;
	char bytes[100];
	unsigned i;

	(void)state;
	build_some(&tree.file, 3);
	tree_open(&tree);
	for (kind = 0; kind < 64; kind++) {
		for (i = 0; i < ARRAY_SIZE(ordinals); i++) {
			node = kind << 47 | ordinals[i];
			memset(&listed, 0, sizeof(listed));
			listed.view = tree.view;
			view_getattr(tree.view, node, &entry);
			view_read(tree.view, node, 3, bytes, sizeof(bytes));
			view_getxattr(tree.view, node, "user.pktfs.time", &text);
			view_list_live(tree.view, node);
			if (view_getattr(tree.view, node, &entry) == 0)
				view_list(tree.view, node, 0, true, take_name, &listed);
		}
	}
	tree_close(&tree);
}

static void expect_attribute(struct view *view, const char *path, const char *name, int result,
			     const char *want)
{
	_cleanup_(text_free) struct text text = {0};
	struct view_entry entry;

	assert_int_equal(tree_find(view, path, &entry, NULL), 0);
	assert_int_equal(view_getxattr(view, entry.st.st_ino, name, &text), result);
	if (result)
		return;
	assert_int_equal(text.size, strlen(want));
	assert_string_equal(text.bytes, want);
}

static void attributes(void **state)
{
	static const char all[] = "user.pktfs.number\0user.pktfs.frame\0user.pktfs.interface\0"
				  "user.pktfs.link_type\0user.pktfs.original_length\0"
				  "user.pktfs.time\0user.pktfs.comment";
	_cleanup_(text_free) struct text names = {0};
	struct tree tree = {0};
	struct view_entry entry;
	char *large = malloc(20001);
	unsigned i;

	(void)state;
	build_some(&tree.file, 5);
	for (i = 0; i < 20000; i += 2)
		memcpy(large + i, "\xc3\xbc", 2);
	large[0] = 'x'; /* then characters begin at odd offsets, all but one cut */
	large[20000] = '\0';
	build_epb(&tree.file, false, 0, 0, 10, 6, large);
	tree_open(&tree);
	expect_attribute(tree.view, "packets/3", "user.pktfs.number", 0, "3");
	expect_attribute(tree.view, "packets/3", "user.pktfs.frame", 0, "3");
	expect_attribute(tree.view, "packets/3", "user.pktfs.interface", 0, "0");
	expect_attribute(tree.view, "packets/3", "user.pktfs.link_type", 0, "ETHERNET");
	expect_attribute(tree.view, "packets/3", "user.pktfs.original_length", 0, "73");
	expect_attribute(tree.view, "packets/3", "user.pktfs.time", 0,
			 "2025-11-21T10:32:10.000000003Z");
	expect_attribute(tree.view, "packets/3", "user.pktfs.comment", 0, "look at this");
	expect_attribute(tree.view, "packets/4", "user.pktfs.comment", -ENODATA, NULL);
	expect_attribute(tree.view, "packets/4", "user.pktfs.flags", -ENODATA, NULL);
	expect_attribute(tree.view, "packets/4", "user.other", -ENODATA, NULL);
	expect_attribute(tree.view, "packets/4", "user.pktfs.", -ENODATA, NULL);
	expect_attribute(tree.view, "packets/4", "security.selinux", -EOPNOTSUPP, NULL);
	expect_attribute(tree.view, "info/path", "user.pktfs.number", -ENODATA, NULL);
	expect_attribute(tree.view, "info/path", "system.posix_acl_access", -EOPNOTSUPP, NULL);
	assert_int_equal(tree_find(tree.view, "packets/3", &entry, NULL), 0);
	assert_int_equal(view_listxattr(tree.view, entry.st.st_ino, &names), 0);
	assert_int_equal(names.size, sizeof(all));
	assert_memory_equal(names.bytes, all, sizeof(all));
	text_free(&names);
	assert_int_equal(tree_find(tree.view, "packets/6", &entry, NULL), 0);
	assert_int_equal(view_getxattr(tree.view, entry.st.st_ino, "user.pktfs.comment", &names),
			 0);
	assert_in_range(names.size, 3996, 4000);
	assert_memory_equal(names.bytes + names.size - 2, "\xc3\xbc", 2);
	free(large);
	tree_close(&tree);
}

/* A capture that comes through a pipe: what is not there yet is waited for. */
struct feed {
	int fd;
	struct text file;
	pktfs_capture *capture;
};

static void feed(int fd, const char *bytes, size_t size)
{
	ssize_t n;

	for (; size; bytes += n, size -= (size_t)n) {
		n = write(fd, bytes, size);
		assert_true(n > 0);
	}
}

static void *open_thread(void *context)
{
	struct feed *f = context;
	struct pktfs_error error;

	assert_int_equal(pktfs_open_fd(f->fd, NULL, &f->capture, &error), 0);
	return NULL;
}

static void growing(void **state)
{
	static const char *const pending[] = {
		"packets/90",        "packets/90.json",    "packets/90.hex",
		"packets/90.pcapng", "packets/500",        "packets.tsv",
		"capture.pcapng",    "capture.pcap",       "capture.ETHERNET.pcap",
		"interfaces/1",      "sections/1",         "blocks/200",
		"names/hosts",       "secrets/tls.keylog",
	};
	struct feed f = {0};
	struct view_entry entry;
	struct pktfs_file second;
	struct view *view;
	pthread_t thread;
	unsigned i;
	int ends[2];
	bool final;

	(void)state;
	build_some(&f.file, 100);
	assert_int_equal(pipe(ends), 0);
	f.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, open_thread, &f), 0);
	feed(ends[1], f.file.bytes, f.file.size / 2);
	pthread_join(thread, NULL);
	assert_int_equal(pktfs_wait(f.capture, 40, 60000), 0);
	view = tree_view(f.capture);
	/* what is said of a single file does not wait for others */
	assert_int_equal(pktfs_file_get(f.capture, 1, &second), -ENOENT);
	for (i = 0; i < ARRAY_SIZE(pending); i++)
		expect_error(view, pending[i], -EAGAIN, false);
	expect_error(view, "nothing", -ENOENT, true);
	expect_error(view, "packets/0", -ENOENT, true);
	expect_error(view, "info/problem", -ENOENT, false);
	expect_error(view, "info/size", -ENOENT, false);
	expect_text(view, "info/state", "indexing\n");
	expect_text(view, "interfaces/0/name", "eth0\n");
	assert_int_equal(tree_find(view, "packets/40", &entry, NULL), 0);
	assert_false(entry.live);
	assert_int_equal(tree_find(view, "info/packets", &entry, NULL), 0);
	assert_true(entry.live);
	assert_true(view_list_live(view, VIEW_ROOT));
	tree_list(view, "", 0, true, 0, &listed);
	assert_false(has_name(&listed, "packets.tsv"));
	assert_false(has_name(&listed, "capture.pcap"));
	assert_false(has_name(&listed, "capture.pcapng"));
	tree_list(view, "packets", 0, true, 0, &listed);
	assert_in_range(listed.count, 42, 60);

	feed(ends[1], f.file.bytes + f.file.size / 2, f.file.size - f.file.size / 2);
	close(ends[1]);
	close(ends[0]);
	assert_int_equal(pktfs_wait(f.capture, UINT64_MAX, 60000), 0);
	tree_list(view, "packets", listed.next[listed.count - 1], false, 0, &again);
	assert_int_equal(again.count + listed.count, 102);
	expect_text(view, "info/state", "complete\n");
	expect_text(view, "info/packets", "100\n");
	expect_text(view, "info/progress", "100.0\n");
	assert_int_equal(tree_find(view, "info/packets", &entry, &final), 0);
	assert_false(entry.live);
	expect_error(view, "packets/500", -ENOENT, true);
	expect_error(view, "interfaces/1", -ENOENT, true);
	expect_error(view, "names/hosts", -ENOENT, true);
	tree_list(view, "", 0, true, 0, &listed);
	assert_true(has_name(&listed, "packets.tsv"));
	assert_true(has_name(&listed, "capture.pcap"));
	assert_true(has_name(&listed, "capture.pcapng"));
	assert_false(view_list_live(view, VIEW_ROOT));
	view_close(view);
	pktfs_close(f.capture);
	text_free(&f.file);
}

static void log_ring(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct tree tree = {0};
	struct view_entry entry;
	unsigned i, lines = 0;
	uint64_t files, bytes;

	(void)state;
	build_some(&tree.file, 3);
	tree_open(&tree);
	expect_text(tree.view, "info/log", "");
	usleep(5000); /* a text that was just read stays for its reader */
	for (i = 0; i < 1000; i++)
		view_log(tree.view, "line %u\nstill %s", i, i % 100 ? "short" : "x");
	tree_read(tree.view, "info/log", 1000, &text);
	for (i = 0; i < text.size; i++)
		lines += text.bytes[i] == '\n';
	assert_int_equal(lines, 256);
	assert_non_null(strstr(text.bytes, "Z line 999 still short\n"));
	assert_null(strstr(text.bytes, "line 743 "));
	assert_int_equal(tree_find(tree.view, "info/log", &entry, NULL), 0);
	assert_true(entry.live);
	view_totals(tree.view, &files, &bytes);
	assert_true(files > 5);
	assert_int_equal(bytes, 61 + 62 + 63);
	tree_close(&tree);
}

/* More texts than are kept, by several threads at once. */
static void *read_texts(void *context)
{
	struct view *view = context;
	_cleanup_(text_free) struct text text = {0};
	char path[64], want[64];
	unsigned n;

	for (n = 1; n <= 600; n++) {
		snprintf(path, sizeof(path), "packets/%u.json", n);
		snprintf(want, sizeof(want), "\"captured_length\": %u,", 60 + n);
		text.size = 0;
		tree_read(view, path, 100, &text);
		if (!strstr(text.bytes, want))
			return view;
	}
	return NULL;
}

static void many_texts(void **state)
{
	struct tree tree = {0};
	pthread_t threads[4];
	void *failed;
	unsigned i;

	(void)state;
	build_some(&tree.file, 600);
	tree_open(&tree);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_texts, tree.view), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	tree_close(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root),         cmocka_unit_test(packet_names),
		cmocka_unit_test(packet_bytes), cmocka_unit_test(listings),
		cmocka_unit_test(inodes),       cmocka_unit_test(inodes_of_sets),
		cmocka_unit_test(errors),       cmocka_unit_test(strange_nodes),
		cmocka_unit_test(attributes),   cmocka_unit_test(growing),
		cmocka_unit_test(log_ring),     cmocka_unit_test(many_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
