/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few things that every module uses: cleanup attributes, checked sums,
 * and filling in a struct pktfs_error.
 *
 *	_cleanup_(text_free) struct text text = {0};
 *	_cleanup_close_ int fd = open(...);
 */
#ifndef UTIL_BASE_H
#define UTIL_BASE_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "pktfs/types.h"

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_	    _cleanup_(util_free_at)
#define _cleanup_close_	    _cleanup_(util_close_at)
#define _cleanup_unlock_    _cleanup_(util_unlock_at)
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define likely(x)	    __builtin_expect(!!(x), 1)
#define unlikely(x)	    __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a)	    (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	    ((a) < (b) ? (a) : (b))
#define MAX(a, b)	    ((a) > (b) ? (a) : (b))

/* Sums and products of values from a file: false when they overflow. */
#define add_ok(a, b, ret) (!__builtin_add_overflow((a), (b), (ret)))
#define mul_ok(a, b, ret) (!__builtin_mul_overflow((a), (b), (ret)))

static inline void util_free_at(void *pointer_at)
{
	free(*(void **)pointer_at);
}

/* close(2) that keeps errno and ignores negative descriptors. */
void util_close(int fd);

static inline void util_close_at(int *fd)
{
	util_close(*fd);
}

static inline void util_unlock_at(pthread_mutex_t **mutex)
{
	if (*mutex)
		pthread_mutex_unlock(*mutex);
}

/* Locks `mutex` until the end of the scope. */
#define UTIL_LOCK_SCOPE(mutex)                                                                     \
	_cleanup_unlock_ __attribute__((unused)) pthread_mutex_t *util_locked_ = (mutex);          \
	pthread_mutex_lock(util_locked_)

/*
 * Fill `ret` (NULL: do nothing) and return `code`, so that a failure is one
 * statement:
 *	return error_at(ret_error, -EBADMSG, offset, "block length: found %u; ...", n);
 */
int error_set(struct pktfs_error *ret, int code, const char *format, ...) _printf_(3, 4);
int error_at(struct pktfs_error *ret, int code, uint64_t offset, const char *format, ...)
	_printf_(4, 5);

/* `number` rounded up to a multiple of 4; the caller knows that it fits. */
static inline uint64_t util_pad4(uint64_t number)
{
	return (number + 3) & ~(uint64_t)3;
}

#endif
