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

#include <string.h>

#include "util/util_time.h"

/* What is larger is read by the kernel in large requests. */
#define PUSH_SIZE_MAX ((size_t)64 << 10)

/* Files that are read at a time: of one block, and as many as a buffer has room for. */
#define PUSH_BATCH 16u

_Static_assert(FS_AHEAD_BLOCK % PUSH_BATCH == 0, "no batch is of two blocks");
_Static_assert(PUSH_BATCH * PUSH_SIZE_MAX <= FS_READ_MAX, "each batch fits into a buffer");

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

/* Files of a run that were read and are still to be pushed: of one block, `count`
 * nodes from `first` on. */
struct batch {
	uint64_t first;
	unsigned count;
	char *bytes[PUSH_BATCH];
	int64_t sizes[PUSH_BATCH]; /* 0: nothing to push; negative: why it is not there */
};

/* The next files of the run: as many as are left up to where a batch ends. Batches
 * begin at their multiples, whatever the direction. */
static void next_batch(const struct fs_ahead_run *run, struct batch *ret)
{
	unsigned at = run->from % PUSH_BATCH;

	ret->count = MIN(run->count, run->step > 0 ? PUSH_BATCH - at : at + 1);
	ret->first = run->step > 0 ? run->from : run->from - (ret->count - 1);
}

enum wish {
	WISH_NO,
	WISH_YES,
	WISH_END,
};

/* Whether to read them: one of them is still wanted. */
static enum wish wish_for(struct fs_push *push, const struct batch *batch)
{
	unsigned i;

	UTIL_LOCK_SCOPE(&push->lock);
	if (push->ending)
		return WISH_END;
	for (i = 0; i < batch->count; i++)
		if (fs_ahead_wanted(&push->ahead, batch->first + i))
			return WISH_YES;
	return WISH_NO;
}

/* Whether to push this file. If so, the thread may be in the kernel for long from here
 * on: never after the end. */
static enum wish enter_kernel(struct fs_push *push, uint64_t node)
{
	UTIL_LOCK_SCOPE(&push->lock);
	if (push->ending)
		return WISH_END;
	push->in_kernel = fs_ahead_wanted(&push->ahead, node);
	return push->in_kernel ? WISH_YES : WISH_NO;
}

static void leave_kernel(struct fs_push *push, uint64_t node, int r)
{
	UTIL_LOCK_SCOPE(&push->lock);
	push->in_kernel = false;
	if (r == 0)
		fs_ahead_given(&push->ahead, node);
}

/* 0, or why none of them can be pushed; -ECANCELED: the end. */
static int read_batch(struct fs_push *push, struct batch *batch)
{
	enum wish wish = wish_for(push, batch);
	char *buffer = fs_buffer();
	size_t used = 0;
	unsigned i;
	int r;

	if (wish != WISH_YES) {
		memset(batch->sizes, 0, sizeof(batch->sizes));
		return wish == WISH_END ? -ECANCELED : 0;
	}
	if (!buffer)
		return -ENOMEM;
	r = view_read_lasting(push->fs->view, batch->first, batch->count, buffer, PUSH_SIZE_MAX,
			      batch->sizes);
	if (r < 0)
		return r;
	for (i = 0; i < batch->count; i++) {
		batch->bytes[i] = buffer + used;
		used += (size_t)MAX(batch->sizes[i], 0);
	}
	return 0;
}

/* What became of one file: bytes that were pushed, 0 for none, or why it cannot
 * be pushed; -EAGAIN: nor can those behind it; -ECANCELED: the end. */
static int64_t push_file(struct fs_push *push, const struct batch *batch, uint64_t node)
{
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(0);
	unsigned i = (unsigned)(node - batch->first);
	int64_t size = batch->sizes[i];
	enum wish wish;
	int r;

	if (size == -EFBIG)
		return 0;
	if (size <= 0)
		return size;
	wish = enter_kernel(push, node);
	if (wish != WISH_YES)
		return wish == WISH_END ? -ECANCELED : 0;
	bytes.buf[0].mem = batch->bytes[i];
	bytes.buf[0].size = (size_t)size;
	r = fuse_lowlevel_notify_store(push->fs->session, node, 0, &bytes, 0);
	leave_kernel(push, node, r);
	return r < 0 ? r : size;
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

/* How a run went so far. */
struct progress {
	size_t pushed;
	unsigned refused; /* one after the other */
	unsigned limit;   /* of them */
};

enum way {
	WAY_ON,
	WAY_END,     /* the rest is not pushed */
	WAY_REFUSED, /* nor can it be soon */
};

static enum way push_batch(struct fs_push *push, const struct batch *batch,
			   struct fs_ahead_run *run, struct progress *progress)
{
	unsigned left = batch->count;
	int64_t n;

	for (; left; left--, run->count--, run->from += (uint64_t)(int64_t)run->step) {
		n = push_file(push, batch, run->from);
		if (n > 0) {
			progress->pushed += (size_t)n;
			progress->refused = 0;
			progress->limit = PUSH_REFUSED_MAX;
		} else if (n < 0) {
			progress->refused++;
		}
		if (n == -EAGAIN || n == -ECANCELED || progress->pushed > PUSH_RUN_BYTES)
			return WAY_END;
		if (progress->refused > progress->limit)
			return WAY_REFUSED;
		end_block(push, run);
	}
	return WAY_ON;
}

static void push_run(struct fs_push *push, struct fs_ahead_run *run)
{
	struct progress progress = {.limit = PUSH_REFUSED_FIRST};
	enum way way = WAY_ON;
	struct batch batch;
	int r;

	while (run->count && way == WAY_ON) {
		next_batch(run, &batch);
		r = read_batch(push, &batch);
		if (r == 0)
			way = push_batch(push, &batch, run, &progress);
		else
			way = r == -ECANCELED ? WAY_END : WAY_REFUSED;
	}
	if (way != WAY_ON)
		give_up(push, run, way == WAY_REFUSED);
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
