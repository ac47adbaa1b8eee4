/* SPDX-License-Identifier: BSD-2-Clause */
/* What cli_ring.c and cli_ring_follow.c share. */
#ifndef CLI_RING_PRIVATE_H
#define CLI_RING_PRIVATE_H

#include <sys/stat.h>

#include "cli_ring.h"

#define NO_DIRECTORY SIZE_MAX

struct ring_directory {
	char *path;
	int fd;
	int watch;               /* of inotify; -1: none */
	struct timespec changed; /* at the last look */
};

struct ring_file {
	char *path;
	int fd; /* until the library has it */
	size_t directory;
	const char *given; /* the operand that it is; NULL: it was found in a directory */
	dev_t device;
	ino_t inode;
	struct pktfs_time first; /* of its first packet, where that matters */
	/* for the follower */
	uint64_t number; /* in the capture */
	uint64_t size;   /* at the last look */
	int64_t changed_ms;
	bool taken;   /* it is in the capture */
	bool closed;  /* by its writer, since it was changed last */
	bool refused; /* no capture, as it is */
	bool gone;    /* another file may have its name */
};

struct cli_ring {
	struct ring_directory *directories;
	size_t directory_count;
	struct ring_file *files;
	size_t file_count, file_room;
	size_t left_out;
	char *path;
	const char *given; /* the first operand, for messages */
	struct pktfs_open_options options; /* without flags */
	/* the follower's */
	pktfs_capture *capture;
	int inotify;
	int stop[2];
	pthread_t thread;
	bool following;
	bool again; /* a name stands for another file now */
};

/* A new file at the end of the list; takes over neither. NULL: no memory. */
struct ring_file *cli_ring_add(struct cli_ring *ring, size_t directory, const char *path, int fd,
			       const struct stat *st);

/* The names in a directory that are not hidden, in order (as ls -v has it), malloc'ed, each
 * too: how many, or negative errno. */
int64_t cli_ring_names(const struct ring_directory *directory, char ***ret);
void cli_ring_names_free(char **names, size_t count);

/* The base name of a file in a directory. */
const char *cli_ring_base(const struct ring_file *file);

/* The path of a name in a directory, malloc'ed. */
char *cli_ring_join(const struct ring_directory *directory, const char *name);

/* A file, as it is now: 0 or negative errno. Where the names in a directory cannot
 * be asked any more, whoever opens files for us is. */
int cli_ring_stat(const struct cli_ring *ring, size_t directory, const char *name,
		  struct stat *ret);
int cli_ring_open_member(const struct cli_ring *ring, size_t directory, const char *name);

/* cli_ring_follow.c: inotify on a directory; -1 where that does not work. */
void cli_ring_watch(struct cli_ring *ring, struct ring_directory *directory);

#endif
