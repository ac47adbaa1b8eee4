/* SPDX-License-Identifier: BSD-2-Clause */
#include "source_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
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

/* ---- the end, as the kinds move it */

int source_publish(struct source *source, uint64_t available)
{
	UTIL_LOCK_SCOPE(&source->lock);
	if (source->cancelled || source->final)
		return -ECANCELED;
	assert(available >= source->available);
	atomic_store_explicit(&source->available, available, memory_order_release);
	pthread_cond_broadcast(&source->changed);
	return 0;
}

void source_finish(struct source *source)
{
	UTIL_LOCK_SCOPE(&source->lock);
	atomic_store_explicit(&source->final, true, memory_order_release);
	pthread_cond_broadcast(&source->changed);
}

/* Is it so that what ends the source is in front of this? Of two at the same
 * place the one counts that leaves more. */
static bool has_ended(const struct source *source, uint64_t from, uint64_t end)
{
	if (!source->problem.code || source->problem_from > from)
		return false;
	return source->problem_from < from || source->problem.offset >= end;
}

_printf_(5, 0) static int fail(struct source *source, uint64_t from, uint64_t end, int code,
			       const char *format, va_list args)
{
	struct pktfs_error *problem = &source->problem;

	UTIL_LOCK_SCOPE(&source->lock);
	if (has_ended(source, from, end))
		return code;
	vsnprintf(problem->text, sizeof(problem->text), format, args);
	problem->code = code;
	problem->has_offset = 1;
	problem->offset = end;
	source->problem_from = from;
	if (from < source->available || from < end)
		atomic_store_explicit(&source->available, end, memory_order_release);
	atomic_store_explicit(&source->final, true, memory_order_release);
	pthread_cond_broadcast(&source->changed);
	return code;
}

int source_fail(struct source *source, uint64_t offset, int code, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = fail(source, offset, offset, code, format, args);
	va_end(args);
	return r;
}

int source_fail_from(struct source *source, uint64_t from, uint64_t end, int code,
		     const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = fail(source, from, end, code, format, args);
	va_end(args);
	return r;
}

/* ---- questions */

enum source_compression source_compression(const struct source *source)
{
	return source->compression;
}

uint64_t source_stored_size(const struct source *source)
{
	return source->stored_size;
}

struct pktfs_time source_stored_time(const struct source *source)
{
	return source->stored_time;
}

uint64_t source_available(struct source *source, bool *ret_final)
{
	bool final = atomic_load_explicit(&source->final, memory_order_acquire);

	if (ret_final)
		*ret_final = final;
	return atomic_load_explicit(&source->available, memory_order_acquire);
}

int source_problem(struct source *source, struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&source->lock);
	if (source->problem.code && ret_error)
		*ret_error = source->problem;
	return source->problem.code;
}

int source_wait(struct source *source, uint64_t end)
{
	bool final;

	if (source_available(source, &final) >= end || final)
		return 0;
	UTIL_LOCK_SCOPE(&source->lock);
	while (source->available < end && !source->final) {
		if (source->cancelled)
			return -ECANCELED;
		pthread_cond_wait(&source->changed, &source->lock);
	}
	return 0;
}

/* ---- loans */

/* Why bytes up to `end` (0: no such offset) cannot be had. */
static int not_there(struct source *source, bool final)
{
	if (!final)
		return -EAGAIN;
	return source_problem(source, NULL) == -EBADMSG ? -EBADMSG : -ENODATA;
}

int source_borrow(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret)
{
	uint64_t end;
	bool final;
	int r;

	assert(size > 0);
	if (unlikely(!add_ok(offset, (uint64_t)size, &end)))
		return -ENODATA;
	if (unlikely(end > source_available(source, &final)))
		return not_there(source, final);
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
	return source->ops->verify(source, loan->offset + used);
}

int source_verify(const struct pktfs_loan *loan)
{
	return source_verify_to(loan, loan->requested);
}

int source_return(struct pktfs_loan *loan)
{
	int r = source_verify(loan);

	source_piece_unref(loan->hold);
	*loan = (struct pktfs_loan){0};
	return r;
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

static int read_all(struct source *source, uint64_t offset, uint8_t *bytes, size_t size)
{
	bool again = true;
	size_t done = 0;
	int64_t n;

	if (source->ops->read) {
		int r = source->ops->read(source, offset, bytes, size);

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

int64_t source_read(struct source *source, uint64_t offset, void *bytes, size_t size)
{
	uint64_t available, end;
	bool final;
	int r;

	if (size == 0)
		return 0;
	available = source_available(source, &final);
	if (!add_ok(offset, (uint64_t)size, &end) || end > available) {
		r = not_there(source, final);
		if (r == -EAGAIN || (r == -EBADMSG && offset >= available))
			return r;
		if (offset >= available)
			return 0;
		size = (size_t)(available - offset);
	}
	r = read_all(source, offset, bytes, size);
	return r < 0 ? r : (int64_t)size;
}
