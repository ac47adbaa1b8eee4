/* SPDX-License-Identifier: BSD-2-Clause */
/* A chain is made while its parts find out where they end: fuzz_chain met a part
 * that told a chain of which only some parts were set. */
#include "source_fixture.h"

#define PARTS  6
#define ROUNDS 3000

static void test_parts_that_end_meanwhile(void **state)
{
	struct source *parts[PARTS], *chain;
	struct text frame = {0};
	uint8_t *bytes = fixture_bytes(500, 1);
	bool final;

	(void)state;
	fixture_frame(&frame, bytes, 500, false, 0);
	frame.size -= 3; /* of no size that it claims, and cut: its thread finds the end */
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < PARTS; i++)
			parts[i] = fixture_open(&frame);
		assert_int_equal(source_chain_open(parts, PARTS, &chain), 0);
		assert_int_equal(source_wait(chain, UINT64_MAX), 0);
		source_available(chain, &final);
		assert_true(final);
		assert_int_equal(source_parts(chain), PARTS);
		source_close(chain);
	}
	text_free(&frame);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts_that_end_meanwhile)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
