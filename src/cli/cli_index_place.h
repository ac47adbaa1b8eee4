/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the index of a capture is kept (index/index_saved.h), and what is done with
 * that file: by the keeper, which has the rights.
 *
 *	$XDG_CACHE_HOME/pktfs/DEVICE-INODE.index    ($HOME/.cache/pktfs/...)
 *	FILE of -o index=FILE
 *
 * Only a regular file of the effective user's own, of a mode that lets nobody else
 * read or write it, is read; symbolic links are not followed. It is written to a file
 * beside it, which then takes its name, if what has that name is nothing, empty, or
 * an index. So two daemons do each other no harm: the last one's stays. The cache
 * must be of that user, too, and nobody else may write to it: what is not there of it
 * is made.
 */
#ifndef CLI_INDEX_PLACE_H
#define CLI_INDEX_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct stat;

struct cli_index_place {
	char *directory; /* absolute; NULL: no index is kept */
	char *name;      /* in it */
	bool cache;      /* below $XDG_CACHE_HOME or $HOME */
};

/* That of the capture `st` in the cache. 0; -ENOMEM; -ENOENT: there is neither of the
 * two variables. */
int cli_index_place_in_cache(const struct stat *st, struct cli_index_place *ret);
/* A file that was named; its directory must be there. 0 or negative errno. */
int cli_index_place_named(const char *file, struct cli_index_place *ret);
void cli_index_place_free(struct cli_index_place *place);

/* A descriptor to read from. -ENOENT: there is none; -EPERM: not such a file;
 * -ELOOP: a symbolic link; and others of open(2). */
int cli_index_place_open(const struct cli_index_place *place);

/* A new file, to write to. `turn` tells several of one process apart. -EPERM: of the
 * directory; -EEXIST: what is there is no index, and stays. */
int cli_index_place_make(const struct cli_index_place *place, unsigned turn);
/* Gives it its name, or (`keep` false) removes it: 0 or negative errno. */
int cli_index_place_finish(const struct cli_index_place *place, unsigned turn, bool keep);

/* Removes the index, if it is one. 0 or negative errno. */
int cli_index_place_drop(const struct cli_index_place *place);

#endif
