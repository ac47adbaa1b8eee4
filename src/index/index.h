/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From record numbers to offsets, through checkpoints; and the tables of
 * sections and interfaces, which is what must be known to step from any
 * checkpoint on.
 *
 * One thread (index_start) walks the capture from its start to its end and
 * appends; every other thread reads what has been published, without a lock:
 *
 *	records   0 .. 255 | 256 .. 511 | 512 ...        (one in 2^shift)
 *	            |           |          |
 *	checkpoint  offset, time span, packets and frames so far; steps on the way
 *
 * A packet is found by a search for its checkpoint and a walk from there; where
 * there are packets only, from one of the steps, over at most 15 others. A
 * checkpoint is 96 bytes, so the index costs 3/8 of a byte a packet; to keep that of
 * 10^9 packets in memory, the distance doubles with each INDEX_EPOCH checkpoints (see
 * index_internal.h).
 */
#ifndef INDEX_H
#define INDEX_H

#include "format/format.h"
#include "source/source.h"
#include "util/util_table.h"

#include <time.h>

struct index;

/* A part of the source (source_parts): a file. Entries never change. */
struct index_part {
	uint64_t file;  /* its number among the parts of the source, from 0 */
	uint64_t start; /* offset of its first byte */
	struct format format;
	uint64_t first_record, first_packet, first_metadata, first_section, first_interface;
	uint64_t first_frame;
};

/* A section, from its SHB; a pcap file has one, at its start. Entries never
 * change. */
struct index_section {
	uint64_t offset;
	uint64_t part;
	uint64_t first_interface; /* number over the whole capture */
	int64_t length;           /* as it says; -1 not given */
	bool big_endian;
	bool skipped;
	uint16_t major, minor;
};

/* An interface, from its IDB; pcap files have one. Only the atomic fields
 * change once it is published. */
struct index_interface {
	uint64_t offset;          /* of the IDB; pcap: of the file */
	uint32_t length;          /* of the IDB; pcap: 0 */
	uint32_t section;
	uint32_t snaplen;
	uint32_t number_in_section;
	uint16_t link_type;
	uint16_t link_slot;       /* index_link_type */
	uint8_t resolution;
	int fcs_length;
	int64_t offset_seconds;
	_Atomic uint64_t packets;
	_Atomic uint64_t captured_bytes;
	_Atomic uint64_t original_bytes;
	_Atomic uint64_t statistics; /* metadata ordinal + 1 of its last ISB; 0: none */
	/* the index thread's own: counted, but not published yet */
	struct index_pending {
		uint64_t packets, captured_bytes, original_bytes, statistics;
		struct index_interface *next;
		bool listed;
	} pending;
};

enum index_state {
	INDEX_RUNNING,
	INDEX_COMPLETE,
	INDEX_TRUNCATED,
	INDEX_DAMAGED,
};

/* Totals up to the same published point. */
struct index_totals {
	enum index_state state;
	uint64_t records, packets, metadata;
	uint64_t frames;          /* packets and the others that Wireshark numbers */
	uint64_t captured_bytes, original_bytes;
	uint64_t end;             /* decoded offset behind the last record */
	bool has_time;
	struct pktfs_time first_time, last_time, min_time, max_time;
};

/* Where a record is. */
struct index_place {
	uint64_t record;   /* from 0 */
	uint64_t packet;   /* packets before it */
	uint64_t metadata; /* metadata blocks before it */
	uint64_t frame;    /* frames before it */
	uint64_t offset;
	uint64_t section;  /* section of the record before it */
	uint64_t part;     /* of `walk`: part of the record before it, if there is one */
	uint64_t checked;  /* index_check: the records before this one may be used */
	struct format_walk walk; /* to step on it */
};

/*
 * Reads the head of the first part; -EBADMSG and others of format_open. The
 * source stays the caller's. Parts that are not opened yet (source_more) are, by
 * the index thread, when it has come to the end of those before them.
 */
int index_open(struct source *source, struct index **ret, struct pktfs_error *ret_error);

/* Before index_start: the tables may take so many bytes (0: INDEX_MEMORY). Where they
 * would take more the index ends, INDEX_DAMAGED, with a problem that says so. */
void index_set_memory(struct index *index, uint64_t bytes);
#define INDEX_MEMORY ((uint64_t)1 << 30)

/* Before index_start: whether scouts go ahead of the walk (index_scout.h), which they
 * do unless told otherwise. What is found is the same. */
void index_set_scouts(struct index *index, bool scouts);

/*
 * Before index_start: the file is written by another program, and index_follow
 * will be called. Then the end is judged by whether the file is active
 * (index_set_active; it is changed just now, or somebody may be about to).
 *
 *  - A record that is cut at the end of an active file is no problem: it says
 *    INDEX_COMPLETE. INDEX_TRUNCATED and a problem once it is not active.
 *  - Zeros up to the end are a record that is not there yet (writers that
 *    preallocate, network file systems that show the size before the bytes),
 *    and in a file that is not active they are one that is cut.
 *  - Zeros or damage in an active file are looked at again for
 *    INDEX_PATIENCE_MS before they are believed.
 */
void index_set_followed(struct index *index, bool active);
#define INDEX_PATIENCE_MS 3000

/*
 * Before index_start: what index_save wrote to `fd` (which is taken over) is used, as
 * far as it fits the capture; where it does not, or is damaged, the capture is walked.
 * The caller has seen to it that nobody else can write to that file. index_saved.h
 * says what is believed, and when.
 */
void index_set_saved(struct index *index, int fd);

/*
 * Writes what is indexed to `fd`, an empty file, at its position. Waits for the end
 * of what there is, unless the index is cancelled: then it is what was indexed by
 * then, and the next one goes on from there. 0; -EOPNOTSUPP: not of one plain file;
 * -ESTALE: the capture was changed other than by adding to it, or INDEX_USE_WRONG;
 * -ENODATA: nothing is indexed; -EFBIG, and those of read(2) and write(2). Any thread.
 */
int index_save(struct index *index, int fd, struct pktfs_error *ret_error);

/* Is what `fd` has, by its first bytes, what index_save wrote (any version)? */
bool index_is_saved(int fd);

/* What became of what was saved. *ret_end (decoded offset up to which it led) and
 * *ret_reason (of the last two) may be NULL. */
enum index_use {
	INDEX_USE_NONE,    /* there was none */
	INDEX_USE_PENDING, /* it was not looked at yet */
	INDEX_USE_TAKEN,
	INDEX_USE_IGNORED, /* it did not fit */
	INDEX_USE_WRONG,   /* it was taken, and turned out wrong: nothing can be read */
};
enum index_use index_saved_use(struct index *index, uint64_t *ret_end,
			       struct pktfs_error *ret_reason);

int index_start(struct index *index);
/* Ends the thread. Cancels the source, which stays the caller's to close. NULL
 * is allowed. */
void index_close(struct index *index);

/* Of the first part. */
const struct format *index_format(const struct index *index);

/* Parts whose head was read so far. A part that is no capture is a problem, and
 * is left out: the numbers here are not those of the source. */
uint64_t index_parts(const struct index *index);
const struct index_part *index_part(const struct index *index, uint64_t number);
/* The last part that begins at or before packet `packet` (from 0, published). */
const struct index_part *index_part_of(const struct index *index, uint64_t packet);

/* How it is with part `file` of the source (INDEX_RUNNING: not at its end), and
 * what is wrong with it first (code 0: nothing), with the offset in it. */
void index_file(struct index *index, uint64_t file, enum index_state *ret_state,
		struct pktfs_error *ret_problem);
void index_totals(struct index *index, struct index_totals *ret);

/* Waits until more than `packets` packets are published or the index is
 * complete; `deadline` (CLOCK_MONOTONIC) may be NULL. 0, -ETIMEDOUT,
 * -ECANCELED. */
int index_wait(struct index *index, uint64_t packets, const struct timespec *deadline);

/* Waits until all records that end at `end` or before are published: 0, -ETIMEDOUT,
 * -ECANCELED; -EIO: the index ended before that and comes no further. */
int index_wait_end(struct index *index, uint64_t end, const struct timespec *deadline);

/* source_grow: 1, 0, -EIO. */
int index_grow(struct index *index, uint64_t limit);

/* source_follow, with what is indexed as used, and another look at an end that was
 * not believed: 1, 0, -EIO. */
int index_follow(struct index *index);
void index_set_active(struct index *index, bool active);

/* Another look is due soon, whether the file changes or not: the index does not
 * believe what is at the end, or has not come to it yet and may not. */
bool index_in_doubt(struct index *index);

/* The source may grow, and the index with it: INDEX_COMPLETE and INDEX_TRUNCATED
 * then say how it was at the last look. The state does not go back to
 * INDEX_RUNNING; a problem at the end (a record cut there) goes away when the
 * record is complete. */
bool index_growing(struct index *index);

/* Wakes everybody who waits, with -ECANCELED, now and for ever after. */
void index_cancel(struct index *index);

/* Calls `notify` from the index thread after each publication that is at
 * least INDEX_NOTIFY_MS after the last, and at the end. One listener. */
void index_listen(struct index *index, void (*notify)(void *context), void *context);
#define INDEX_NOTIFY_MS 20

uint64_t index_packets(const struct index *index);  /* published */
uint64_t index_metadata(const struct index *index); /* published */
uint64_t index_sections(const struct index *index);
const struct index_section *index_section(const struct index *index, uint64_t number);
uint64_t index_interfaces(const struct index *index);
struct index_interface *index_interface(const struct index *index, uint64_t number);

/*
 * The place of the checkpoint at or before packet `packet` or metadata block
 * `metadata` (both from 0, published), or before the record that holds it.
 */
void index_seek_packet(struct index *index, uint64_t packet, struct index_place *ret);
void index_seek_metadata(struct index *index, uint64_t metadata, struct index_place *ret);
void index_seek_record(struct index *index, uint64_t record, struct index_place *ret);
/* Before the record at `offset`, or the one that holds it. */
void index_seek_offset(struct index *index, uint64_t offset, struct index_place *ret);

/* The packets (numbers from 1) that share the checkpoint of `packet` (from 0,
 * published), and the span of their times (min above max: none has one). */
void index_span(struct index *index, uint64_t packet, uint64_t *ret_first, uint64_t *ret_last,
		int64_t *ret_min_ns, int64_t *ret_max_ns);

/*
 * Steps over one record from `place`: 0 and the record, and the place behind
 * it. -ENOENT at the published end; otherwise the errors of source_borrow.
 * `loan` is the caller's window: zeroed at first, kept between steps, returned
 * by the caller with source_return at the end. After a step that succeeded the
 * whole record is in it, and returning it verifies all that was stepped over.
 */
int index_step(struct index *index, struct index_place *place, struct pktfs_loan *loan,
	       struct format_record *ret);

/* The interface (over the whole capture) of a packet record in `section`. */
uint64_t index_record_interface(const struct index *index, uint64_t section,
				const struct format_record *record);

/* The time of a packet record. */
struct pktfs_time index_record_time(const struct index_interface *interface,
				    const struct format_record *record);

/* Problems in file order: the first INDEX_MAX_PROBLEMS, and that at the end,
 * which goes away when a growing file goes on there. */
#define INDEX_MAX_PROBLEMS 100
uint64_t index_problems(struct index *index); /* all that were counted */
int index_problem(struct index *index, uint64_t number, struct pktfs_error *ret);

/* Packets by link type, in order of appearance. */
#define INDEX_MAX_LINK_TYPES 64
struct index_link_type {
	uint16_t link_type;
	_Atomic bool fine;
	_Atomic bool untimed;
	_Atomic uint64_t packets, captured_bytes, padded_bytes;
	/* saturated nanoseconds; INT64_MAX and INT64_MIN while there are none */
	_Atomic int64_t min_ns, max_ns;
};
unsigned index_link_types(const struct index *index);
const struct index_link_type *index_link_type(const struct index *index, unsigned slot);

#endif
