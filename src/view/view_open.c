/* SPDX-License-Identifier: BSD-2-Clause */
#include "view.h"

#include <string.h>

#include "append/append.h"
#include "view_export.h"
#include "view_file.h"
#include "view_named.h"
#include "view_text.h"

static void log_line(void *context, const char *line)
{
	view_log(context, "%s", line);
}

int view_open(pktfs_capture *capture, const struct view_options *options, struct view **ret)
{
	struct pktfs_status status;
	struct view *view = calloc(1, sizeof(*view));
	int r;

	if (!view)
		return -ENOMEM;
	pthread_mutex_init(&view->catalog.lock, NULL);
	view->capture = capture;
	view->uid = options->uid;
	view->gid = options->gid;
	view->umask = options->umask;
	view->path = strdup(options->path ? options->path : "-");
	view->cache = view_cache_new();
	view->ring = view_ring_new();
	view->named = view_named_new();
	view->exports = view_export_cache_new();
	view->files = view_files_new();
	pktfs_status_get(capture, &status);
	view->file_time = status.file_time;
	r = view->path && view->cache && view->ring && view->named && view->exports && view->files
		    ? 0
		    : -ENOMEM;
	if (r == 0)
		r = set_pool_open(capture, 0, options->sets_memory, &view->sets);
	if (r == 0 && options->append) {
		view->append = options->append;
		r = append_start(view->append, capture, view_node(NODE_APPEND_PENDING, 0), log_line,
				 view);
	}
	if (r < 0) {
		view_close(view);
		return r;
	}
	*ret = view;
	return 0;
}

void view_close(struct view *view)
{
	if (!view)
		return;
	/* the threads of the pool wait for the index, which may never come */
	pktfs_cancel(view->capture);
	view_export_cache_free(view->exports);
	view_named_free(view->named);
	view_files_free(view->files);
	set_pool_close(view->sets);
	view_catalog_free(&view->catalog);
	view_cache_free(view->cache);
	view_ring_free(view->ring);
	pthread_mutex_destroy(&view->catalog.lock);
	free(view->path);
	free(view);
}

/* What has come to a file that grows is all there soon. */
bool view_still_fed(struct view *view)
{
	struct pktfs_status status;

	pktfs_status_get(view->capture, &status);
	return !status.decoded_final && (view_status_pending(&status) || !status.growing);
}

bool view_changing(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	(void)node;
	pktfs_status_get(view->capture, &status);
	return view_status_changing(&status);
}

bool view_growing(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	(void)node;
	pktfs_status_get(view->capture, &status);
	return status.growing;
}

struct pktfs_time view_time_of(const struct view *view, const struct pktfs_status *status)
{
	return status->growing ? status->file_time : view->file_time;
}

bool view_unknown(struct view *view, uint64_t node, const char *name)
{
	uint64_t child;

	return view_kind_of(node)->find(view, node, name, &child) == -ENOENT;
}

uint64_t view_endless(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return UINT64_MAX;
}

uint64_t view_parent_root(struct view *view, uint64_t node)
{
	(void)view;
	return view_node_in_set(NODE_ROOT, node, 1);
}

int view_number_check(struct view *view, const struct pktfs_status *status, uint64_t number,
		      uint64_t count)
{
	struct pktfs_file second;

	if (number < count)
		return 0;
	/* a pcap alone: there is one of everything, from the start */
	if (status->format != PKTFS_FORMAT_PCAPNG &&
	    pktfs_file_get(view->capture, 1, &second) == -ENOENT)
		return -ENOENT;
	return view_status_pending(status) ? -EAGAIN : -ENOENT;
}

/*
 * For statfs. Each section, interface, file and packet counts once, with the dozen
 * files of info/ and the rest of the root beside them.
 */
void view_totals(struct view *view, uint64_t *ret_files, uint64_t *ret_bytes)
{
	struct pktfs_status status;

	pktfs_status_get(view->capture, &status);
	*ret_files = status.packets + status.metadata + status.sections + status.interfaces +
		     pktfs_files(view->capture) + 32;
	*ret_bytes = status.captured_bytes;
}
