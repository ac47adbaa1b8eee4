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

#define NAME_ROOM sizeof("file 18446744073709551615: ")

/* How problems call a file; the first one not at all. Returns the length. */
static size_t name_of(uint64_t file, char name[NAME_ROOM])
{
	name[0] = '\0';
	if (file == 0)
		return 0;
	return (size_t)snprintf(name, NAME_ROOM, "file %llu: ", (unsigned long long)file + 1);
}

/* "file 2: ...", as much of it as there is room for. */
static void name_file(uint64_t file, struct pktfs_error *error)
{
	char name[NAME_ROOM];
	size_t length = name_of(file, name);
	size_t kept = MIN(strlen(error->text), sizeof(error->text) - 1 - length);

	memmove(error->text + length, error->text, kept);
	error->text[length + kept] = '\0';
	memcpy(error->text, name, length);
}

void index_part_error(const struct index *index, struct pktfs_error *error)
{
	if (error->has_offset)
		error->offset += index->part_start;
	name_file(index->source_part, error);
}

int index_part_problem(struct index *index, struct pktfs_error *ret_error)
{
	int r = source_part_problem(index->source, index->source_part, ret_error);

	if (r < 0 && ret_error->has_offset)
		ret_error->offset -= index->part_start;
	return r;
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
	if (size <= 0 && index_part_problem(index, error) < 0) {
		error->has_offset &= index->source_part == 0;
		return error->code;
	}
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
		.file = index->source_part,
		.start = index->part_start,
		.format = *format,
		.first_record = index->next.records,
		.first_packet = index->next.packets,
		.first_metadata = index->next.metadata,
		.first_section = index->sections.appended,
		.first_interface = index->interfaces.appended,
		.first_frame = index->next.frames,
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

/* The state of the part at hand, if it ends like this. */
static enum index_state state_of(const struct index *index, enum index_state state)
{
	return state == INDEX_COMPLETE && index->malformed ? INDEX_DAMAGED : state;
}

/* Whether the index comes no further than the end of the part at hand. */
static bool is_final(const struct index *index, enum index_state state, int code)
{
	if (code == -ENOMEM || index->full || !source_growing(index->source))
		return true;
	return state == INDEX_DAMAGED && !source_takes_more(index->source);
}

enum index_state index_end_at(struct index *index, enum index_state state,
			      const struct pktfs_error *error)
{
	struct index_end *end = &index->end_next;

	end->part_state = state_of(index, state);
	end->file = index->source_part;
	end->state = MAX(end->part_state, index->worst);
	end->problem = *error;
	end->part_calm = state_of(index, INDEX_COMPLETE);
	end->calm = MAX(end->part_calm, index->worst);
	end->final = is_final(index, state, error->code);
	end->open = state == INDEX_TRUNCATED && !end->final;
	if (state == INDEX_DAMAGED && !end->final) /* more bytes of it are of no use */
		end->reached = source_available(index->source, NULL);
	return state;
}

void index_end_passed(struct index *index)
{
	if (index->end_next.state != INDEX_RUNNING)
		index_end_at(index, INDEX_COMPLETE, &(struct pktfs_error){0});
}

static int open_next(struct index *index)
{
	return source_open_next(index->source, SOURCE_NEXT_AT_END,
				index->followed ? index->next.end : UINT64_MAX);
}

/* Waits for the part behind the one at hand, and opens it: 1, 0 when there is
 * none; -EAGAIN: the one at hand has grown; -ECANCELED; -ENOMEM. */
static int wait_for_next(struct index *index)
{
	uint64_t there;
	bool final;
	int r;

	for (;;) {
		there = source_available(index->source, &final);
		if (index_part_end(index) != UINT64_MAX)
			return 1;
		r = final ? open_next(index) : 0;
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (final && !source_more(index->source))
			return 0;
		if (source_wait(index->source, there + 1) < 0)
			return -ECANCELED;
	}
}

/* What is known of the part at hand is final. */
static int keep_file(struct index *index, enum index_state state)
{
	struct index_file *file;

	UTIL_LOCK_SCOPE(&index->lock);
	file = table_append(&index->files);
	if (!file)
		return -ENOMEM;
	file->state = state;
	file->problem = index->part_problem;
	index->part_problem.code = 0;
	table_publish(&index->files);
	return 0;
}

/* As it is in the part alone. */
static void unname(struct index *index, uint64_t file, struct pktfs_error *error)
{
	char name[NAME_ROOM];
	size_t length = name_of(file, name);

	if (error->has_offset)
		error->offset -= source_part_start(index->source, file);
	if (!strncmp(error->text, name, length))
		memmove(error->text, error->text + length, strlen(error->text + length) + 1);
}

void index_file(struct index *index, uint64_t file, enum index_state *ret_state,
		struct pktfs_error *ret_problem)
{
	const struct index_end *end = &index->end_seen;
	const struct index_file *kept;

	*ret_state = INDEX_RUNNING;
	ret_problem->code = 0;
	pthread_mutex_lock(&index->lock);
	if (file < table_count(&index->files)) {
		kept = table_at(&index->files, file);
		*ret_state = kept->state;
		*ret_problem = kept->problem;
	} else if (file == table_count(&index->files)) { /* the part at hand */
		*ret_problem = index->part_problem;
		if (end->state != INDEX_RUNNING && end->file == file) {
			*ret_state = index_is_calm(index) ? end->part_calm : end->part_state;
			if (!ret_problem->code && !index_is_calm(index))
				*ret_problem = end->problem;
		}
	}
	pthread_mutex_unlock(&index->lock);
	if (ret_problem->code)
		unname(index, file, ret_problem);
}

enum index_state index_part_leave(struct index *index, enum index_state state,
				  const struct pktfs_error *error)
{
	struct pktfs_error no_memory;
	int r = wait_for_next(index);

	if (r > 0 && error->code)
		index_add_problem(index, error);
	if (r > 0 && keep_file(index, state_of(index, state)) < 0)
		r = -ENOMEM;
	if (r == -ENOMEM) {
		error_set(&no_memory, r, "no memory for another file");
		return index_end_at(index, INDEX_DAMAGED, &no_memory);
	}
	if (r < 0)
		return INDEX_RUNNING;
	if (r == 0)
		return index_end_at(index, state, error);
	index->worst = MAX(state_of(index, state), index->worst);
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
