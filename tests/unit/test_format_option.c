/* SPDX-License-Identifier: BSD-2-Clause */
#include "format_builder.h"

static struct pktfs_options options_over(const struct build *b)
{
	return (struct pktfs_options){
		.bytes = b->bytes,
		.size = b->size,
		.big_endian = b->big_endian,
	};
}

static void in_order(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = {.big_endian = big_endian};
		struct pktfs_options options;
		struct pktfs_option option;

		build_option(&b, 1, "first", 5);
		build_option(&b, 0x8001, "", 0);
		build_option(&b, 1, "second", 6);
		build_u32(&b, 0);
		build_option(&b, 1, "behind the end", 14);
		options = options_over(&b);
		assert_int_equal(pktfs_option_next(&options, &option), 1);
		assert_int_equal(option.code, 1);
		assert_int_equal(option.length, 5);
		assert_memory_equal(option.value, "first", 5);
		assert_int_equal(pktfs_option_next(&options, &option), 1);
		assert_int_equal(option.code, 0x8001);
		assert_int_equal(option.length, 0);
		assert_int_equal(pktfs_option_next(&options, &option), 1);
		assert_memory_equal(option.value, "second", 6);
		assert_int_equal(pktfs_option_next(&options, &option), 0);
		assert_int_equal(pktfs_option_next(&options, &option), 0);
		assert_memory_equal(option.value, "second", 6);
	}
}

static void find(void **state)
{
	struct build b = {0};
	struct pktfs_option option;

	(void)state;
	build_option(&b, 1, "a", 1);
	build_option(&b, 2, "b", 1);
	build_option(&b, 1, "c", 1);
	assert_int_equal(pktfs_option_find(options_over(&b), 1, 0, &option), 1);
	assert_int_equal(*option.value, 'a');
	assert_int_equal(pktfs_option_find(options_over(&b), 1, 1, &option), 1);
	assert_int_equal(*option.value, 'c');
	assert_int_equal(pktfs_option_find(options_over(&b), 1, 2, &option), 0);
	assert_int_equal(pktfs_option_find(options_over(&b), 3, 0, &option), 0);
	assert_int_equal(*option.value, 'c');
}

static void numbers(void **state)
{
	(void)state;
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct build b = {.big_endian = big_endian};
		struct build v = {.big_endian = big_endian};
		struct pktfs_options options;
		struct pktfs_option option;

		build_u64(&v, 0x1122334455667788);
		build_option(&b, 8, v.bytes, 8);
		v.size = 0;
		build_u32(&v, 0x11223344);
		build_option(&b, 9, v.bytes, 4);
		v.size = 0;
		build_u16(&v, 0x1122);
		build_option(&b, 10, v.bytes, 2);
		options = options_over(&b);
		assert_int_equal(pktfs_option_find(options, 8, 0, &option), 1);
		assert_int_equal(pktfs_option_u64(&options, &option), 0x1122334455667788);
		assert_int_equal(pktfs_option_find(options, 9, 0, &option), 1);
		assert_int_equal(pktfs_option_u32(&options, &option), 0x11223344);
		assert_int_equal(pktfs_option_find(options, 10, 0, &option), 1);
		assert_int_equal(pktfs_option_u16(&options, &option), 0x1122);
	}
}

/* Cut at every length: whole options are there, a part of one is an error,
 * once; a value that is whole may lack its padding. */
static void every_cut(void **state)
{
	struct build b = {0};

	(void)state;
	build_option(&b, 1, "abcde", 5);
	build_option(&b, 1, "f", 1);
	assert_int_equal(b.size, 20);
	for (size_t cut = 0; cut <= b.size; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);
		struct pktfs_options options = {.bytes = copy, .size = cut};
		struct pktfs_option option;
		int whole = (cut >= 9) + (cut >= 17), r;
		bool clean = cut == 0 || (cut >= 9 && cut <= 12) || cut >= 17;

		memcpy(copy, b.bytes, cut);
		for (int i = 0; i < whole; i++)
			assert_int_equal(pktfs_option_next(&options, &option), 1);
		r = pktfs_option_next(&options, &option);
		assert_int_equal(r, clean ? 0 : -EBADMSG);
		assert_int_equal(pktfs_option_next(&options, &option), 0);
		free(copy);
	}
}

static void nothing(void **state)
{
	struct pktfs_options options = {0};
	struct pktfs_option option;

	(void)state;
	assert_int_equal(pktfs_option_next(&options, &option), 0);
	assert_int_equal(pktfs_option_find(options, 1, 0, &option), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),  cmocka_unit_test(find),    cmocka_unit_test(numbers),
		cmocka_unit_test(every_cut), cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
