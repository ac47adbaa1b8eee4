/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sizes come from what was counted: of the whole capture while it was
 * indexed, of a set while it was evaluated. Only the blocks around the packets
 * of a pcapng file (set_frame.h) must be looked at.
 *
 * A capture may grow meanwhile. So what is planned is planned for one state of
 * it: first a snapshot is taken, and all the rest is made from that.
 */
#include "set_plan.h"

#include <string.h>

#include "set_internal.h"

#define LINKTYPE_ETHERNET 1

/* What is known of a set that is complete, all of the same moment. */
struct snapshot {
	struct pktfs_status status;
	uint64_t members;
	/* the link types that packets have, in order of appearance in the
	 * capture; where there are no packets, the capture's first */
	struct tally_link links[TALLY_LINKS];
	unsigned link_count;
	/* of a set: */
	uint64_t block_bytes;
	bool frame_known;
	uint64_t frame;
};

static bool is_whole(const struct set *set)
{
	return !set->predicate;
}

static void add_link(struct snapshot *snapshot, const struct tally_link *link)
{
	if (link->type.packets && snapshot->link_count < TALLY_LINKS)
		snapshot->links[snapshot->link_count++] = *link;
}

static void add_first_link(struct snapshot *snapshot, pktfs_capture *capture)
{
	struct pktfs_link_type type;

	if (snapshot->link_count || pktfs_link_type_get(capture, 0, &type) < 0)
		return;
	snapshot->links[0] = (struct tally_link){.type.link_type = type.link_type};
	snapshot->link_count = 1;
}

/*
 * Whether the link types, which are counted one by one, are those of the
 * status: the counters only grow, and those of a packet before the status that
 * counts it, so they are if their sums are the same after they were copied.
 */
static bool is_of_status(pktfs_capture *capture, const struct pktfs_status *status)
{
	uint64_t packets = 0, captured_bytes = 0;
	struct pktfs_link_type type;
	unsigned i;

	for (i = 0; pktfs_link_type_get(capture, i, &type) == 0; i++) {
		packets += type.packets;
		captured_bytes += type.captured_bytes;
	}
	return i >= TALLY_LINKS || /* then not all are told apart */
	       (packets == status->packets && captured_bytes == status->captured_bytes);
}

static int take_whole(pktfs_capture *capture, struct snapshot *snapshot)
{
	struct tally_link link = {0};
	unsigned i;

	pktfs_status_get(capture, &snapshot->status);
	if (snapshot->status.state == PKTFS_STATE_INDEXING)
		return -EAGAIN;
	snapshot->members = snapshot->status.packets;
	for (i = 0; pktfs_link_type_get(capture, i, &link.type) == 0; i++)
		add_link(snapshot, &link);
	return is_of_status(capture, &snapshot->status) ? 0 : -EAGAIN;
}

/* With the lock held: 0 and the status, or what set_require says. */
static int require_status(struct set *set, struct pktfs_status *ret)
{
	int r = set_require(set);

	if (r < 0)
		return r;
	pktfs_status_get(set->pool->capture, ret);
	return set->passed == ret->packets ? 0 : set_require(set);
}

static int take_set(struct set *set, struct snapshot *snapshot)
{
	pktfs_capture *capture = set->pool->capture;
	const struct tally_link *link;
	struct pktfs_link_type type;
	unsigned i;
	int r;

	UTIL_LOCK_SCOPE(&set->pool->lock);
	r = require_status(set, &snapshot->status);
	if (r < 0)
		return r;
	snapshot->members = set->counts.packets;
	snapshot->block_bytes = set->tally.block_bytes;
	for (i = 0; pktfs_link_type_get(capture, i, &type) == 0; i++) {
		link = set_tally_link(&set->tally, type.link_type);
		if (link)
			add_link(snapshot, link);
	}
	snapshot->frame_known = set_frame_known(set->frame, set->passed,
						snapshot->status.metadata, &snapshot->frame);
	return 0;
}

static int take(struct set *set, struct snapshot *snapshot, struct pktfs_error *ret_error)
{
	int r;

	*snapshot = (struct snapshot){0};
	r = is_whole(set) ? take_whole(set->pool->capture, snapshot) : take_set(set, snapshot);
	if (r == -EAGAIN)
		return error_set(ret_error, r, "the set is still being evaluated");
	if (r < 0)
		return error_set(ret_error, r, "the set cannot be evaluated");
	add_first_link(snapshot, set->pool->capture);
	return 0;
}

/* The times of a link type are saturated, so they are not fit to be shown. */
static int check_times(const struct pktfs_link_type *link, struct pktfs_error *ret_error)
{
	const char *found;

	if (!link->has_time)
		return 0;
	if (link->min_time.sec < 0)
		found = "before 1970";
	else if (link->max_time.sec > (int64_t)UINT32_MAX)
		found = "after 2106-02-07T06:28:15Z";
	else
		return 0;
	return error_set(ret_error, -ERANGE,
			 "conversion to pcap: found a packet %s; pcap holds 1970 to 2106", found);
}

static int plan_pcap(struct set_encoder *encoder, const struct tally_link *link,
		     struct pktfs_error *ret_error)
{
	const struct pktfs_link_type *type = &link->type;
	int r = check_times(type, ret_error);

	if (r < 0)
		return r;
	encoder->mode = MODE_PCAP;
	encoder->link_type = type->link_type;
	encoder->most = link->max_captured;
	encoder->pcap = (struct write_pcap_header){
		.nanosecond = type->fine,
		.link_type = type->link_type,
		.fcs_length = -1,
	};
	encoder->size = WRITE_PCAP_HEADER_SIZE + type->packets * WRITE_PCAP_RECORD_SIZE +
			type->captured_bytes;
	return 0;
}

static int plan_convert(struct set_encoder *encoder, pktfs_capture *capture,
			const struct tally_link *link, struct pktfs_error *ret_error)
{
	_cleanup_(text_free) struct text header = {0};
	int r;

	encoder->mode = MODE_CONVERT;
	encoder->most = link->max_captured;
	r = set_encoder_section(capture, 0, encoder->most, &header, ret_error);
	encoder->size = header.size + link->type.packets * WRITE_EPB_SIZE +
			link->type.padded_bytes;
	return r;
}

/* An empty set has the first interface: all of a section's may be of different
 * link types, which tcpdump does not read. */
static int use_first_interface(struct interface_set *used, pktfs_capture *capture)
{
	struct pktfs_interface interface;
	int r = pktfs_interface_get(capture, 0, &interface, NULL);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = pktfs_interface_release(&interface);
	return r < 0 ? r : interface_set_add(used, 0);
}

/* A capture without any interface has no packets either; libpcap and editcap
 * read nothing that has none, so it is given one. */
static int put_nothing(struct set_encoder *encoder)
{
	const struct write_interface idb = {
		.link_type = LINKTYPE_ETHERNET,
		.resolution = 6,
		.fcs_length = -1,
	};

	encoder->mode = MODE_CONVERT;
	write_shb(&encoder->header, false, (struct pktfs_options){0}, set_application);
	write_idb(&encoder->header, false, &idb);
	return encoder->header.failed;
}

/* Copies which interfaces a set uses, if it is in the state of the snapshot. */
static int copy_used(struct interface_set *used, struct set *set, const struct snapshot *snapshot)
{
	const struct interface_set *from = &set->tally.interfaces;

	UTIL_LOCK_SCOPE(&set->pool->lock);
	if (set->passed != snapshot->status.packets) {
		set_require(set);
		return -EAGAIN;
	}
	if (!from->count)
		return 0;
	used->words = malloc(from->count * sizeof(*used->words));
	if (!used->words)
		return -ENOMEM;
	used->count = from->count;
	memcpy(used->words, from->words, from->count * sizeof(*used->words));
	return 0;
}

/* The new numbers of the interfaces. */
static int number_used(struct set_encoder *encoder)
{
	const struct interface_set *used = &encoder->used;
	uint64_t i, before = 0;

	encoder->before = malloc(used->count * sizeof(*encoder->before));
	if (!encoder->before)
		return -ENOMEM;
	for (i = 0; i < used->count; i++) {
		encoder->before[i] = before;
		before += (unsigned)__builtin_popcountll(used->words[i]);
	}
	return 0;
}

static int prepare_pcapng(struct set_encoder *encoder, struct set *set,
			  const struct snapshot *snapshot)
{
	pktfs_capture *capture = set->pool->capture;
	int r = copy_used(&encoder->used, set, snapshot);

	if (r == 0 && !encoder->used.count)
		r = use_first_interface(&encoder->used, capture);
	if (r < 0)
		return r;
	if (!encoder->used.count)
		return put_nothing(encoder);
	r = number_used(encoder);
	if (r == 0 && snapshot->status.growing)
		r = set_encoder_keep_statistics(encoder, capture);
	return r;
}

/* Prepares it all, too, unless the size alone is wanted and known. */
static int plan_pcapng(struct set_encoder *encoder, struct set *set,
		       const struct snapshot *snapshot, bool open, struct pktfs_error *ret_error)
{
	uint64_t frame = snapshot->frame;
	int r = 0;

	if (is_whole(set))
		return error_set(ret_error, -ENOTSUP, "the capture is a pcapng file already");
	encoder->mode = MODE_PCAPNG;
	if (open || !snapshot->frame_known) {
		r = prepare_pcapng(encoder, set, snapshot);
		if (r == 0)
			r = set_frame_measure(set, encoder, &frame);
	}
	if (r < 0)
		return error_set(ret_error, r, "the file's size is not known yet");
	encoder->size = frame + snapshot->block_bytes;
	return 0;
}

/* Sections are all of pcapng files, or come from several files; one that is not
 * is a pcap file. */
static bool is_pcapng(const struct pktfs_status *status)
{
	return status->format == PKTFS_FORMAT_PCAPNG || status->sections > 1;
}

static int plan(struct set_encoder *encoder, struct set *set, const struct snapshot *snapshot,
		enum export_format format, unsigned link, bool open,
		struct pktfs_error *ret_error)
{
	const struct pktfs_status *status = &snapshot->status;

	encoder->packets = status->packets;
	encoder->metadata = status->metadata;
	encoder->sections = status->sections;
	encoder->members = snapshot->members;
	encoder->steps = status->metadata + snapshot->members;
	if (format == EXPORT_PCAPNG && is_pcapng(status))
		return plan_pcapng(encoder, set, snapshot, open, ret_error);
	if (format == EXPORT_PCAPNG)
		link = 0;
	if (link >= snapshot->link_count)
		return error_set(ret_error, -ENOENT, "no such link type");
	if (format == EXPORT_PCAPNG)
		return plan_convert(encoder, set->pool->capture, &snapshot->links[link],
				    ret_error);
	return plan_pcap(encoder, &snapshot->links[link], ret_error);
}

/* Keeps what was evaluated, which the frame is part of, from being dropped. */
static void pin(struct set *set, int change)
{
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->busy += (unsigned)change;
}

static int take_and_plan(struct set_encoder *encoder, struct set *set, enum export_format format,
			 unsigned link, bool open, struct pktfs_error *ret_error)
{
	struct snapshot snapshot;
	int r;

	*encoder = (struct set_encoder){0};
	pin(set, 1);
	r = take(set, &snapshot, ret_error);
	if (r == 0)
		r = plan(encoder, set, &snapshot, format, link, open, ret_error);
	pin(set, -1);
	return r;
}

int set_plan_size(struct set *set, enum export_format format, unsigned link, uint64_t *ret_size,
		  struct pktfs_error *ret_error)
{
	_cleanup_(set_encoder_free) struct set_encoder encoder;
	int r = take_and_plan(&encoder, set, format, link, false, ret_error);

	if (r == 0)
		*ret_size = encoder.size;
	return r;
}

int set_export_link_type(struct set *set, unsigned index, struct pktfs_link_type *ret)
{
	struct snapshot snapshot;
	int r = take(set, &snapshot, NULL);

	if (r < 0)
		return r;
	if (index >= snapshot.link_count)
		return -ENOENT;
	*ret = snapshot.links[index].type;
	return 0;
}

int set_plan_open(struct set_encoder *ret, struct set *set, enum export_format format,
		  unsigned link, struct pktfs_error *ret_error)
{
	pktfs_capture *capture = set->pool->capture;
	int r = take_and_plan(ret, set, format, link, true, ret_error);

	if (r < 0)
		return r;
	if (ret->mode == MODE_PCAP)
		r = set_encoder_pcap(ret, capture, is_whole(set), ret_error);
	else if (ret->mode == MODE_CONVERT && !ret->header.size)
		r = set_encoder_section(capture, 0, ret->most, &ret->header, ret_error);
	if (r == 0)
		r = ret->header.failed;
	return r < 0 ? error_set(ret_error, r, "the file cannot be made") : 0;
}
