/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_set.h"

#include <string.h>

struct set *view_set_of(struct view *view, uint64_t node)
{
	return set_by_id(view->sets, view_node_set(node));
}

static bool is_of_set(uint64_t node)
{
	switch (view_node_kind(node)) {
	case NODE_ROOT:
	case NODE_INFO_DIR:
	case NODE_INFO:
	case NODE_CAPTURE:
	case NODE_TSV:
	case NODE_PACKETS_DIR:
	case NODE_PAYLOAD_DIR:
	case NODE_BY:
	case NODE_QUESTIONS:
		return true;
	default:
		return false;
	}
}

int view_set_check(struct view *view, uint64_t node)
{
	return is_of_set(node) && !view_set_of(view, node) ? -ESTALE : 0;
}

uint64_t view_set_root(const struct set *set)
{
	return view_node_of_set(NODE_ROOT, set_id(set), VIEW_ROOT);
}

int view_set_payload(struct view *view, struct set *set, struct set **ret)
{
	return set_open(view->sets, set, SET_PAYLOAD, "", ret, NULL);
}

int view_set_status(struct view *view, struct set *set, struct pktfs_status *ret)
{
	struct set_status status;

	pktfs_status_get(view->capture, ret);
	if (set_kind(set) == SET_ALL)
		return 0;
	set_status(set, &status);
	if (status.failed)
		return status.failed;
	ret->packets = status.packets;
	ret->captured_bytes = status.captured_bytes;
	ret->original_bytes = status.original_bytes;
	ret->has_time = status.has_time;
	ret->first_time = status.first_time;
	ret->last_time = status.last_time;
	ret->min_time = status.min_time;
	ret->max_time = status.max_time;
	if (!status.complete)
		ret->state = PKTFS_STATE_INDEXING;
	else if (view_status_pending(ret))
		ret->state = PKTFS_STATE_COMPLETE;
	return 0;
}

bool view_set_changing(struct view *view, uint64_t node)
{
	struct set *set = view_set_of(view, node);
	struct pktfs_status status;

	if (!set || view_set_status(view, set, &status) < 0)
		return view_growing(view, node);
	return view_status_changing(&status);
}

bool view_set_soon(struct view *view, uint64_t node)
{
	struct set *set = is_of_set(node) ? view_set_of(view, node) : set_all(view->sets);
	struct pktfs_status capture;
	struct set_status status;

	pktfs_status_get(view->capture, &capture);
	if (!set || !capture.growing || view_status_pending(&capture))
		return false;
	if (set_kind(set) == SET_ALL)
		return true;
	set_status(set, &status);
	return !status.failed && status.passed + SET_CHUNK >= capture.packets;
}

int view_set_next(struct set *set, uint64_t *position)
{
	uint64_t number;
	int r = set_next(set, *position + 1, &number);

	if (r == 0)
		*position = number - 1;
	return r;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int view_set_expression(const char *name, char *ret, size_t room)
{
	size_t used = 0;
	int high, low;

	for (; *name; name++) {
		if (used + 1 >= room)
			return -ENAMETOOLONG;
		if (*name != '%') {
			ret[used++] = *name;
			continue;
		}
		high = hex_digit(name[1]);
		low = high < 0 ? -1 : hex_digit(name[2]);
		if (low < 0 || high + low == 0) /* no NUL in an expression */
			return -EINVAL;
		ret[used++] = (char)(high * 16 + low);
		name += 2;
	}
	ret[used] = '\0';
	return 0;
}

int view_set_open(struct view *view, struct set *parent, enum set_kind kind, const char *name,
		  struct set **ret)
{
	char expression[SET_MAX_EXPRESSION];
	struct pktfs_error error = {.text = "a % that is not followed by two hex digits"};
	int r = view_set_expression(name, expression, sizeof(expression));

	if (r == 0)
		r = set_open(view->sets, parent, kind, expression, ret, &error);
	if (r == 0 || r == -EAGAIN || r == -ENOMEM || r == -EMFILE || r == -ESTALE)
		return r;
	view_log(view, "by/: '%.200s': %s", name, error.text);
	return -ENOENT;
}
