/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several sources, one behind the other.
 *
 *	parts     | 0           | 1       |~~~~~| 2          >
 *	starts    0             s1              s2
 *
 * No thread: whoever moves the end of a part tells the chain (chain_moved). A
 * part begins behind all that was ever there of the one before, so an offset
 * belongs to one part for ever; where that one turned out to be shorter is a gap
 * (~) which cannot be read.
 *
 * A loan is the part's, with the chain's offset.
 */
#include <assert.h>
#include <string.h>

#include "source_impl.h"

struct source_chain {
	struct source base;
	size_t count;
	atomic_size_t known; /* parts whose start is known; from 1 up, under the lock */
	uint64_t high;       /* the highest end so far; under the lock */
	bool closing;        /* under the lock */
	struct source **parts;
	uint64_t *starts; /* set before they are known */
};

static struct source_chain *chain_of(struct source *source)
{
	return (struct source_chain *)source;
}

static size_t known_parts(struct source_chain *chain)
{
	return atomic_load_explicit(&chain->known, memory_order_acquire);
}

/* The last of `known` parts that starts at or before `offset`. */
static size_t find(const struct source_chain *chain, size_t known, uint64_t offset)
{
	size_t low = 0, high = known, middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (chain->starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* ---- the end */

/* Sizes of sparse files may add up to more than there are numbers. */
static uint64_t end_of(struct source_chain *chain, size_t number, bool *ret_final)
{
	uint64_t available = source_available(chain->parts[number], ret_final), end;

	return add_ok(chain->starts[number], available, &end) ? end : UINT64_MAX;
}

static void chain_moved(struct source *source)
{
	struct source_chain *chain = chain_of(source);
	size_t known;
	uint64_t end;
	bool final;

	UTIL_LOCK_SCOPE(&source->lock);
	if (chain->closing)
		return;
	for (known = chain->known;; known++) {
		end = end_of(chain, known - 1, &final);
		chain->high = MAX(chain->high, end);
		if (!final || known == chain->count)
			break;
		chain->starts[known] = chain->high;
		atomic_store_explicit(&chain->known, known + 1, memory_order_release);
	}
	source_set_end(source, end, final);
}

static int chain_grow(struct source *source, uint64_t limit)
{
	struct source *last = chain_of(source)->parts[chain_of(source)->count - 1];
	int r = source_grow(last, limit);

	chain_moved(source);
	return r;
}

static bool chain_growing(const struct source *source)
{
	const struct source_chain *chain = (const struct source_chain *)source;

	return source_growing(chain->parts[chain->count - 1]);
}

/* ---- loans */

static int chain_missing(struct source *source, uint64_t offset, bool final)
{
	struct source_chain *chain = chain_of(source);
	size_t known = known_parts(chain), i = find(chain, known, offset);

	return source_missing(chain->parts[i], offset - chain->starts[i], final || i + 1 < known);
}

static int chain_borrow(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	struct source_chain *chain = chain_of(source);
	size_t known = known_parts(chain), i = find(chain, known, offset);
	uint64_t room = i + 1 < known ? chain->starts[i + 1] - offset : UINT64_MAX;
	int r;

	if (unlikely(size > room))
		return chain_missing(source, offset, true);
	r = source_borrow(chain->parts[i], offset - chain->starts[i], size, ret);
	if (unlikely(r < 0))
		return r;
	ret->source = source;
	ret->offset = offset;
	ret->size = (size_t)MIN(ret->size, room);
	return 0;
}

static int chain_verify(struct source *source, uint64_t offset, size_t size)
{
	struct source_chain *chain = chain_of(source);
	size_t i = find(chain, known_parts(chain), offset);
	struct source *part = chain->parts[i];

	return part->ops->verify ? part->ops->verify(part, offset - chain->starts[i], size) : 0;
}

/* ---- questions */

static int part_problem(struct source_chain *chain, size_t number, struct pktfs_error *ret_error)
{
	struct pktfs_error error;
	int r = source_problem(chain->parts[number], &error);

	if (r < 0 && ret_error) {
		*ret_error = error;
		ret_error->offset += chain->starts[number];
	}
	return r;
}

static int chain_problem(struct source *source, struct pktfs_error *ret_error)
{
	struct source_chain *chain = chain_of(source);

	return part_problem(chain, known_parts(chain) - 1, ret_error);
}

static bool is_later(struct pktfs_time a, struct pktfs_time b)
{
	return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

static void chain_stored(struct source *source, uint64_t *ret_size, struct pktfs_time *ret_time)
{
	struct source_chain *chain = chain_of(source);
	struct pktfs_time time;
	size_t i;

	*ret_size = 0;
	*ret_time = source_stored_time(chain->parts[0]);
	for (i = 0; i < chain->count; i++) {
		*ret_size += source_stored_size(chain->parts[i]);
		time = source_stored_time(chain->parts[i]);
		if (is_later(time, *ret_time))
			*ret_time = time;
	}
}

/* ---- life */

static void chain_cancel(struct source *source)
{
	struct source_chain *chain = chain_of(source);
	size_t i;

	for (i = 0; i < chain->count; i++)
		source_cancel(chain->parts[i]);
}

/* Parts that are still there may tell of something while others are closed. */
static void chain_close(struct source *source)
{
	struct source_chain *chain = chain_of(source);
	size_t i;

	pthread_mutex_lock(&source->lock);
	chain->closing = true;
	pthread_mutex_unlock(&source->lock);
	for (i = 0; i < chain->count; i++)
		source_close(chain->parts[i]);
	free(chain->parts);
	free(chain->starts);
	source_fini(source);
	free(chain);
}

static const struct source_ops chain_ops = {
	.name = "chain",
	.borrow = chain_borrow,
	.verify = chain_verify,
	.missing = chain_missing,
	.problem = chain_problem,
	.grow = chain_grow,
	.growing = chain_growing,
	.stored = chain_stored,
	.moved = chain_moved,
	.cancel = chain_cancel,
	.close = chain_close,
};

int source_chain_open(struct source *const *parts, size_t count, struct source **ret)
{
	struct source_chain *chain = calloc(1, sizeof(*chain));
	size_t i;

	assert(count > 0);
	if (!chain)
		return -ENOMEM;
	chain->parts = calloc(count, sizeof(struct source *));
	chain->starts = calloc(count, sizeof(uint64_t));
	if (!chain->parts || !chain->starts) {
		free(chain->parts);
		free(chain->starts);
		free(chain);
		return -ENOMEM;
	}
	source_init(&chain->base, &chain_ops);
	chain->base.compression = source_compression(parts[0]);
	chain->count = count;
	atomic_init(&chain->known, 1);
	/* all of them, before the threads of any may tell of its end */
	memcpy(chain->parts, parts, count * sizeof(struct source *));
	for (i = 0; i < count; i++)
		source_set_above(parts[i], &chain->base);
	chain_moved(&chain->base);
	*ret = &chain->base;
	return 0;
}

/* ---- parts */

size_t source_parts(struct source *source)
{
	return source->ops == &chain_ops ? known_parts(chain_of(source)) : 1;
}

uint64_t source_part_start(struct source *source, size_t number)
{
	assert(number < source_parts(source));
	return source->ops == &chain_ops ? chain_of(source)->starts[number] : 0;
}

int source_part_problem(struct source *source, size_t number, struct pktfs_error *ret_error)
{
	assert(number < source_parts(source));
	if (source->ops != &chain_ops)
		return source_problem(source, ret_error);
	return part_problem(chain_of(source), number, ret_error);
}
