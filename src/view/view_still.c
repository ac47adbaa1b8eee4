/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures whose file another program may go on writing, but does not just now.
 * Nearly every mount is one, so what the kernel may keep of it is worth as much
 * as of a capture that cannot change; only never for long without a question.
 */
#include "view_set.h"

static bool is_still(const struct pktfs_status *status)
{
	return status->followed && !status->active && !view_status_pending(status);
}

/* The status of the set that `node` is in: false where that may change without
 * the capture. */
static bool set_is_still(struct view *view, uint64_t node, struct pktfs_status *ret)
{
	struct set *set = view_set_of(view, node);

	return set && view_set_status(view, set, ret) == 0 && is_still(ret);
}

bool view_still(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	switch (view_node_kind(node)) {
	case NODE_INFO:
		return !view_info_unsteady(node) && set_is_still(view, node, &status);
	case NODE_CAPTURE:
	case NODE_TSV:
		return set_is_still(view, node, &status);
	case NODE_INTERFACE:
	case NODE_STATISTICS:
		pktfs_status_get(view->capture, &status);
		return is_still(&status);
	default:
		return false;
	}
}

bool view_list_still(struct view *view, uint64_t node, uint64_t *ret_version)
{
	struct pktfs_status status, capture;

	VIEW_SETS_SCOPE(view);
	pktfs_status_get(view->capture, &capture);
	switch (view_node_kind(node)) {
	case NODE_PACKETS_DIR:
	case NODE_PAYLOAD_DIR: /* waits for what has payload */
		if (!set_is_still(view, node, &status))
			return false;
		break;
	case NODE_BLOCKS_DIR:
	case NODE_SECTIONS_DIR:
	case NODE_INTERFACES_DIR:
		if (!is_still(&capture))
			return false;
		break;
	default:
		return false;
	}
	/* none of these ever goes down */
	*ret_version = capture.packets + capture.metadata + capture.sections + capture.interfaces;
	return true;
}
