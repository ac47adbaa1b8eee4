/* SPDX-License-Identifier: BSD-2-Clause */
/* How the end of a source moves, and waiting for it. */
#include "source_impl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- as the kinds move it */

/* These are called with the lock. The order is the one that source_available
 * relies on: what is not final any more says so before the end moves. */
static void set_final(struct source *source, bool final)
{
	if (source_final(source) != final)
		atomic_fetch_add_explicit(&source->ends, 1, memory_order_release);
}

static void set_available(struct source *source, uint64_t available)
{
	atomic_store_explicit(&source->available, available, memory_order_release);
}

/* The lock is given back: whoever is told takes its own, and looks at our end
 * after this. */
static void changed(struct source *source)
{
	struct source *above;

	pthread_mutex_unlock(&source->lock);
	pthread_cond_broadcast(&source->changed); /* not before: he would wait for the lock */
	above = atomic_load_explicit(&source->above, memory_order_acquire);
	if (above)
		above->ops->moved(above);
}

static int unlock(struct source *source, int r)
{
	pthread_mutex_unlock(&source->lock);
	return r;
}

int source_publish(struct source *source, uint64_t available)
{
	pthread_mutex_lock(&source->lock);
	if (source->cancelled || source_final(source))
		return unlock(source, -ECANCELED);
	assert(available >= source->available);
	set_available(source, available);
	changed(source);
	return 0;
}

void source_finish(struct source *source)
{
	pthread_mutex_lock(&source->lock);
	set_final(source, true);
	changed(source);
}

void source_tell(struct source *source)
{
	pthread_mutex_lock(&source->lock);
	changed(source);
}

void source_extend(struct source *source, uint64_t available)
{
	pthread_mutex_lock(&source->lock);
	assert(source_final(source));
	set_available(source, available);
	changed(source);
}

int source_settle(struct source *source, struct source *inner, uint64_t seen,
		  const struct pktfs_error *problem)
{
	pthread_mutex_lock(&source->lock);
	if (source->cancelled || source_final(source))
		return unlock(source, -ECANCELED);
	if (source_available(inner, NULL) > seen)
		return unlock(source, 0);
	if (problem) {
		source->problem = *problem;
		source->problem.has_offset = 1;
		source->problem.offset = source->available;
	}
	source->settled = true;
	source->settled_at = seen;
	set_final(source, true);
	changed(source);
	return 0;
}

void source_unsettle(struct source *source, struct source *inner)
{
	pthread_mutex_lock(&source->lock);
	if (!source->settled || source_available(inner, NULL) <= source->settled_at) {
		unlock(source, 0);
		return;
	}
	source->settled = false;
	source->problem.code = 0;
	set_final(source, false);
	changed(source);
}

void source_set_above(struct source *source, struct source *above)
{
	UTIL_LOCK_SCOPE(&source->lock);
	assert(!source->above);
	atomic_store_explicit(&source->above, above, memory_order_release);
}

void source_set_end(struct source *source, uint64_t available, bool final)
{
	if (!final)
		set_final(source, false);
	set_available(source, available);
	if (final)
		set_final(source, true);
	/* even where the end is as it was: the problem there may be another */
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

	pthread_mutex_lock(&source->lock);
	if (source->settled)
		problem->code = 0;
	source->settled = false;
	atomic_store_explicit(&source->growing, false, memory_order_relaxed);
	if (has_ended(source, from, end))
		return unlock(source, code);
	vsnprintf(problem->text, sizeof(problem->text), format, args);
	problem->code = code;
	problem->has_offset = 1;
	problem->offset = end;
	source->problem_from = from;
	if (from < source->available || from < end)
		set_available(source, end);
	set_final(source, true);
	changed(source);
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

/* ---- as others see it */

uint64_t source_available(struct source *source, bool *ret_final)
{
	uint64_t available;
	unsigned ends;

	do {
		ends = atomic_load_explicit(&source->ends, memory_order_acquire);
		available = atomic_load_explicit(&source->available, memory_order_acquire);
	} while (unlikely(ends != atomic_load_explicit(&source->ends, memory_order_relaxed)));
	if (ret_final)
		*ret_final = ends & 1;
	return available;
}

static bool offers(struct source *source)
{
	return source->ops->offers && source->ops->offers(source);
}

/* As source_wait; 1: there is something to be done for it. */
static int wait_or_help(struct source *source, uint64_t end)
{
	UTIL_LOCK_SCOPE(&source->lock);
	while (source->available < end && !source_final(source)) {
		if (source->cancelled)
			return -ECANCELED;
		if (offers(source))
			return 1;
		pthread_cond_wait(&source->changed, &source->lock);
	}
	return 0;
}

int source_wait(struct source *source, uint64_t end)
{
	bool final;
	int r;

	if (source_available(source, &final) >= end || final)
		return 0;
	while ((r = wait_or_help(source, end)) > 0)
		source->ops->help(source);
	return r;
}

/* The lock is held. A chain asks its last part, whose lock is behind its own. */
static int problem_code(struct source *source)
{
	return source->ops->problem ? source->ops->problem(source, NULL) : source->problem.code;
}

int source_wait_growth(struct source *source, uint64_t end)
{
	UTIL_LOCK_SCOPE(&source->lock);
	while (source->available <= end) {
		if (source->cancelled)
			return -ECANCELED;
		pthread_cond_wait(&source->changed, &source->lock);
	}
	return 0;
}

unsigned source_stirs(struct source *source)
{
	UTIL_LOCK_SCOPE(&source->lock);
	return source->stirs;
}

void source_stir(struct source *source)
{
	UTIL_LOCK_SCOPE(&source->lock);
	source->stirs++;
	pthread_cond_broadcast(&source->changed);
}

int source_wait_change(struct source *source, uint64_t end, int problem, unsigned stirs)
{
	UTIL_LOCK_SCOPE(&source->lock);
	while (source->available == end && source->stirs == stirs && !source_more(source) &&
	       (!source_final(source) || problem_code(source) == problem)) {
		if (source->cancelled)
			return -ECANCELED;
		pthread_cond_wait(&source->changed, &source->lock);
	}
	return 0;
}
