/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From part to part: a file ends where the source says, whatever its records
 * say, and the next one begins with a head of its own. What is wrong with one
 * is noted, and the walk goes on behind it.
 *
 *	| head | record record rec|head | record ... |  not a capture  | head ...
 *	part 0                     part 1             (left out)
 */
#include "index_internal.h"

#include <stdio.h>
#include <string.h>

static uint64_t file_number(const struct index *index)
{
	size_t part = index->source_part;

	return index->files && part < index->file_count ? index->files[part] : part;
}

/* "file 2: ...", as much of it as there is room for. */
static void name_file(uint64_t file, struct pktfs_error *error)
{
	char name[sizeof("file 18446744073709551615: ")];
	size_t length = (size_t)snprintf(name, sizeof(name), "file %llu: ",
					 (unsigned long long)file + 1);
	size_t kept = MIN(strlen(error->text), sizeof(error->text) - 1 - length);

	memmove(error->text + length, error->text, kept);
	error->text[length + kept] = '\0';
	memcpy(error->text, name, length);
}

void index_part_error(const struct index *index, struct pktfs_error *error)
{
	uint64_t file = file_number(index);

	if (error->has_offset)
		error->offset += index->part_start;
	if (file > 0)
		name_file(file, error);
}

int index_part_problem(struct index *index, struct pktfs_error *ret_error)
{
	int r = source_part_problem(index->source, index->source_part, ret_error);

	if (r < 0 && ret_error->has_offset)
		ret_error->offset -= index->part_start;
	return r;
}

void index_leave_out(struct index *index, uint64_t file, const struct pktfs_error *error)
{
	struct pktfs_error named = *error;

	named.has_offset = 0;
	name_file(file, &named);
	index_add_problem(index, &named);
	index->published_problems = index->problem_count;
	index->worst = INDEX_DAMAGED;
}

uint64_t index_part_end(struct index *index)
{
	if (index->part_end == UINT64_MAX &&
	    source_parts(index->source) > index->source_part + 1)
		index->part_end = source_part_start(index->source, index->source_part + 1);
	return index->part_end;
}

/* Waits for the head (a pipe may bring it byte by byte). */
static int read_head(struct index *index, struct format *ret, struct pktfs_error *error)
{
	uint8_t head[FORMAT_HEAD_SIZE];
	uint64_t there;
	int64_t size;

	if (source_wait(index->source, index->part_start + sizeof(head)) < 0)
		return error_set(error, -ECANCELED, "closed while it was opened");
	size = source_read(index->source, index->part_start, head, sizeof(head));
	there = index_part_end(index) - index->part_start;
	if (size > 0 && (uint64_t)size > there) /* the rest is of the next part */
		size = (int64_t)there;
	if (size <= 0 && index_part_problem(index, error) < 0)
		return error->code;
	if (size < 0)
		return error_at(error, (int)size, 0, "cannot be read: %s", strerror((int)-size));
	if (size == 0)
		return error_at(error, -ENODATA, 0,
				"empty when decompressed; accepted pcap, pcapng");
	return format_open(ret, cursor_over(head, (size_t)size, false), error);
}

int index_part_head(struct index *index, struct format *ret, struct pktfs_error *ret_error)
{
	struct pktfs_error error;
	int r = read_head(index, ret, &error);

	if (r < 0) {
		index_part_error(index, &error);
		if (ret_error)
			*ret_error = error;
	}
	return r;
}

/* A pcap file has one section and one interface, which its header describes. */
static int add_pcap_model(struct index *index, const struct format *format)
{
	struct format_section section = {
		.big_endian = format->big_endian,
		.supported = true,
		.major = format->version_major,
		.minor = format->version_minor,
		.length = -1,
	};
	struct format_interface interface = {
		.link_type = format->link_type,
		.snaplen = format->snaplen,
		.resolution = format->nanosecond ? 9 : 6,
		.fcs_length = format->fcs_length,
	};
	int r = index_add_section(index, &section, index->part_start);

	return r < 0 ? r : index_add_interface(index, &interface, index->part_start, 0);
}

int index_part_begin(struct index *index, const struct format *format)
{
	struct index_part *part = table_append(&index->parts);
	int r = 0;

	if (!part)
		return -ENOMEM;
	*part = (struct index_part){
		.file = file_number(index),
		.start = index->part_start,
		.format = *format,
		.first_record = index->next.records,
		.first_packet = index->next.packets,
		.first_metadata = index->next.metadata,
		.first_section = index->sections.appended,
		.first_interface = index->interfaces.appended,
	};
	format_walk_start(&index->walk, &part->format);
	index->next.end = part->start + format->first_record;
	index->part_open = true;
	if (format->kind != FORMAT_PCAPNG)
		r = add_pcap_model(index, format);
	index_end_passed(index);
	index_publish(index, false);
	return r;
}

/* The state of all so far, if the part at hand ends like this. */
static enum index_state worst_with(const struct index *index, enum index_state state)
{
	if (state == INDEX_COMPLETE && index->malformed)
		state = INDEX_DAMAGED;
	return MAX(state, index->worst);
}

enum index_state index_end_at(struct index *index, enum index_state state,
			      const struct pktfs_error *error)
{
	index->end_next.state = worst_with(index, state);
	index->end_next.problem = *error;
	index->end_next.calm = worst_with(index, INDEX_COMPLETE);
	index->end_next.final = state == INDEX_DAMAGED || !source_growing(index->source);
	index->end_next.open = state == INDEX_TRUNCATED && !index->end_next.final;
	return state;
}

void index_end_passed(struct index *index)
{
	if (index->end_next.state != INDEX_RUNNING)
		index_end_at(index, INDEX_COMPLETE, &(struct pktfs_error){0});
}

/* Waits for the part behind the one at hand: 1, 0 when there is none,
 * -ECANCELED. */
static int wait_for_next(struct index *index)
{
	uint64_t there;
	bool final;

	for (;;) {
		there = source_available(index->source, &final);
		if (index_part_end(index) != UINT64_MAX)
			return 1;
		if (final)
			return 0;
		if (source_wait(index->source, there + 1) < 0)
			return -ECANCELED;
	}
}

enum index_state index_part_leave(struct index *index, enum index_state state,
				  const struct pktfs_error *error)
{
	int r = wait_for_next(index);

	if (r < 0)
		return INDEX_RUNNING;
	if (r == 0)
		return index_end_at(index, state, error);
	if (error->code)
		index_add_problem(index, error);
	index->worst = worst_with(index, state);
	index->malformed = false;
	index->source_part++;
	index->part_start = index->part_end;
	index->part_end = UINT64_MAX;
	index->part_open = false;
	return INDEX_RUNNING;
}

enum index_state index_part_open(struct index *index)
{
	struct pktfs_error error = {0};
	struct format format;
	int r;

	index->end_next.reached = source_available(index->source, NULL);
	index->end_next.source_problem = source_problem(index->source, NULL);
	r = index_part_head(index, &format, &error);
	if (r == -ENODATA)
		return index_part_leave(index, INDEX_TRUNCATED, &error);
	if (r < 0 && r != -ECANCELED)
		return index_part_leave(index, INDEX_DAMAGED, &error);
	if (r == 0)
		r = index_part_begin(index, &format);
	if (r == 0 || r == -ECANCELED)
		return INDEX_RUNNING;
	index_no_memory(index, r, &error);
	return index_end_at(index, INDEX_DAMAGED, &error);
}
