/* SPDX-License-Identifier: BSD-2-Clause */
#include "index_loading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRONG "it contradicts itself"

/* No record is shorter. */
#define RECORD_MIN 12u

int loading_fail(struct loading *loading, int code, const char *format, ...)
{
	char text[sizeof(loading->error.text)];
	va_list args;

	if (loading->error.code)
		return loading->error.code;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(&loading->error, code, "%s", text);
}

/* ---- words */

static void fill(struct loading *loading)
{
	size_t size = (size_t)MIN(loading->left, (uint64_t)sizeof(loading->words)), done = 0;
	ssize_t n = 1;

	while (done < size && n > 0) {
		n = pread(loading->fd, (uint8_t *)loading->words + done, size - done,
			  (off_t)(loading->offset + done));
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	loading->offset += done;
	loading->left = done < size ? 0 : loading->left - done; /* it is shorter by now */
	loading->at = 0;
	loading->got = done / 8;
}

uint64_t loading_word(struct loading *loading)
{
	uint64_t word;

	if (loading->at == loading->got)
		fill(loading);
	if (loading->at == loading->got) {
		loading->cut = true;
		return 0;
	}
	word = le64toh(loading->words[loading->at++]);
	loading->hash = saved_hash(loading->hash, word);
	return word;
}

static int64_t take_signed(struct loading *loading)
{
	return (int64_t)loading_word(loading);
}

static bool take_time(struct loading *loading, struct pktfs_time *ret)
{
	uint64_t nsec;

	ret->sec = take_signed(loading);
	nsec = loading_word(loading);
	ret->nsec = (uint32_t)nsec;
	return nsec < 1000000000;
}

/* ---- the head */

static int open_file(struct loading *loading)
{
	struct stat st;

	if (fstat(loading->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return loading_fail(loading, -EBADMSG, "it is not a file");
	if (st.st_size < (off_t)(8 * (SAVED_HEAD + 1)) || st.st_size % 8)
		return loading_fail(loading, -EBADMSG, "it is cut, or no index");
	loading->left = (uint64_t)st.st_size;
	return 0;
}

static void take_key(struct loading *loading)
{
	struct index_key *key = &loading->key;

	key->device = loading_word(loading);
	key->inode = loading_word(loading);
	key->size = loading_word(loading);
	key->modified_sec = take_signed(loading);
	key->modified_nsec = take_signed(loading);
	key->changed_sec = take_signed(loading);
	key->changed_nsec = take_signed(loading);
	key->head = loading_word(loading);
	key->tail = loading_word(loading);
}

static bool take_times(struct loading *loading, struct index_totals *totals)
{
	return take_time(loading, &totals->first_time) && take_time(loading, &totals->last_time) &&
	       take_time(loading, &totals->min_time) && take_time(loading, &totals->max_time);
}

/* What bytes there are bounds the sums, so that nobody's arithmetic overflows. */
static bool is_possible(const struct index_totals *totals, uint64_t first)
{
	return totals->end >= first && totals->end <= INT64_MAX &&
	       totals->records <= (totals->end - first) / RECORD_MIN && totals->records > 0 &&
	       totals->packets <= totals->records &&
	       totals->packets + totals->metadata == totals->records &&
	       totals->frames >= totals->packets && totals->frames <= totals->records &&
	       totals->captured_bytes <= totals->end - first &&
	       totals->original_bytes / UINT32_MAX <= totals->packets;
}

static int take_totals(struct loading *loading)
{
	const struct index_part *part = index_part(loading->draft, 0);
	struct index_totals *totals = &loading->draft->next;
	uint64_t flags;
	bool sound;

	totals->end = loading_word(loading);
	totals->records = loading_word(loading);
	totals->packets = loading_word(loading);
	totals->metadata = loading_word(loading);
	totals->frames = loading_word(loading);
	totals->captured_bytes = loading_word(loading);
	totals->original_bytes = loading_word(loading);
	flags = loading_word(loading);
	totals->has_time = flags & SAVED_HAS_TIME;
	loading->draft->malformed = flags & SAVED_MALFORMED;
	sound = take_times(loading, totals) && flags <= (SAVED_HAS_TIME | SAVED_MALFORMED) &&
		is_possible(totals, part->start + part->format.first_record);
	if (part->format.kind != FORMAT_PCAPNG)
		sound = sound && totals->metadata == 0 && !loading->draft->malformed;
	return sound ? 0 : loading_fail(loading, -EBADMSG, WRONG);
}

static int take_counts(struct loading *loading, uint64_t length)
{
	struct saved_counts *counts = &loading->counts;
	const struct index_totals *totals = &loading->draft->next;
	uint64_t expected;

	counts->checkpoints = loading_word(loading);
	counts->sections = loading_word(loading);
	counts->interfaces = loading_word(loading);
	counts->link_types = loading_word(loading);
	counts->problems = loading_word(loading);
	if (!saved_length(counts, &expected) || expected != length)
		return loading_fail(loading, -EBADMSG, "its length is wrong");
	/* a capture with a record has a section: who reads relies on it */
	if (counts->checkpoints == 0 || counts->sections == 0 ||
	    counts->problems > totals->metadata)
		return loading_fail(loading, -EBADMSG, WRONG);
	if ((counts->checkpoints - 1) >> INDEX_EPOCH_SHIFT >= INDEX_MAX_EPOCHS ||
	    counts->checkpoints * sizeof(struct index_checkpoint) +
			    counts->sections * sizeof(struct index_section) +
			    counts->interfaces * sizeof(struct index_interface) >
		    loading->draft->memory)
		return loading_fail(loading, -EFBIG, "it takes more memory than the index may");
	return 0;
}

int loading_head(struct loading *loading, uint64_t *ret_end)
{
	uint64_t magic, form, length;
	int r = open_file(loading);

	if (r < 0)
		return r;
	length = loading->left;
	magic = loading_word(loading);
	form = loading_word(loading);
	if (magic != SAVED_MAGIC)
		return loading_fail(loading, -EBADMSG, "it is no index");
	loading->followed = form & SAVED_FOLLOWED;
	if ((form & ~SAVED_FOLLOWED) != saved_form())
		return loading_fail(loading, -ENOTSUP, "it is of another version of pktfs");
	if (loading_word(loading) != length)
		return loading_fail(loading, -EBADMSG, "it is cut");
	take_key(loading);
	r = take_totals(loading);
	if (r == 0)
		r = take_counts(loading, length);
	if (r == 0)
		*ret_end = loading->draft->next.end;
	return r;
}

bool index_is_saved(int fd)
{
	uint64_t magic;

	return pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) &&
	       le64toh(magic) == SAVED_MAGIC;
}

/* ---- checkpoints */

static void take_epochs(struct loading *loading)
{
	struct index *draft = loading->draft;

	for (uint64_t i = 0; i << INDEX_EPOCH_SHIFT < loading->counts.checkpoints; i++) {
		draft->epochs[i].metadata = loading_word(loading);
		draft->epochs[i].extra_frames = loading_word(loading);
	}
}

/* Up to a checkpoint, or to the end. */
struct passed {
	uint64_t record, offset, metadata, extra_frames;
};

/* Can the records between these two be what they say? */
static bool is_step(const struct passed *from, const struct passed *to)
{
	uint64_t records = to->record - from->record, bytes = to->offset - from->offset, metadata;

	if (to->record < from->record || to->offset < from->offset ||
	    to->metadata < from->metadata || to->extra_frames < from->extra_frames)
		return false;
	metadata = to->metadata - from->metadata;
	return bytes / RECORD_MIN >= records && (records > 0) == (bytes > 0) &&
	       metadata <= records && to->extra_frames - from->extra_frames <= metadata;
}

/* The saturated times of checkpoints, against those of the totals. */
static bool is_span(const struct index_totals *totals, int64_t min, int64_t max)
{
	if (min == INT64_MAX && max == INT64_MIN)
		return true;
	return min <= max && totals->has_time;
}

static bool take_checkpoint(struct loading *loading, uint64_t number, struct passed *ret)
{
	struct index *draft = loading->draft;
	const struct index_epoch *epoch = &draft->epochs[number >> INDEX_EPOCH_SHIFT];
	struct index_checkpoint *checkpoint = table_append(&draft->checkpoints);
	uint64_t counts;

	if (!checkpoint)
		return false;
	checkpoint->offset = loading_word(loading);
	atomic_init(&checkpoint->min_ns, take_signed(loading));
	atomic_init(&checkpoint->max_ns, take_signed(loading));
	counts = loading_word(loading);
	checkpoint->metadata = (uint32_t)counts;
	checkpoint->extra_frames = (uint32_t)(counts >> 32);
	*ret = (struct passed){.record = index_checkpoint_record(number),
			       .offset = checkpoint->offset};
	return add_ok(epoch->metadata, (uint64_t)checkpoint->metadata, &ret->metadata) &&
	       add_ok(epoch->extra_frames, (uint64_t)checkpoint->extra_frames,
		      &ret->extra_frames) &&
	       is_span(&draft->next, checkpoint->min_ns, checkpoint->max_ns);
}

static int take_checkpoints(struct loading *loading)
{
	const struct index_part *part = index_part(loading->draft, 0);
	const struct index_totals *totals = &loading->draft->next;
	const struct passed end = {totals->records, totals->end, totals->metadata,
				   totals->frames - totals->packets};
	struct passed last = {.offset = part->start + part->format.first_record}, next = last;
	uint64_t i;

	take_epochs(loading);
	for (i = 0; i < loading->counts.checkpoints; i++, last = next)
		if (!take_checkpoint(loading, i, &next) || !is_step(&last, &next))
			return loading_fail(loading, -EBADMSG, WRONG);
	/* the next one would be behind the end; a last one is at it, or before */
	if (!is_step(&last, &end) || index_checkpoint_record(i) < totals->records)
		return loading_fail(loading, -EBADMSG, WRONG);
	return 0;
}

/* ---- problems */

/* A text, and zeros behind it. */
static bool is_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size), i;

	for (i = 0; i < length; i++)
		if ((uint8_t)text[i] < ' ' || text[i] == 0x7f)
			return false;
	for (; i < size; i++)
		if (text[i])
			return false;
	return length > 0 && length < size;
}

static bool take_problem(struct loading *loading, struct pktfs_error *ret)
{
	int64_t code = take_signed(loading);
	uint64_t has_offset = loading_word(loading), words[SAVED_TEXT_WORDS];

	ret->offset = loading_word(loading);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = htole64(loading_word(loading));
	memcpy(ret->text, words, sizeof(ret->text));
	ret->code = code < 0 && code > -4096 ? (int)code : 0;
	ret->has_offset = has_offset == 1;
	return ret->code && has_offset <= 1 && ret->offset <= loading->draft->next.end &&
	       is_text(ret->text, sizeof(ret->text));
}

static int take_problems(struct loading *loading)
{
	struct index *draft = loading->draft;
	uint64_t i, kept = saved_kept_problems(loading->counts.problems);

	draft->problem_count = loading->counts.problems;
	for (i = 0; i < kept; i++)
		if (!take_problem(loading, &draft->problems[i]))
			return loading_fail(loading, -EBADMSG, WRONG);
	return 0;
}

/* ---- all of it */

static int check_hash(struct loading *loading)
{
	uint64_t hash = loading->hash, kept = loading_word(loading);

	return kept == hash && !loading->cut
		       ? 0
		       : loading_fail(loading, -EBADMSG, "it is damaged: its checksum is wrong");
}

/* What is wrong in a damaged file is that it is damaged. */
static int take_rest(struct loading *loading)
{
	loading->error.code = 0;
	while (loading->left || loading->at + 1 < loading->got)
		loading_word(loading);
	return check_hash(loading);
}

int loading_body(struct loading *loading)
{
	struct pktfs_error why;
	int r = take_checkpoints(loading);

	if (r == 0)
		r = loading_blocks(loading);
	if (r == 0)
		r = loading_link_types(loading);
	if (r == 0)
		r = take_problems(loading);
	if (r == 0)
		return check_hash(loading);
	why = loading->error;
	if (take_rest(loading) == 0)
		loading->error = why;
	return loading->error.code;
}
