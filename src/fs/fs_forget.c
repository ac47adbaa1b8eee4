/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has the kernel forget the pages that it keeps of a file, from a thread of
 * its own: the kernel waits for the lock of each page, and who has that lock
 * may wait for a read that is parked, or for the write whose refusal is the
 * reason. So neither a worker nor the parking thread may be the one that waits.
 */
#include "fs_internal.h"

#include "util/util_time.h"

int fs_forget_open(struct fs_forget *forget)
{
	int r = pthread_mutex_init(&forget->lock, NULL);

	if (r)
		return -r;
	r = pthread_cond_init(&forget->changed, NULL);
	if (r)
		pthread_mutex_destroy(&forget->lock);
	return -r;
}

void fs_forget_close(struct fs_forget *forget)
{
	pthread_cond_destroy(&forget->changed);
	pthread_mutex_destroy(&forget->lock);
}

/* Under the lock. One that is being forgotten just now is no longer queued,
 * so it is queued again: its pages may have changed behind the kernel's scan. */
static bool is_queued(const struct fs_forget *forget, uint64_t node)
{
	unsigned i;

	for (i = 0; i < forget->count; i++)
		if (forget->nodes[(forget->first + i) % FS_FORGET_MAX] == node)
			return true;
	return false;
}

void fs_forget(struct fs_forget *forget, uint64_t node)
{
	UTIL_LOCK_SCOPE(&forget->lock);
	if (forget->count == FS_FORGET_MAX || is_queued(forget, node))
		return;
	forget->nodes[(forget->first + forget->count) % FS_FORGET_MAX] = node;
	forget->count++;
	pthread_cond_signal(&forget->changed);
}

/* False: the end. */
static bool next_node(struct fs_forget *forget, uint64_t *ret)
{
	UTIL_LOCK_SCOPE(&forget->lock);
	while (!forget->count && !forget->ending)
		pthread_cond_wait(&forget->changed, &forget->lock);
	if (forget->ending)
		return false;
	*ret = forget->nodes[forget->first];
	forget->first = (forget->first + 1) % FS_FORGET_MAX;
	forget->count--;
	return true;
}

static void *forget_thread(void *context)
{
	struct fs_forget *forget = context;
	uint64_t node;

	while (next_node(forget, &node))
		fuse_lowlevel_notify_inval_inode(forget->session, node, 0, 0);
	return NULL;
}

int fs_forget_start(struct fs_forget *forget, struct fuse_session *session)
{
	int r;

	forget->session = session;
	r = pthread_create(&forget->thread, NULL, forget_thread, forget);
	forget->started = !r;
	return -r;
}

bool fs_forget_stop(struct fs_forget *forget, long nsec)
{
	struct timespec until = time_deadline(CLOCK_REALTIME, nsec);

	if (!forget->started)
		return true;
	pthread_mutex_lock(&forget->lock);
	forget->ending = true;
	pthread_cond_signal(&forget->changed);
	pthread_mutex_unlock(&forget->lock);
	forget->started = pthread_timedjoin_np(forget->thread, NULL, &until) != 0;
	return !forget->started;
}
