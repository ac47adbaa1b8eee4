/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.pcapng, capture.pcap, capture.LINKTYPE.pcap: the packets of a set as
 * a file. For the set of all packets in the format that the source has: the
 * source's decoded bytes as they are. Otherwise made by `export`, once the set
 * is evaluated, as only then the size is known.
 *
 * A pcap file has one link type, so packets of several give a file for each;
 * packets of one (or none at all) give plain capture.pcap.
 */
#include <stdio.h>
#include <string.h>

#include "capture/capture_pin.h"
#include "view_export.h"

/* What a capture node is. */
struct file {
	struct set *set;
	enum export_format format;
	unsigned link;
	bool own; /* the source's bytes */
};

/*
 * Whether the decoded bytes of all files one behind the other are one capture
 * file of the first one's format: sections follow each other in a pcapng file, a
 * pcap file stands alone; nothing can follow what is cut or damaged. What is not
 * read yet may still be of another format: then -EAGAIN.
 */
static int is_whole(struct view *view, const struct pktfs_status *status)
{
	struct pktfs_file_status before;
	struct pktfs_file file;
	uint64_t number;
	int r;

	for (number = 1; !(r = pktfs_file_get(view->capture, number, &file)); number++) {
		if (status->format != PKTFS_FORMAT_PCAPNG || file.format != PKTFS_FORMAT_PCAPNG)
			return 0;
		if (!pktfs_file_status_get(view->capture, file.path - 1, &before) &&
		    before.state != PKTFS_STATE_COMPLETE)
			return 0;
	}
	return r == -ENOENT ? 1 : r;
}

static int file_of(struct view *view, uint64_t node, struct file *ret)
{
	uint64_t ordinal = view_node_set_ordinal(node);
	struct pktfs_status status;
	bool pcapng = ordinal == VIEW_CAPTURE_PCAPNG;
	int r;

	ret->set = view_set_of(view, node);
	if (!ret->set || (!pcapng && (ordinal < VIEW_CAPTURE_PCAP ||
				      ordinal >= VIEW_CAPTURE_PCAP + VIEW_LINK_TYPES_MAX)))
		return -ENOENT;
	pktfs_status_get(view->capture, &status);
	ret->format = pcapng ? EXPORT_PCAPNG : EXPORT_PCAP;
	ret->link = pcapng ? 0 : (unsigned)(ordinal - VIEW_CAPTURE_PCAP);
	ret->own = set_kind(ret->set) == SET_ALL &&
		   pcapng == (status.format == PKTFS_FORMAT_PCAPNG);
	if (!ret->own)
		return 0;
	r = is_whole(view, &status);
	ret->own = r > 0;
	return MIN(r, 0);
}

/* While it is being written, up to its last whole record; a capture that ends
 * inside one is shown as it is. */
static int own_size(const struct pktfs_status *status, uint64_t *ret)
{
	if (status->active && !view_status_pending(status)) {
		*ret = status->indexed_bytes;
		return 0;
	}
	*ret = status->decoded_bytes;
	return status->decoded_final ? 0 : -EAGAIN;
}

static int own_attributes(struct view *view, struct view_attributes *ret)
{
	struct pktfs_status status;
	int r;

	pktfs_status_get(view->capture, &status);
	r = own_size(&status, &ret->size);
	if (r < 0)
		return r;
	ret->time = view_time_of(view, &status);
	/* what frames of zstd declare may turn out wrong */
	ret->live = status.growing || (status.compression != PKTFS_COMPRESSION_NONE &&
				       view_status_pending(&status));
	return 0;
}

/* What cannot be made is said once, and is not there. */
static int export_attributes(struct view *view, uint64_t node, const struct file *file,
			     struct view_attributes *ret)
{
	struct pktfs_error error = {0};
	struct pktfs_status status;
	int r;

	pktfs_status_get(view->capture, &status);
	ret->time = view_time_of(view, &status);
	ret->live = status.growing;
	r = set_export_size(file->set, file->format, file->link, &ret->size, &error);
	if (r == 0 && status.growing)
		view_export_refresh(view, node);
	if (r != -ERANGE)
		return r;
	view_log_once(view, SAID_EXPORT, "capture.%s: not there: %s",
		      file->format == EXPORT_PCAP ? "pcap" : "pcapng", error.text);
	return -ENOENT;
}

static int capture_attributes(struct view *view, uint64_t node, struct view_attributes *ret)
{
	struct file file;
	int r = file_of(view, node, &file);

	if (r < 0)
		return r;
	return file.own ? own_attributes(view, ret) : export_attributes(view, node, &file, ret);
}

/* The kernel asks for whole pages. What is behind the size may yet change. */
static int64_t own_read(struct view *view, uint64_t offset, void *bytes, size_t size)
{
	struct pktfs_status status;
	uint64_t end;
	int r;

	pktfs_status_get(view->capture, &status);
	r = own_size(&status, &end);
	if (r < 0 || !status.followed)
		return pktfs_read(view->capture, offset, bytes, size);
	return offset < end ? pktfs_read(view->capture, offset, bytes,
					 (size_t)MIN(size, end - offset))
			    : 0;
}

static int64_t capture_read(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			    size_t size)
{
	struct file file;
	int r = file_of(view, node, &file);

	if (r < 0)
		return r;
	if (file.own)
		return own_read(view, offset, bytes, size);
	return view_export_read(view, node, file.set, file.format, file.link, offset, bytes, size);
}

/* Whatever is in the way, a read will say what it is. */
static int64_t own_pin(struct view *view, uint64_t node, uint64_t offset, size_t size,
		       const void **ret)
{
	struct pktfs_status status;
	struct file file;
	uint64_t end;

	pktfs_status_get(view->capture, &status);
	if (file_of(view, node, &file) < 0 || !file.own || own_size(&status, &end) < 0 ||
	    offset >= end)
		return -EOPNOTSUPP;
	size = (size_t)MIN(size, end - offset);
	return capture_pin(view->capture, offset, size, ret) < 0 ? -EOPNOTSUPP : (int64_t)size;
}

const struct view_kind view_kind_capture = {
	.attributes = capture_attributes,
	.read = capture_read,
	.pin = own_pin,
};

/* The name of the pcap file of link type `link` of a set. A pcap source has
 * one link type, so the name is known before the set is evaluated. Of a set in
 * which another appears, the first gets another name, too. */
static int pcap_name(struct view *view, struct set *set, unsigned link, char name[VIEW_NAME_ROOM])
{
	struct pktfs_link_type type, second;
	struct pktfs_status status;
	char room[VIEW_LINK_TYPE_ROOM];
	int r;

	pktfs_status_get(view->capture, &status);
	snprintf(name, VIEW_NAME_ROOM, "capture.pcap");
	r = status.format != PKTFS_FORMAT_PCAPNG ? is_whole(view, &status) : 0;
	if (r)
		return r < 0 || !link ? MIN(r, 0) : -ENOENT;
	r = set_export_link_type(set, link, &type);
	if (r < 0)
		return r;
	if (link || set_export_link_type(set, 1, &second) == 0)
		snprintf(name, VIEW_NAME_ROOM, "capture.%s.pcap",
			 view_link_type(type.link_type, room));
	return 0;
}

int view_capture_find(struct view *view, uint64_t root, const char *name, uint64_t *ret_child)
{
	struct set *set = view_set_of(view, root);
	char known[VIEW_NAME_ROOM];
	unsigned link;
	int r = 0;

	*ret_child = view_node_in_set(NODE_CAPTURE, root, VIEW_CAPTURE_PCAPNG);
	if (!strcmp(name, "capture.pcapng"))
		return 0;
	if (!set || strncmp(name, "capture.", 8) || !strstr(name, "pcap"))
		return -ENOENT;
	for (link = 0; link < VIEW_LINK_TYPES_MAX && r == 0; link++) {
		r = pcap_name(view, set, link, known);
		*ret_child = view_node_in_set(NODE_CAPTURE, root, VIEW_CAPTURE_PCAP + link);
		if (r == 0 && !strcmp(known, name))
			return 0;
	}
	return r < 0 ? r : -ENOENT;
}

int view_capture_child(struct view *view, uint64_t root, uint64_t position, struct view_child *ret)
{
	struct set *set = view_set_of(view, root);
	struct view_attributes attributes;
	unsigned link = (unsigned)position - 1;
	int r = set ? 0 : -ENOENT;

	if (position == 0) {
		snprintf(ret->name, sizeof(ret->name), "capture.pcapng");
		ret->node = view_node_in_set(NODE_CAPTURE, root, VIEW_CAPTURE_PCAPNG);
	} else if (r == 0) {
		r = pcap_name(view, set, link, ret->name);
		ret->node = view_node_in_set(NODE_CAPTURE, root, VIEW_CAPTURE_PCAP + link);
	}
	return r < 0 ? r : capture_attributes(view, ret->node, &attributes);
}
