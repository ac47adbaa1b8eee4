/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture that gets longer while it is shown: nothing that depends on how
 * much there is may be kept, and everything is as in a mount of the whole. */
#include "test_view.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define SECOND UINT64_C(1763721127)

static struct names listed, again; /* too large for a stack */

struct grown {
	char path[64];
	int fd;
	struct text file;      /* all of it */
	size_t written, first; /* in the file now, and when it was opened */
	pktfs_capture *capture;
	struct view *view;
};

static void put(struct grown *g, size_t end)
{
	assert_int_equal(
		pwrite(g->fd, g->file.bytes + g->written, end - g->written, (off_t)g->written),
		end - g->written);
	g->written = end;
}

static void grown_open(struct grown *g)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_GROWING};
	struct pktfs_error error;

	strcpy(g->path, "/tmp/test_view_grow.XXXXXX");
	g->fd = mkstemp(g->path);
	assert_true(g->fd >= 0);
	put(g, g->file.size);
	g->first = g->file.size;
	if (pktfs_open(g->path, &options, &g->capture, &error) < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(g->capture, UINT64_MAX, 5000), 0);
	g->view = tree_view(g->capture);
}

/* What was added to g->file comes. */
static void grow(struct grown *g)
{
	put(g, g->file.size);
	assert_int_equal(pktfs_grow(g->capture), 1);
	assert_int_equal(pktfs_wait_offset(g->capture, g->file.size, 5000), 0);
}

static void grown_close(struct grown *g)
{
	view_close(g->view);
	pktfs_close(g->capture);
	text_free(&g->file);
	close(g->fd);
	unlink(g->path);
}

static void some_packets(struct text *file, unsigned from, unsigned to)
{
	unsigned n;

	for (n = from; n <= to; n++)
		build_epb(file, false, 0, (SECOND + n) * 1000000000 + n, 60 + n % 100, n, NULL);
}

static void some(struct text *file, unsigned count)
{
	build_shb(file, false);
	build_idb(file, false, 1, 9, 65535, "eth0");
	some_packets(file, 1, count);
}

static void name_block(struct text *file, const char *name)
{
	_cleanup_(text_free) struct text body = {0};
	size_t length = strlen(name) + 1;

	text_u16(&body, 1, false);
	text_u16(&body, (uint16_t)(4 + length), false);
	text_append(&body, "\x0a\0\0\x01", 4);
	text_append(&body, name, length);
	text_zeros(&body, util_pad4(length) - length + 4);
	build_block(file, false, BLOCK_NRB, body.bytes, body.size);
}

static void secret_block(struct text *file, uint32_t type, const char *bytes)
{
	_cleanup_(text_free) struct text body = {0};

	text_u32(&body, type, false);
	text_u32(&body, (uint32_t)strlen(bytes), false);
	text_string(&body, bytes);
	build_block(file, false, BLOCK_DSB, body.bytes, body.size);
}

/* A lookup that waits, as a parked request does. */
static int find_wait(struct view *view, const char *path, struct view_entry *ret, bool *ret_final)
{
	unsigned tries;
	int r;

	for (tries = 0; tries < 5000; tries++) {
		r = tree_find(view, path, ret, ret_final);
		if (r != -EAGAIN)
			return r;
		usleep(1000);
	}
	return r;
}

static void read_wait(struct view *view, const char *path, struct text *ret)
{
	struct view_entry entry;
	char bytes[5000];
	int64_t n;
	int r = find_wait(view, path, &entry, NULL);

	if (r < 0)
		fail_msg("%s: %s", path, strerror(-r));
	ret->size = 0;
	while (ret->size < (size_t)entry.st.st_size) {
		n = view_read(view, entry.st.st_ino, ret->size, bytes,
			      MIN(sizeof(bytes), (size_t)entry.st.st_size - ret->size));
		if (n == -EAGAIN) {
			usleep(1000);
			continue;
		}
		if (n <= 0)
			fail_msg("%s: read at %zu of %zu: %d", path, ret->size,
				 (size_t)entry.st.st_size, (int)n);
		text_append(ret, bytes, (size_t)n);
	}
}

static void expect_now(struct view *view, const char *path, const char *want)
{
	_cleanup_(text_free) struct text text = {0};

	read_wait(view, path, &text);
	if (text.size != strlen(want) || memcmp(text.bytes ? text.bytes : "", want, text.size))
		fail_msg("%s: \"%s\", not \"%s\"", path, text.bytes, want);
}

/* ---- what may be kept */

static void kept(void **state)
{
	static const char *const live[] = {
		"",
		"info",
		"info/packets",
		"info/bytes",
		"info/state",
		"info/size",
		"info/link_types",
		"packets",
		"payload",
		"sections",
		"interfaces",
		"interfaces/0",
		"interfaces/0/packets",
		"interfaces/0/statistics",
		"interfaces/0/statistics/received",
		"blocks",
		"names",
		"names/hosts",
		"secrets",
		"secrets/tls.keylog",
		"packets.tsv",
		"capture.pcapng",
		"capture.pcap",
		"by/interface",
		"by/time",
		"by/range/1-3",
		"by/range/1-3/info/packets",
		"by/range/1-3/packets",
		"by/range/1-3/packets.tsv",
		"by/interface/0/capture.pcapng",
		"by/filter/greater 1/capture.pcap",
	};
	static const char *const kept_[] = {
		"README.txt",        "packets/1",
		"packets/1.json",    "packets/1.hex",
		"packets/1.pcapng",  "sections/0/byte_order",
		"interfaces/0/name", "interfaces/0/link_type",
		"blocks/1",          "info/format",
		"info/path",         "by/interface/0/packets/3",
	};
	static const char *const absent[] = {
		"append",
		"files",
		"capture.foo",
		"packets/6",
		"packets/6.json",
		"by/range/1-3/packets/6",
		"sections/1",
		"interfaces/1",
		"interfaces/1/name",
		"blocks/99",
		"names/ethers",
		"secrets/ssh.keylog",
		"capture.RAW.pcap",
		"info/problem",
		"interfaces/0/statistics/dropped",
		"by/interface/7",
		"by/interface/eth1",
	};
	static const char *const never[] = {
		".git",
		"nothing",
		"sections/x",
		"packets/.hidden",
		"packets/0",
		"packets/99.txt",
		"packets/9x",
		"payload/99.hex",
		"blocks/x",
		"names/passwd",
		"info/who",
		"sections/01",
		"interfaces/eth0",
		"interfaces/0/colour",
		"interfaces/0/statistics/colour",
	};
	struct view_entry entry;
	struct grown g = {0};
	unsigned i;
	bool final;

	(void)state;
	some(&g.file, 5);
	build_isb(&g.file, false, 0, 12);
	name_block(&g.file, "one");
	secret_block(&g.file, 0x544c534b, "key\n");
	grown_open(&g);
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		if (*live[i])
			assert_int_equal(find_wait(g.view, live[i], &entry, NULL), 0);
		else
			assert_int_equal(view_getattr(g.view, VIEW_ROOT, &entry), 0);
		if (!entry.live)
			fail_msg("%s: not live", live[i]);
		if (S_ISDIR(entry.st.st_mode) && !view_list_live(g.view, entry.st.st_ino))
			fail_msg("%s: listing not live", live[i]);
	}
	for (i = 0; i < ARRAY_SIZE(kept_); i++) {
		assert_int_equal(find_wait(g.view, kept_[i], &entry, NULL), 0);
		if (entry.live)
			fail_msg("%s: live", kept_[i]);
	}
	for (i = 0; i < ARRAY_SIZE(absent); i++) {
		int r = find_wait(g.view, absent[i], &entry, &final);

		if (r != -ENOENT || final)
			fail_msg("%s: %d, final %d", absent[i], r, final);
	}
	for (i = 0; i < ARRAY_SIZE(never); i++) {
		int r = find_wait(g.view, never[i], &entry, &final);

		if (r != -ENOENT || !final)
			fail_msg("%s: %d, final %d", never[i], r, final);
	}
	assert_int_equal(find_wait(g.view, "by/interface/eth0", &entry, NULL), 0);
	assert_true(entry.fleeting);
	expect_now(g.view, "info/state", "complete\n");
	grown_close(&g);
}

/* ---- everything is as in a mount of the whole */

static void compare_file(struct view *a, struct view *b, const char *path)
{
	_cleanup_(text_free) struct text one = {0}, other = {0};

	read_wait(a, path, &one);
	read_wait(b, path, &other);
	if (one.size != other.size || (one.size && memcmp(one.bytes, other.bytes, one.size)))
		fail_msg("%s: \"%.100s\" (%zu), not \"%.100s\" (%zu)", path, one.bytes, one.size,
			 other.bytes, other.size);
}

static void evaluate(struct view *view, const char *set)
{
	struct view_entry entry;
	char path[512];

	assert_int_equal(find_wait(view, set, &entry, NULL), 0);
	snprintf(path, sizeof(path), "%s/packets.tsv", set);
	find_wait(view, path, &entry, NULL);
	snprintf(path, sizeof(path), "%s/capture.pcap", set);
	find_wait(view, path, &entry, NULL);
}

/* `b` is the whole, of which a listing waits for nothing. */
static void compare(struct view *a, struct view *b, const char *path)
{
	struct names *one = calloc(2, sizeof(*one)), *other = one + 1;
	struct view_entry entry;
	char below[512];
	unsigned i;

	if (!strncmp(path, "by/", 3))
		evaluate(b, path);
	tree_list(a, path, 0, false, 0, one);
	tree_list(b, path, 0, false, 0, other);
	if (one->count != other->count)
		fail_msg("%s: %u names, not %u", path, one->count, other->count);
	for (i = 2; i < one->count; i++) {
		assert_string_equal(one->name[i], other->name[i]);
		if (one->node[i] != other->node[i])
			fail_msg("%s/%s: another node", path, one->name[i]);
		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", one->name[i]);
		assert_int_equal(find_wait(a, below, &entry, NULL), 0);
		if (!strcmp(below, "by") || !strcmp(below, "info/log") || S_ISLNK(entry.st.st_mode))
			continue;
		if (S_ISDIR(entry.st.st_mode))
			compare(a, b, below);
		else
			compare_file(a, b, below);
	}
	free(one);
}

/* What is also asked for by name, and before each growth, so that all is
 * evaluated and kept where something can be. */
static const char *const more[] = {
	"by/range/2-",        "by/interface/0", "by/filter/greater 80",
	"by/match/\\x10",     "by/interface",   "by/time",
	"by/time/2025-11-21", "by/range/1-40",  "by/filter/greater 80/by/interface/0",
};

static void compare_all(struct grown *g)
{
	struct tree whole = {0};
	struct pktfs_error error;
	unsigned i;

	assert_int_equal(pktfs_open(g->path, NULL, &whole.capture, &error), 0);
	assert_int_equal(pktfs_wait(whole.capture, UINT64_MAX, 5000), 0);
	whole.view = tree_view(whole.capture);
	compare(g->view, whole.view, "");
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		if (g->file.size == g->first) /* later a listing waits for what has come */
			evaluate(g->view, more[i]);
		compare(g->view, whole.view, more[i]);
	}
	tree_close(&whole);
}

static void same_as_whole(void **state)
{
	struct grown g = {0};
	unsigned step;

	(void)state;
	some(&g.file, 30);
	grown_open(&g);
	for (step = 0; step < 12; step++) {
		compare_all(&g);
		switch (step) {
		case 0:
			some_packets(&g.file, 31, 31);
			break;
		case 1:
			build_isb(&g.file, false, 0, 77);
			break;
		case 2:
			name_block(&g.file, "first");
			break;
		case 3:
			secret_block(&g.file, 0x544c534b, "key one\n");
			break;
		case 4:
			name_block(&g.file, "second");
			secret_block(&g.file, 0x12345678, "unknown");
			break;
		case 5: /* as large as the last: the time tells */
			build_isb(&g.file, false, 0, 78);
			break;
		case 6:
			build_idb(&g.file, false, 101, 6, 0, "eth1");
			break;
		case 7:
			build_epb(&g.file, false, 1, SECOND * 1000000, 20, 32, NULL);
			break;
		case 8: /* a name that is no longer one of a single interface */
			build_idb(&g.file, false, 1, 9, 0, "eth0");
			build_epb(&g.file, false, 2, (SECOND + 7200) * 1000000000, 90, 33, "x");
			break;
		case 9:
			build_shb(&g.file, false);
			build_idb(&g.file, false, 1, 6, 0, NULL);
			build_epb(&g.file, false, 0, SECOND * 1000000, 85, 34, NULL);
			break;
		case 10:
			build_block(&g.file, false, 0x80001234, "local", 5);
			build_epb(&g.file, false, 0, (SECOND + 86400) * 1000000, 99, 35, NULL);
			break;
		default:
			continue;
		}
		grow(&g);
	}
	grown_close(&g);
}

static void same_as_whole_pcap(void **state)
{
	const struct write_pcap_header header = {
		.nanosecond = true, .link_type = 1, .fcs_length = -1};
	struct grown g = {0};
	unsigned n;

	(void)state;
	write_pcap_header(&g.file, &header);
	grown_open(&g);
	for (n = 1; n <= 5; n++) {
		compare_all(&g);
		build_record(&g.file, &header, (int64_t)SECOND, n, 70 + 5 * n, n);
		grow(&g);
	}
	compare_all(&g);
	grown_close(&g);
}

/* ---- who comes after a growth sees it */

/* However shortly before the same was read. */
static void new_reader(void **state)
{
	struct view_entry before, after;
	struct grown g = {0};
	char want[32], bytes[32];
	unsigned n;

	(void)state;
	some(&g.file, 10);
	grown_open(&g);
	for (n = 10; n < 200; n++) {
		snprintf(want, sizeof(want), "%u\n", n);
		assert_int_equal(tree_find(g.view, "info/packets", &before, NULL), 0);
		assert_int_equal(view_read(g.view, before.st.st_ino, 0, bytes, sizeof(bytes)),
				 strlen(want));
		assert_memory_equal(bytes, want, strlen(want));
		some_packets(&g.file, n + 1, n + 1);
		grow(&g);
		snprintf(want, sizeof(want), "%u\n", n + 1);
		assert_int_equal(tree_find(g.view, "info/packets", &after, NULL), 0);
		assert_int_equal(view_read(g.view, after.st.st_ino, 0, bytes, sizeof(bytes)),
				 strlen(want));
		assert_memory_equal(bytes, want, strlen(want));
		assert_true(memcmp(&before.st.st_mtim, &after.st.st_mtim, sizeof(struct timespec)));
	}
	grown_close(&g);
}

/* A listing goes on where it was, with what has come at its end. */
static void listing_goes_on(void **state)
{
	static const char *const directories[] = {"packets", "interfaces",          "sections",
						  "blocks",  "by/range/5-/packets", "by/interface"};
	struct grown g = {0};
	unsigned i, n, at[ARRAY_SIZE(directories)];
	uint64_t next[ARRAY_SIZE(directories)];

	(void)state;
	some(&g.file, 50);
	grown_open(&g);
	for (n = 0; n < 3; n++) {
		for (i = 0; i < ARRAY_SIZE(directories); i++) {
			tree_list(g.view, directories[i], 0, false, 0, &listed);
			at[i] = listed.count;
			next[i] = listed.next[listed.count - 1];
		}
		build_idb(&g.file, false, 1, 6, 0, "more");
		some_packets(&g.file, 51 + n, 51 + n);
		build_shb(&g.file, false);
		build_idb(&g.file, false, 1, 9, 0, "eth9");
		grow(&g);
		for (i = 0; i < ARRAY_SIZE(directories) - 1; i++) {
			tree_list(g.view, directories[i], next[i], false, 0, &again);
			tree_list(g.view, directories[i], 0, false, 0, &listed);
			assert_true(listed.count > at[i]);
			assert_int_equal(again.count, listed.count - at[i]);
			assert_string_equal(again.name[0], listed.name[at[i]]);
		}
		/* names of interfaces are behind the numbers: none comes twice */
		tree_list(g.view, directories[i], next[i], false, 0, &again);
		assert_false(has_name(&again, "0"));
		assert_false(has_name(&again, "eth0"));
	}
	grown_close(&g);
}

/* The pages of a conversion that was read in part are those of its size. */
static void conversion(void **state)
{
	_cleanup_(text_free) struct text text = {0};
	struct view_entry entry;
	struct grown g = {0};
	char bytes[100];
	uint64_t size = 0;
	unsigned n;
	int64_t got;

	(void)state;
	some(&g.file, 300);
	grown_open(&g);
	for (n = 301; n < 330; n++) {
		assert_int_equal(find_wait(g.view, "capture.pcap", &entry, NULL), 0);
		assert_true((uint64_t)entry.st.st_size > size);
		size = (uint64_t)entry.st.st_size;
		do {
			got = view_read(g.view, entry.st.st_ino, size - 50, bytes, sizeof(bytes));
		} while (got == -EAGAIN);
		assert_int_equal(got, 50);
		some_packets(&g.file, n, n);
		grow(&g);
	}
	read_wait(g.view, "capture.pcap", &text);
	assert_true(text.size > size);
	compare_all(&g);
	grown_close(&g);
}

/* ---- several files */

/* The whole capture as one file, read by us: as many packets, the same bytes. */
static void check_conversion(struct view *view, const char *path, unsigned packets)
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_status status;
	struct pktfs_packet packet;
	struct pktfs_error error;
	pktfs_capture *capture;
	char name[32], bytes[200];
	unsigned n;

	read_wait(view, path, &text);
	if (pktfs_open_buffer(text.bytes, text.size, NULL, &capture, &error) < 0)
		fail_msg("%s: %s", path, error.text);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, 5000), 0);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	assert_int_equal(status.packets, packets);
	for (n = 1; n <= packets; n++) {
		struct view_entry entry;

		snprintf(name, sizeof(name), "packets/%u", n);
		assert_int_equal(tree_find(view, name, &entry, NULL), 0);
		assert_int_equal(view_read(view, entry.st.st_ino, 0, bytes, sizeof(bytes)),
				 entry.st.st_size);
		assert_int_equal(pktfs_packet_get(capture, n, &packet, &error), 0);
		assert_int_equal(packet.captured_length, entry.st.st_size);
		assert_memory_equal(packet.data, bytes, packet.captured_length);
		assert_int_equal(pktfs_packet_release(&packet), 0);
	}
	pktfs_close(capture);
}

static void write_file(char path[64], const struct text *text)
{
	int fd;

	strcpy(path, "/tmp/test_view_grow.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text->bytes, text->size), text->size);
	close(fd);
}

/* What -o append=FILE shows: a capture, and behind it a pcapng that grows. */
static void check_two(const struct text *first, unsigned before, const char *conversion_to)
{
	const struct pktfs_open_options options = {.flags = PKTFS_OPEN_GROWING};
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_error error;
	struct grown g = {0};
	const char *paths[2] = {NULL, g.path};
	char path[64];
	unsigned n;

	write_file(path, first);
	build_shb(&g.file, false);
	write_file(g.path, &g.file);
	g.fd = open(g.path, O_RDWR);
	g.written = g.file.size;
	paths[0] = path;
	assert_int_equal(pktfs_open_files(paths, 2, &options, &g.capture, &error), 0);
	assert_int_equal(pktfs_wait(g.capture, UINT64_MAX, 5000), 0);
	g.view = tree_view(g.capture);
	check_conversion(g.view, conversion_to, before);
	build_idb(&g.file, false, 1, 9, 0, "new");
	for (n = 1; n <= 20; n++) {
		some_packets(&g.file, 1000 + n, 1000 + n);
		put(&g, g.file.size);
		assert_int_equal(pktfs_grow(g.capture), 1);
		assert_int_equal(pktfs_wait_offset(g.capture, first->size + g.file.size, 5000), 0);
		check_conversion(g.view, "capture.pcapng", before + n);
		check_conversion(g.view, "capture.pcap", before + n);
		check_conversion(g.view, "by/range/1-/capture.pcapng", before + n);
	}
	expect_now(g.view, "interfaces/1/name", "new\n");
	expect_now(g.view, "sections/1/version", "1.0\n");
	read_wait(g.view, "packets.tsv", &text);
	assert_int_equal(text.size % (before + 21), 0);
	grown_close(&g);
	unlink(path);
}

static void files_pcapng(void **state)
{
	_cleanup_(text_free) struct text first = {0};

	(void)state;
	some(&first, 7);
	check_two(&first, 7, "capture.pcapng");
}

static void files_pcap(void **state)
{
	const struct write_pcap_header header = {
		.big_endian = true, .link_type = 1, .fcs_length = -1};
	_cleanup_(text_free) struct text first = {0};
	unsigned n;

	(void)state;
	write_pcap_header(&first, &header);
	for (n = 1; n <= 7; n++)
		build_record(&first, &header, (int64_t)SECOND + n, n, 60 + n, n);
	check_two(&first, 7, "capture.pcap");
}

/* A pipe that is still fed is not one of these: see test_view.c. */

struct load {
	struct grown *g;
	_Atomic bool done;
};

static void *read_on(void *context)
{
	struct load *load = context;
	struct view *view = load->g->view;
	struct view_entry entry;
	char bytes[2000];
	uint64_t packets, last = 0;

	while (!atomic_load(&load->done)) {
		if (find_wait(view, "info/packets", &entry, NULL) < 0 ||
		    view_read(view, entry.st.st_ino, 0, bytes, 20) < 2)
			return context;
		packets = strtoull(bytes, NULL, 10);
		if (packets < last)
			return context;
		last = packets;
		if (find_wait(view, "packets.tsv", &entry, NULL) < 0 ||
		    view_read(view, entry.st.st_ino, (uint64_t)entry.st.st_size - 10, bytes, 10) !=
			    10 ||
		    bytes[9] != '\n')
			return context;
		if (find_wait(view, "names/hosts", &entry, NULL) < 0 ||
		    view_read(view, entry.st.st_ino, 0, bytes, 2000) < 9)
			return context;
		if (find_wait(view, "by/filter/greater 100/capture.pcap", &entry, NULL) < 0)
			return context;
		view_read(view, entry.st.st_ino, 24, bytes, 2000);
	}
	return NULL;
}

static void readers(void **state)
{
	struct load load = {0};
	struct grown g = {0};
	pthread_t threads[4];
	unsigned i, n;
	void *failed;

	(void)state;
	some(&g.file, 100);
	name_block(&g.file, "first");
	grown_open(&g);
	load.g = &g;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &load), 0);
	for (n = 101; n <= 600; n++) {
		some_packets(&g.file, n, n);
		if (n % 10 == 0)
			name_block(&g.file, "again");
		grow(&g);
	}
	atomic_store(&load.done, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	compare_all(&g);
	grown_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(same_as_whole),
		cmocka_unit_test(same_as_whole_pcap),
		cmocka_unit_test(new_reader),
		cmocka_unit_test(listing_goes_on),
		cmocka_unit_test(conversion),
		cmocka_unit_test(files_pcapng),
		cmocka_unit_test(files_pcap),
		cmocka_unit_test(readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
