/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_check.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "write_file.h"
#include "write_input.h"

/* What is decoded at one time beyond a record. */
#define WINDOW_SLACK ((size_t)1 << 20)

struct check {
	struct write_target *target;
	struct write_input input;
	struct format_walk walk;
	struct text window; /* decoded bytes from target->end - used on */
	size_t used;        /* bytes of it that were stepped over */
	/* the last place where blocks of both kinds, of the compression and of
	 * the capture, end together */
	bool good_in_frame;
	uint64_t good_at, good_decoded, good_frame_decoded;
	uint32_t good_crc;
	/* the last frame that begins before target->end */
	uint64_t frame_at, frame_decoded;
	/* why the walk could not go on at the end */
	struct pktfs_error tail;
	/* where the zeros begin that the file ends with */
	uint64_t zeros_at;
	/* pcap: the bytes of the records before target->end that are zeros, and
	 * how many there are */
	uint64_t zero_bytes, zero_records;
};

#define ZEROS_STEP ((size_t)4096)

/* A file system whose machine crashed may have the size of the file without its
 * last bytes, which are zeros then (ext4 with delayed allocation). */
static int find_zeros(struct check *check, int fd, struct pktfs_error *ret_error)
{
	uint8_t bytes[ZEROS_STEP];
	uint64_t at = check->target->stored_end;
	size_t size = 0;
	int64_t n;

	while (size == 0 && at > 0) {
		size = (size_t)MIN(at, ZEROS_STEP);
		at -= size;
		n = write_pread(fd, at, bytes, size);
		if (n < (int64_t)size)
			return error_at(ret_error, n < 0 ? (int)n : -EIO, at, "cannot be read");
		while (size > 0 && bytes[size - 1] == 0)
			size--;
	}
	check->zeros_at = at + size;
	return 0;
}

/* A record of a plain file would begin in them: nothing but they follow. */
static bool at_zeros(const struct check *check)
{
	return check->input.compression == PKTFS_COMPRESSION_NONE &&
	       check->target->end >= check->zeros_at &&
	       check->target->end < check->target->stored_end;
}

/* What contradicts the format is in them, between two blocks of a compressed
 * file. */
static bool stopped_by_zeros(const struct check *check)
{
	const struct write_input *input = &check->input;

	return input->compression != PKTFS_COMPRESSION_NONE &&
	       input->boundary_at >= check->zeros_at;
}

void write_target_free(struct write_target *target)
{
	write_interfaces_free(&target->interfaces);
}

/* Before a read: what was stepped over is not needed any more. */
static int more(struct check *check, struct pktfs_error *ret_error)
{
	struct text *window = &check->window;

	if (check->used) {
		memmove(window->bytes, window->bytes + check->used, window->size - check->used);
		window->size -= check->used;
		check->used = 0;
	}
	return write_input_more(&check->input, window, ret_error);
}

static struct cursor rest(const struct check *check)
{
	if (!check->window.bytes)
		return cursor_over("", 0, false);
	return cursor_over(check->window.bytes + check->used, check->window.size - check->used,
			   false);
}

static void note_good(struct check *check)
{
	const struct write_input *input = &check->input;
	uint64_t end = check->target->end;

	if (end >= input->frame_decoded) {
		check->frame_at = input->frame_at;
		check->frame_decoded = input->frame_decoded;
	}
	if (input->boundary_decoded != end || (input->in_frame && !input->endable))
		return;
	check->good_at = input->boundary_at;
	check->good_decoded = end;
	check->good_in_frame = input->in_frame;
	check->good_frame_decoded = input->frame_decoded;
	check->good_crc = input->boundary_crc;
}

static int note_section(struct write_target *target, struct cursor block, uint64_t offset)
{
	struct format_section section;
	int r = format_section(block, &section, NULL);

	if (r < 0)
		return r;
	target->sections++;
	target->section_at = offset;
	target->section_length = section.length;
	target->big_endian = section.big_endian;
	target->skipped = !section.supported;
	target->malformed = false;
	target->interfaces_before += target->interfaces.count;
	write_interfaces_clear(&target->interfaces, section.big_endian);
	return 0;
}

static int note_record(struct check *check, const struct format_record *record,
		       const uint8_t *bytes)
{
	struct write_target *target = check->target;
	struct cursor block = cursor_over(bytes, (size_t)record->length, record->big_endian);
	int r = 0;

	if (record->class == RECORD_PACKET)
		target->packets++;
	else if (record->type == BLOCK_SHB)
		r = note_section(target, block, record->offset);
	else if (record->type == BLOCK_IDB && record->class == RECORD_MALFORMED)
		target->malformed = true;
	else if (record->type == BLOCK_IDB && !target->skipped)
		r = write_interfaces_add(&target->interfaces, block);
	return r;
}

/* Packets of nothing at the time 0: cut off with what is torn behind them, as
 * they would be zeros at the end of what is left. */
static void note_zeros(struct check *check, const struct format_record *record,
		       const uint8_t *bytes)
{
	static const uint8_t zeros[24]; /* the longest header of a pcap record */

	if (record->length <= sizeof(zeros) && !memcmp(bytes, zeros, (size_t)record->length)) {
		check->zero_bytes += record->length;
		check->zero_records++;
	} else {
		check->zero_bytes = check->zero_records = 0;
	}
}

/* Steps over the records that are in the window: -EAGAIN in the end, and
 * check->tail; or 0 where the zeros begin. */
static int step_all(struct check *check, struct pktfs_error *ret_error)
{
	struct format_record record;
	struct pktfs_error error;
	struct cursor window;
	int r = 0;

	while (!at_zeros(check)) {
		window = rest(check);
		r = format_step(&check->walk, window, check->target->end, &record, NULL, &error);
		if (r < 0)
			break;
		r = note_record(check, &record, window.bytes);
		if (r < 0)
			return error_at(ret_error, r, record.offset,
					"interfaces of the last section: %s", strerror(-r));
		note_zeros(check, &record, window.bytes);
		check->target->end += record.length;
		check->used += (size_t)record.length;
	}
	if (at_zeros(check))
		return 0;
	if (r == -EAGAIN)
		check->tail = error;
	else if (ret_error)
		*ret_error = error;
	return r;
}

static int open_head(struct check *check, struct pktfs_error *ret_error)
{
	struct write_target *target = check->target;
	int r;

	do
		r = more(check, ret_error);
	while (r == 1 && check->window.size < FORMAT_HEAD_SIZE);
	if (r >= 0)
		r = format_open(&target->format, rest(check), ret_error);
	if (r < 0)
		return r;
	format_walk_start(&check->walk, &target->format);
	target->big_endian = target->format.big_endian;
	target->section_length = -1;
	target->compression = check->input.compression;
	if (target->format.kind == FORMAT_PCAPNG)
		return 0;
	target->sections = 1;
	target->end = target->format.first_record;
	check->used = (size_t)target->end;
	return write_interfaces_pcap(&target->interfaces, &target->format);
}

/* To the end of the file: what the last piece of it gave is stepped over, too. */
static int walk(struct check *check, struct pktfs_error *ret_error)
{
	int more_left = 1, r;

	for (;;) {
		r = step_all(check, ret_error);
		if (r != -EAGAIN)
			return r;
		if (check->input.compression != PKTFS_COMPRESSION_NONE)
			note_good(check);
		if (more_left == 0)
			return 0;
		more_left = more(check, ret_error);
		if (more_left == -EBADMSG && stopped_by_zeros(check)) {
			check->input.torn = true;
			more_left = 0;
		}
		if (more_left < 0)
			return more_left;
	}
}

static void say_problem(struct check *check, uint64_t left)
{
	struct write_target *target = check->target;
	const struct write_input *input = &check->input;
	const char *what =
		target->compression == PKTFS_COMPRESSION_ZSTD ? "zstd frame" : "gzip member";

	if (left)
		error_at(&target->problem, -ENODATA, target->end,
			 "torn tail: record at offset %" PRIu64 ": found %" PRIu64
			 " bytes of it; accepted a whole one, or repair",
			 target->end, left);
	else
		error_at(&target->problem, -ENODATA, target->end,
			 "%s at offset %" PRIu64 " of the file is not finished, all records are "
			 "whole; accepted a finished one, or repair",
			 what, input->frame_at);
}

static void find_mend(struct check *check)
{
	struct write_target *target = check->target;
	const struct write_input *input = &check->input;
	bool plain = target->compression == PKTFS_COMPRESSION_NONE;
	uint64_t left = (plain ? target->stored_end : input->decoded) - target->end;

	if (left && plain) {
		target->end -= check->zero_bytes;
		target->packets -= check->zero_records;
		left += check->zero_bytes;
	}
	if (!left && !input->torn && (plain || !input->in_frame))
		return;
	say_problem(check, left);
	if (plain) {
		target->mend = WRITE_MEND_CUT;
		target->cut_at = target->cut_decoded = target->end;
		return;
	}
	target->mend = WRITE_MEND_RECODE;
	target->cut_at = check->frame_at;
	target->cut_decoded = check->frame_decoded;
	if (check->good_decoded != target->end)
		return;
	target->mend = check->good_in_frame ? WRITE_MEND_END : WRITE_MEND_CUT;
	target->cut_at = check->good_at;
	target->cut_decoded = target->end;
	target->crc = check->good_crc;
	target->frame_decoded = target->end - check->good_frame_decoded;
}

static int run(struct check *check, int fd, struct pktfs_error *ret_error)
{
	struct write_target *target = check->target;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return error_set(ret_error, -errno, "cannot be looked at: %s", strerror(errno));
	target->stored_end = (uint64_t)st.st_size;
	r = find_zeros(check, fd, ret_error);
	if (r == 0)
		r = write_input_open(&check->input, fd, 0, 0, ret_error);
	if (r == 0)
		r = open_head(check, ret_error);
	if (r == 0)
		r = walk(check, ret_error);
	if (r < 0)
		return r;
	if (target->sections == 0)
		return error_at(ret_error, -ENODATA, 0, "section header: %s", check->tail.text);
	find_mend(check);
	return 0;
}

int write_check(int fd, struct write_target *ret, struct pktfs_error *ret_error)
{
	struct check check = {.target = ret, .window.limit = FORMAT_MAX_BLOCK + WINDOW_SLACK};
	int r;

	*ret = (struct write_target){0};
	r = run(&check, fd, ret_error);
	write_input_close(&check.input);
	text_free(&check.window);
	if (r < 0)
		write_target_free(ret);
	return r;
}
