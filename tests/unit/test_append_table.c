/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of files: names, numbers, listings, what is forgotten. */
#include "test_append.h"

static const struct append_place second = {.kind = APPEND_INTERFACE, .interface = 1};

static struct append_file *add(struct append_table *table, const struct append_place *place,
			       unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "file-%u", number);
	return append_table_add(table, place, name);
}

static struct append_file *find(struct append_table *table, const struct append_place *place,
				unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "file-%u", number);
	return append_table_by_name(table, place, name);
}

static void names_and_numbers(void **state)
{
	struct append_table table;
	struct append_file *file;

	(void)state;
	assert_int_equal(append_table_init(&table, 10, 10), 0);
	assert_null(append_table_by_name(&table, &first, "p"));
	assert_null(append_table_by_id(&table, 0));
	assert_null(append_table_by_id(&table, 1));
	file = append_table_add(&table, &first, "p");
	assert_int_equal(file->id, 1);
	assert_ptr_equal(append_table_by_id(&table, 1), file);
	assert_ptr_equal(append_table_by_name(&table, &first, "p"), file);
	assert_null(append_table_by_name(&table, &second, "p"));
	assert_null(append_table_by_name(&table, &only, "p"));
	assert_null(append_table_by_name(&table, &blocks, "p"));
	append_table_unname(&table, file);
	assert_null(append_table_by_name(&table, &first, "p"));
	assert_ptr_equal(append_table_by_id(&table, 1), file);
	append_table_settle(&table, file);
	assert_null(append_table_by_id(&table, 1));
	/* the number is never used again */
	assert_int_equal(append_table_add(&table, &first, "p")->id, 2);
	append_table_free(&table);
}

/* Many, of which only each 1,000th stays: pages of numbers come and go. */
static void many(void **state)
{
	struct append_table table;
	struct append_file *file;
	unsigned i;

	(void)state;
	assert_int_equal(append_table_init(&table, 1000000, 10), 0);
	for (i = 1; i <= 100000; i++) {
		file = add(&table, i % 2 ? &first : &second, i);
		assert_int_equal(file->id, i);
		if (i > 100 && (i - 100) % 1000) {
			file = append_table_by_id(&table, i - 100);
			append_table_unname(&table, file);
			append_table_settle(&table, file);
		}
	}
	for (i = 1; i <= 100000; i++) {
		file = append_table_by_id(&table, i);
		assert_int_equal(file != NULL, i % 1000 == 0 || i > 100000 - 100);
		assert_ptr_equal(find(&table, i % 2 ? &first : &second, i), file);
	}
	assert_int_equal(append_table_after(&table, &second, 0)->id, 1000);
	assert_int_equal(append_table_after(&table, &second, 1000)->id, 2000);
	assert_int_equal(append_table_after(&table, &second, 1001)->id, 2000); /* gone */
	assert_int_equal(append_table_after(&table, &first, 1)->id, 99901);
	assert_int_equal(append_table_next(&table, 98999)->id, 99000);
	assert_null(append_table_after(&table, &first, 99999));
	assert_null(append_table_next(&table, 100000));
	assert_null(append_table_next(&table, UINT64_MAX));
	assert_true(table.page_count < 2000);
	append_table_free(&table);
}

/* All are removed while others come: the table of pages does not grow. */
static void pages_are_dropped(void **state)
{
	struct append_table table;
	struct append_file *file;
	unsigned i;

	(void)state;
	assert_int_equal(append_table_init(&table, 10, 10), 0);
	for (i = 1; i <= 50000; i++) {
		file = add(&table, &first, i);
		append_table_unname(&table, file);
		append_table_settle(&table, file);
	}
	assert_true(table.page_room <= 64);
	assert_int_equal(add(&table, &first, 1)->id, 50001);
	append_table_free(&table);
}

static void renamed(void **state)
{
	struct append_table table;
	struct append_file *a, *b, *c;

	(void)state;
	assert_int_equal(append_table_init(&table, 10, 10), 0);
	a = append_table_add(&table, &first, "a");
	b = append_table_add(&table, &second, "b");
	c = append_table_add(&table, &first, "c");
	append_table_commit(&table, a);
	append_table_commit(&table, b);
	append_table_commit(&table, c);
	/* between two others by number, in a place of other numbers */
	b = append_table_rename(&table, b, &first, "a much longer name than before");
	assert_int_equal(b->id, 2);
	assert_null(append_table_by_name(&table, &second, "b"));
	assert_ptr_equal(append_table_by_name(&table, &first, b->name), b);
	assert_ptr_equal(append_table_after(&table, &first, 0), a);
	assert_ptr_equal(append_table_after(&table, &first, 1), b);
	assert_ptr_equal(append_table_after(&table, &first, 2), c);
	assert_null(append_table_after(&table, &second, 0));
	/* the oldest record, and the first in the list */
	a = append_table_rename(&table, a, &second, "z");
	assert_ptr_equal(table.oldest, a);
	assert_ptr_equal(table.oldest_listed, a);
	assert_ptr_equal(a->newer, b);
	c = append_table_rename(&table, c, &first, "");
	assert_ptr_equal(table.newest, c);
	assert_ptr_equal(b->newer, c);
	assert_int_equal(table.committed_names, 3);
	append_table_free(&table);
}

/* Names above the limit go, the oldest first; records stay in the list. */
static void forgotten(void **state)
{
	struct append_table table;
	unsigned i;

	(void)state;
	assert_int_equal(append_table_init(&table, 5, 3), 0);
	add(&table, &first, 0); /* is not committed, and stays */
	for (i = 1; i <= 20; i++)
		append_table_commit(&table, add(&table, &first, i));
	for (i = 0; i <= 20; i++)
		assert_int_equal(find(&table, &first, i) != NULL, i == 0 || i > 15);
	assert_int_equal(table.committed_names, 5);
	assert_int_equal(table.listed, 3);
	assert_int_equal(table.oldest_listed->id, 19);
	/* removed by name: still a record, until newer ones come */
	append_table_unname(&table, find(&table, &first, 19));
	assert_non_null(append_table_by_id(&table, 20));
	for (; i <= 23; i++)
		append_table_commit(&table, add(&table, &first, i));
	assert_null(append_table_by_id(&table, 20));
	append_table_free(&table);
}

/* More are listed than may have names. */
static void forgotten_but_listed(void **state)
{
	struct append_table table;
	struct append_file *file;
	unsigned i;

	(void)state;
	assert_int_equal(append_table_init(&table, 2, 6), 0);
	for (i = 1; i <= 9; i++)
		append_table_commit(&table, add(&table, &first, i));
	assert_int_equal(table.committed_names, 2);
	file = table.oldest_listed;
	for (i = 4; i <= 9; i++, file = file->newer)
		assert_int_equal(file->id, i);
	assert_null(file);
	append_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers), cmocka_unit_test(many),
		cmocka_unit_test(pages_are_dropped), cmocka_unit_test(renamed),
		cmocka_unit_test(forgotten),	     cmocka_unit_test(forgotten_but_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
