/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * While the kernel makes inodes of one part of a listing, the next is made ready, so that
 * nobody waits for that. Only of packets, whose entries never change, and never the last
 * part, behind which others may come. There is one, for whoever asks first.
 *
 * By a thread of its own: who answered a request is often on the core of the process that
 * asked, which waits there for its turn, while another core has nothing to do.
 */
#include "fs_internal.h"

int fs_prepare_open(struct fs_prepare *prepare, struct fs *fs)
{
	int r = pthread_mutex_init(&prepare->lock, NULL);

	if (r)
		return -r;
	r = pthread_cond_init(&prepare->changed, NULL);
	if (r)
		pthread_mutex_destroy(&prepare->lock);
	prepare->fs = fs;
	return -r;
}

void fs_prepare_close(struct fs_prepare *prepare)
{
	fs_buffer_drop(prepare->listing.bytes);
	pthread_cond_destroy(&prepare->changed);
	pthread_mutex_destroy(&prepare->lock);
}

void fs_prepare(struct fs_prepare *prepare, uint64_t node, const struct fs_listing *last)
{
	UTIL_LOCK_SCOPE(&prepare->lock);
	if (prepare->state == FS_PREPARE_LISTING)
		return;
	prepare->state = FS_PREPARE_WANTED;
	prepare->node = node;
	prepare->offset = last->next;
	prepare->listing.size = last->size;
	pthread_cond_signal(&prepare->changed);
}

bool fs_prepared(struct fs_prepare *prepare, const struct fs_request *request,
		 struct fs_listing *ret)
{
	char *before;

	UTIL_LOCK_SCOPE(&prepare->lock);
	if (prepare->state != FS_PREPARE_READY || prepare->node != request->node ||
	    prepare->offset != request->offset || prepare->listing.size != ret->size)
		return false;
	prepare->state = FS_PREPARE_IDLE;
	before = fs_buffer_swap(prepare->listing.bytes);
	*ret = prepare->listing;
	ret->req = request->req;
	prepare->listing.bytes = before;
	return true;
}

/* False: the end. */
static bool next_wanted(struct fs_prepare *prepare)
{
	UTIL_LOCK_SCOPE(&prepare->lock);
	while (prepare->state != FS_PREPARE_WANTED && !prepare->ending)
		pthread_cond_wait(&prepare->changed, &prepare->lock);
	prepare->state = FS_PREPARE_LISTING;
	return !prepare->ending;
}

static void end_listing(struct fs_prepare *prepare, bool ready)
{
	UTIL_LOCK_SCOPE(&prepare->lock);
	prepare->state = ready ? FS_PREPARE_READY : FS_PREPARE_IDLE;
}

static void *prepare_thread(void *context)
{
	struct fs_prepare *prepare = context;
	struct fs_listing *listing = &prepare->listing;
	bool ready;

	while (next_wanted(prepare)) {
		if (!listing->bytes && fs_buffer())
			listing->bytes = fs_buffer_swap(NULL);
		ready = listing->bytes && fs_list_lasting(prepare->fs, prepare->node,
							  prepare->offset, listing) == 0;
		end_listing(prepare, ready && listing->more);
	}
	return NULL;
}

int fs_prepare_start(struct fs_prepare *prepare)
{
	int r = pthread_create(&prepare->thread, NULL, prepare_thread, prepare);

	prepare->started = !r;
	return -r;
}

static void tell_end(struct fs_prepare *prepare)
{
	UTIL_LOCK_SCOPE(&prepare->lock);
	prepare->ending = true;
	pthread_cond_signal(&prepare->changed);
}

void fs_prepare_stop(struct fs_prepare *prepare)
{
	tell_end(prepare);
	if (prepare->started)
		pthread_join(prepare->thread, NULL);
	prepare->started = false;
}
