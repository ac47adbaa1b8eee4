/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_impl.h"

#include <assert.h>
#include <string.h>

#include "source_piece.h"

void source_init(struct source *source, const struct source_ops *ops)
{
	source->ops = ops;
	pthread_mutex_init(&source->lock, NULL);
	pthread_cond_init(&source->changed, NULL);
}

void source_fini(struct source *source)
{
	pthread_cond_destroy(&source->changed);
	pthread_mutex_destroy(&source->lock);
}

void source_close(struct source *source)
{
	if (!source)
		return;
	source_cancel(source);
	source->ops->close(source);
}

void source_cancel(struct source *source)
{
	pthread_mutex_lock(&source->lock);
	atomic_store(&source->cancelled, true);
	pthread_cond_broadcast(&source->changed);
	pthread_mutex_unlock(&source->lock);
	if (source->ops->cancel)
		source->ops->cancel(source);
}

/* ---- questions */

enum source_compression source_compression(const struct source *source)
{
	return source->compression;
}

uint64_t source_stored_size(struct source *source)
{
	struct pktfs_time time;
	uint64_t size;

	if (!source->ops->stored)
		return source->stored_size;
	source->ops->stored(source, &size, &time);
	return size;
}

struct pktfs_time source_stored_time(struct source *source)
{
	struct pktfs_time time;
	uint64_t size;

	if (!source->ops->stored)
		return source->stored_time;
	source->ops->stored(source, &size, &time);
	return time;
}

bool source_growing(const struct source *source)
{
	if (source->ops->growing)
		return source->ops->growing(source);
	return atomic_load_explicit(&source->growing, memory_order_relaxed);
}

int source_grow(struct source *source, uint64_t limit)
{
	return source->ops->grow ? source->ops->grow(source, limit, UINT64_MAX) : 0;
}

int source_follow(struct source *source, uint64_t used)
{
	return source->ops->grow ? source->ops->grow(source, UINT64_MAX, used) : 0;
}

int source_descriptor(const struct source *source)
{
	return source->ops->descriptor ? source->ops->descriptor(source) : -1;
}

int source_written(struct source *source)
{
	return source->ops->written ? source->ops->written(source) : -1;
}

int source_stat(struct source *source, struct stat *ret)
{
	return source->ops->stat ? source->ops->stat(source, ret) : -EOPNOTSUPP;
}

int source_problem(struct source *source, struct pktfs_error *ret_error)
{
	if (source->ops->problem)
		return source->ops->problem(source, ret_error);
	UTIL_LOCK_SCOPE(&source->lock);
	if (source->problem.code && ret_error)
		*ret_error = source->problem;
	return source->problem.code;
}

/* ---- loans */

int source_missing(struct source *source, uint64_t offset, bool final)
{
	if (source->ops->missing)
		return source->ops->missing(source, offset, final);
	if (!final)
		return -EAGAIN;
	return source_problem(source, NULL) == -EBADMSG ? -EBADMSG : -ENODATA;
}

/* Why bytes up to `end` cannot be had; 0: they have just come. */
static int not_there(struct source *source, uint64_t offset, uint64_t end)
{
	bool final;

	if (end <= source_available(source, &final))
		return 0;
	return source_missing(source, offset, final);
}

int source_borrow(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	uint64_t end;
	int r;

	assert(size > 0);
	if (unlikely(!add_ok(offset, (uint64_t)size, &end)))
		return -ENODATA;
	if (unlikely(end > atomic_load_explicit(&source->available, memory_order_acquire) &&
		     (r = not_there(source, offset, end)) < 0))
		return r;
	*ret = (struct pktfs_loan){.source = source, .offset = offset, .requested = size};
	r = source->ops->borrow(source, offset, size, ret);
	assert(r <= 0 && (r < 0 || (ret->bytes && ret->size >= size)));
	if (unlikely(r < 0))
		*ret = (struct pktfs_loan){0};
	return r;
}

int source_verify_to(const struct pktfs_loan *loan, size_t used)
{
	struct source *source = loan->source;

	/* what a loan holds is a copy, or was decompressed: it cannot change */
	if (!source || loan->hold || !source->ops->verify)
		return 0;
	assert(used <= loan->size);
	/* all uses of the bytes come before the look at what happened to them */
	atomic_thread_fence(memory_order_acquire);
	return source->ops->verify(source, loan->offset, used);
}

int source_verify(const struct pktfs_loan *loan)
{
	return source_verify_to(loan, loan->requested);
}

static bool prepare(const struct pktfs_loan *loan, size_t at, size_t size, bool fetch)
{
	struct source *source = loan->source;

	assert(at <= loan->size && size <= loan->size - at);
	if (!source || loan->hold || !source->ops->prepare)
		return false;
	return source->ops->prepare(source, loan->offset + at, loan->bytes + at, size, fetch);
}

bool source_fetch(const struct pktfs_loan *loan, size_t at, size_t size)
{
	return prepare(loan, at, size, true);
}

void source_prepare(const struct pktfs_loan *loan, size_t at, size_t size)
{
	prepare(loan, at, size, false);
}

int source_return(struct pktfs_loan *loan)
{
	int r = source_verify(loan);

	source_piece_unref(loan->hold);
	*loan = (struct pktfs_loan){0};
	return r;
}

int source_pin(struct source *source, uint64_t offset, size_t size, const void **ret)
{
	bool final;
	uint64_t end;

	if (!source->ops->pin || size == 0 || !add_ok(offset, (uint64_t)size, &end) ||
	    end > source_available(source, &final))
		return -EOPNOTSUPP;
	return source->ops->pin(source, offset, size, ret);
}

void source_unpin(struct source *source)
{
	source->ops->unpin(source);
}

void source_set_looker(struct source *source, const struct source_looker *looker)
{
	if (source->ops->set_looker)
		source->ops->set_looker(source, looker);
}

void *source_take_notes(const struct pktfs_loan *loan, uint64_t *ret_start)
{
	struct source_piece *piece = loan->hold;

	if (!piece || !atomic_load_explicit(&piece->notes, memory_order_relaxed))
		return NULL;
	*ret_start = loan->offset - (uint64_t)(loan->bytes - piece->bytes);
	return atomic_exchange_explicit(&piece->notes, NULL, memory_order_acquire);
}

/* ---- copies */

/* Copies what one loan has at `offset`: how many bytes, or an error. */
static int64_t read_some(struct source *source, uint64_t offset, uint8_t *bytes, size_t size)
{
	struct pktfs_loan loan;
	size_t n;
	int r = source_borrow(source, offset, 1, &loan);

	if (r < 0)
		return r;
	n = MIN(size, loan.size);
	memcpy(bytes, loan.bytes, n);
	loan.requested = n;
	r = source_return(&loan);
	return r < 0 ? r : (int64_t)n;
}

static int read_all(struct source *source, uint64_t offset, uint8_t *bytes, size_t size,
		    bool alone)
{
	bool again = true;
	size_t done = 0;
	int64_t n;

	if (source->ops->read) {
		int r = source->ops->read(source, offset, bytes, size, alone);

		if (r != -EOPNOTSUPP)
			return r;
	}
	while (done < size) {
		n = read_some(source, offset + done, bytes + done, size - done);
		/* -EIO of a map may come from another part of the file: the
		 * second time a copy says how it is */
		if (n == -EIO && again)
			again = false;
		else if (n < 0)
			return (int)n;
		else
			done += (size_t)n;
	}
	return 0;
}

static int64_t read_there(struct source *source, uint64_t offset, void *bytes, size_t size,
			  bool alone)
{
	uint64_t available, end;
	bool final;
	int r;

	if (size == 0)
		return 0;
	available = source_available(source, &final);
	if (!add_ok(offset, (uint64_t)size, &end) || end > available) {
		r = source_missing(source, offset, final);
		if (r == -EAGAIN || (r == -EBADMSG && offset >= available))
			return r;
		if (offset >= available)
			return 0;
		size = (size_t)(available - offset);
	}
	r = read_all(source, offset, bytes, size, alone);
	return r < 0 ? r : (int64_t)size;
}

int64_t source_read(struct source *source, uint64_t offset, void *bytes, size_t size)
{
	return read_there(source, offset, bytes, size, false);
}

int64_t source_peek(struct source *source, uint64_t offset, void *bytes, size_t size)
{
	return read_there(source, offset, bytes, size, true);
}
