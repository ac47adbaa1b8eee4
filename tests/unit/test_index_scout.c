/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a capture holds, an index that scouts helped with is the same as one
 * without. Captures that are made to fool them, above all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "index/index_internal.h"
#include "source/source_impl.h"
#include "source/source_piece.h"
#include "test_build.h"

/* How scouts go over captures that are small: the lengths of their stretches. */
static const struct index_scout_plan plans[] = {
	{.threads = 1, .patience = 64, .stretch_min = 64, .stretch_max = 64},
	{.threads = 2, .patience = 64, .stretch_min = 500, .stretch_max = 500},
	{.threads = 2, .patience = 64, .stretch_min = 16384, .stretch_max = 16384},
};

static const struct index_scout_plan none = {.off = true};

struct indexed {
	struct source *source;
	struct index *index;
	struct index_totals totals;
};

static struct indexed indexed_with(struct source *source, const struct index_scout_plan *plan,
				   uint64_t memory)
{
	struct indexed r = {.source = source};

	assert_int_equal(index_open(source, &r.index, NULL), 0);
	r.index->plan = *plan;
	index_set_memory(r.index, memory);
	assert_int_equal(index_start(r.index), 0);
	assert_int_equal(index_wait(r.index, UINT64_MAX - 1, NULL), 0);
	index_totals(r.index, &r.totals);
	return r;
}

static void indexed_close(struct indexed *r)
{
	index_close(r->index);
	source_close(r->source);
}

static void same_time(struct pktfs_time a, struct pktfs_time b)
{
	assert_int_equal(a.sec, b.sec);
	assert_int_equal(a.nsec, b.nsec);
}

static void same_totals(const struct index_totals *a, const struct index_totals *b)
{
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->records, b->records);
	assert_int_equal(a->packets, b->packets);
	assert_int_equal(a->metadata, b->metadata);
	assert_int_equal(a->frames, b->frames);
	assert_int_equal(a->captured_bytes, b->captured_bytes);
	assert_int_equal(a->original_bytes, b->original_bytes);
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->has_time, b->has_time);
	same_time(a->first_time, b->first_time);
	same_time(a->last_time, b->last_time);
	same_time(a->min_time, b->min_time);
	same_time(a->max_time, b->max_time);
}

/* Entries of tables, as they are in memory. */
static void same_table(const struct table *a, const struct table *b)
{
	assert_int_equal(table_count(a), table_count(b));
	for (uint64_t i = 0; i < table_count(a); i++)
		assert_memory_equal(table_at(a, i), table_at(b, i), a->entry_size);
}

/* Those of records that are there: whether there is one behind the last record
 * depends on where batches ended. */
static void same_checkpoints(const struct index *a, const struct index *b, uint64_t records)
{
	for (uint64_t i = 0; index_checkpoint_record(i) < records; i++) {
		const struct index_checkpoint *x, *y;
		uint64_t left = records - index_checkpoint_record(i) - 1;
		uint64_t steps = MIN(left >> index_step_shift(i), (uint64_t)INDEX_STEPS);

		assert_true(i < table_count(&a->checkpoints) && i < table_count(&b->checkpoints));
		x = table_at(&a->checkpoints, i);
		y = table_at(&b->checkpoints, i);
		assert_memory_equal(x, y, offsetof(struct index_checkpoint, steps));
		assert_memory_equal(x->steps, y->steps, steps * sizeof(x->steps[0]));
	}
}

static void same_interfaces(struct index *a, struct index *b)
{
	uint64_t count = index_interfaces(a);

	assert_int_equal(count, index_interfaces(b));
	for (uint64_t i = 0; i < count; i++) {
		struct index_interface *x = index_interface(a, i), *y = index_interface(b, i);

		assert_memory_equal(x, y, offsetof(struct index_interface, packets));
		assert_int_equal(x->packets, y->packets);
		assert_int_equal(x->captured_bytes, y->captured_bytes);
		assert_int_equal(x->original_bytes, y->original_bytes);
		assert_int_equal(x->statistics, y->statistics);
	}
}

/* A record that is cut needs what is known of it: that depends on where a loan ends. */
static bool any_need;

static void same_problems(struct index *a, struct index *b)
{
	struct pktfs_error x, y;

	assert_int_equal(index_problems(a), index_problems(b));
	for (uint64_t i = 0; index_problem(a, i, &x) == 0; i++) {
		assert_int_equal(index_problem(b, i, &y), 0);
		assert_int_equal(x.code, y.code);
		assert_int_equal(x.offset, y.offset);
		if (!any_need || !strstr(x.text, "it needs"))
			assert_string_equal(x.text, y.text);
	}
}

static void same_index(const struct indexed *a, const struct indexed *b)
{
	uint64_t epochs = (table_count(&a->index->checkpoints) + INDEX_EPOCH - 1) / INDEX_EPOCH;

	same_totals(&a->totals, &b->totals);
	same_checkpoints(a->index, b->index, a->totals.records);
	same_table(&a->index->sections, &b->index->sections);
	same_interfaces(a->index, b->index);
	same_problems(a->index, b->index);
	assert_memory_equal(a->index->epochs, b->index->epochs,
			    epochs * sizeof(struct index_epoch));
	assert_int_equal(index_link_types(a->index), index_link_types(b->index));
	assert_memory_equal(a->index->link_types, b->index->link_types,
			    sizeof(a->index->link_types));
}

static struct source *memory_source(const void *bytes, size_t size)
{
	struct source *source;

	assert_int_equal(source_open_buffer(bytes, size, NULL, &source, NULL), 0);
	return source;
}

/* ---- a source of frames each of which was looked at when it was decompressed */

struct framed {
	struct source base;
	const uint8_t *bytes;
	size_t size, frame;
	bool ahead; /* where they are was not known then */
	struct source_looker looker;
};

static int framed_borrow(struct source *source, uint64_t offset, size_t size,
			 struct pktfs_loan *ret)
{
	struct framed *framed = (struct framed *)source;
	size_t start = (size_t)offset / framed->frame * framed->frame;
	size_t end = MIN(start + framed->frame, framed->size), within = (size_t)offset - start;
	bool whole = offset + size <= end;
	struct source_piece *piece = source_piece_new(framed->frame + size);

	assert_non_null(piece);
	piece->size = whole ? end - start : size;
	memcpy(piece->bytes, framed->bytes + (whole ? start : offset), piece->size);
	if (whole && framed->looker.look)
		piece->notes = framed->looker.look(framed->looker.context,
						   framed->ahead ? SOURCE_AHEAD : start,
						   piece->bytes, piece->size);
	ret->hold = piece;
	ret->bytes = piece->bytes + (whole ? within : 0);
	ret->size = piece->size - (whole ? within : 0);
	return 0;
}

static void framed_set_looker(struct source *source, const struct source_looker *looker)
{
	((struct framed *)source)->looker = looker ? *looker : (struct source_looker){0};
}

static void framed_close(struct source *source)
{
	source_fini(source);
	free(source);
}

static struct source *framed_source(const void *bytes, size_t size, size_t frame, bool ahead)
{
	static const struct source_ops ops = {
		.name = "framed",
		.borrow = framed_borrow,
		.set_looker = framed_set_looker,
		.close = framed_close,
	};
	struct framed *framed = calloc(1, sizeof(*framed));

	assert_non_null(framed);
	source_init(&framed->base, &ops);
	framed->bytes = bytes;
	framed->size = size;
	framed->frame = frame;
	framed->ahead = ahead;
	source_publish(&framed->base, size);
	source_finish(&framed->base);
	return &framed->base;
}

static uint64_t frames_noted; /* of all checks so far */

static void check_frames(const struct indexed *plain, const void *bytes, size_t size,
			 uint64_t memory)
{
	static const size_t frames[] = {20000, 65536, 1000000};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(frames); i++) {
		struct source *source = framed_source(bytes, size, frames[i / 2], i & 1);
		struct indexed r = indexed_with(source, &plans[0], memory);

		any_need = true;
		same_index(plain, &r);
		any_need = false;
		frames_noted += r.index->noted;
		indexed_close(&r);
	}
}

/* Returns how many packets were counted as scouts had noted them. */
static uint64_t check_bytes(const void *bytes, size_t size, uint64_t memory)
{
	struct indexed plain = indexed_with(memory_source(bytes, size), &none, memory);
	uint64_t noted = 0;

	assert_int_equal(plain.index->noted, 0);
	check_frames(&plain, bytes, size, memory);
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		struct indexed r = indexed_with(memory_source(bytes, size), &plans[i], memory);

		same_index(&plain, &r);
		noted += r.index->noted;
		indexed_close(&r);
	}
	indexed_close(&plain);
	return noted;
}

/* The share of packets that scouts found. */
static double check(struct text *file)
{
	struct indexed plain;
	uint64_t noted, packets;

	assert_int_equal(file->failed, 0);
	plain = indexed_with(memory_source(file->bytes, file->size), &none, 0);
	packets = plain.totals.packets;
	indexed_close(&plain);
	noted = check_bytes(file->bytes, file->size, 0);
	text_free(file);
	return packets ? (double)noted / (double)(packets * ARRAY_SIZE(plans)) : 0;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

#define SECONDS 1700000000

static struct write_pcap_header header_of(bool big_endian, bool nanosecond)
{
	return (struct write_pcap_header){big_endian, nanosecond, 262144, 1, -1};
}

/* `count` records with up to `size` bytes. */
static void add_records(struct text *file, const struct write_pcap_header *header, unsigned count,
			unsigned size, uint32_t seed)
{
	for (unsigned i = 0; i < count; i++)
		build_record(file, header, SECONDS + i / 100 - (i % 7), i * 1000,
			     size ? next_random(&seed) % size : 0, i + seed);
}

static void pcap_is_the_same(void **state)
{
	static const unsigned sizes[] = {0, 1, 20, 100, 1500, 70000};

	(void)state;
	for (unsigned i = 0; i < 4 * ARRAY_SIZE(sizes); i++) {
		struct write_pcap_header header = header_of(i & 1, i & 2);
		struct text file = {0};
		double share;

		write_pcap_header(&file, &header);
		add_records(&file, &header, sizes[i / 4] > 2000 ? 60 : 4000, sizes[i / 4], i);
		frames_noted = 0;
		share = check(&file);
		if (sizes[i / 4] && sizes[i / 4] < 2000)
			assert_true(share > 0.5);
		/* what six kinds of frames hold is 400 KB at least */
		if (sizes[i / 4] >= 100 && sizes[i / 4] < 2000)
			assert_true(frames_noted > 6 * 4000 / 2);
	}
}

/* Kuznetzov's headers, and the versions with their lengths in other orders. */
static void odd_pcap_is_the_same(void **state)
{
	(void)state;
	for (unsigned minor = 2; minor <= 4; minor++) {
		for (unsigned modified = 0; modified < 2; modified++) {
			struct text file = {0};
			uint32_t seed = minor;

			text_u32(&file, modified ? 0xa1b2cd34 : 0xa1b2c3d4, false);
			text_u16(&file, 2, false);
			text_u16(&file, (uint16_t)minor, false);
			text_zeros(&file, 8);
			text_u32(&file, 65535, false);
			text_u32(&file, 1, false);
			for (unsigned i = 0; i < 2000; i++) {
				uint32_t size = next_random(&seed) % 200, more = size + i % 2;

				text_u32(&file, SECONDS + i, false);
				text_u32(&file, i, false);
				text_u32(&file, minor == 2 ? more : size, false);
				text_u32(&file, minor == 2 ? size : more, false);
				text_zeros(&file, modified ? 8 : 0);
				build_data(&file, i, size);
			}
			assert_true((check(&file) > 0.5) == (minor == 4));
		}
	}
}

/* One block of a capture with a bit of everything. */
static void add_block(struct text *file, bool big_endian, unsigned i, uint32_t random)
{
	switch (random % 40) {
	case 0:
		build_isb(file, big_endian, random / 40 % 4, i);
		break;
	case 1:
		build_idb(file, big_endian, (uint16_t)(random / 40 % 3), 9, 0, "more");
		break;
	case 2:
		build_block(file, big_endian, BLOCK_CB, "custom block", 12);
		break;
	case 3:
		build_block(file, big_endian, BLOCK_NRB, "", 0);
		break;
	case 4: /* a simple packet */
		build_block(file, big_endian, BLOCK_SPB, "\0\0\0\4data", 8);
		break;
	default:
		build_epb(file, big_endian, random / 40 % 3, i * UINT64_C(1000) + random % 5000,
			  random / 7 % 300, i, random % 11 ? NULL : "a comment");
	}
}

/* `malformed`: packets of interfaces that are not there, and too long for their block. */
static void add_section(struct text *file, bool big_endian, unsigned count, bool malformed,
			uint32_t seed)
{
	build_shb(file, big_endian);
	build_idb(file, big_endian, 1, 6, 0, "eth0");
	build_idb(file, big_endian, 101, 9, 64, NULL);
	build_idb(file, big_endian, 1, 0x8a, 0, NULL);
	for (unsigned i = 0; i < count; i++) {
		add_block(file, big_endian, i, next_random(&seed));
		if (malformed && i % 500 == 499)
			build_epb(file, big_endian, 100, i, 50, i, NULL);
	}
}

static void pcapng_is_the_same(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		struct text file = {0};
		bool malformed = i & 2, sections = i & 4, foreign = i & 8;
		double share;

		add_section(&file, i & 1, 6000, malformed, i);
		if (sections)
			for (unsigned n = 0; n < 30; n++)
				add_section(&file, n & 1, n * 20, malformed, n);
		if (foreign) { /* of a version that is skipped, and one more behind it */
			build_shb_version(&file, i & 1, 9, 0);
			build_epb(&file, i & 1, 0, 0, 50, i, NULL);
			add_section(&file, i & 1, 3000, malformed, i);
		}
		share = check(&file);
		assert_true(share > 0.25);
	}
}

/* Scouts do not stop at each section, nor at interfaces that they do not know. */
static void sections_go_on(void **state)
{
	struct text file = {0};

	(void)state;
	for (unsigned n = 0; n < 30; n++)
		add_section(&file, true, 300, false, n);
	assert_true(check(&file) > 0.8);
}

/* ---- made to fool */

/* A whole capture, to be the data of a packet. */
static struct text inner_capture(unsigned kind)
{
	struct write_pcap_header header = header_of(kind & 1, kind & 2);
	struct text inner = {0};

	if (kind & 4) {
		add_section(&inner, kind & 1, 40, false, kind);
	} else {
		write_pcap_header(&inner, &header);
		add_records(&inner, &header, 40, 80, kind);
	}
	return inner;
}

/* Cut off somewhere, so that a chain of records in it ends anywhere. */
static void add_inner(struct text *file, const struct write_pcap_header *header, bool big_endian,
		      unsigned i)
{
	struct text inner = inner_capture(i % 8);
	uint32_t size = (uint32_t)(i % 3 ? inner.size - i % 50 : inner.size);
	size_t at;

	if (header) {
		write_pcap_record(file, header, (struct pktfs_time){SECONDS + i, 0}, size, size);
		text_append(file, inner.bytes, size);
	} else {
		at = write_block_begin(file, BLOCK_EPB, big_endian);
		text_u32(file, 0, big_endian);
		text_u64(file, i, big_endian);
		text_u32(file, size, big_endian);
		text_u32(file, size, big_endian);
		text_append(file, inner.bytes, size);
		text_zeros(file, util_pad4(size) - size);
		write_block_end(file, at, big_endian);
	}
	text_free(&inner);
}

static void captures_in_packets(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct write_pcap_header header = header_of(kind & 1, kind & 2);
		bool pcapng = kind & 4;
		struct text file = {0};

		if (pcapng)
			add_section(&file, kind & 1, 0, false, 1);
		else
			write_pcap_header(&file, &header);
		for (unsigned i = 0; i < 1500; i++) {
			add_inner(&file, pcapng ? NULL : &header, kind & 1, i);
			for (unsigned n = 0; n < i % 4; n++) {
				if (pcapng)
					build_epb(&file, kind & 1, n % 3, i, 40, i, NULL);
				else
					add_records(&file, &header, 1, 60, i);
			}
		}
		check(&file);
	}
}

/* Packets that are nothing but a long chain of records, `phase` bytes off, and each
 * chain goes on in the next packet as if there were no record between. */
static void chains_of_a_wrong_phase(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < 17; phase++) {
		struct write_pcap_header header = header_of(phase & 1, false);
		struct text file = {0};

		write_pcap_header(&file, &header);
		for (unsigned i = 0; i < 400; i++) {
			uint32_t size = phase + 16 * 60 + 16;
			struct pktfs_time time = {SECONDS, i};

			write_pcap_record(&file, &header, time, size, size);
			text_zeros(&file, phase);
			for (unsigned n = 0; n < 60; n++)
				write_pcap_record(&file, &header, time, 0, 16);
			/* the last one of them takes the true header for its data */
			write_pcap_record(&file, &header, time, 16 + phase, 16 + phase);
		}
		check(&file);
	}
}

/* Chains that look right for all but their last record, at each byte. */
static void chains_that_break(void **state)
{
	struct write_pcap_header header = header_of(false, false);
	struct text file = {0};

	(void)state;
	write_pcap_header(&file, &header);
	for (unsigned i = 0; i < 60; i++) {
		write_pcap_record(&file, &header, (struct pktfs_time){0x65656565, 0}, 40000, 40000);
		for (unsigned n = 0; n < 10000; n++) /* times, all of them, and lengths */
			text_u32(&file, 0x65656565, false);
		add_records(&file, &header, 100, 50, i);
	}
	check(&file);
}

static void huge_and_empty_records(void **state)
{
	struct write_pcap_header header = header_of(true, true);
	struct text file = {0};

	(void)state;
	write_pcap_header(&file, &header);
	for (unsigned i = 0; i < 20; i++) {
		add_records(&file, &header, 500, 0, i);
		add_records(&file, &header, 300, 40, i);
		build_record(&file, &header, SECONDS, 0, 300000 + i * 1000, i);
		text_zeros(&file, 16 * 10); /* empty, of 1970 */
	}
	check(&file);
}

/* ---- what ends a walk */

/* Every one ends it otherwise: within a header, a packet, or between two. */
static void cut_at_every_length(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		struct write_pcap_header header = header_of(false, false);
		struct text file = {0};
		size_t size;

		if (kind)
			add_section(&file, false, 150, true, 5);
		else
			write_pcap_header(&file, &header);
		if (!kind)
			add_records(&file, &header, 400, 30, 5);
		assert_int_equal(file.failed, 0);
		for (size = file.size; size > file.size - 400; size--)
			check_bytes(file.bytes, size, 0);
		for (; size > 100; size -= 37)
			check_bytes(file.bytes, size, 0);
		text_free(&file);
	}
}

/* Bytes that are turned over end it, or change what is counted. */
static void flipped_bytes(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		struct write_pcap_header header = header_of(kind, false);
		struct text file = {0};

		if (kind)
			add_section(&file, true, 600, false, 3);
		else
			write_pcap_header(&file, &header);
		if (!kind)
			add_records(&file, &header, 1500, 30, 3);
		for (unsigned i = 0; i < 400; i++) {
			size_t at = 100 + next_random(&seed) % (file.size - 100);
			char before = file.bytes[at];

			file.bytes[at] ^= (char)(1 + next_random(&seed) % 255);
			check_bytes(file.bytes, file.size, 0);
			file.bytes[at] = before;
		}
		text_free(&file);
	}
}

/* The memory for checkpoints ends in the middle of what a scout noted. */
static void memory_ends_in_notes(void **state)
{
	struct write_pcap_header header = header_of(false, false);
	struct text file = {0};

	(void)state;
	write_pcap_header(&file, &header);
	add_records(&file, &header, 20000, 40, 1);
	for (unsigned i = 0; i < 40; i++)
		check_bytes(file.bytes, file.size, 1500 + i * 100);
	text_free(&file);
}

/* ---- files */

static void check_file(const char *path)
{
	struct source *source;
	struct indexed plain, r;
	struct index *index;

	if (source_open_path(path, NULL, &source, NULL) < 0)
		return;
	if (index_open(source, &index, NULL) < 0) {
		source_close(source);
		return;
	}
	index_close(index);
	source_close(source);
	assert_int_equal(source_open_path(path, NULL, &source, NULL), 0);
	plain = indexed_with(source, &none, 0);
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		assert_int_equal(source_open_path(path, NULL, &source, NULL), 0);
		r = indexed_with(source, &plans[i], 0);
		same_index(&plain, &r);
		indexed_close(&r);
	}
	indexed_close(&plain);
}

/* A file is cut while scouts are over it: what is published is what was there. */
static void cut_under_scouts(void **state)
{
	struct write_pcap_header header = header_of(false, false);
	char path[] = "/tmp/test_index_scout.XXXXXX";
	struct indexed plain, r = {0};
	struct text file = {0};
	uint32_t seed = 1;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	write_pcap_header(&file, &header);
	add_records(&file, &header, 30000, 100, 1);
	plain = indexed_with(memory_source(file.bytes, file.size), &none, 0);
	for (unsigned i = 0; i < 60; i++) {
		off_t size = (off_t)(next_random(&seed) % file.size);

		assert_int_equal(pwrite(fd, file.bytes, file.size, 0), file.size);
		assert_int_equal(source_open_path(path, NULL, &r.source, NULL), 0);
		assert_int_equal(index_open(r.source, &r.index, NULL), 0);
		r.index->plan = plans[i % ARRAY_SIZE(plans)];
		assert_int_equal(index_start(r.index), 0);
		index_wait(r.index, next_random(&seed) % 30000, NULL);
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(index_wait(r.index, UINT64_MAX - 1, NULL), 0);
		index_totals(r.index, &r.totals);
		assert_true(r.totals.state == INDEX_DAMAGED || r.totals.packets == 30000);
		/* the last may be one that is not full */
		same_checkpoints(plain.index, r.index, r.totals.records & ~UINT64_C(255));
		indexed_close(&r);
	}
	indexed_close(&plain);
	text_free(&file);
	close(fd);
	unlink(path);
}

/* A file grows, and its end is taken back, while scouts are over it. */
static void grows_under_scouts(void **state)
{
	struct write_pcap_header header = header_of(false, true);
	const struct source_options growing = {.growing = true};
	char path[] = "/tmp/test_index_scout.XXXXXX";
	struct indexed plain, r = {0};
	struct text file = {0};
	uint32_t seed = 1;
	int fd = mkstemp(path);
	size_t size, n, ends[30000];

	(void)state;
	assert_true(fd >= 0);
	write_pcap_header(&file, &header);
	for (n = 0; n < ARRAY_SIZE(ends); n++) {
		add_records(&file, &header, 1, 100, (uint32_t)n * 7919);
		ends[n] = file.size;
	}
	plain = indexed_with(memory_source(file.bytes, file.size), &none, 0);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, file.bytes, ends[0], 0), ends[0]);
		assert_int_equal(source_open_path(path, &growing, &r.source, NULL), 0);
		assert_int_equal(index_open(r.source, &r.index, NULL), 0);
		r.index->plan = plans[i % ARRAY_SIZE(plans)];
		r.index->plan.tail = r.index->plan.active_tail = 3000;
		index_set_followed(r.index, true);
		assert_int_equal(index_start(r.index), 0);
		for (n = 3000; n < ARRAY_SIZE(ends); n += next_random(&seed) % 1000) {
			/* and some of the next record, which is taken back */
			size = ends[n] - next_random(&seed) % (ends[n] - ends[n - 1]);
			assert_int_equal(pwrite(fd, file.bytes, size, 0), size);
			assert_true(index_follow(r.index) >= 0);
			if (next_random(&seed) % 4 == 0)
				assert_int_equal(index_wait_end(r.index, ends[n - 1], NULL), 0);
			if (size < ends[n] && next_random(&seed) % 2)
				assert_int_equal(ftruncate(fd, (off_t)ends[n - 1]), 0);
		}
		assert_int_equal(pwrite(fd, file.bytes, file.size, 0), file.size);
		assert_true(index_follow(r.index) >= 0);
		assert_int_equal(index_wait_end(r.index, file.size, NULL), 0);
		assert_int_equal(index_wait(r.index, 29999, NULL), 0);
		index_totals(r.index, &r.totals);
		assert_true(r.index->noted > 0);
		same_index(&plain, &r);
		indexed_close(&r);
	}
	indexed_close(&plain);
	text_free(&file);
	close(fd);
	unlink(path);
}

/* All captures that are kept for the tests, where they are. */
static void files_are_the_same(void **state)
{
	const char *shared = getenv("PKTFS_SHARED");
	struct dirent *entry;
	char folder[4096], path[8192];
	unsigned count = 0;
	DIR *dir;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/captures/files", shared ? shared : "../shared");
	dir = opendir(folder);
	if (!dir)
		skip();
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.' && ++count)
			check_file(path);
	}
	closedir(dir);
	assert_true(count > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_is_the_same),
		cmocka_unit_test(odd_pcap_is_the_same),
		cmocka_unit_test(pcapng_is_the_same),
		cmocka_unit_test(sections_go_on),
		cmocka_unit_test(captures_in_packets),
		cmocka_unit_test(chains_of_a_wrong_phase),
		cmocka_unit_test(chains_that_break),
		cmocka_unit_test(huge_and_empty_records),
		cmocka_unit_test(cut_at_every_length),
		cmocka_unit_test(flipped_bytes),
		cmocka_unit_test(memory_ends_in_notes),
		cmocka_unit_test(cut_under_scouts),
		cmocka_unit_test(grows_under_scouts),
		cmocka_unit_test(files_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
