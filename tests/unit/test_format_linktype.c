/* SPDX-License-Identifier: BSD-2-Clause */
#include "format_builder.h"

static void known(void **state)
{
	static const struct {
		uint16_t number;
		const char *name;
	} cases[] = {
		{0, "NULL"},         {1, "ETHERNET"},
		{10, "FDDI"},        {50, "PPP_HDLC"},
		{101, "RAW"},        {105, "IEEE802_11"},
		{113, "LINUX_SLL"},  {127, "IEEE802_11_RADIOTAP"},
		{147, "USER0"},      {162, "USER15"},
		{192, "PPI"},        {207, "LAPB_WITH_DIR"},
		{209, "I2C_LINUX"},  {227, "CAN_SOCKETCAN"},
		{228, "IPV4"},       {229, "IPV6"},
		{239, "NFLOG"},      {253, "NETLINK"},
		{276, "LINUX_SLL2"}, {290, "ETW"},
		{301, "DECT_NR"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(pktfs_linktype_name(cases[i].number), cases[i].name);
		assert_int_equal(pktfs_linktype_by_name(cases[i].name), cases[i].number);
	}
}

/* Every name leads back to its number, with the prefix too; none has bytes
 * that would have to be escaped in a file name. */
static void both_ways(void **state)
{
	unsigned count = 0;

	(void)state;
	for (unsigned number = 0; number < 65536; number++) {
		const char *name = pktfs_linktype_name((uint16_t)number);
		char long_name[64];

		if (!name)
			continue;
		count++;
		assert_int_equal(pktfs_linktype_by_name(name), number);
		snprintf(long_name, sizeof(long_name), "LINKTYPE_%s", name);
		assert_int_equal(pktfs_linktype_by_name(long_name), number);
		assert_int_equal(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
				 strlen(name));
	}
	/* linktypes.csv: 218 lines, three of them for ranges not to be used */
	assert_int_equal(count, 215);
}

static void by_name(void **state)
{
	static const struct {
		const char *name;
		int number;
	} cases[] = {
		{"ethernet", 1},
		{"Ethernet", 1},
		{"linktype_ethernet", 1},
		{"LinkType_Linux_SLL", 113},
		{"1", 1},
		{"0", 0},
		{"11", 11},
		{"65535", 65535},
		{"LINKTYPE_147", 147},
		{"0113", 113},
		{"65536", -ENOENT},
		{"99999999999999999999", -ENOENT},
		{"-1", -ENOENT},
		{"", -ENOENT},
		{"LINKTYPE_", -ENOENT},
		{" 1", -ENOENT},
		{"1 ", -ENOENT},
		{"0x1", -ENOENT},
		{"ETHERNE", -ENOENT},
		{"ETHERNETS", -ENOENT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(pktfs_linktype_by_name(cases[i].name), cases[i].number);
	assert_null(pktfs_linktype_name(11));
	assert_null(pktfs_linktype_name(208));
	assert_null(pktfs_linktype_name(302));
	assert_null(pktfs_linktype_name(65535));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(both_ways),
		cmocka_unit_test(by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
