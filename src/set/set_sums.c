/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_sums.h"

#include <signal.h>
#include <unistd.h>

/* Not many more places than this are kept (5 MiB): the spans grow instead. */
#define SUMS_MOST ((uint64_t)1 << 17)

/* How long to wait for a set that has to be evaluated again. */
#define SUMS_POLL_US 2000

#define SPAN_SHIFT 6
_Static_assert(EXPORT_SPAN == 1u << SPAN_SHIFT, "spans are powers of two");

static int append(struct set_sums *sums, const struct set_place *place)
{
	struct set_place *entry = table_append(&sums->table);

	if (!entry)
		return -ENOMEM;
	*entry = *place;
	table_publish(&sums->table);
	return 0;
}

int set_sums_init(struct set_sums *sums, pktfs_capture *capture, struct set *set,
		  const struct set_encoder *encoder)
{
	struct set_place start;
	int r;

	*sums = (struct set_sums){
		.capture = capture, .set = set, .encoder = encoder, .shift = SPAN_SHIFT};
	while (encoder->steps >> sums->shift > SUMS_MOST)
		sums->shift++;
	table_init(&sums->table, sizeof(struct set_place));
	r = set_walk_start(encoder, capture, &start);
	return r < 0 ? r : append(sums, &start);
}

/* Waits while the set is evaluated again. -ECANCELED: not any more. */
static int look(struct set_sums *sums, struct set_walk *walk)
{
	int r;

	while ((r = set_walk_look(walk)) == -EAGAIN) {
		if (atomic_load_explicit(&sums->stop, memory_order_relaxed))
			return -ECANCELED;
		usleep(SUMS_POLL_US);
	}
	return r;
}

/* SUMS_COMPLETE or a negative errno. */
static int walk_all(struct set_sums *sums, struct set_walk *walk)
{
	uint64_t mask = (UINT64_C(1) << sums->shift) - 1;
	int r;

	while ((r = look(sums, walk)) == 1) {
		r = set_walk_step(walk);
		if (r == 0 && walk->at.step & mask)
			continue;
		/* what is published must be true for ever */
		if (r == 0)
			r = set_walk_verify(walk);
		if (r == 0)
			r = append(sums, &walk->at);
		if (r == 0 && atomic_load_explicit(&sums->stop, memory_order_relaxed))
			r = -ECANCELED;
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = set_walk_verify(walk);
	if (r < 0)
		return r;
	return walk->at.offset == sums->encoder->size ? SUMS_COMPLETE : -EIO;
}

static void *run(void *context)
{
	struct set_sums *sums = context;
	struct set_walk walk;
	int r;

	set_walk_begin(&walk, sums->encoder, sums->capture, sums->set,
		       table_at(&sums->table, 0));
	r = walk_all(sums, &walk);
	set_walk_end(&walk);
	atomic_store_explicit(&sums->state, r, memory_order_release);
	return NULL;
}

int set_sums_start(struct set_sums *sums)
{
	sigset_t mask, before;
	int r;

	if (sums->started)
		return 0;
	/* Signals are for the program's own threads, but for those that a
	 * fault of this thread raises: the source catches SIGBUS. */
	sigfillset(&mask);
	sigdelset(&mask, SIGBUS);
	sigdelset(&mask, SIGSEGV);
	sigdelset(&mask, SIGFPE);
	sigdelset(&mask, SIGILL);
	pthread_sigmask(SIG_SETMASK, &mask, &before);
	r = pthread_create(&sums->thread, NULL, run, sums);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sums->started = r == 0;
	return -r;
}

void set_sums_end(struct set_sums *sums)
{
	atomic_store(&sums->stop, true);
	if (sums->started)
		pthread_join(sums->thread, NULL);
	sums->started = false;
	table_free(&sums->table);
}

int set_sums_state(struct set_sums *sums)
{
	return atomic_load_explicit(&sums->state, memory_order_acquire);
}

struct set_place set_sums_find(const struct set_sums *sums, uint64_t offset)
{
	uint64_t low = 0, high = table_count(&sums->table) - 1, middle;
	const struct set_place *place;

	while (low < high) {
		middle = low + (high - low + 1) / 2;
		place = table_at(&sums->table, middle);
		if (place->offset <= offset)
			low = middle;
		else
			high = middle - 1;
	}
	return *(const struct set_place *)table_at(&sums->table, low);
}
