/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of a capture: a source, an index over it, and nothing else. All
 * that the public functions give is read from there when it is asked for.
 */
#ifndef CAPTURE_INTERNAL_H
#define CAPTURE_INTERNAL_H

#include "index/index.h"
#include "pktfs/capture.h"
#include "source/source.h"
#include "util/util_table.h"

struct capture_follow;

struct pktfs_capture {
	uint64_t id; /* never used again: for caches that outlive the capture */
	struct capture_follow *follow; /* NULL: the file is not followed */
	struct source *source;
	struct index *index;
	struct source_opener opener; /* of files that are added */
	pthread_mutex_t paths_lock; /* held by who adds one */
	struct table paths; /* char *, of the files; none: opened as one, without a list */
};

struct source_options capture_source_options(const struct pktfs_open_options *options);

/* Takes the source over, also when it fails. `path` is that of the file that may
 * grow; NULL: none is known, or others look after it. */
int capture_open_over(struct source *source, const char *path,
		      const struct pktfs_open_options *options, pktfs_capture **ret,
		      struct pktfs_error *ret_error);

/* capture_status.c */
enum pktfs_state capture_state(enum index_state state);
enum pktfs_format capture_format(enum format_kind kind);
enum pktfs_compression capture_compression(enum source_compression compression);

/* capture_index.c: gives the index what was saved, if anything was. 0 or -EMFILE. */
int capture_index_begin(struct pktfs_capture *capture, const struct pktfs_open_options *options,
			struct pktfs_error *ret_error);

/* capture_files.c */
void capture_paths_free(pktfs_capture *capture);

/*
 * The packet that `record`, just stepped over, is. `section` is the section of
 * the record, `place` the place behind it. The bytes stay those of `loan`,
 * which the caller hands over to *ret or keeps.
 */
void capture_fill_packet(struct pktfs_capture *capture, const struct index_place *place,
			 const struct format_record *record, const struct pktfs_loan *loan,
			 struct pktfs_packet *ret);

/*
 * capture_follow.c: follows the growing file of `source`, if it has one or may get
 * one; else *ret is NULL. Of several it is the last, which may be another one
 * later. `path` (NULL: none is known) may be relative. `watched`: by inotify, where
 * there is that. Everything that needs a right to open something is done here. To be
 * called before the index is started, which is told how the file is.
 */
int capture_follow_open(struct source *source, struct index *index, const char *path,
			bool watched, struct capture_follow **ret);
int capture_follow_start(struct capture_follow *follow);
/* Ends the thread, before the index is closed. NULL is allowed. */
void capture_follow_close(struct capture_follow *follow);

/* What is wrong with the file as such; NULL is allowed. */
unsigned capture_follow_problems(struct capture_follow *follow);
/* 0 or -ENOENT. */
int capture_follow_problem(struct capture_follow *follow, uint64_t number,
			   struct pktfs_error *ret);
bool capture_follow_active(struct capture_follow *follow);
bool capture_follow_cut(struct capture_follow *follow);

/* "cannot be read: ..." for the errors that need no more words. */
int capture_error(struct pktfs_error *ret_error, int code, uint64_t offset);

#endif
