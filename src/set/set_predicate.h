/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a predicate is to the evaluation. Each kind of set has one struct
 * set_predicate; `state` is what `open` made of the expression, shared by all
 * threads; `scratch` is one thread's own.
 */
#ifndef SET_PREDICATE_H
#define SET_PREDICATE_H

#include "set.h"

enum set_bound {
	BOUND_NONE,  /* no packet of the span can be in the set */
	BOUND_SOME,
};

struct set_predicate {
	/* Errors as set_open. */
	int (*open)(pktfs_capture *capture, const char *expression, void **ret_state,
		    struct pktfs_error *ret_error);
	void (*close)(void *state);
	/* Both may be NULL. 0 or negative errno. */
	int (*begin)(void *state, void **ret_scratch);
	void (*end)(void *scratch);
	/* 1, 0, or -E2BIG when a limit was reached. */
	int (*matches)(void *state, void *scratch, const struct pktfs_packet *packet);
	/* What is known of packets first .. last without looking at them; may
	 * be NULL. */
	enum set_bound (*bound)(void *state, const struct pktfs_span *span);
};

extern const struct set_predicate set_filter_predicate;
extern const struct set_predicate set_match_predicate;
extern const struct set_predicate set_interface_predicate;
extern const struct set_predicate set_time_predicate;
extern const struct set_predicate set_range_predicate;
extern const struct set_predicate set_payload_predicate;
extern const struct set_predicate set_file_predicate;

#endif
