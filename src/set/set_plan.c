/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sizes come from what was counted: of the whole capture while it was
 * indexed, of a set while it was evaluated. Only the blocks around the packets
 * of a pcapng file (its frame) must be looked at: few mostly, but there are
 * captures with a million sections. So that is done in steps of FRAME_MS.
 */
#include "set_plan.h"

#include <string.h>

#include "set_internal.h"
#include "set_walk.h"

#define LINKTYPE_ETHERNET 1

#define FRAME_MS    50
#define FRAME_STEPS 64u /* between looks at the clock */

static bool is_whole(const struct set *set)
{
	return !set->predicate;
}

/* Keeps what was evaluated from being dropped: as set_require. */
static int pin(struct set *set, struct pktfs_error *ret_error)
{
	int r = 0;

	if (is_whole(set))
		return 0;
	UTIL_LOCK_SCOPE(&set->pool->lock);
	r = set_require(set);
	if (r == -EAGAIN)
		return error_set(ret_error, r, "the set is still being evaluated");
	if (r < 0)
		return error_set(ret_error, r, "the set cannot be evaluated");
	set->busy++;
	return 0;
}

static void unpin(struct set *set)
{
	if (is_whole(set))
		return;
	UTIL_LOCK_SCOPE(&set->pool->lock);
	set->busy--;
}

/* The `index`-th link type of the capture of which there are packets. */
static int used_link(pktfs_capture *capture, const struct set *set, unsigned index,
		     struct tally_link *ret)
{
	const struct tally_link *counted;
	struct tally_link link = {0};
	unsigned i;

	for (i = 0; pktfs_link_type_get(capture, i, &link.type) == 0; i++) {
		if (!is_whole(set)) {
			counted = set_tally_link(&set->tally, link.type.link_type);
			if (!counted)
				continue;
			link = *counted;
		}
		if (link.type.packets && index-- == 0) {
			*ret = link;
			return 0;
		}
	}
	return -ENOENT;
}

/* The `index`-th link type of a set, which is pinned. */
static int find_link(pktfs_capture *capture, const struct set *set, unsigned index,
		     struct tally_link *ret)
{
	struct tally_link link = {0};
	int r;

	r = used_link(capture, set, index, ret);
	if (r == 0 || index > 0 || pktfs_link_type_get(capture, 0, &link.type) < 0)
		return r;
	*ret = (struct tally_link){.type.link_type = link.type.link_type};
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
	r = set_encoder_section(capture, encoder->most, &header, ret_error);
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

/* Which interfaces a set uses, and their new numbers. */
static int copy_used(struct set_encoder *encoder, pktfs_capture *capture, const struct set *set)
{
	const struct interface_set *from = &set->tally.interfaces;
	struct interface_set *used = &encoder->used;
	uint64_t i, before = 0;
	int r = 0;

	if (from->count) {
		used->words = malloc(from->count * sizeof(*used->words));
		if (!used->words)
			return -ENOMEM;
		used->count = from->count;
		memcpy(used->words, from->words, from->count * sizeof(*used->words));
	} else {
		r = use_first_interface(used, capture);
	}
	if (r < 0)
		return r;
	if (!used->count)
		return put_nothing(encoder);
	encoder->before = malloc(used->count * sizeof(*encoder->before));
	for (i = 0; encoder->before && i < used->count; i++) {
		encoder->before[i] = before;
		before += (unsigned)__builtin_popcountll(used->words[i]);
	}
	return encoder->before ? 0 : -ENOMEM;
}

static int prepare_pcapng(struct set_encoder *encoder, pktfs_capture *capture,
			  const struct set *set)
{
	struct pktfs_status status;

	pktfs_status_get(capture, &status);
	encoder->mode = MODE_PCAPNG;
	encoder->metadata = status.metadata;
	return copy_used(encoder, capture, set);
}

static int walk_frame(struct set_walk *walk)
{
	int64_t deadline = set_now_ms() + FRAME_MS;
	int r;

	while ((r = set_walk_look(walk)) == 1) {
		r = set_walk_step(walk);
		if (r < 0)
			return r;
		if (walk->at.step % FRAME_STEPS == 0 && set_now_ms() > deadline)
			return -EAGAIN;
	}
	return r;
}

/* Goes on with the frame of a set for a while. 0 when it is complete. */
static int measure_frame(struct set_frame *frame, pktfs_capture *capture, const struct set *set)
{
	_cleanup_(set_encoder_free) struct set_encoder encoder = {0};
	struct set_walk walk;
	int r = prepare_pcapng(&encoder, capture, set);

	if (r == 0 && !frame->begun)
		r = set_walk_start(&encoder, capture, &frame->place);
	if (r < 0)
		return r;
	frame->begun = true;
	set_walk_begin(&walk, &encoder, capture, NULL, &frame->place);
	walk.frame_only = true;
	r = walk_frame(&walk);
	if (r == 0 || r == -EAGAIN)
		frame->place = walk.at;
	set_walk_end(&walk);
	return r;
}

/* One thread at a time works on a frame: 0, it is this one; 1, it is done. */
static int claim_frame(struct set *set)
{
	UTIL_LOCK_SCOPE(&set->pool->lock);
	if (set->frame.known)
		return 1;
	if (set->frame.busy)
		return -EAGAIN;
	set->frame.busy = true;
	return 0;
}

/* The bytes of a pinned set's frame. */
static int frame_bytes(struct set *set, uint64_t *ret, struct pktfs_error *ret_error)
{
	int r = claim_frame(set);

	if (r == 0) {
		r = measure_frame(&set->frame, set->pool->capture, set);
		pthread_mutex_lock(&set->pool->lock);
		set->frame.busy = false;
		set->frame.known = r == 0;
		pthread_mutex_unlock(&set->pool->lock);
	}
	if (r < 0)
		return error_set(ret_error, r, "the file's size is not known yet");
	*ret = set->frame.place.offset;
	return 0;
}

static int plan_pcapng(struct set_encoder *encoder, struct set *set,
		       struct pktfs_error *ret_error)
{
	uint64_t frame = 0;
	int r;

	if (is_whole(set))
		return error_set(ret_error, -ENOTSUP, "the capture is a pcapng file already");
	r = frame_bytes(set, &frame, ret_error);
	if (r < 0)
		return r;
	encoder->mode = MODE_PCAPNG;
	encoder->size = frame + set->tally.block_bytes;
	return 0;
}

/* Of a set that is pinned. */
static int plan(struct set_encoder *encoder, pktfs_capture *capture, struct set *set,
		enum export_format format, unsigned link, struct pktfs_error *ret_error)
{
	struct pktfs_status status;
	struct tally_link counted = {0};
	int r;

	pktfs_status_get(capture, &status);
	if (status.state == PKTFS_STATE_INDEXING)
		return error_set(ret_error, -EAGAIN, "the index is still being built");
	encoder->steps = status.metadata +
			 (is_whole(set) ? status.packets : set->totals.packets);
	if (format == EXPORT_PCAPNG && status.format == PKTFS_FORMAT_PCAPNG)
		return plan_pcapng(encoder, set, ret_error);
	r = find_link(capture, set, format == EXPORT_PCAPNG ? 0 : link, &counted);
	if (r < 0)
		return error_set(ret_error, r, "no such link type");
	if (format == EXPORT_PCAPNG)
		return plan_convert(encoder, capture, &counted, ret_error);
	return plan_pcap(encoder, &counted, ret_error);
}

int set_plan_size(struct set_encoder *ret, pktfs_capture *capture, struct set *set,
		  enum export_format format, unsigned link, struct pktfs_error *ret_error)
{
	int r = pin(set, ret_error);

	if (r < 0)
		return r;
	*ret = (struct set_encoder){0};
	r = plan(ret, capture, set, format, link, ret_error);
	unpin(set);
	return r;
}

int set_export_link_type(struct set *set, unsigned index, struct pktfs_link_type *ret)
{
	struct tally_link link = {0};
	struct pktfs_status status;
	int r;

	pktfs_status_get(set->pool->capture, &status);
	if (status.state == PKTFS_STATE_INDEXING)
		return -EAGAIN;
	r = pin(set, NULL);
	if (r < 0)
		return r;
	r = find_link(set->pool->capture, set, index, &link);
	unpin(set);
	if (r == 0)
		*ret = link.type;
	return r;
}

static int prepare(struct set_encoder *encoder, pktfs_capture *capture, struct set *set,
		   struct pktfs_error *ret_error)
{
	int r = 0;

	if (encoder->mode == MODE_PCAP)
		r = set_encoder_pcap(encoder, capture, is_whole(set), ret_error);
	else if (encoder->mode == MODE_CONVERT)
		r = set_encoder_section(capture, encoder->most, &encoder->header, ret_error);
	else
		r = prepare_pcapng(encoder, capture, set);
	if (r == 0)
		r = encoder->header.failed;
	return r < 0 ? error_set(ret_error, r, "the file cannot be made") : 0;
}

int set_plan_open(struct set_encoder *ret, pktfs_capture *capture, struct set *set,
		  enum export_format format, unsigned link, struct pktfs_error *ret_error)
{
	int r = pin(set, ret_error);

	if (r < 0)
		return r;
	*ret = (struct set_encoder){0};
	r = plan(ret, capture, set, format, link, ret_error);
	if (r == 0)
		r = prepare(ret, capture, set, ret_error);
	unpin(set);
	return r;
}
