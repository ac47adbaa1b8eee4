/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual capture files: each case builds a capture and, packet by packet, the
 * file that its conversion must be; then that file is read whole and in random
 * pieces, by one thread and by many.
 */
#include "set/set.h"
#include "set/set_export.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pktfs/version.h"
#include "test_build.h"

/* The largest read, and how many random ones each case gets. */
#define READ_MOST    70000
#define READS        300
#define READERS      4
#define RETRIES_MOST 20000

static const char application[] = "pktfs " PKTFS_VERSION;
static const struct pktfs_options no_options = {0};

static int make_file(const struct text *text)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_int_equal(text->failed, 0);
	assert_int_equal(write(fd, text->bytes, text->size), text->size);
	return fd;
}

/* From a file, so that there is a file's time, which must not be taken for
 * that of a packet without. */
static pktfs_capture *open_complete(const struct text *text)
{
	_cleanup_close_ int fd = make_file(text);
	struct pktfs_error error;
	pktfs_capture *capture;

	if (pktfs_open_fd(fd, NULL, &capture, &error) < 0)
		fail_msg("open: %s", error.text);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	return capture;
}

/* Reads, waiting for the sums as a caller would. */
static int64_t read_patiently(struct export *export, uint64_t offset, void *bytes, size_t size)
{
	unsigned i;
	int64_t r;

	for (i = 0; i < RETRIES_MOST; i++) {
		r = export_read(export, offset, bytes, size);
		if (r != -EAGAIN)
			return r;
		usleep(500);
	}
	return -ETIMEDOUT;
}

struct reader {
	struct export *export;
	const struct text *wanted;
	uint64_t random;
	uint64_t wrong; /* reads */
	pthread_t thread;
};

static uint64_t next_random(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *random >> 33;
}

static void *read_at_random(void *context)
{
	struct reader *reader = context;
	_cleanup_free_ uint8_t *bytes = malloc(READ_MOST);
	const struct text *wanted = reader->wanted;
	uint64_t offset, size, present;
	int64_t r;
	int i;

	for (i = 0; i < READS; i++) {
		offset = next_random(&reader->random) % (wanted->size + 3);
		size = next_random(&reader->random) % (i % 3 ? 200 : READ_MOST);
		present = offset < wanted->size ? MIN(size, wanted->size - offset) : 0;
		r = read_patiently(reader->export, offset, bytes, size);
		if (r != (int64_t)present || memcmp(bytes, wanted->bytes + offset, present))
			reader->wrong++;
	}
	return NULL;
}

static void check_sequential(struct export *export, const struct text *wanted, size_t step)
{
	_cleanup_free_ uint8_t *bytes = malloc(step);
	uint64_t offset = 0;
	int64_t r;

	while ((r = read_patiently(export, offset, bytes, step)) > 0) {
		assert_true(offset + (uint64_t)r <= wanted->size);
		assert_memory_equal(bytes, wanted->bytes + offset, (size_t)r);
		assert_true(r == (int64_t)step || offset + (uint64_t)r == wanted->size);
		offset += (uint64_t)r;
	}
	assert_int_equal(r, 0);
	assert_int_equal(offset, wanted->size);
}

/* The set of all packets, of the one pool that a test has open. */
static struct set_pool *pool;

static struct set *all_of(pktfs_capture *capture)
{
	assert_int_equal(set_pool_open(capture, 2, 0, &pool), 0);
	return set_all(pool);
}

static void close_all(pktfs_capture *capture)
{
	pktfs_cancel(capture);
	set_pool_close(pool);
	pktfs_close(capture);
}

/* The whole life of an export of `from`, which must read as `wanted`. */
static void check_export(const struct text *from, enum export_format format, unsigned link,
			 const struct text *wanted)
{
	pktfs_capture *capture = open_complete(from);
	struct set *set = all_of(capture);
	struct reader readers[READERS];
	struct pktfs_error error = {0};
	struct export *export;
	uint64_t size;
	int i;

	assert_int_equal(wanted->failed, 0);
	if (set_export_size(set, format, link, &size, &error) < 0)
		fail_msg("size: %s", error.text);
	assert_int_equal(size, wanted->size);
	assert_int_equal(set_export_open(set, format, link, &export, &error), 0);
	for (i = 0; i < READERS; i++) {
		readers[i] = (struct reader){export, wanted, (uint64_t)i + 1, 0, 0};
		pthread_create(&readers[i].thread, NULL, read_at_random, &readers[i]);
	}
	for (i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].wrong, 0);
	}
	check_sequential(export, wanted, 131072);
	if (wanted->size < 10000)
		check_sequential(export, wanted, 1);
	export_close(export);
	/* a sequential reader from the start, and one that stops early */
	assert_int_equal(set_export_open(set, format, link, &export, &error), 0);
	check_sequential(export, wanted, 4001);
	export_close(export);
	assert_int_equal(set_export_open(set, format, link, &export, &error), 0);
	export_read(export, wanted->size - 1, &size, 1);
	export_close(export);
	close_all(capture);
}

static uint32_t length_of(uint64_t number, uint32_t most)
{
	uint64_t random = number * 0x9e3779b97f4a7c15;

	return (uint32_t)(random >> 40) % (most + 1);
}

struct pcap_case {
	struct write_pcap_header header;
	uint64_t packets;
	uint32_t most; /* captured bytes of a packet */
};

/* A pcap file, and what it is as pcapng. */
static void build_pcap_case(const struct pcap_case *test, struct text *from, struct text *wanted)
{
	const struct write_pcap_header *header = &test->header;
	struct write_interface idb = {
		.link_type = header->link_type,
		.snaplen = header->snaplen,
		.resolution = header->nanosecond ? 9 : 6,
		.fcs_length = header->fcs_length,
	};
	uint64_t unit = header->nanosecond ? 1000000000 : 1000000, n;

	write_pcap_header(from, header);
	write_shb(wanted, false, no_options, application);
	write_idb(wanted, false, &idb);
	for (n = 1; n <= test->packets; n++) {
		uint32_t sec = n == 1 ? UINT32_MAX : (uint32_t)n,
			 nsec = length_of(n, 999999) * 1000;
		uint32_t captured = length_of(n, test->most);
		/* lower than captured now and then: as odd files have it */
		uint32_t original = n % 9 ? captured + (uint32_t)n % 3 : captured / 2;
		struct write_packet epb = {
			.ticks = sec * unit + (header->nanosecond ? nsec : nsec / 1000),
			.captured = captured,
			.original = original,
			.drops = UINT32_MAX,
		};
		size_t at = wanted->size + 28;

		write_pcap_record(from, header, (struct pktfs_time){sec, nsec}, captured, original);
		build_data(from, n, captured);
		write_epb(wanted, false, &epb);
		memcpy(wanted->bytes + at, from->bytes + from->size - captured, captured);
	}
}

static void test_pcap_to_pcapng(void **state)
{
	static const struct pcap_case cases[] = {
		{{false, false, 65535, 1, -1}, 0, 0},
		{{false, false, 65535, 1, -1}, 1, 0},
		{{false, true, 0, 1, 4}, 1, 61},
		{{true, false, 262144, 101, 0}, 63, 90},
		{{true, true, 262144, 1, -1}, 64, 90},
		{{false, true, 262144, 1, -1}, 65, 90},
		{{false, false, 100, 1, -1}, 128, 100},
		{{false, true, 262144, 1, -1}, 5000, 300},
		{{false, false, 262144, 276, -1}, 700, 0},
		/* long enough for the sums to be needed */
		{{false, true, 262144, 1, -1}, 40000, 600},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(text_free) struct text from = {0}, wanted = {0};

		build_pcap_case(&cases[i], &from, &wanted);
		check_export(&from, EXPORT_PCAPNG, 0, &wanted);
	}
}

static void test_modified_pcap_to_pcapng(void **state)
{
	static const uint8_t magic[4] = {0x34, 0xcd, 0xb2, 0xa1};
	struct write_pcap_header header = {false, false, 65535, 1, -1};
	struct write_interface idb = {1, 65535, 6, -1, {0}};
	struct write_packet epb = {.ticks = 7000009,
				   .captured = 5,
				   .original = 5,
				   .data = (const uint8_t *)"hello",
				   .drops = UINT32_MAX};
	_cleanup_(text_free) struct text from = {0}, wanted = {0};
	int i;

	(void)state;
	write_pcap_header(&from, &header);
	memcpy(from.bytes, magic, 4);
	write_shb(&wanted, false, no_options, application);
	write_idb(&wanted, false, &idb);
	for (i = 0; i < 100; i++) {
		write_pcap_record(&from, &header, (struct pktfs_time){7, 9000}, 5, 5);
		text_string(&from, "ifixprt0hello"); /* index, protocol, type, pad; data */
		write_epb(&wanted, false, &epb);
	}
	check_export(&from, EXPORT_PCAPNG, 0, &wanted);
}

/* Two sections of different byte order, three interfaces of two link types of
 * which the second is rare and comes in bursts. */
struct ng_case {
	uint64_t packets;
	uint32_t most;
	uint64_t rare; /* one in so many packets begins a burst */
};

static void build_ng_section(struct text *from, bool big_endian)
{
	build_shb(from, big_endian);
	build_idb(from, big_endian, 1, 6, 100, "eth0");
	build_idb(from, big_endian, 101, 6, 300000, "tun0");
	build_idb(from, big_endian, 1, 9, 0, NULL);
}

static void build_ng_case(const struct ng_case *test, struct text *from, struct text wanted[2])
{
	struct write_pcap_header headers[2] = {
		{false, true, 262144, 1, -1}, /* fine: interface 2 has nanoseconds */
		{false, false, 300000, 101, -1},
	};
	bool big_endian = true;
	uint64_t n;
	int link;

	for (link = 0; link < 2; link++)
		write_pcap_header(&wanted[link], &headers[link]);
	build_ng_section(from, big_endian);
	for (n = 1; n <= test->packets; n++) {
		uint32_t interface = (n - 1) % test->rare < 3 ? 1 : n % 2 ? 2 : 0;
		uint32_t captured = length_of(n, test->most);
		uint64_t ticks = interface == 2 ? 1234567890 + n : 1234567 + n;
		struct pktfs_time time = {1, interface == 2 ? (uint32_t)(234567890 + n)
							    : (uint32_t)(234567 + n) * 1000};

		if (n == test->packets / 2)
			build_ng_section(from, big_endian = false);
		if (n % 100 == 0)
			build_isb(from, big_endian, 0, n);
		build_epb(from, big_endian, interface, ticks, captured, n, n % 7 ? NULL : "note");
		link = interface == 1;
		write_pcap_record(&wanted[link], &headers[link], time, captured, captured + 10);
		build_data(&wanted[link], n, captured);
	}
}

static void test_pcapng_to_pcap(void **state)
{
	static const struct ng_case cases[] = {
		{2, 60, 2},          {100, 60, 10},       {3000, 200, 500}, {30000, 500, 29000},
		{60000, 100, 20000}, {60000, 100, 25600}, /* bursts begin where spans do */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(text_free) struct text from = {0}, ether = {0}, raw = {0};
		struct text wanted[2] = {{0}, {0}};
		unsigned link;

		build_ng_case(&cases[i], &from, wanted);
		ether = wanted[0];
		raw = wanted[1];
		link = 0; /* those without packets are not counted */
		if (ether.size > WRITE_PCAP_HEADER_SIZE)
			check_export(&from, EXPORT_PCAP, link++, &ether);
		if (raw.size > WRITE_PCAP_HEADER_SIZE)
			check_export(&from, EXPORT_PCAP, link++, &raw);
		assert_true(link > 0);
	}
}

/* Simple packets have no time: 0 in the file. */
static void test_simple_packets(void **state)
{
	struct write_pcap_header header = {false, false, 262144, 1, -1};
	struct write_packet spb = {.captured = 50, .original = 90};
	_cleanup_(text_free) struct text from = {0}, wanted = {0};
	int i;

	(void)state;
	build_shb(&from, true);
	build_idb(&from, true, 1, 6, 50, NULL);
	write_pcap_header(&wanted, &header);
	for (i = 0; i < 200; i++) {
		write_spb(&from, true, &spb);
		write_pcap_record(&wanted, &header, (struct pktfs_time){0, 0}, 50, 90);
		text_zeros(&wanted, 50);
	}
	check_export(&from, EXPORT_PCAP, 0, &wanted);
}

static void check_size(const struct text *from, enum export_format format, unsigned link,
		       int wanted)
{
	pktfs_capture *capture = open_complete(from);
	struct set *set = all_of(capture);
	struct pktfs_error error = {0};
	struct export *export;
	uint64_t size;

	assert_int_equal(set_export_size(set, format, link, &size, &error), wanted);
	assert_int_equal(error.code, wanted);
	if (wanted < 0) {
		assert_true(strlen(error.text) > 10);
		assert_int_equal(set_export_open(set, format, link, &export, &error), wanted);
	}
	close_all(capture);
}

static void test_refused(void **state)
{
	/* if_tsoffset would do as well; a resolution of one second is shorter */
	static const struct {
		uint64_t seconds;
		int wanted;
	} cases[] = {
		{0, 0},
		{UINT32_MAX, 0},
		{(uint64_t)UINT32_MAX + 1, -ERANGE},
		{INT64_MAX, -ERANGE},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(text_free) struct text from = {0};

		build_shb(&from, false);
		build_idb(&from, false, 1, 0, 0, NULL);
		build_idb(&from, false, 101, 0, 0, NULL);
		build_epb(&from, false, 0, cases[i].seconds, 10, 1, NULL);
		build_epb(&from, false, 1, 5, 10, 1, NULL);
		check_size(&from, EXPORT_PCAP, 0, cases[i].wanted);
		check_size(&from, EXPORT_PCAP, 1, 0); /* the others can be had */
		check_size(&from, EXPORT_PCAP, 2, -ENOENT);
		check_size(&from, EXPORT_PCAPNG, 0, -ENOTSUP);
	}
}

static void test_before_1970(void **state)
{
	_cleanup_(text_free) struct text from = {0};
	int64_t offset = htole64((uint64_t)-2);
	size_t at;

	(void)state;
	build_shb(&from, false);
	at = write_block_begin(&from, BLOCK_IDB, false);
	text_u32(&from, 1, false);
	text_u32(&from, 0, false);
	write_option(&from, 14, &offset, 8, false);
	write_options_end(&from, false);
	write_block_end(&from, at, false);
	build_epb(&from, false, 0, 2000000, 10, 1, NULL);
	check_size(&from, EXPORT_PCAP, 0, 0);
	build_epb(&from, false, 0, 1999999, 10, 1, NULL);
	check_size(&from, EXPORT_PCAP, 0, -ERANGE);
}

/* A cut capture: what is before the cut. */
static void test_truncated(void **state)
{
	struct pcap_case test = {{false, true, 262144, 1, -1}, 100, 90};
	_cleanup_(text_free) struct text from = {0}, wanted = {0};
	struct write_packet last = {.captured = 77, .original = 77, .drops = UINT32_MAX};

	(void)state;
	build_pcap_case(&test, &from, &wanted);
	write_pcap_record(&from, &test.header, (struct pktfs_time){1, 1}, last.captured, 77);
	text_zeros(&from, 76);
	check_export(&from, EXPORT_PCAPNG, 0, &wanted);
}

/* A file that is cut under the reader: -EIO for what is gone, never invented
 * bytes, and what is still there can be read. */
static void test_cut_while_open(void **state)
{
	struct pcap_case test = {{false, true, 262144, 1, -1}, 40000, 600};
	_cleanup_(text_free) struct text from = {0}, wanted = {0};
	struct pktfs_error error = {0};
	static uint8_t bytes[50000];
	pktfs_capture *capture;
	struct export *export;
	uint64_t offset;
	int64_t r;
	int fd;

	(void)state;
	build_pcap_case(&test, &from, &wanted);
	fd = make_file(&from);
	assert_int_equal(pktfs_open_fd(fd, NULL, &capture, &error), 0);
	assert_int_equal(pktfs_wait(capture, UINT64_MAX, -1), 0);
	assert_int_equal(set_export_open(all_of(capture), EXPORT_PCAPNG, 0, &export, &error), 0);
	assert_int_equal(ftruncate(fd, (off_t)from.size / 2), 0);
	for (offset = 0; offset < wanted.size; offset += sizeof(bytes)) {
		r = read_patiently(export, offset, bytes, sizeof(bytes));
		if (r < 0)
			assert_int_equal(r, -EIO);
		else
			assert_memory_equal(bytes, wanted.bytes + offset, (size_t)r);
		/* the capture's half is somewhere near the conversion's half */
		assert_true(r < 0 ? offset > wanted.size / 3 : offset < wanted.size / 3 * 2);
	}
	assert_int_equal(read_patiently(export, wanted.size - 1, bytes, 1), -EIO);
	export_close(export);
	close_all(capture);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_to_pcapng),
		cmocka_unit_test(test_modified_pcap_to_pcapng),
		cmocka_unit_test(test_pcapng_to_pcap),
		cmocka_unit_test(test_simple_packets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_before_1970),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_cut_while_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
