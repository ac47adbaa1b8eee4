/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a capture that is several, by name: the last component of the
 * path, escaped; of several that have the same one, those behind the first get a
 * number behind it (a.pcap, a.pcap-2). A name stands for the same file for ever.
 *
 * All functions may be called from any thread.
 */
#ifndef VIEW_FILE_H
#define VIEW_FILE_H

#include "view_private.h"

struct view_files;

struct view_files *view_files_new(void);
void view_files_free(struct view_files *files);

/* Whether files/ and by/file/ are there. */
bool view_files_shown(struct view *view);

/* 0, -ENOENT, -ENOMEM. `number` is that of pktfs_file_status_get. */
int view_file_name(struct view *view, uint64_t number, char name[VIEW_NAME_ROOM]);
int view_file_number(struct view *view, const char *name, uint64_t *ret);

/* view_info.c: as info/ calls them */
void view_format_text(enum pktfs_format format, bool nanosecond, struct text *text);
void view_compression_text(enum pktfs_compression compression, struct text *text);

#endif
