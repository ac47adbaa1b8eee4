/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of checkpoints and epochs; seeks over mixed records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "index/index_internal.h"
#include "test_build.h"

static void epochs_follow_each_other(void **state)
{
	uint64_t epoch, record = 0;

	(void)state;
	for (epoch = 0; epoch < 40; epoch++) {
		assert_int_equal(index_epoch_record(epoch), record);
		assert_int_equal(index_checkpoint_record(epoch << INDEX_EPOCH_SHIFT), record);
		assert_int_equal(index_checkpoint_record((epoch << INDEX_EPOCH_SHIFT) + 5),
				 record + (UINT64_C(5) << index_epoch_shift(epoch)));
		record += INDEX_EPOCH << index_epoch_shift(epoch);
	}
	assert_int_equal(index_epoch_shift(0), INDEX_FIRST_SHIFT);
	assert_int_equal(index_epoch_shift(4000), INDEX_LAST_SHIFT);
}

static void a_billion_records_cost_128_mib(void **state)
{
	uint64_t checkpoint = 0;

	(void)state;
	while (index_checkpoint_record(checkpoint) < UINT64_C(1000000000))
		checkpoint += 1024;
	assert_true(checkpoint * sizeof(struct index_checkpoint) <= (UINT64_C(128) << 20));
	assert_int_equal(sizeof(struct index_checkpoint), 96);
}

/* Records with a metadata block at each multiple of `every` (0: none). */
static void build_mixed(struct text *text, unsigned count, unsigned every)
{
	unsigned i;

	build_shb(text, false);
	build_idb(text, false, 1, 6, 0, NULL);
	for (i = 0; i < count; i++) {
		if (every && i % every == 0)
			build_block(text, false, i % 2 ? 0x1234 : BLOCK_CB, "abcdefgh", 8);
		else
			build_epb(text, false, 0, i, i % 50, i, NULL);
	}
}

struct fixture {
	struct text text;
	struct source *source;
	struct index *index;
};

static void open_mixed(struct fixture *f, unsigned count, unsigned every)
{
	*f = (struct fixture){0};
	build_mixed(&f->text, count, every);
	assert_int_equal(f->text.failed, 0);
	assert_int_equal(source_open_buffer(f->text.bytes, f->text.size, NULL, &f->source, NULL),
			 0);
	assert_int_equal(index_open(f->source, &f->index, NULL), 0);
	assert_int_equal(index_start(f->index), 0);
	assert_int_equal(index_wait(f->index, UINT64_MAX - 1, NULL), 0);
}

static void close_mixed(struct fixture *f)
{
	index_close(f->index);
	source_close(f->source);
	text_free(&f->text);
}

/* Walks from the place that a seek gave to the wanted record. */
static void check_place(struct fixture *f, struct index_place place,
			const struct index_place *want)
{
	struct pktfs_loan loan = {0};
	struct format_record record;

	assert_true(place.record <= want->record);
	while (place.record < want->record)
		assert_int_equal(index_step(f->index, &place, &loan, &record), 0);
	assert_int_equal(place.packet, want->packet);
	assert_int_equal(place.metadata, want->metadata);
	assert_int_equal(place.frame, want->frame);
	assert_int_equal(place.offset, want->offset);
	assert_int_equal(place.section, want->section);
	assert_int_equal(place.walk.interfaces, want->walk.interfaces);
	source_return(&loan);
}

static void seeks_find_every_record(void **state)
{
	static const unsigned every[] = {0, 2, 3, 64, 65, 1000, 1};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(every); i++) {
		struct index_place place, found;
		struct pktfs_loan loan = {0};
		struct format_record record;
		struct fixture f;

		open_mixed(&f, 5000, every[i]);
		index_seek_record(f.index, 0, &place);
		for (;;) {
			index_seek_record(f.index, place.record, &found);
			check_place(&f, found, &place);
			index_seek_packet(f.index, place.packet, &found);
			if (found.record <= place.record)
				check_place(&f, found, &place);
			else /* only metadata blocks are between */
				assert_int_equal(found.packet, place.packet);
			index_seek_metadata(f.index, place.metadata, &found);
			assert_true(found.metadata <= place.metadata);
			if (index_step(f.index, &place, &loan, &record) < 0)
				break;
		}
		assert_int_equal(place.record, 5002);
		source_return(&loan);
		close_mixed(&f);
	}
}

static void totals_count_everything(void **state)
{
	struct index_totals totals;
	struct fixture f;

	(void)state;
	open_mixed(&f, 1000, 10);
	index_totals(f.index, &totals);
	assert_int_equal(totals.state, INDEX_COMPLETE);
	assert_int_equal(totals.records, 1002);
	assert_int_equal(totals.metadata, 102);
	assert_int_equal(totals.packets, 900);
	assert_int_equal(totals.frames, 1000); /* all of the 100 are custom blocks */
	assert_int_equal(totals.end, f.text.size);
	assert_int_equal(index_interface(f.index, 0)->packets, 900);
	assert_int_equal(index_link_type(f.index, 0)->packets, 900);
	close_mixed(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(epochs_follow_each_other),
		cmocka_unit_test(a_billion_records_cost_128_mib),
		cmocka_unit_test(seeks_find_every_record),
		cmocka_unit_test(totals_count_everything),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
