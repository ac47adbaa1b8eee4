/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks that are taken back are not done; all others are, in order by one thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "source/source_pool.h"

#define ROUNDS 100u
#define TASKS  (SOURCE_POOL_TASKS - 1) /* beside the one that holds up the thread */

struct ground {
	struct source_pool pool;
	pthread_mutex_t lock; /* held: the thread is held up */
	pthread_mutex_t done_lock;
	pthread_cond_t done_changed;
	uint64_t done[TASKS + 1], count; /* under done_lock */
};

static void run(void *context, uint64_t number)
{
	struct ground *ground = context;

	if (number == UINT64_MAX) {
		pthread_mutex_lock(&ground->lock);
		pthread_mutex_unlock(&ground->lock);
	}
	UTIL_LOCK_SCOPE(&ground->done_lock);
	ground->done[ground->count++] = number;
	pthread_cond_signal(&ground->done_changed);
}

static struct source_task task_of(struct ground *ground, uint64_t number)
{
	return (struct source_task){.run = run, .context = ground, .number = number};
}

/* Adds `count` tasks and takes back each `nth`; all of it while the thread is held up. */
static void check(struct ground *ground, unsigned count, unsigned nth)
{
	struct source_task task = task_of(ground, UINT64_MAX);
	uint64_t expected = 1;
	unsigned i;

	ground->count = 0;
	pthread_mutex_lock(&ground->lock);
	assert_true(source_pool_add(&ground->pool, &task));
	for (i = 0; i < count; i++) {
		task = task_of(ground, i);
		assert_true(source_pool_add(&ground->pool, &task));
	}
	for (i = 0; i < count; i += nth) {
		task = task_of(ground, i);
		source_pool_remove(&ground->pool, &task);
		source_pool_remove(&ground->pool, &task); /* it is not there */
	}
	pthread_mutex_unlock(&ground->lock);
	expected += count - (count + nth - 1) / nth;
	pthread_mutex_lock(&ground->done_lock);
	while (ground->count < expected)
		pthread_cond_wait(&ground->done_changed, &ground->done_lock);
	assert_int_equal(ground->count, expected);
	assert_int_equal(ground->done[0], UINT64_MAX);
	for (i = 1; i < expected; i++) {
		assert_true(ground->done[i] % nth != 0);
		assert_true(i == 1 || ground->done[i] > ground->done[i - 1]);
	}
	pthread_mutex_unlock(&ground->done_lock);
}

static void taken_back(void **state)
{
	struct ground ground = {.lock = PTHREAD_MUTEX_INITIALIZER,
				.done_lock = PTHREAD_MUTEX_INITIALIZER,
				.done_changed = PTHREAD_COND_INITIALIZER};

	(void)state;
	source_pool_init(&ground.pool, 1);
	for (unsigned i = 0; i < ROUNDS; i++)
		check(&ground, 1 + i % TASKS, 2 + i % 5);
	source_pool_fini(&ground.pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(taken_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
