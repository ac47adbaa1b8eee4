/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perl-compatible regular expressions over the bytes of a packet, by PCRE2 and
 * its JIT compiler. Bytes, not UTF-8; multi-line, so that ^ and $ match at
 * each line as they do in `grep -P` (\A and \z are the ends of the packet).
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "set_predicate.h"

/* What one packet may cost before it is given up: a pattern that explodes
 * takes some 50 ms to reach it. */
#define MATCH_LIMIT 1000000u
#define MATCH_STACK ((size_t)512 << 10)

struct match {
	pcre2_code *code;
};

struct match_scratch {
	const pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

static void match_close(void *state)
{
	struct match *match = state;

	if (match)
		pcre2_code_free(match->code);
	free(match);
}

static int match_open(pktfs_capture *capture, const char *expression, void **ret_state,
		      struct pktfs_error *ret_error)
{
	struct match *match = calloc(1, sizeof(*match));
	PCRE2_UCHAR text[160] = "";
	PCRE2_SIZE offset = 0;
	int code;

	(void)capture;
	if (!match)
		return error_set(ret_error, -ENOMEM, "pattern: no memory");
	match->code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
				    PCRE2_MULTILINE | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C,
				    &code, &offset, NULL);
	if (!match->code) {
		pcre2_get_error_message(code, text, sizeof(text));
		free(match);
		return error_at(ret_error, -EINVAL, offset, "pattern: %s", (const char *)text);
	}
	/* without it (no JIT on this machine) the interpreter is used */
	pcre2_jit_compile(match->code, PCRE2_JIT_COMPLETE);
	*ret_state = match;
	return 0;
}

static void match_end(void *state)
{
	struct match_scratch *scratch = state;

	if (!scratch)
		return;
	pcre2_match_data_free(scratch->data);
	pcre2_match_context_free(scratch->context);
	pcre2_jit_stack_free(scratch->stack);
	free(scratch);
}

static int match_begin(void *state, void **ret_scratch)
{
	struct match_scratch *scratch = calloc(1, sizeof(*scratch));
	const struct match *match = state;

	if (!scratch)
		return -ENOMEM;
	scratch->code = match->code;
	scratch->data = pcre2_match_data_create(1, NULL);
	scratch->context = pcre2_match_context_create(NULL);
	scratch->stack = pcre2_jit_stack_create(32 << 10, MATCH_STACK, NULL);
	if (!scratch->data || !scratch->context) {
		match_end(scratch);
		return -ENOMEM;
	}
	pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
	pcre2_set_heap_limit(scratch->context, 4096); /* KiB */
	if (scratch->stack)
		pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	*ret_scratch = scratch;
	return 0;
}

static int match_matches(void *state, void *scratch_state, const struct pktfs_packet *packet)
{
	const struct match_scratch *scratch = scratch_state;
	int r;

	(void)state;
	r = pcre2_match(scratch->code, packet->data, packet->captured_length, 0, 0, scratch->data,
			scratch->context);
	if (likely(r == PCRE2_ERROR_NOMATCH))
		return 0;
	return r >= 0 ? 1 : -E2BIG;
}

const struct set_predicate set_match_predicate = {
	.open = match_open,
	.close = match_close,
	.begin = match_begin,
	.end = match_end,
	.matches = match_matches,
};
