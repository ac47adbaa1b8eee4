/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of append/: by number, by name, in the order of their numbers inside
 * a place, and in the order in which they were committed.
 *
 *	file = append_table_add(&table, &place, "p");
 *	append_table_commit(&table, file);
 *	append_table_unname(&table, file);
 *	append_table_settle(&table, file);      frees what nobody needs
 *
 * A file is there as long as it has a name, a draft, or is one of the newest
 * records. Its address changes when it is renamed: who lets go of the lock keeps
 * its number.
 *
 * Threads: none; the caller's lock.
 */
#ifndef APPEND_TABLE_H
#define APPEND_TABLE_H

#include "append.h"

struct append_draft;
struct append_list;
struct append_page;

struct append_file {
	uint64_t id;
	struct append_list *list; /* of the place where its name is, or was */
	struct append_file *same_hash;
	struct append_file *before, *after; /* named: in its place */
	struct append_file *older, *newer;  /* chained: by commit */
	struct append_draft *draft;         /* bytes, attributes, handles; NULL: none of them */
	/* committed */
	uint64_t offset;
	uint64_t packet; /* number in the file; 0: a block */
	int64_t sec;     /* time: see struct append_status */
	uint32_t nsec;
	uid_t uid;
	gid_t gid;
	uint16_t mode;
	bool named : 1;
	bool committed : 1;
	bool chained : 1; /* committed, and named or listed */
	bool listed : 1;  /* one of the newest records */
	char name[];
};

struct append_table {
	struct append_list **lists; /* by place */
	size_t list_room;
	struct append_file **buckets;
	size_t bucket_count; /* a power of two */
	uint64_t names;
	struct append_page **pages; /* by number: pages[0] has those from first_page on */
	uint64_t first_page;
	size_t page_count, page_room;
	uint64_t last_id;
	struct append_file *oldest, *newest, *oldest_listed;
	uint64_t committed_names, listed;
	uint64_t names_max, list_max;
	uint64_t seed;
};

/* 0 or -ENOMEM. */
int append_table_init(struct append_table *table, uint64_t names_max, uint64_t list_max);
/* The drafts are the caller's to free before. */
void append_table_free(struct append_table *table);

bool append_place_is(const struct append_file *file, const struct append_place *place);
struct append_place append_place_of(const struct append_file *file);

/* A new file; nobody has the name. NULL: no memory. */
struct append_file *append_table_add(struct append_table *table, const struct append_place *place,
				     const char *name);
/* NULL: there is none. */
struct append_file *append_table_by_id(const struct append_table *table, uint64_t id);
struct append_file *append_table_by_name(const struct append_table *table,
					 const struct append_place *place, const char *name);
/* The first with a number above `after`: with a name in `place`; of all. */
struct append_file *append_table_after(const struct append_table *table,
				       const struct append_place *place, uint64_t after);
struct append_file *append_table_next(const struct append_table *table, uint64_t after);

/* Gives it another name, which nobody has: where it is now, NULL without memory. */
struct append_file *append_table_rename(struct append_table *table, struct append_file *file,
					const struct append_place *place, const char *name);
void append_table_unname(struct append_table *table, struct append_file *file);

/* It is a record now. What is too much is forgotten. */
void append_table_commit(struct append_table *table, struct append_file *file);

void append_table_settle(struct append_table *table, struct append_file *file);

#endif
