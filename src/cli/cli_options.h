/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line. One table says which options there are: parsing, --help
 * and the check of the manual page all go through it.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdio.h>
#include <sys/types.h>

#include "util/util_text.h"

#define CLI_EXIT_FAILED 1
#define CLI_EXIT_USAGE  2

enum cli_action {
	CLI_MOUNT,
	CLI_UNMOUNT,
	CLI_INFO,
	CLI_HELP,
	CLI_VERSION,
};

struct cli_config {
	enum cli_action action;
	const char *file;       /* the first; "-": standard input */
	const char **files;     /* all of them, as they were given; malloc'ed */
	size_t file_count;
	bool by_time;           /* in the order of their first packets */
	const char *mountpoint; /* NULL: to be named after the file */
	bool foreground, debug, json, noxattr, nofollow, nopush, nopin, noscouts, noparallel;
	bool read_only;
	bool append;       /* append/ is there: to the capture, or to append_file */
	bool repair;
	bool auto_unmount; /* by the keeper, should the daemon be killed */
	char *append_file; /* NULL: the capture itself */
	unsigned threads;
	char *spool;  /* NULL: where the library wants */
	char *fsname; /* NULL: the path of the capture */
	uid_t uid; /* of the files */
	gid_t gid;
	bool uid_given, gid_given; /* else those of who mounts, or is mounted for */
	bool change_user;          /* -o setuid: to these */
	uid_t user_uid;
	gid_t user_gid;
	bool no_sandbox;
	mode_t umask;
	uint64_t sets, memory; /* bytes; 0: the default */
	bool no_index;         /* none is kept */
	char *index_file;      /* NULL: in the cache */
	uint64_t index_min;    /* bytes; 0: the default */
	struct text mount_options; /* for the kernel, each preceded by a comma */
	bool fake; /* do nothing: mount -f */
	/* of the command line alone: -o rw was given; what mount(8) adds, or its name
	 * for us; the latter */
	bool read_write, by_mount, is_helper;
};

/* 0, or -EINVAL and one line for the user. Either way cli_config_free is due. */
int cli_parse(int argc, char *const argv[], struct cli_config *ret, struct pktfs_error *ret_error);
void cli_config_free(struct cli_config *config);

void cli_help(FILE *out);
void cli_version(FILE *out);

/* The rest is between cli_options.c, cli_table.c and cli_help.c. */

enum cli_group {
	CLI_COMMAND, /* -f, --foreground */
	CLI_OURS,    /* -o noxattr */
	CLI_KERNEL,  /* -o nodev: passed on */
	CLI_IGNORED, /* -o nofail */
};

/* What the argument of an option is, if it has one. */
enum cli_argument {
	CLI_VALUE,
	CLI_OPTIONAL_VALUE, /* written "[=VALUE]" */
	CLI_OPERAND,        /* not this option's value */
};

struct cli_option {
	enum cli_group group;
	char letter;          /* 0: none */
	enum cli_argument kind;
	const char *name;     /* one that ends in '*' stands for all that begin so */
	const char *argument; /* NULL: takes none */
	const char *help;
	int (*set)(struct cli_config *config, const char *value); /* -EINVAL: bad value */
};

/* What stands between the name and the argument, if there is one: "=", " ", or
 * nothing. */
const char *cli_separator(const struct cli_option *option);

/* Ends with a name that is NULL. */
extern const struct cli_option cli_options[];

/* What letters mean that mount(8) gives its helpers, where it is not the same. */
extern const struct cli_option cli_helper_options[];

#endif
