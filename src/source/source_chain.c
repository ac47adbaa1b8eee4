/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several sources, one behind the other.
 *
 *	parts     | 0           | 1       |~~~~~| 2          >| 3: a descriptor | 4 ...
 *	starts    0             s1              s2
 *	                                                known ^          opened ^ count ^
 *
 * No thread: whoever moves the end of a part tells the chain (chain_moved). A
 * part begins behind all that was ever there of the one before, so an offset
 * belongs to one part for ever; where that one turned out to be shorter is a gap
 * (~) which cannot be read. Parts that are not opened yet cost a descriptor and
 * nothing else: a thousand compressed files are decoded one after the other.
 *
 * A loan is the part's, with the chain's offset.
 */
#include "source_chain.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

/* The last of `known` parts that starts at or before `offset`. */
static size_t find(const struct source_chain *chain, size_t known, uint64_t offset)
{
	size_t low = 0, high = known, middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (chain_part(chain, middle)->start <= offset)
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
	struct chain_part *part = chain_part(chain, number);
	uint64_t available = source_available(part->source, ret_final), end;

	return add_ok(part->start, available, &end) ? end : UINT64_MAX;
}

void source_chain_set_end(struct source_chain *chain)
{
	size_t known, opened = chain->opened;
	uint64_t end;
	bool final;

	for (known = chain->known;; known++) {
		end = end_of(chain, known - 1, &final);
		chain->high = MAX(chain->high, end);
		if (!final || known == opened)
			break;
		chain_part(chain, known)->start = chain->high;
		atomic_store_explicit(&chain->known, known + 1, memory_order_release);
	}
	source_set_end(&chain->base, end, final);
}

static void chain_moved(struct source *source)
{
	UTIL_LOCK_SCOPE(&source->lock);
	if (!chain_of(source)->closing)
		source_chain_set_end(chain_of(source));
}

/* Of the part whose end is waited for. */
static struct source *last_known(const struct source_chain *chain)
{
	return chain_part(chain, chain_load(&chain->known) - 1)->source;
}

static bool chain_offers(struct source *source)
{
	struct source *part = last_known(chain_of(source));

	return part->ops->offers && part->ops->offers(part);
}

static void chain_help(struct source *source)
{
	struct source *part = last_known(chain_of(source));

	if (part->ops->help)
		part->ops->help(part);
}

/* What is used of a part, of which nothing may be known yet. */
static uint64_t used_of(const struct source_chain *chain, size_t number, uint64_t used)
{
	uint64_t start;

	if (used == UINT64_MAX)
		return used;
	if (chain_load(&chain->known) <= number)
		return 0;
	start = chain_part(chain, number)->start;
	return used > start ? used - start : 0;
}

int source_chain_grow_part(struct source_chain *chain, size_t number, uint64_t limit, uint64_t used)
{
	struct source *part = chain_part(chain, number)->source;

	return part->ops->grow ? part->ops->grow(part, limit, used_of(chain, number, used)) : 0;
}

/* The number of the last part, if it is opened; else SIZE_MAX. */
static size_t last_of(const struct source_chain *chain)
{
	/* asked in this order: a part is added before it is opened */
	size_t opened = chain_load(&chain->opened);

	return opened == chain_load(&chain->count) ? opened - 1 : SIZE_MAX;
}

static int chain_grow(struct source *source, uint64_t limit, uint64_t used)
{
	struct source_chain *chain = chain_of(source);
	size_t last;
	int r;

	/* under the lock: a part that is not opened yet is looked at after that */
	pthread_mutex_lock(&source->lock);
	last = last_of(chain);
	pthread_mutex_unlock(&source->lock);
	r = last == SIZE_MAX ? 0 : source_chain_grow_part(chain, last, limit, used);
	chain_moved(source);
	return r;
}

static int chain_descriptor(const struct source *source)
{
	const struct source_chain *chain = (const struct source_chain *)source;
	size_t last = last_of(chain);

	return last == SIZE_MAX ? -1 : source_descriptor(chain_part(chain, last)->source);
}

static int chain_written(struct source *source)
{
	struct source_chain *chain = chain_of(source);
	size_t last = last_of(chain);

	return last == SIZE_MAX ? -1 : source_written(chain_part(chain, last)->source);
}

/* One that is not opened yet will grow, as far as is known. */
static bool chain_growing(const struct source *source)
{
	const struct source_chain *chain = (const struct source_chain *)source;
	size_t last = last_of(chain);

	if (chain->more)
		return true;
	return last == SIZE_MAX ? chain->options.growing
				: source_growing(chain_part(chain, last)->source);
}

/* ---- loans */

static int chain_missing(struct source *source, uint64_t offset, bool final)
{
	struct source_chain *chain = chain_of(source);
	size_t known = chain_load(&chain->known), i = find(chain, known, offset);
	struct chain_part *part = chain_part(chain, i);

	return source_missing(part->source, offset - part->start, final || i + 1 < known);
}

static int chain_borrow(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	struct source_chain *chain = chain_of(source);
	size_t known = chain_load(&chain->known), i = find(chain, known, offset);
	struct chain_part *part = chain_part(chain, i);
	uint64_t room = i + 1 < known ? chain_part(chain, i + 1)->start - offset : UINT64_MAX;
	int r;

	if (unlikely(size > room))
		return chain_missing(source, offset, true);
	if (unlikely(atomic_load_explicit(&part->lost, memory_order_relaxed)))
		return -EIO;
	r = source_borrow(part->source, offset - part->start, size, ret);
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
	struct chain_part *part = chain_part(chain, find(chain, chain_load(&chain->known), offset));

	if (unlikely(atomic_load_explicit(&part->lost, memory_order_relaxed)))
		return -EIO;
	return part->source->ops->verify
		       ? part->source->ops->verify(part->source, offset - part->start, size)
		       : 0;
}

static bool chain_prepare(struct source *source, uint64_t offset, const uint8_t *bytes,
			  size_t size, bool fetch)
{
	struct source_chain *chain = chain_of(source);
	struct chain_part *part = chain_part(chain, find(chain, chain_load(&chain->known), offset));

	return part->source->ops->prepare &&
	       part->source->ops->prepare(part->source, offset - part->start, bytes, size, fetch);
}

/* ---- questions */

static int part_problem(struct source_chain *chain, size_t number, struct pktfs_error *ret_error)
{
	struct chain_part *part = chain_part(chain, number);
	struct pktfs_error error;
	int r = source_problem(part->source, &error);

	if (r < 0 && ret_error) {
		*ret_error = error;
		ret_error->offset += part->start;
	}
	return r;
}

static int chain_problem(struct source *source, struct pktfs_error *ret_error)
{
	struct source_chain *chain = chain_of(source);

	return part_problem(chain, chain_load(&chain->known) - 1, ret_error);
}

static bool is_later(struct pktfs_time a, struct pktfs_time b)
{
	return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

void source_chain_stored(const struct source_chain *chain, size_t number, uint64_t *ret_size,
			 struct pktfs_time *ret_time)
{
	struct chain_part *part = chain_part(chain, number);
	bool opened = number < chain_load(&chain->opened);

	*ret_size = opened ? source_stored_size(part->source) : part->size;
	*ret_time = opened ? source_stored_time(part->source) : part->time;
}

static void chain_stored(struct source *source, uint64_t *ret_size, struct pktfs_time *ret_time)
{
	struct source_chain *chain = chain_of(source);
	size_t i, count = chain_load(&chain->count);
	struct pktfs_time time;
	uint64_t size;

	source_chain_stored(chain, 0, ret_size, ret_time);
	for (i = 1; i < count; i++) {
		source_chain_stored(chain, i, &size, &time);
		*ret_size += size;
		if (is_later(time, *ret_time))
			*ret_time = time;
	}
}

/* ---- life */

static void chain_cancel(struct source *source)
{
	struct source_chain *chain = chain_of(source);
	size_t i, opened = chain_load(&chain->opened);

	for (i = 0; i < opened; i++)
		source_cancel(chain_part(chain, i)->source);
}

void source_chain_free(struct source_chain *chain)
{
	if (!chain)
		return;
	table_free(&chain->parts);
	free(chain->spool_dir);
	source_fini(&chain->base);
	free(chain);
}

/* Parts that are still there may tell of something while others are closed. */
static void chain_close(struct source *source)
{
	struct source_chain *chain = chain_of(source);
	size_t i;

	pthread_mutex_lock(&source->lock);
	chain->closing = true;
	pthread_mutex_unlock(&source->lock);
	for (i = 0; i < chain->count; i++) {
		source_close(chain_part(chain, i)->source);
		util_close(chain_part(chain, i)->fd);
	}
	source_chain_free(chain);
}

static const struct source_ops chain_ops = {
	.name = "chain",
	.borrow = chain_borrow,
	.verify = chain_verify,
	.prepare = chain_prepare,
	.missing = chain_missing,
	.problem = chain_problem,
	.grow = chain_grow,
	.growing = chain_growing,
	.descriptor = chain_descriptor,
	.written = chain_written,
	.stored = chain_stored,
	.moved = chain_moved,
	.offers = chain_offers,
	.help = chain_help,
	.cancel = chain_cancel,
	.close = chain_close,
};

bool source_is_chain(const struct source *source)
{
	return source->ops == &chain_ops;
}

struct source_chain *source_chain_new(void)
{
	struct source_chain *chain = calloc(1, sizeof(*chain));

	if (!chain)
		return NULL;
	source_init(&chain->base, &chain_ops);
	table_init(&chain->parts, sizeof(struct chain_part));
	return chain;
}

struct chain_part *source_chain_append(struct source_chain *chain, struct source *source, int fd)
{
	struct chain_part *part = table_append(&chain->parts);

	if (!part)
		return NULL;
	part->source = source;
	part->fd = fd;
	return part;
}

int source_chain_open(struct source *const *parts, size_t count, struct source **ret)
{
	struct source_chain *chain = source_chain_new();
	bool appended = chain != NULL;
	size_t i;

	assert(count > 0);
	for (i = 0; i < count && appended; i++)
		appended = source_chain_append(chain, parts[i], -1);
	if (!appended) {
		source_chain_free(chain);
		return -ENOMEM;
	}
	chain->base.compression = source_compression(parts[0]);
	atomic_init(&chain->count, count);
	atomic_init(&chain->opened, count);
	atomic_init(&chain->known, 1);
	for (i = 0; i < count; i++)
		source_set_above(parts[i], &chain->base);
	chain_moved(&chain->base);
	*ret = &chain->base;
	return 0;
}

/* ---- parts */

size_t source_parts(struct source *source)
{
	return source_is_chain(source) ? chain_load(&chain_of(source)->known) : 1;
}

uint64_t source_part_start(struct source *source, size_t number)
{
	assert(number < source_parts(source));
	return source_is_chain(source) ? chain_part(chain_of(source), number)->start : 0;
}

int source_part_problem(struct source *source, size_t number, struct pktfs_error *ret_error)
{
	assert(number < source_parts(source));
	if (!source_is_chain(source))
		return source_problem(source, ret_error);
	return part_problem(chain_of(source), number, ret_error);
}

bool source_part_cut(struct source *source, size_t number)
{
	struct source_chain *chain = chain_of(source);
	struct stat st;
	int fd;

	if (!source_part_growing(source, number))
		return false;
	if (source_is_chain(source))
		source = chain_part(chain, number)->source;
	fd = source_descriptor(source);
	return fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size < source_stored_size(source);
}

bool source_part_growing(struct source *source, size_t number)
{
	if (!source_is_chain(source))
		return number == 0 && source_growing(source);
	return number == last_of(chain_of(source)) &&
	       source_growing(chain_part(chain_of(source), number)->source);
}
