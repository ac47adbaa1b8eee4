/* SPDX-License-Identifier: BSD-2-Clause */
#include "index_scout.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

const struct index_scout_plan index_scout_plan = {
	.threads = 2,
	.patience = 8192,
	.least = (uint64_t)8 << 20,
	.many = (uint64_t)32 << 20,
	.tail = (uint64_t)1 << 20,
	.active_tail = (uint64_t)32 << 20,
	.stretch_min = (size_t)16 << 10,
	.stretch_max = (size_t)1 << 20,
};

struct index_scouts {
	struct index_scout_plan plan;

	/* the same for all windows that are in work */
	struct pktfs_loan loan;
	struct format_walk walk;
	uint64_t origin; /* a record begins here */
	uint64_t end;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct scout_window windows[INDEX_SCOUT_WINDOWS];
	/* under the lock; window n is windows[n % INDEX_SCOUT_WINDOWS]:
	 * returned <= taken <= fetched <= queued <= returned + INDEX_SCOUT_WINDOWS */
	uint64_t queued, fetched, taken, returned;
	bool stop;
	bool fetching; /* somebody does, one window behind the other */
	bool cold;     /* the last one had to be read */

	/* of all windows: a map of its own, so that nothing of it is left behind */
	struct format_note *notes;
	uint64_t from; /* the index thread's: where the next window begins */
	bool helped;   /* there is a thread */
	pthread_t thread;
};

/* ---- a window, by any thread */

/* The bytes from `offset` on. */
static struct cursor ahead(const struct scout_ground *ground, uint64_t offset)
{
	size_t at = (size_t)(offset - ground->offset);

	return cursor_over(ground->bytes + at, ground->size - at, ground->walk->big_endian);
}

/* Where scouts of the window begin; how many there are. */
static unsigned place(const struct scout_ground *ground, const struct scout_window *window,
		      struct format_scan *scans, unsigned most, uint32_t room)
{
	uint64_t at = window->from;
	unsigned count = 0;
	size_t found;
	bool right;

	for (; at < window->to && count < most; at += MAX(window->stretch, found)) {
		struct cursor bytes = ahead(ground, at);

		found = 0;
		right = (window->known && at == window->from) ||
			format_guess(ground->walk, bytes, at - ground->origin, window->seconds,
				     &found);
		if (!right)
			continue;
		scans[count] = (struct format_scan){
			.at = bytes.bytes + found,
			.limit = bytes.bytes + (window->to - at),
			.notes = window->notes + (size_t)count * room,
			.room = room,
		};
		if (count) /* it may be the same place: then that one has nothing to do */
			scans[count - 1].limit = scans[count].at;
		count++;
	}
	return count;
}

void scout_run(const struct scout_ground *ground, struct scout_window *window, unsigned most,
	       uint32_t room)
{
	struct format_scan scans[INDEX_SCOUTS];
	unsigned i;

	window->count = place(ground, window, scans, most, room);
	for (i = 0; i < window->count; i++)
		window->scouts[i] = (struct scout){
			.start = ground->offset + (uint64_t)(scans[i].at - ground->bytes),
			.notes = scans[i].notes,
		};
	/* the last byte is left out: so no record is noted that ends where the bytes
	 * do, and how it ends is left to the walk */
	format_scan(ground->walk, scans, window->count, ground->bytes + ground->size - 1);
	for (i = 0; i < window->count; i++)
		window->scouts[i].count = scans[i].count;
}

static void run(const struct index_scouts *scouts, struct scout_window *window)
{
	const struct pktfs_loan *loan = &scouts->loan;
	const struct scout_ground ground = {
		.walk = &scouts->walk,
		.origin = scouts->origin,
		.offset = loan->offset,
		.bytes = loan->bytes,
		.size = loan->size,
	};

	source_prepare(loan, (size_t)(window->from - loan->offset),
		       (size_t)(window->to - window->from));
	scout_run(&ground, window, INDEX_SCOUTS, INDEX_SCOUT_RECORDS);
}

static struct scout_window *window_at(struct index_scouts *scouts, uint64_t number)
{
	return &scouts->windows[number % INDEX_SCOUT_WINDOWS];
}

/* Has the next window read, if the file has to be. The lock is held, but not
 * meanwhile. */
static void fetch(struct index_scouts *scouts)
{
	const struct scout_window *window = window_at(scouts, scouts->fetched);
	const struct pktfs_loan *loan = &scouts->loan;
	bool cold;

	scouts->fetching = true;
	pthread_mutex_unlock(&scouts->lock);
	cold = source_fetch(loan, (size_t)(window->from - loan->offset),
			    (size_t)(window->to - window->from));
	pthread_mutex_lock(&scouts->lock);
	scouts->cold = cold;
	scouts->fetched++;
	scouts->fetching = false;
	pthread_cond_broadcast(&scouts->changed);
}

/* The same: scouts go over the next one that is fetched. */
static void scout(struct index_scouts *scouts)
{
	struct scout_window *window = window_at(scouts, scouts->taken++);

	pthread_mutex_unlock(&scouts->lock);
	run(scouts, window);
	pthread_mutex_lock(&scouts->lock);
	window->done = true;
	pthread_cond_broadcast(&scouts->changed);
}

/*
 * Does something, if there is something to be done. A file that has to be read is read
 * without a pause by one thread, the second if there is one, and the other one goes
 * over what is there: a second reader, or one after the other, would be slower.
 */
static bool work(struct index_scouts *scouts, bool second)
{
	bool reader = !scouts->cold || second || !scouts->helped;

	if (reader && !scouts->fetching && scouts->fetched < scouts->queued)
		fetch(scouts);
	else if (scouts->taken < MIN(scouts->fetched, scouts->queued))
		scout(scouts);
	else
		return false;
	return true;
}

static void *help(void *arg)
{
	struct index_scouts *scouts = arg;

	UTIL_LOCK_SCOPE(&scouts->lock);
	while (!scouts->stop) {
		if (!work(scouts, true))
			pthread_cond_wait(&scouts->changed, &scouts->lock);
	}
	return NULL;
}

/* ---- the index thread */

#define WINDOW_NOTES ((size_t)INDEX_SCOUTS * INDEX_SCOUT_RECORDS)
#define NOTES_SIZE   (INDEX_SCOUT_WINDOWS * WINDOW_NOTES * sizeof(struct format_note))

struct index_scouts *index_scouts_new(const struct index_scout_plan *plan)
{
	struct index_scouts *scouts = calloc(1, sizeof(*scouts));
	unsigned i;

	if (!scouts)
		return NULL;
	scouts->notes = mmap(NULL, NOTES_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (scouts->notes == MAP_FAILED) {
		free(scouts);
		return NULL;
	}
	scouts->plan = *plan;
	pthread_mutex_init(&scouts->lock, NULL);
	pthread_cond_init(&scouts->changed, NULL);
	for (i = 0; i < INDEX_SCOUT_WINDOWS; i++)
		scouts->windows[i].notes = scouts->notes + i * WINDOW_NOTES;
	return scouts;
}

static bool has_two_cores(void)
{
	cpu_set_t cores;

	return sched_getaffinity(0, sizeof(cores), &cores) == 0 && CPU_COUNT(&cores) > 1;
}

static void find_help(struct index_scouts *scouts)
{
	if (scouts->helped || scouts->plan.threads < 2 || !has_two_cores())
		return;
	/* without it this thread does it all */
	scouts->helped = pthread_create(&scouts->thread, NULL, help, scouts) == 0;
}

/* Queues windows while there is room for them. */
static void fill(struct index_scouts *scouts, uint64_t length, uint32_t seconds)
{
	const struct index_scout_plan *plan = &scouts->plan;
	size_t stretch = (size_t)MIN(length * (INDEX_SCOUT_RECORDS / 4),
				     (uint64_t)plan->stretch_max);
	struct scout_window *window;

	UTIL_LOCK_SCOPE(&scouts->lock);
	while (scouts->queued - scouts->returned < INDEX_SCOUT_WINDOWS &&
	       scouts->from < scouts->end) {
		window = window_at(scouts, scouts->queued++);
		window->stretch = MAX(stretch, plan->stretch_min);
		window->from = scouts->from;
		window->to = MIN(window->from + window->stretch * INDEX_SCOUTS, scouts->end);
		window->seconds = seconds;
		window->known = window->from == scouts->origin;
		window->done = false;
		scouts->from = window->to;
	}
	pthread_cond_broadcast(&scouts->changed);
}

void index_scouts_send(struct index_scouts *scouts, const struct format_walk *walk,
		       struct pktfs_loan *loan, uint64_t end, uint64_t length, uint32_t seconds)
{
	scouts->loan = *loan;
	*loan = (struct pktfs_loan){0};
	scouts->walk = *walk;
	scouts->origin = scouts->from = scouts->loan.offset;
	scouts->end = end;
	if (end - scouts->from >= scouts->plan.many)
		find_help(scouts);
	fill(scouts, length, seconds);
}

bool index_scouts_sent(const struct index_scouts *scouts)
{
	return scouts && scouts->returned < scouts->queued;
}

const struct pktfs_loan *index_scouts_loan(const struct index_scouts *scouts)
{
	return &scouts->loan;
}

const struct scout_window *index_scouts_window(struct index_scouts *scouts)
{
	struct scout_window *window = window_at(scouts, scouts->returned);

	UTIL_LOCK_SCOPE(&scouts->lock);
	while (!window->done) {
		if (!work(scouts, false))
			pthread_cond_wait(&scouts->changed, &scouts->lock);
	}
	return window;
}

void index_scouts_next(struct index_scouts *scouts, uint64_t length, uint32_t seconds)
{
	pthread_mutex_lock(&scouts->lock);
	scouts->returned++;
	pthread_mutex_unlock(&scouts->lock);
	fill(scouts, length, seconds);
	if (!index_scouts_sent(scouts))
		index_scouts_recall(scouts);
}

void index_scouts_recall(struct index_scouts *scouts)
{
	uint64_t n;

	if (!scouts)
		return;
	pthread_mutex_lock(&scouts->lock);
	scouts->queued = scouts->taken;
	while (scouts->fetching)
		pthread_cond_wait(&scouts->changed, &scouts->lock);
	for (n = scouts->returned; n < scouts->taken; n++)
		while (!window_at(scouts, n)->done)
			pthread_cond_wait(&scouts->changed, &scouts->lock);
	scouts->taken = scouts->returned = scouts->fetched = scouts->queued = 0;
	pthread_mutex_unlock(&scouts->lock);
	scouts->loan.requested = 0;
	source_return(&scouts->loan);
}

void index_scouts_free(struct index_scouts *scouts)
{
	if (!scouts)
		return;
	index_scouts_recall(scouts);
	pthread_mutex_lock(&scouts->lock);
	scouts->stop = true;
	pthread_cond_broadcast(&scouts->changed);
	pthread_mutex_unlock(&scouts->lock);
	if (scouts->helped)
		pthread_join(scouts->thread, NULL);
	munmap(scouts->notes, NOTES_SIZE);
	pthread_cond_destroy(&scouts->changed);
	pthread_mutex_destroy(&scouts->lock);
	free(scouts);
}
