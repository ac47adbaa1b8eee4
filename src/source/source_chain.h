/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What source_chain.c and source_chain_later.c share: the parts of a chain.
 */
#ifndef SOURCE_CHAIN_H
#define SOURCE_CHAIN_H

#include <sys/stat.h>

#include "source_impl.h"
#include "util/util_table.h"

struct chain_part {
	struct source *source; /* NULL: not opened */
	uint64_t start;        /* set before it is known */
	int fd;                /* -1: none */
	uint64_t size;         /* as it was stored when it was added */
	struct pktfs_time time;
	struct pktfs_error error; /* code 0: none; why there is no descriptor */
	atomic_bool lost;         /* source_file_lose */
	struct stat last;         /* under the lock: what it was when that was called */
};

struct source_chain {
	struct source base;
	struct table parts;            /* entries are filled in under the lock */
	atomic_size_t count;           /* under the lock: all; from 1 up, as the next two */
	atomic_size_t opened;          /* the same: those that have a source */
	atomic_size_t known;           /* the same: those whose start is known */
	uint64_t high;                 /* the highest end so far; under the lock */
	bool closing;                  /* under the lock */
	bool more;                     /* parts may be added for ever */
	struct source_options options; /* of parts that are opened later */
	char *spool_dir;
};

static inline struct source_chain *chain_of(struct source *source)
{
	return (struct source_chain *)source;
}

static inline size_t chain_load(const atomic_size_t *number)
{
	return atomic_load_explicit(number, memory_order_acquire);
}

static inline struct chain_part *chain_part(const struct source_chain *chain, size_t number)
{
	return table_at(&chain->parts, number);
}

bool source_is_chain(const struct source *source);

struct source_chain *source_chain_new(void);
void source_chain_free(struct source_chain *chain); /* not its parts */

/* With the lock, or before anybody else knows of the chain. NULL: no memory. */
struct chain_part *source_chain_append(struct source_chain *chain, struct source *source, int fd);

/* With the lock. The end is final where that of the last opened part is. */
void source_chain_set_end(struct source_chain *chain);

/* As source_grow and source_follow, of a part that is opened. */
int source_chain_grow_part(struct source_chain *chain, size_t number, uint64_t limit,
			   uint64_t used);

void source_chain_stored(const struct source_chain *chain, size_t number, uint64_t *ret_size,
			 struct pktfs_time *ret_time);

#endif
