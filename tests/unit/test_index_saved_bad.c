/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Indexes that are damaged, and such that were made to deceive, with a checksum that
 * is right: none may end the program or show a packet that is not there.
 */
#include "test_index_saved.h"

#include "index/index_saved.h"

#define WORDS_MAX 65536

/* An index, as the words of its file. */
struct words {
	uint64_t word[WORDS_MAX];
	size_t count;
};

static void read_words(const struct kept *kept, struct words *ret)
{
	ssize_t n = pread(kept->index, ret->word, sizeof(ret->word), 0);

	assert_true(n > 0 && (size_t)n < sizeof(ret->word) && n % 8 == 0);
	ret->count = (size_t)n / 8;
}

/* With the right length and checksum. */
static void write_words(const struct kept *kept, struct words *words)
{
	uint64_t hash = 0;

	words->word[SAVED_AT_LENGTH] = words->count * 8;
	for (size_t i = 0; i + 1 < words->count; i++)
		hash = saved_hash(hash, words->word[i]);
	words->word[words->count - 1] = hash;
	put_file(kept->index, words->word, words->count * 8);
}

static void kept_build(struct kept *kept, const struct text *text)
{
	kept_begin(kept, text->bytes, text->size);
	kept_save(kept);
	check_same(kept, PKTFS_INDEX_TAKEN);
}

/* ---- damage */

static void expect_ignored(const struct kept *kept, uint64_t packets, const char *what, size_t at)
{
	pktfs_capture *capture = kept_open(kept, 0);
	struct pktfs_status status;

	if (use_of(capture) != PKTFS_INDEX_IGNORED)
		fail_msg("%s at %zu: use %d", what, at, use_of(capture));
	pktfs_status_get(capture, &status);
	assert_int_equal(status.packets, packets);
	pktfs_close(capture);
}

static void damage(void **state)
{
	struct text text = {0};
	struct kept kept;
	static struct words words;
	uint8_t *bytes = (uint8_t *)words.word;
	struct pktfs_status status;
	pktfs_capture *capture;
	size_t i, size;

	(void)state;
	build_varied(&text, 100); /* one malformed block */
	kept_build(&kept, &text);
	capture = kept_open(&kept, 0);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.problems, 1);
	pktfs_close(capture);
	read_words(&kept, &words);
	size = words.count * 8;
	for (i = 0; i < size; i++) {
		bytes[i] ^= 0xff;
		put_file(kept.index, bytes, size);
		expect_ignored(&kept, status.packets, "flipped byte", i);
		bytes[i] ^= 0xff ^ 1;
		put_file(kept.index, bytes, size);
		expect_ignored(&kept, status.packets, "flipped bit", i);
		bytes[i] ^= 1;
	}
	for (i = 0; i < size; i++) {
		put_file(kept.index, bytes, i);
		expect_ignored(&kept, status.packets, "cut", i);
	}
	for (i = 1; i < 40; i++) {
		put_file(kept.index, bytes, size + i);
		expect_ignored(&kept, status.packets, "longer", i);
	}
	kept_end(&kept);
	text_free(&text);
}

/* ---- deception */

/* All that can be asked, without looking at the answers. */
static void ask_all(pktfs_capture *capture)
{
	struct pktfs_interface interface;
	struct pktfs_section section;
	struct pktfs_status status;
	struct pktfs_packet packet;
	struct pktfs_link_type type;
	struct pktfs_error error;
	struct pktfs_block block;
	struct pktfs_span span;
	uint64_t i;

	pktfs_status_get(capture, &status);
	for (i = 0; i <= status.sections; i++)
		if (pktfs_section_get(capture, i, &section, NULL) == 0)
			pktfs_section_release(&section);
	for (i = 0; i <= status.interfaces; i++)
		if (pktfs_interface_get(capture, i, &interface, NULL) == 0)
			pktfs_interface_release(&interface);
	for (i = 0; i <= status.metadata; i++)
		if (pktfs_block_get(capture, i, &block, NULL) == 0)
			pktfs_block_release(&block);
	for (i = 0; i <= status.packets; i += 7) {
		pktfs_span_get(capture, i, &span);
		if (pktfs_packet_get(capture, i, &packet, NULL) == 0)
			pktfs_packet_release(&packet);
	}
	for (i = 0; pktfs_link_type_get(capture, (unsigned)i, &type) == 0; i++)
		;
	for (i = 0; pktfs_problem_get(capture, i, &error) == 0; i++)
		;
}

/* All walks between checkpoints are made before such a small one is used: whatever
 * is said, the packets are those of the capture. */
static void expect_truth(const struct kept *kept, pktfs_capture *truth, size_t at, uint64_t word)
{
	pktfs_capture *capture = kept_open(kept, 0);
	struct pktfs_status status, true_status;
	const char *differs;

	pktfs_status_get(truth, &true_status);
	pktfs_status_get(capture, &status);
	if (status.packets != true_status.packets)
		fail_msg("word %zu as %llx: %llu packets", at, (unsigned long long)word,
			 (unsigned long long)status.packets);
	differs = same_packets(capture, truth, status.packets);
	if (!differs)
		differs = same_blocks(capture, truth, status.metadata);
	if (differs)
		fail_msg("word %zu as %llx: %s", at, (unsigned long long)word, differs);
	ask_all(capture);
	assert_int_not_equal(use_of(capture), PKTFS_INDEX_WRONG);
	pktfs_close(capture);
}

static void deceive(struct kept *kept)
{
	static struct words words;
	struct kept bare = {.fd = kept->fd, .index = -1};
	pktfs_capture *truth;
	unsigned k;
	size_t i;

	strcpy(bare.path, kept->path);
	truth = kept_open(&bare, 0);
	read_words(kept, &words);
	for (i = SAVED_AT_KEY; i + 1 < words.count; i++) {
		const uint64_t was = words.word[i];
		const uint64_t others[] = {
			0, 1, UINT64_MAX, was + 1, was - 1, was + 2, was ^ 1 << 12, was + 32,
			was * 2, was / 2, INT64_MAX, was | UINT64_C(1) << 32,
			words.word[i + 1], words.word[i - 1]};

		for (k = 0; k < ARRAY_SIZE(others); k++) {
			if (others[k] == was)
				continue;
			words.word[i] = others[k];
			write_words(kept, &words);
			expect_truth(kept, truth, i, others[k]);
		}
		words.word[i] = was;
	}
	pktfs_close(truth);
}

static void deceived_in_pcapng(void **state)
{
	struct text text = {0};
	struct kept kept;

	(void)state;
	build_varied(&text, 200);
	kept_build(&kept, &text);
	deceive(&kept);
	kept_end(&kept);
	text_free(&text);
}

static void deceived_in_pcap(void **state)
{
	struct text text = {0};
	struct kept kept;

	(void)state;
	build_plain_pcap(&text, false, 200);
	kept_build(&kept, &text);
	deceive(&kept);
	kept_end(&kept);
	text_free(&text);
}

/* Words taken out, put in, and exchanged, with counts that fit. */
static void deceived_by_counts(void **state)
{
	static struct words words, changed;
	struct text text = {0};
	struct kept kept, bare;
	pktfs_capture *truth;

	(void)state;
	build_varied(&text, 200);
	kept_build(&kept, &text);
	bare = kept;
	bare.index = -1;
	truth = kept_open(&bare, 0);
	read_words(&kept, &words);
	for (unsigned count = 0; count < 5; count++) {
		for (size_t at = SAVED_HEAD; at + 1 < words.count; at++) {
			const size_t sizes[] = {SAVED_CHECKPOINT_WORDS, SAVED_BLOCK_WORDS,
						SAVED_BLOCK_WORDS + SAVED_SUMS_WORDS,
						SAVED_LINK_WORDS, SAVED_PROBLEM_WORDS};
			const size_t size = sizes[count];

			if (at + size < words.count) {
				changed = words;
				memmove(&changed.word[at], &words.word[at + size],
					(words.count - at - size) * 8);
				changed.count -= size;
				changed.word[SAVED_AT_COUNTS + count]--;
				write_words(&kept, &changed);
				expect_truth(&kept, truth, at, count);
			}
			changed = words;
			memmove(&changed.word[at + size], &words.word[at], (words.count - at) * 8);
			changed.count += size;
			changed.word[SAVED_AT_COUNTS + count]++;
			write_words(&kept, &changed);
			expect_truth(&kept, truth, at, count + 100);
		}
	}
	pktfs_close(truth);
	kept_end(&kept);
	text_free(&text);
}

/* ---- found out as it is used */

/* The word of checkpoint `number`. */
static size_t checkpoint_at(uint64_t number)
{
	return SAVED_HEAD + SAVED_EPOCH_WORDS + (size_t)number * SAVED_CHECKPOINT_WORDS;
}

/* Everything before checkpoint `bad` - 1 can be read; from the first look at what is
 * there on, nothing. */
static void expect_wrong(const struct kept *kept, pktfs_capture *truth, uint64_t bad,
			 bool from_front)
{
	pktfs_capture *capture = kept_open(kept, 0);
	struct pktfs_packet packet;
	struct pktfs_status status;
	struct pktfs_error problem;
	uint64_t number = bad << INDEX_FIRST_SHIFT | 1;
	int r = 0;

	assert_int_equal(use_of(capture), PKTFS_INDEX_TAKEN);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_COMPLETE);
	for (number = from_front ? 1 : number; r == 0 && number < status.packets; number++) {
		r = pktfs_packet_get(capture, number, &packet, &problem);
		if (r == 0) {
			pktfs_packet_release(&packet);
			assert_null(same_packet_at(truth, capture, number));
		}
	}
	assert_int_equal(r, -EIO);
	assert_in_range(number, (bad - 1) << INDEX_FIRST_SHIFT, (bad << INDEX_FIRST_SHIFT) + 2);
	assert_int_equal(use_of(capture), PKTFS_INDEX_WRONG);
	pktfs_status_get(capture, &status);
	assert_int_equal(status.state, PKTFS_STATE_DAMAGED);
	assert_int_equal(status.problems, 1);
	assert_int_equal(pktfs_problem_get(capture, 0, &problem), 0);
	assert_int_equal(problem.code, -EIO);
	assert_int_equal(pktfs_packet_get(capture, status.packets, &packet, NULL), -EIO);
	assert_int_equal(pktfs_index_save(capture, kept->index, NULL), -ESTALE);
	ask_all(capture);
	pktfs_close(capture);
}

static void wrong_checkpoints(void **state)
{
	static const uint64_t distances[] = {4, 16, 1, 116, UINT64_MAX, UINT64_C(0) - 116};
	static struct words words;
	struct text text = {0};
	struct kept kept, bare;
	pktfs_capture *truth;

	(void)state;
	build_shb(&text, false);
	build_idb(&text, false, 1, 6, 0, NULL);
	for (unsigned i = 0; i < 64u << INDEX_FIRST_SHIFT; i++)
		build_epb(&text, false, 0, i, 84, i, NULL);
	kept_build(&kept, &text);
	bare = kept;
	bare.index = -1;
	truth = kept_open(&bare, 0);
	read_words(&kept, &words);
	for (unsigned i = 0; i < ARRAY_SIZE(distances); i++) {
		words.word[checkpoint_at(30)] += distances[i];
		write_words(&kept, &words);
		expect_wrong(&kept, truth, 30, i & 1);
		words.word[checkpoint_at(30)] -= distances[i];
	}
	/* times that hide packets, and counts */
	for (unsigned k = 1; k < SAVED_CHECKPOINT_WORDS; k++) {
		uint64_t was = words.word[checkpoint_at(30) + k];

		words.word[checkpoint_at(30) + k] =
			words.word[checkpoint_at(30) + (k == 1 ? 2 : 1)];
		if (k == 3)
			words.word[checkpoint_at(30) + k] = was + 1;
		write_words(&kept, &words);
		if (k < 3)
			expect_wrong(&kept, truth, 30, false);
		else
			expect_truth(&kept, truth, checkpoint_at(30) + k, 0);
		words.word[checkpoint_at(30) + k] = was;
	}
	write_words(&kept, &words);
	check_same(&kept, PKTFS_INDEX_TAKEN);
	pktfs_close(truth);
	kept_end(&kept);
	text_free(&text);
}

/* Each packet holds packets; a checkpoint leads to one of these. */
static void packets_in_packets(void **state)
{
	static struct words words;
	struct text text = {0}, inner = {0};
	struct kept kept, bare;
	pktfs_capture *truth;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		build_epb(&inner, false, 0, i, 16, i, NULL);
	build_shb(&text, false);
	build_idb(&text, false, 1, 6, 0, NULL);
	for (unsigned i = 0; i < 64u << INDEX_FIRST_SHIFT; i++) {
		size_t at = write_block_begin(&text, BLOCK_EPB, false);

		text_u32(&text, 0, false);
		text_u64(&text, 0, false);
		text_u32(&text, (uint32_t)inner.size, false);
		text_u32(&text, (uint32_t)inner.size, false);
		text_append(&text, inner.bytes, inner.size);
		write_block_end(&text, at, false);
	}
	kept_build(&kept, &text);
	bare = kept;
	bare.index = -1;
	truth = kept_open(&bare, 0);
	read_words(&kept, &words);
	for (unsigned i = 0; i < 6; i++) {
		words.word[checkpoint_at(30)] += 28 + i * inner.size / 6;
		write_words(&kept, &words);
		expect_wrong(&kept, truth, 30, i & 1);
		words.word[checkpoint_at(30)] -= 28 + i * inner.size / 6;
	}
	pktfs_close(truth);
	kept_end(&kept);
	text_free(&inner);
	text_free(&text);
}

/* What was made of a file that is finished has packets of its zeros, which for one that
 * is followed are none yet. The other way round nothing is wrong. */
static void zeros_of_followed(void **state)
{
	struct text text = {0};
	pktfs_capture *capture;
	struct pktfs_status status;
	struct kept kept;

	(void)state;
	build_plain_pcap(&text, false, 300);
	text_zeros(&text, 65536);
	kept_begin(&kept, text.bytes, text.size);
	kept_save(&kept);
	for (unsigned i = 0; i < 2; i++) {
		capture = kept_open(&kept, PKTFS_OPEN_FOLLOW);
		assert_int_equal(use_of(capture), i ? PKTFS_INDEX_TAKEN : PKTFS_INDEX_IGNORED);
		pktfs_status_get(capture, &status);
		assert_int_equal(status.packets, 300);
		kept_save_of(&kept, capture);
		pktfs_close(capture);
	}
	check_same(&kept, PKTFS_INDEX_TAKEN);
	kept_end(&kept);
	text_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_of_followed),
		cmocka_unit_test(damage),
		cmocka_unit_test(deceived_in_pcapng),
		cmocka_unit_test(deceived_in_pcap),
		cmocka_unit_test(deceived_by_counts),
		cmocka_unit_test(wrong_checkpoints),
		cmocka_unit_test(packets_in_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
