/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of `view` share: the struct, the operations of a kind of
 * node, and helpers. See view_tree.c for how a request reaches a kind.
 */
#ifndef VIEW_PRIVATE_H
#define VIEW_PRIVATE_H

#include <stdarg.h>
#include <stdatomic.h>

#include "view.h"
#include "view_node.h"

/* The longest name, and a NUL. */
#define VIEW_NAME_ROOM 256

struct set;
struct set_pool;
struct view_cache;
struct view_export_cache;
struct view_fields;
struct view_files;
struct view_named_table;
struct view_ring;

/* Blocks of names and secrets: found by one pass over the metadata. */
enum view_catalog_kind {
	CATALOG_NAMES,
	CATALOG_SECRET,
};

struct view_catalog_entry {
	uint64_t index; /* metadata block */
	uint32_t type;  /* of the secret */
	enum view_catalog_kind kind;
};

/* More blocks of names and secrets than this are left out of names/ and
 * secrets/, and said so in info/log; each is in blocks/. */
#define VIEW_CATALOG_MAX      65536u
#define VIEW_SECRET_TYPES_MAX 64u

struct view_catalog {
	pthread_mutex_t lock;
	/* under lock */
	struct view_catalog_entry *entries;
	unsigned count, room;
	uint64_t next; /* metadata block to look at */
	/* each is written once, before it is counted */
	uint32_t types[VIEW_SECRET_TYPES_MAX];
	_Atomic unsigned type_count;
	_Atomic bool done; /* for ever: nothing more comes */
};

/* More link types than this in one capture have no capture.LINKTYPE.pcap. */
#define VIEW_LINK_TYPES_MAX 64u

/* Things that are said in info/log once. */
enum view_said {
	SAID_NAMES = 1,
	SAID_SECRETS = 2,
	SAID_CATALOG = 4,
	SAID_BLOCK = 8,
	SAID_COMMENTS = 16,
	SAID_EXPORT = 64,
};

struct view {
	pktfs_capture *capture;
	struct append *append; /* NULL: there is no append/ */
	char *path;
	uid_t uid;
	gid_t gid;
	mode_t umask;
	struct pktfs_time file_time; /* when it was opened: see view_time_of */
	struct view_cache *cache;
	struct view_ring *ring;
	struct view_catalog catalog;
	struct set_pool *sets;
	struct view_named_table *named;
	struct view_files *files;
	struct view_export_cache *exports;
	_Atomic unsigned said;
};

struct view_child {
	char name[VIEW_NAME_ROOM];
	uint64_t node;
};

struct view_attributes {
	uint64_t size;
	struct pktfs_time time;
	bool live;
	/* what a user made has an owner and permissions of its own */
	bool owned;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	nlink_t links;
};

/*
 * The operations of a kind of node. What a kind does not have is NULL. A
 * directory has `find`, `count` and `child`; a file either `render` or
 * `attributes` and `read`; a link `render` and perhaps `attributes`, if its
 * target is not to be kept. Errors may be any: view_tree.c turns them into what
 * the kernel may see.
 */
struct view_kind {
	bool directory;
	bool link;     /* a symbolic link: `render` gives its target */
	bool writable; /* mode 0644 */
	bool lasting;  /* view_lasting, view_lasting_in; of a file: it has a `form` */

	/* 0 or -ENOENT, -EAGAIN: whether this directory exists */
	int (*check)(struct view *view, uint64_t node);
	/* the node of a name; it need not exist */
	int (*find)(struct view *view, uint64_t node, const char *name, uint64_t *ret_child);
	/* whether nothing here will ever have a name that is not there, however the
	 * capture grows: the kernel may keep that. NULL: not while it is changing */
	bool (*never)(struct view *view, uint64_t node, const char *name);
	/* of a directory that has these alone: view_fields_find, _count and _child */
	const struct view_fields *fields;
	/* positions of a listing, from 0 */
	uint64_t (*count)(struct view *view, uint64_t node);
	/* moves *position to the first entry at or behind it; -ENOENT: there are
	 * no more. -EAGAIN: not yet known. NULL: each position may be one */
	int (*next)(struct view *view, uint64_t node, uint64_t *position);
	/* the entry at a position; -ENOENT or -EAGAIN: none there, go on */
	int (*child)(struct view *view, uint64_t node, uint64_t position, struct view_child *ret);
	/* whether the listing may still change */
	bool (*changing)(struct view *view, uint64_t node);
	/* "..", as it is listed; the kernel knows its own */
	uint64_t (*parent)(struct view *view, uint64_t node);

	/* the whole text of a file, kept by view_text.c; -ENOENT: there is no
	 * such value */
	int (*render)(struct view *view, uint64_t node, struct text *text);
	/* whether the text may still change */
	bool (*live)(struct view *view, uint64_t node);
	/* the time of a text; NULL: the capture file's */
	int (*time)(struct view *view, uint64_t node, struct pktfs_time *ret);

	int (*attributes)(struct view *view, uint64_t node, struct view_attributes *ret);
	int64_t (*read)(struct view *view, uint64_t node, uint64_t offset, void *bytes,
			size_t size);
	/* optional: as view_pin */
	int64_t (*pin)(struct view *view, uint64_t node, uint64_t offset, size_t size,
		       const void **ret);
	/* what the two are made of, of a lasting file; the ordinal is the packet's number */
	const struct view_form *form;
};

extern const struct view_kind view_kind_root, view_kind_readme, view_kind_info_dir, view_kind_info,
	view_kind_capture, view_kind_tsv, view_kind_packets_dir, view_kind_packet,
	view_kind_packet_json, view_kind_packet_hex, view_kind_packet_pcapng,
	view_kind_sections_dir, view_kind_section_dir, view_kind_section, view_kind_interfaces_dir,
	view_kind_interface_dir, view_kind_interface, view_kind_statistics_dir,
	view_kind_statistics, view_kind_blocks_dir, view_kind_block, view_kind_names_dir,
	view_kind_names, view_kind_secrets_dir, view_kind_secret, view_kind_payload_dir,
	view_kind_payload, view_kind_by, view_kind_questions, view_kind_named,
	view_kind_expression, view_kind_link, view_kind_interface_link, view_kind_append_dir,
	view_kind_append_interface, view_kind_append_named, view_kind_append_blocks,
	view_kind_append_pending, view_kind_append_committed, view_kind_files_dir,
	view_kind_file_dir, view_kind_file_info_dir, view_kind_file;

/* NULL: no such kind. */
const struct view_kind *view_kind_of(uint64_t node);

/*
 * Two questions that are one only where a capture does not grow.
 *
 * Pending: the index (or the evaluation of a set) has not come to the end of
 * what is there, so what it has not met is not known yet: wait, -EAGAIN.
 * Changing: more may come, so that another answer may be right later: nobody
 * may keep this one. What grows is changing for ever, and pending now and then.
 */
static inline bool view_status_pending(const struct pktfs_status *status)
{
	return status->state == PKTFS_STATE_INDEXING;
}

static inline bool view_status_changing(const struct pktfs_status *status)
{
	return view_status_pending(status) || status->growing;
}

/* view_open.c: the second question, and whether it is for ever, as operations
 * of a kind */
bool view_changing(struct view *view, uint64_t node);
bool view_growing(struct view *view, uint64_t node);
/* view_open.c: `never` of a kind whose `find` knows all names that there may be. */
bool view_unknown(struct view *view, uint64_t node, const char *name);
/* view_still.c: whether a file changes only as the capture's file goes on growing,
 * which it does not just now. */
bool view_still(struct view *view, uint64_t node);
/* view_info.c: a text of info/ that changes by itself. */
bool view_info_unsteady(uint64_t node);
/* Whether bytes are still to come, perhaps for ever, as through a pipe: no
 * listing that `find` meets by itself waits for their end. */
bool view_still_fed(struct view *view);
/* The time of what is made of the whole capture: the file's. What cannot change
 * has view->file_time. */
struct pktfs_time view_time_of(const struct view *view, const struct pktfs_status *status);
/* The count of a directory whose `next` says where it ends. */
uint64_t view_endless(struct view *view, uint64_t node);
uint64_t view_parent_root(struct view *view, uint64_t node);
/* -ENOENT, or -EAGAIN while the index has not come to entry `number` of a list
 * that has `count` by now (status), and may */
int view_number_check(struct view *view, const struct pktfs_status *status, uint64_t number,
		      uint64_t count);
/* Says something once in info/log. */
void view_log_once(struct view *view, enum view_said what, const char *format, ...) _printf_(3, 4);

/* view_info.c: as info/state has it. */
const char *view_state_name(enum pktfs_state state);

/* view_name.c: a decimal number at the start of `name`, ended by NUL or '.'.
 * False: none, or too large for a node. *ret_rest is what follows. */
bool view_name_number(const char *name, uint64_t *ret, const char **ret_rest);
/* The same for names without leading zeros and without anything behind. */
bool view_name_plain(const char *name, uint64_t *ret);
/* Copies bytes into a name or a line: all but [A-Za-z0-9._-] as %XX. */
void view_name_escape(struct text *text, const void *bytes, size_t size);
/* The LINKTYPE's name, or its number. */
#define VIEW_LINK_TYPE_ROOM 64
const char *view_link_type(uint16_t link_type, char room[VIEW_LINK_TYPE_ROOM]);

/* view_numbered.c: operations of what is in sections/ and interfaces/. */
int view_numbered_check(struct view *view, uint64_t node);
uint64_t view_numbered_parent(struct view *view, uint64_t node);

/* view_packet.c: calls `use` with the packet lent; what `use` made is good only
 * if this returns 0. A file that changes under us is tried once more, so `use`
 * may be called twice. Errors: those of `use` and of pktfs_packet_try. */
typedef int (*view_packet_use)(struct view *view, const struct pktfs_packet *packet, void *context);
int view_packet_with(struct view *view, uint64_t number, view_packet_use use, void *context);
int view_packet_time(struct view *view, uint64_t node, struct pktfs_time *ret);

/*
 * A file that a packet is shown as, made anew for each read: its bytes, a dump,
 * its payload. `size`: 0, or -ENOENT where the packet has no such file. `copy`
 * is called with an offset below that, and returns how many bytes it copied:
 * fewer than `room` only at the end.
 */
struct view_form {
	int (*size)(const struct pktfs_packet *packet, uint64_t *ret);
	size_t (*copy)(const struct pktfs_packet *packet, uint64_t offset, uint8_t *bytes,
		       size_t room);
};

/* What `attributes` and `read` of such a kind of node call; the ordinal of the
 * node is the packet's number. */
int view_form_attributes(struct view *view, uint64_t node, const struct view_form *form,
			 struct view_attributes *ret);
int64_t view_form_read(struct view *view, uint64_t node, const struct view_form *form,
		       uint64_t offset, void *bytes, size_t size);

/*
 * view_lasting.c: a walk from packet to packet that asks once for all of them whether the
 * file was cut meanwhile: what was made of them is worth nothing before view_walk_verify
 * has returned 0. It does not wait for the index.
 */
struct view_walk {
	pktfs_iterator *iterator; /* NULL: not open */
	uint64_t next;            /* the packet that it is before */
	uint64_t packets;         /* those that were there when the walk began */
	int beyond;               /* -EAGAIN, -ENOENT: what becomes of others */
	int failed;               /* why it ended; 0: it has not */
};
int view_walk_open(struct view *view, struct view_walk *ret);
/* Lent until the next call. 0; -ENOENT, -EAGAIN; other errors: none of them is good. */
int view_walk_to(struct view_walk *walk, uint64_t number, const struct pktfs_packet **ret);
int view_walk_verify(struct view_walk *walk);
void view_walk_close(struct view_walk *walk);

/* view_capture.c: what the root has of them. */
#define VIEW_CAPTURE_PCAPNG 0u
#define VIEW_CAPTURE_PCAP   (1u << 8) /* + link type index */
int view_capture_find(struct view *view, uint64_t root, const char *name, uint64_t *ret_child);
int view_capture_child(struct view *view, uint64_t root, uint64_t position, struct view_child *ret);
#define VIEW_CAPTURE_POSITIONS (1 + VIEW_LINK_TYPES_MAX)

/* view_by.c: the hours of a day's set and the minutes of an hour's, which are
 * directories in its own; 0: it has none. */
unsigned view_time_parts(const struct set *set);
/* The directory that has that of a set. */
uint64_t view_set_directory(struct view *view, struct set *set);
int view_time_find(struct view *view, struct set *set, const char *name, uint64_t *ret_child);
/* Moves *part to the next that has packets: 0, -ENOENT, -EAGAIN. */
int view_time_next(struct set *set, uint64_t *part);

/* view_catalog.c: goes on with the pass; true once it has met all that is there. */
bool view_catalog_done(struct view *view);
/* The `number`-th block that was found; false: there are no more. */
bool view_catalog_get(struct view *view, unsigned number, struct view_catalog_entry *ret);
void view_catalog_free(struct view_catalog *catalog);

/* view_block.c: the name of a metadata block in blocks/. 0, -ENOENT, -EIO. */
int view_block_name(struct view *view, uint64_t index, char name[VIEW_NAME_ROOM]);

/* view_log.c */
struct view_ring *view_ring_new(void);
void view_ring_free(struct view_ring *ring);
void view_ring_text(struct view_ring *ring, struct text *text);
uint64_t view_ring_count(struct view_ring *ring); /* lines so far */

/* view_json.c */
int view_json_packet(struct view *view, const struct pktfs_packet *packet, struct text *text);

/* view_tsv.c: a time as a column has it: exactly 30 characters, '-' and spaces
 * where there is none. */
#define VIEW_TIME_WIDTH 30
void view_time_column(const struct pktfs_packet *packet, char text[VIEW_TIME_WIDTH + 1]);

#endif
