/* SPDX-License-Identifier: BSD-2-Clause */
#include "set_export.h"

#include <string.h>

#include "set_internal.h"
#include "set_plan.h"
#include "set_sums.h"

/*
 * Places where reads have ended, so that a sequential reader goes on from
 * there: it neither walks from the start of a span nor needs any sums. More
 * than one for readers that take turns, and for reads ahead by the kernel that
 * overtake each other.
 */
#define EXPORT_POSITIONS 16

/* How far a read walks from a known place while the sums are still being
 * made; what lies farther off is -EAGAIN. About two milliseconds; steps that
 * are not over packets of the file may be slower. */
#define EXPORT_WALK_BYTES ((uint64_t)4 << 20)
#define EXPORT_WALK_STEPS 16384u

struct export
{
	pktfs_capture *capture;
	struct set *set;
	struct set_encoder encoder;
	struct set_sums sums;
	pthread_mutex_t lock; /* of sums.started and of: */
	struct set_place positions[EXPORT_POSITIONS];
	unsigned next_position;
};

/* A read under way. */
struct reading {
	struct export *export;
	struct set_walk walk;
	unsigned slot;   /* of `positions`, where the end is noted */
	uint64_t offset; /* of the next byte that is wanted */
	uint8_t *bytes;  /* where to */
	size_t left;
	uint64_t skipped; /* steps that were not over packets of the file */
};

/* Whether the capture is several files, not all of which are pcapng. */
static bool is_mixed(pktfs_capture *capture)
{
	struct pktfs_file file;
	bool mixed = false;
	uint64_t i;

	for (i = 0; pktfs_file_get(capture, i, &file) == 0; i++)
		mixed |= file.format != PKTFS_FORMAT_PCAPNG;
	return mixed && i > 1;
}

/* What is evaluated of sets is not known of the set of all packets, which is
 * needed where that is to be a pcapng file but is not one. */
static int exported_set(struct set **set, enum export_format format,
			struct pktfs_error *ret_error)
{
	struct set_pool *pool = (*set)->pool;

	if ((*set)->predicate || format != EXPORT_PCAPNG || !is_mixed(pool->capture))
		return 0;
	return set_open(pool, pool->all, SET_RANGE, "1-", set, ret_error);
}

int set_export_size(struct set *set, enum export_format format, unsigned link,
		    uint64_t *ret_size, struct pktfs_error *ret_error)
{
	int r = exported_set(&set, format, ret_error);

	return r < 0 ? r : set_plan_size(set, format, link, ret_size, ret_error);
}

int set_export_open(struct set *set, enum export_format format, unsigned link,
		    struct export **ret, struct pktfs_error *ret_error)
{
	int r = exported_set(&set, format, ret_error);
	struct export *export = r == 0 ? calloc(1, sizeof(*export)) : NULL;

	if (!export)
		return r < 0 ? r : error_set(ret_error, -ENOMEM, "no memory");
	export->capture = set_pool_capture(set_pool_of(set));
	export->set = set;
	set_ref(set);
	pthread_mutex_init(&export->lock, NULL);
	r = set_plan_open(&export->encoder, set, format, link, ret_error);
	if (r == 0) {
		r = set_sums_init(&export->sums, export->capture, set, &export->encoder);
		if (r < 0)
			error_set(ret_error, r, "the file cannot be made");
	}
	if (r < 0) {
		export_close(export);
		return r;
	}
	*ret = export;
	return 0;
}

void export_close(struct export *export)
{
	if (!export)
		return;
	set_sums_end(&export->sums);
	pthread_mutex_destroy(&export->lock);
	set_encoder_free(&export->encoder);
	set_unref(export->set);
	free(export);
}

/* Whether the set is known to have no more packets than the file. */
static bool is_up_to_date(struct export *export, const struct pktfs_status *status)
{
	struct set *set = export->set;

	if (status->packets == export->encoder.packets)
		return true;
	UTIL_LOCK_SCOPE(&set->pool->lock);
	return set->predicate && set->passed >= status->packets &&
	       set->counts.packets == export->encoder.members;
}

bool export_outgrown(struct export *export)
{
	const struct set_encoder *encoder = &export->encoder;
	struct pktfs_status status;

	pktfs_status_get(export->capture, &status);
	return status.metadata != encoder->metadata || status.sections != encoder->sections ||
	       !is_up_to_date(export, &status);
}

/* Whether all before the packets of the last section is the same. */
static bool begins_alike(const struct set_encoder *a, const struct set_encoder *b)
{
	if (a->mode != b->mode)
		return false;
	if (a->mode == MODE_PCAPNG)
		return a->metadata == b->metadata && a->used.count == b->used.count &&
		       memcmp(a->used.words, b->used.words,
			      a->used.count * sizeof(*a->used.words)) == 0;
	return a->link_type == b->link_type && a->header.size == b->header.size &&
	       memcmp(a->header.bytes, b->header.bytes, a->header.size) == 0;
}

void export_follow(struct export *export, struct export *before)
{
	unsigned i, kept = 0;

	if (!begins_alike(&export->encoder, &before->encoder))
		return;
	UTIL_LOCK_SCOPE(&before->lock);
	for (i = 0; i < EXPORT_POSITIONS; i++)
		if (before->positions[i].step && before->positions[i].phase <= PHASE_PACKETS)
			export->positions[kept++] = before->positions[i];
	export->next_position = kept % EXPORT_POSITIONS;
}

/* Chooses where to start: the nearest place before the offset. */
static struct set_place choose_start(struct reading *reading)
{
	struct export *export = reading->export;
	struct set_place *position, best = set_sums_find(&export->sums, reading->offset);
	unsigned i;

	UTIL_LOCK_SCOPE(&export->lock);
	reading->slot = EXPORT_POSITIONS;
	for (i = 0; i < EXPORT_POSITIONS; i++) {
		position = &export->positions[i];
		if (position->offset <= reading->offset && position->step > best.step) {
			best = *position;
			reading->slot = i;
		}
	}
	if (reading->slot == EXPORT_POSITIONS)
		reading->slot = export->next_position++ % EXPORT_POSITIONS;
	return best;
}

static void note_end(struct reading *reading)
{
	UTIL_LOCK_SCOPE(&reading->export->lock);
	reading->export->positions[reading->slot] = reading->walk.at;
}

/* -EAGAIN, and sees to it that trying again will help. */
static int too_far(struct export *export)
{
	int state = set_sums_state(&export->sums);

	if (state < 0)
		return state;
	UTIL_LOCK_SCOPE(&export->lock);
	set_sums_start(&export->sums); /* if it fails: at the next read */
	return -EAGAIN;
}

/* Copies what is wanted of a part that is at `at`. */
static void copy_part(struct reading *reading, uint64_t at, const struct set_part *part)
{
	uint64_t skip = reading->offset - at;
	size_t size;

	if (skip >= part->size || reading->left == 0)
		return;
	size = MIN(part->size - (size_t)skip, reading->left);
	memcpy(reading->bytes, (const uint8_t *)part->bytes + skip, size);
	reading->offset += size;
	reading->bytes += size;
	reading->left -= size;
}

static int copy_piece(struct reading *reading)
{
	struct set_part parts[WALK_PARTS];
	uint64_t at = reading->walk.at.offset;
	int r = set_walk_parts(&reading->walk, parts), i;

	for (i = 0; r == 0 && i < WALK_PARTS; i++) {
		copy_part(reading, at, &parts[i]);
		at += parts[i].size;
	}
	return r;
}

/* After a step that gave nothing: jumps over spans without any, and ends a
 * walk that becomes long. */
static int skip(struct reading *reading)
{
	struct export *export = reading->export;
	uint64_t mask = (UINT64_C(1) << export->sums.shift) - 1;
	bool complete = set_sums_state(&export->sums) == SUMS_COMPLETE;
	struct set_place known;

	if (++reading->skipped > EXPORT_WALK_STEPS && !complete)
		return too_far(export);
	if (reading->walk.at.step & mask)
		return 0;
	known = set_sums_find(&export->sums, reading->walk.at.offset);
	if (known.step > reading->walk.at.step)
		set_walk_jump(&reading->walk, &known);
	return 0;
}

static int take_piece(struct reading *reading)
{
	struct set_walk *walk = &reading->walk;
	bool packet = walk->at.phase == PHASE_PACKETS;
	uint64_t end;
	int r = set_walk_look(walk);

	if (r <= 0)
		return r == 0 ? -EIO : r; /* the bytes were counted: some are gone */
	end = walk->at.offset + walk->size;
	if (end > reading->offset) {
		r = copy_piece(reading);
		if (r < 0)
			return r;
		if (reading->offset < end)
			return 0; /* full inside the piece: the next read starts with it */
		return set_walk_step(walk);
	}
	packet = packet && walk->size;
	r = set_walk_step(walk);
	return r < 0 || packet ? r : skip(reading);
}

/* Returns 0 when all was read. */
static int read_pieces(struct reading *reading)
{
	struct export *export = reading->export;
	bool complete = set_sums_state(&export->sums) == SUMS_COMPLETE;
	struct set_place start = choose_start(reading);
	int r = 0;

	if (reading->offset - start.offset > EXPORT_WALK_BYTES && !complete)
		return too_far(export);
	set_walk_begin(&reading->walk, &export->encoder, export->capture, export->set, &start);
	while (r == 0 && reading->left)
		r = take_piece(reading);
	if (r == 0 || r == -EAGAIN) {
		if (set_walk_verify(&reading->walk) < 0)
			r = -EIO;
		else
			note_end(reading);
	}
	if (set_walk_end(&reading->walk) < 0 && r == 0)
		r = -EIO;
	return r;
}

int64_t export_read(struct export *export, uint64_t offset, void *bytes, size_t size)
{
	struct reading reading;
	int r;

	if (offset >= export->encoder.size)
		return 0;
	size = (size_t)MIN(export->encoder.size - offset, (uint64_t)size);
	size = MIN(size, (size_t)INT64_MAX);
	reading.export = export;
	reading.offset = offset;
	reading.bytes = bytes;
	reading.left = size;
	reading.skipped = 0;
	r = read_pieces(&reading);
	return r < 0 ? r : (int64_t)size;
}
