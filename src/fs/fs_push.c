/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives the pages of small files to the kernel before it asks (fs_ahead.h says
 * which), so that most of a grep -r makes no requests: a request costs two
 * changes from one process to the other, a pushed file one system call that
 * nobody waits for.
 *
 * From a thread of its own: the kernel waits for the lock of the page, and who
 * has that lock may be waiting for a READ. So no thread that answers requests
 * may be the one that waits; and this one holds no lock meanwhile. Where the
 * kernel does not know the inode it refuses.
 */
#include "fs_internal.h"

#include "util/util_time.h"

/* What is larger is read by the kernel in large requests. */
#define PUSH_SIZE_MAX ((size_t)64 << 10)

/* Of one run: somebody may have stopped reading. */
#define PUSH_RUN_BYTES ((size_t)4 << 20)

/* One after the other: of a set that has a part of the packets, only those are
 * known to the kernel, and not every packet has a payload. At the start of a run
 * it is likely that none is known. */
#define PUSH_REFUSED_MAX   24u
#define PUSH_REFUSED_FIRST 8u

int fs_push_open(struct fs_push *push, struct fs *fs)
{
	int r = pthread_mutex_init(&push->lock, NULL);

	if (r)
		return -r;
	r = pthread_cond_init(&push->changed, NULL);
	if (r)
		pthread_mutex_destroy(&push->lock);
	push->fs = fs;
	return -r;
}

void fs_push_close(struct fs_push *push)
{
	pthread_cond_destroy(&push->changed);
	pthread_mutex_destroy(&push->lock);
}

/* Under the lock. */
static void add_run(struct fs_push *push, const struct fs_ahead_run *run)
{
	if (push->count == FS_PUSH_RUNS) {
		fs_ahead_drop(&push->ahead, run, false);
		return;
	}
	push->runs[(push->first + push->count) % FS_PUSH_RUNS] = *run;
	push->count++;
	pthread_cond_signal(&push->changed);
}

void fs_push_read(struct fs_push *push, uint64_t node)
{
	struct fs_ahead_run run;

	if (!push->on || !view_lasting(node))
		return;
	UTIL_LOCK_SCOPE(&push->lock);
	if (fs_ahead_read(&push->ahead, node, &run))
		add_run(push, &run);
}

/* False: the end. */
static bool next_run(struct fs_push *push, struct fs_ahead_run *ret)
{
	UTIL_LOCK_SCOPE(&push->lock);
	while (!push->count && !push->ending)
		pthread_cond_wait(&push->changed, &push->lock);
	if (push->ending)
		return false;
	*ret = push->runs[push->first];
	push->first = (push->first + 1) % FS_PUSH_RUNS;
	push->count--;
	return true;
}

/* From here on the thread may be in the kernel for long: never after the end. */
static bool enter_kernel(struct fs_push *push)
{
	UTIL_LOCK_SCOPE(&push->lock);
	push->in_kernel = !push->ending;
	return push->in_kernel;
}

static void leave_kernel(struct fs_push *push, uint64_t node, int r)
{
	UTIL_LOCK_SCOPE(&push->lock);
	push->in_kernel = false;
	if (r == 0)
		fs_ahead_given(&push->ahead, node);
}

/* What became of one file: bytes that were pushed, 0 for none, or why it cannot
 * be pushed; -EAGAIN: nor can those behind it. */
static int64_t push_file(struct fs_push *push, uint64_t node)
{
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(0);
	char *buffer = fs_buffer();
	int64_t n = buffer ? fs_fill(push->fs, node, 0, buffer, PUSH_SIZE_MAX + 1) : -ENOMEM;
	int r;

	if (n <= 0 || n > (int64_t)PUSH_SIZE_MAX)
		return MIN(n, 0);
	bytes.buf[0].mem = buffer;
	bytes.buf[0].size = (size_t)n;
	if (!enter_kernel(push))
		return 0;
	r = fuse_lowlevel_notify_store(push->fs->session, node, 0, &bytes, 0);
	leave_kernel(push, node, r);
	return r < 0 ? r : n;
}

enum wish {
	WISH_NO,
	WISH_YES,
	WISH_END,
};

static enum wish wish_for(struct fs_push *push, uint64_t node)
{
	UTIL_LOCK_SCOPE(&push->lock);
	if (push->ending)
		return WISH_END;
	return fs_ahead_wanted(&push->ahead, node) ? WISH_YES : WISH_NO;
}

/* `rest` begins at a node that is not pushed. */
static void give_up(struct fs_push *push, const struct fs_ahead_run *rest, bool refused)
{
	UTIL_LOCK_SCOPE(&push->lock);
	fs_ahead_drop(&push->ahead, rest, refused);
}

static void end_block(struct fs_push *push, const struct fs_ahead_run *run)
{
	uint64_t next = run->from + (uint64_t)(int64_t)run->step;

	if (run->count > 1 && next / FS_AHEAD_BLOCK == run->from / FS_AHEAD_BLOCK)
		return;
	UTIL_LOCK_SCOPE(&push->lock);
	fs_ahead_done(&push->ahead, run->from);
}

static void push_run(struct fs_push *push, struct fs_ahead_run *run)
{
	unsigned refused = 0, limit = PUSH_REFUSED_FIRST;
	size_t pushed = 0;
	int64_t n;

	for (; run->count; run->count--, run->from += (uint64_t)(int64_t)run->step) {
		enum wish wish = wish_for(push, run->from);

		n = wish == WISH_YES ? push_file(push, run->from) : 0;
		if (n > 0) {
			pushed += (size_t)n;
			refused = 0;
			limit = PUSH_REFUSED_MAX;
		} else if (n < 0) {
			refused++;
		}
		if (wish == WISH_END || n == -EAGAIN || pushed > PUSH_RUN_BYTES ||
		    refused > limit) {
			give_up(push, run, refused > limit);
			return;
		}
		end_block(push, run);
	}
}

static void *push_thread(void *context)
{
	struct fs_push *push = context;
	struct fs_ahead_run run;

	while (next_run(push, &run))
		push_run(push, &run);
	fs_buffer_free();
	return NULL;
}

int fs_push_start(struct fs_push *push)
{
	int r = pthread_create(&push->thread, NULL, push_thread, push);

	push->on = push->started = !r;
	return -r;
}

/* False: it ends as soon as it can. */
static bool end_thread(struct fs_push *push)
{
	UTIL_LOCK_SCOPE(&push->lock);
	push->ending = true;
	pthread_cond_signal(&push->changed);
	return push->in_kernel;
}

bool fs_push_stop(struct fs_push *push, long nsec)
{
	struct timespec until = time_deadline(CLOCK_REALTIME, nsec);

	if (!push->started)
		return true;
	if (end_thread(push))
		push->started = pthread_timedjoin_np(push->thread, NULL, &until) != 0;
	else
		push->started = pthread_join(push->thread, NULL) != 0;
	return !push->started;
}
