/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the index share: the layout of checkpoints and the state
 * of the one thread that appends.
 *
 *	epoch 0: a checkpoint each 256 records, for INDEX_EPOCH checkpoints,
 *	epoch 1: each 512 records, ... up to each 4096.
 *
 * A checkpoint has steps: the places of the records at each sixteenth of the way to
 * the next. So at most 16 records are walked in epoch 0, if they are packets.
 * 10^9 records are in epochs 0 to 3: 4 * 2^18 checkpoints, 96 MiB.
 */
#ifndef INDEX_INTERNAL_H
#define INDEX_INTERNAL_H

#include "index.h"
#include "index_look.h"
#include "index_scout.h"

#define INDEX_FIRST_SHIFT 8u
#define INDEX_LAST_SHIFT  12u
#define INDEX_EPOCH_SHIFT 18u
#define INDEX_EPOCH	  (UINT64_C(1) << INDEX_EPOCH_SHIFT)
#define INDEX_MAX_EPOCHS  4096u
#define INDEX_STEPS_SHIFT 4u
#define INDEX_STEPS	  ((1u << INDEX_STEPS_SHIFT) - 1)

/* Records that are walked before they are verified and published. */
#define INDEX_BATCH_FIRST 64u
#define INDEX_BATCH_LAST  8192u

struct index_checkpoint {
	uint64_t offset;
	/* times of the records from here to the next, saturated; relaxed: those
	 * of the last one may still grow while they are read */
	_Atomic int64_t min_ns, max_ns;
	uint32_t metadata;      /* blocks that are not packets, since the epoch began */
	uint32_t extra_frames;  /* those of them that Wireshark numbers */
	/* records between here and the next: bytes from `offset` on; 0: not known, or
	 * there is one on the way that is no packet. Relaxed, and only those of
	 * published records are right */
	_Atomic uint32_t steps[INDEX_STEPS];
	uint32_t unused;
};

struct index_epoch {
	uint64_t metadata;
	uint64_t extra_frames;
};

/* What is said of the end of what is there; RUNNING: it was not reached yet. */
struct index_end {
	enum index_state state;
	bool final;                 /* it comes no further */
	bool open;                  /* no more than a record that is not there yet: */
	enum index_state calm;      /* the state without that */
	int source_problem;         /* of the source, there */
	enum index_state part_calm;  /* the same of the part at hand alone */
	enum index_state part_state; /* of the part at hand alone */
	uint64_t file;               /* which that is */
	uint64_t reached;           /* no record that ends before this is missing */
	struct pktfs_error problem; /* code 0: none */
};

/* What a batch counts of a link type, before it is published. Nobody else reads it:
 * with atomics a walk would wait at each packet for all that it has stored. */
struct index_pending_type {
	uint64_t packets, captured_bytes, padded_bytes;
	int64_t min_ns, max_ns;
	bool untimed;
};

/* A part that was left. */
struct index_file {
	enum index_state state;
	struct pktfs_error problem; /* as index_problem gives it */
};

/* Which file, and as it was when. */
struct index_key {
	uint64_t device, inode, size;
	int64_t modified_sec, modified_nsec, changed_sec, changed_nsec;
	uint64_t head, tail; /* index_key_hash */
};

static inline bool index_key_same_time(const struct index_key *a, const struct index_key *b)
{
	return a->size == b->size && a->modified_sec == b->modified_sec &&
	       a->modified_nsec == b->modified_nsec && a->changed_sec == b->changed_sec &&
	       a->changed_nsec == b->changed_nsec;
}

/* What came from a file (index_saved.h). */
struct index_saved {
	int fd;                  /* to be loaded; -1: none */
	int unknown;             /* negative errno: there is no key */
	struct index_key opened; /* the capture before it was walked */

	/* before these records are published */
	uint64_t checkpoints; /* so many came from there, and up to these they lead: */
	uint64_t records, packets, metadata, frames, end;
	_Atomic uint64_t *walked; /* a bit each: the records behind it were walked */

	_Atomic bool wrong;        /* a walk failed */
	enum index_use use;        /* under the lock */
	struct pktfs_error reason; /* under the lock */
};

struct index {
	struct source *source;

	uint64_t memory;                       /* what the tables may take */
	bool full;                             /* the index thread's: they do */
	struct table parts;
	struct table files; /* by number of the source's part */
	struct table checkpoints;
	struct table sections;
	struct table interfaces;
	struct index_epoch epochs[INDEX_MAX_EPOCHS];
	struct index_link_type link_types[INDEX_MAX_LINK_TYPES];
	_Atomic unsigned link_type_count;

	/* published counts: what readers may rely on without the lock */
	_Atomic uint64_t records, packets, metadata;

	struct index_saved saved;

	pthread_mutex_t walking; /* held by the index thread but where it waits at the
				  * end of what there is; before the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct index_totals totals;                     /* lock */
	struct index_end end_seen;                      /* lock */
	struct pktfs_error problems[INDEX_MAX_PROBLEMS]; /* lock */
	uint64_t problem_count;                         /* lock */
	struct pktfs_error part_problem;                /* lock: first of the part at hand */
	uint64_t part_problem_number;                   /* lock: which of all it is */
	uint64_t wanted_packets, wanted_end;            /* lock: the least that is waited for */
	bool cancelled;                                 /* lock */
	bool cut;                                       /* lock: the growing file was */

	/* of a file that another program writes */
	bool followed;
	_Atomic bool active;
	/* the index has ended at bytes that it does not believe, or looks at them
	 * again just now */
	_Atomic bool in_doubt;

	/* the index thread's own */
	pthread_t thread;
	bool started;
	bool loaded; /* index_load was called */
	void (*_Atomic notify)(void *context);
	void *notify_context; /* set before notify is */
	struct timespec notified;
	struct format_walk walk;
	struct index_totals next;              /* totals with the unpublished batch */
	struct index_interface *pending;       /* interfaces that the batch counted */
	struct index_pending_type *pending_types; /* INDEX_MAX_LINK_TYPES of them */
	uint64_t published_problems;           /* problem_count at the last publication */
	struct index_checkpoint *checkpoint;   /* the last one */
	uint64_t mark; /* no checkpoint or step is due before this record */
	struct index_end end_next;             /* to be published */
	unsigned stirs;          /* source_stirs before the end was looked at */
	uint64_t believed;       /* up to here bytes are taken as they are */
	bool doubting;           /* the walk at hand has come to what it does not believe */
	/* where it did so last, and whether these bytes were read twice: the file
	 * may have been cut under the walk, and be longer again by now */
	uint64_t stopped_at;
	bool twice;
	uint64_t doubt_at;       /* what was doubted last */
	int64_t doubted_ms;      /* since when */
	/* a file that is longer than what was written of it: the end of that, when
	 * it was looked at, and at the look before */
	bool filling;
	uint64_t filled, settled;
	int64_t filled_ms;

	struct index_scout_plan plan; /* set before the thread starts */
	struct index_look look;
	uint64_t noted;               /* packets that were counted as scouts noted them */

	/* the part that is walked: its number in the source, not in `parts` */
	size_t source_part;
	uint64_t part_start, part_end; /* end: UINT64_MAX while it is not known */
	bool part_open;                /* its head was read */
	bool malformed;                /* a block of it was */
	enum index_state worst;        /* of the parts before it */
};

/* Epochs are equal in checkpoints, so that the place of a checkpoint is
 * arithmetic: */
static inline unsigned index_epoch_shift(uint64_t epoch)
{
	uint64_t shift = INDEX_FIRST_SHIFT + epoch;

	return (unsigned)MIN(shift, (uint64_t)INDEX_LAST_SHIFT);
}

/* The first record of an epoch. */
static inline uint64_t index_epoch_record(uint64_t epoch)
{
	const uint64_t doubling = INDEX_LAST_SHIFT - INDEX_FIRST_SHIFT;
	uint64_t e = MIN(epoch, doubling);
	uint64_t first = ((UINT64_C(1) << e) - 1) << (INDEX_FIRST_SHIFT + INDEX_EPOCH_SHIFT);

	return first + ((epoch - e) << (INDEX_LAST_SHIFT + INDEX_EPOCH_SHIFT));
}

static inline uint64_t index_checkpoint_record(uint64_t checkpoint)
{
	uint64_t epoch = checkpoint >> INDEX_EPOCH_SHIFT;

	return index_epoch_record(epoch) +
	       ((checkpoint & (INDEX_EPOCH - 1)) << index_epoch_shift(epoch));
}

/* Records between two steps. */
static inline unsigned index_step_shift(uint64_t checkpoint)
{
	return index_epoch_shift(checkpoint >> INDEX_EPOCH_SHIFT) - INDEX_STEPS_SHIFT;
}

/*
 * Fetches what lies one to two KiB ahead of a walk: each header says where the
 * next one is, so without it every record costs a trip to memory. Addresses
 * behind the window do no harm.
 */
static inline void index_fetch_ahead(const uint8_t *next, uint64_t length)
{
	const uint8_t *ahead = next + 1024, *end = ahead + MIN(length, UINT64_C(1024));

	for (; ahead < end; ahead += 64)
		__builtin_prefetch(ahead);
}

/* The same for the start of a walk that may be a short one. */
static inline void index_fetch_first(const uint8_t *bytes)
{
	const uint8_t *ahead = bytes + 64, *end = bytes + 2048;

	for (; ahead < end; ahead += 64)
		__builtin_prefetch(ahead);
}

/* index_seek.c: the checkpoint at or before a record, and what a walk knows there, or
 * at a step behind it that is not behind `record`; the same for any place between two records,
 * behind the first of a part. */
uint64_t index_checkpoint_of(uint64_t record);
void index_place_at(const struct index *index, uint64_t checkpoint, uint64_t record,
		    struct index_place *ret);
void index_place_before(const struct index *index, struct index_place *place);

/* As index_step; -ESTALE: there is no record as one was indexed. */
int index_step_on(struct index *index, struct index_place *place, struct pktfs_loan *loan,
		  struct format_record *ret);

/* index_check.c: what is at `place`, if it came from a file, may be used: sets how
 * far, and returns 0; or the errors of index_check_from. */
int index_check(struct index *index, struct index_place *place);

/* index.c: without cancelling the source, for an index that was never started. */
void index_free(struct index *index);

/* index_load.c: takes over what was saved, if it fits. From the index thread, before
 * it walks. */
void index_load(struct index *index);

/*
 * From the index thread only, as all that follows.
 */

/* Adds a section or an interface from its block: 0, -ENOMEM; -EFBIG: the tables
 * would take more than they may. */
int index_add_section(struct index *index, const struct format_section *section, uint64_t offset);
int index_add_interface(struct index *index, const struct format_interface *interface,
			uint64_t offset, uint64_t length);
/* Why the index cannot go on. */
int index_no_memory(const struct index *index, int code, struct pktfs_error *ret_error);
void index_clear_pending(struct index_pending_type *type);

/*
 * Walks up to `limit` records in `loan`, whose first byte is at next.end.
 * Returns 0 after `limit` records, -EAGAIN where the window ends inside a
 * record (*ret_need: the bytes that it takes), or what stops the walk, with
 * the offset in the part.
 */
int index_walk_window(struct index *index, const struct pktfs_loan *loan, unsigned limit,
		      uint64_t *ret_need, struct pktfs_error *ret_error);

/* Marks the next record by a checkpoint or a step, if that is due: 0, -ENOMEM,
 * -EFBIG. */
int index_add_mark(struct index *index);
static inline int index_mark(struct index *index)
{
	return likely(index->next.records < index->mark) ? 0 : index_add_mark(index);
}

/*
 * index_merge.c: the same over a window of scouts, and the loan that they are sent
 * over. 1: they have lost their way, or come to a section that is not as they took
 * it, and what they found from here on does not count.
 */
int index_merge_window(struct index *index, const struct pktfs_loan *loan,
		       const struct scout_window *window, uint64_t *ret_need,
		       struct pktfs_error *ret_error);

/* index_publish.c: makes the batch visible, or forgets it: back to what is
 * published. `now`: the listener is told in any case. */
void index_add_problem(struct index *index, const struct pktfs_error *error);
void index_publish(struct index *index, bool now);
void index_discard(struct index *index, const struct format_walk *walk);

/*
 * index_part.c. index_part_open reads the head of the part at hand: INDEX_RUNNING
 * when there is something to walk, or how the index ends here. index_part_leave
 * ends the walk of a part, with what ended it (code 0: nothing wrong), whose
 * offset is in the whole, and goes on to the next, if there is one.
 */
enum index_state index_part_open(struct index *index);
enum index_state index_part_leave(struct index *index, enum index_state state,
				  const struct pktfs_error *error);

/* The head of the part at hand: as format_open, with the offset in the whole. */
int index_part_head(struct index *index, struct format *ret, struct pktfs_error *ret_error);

/* Begins the part, with its section and interface if it is pcap. */
int index_part_begin(struct index *index, const struct format *format);

/* The end of the part at hand, UINT64_MAX while that is not known. */
uint64_t index_part_end(struct index *index);

/* source_part_problem, with the offset in the part. */
int index_part_problem(struct index *index, struct pktfs_error *ret_error);

/* An error of the part at hand, with the offset in it, becomes one of the
 * whole, whose text names the file. */
void index_part_error(const struct index *index, struct pktfs_error *error);

/*
 * index_doubt.c. A step that succeeded (error code 0) or failed at next.end, in a
 * file that is followed: are these bytes to be doubted? index_doubt: -ENOMSG, as
 * what stops a walk, was due to that. INDEX_RUNNING: go on, they are believed
 * now.
 */
bool index_doubts(struct index *index, int r, const struct format_record *record);
enum index_state index_doubt(struct index *index, struct pktfs_error *error);

/* Under the lock: what is at the end is no problem, as it is being written. */
bool index_is_calm(struct index *index);

/* Says how the index ends for now: returns `state`, which is that of the part
 * at hand; to be published is the worst of all parts. */
enum index_state index_end_at(struct index *index, enum index_state state,
			      const struct pktfs_error *error);

/* What was the end is none any more. */
void index_end_passed(struct index *index);

/* The body of the index thread. */
void *index_thread_main(void *index);

#endif
