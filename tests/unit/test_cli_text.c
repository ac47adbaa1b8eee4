/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of options and of files on the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "cli/cli_mounts.h"
#include "cli/cli_text.h"
#include "util/util_base.h"

static void distance(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{"", "", 0},           {"", "abc", 3},        {"abc", "", 3},
		{"spool", "spool", 0}, {"spol", "spool", 1},  {"spoool", "spool", 1},
		{"sqool", "spool", 1}, {"psool", "spool", 1}, {"uid", "gid", 1},
		{"ab", "ba", 1},       {"abc", "ca", 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cli_distance(cases[i].a, strlen(cases[i].a), cases[i].b),
				 cases[i].distance);
}

static void distance_looks_at_length_only(void **state)
{
	static const char longer[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	(void)state;
	assert_int_equal(cli_distance("uid=1000", 3, "uid"), 0);
	assert_int_equal(cli_distance(longer, strlen(longer), longer), 0);
	assert_int_equal(cli_distance(longer, strlen(longer), "a"), 31);
}

static void stems(void **state)
{
	static const char *const cases[][2] = {
		{"a.pcap", "a"},
		{"a.pcapng", "a"},
		{"dir.pcap/a.pcapng.zst", "a"},
		{"/x/a.pcap.gz", "a"},
		{"a.PCAP.ZSTD", "a"},
		{"a.b.cap", "a.b"},
		{"a.ntar", "a"},
		{"a.trace", "a"},
		{"a.dmp", "a"},
		{"a.pcapnano.zst", "a"},
		{"a.gz", "a"},
		{"a.txt", "a.txt"},
		{"a", "a"},
		{"pcap", "pcap"},
		{".pcap", ".pcap"},
		{".pcap.gz", ".pcap"},
		{"a.pcap.pcap", "a.pcap"},
		{"a.gz.zst", "a.gz"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(text_free) struct text text = {0};

		cli_stem(&text, cases[i][0]);
		assert_string_equal(text.bytes, cases[i][1]);
	}
}

static void escapes(void **state)
{
	_cleanup_(text_free) struct text text = {0};

	(void)state;
	text_string(&text, "fsname=");
	cli_escape(&text, "/a b/c,d\\e=f.pcap");
	assert_string_equal(text.bytes, "fsname=/a b/c\\,d\\\\e=f.pcap");
}

static void lists_of_options(void **state)
{
	(void)state;
	assert_int_equal(cli_option_length(""), 0);
	assert_int_equal(cli_option_length(",ro"), 0);
	assert_int_equal(cli_option_length("ro"), 2);
	assert_int_equal(cli_option_length("ro,rw"), 2);
	assert_int_equal(cli_option_length("spool=/a\\,b,ro"), 11);
	assert_int_equal(cli_option_length("context=\"a,b\",ro"), 13);
	assert_int_equal(cli_option_length("a\\"), 2);
}

static const char table[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"36 22 0:45 / /mnt/a\\040b\\134c ro,nosuid shared:7 master:2 - fuse.pktfs /x.pcap ro\n"
	"37 22 0:46 / /mnt/two ro - fuse.pktfs /y.pcap ro\n"
	"38 37 0:47 / /mnt/two ro - ext4 /dev/loop0 ro\n"
	"nonsense\n"
	"39 22 x / /mnt/bad ro - fuse.pktfs /y.pcap ro\n"
	"40 22 0:48 / /mnt/last ro - fuse.pktfs2 /y.pcap ro\n";

static int find(const char *path, struct cli_mount *ret)
{
	FILE *file = fmemopen((void *)(uintptr_t)table, strlen(table), "r");
	int r;

	assert_non_null(file);
	r = cli_mounts_find_in(file, path, ret);
	fclose(file);
	return r;
}

static void mount_table(void **state)
{
	struct cli_mount mount = {0};

	(void)state;
	assert_int_equal(find("/mnt/a b\\c", &mount), 1);
	assert_true(mount.pktfs);
	assert_int_equal(mount.device, 45);
	assert_int_equal(find("/mnt/two", &mount), 1); /* the upper one */
	assert_false(mount.pktfs);
	assert_int_equal(mount.device, 47);
	assert_int_equal(find("/mnt/last", &mount), 1);
	assert_false(mount.pktfs);
	assert_int_equal(find("/mnt", &mount), 0);
	assert_int_equal(find("/mnt/bad", &mount), 0);
	assert_int_equal(find("", &mount), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance),
		cmocka_unit_test(distance_looks_at_length_only),
		cmocka_unit_test(stems),
		cmocka_unit_test(escapes),
		cmocka_unit_test(lists_of_options),
		cmocka_unit_test(mount_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
