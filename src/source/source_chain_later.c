/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains of files: parts that are opened when it is their turn, and what is known
 * of them before and after that. */
#include "source_chain.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "source_file.h"

/* Not under the lock, which it may take. */
static void drop(struct source *source)
{
	if (source->ops->drop)
		source->ops->drop(source);
}

/* The part behind those that are opened is `source`. */
static void set_opened(struct source_chain *chain, struct source *source)
{
	struct chain_part *part = chain_part(chain, chain->opened);

	pthread_mutex_lock(&chain->base.lock);
	part->source = source;
	source_set_above(source, &chain->base);
	atomic_store_explicit(&chain->opened, chain->opened + 1, memory_order_release);
	if (source_cancelled(&chain->base))
		source_cancel(source);
	source_chain_set_end(chain);
	pthread_mutex_unlock(&chain->base.lock);
	if (atomic_load(&part->lost)) /* just now */
		drop(source);
}

int source_chain_begin(struct source *first, int fd, const struct source_options *options,
		       bool more, struct source **ret)
{
	struct source_chain *chain = source_chain_new();

	if (!chain)
		return -ENOMEM;
	chain->options = *options;
	if (options->spool_dir)
		chain->options.spool_dir = chain->spool_dir = strdup(options->spool_dir);
	if ((options->spool_dir && !chain->spool_dir) || !source_chain_append(chain, first, fd)) {
		source_chain_free(chain);
		return -ENOMEM;
	}
	chain->more = more;
	chain->base.compression = source_compression(first);
	atomic_init(&chain->count, 1);
	atomic_init(&chain->opened, 1);
	atomic_init(&chain->known, 1);
	source_set_above(first, &chain->base);
	chain->base.ops->moved(&chain->base);
	*ret = &chain->base;
	return 0;
}

int source_chain_add(struct source *source, int fd, const struct pktfs_error *error)
{
	struct source_chain *chain = chain_of(source);
	struct chain_part *part;
	struct stat st = {0};

	assert(source_is_chain(source));
	if (fd >= 0 && fstat(fd, &st) < 0)
		return -errno;
	UTIL_LOCK_SCOPE(&source->lock);
	part = source_chain_append(chain, NULL, fd);
	if (!part)
		return -ENOMEM;
	if (fd < 0)
		part->error = *error;
	part->size = (uint64_t)st.st_size;
	part->time =
		(struct pktfs_time){.sec = st.st_mtim.tv_sec, .nsec = (uint32_t)st.st_mtim.tv_nsec};
	atomic_store_explicit(&chain->count, chain->count + 1, memory_order_release);
	pthread_cond_broadcast(&source->changed);
	return 0;
}

/* In place of a part that cannot be opened: nothing, and why. */
static int open_nothing(const struct pktfs_error *error, struct source **ret)
{
	int r = source_memory_open("", 0, ret);

	if (r == 0)
		source_fail(*ret, 0, error->code, "%s", error->text);
	return r;
}

static int open_part(struct source_chain *chain, struct chain_part *part, bool growing,
		     struct source **ret)
{
	struct source_options options = chain->options;
	struct pktfs_error error = part->error;
	int r = error.code;

	options.growing &= growing;
	if (atomic_load(&part->lost))
		r = -EIO;
	else if (part->fd >= 0)
		r = source_open_fd(part->fd, &options, ret, &error);
	if (r < 0 && r != -ENOMEM && atomic_load(&part->lost)) /* before, or just now */
		error_set(&error, -EIO, "it was gone before it was read");
	return r == 0 ? 0 : r == -ENOMEM ? r : open_nothing(&error, ret);
}

int source_open_next(struct source *source, enum source_next how, uint64_t used)
{
	struct source_chain *chain = chain_of(source);
	struct source *last, *next;
	struct chain_part *part;
	bool final;
	int r;

	if (!source_more(source))
		return 0;
	last = chain_part(chain, chain->opened - 1)->source;
	part = chain_part(chain, chain->opened);
	if (how == SOURCE_NEXT_PLAIN && part->fd >= 0 && source_is_packed(part->fd))
		return 0;
	/* whatever has been written to it since the last look comes first */
	if (how == SOURCE_NEXT_AT_END && source_growing(last) &&
	    source_chain_grow_part(chain, chain->opened - 1, UINT64_MAX, used) > 0)
		return -EAGAIN;
	source_available(last, &final);
	if (how == SOURCE_NEXT_AT_END && !final)
		return 0;
	r = open_part(chain, part, chain->opened + 1 == chain_load(&chain->count), &next);
	if (r < 0)
		return r;
	set_opened(chain, next);
	/* who looked for growth since it was opened did not know of it */
	source_chain_grow_part(chain, chain->opened - 1, UINT64_MAX, used);
	return 1;
}

bool source_more(struct source *source)
{
	struct source_chain *chain = chain_of(source);

	return source_is_chain(source) && chain_load(&chain->opened) < chain_load(&chain->count);
}

bool source_takes_more(const struct source *source)
{
	return source_is_chain(source) && ((const struct source_chain *)source)->more;
}

/* ---- files */

size_t source_files(struct source *source)
{
	return source_is_chain(source) ? chain_load(&chain_of(source)->count) : 1;
}

void source_file_get(struct source *source, size_t number, struct source_file_info *ret)
{
	struct source_chain *chain = chain_of(source);
	struct chain_part *part;

	assert(source_is_chain(source) && number < chain_load(&chain->count));
	part = chain_part(chain, number);
	*ret = (struct source_file_info){.lost = atomic_load(&part->lost)};
	ret->opened = number < chain_load(&chain->opened);
	if (ret->opened)
		ret->compression = source_compression(part->source);
	source_chain_stored(chain, number, &ret->size, &ret->time);
}

int source_file_stat(struct source *source, size_t number, struct stat *ret)
{
	struct chain_part *part = chain_part(chain_of(source), number);

	if (part->fd < 0)
		return -EBADF;
	UTIL_LOCK_SCOPE(&source->lock);
	if (!atomic_load(&part->lost))
		return fstat(part->fd, ret) < 0 ? -errno : 0;
	*ret = part->last;
	return 0;
}

/* Its number stays taken. */
static void let_go(int fd)
{
	_cleanup_close_ int nothing = eventfd(0, EFD_CLOEXEC);

	if (nothing >= 0 && fd >= 0)
		dup3(nothing, fd, O_CLOEXEC);
}

/* The first time. *ret_source: NULL where it is not opened. */
static bool set_lost(struct source_chain *chain, size_t number, struct source **ret_source)
{
	struct chain_part *part = chain_part(chain, number);

	UTIL_LOCK_SCOPE(&chain->base.lock);
	if (atomic_load(&part->lost))
		return false;
	if (part->fd >= 0 && fstat(part->fd, &part->last) < 0)
		part->last = (struct stat){0};
	atomic_store(&part->lost, true);
	*ret_source = part->source;
	return true;
}

void source_file_lose(struct source *source, size_t number)
{
	struct source_chain *chain = chain_of(source);
	struct source *lost;

	assert(source_is_chain(source));
	if (!set_lost(chain, number, &lost))
		return;
	if (lost)
		drop(lost);
	let_go(chain_part(chain, number)->fd);
}
