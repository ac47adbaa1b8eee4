/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_options.h"

#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "fs/fs.h"

static int set_foreground(struct cli_config *config, const char *value)
{
	(void)value;
	config->foreground = true;
	return 0;
}

static int set_debug(struct cli_config *config, const char *value)
{
	(void)value;
	config->foreground = config->debug = true;
	return 0;
}

static int set_single(struct cli_config *config, const char *value)
{
	(void)value;
	config->threads = 1;
	return 0;
}

static int set_unmount(struct cli_config *config, const char *value)
{
	(void)value;
	config->action = CLI_UNMOUNT;
	return 0;
}

/* mount -f: all but the mount itself, which is to look at the command line. */
static int set_fake(struct cli_config *config, const char *value)
{
	(void)value;
	config->fake = true;
	return 0;
}

static int set_info(struct cli_config *config, const char *value)
{
	(void)value;
	config->action = CLI_INFO;
	return 0;
}

static int set_json(struct cli_config *config, const char *value)
{
	(void)value;
	config->json = true;
	return 0;
}

static int set_help(struct cli_config *config, const char *value)
{
	(void)value;
	config->action = CLI_HELP;
	return 0;
}

static int set_version(struct cli_config *config, const char *value)
{
	(void)value;
	config->action = CLI_VERSION;
	return 0;
}

static int set_noxattr(struct cli_config *config, const char *value)
{
	(void)value;
	config->noxattr = true;
	return 0;
}

static int set_nofollow(struct cli_config *config, const char *value)
{
	(void)value;
	config->nofollow = true;
	return 0;
}

static int set_nopush(struct cli_config *config, const char *value)
{
	(void)value;
	config->nopush = true;
	return 0;
}

static int set_nopin(struct cli_config *config, const char *value)
{
	(void)value;
	config->nopin = true;
	return 0;
}

static int set_noscouts(struct cli_config *config, const char *value)
{
	(void)value;
	config->noscouts = true;
	return 0;
}

static int set_noparallel(struct cli_config *config, const char *value)
{
	(void)value;
	config->noparallel = true;
	return 0;
}

static int set_read_only(struct cli_config *config, const char *value)
{
	(void)value;
	config->read_only = true;
	config->read_write = false;
	return 0;
}

static int set_read_write(struct cli_config *config, const char *value)
{
	(void)value;
	config->read_only = false;
	config->read_write = true;
	return 0;
}

/* mount(8) passes these to a helper on, and `rw` with them, asked for or not. */
static int set_by_mount(struct cli_config *config, const char *value)
{
	(void)value;
	config->by_mount = true;
	return 0;
}

static int set_repair(struct cli_config *config, const char *value)
{
	(void)value;
	config->repair = true;
	return 0;
}

static int set_auto_unmount(struct cli_config *config, const char *value)
{
	(void)value;
	config->auto_unmount = true;
	return 0;
}

static int copy(char **at, const char *value)
{
	if (!*value)
		return -EINVAL;
	free(*at);
	*at = strdup(value);
	return *at ? 0 : -ENOMEM;
}

static int set_order(struct cli_config *config, const char *value)
{
	config->by_time = !strcmp(value, "time");
	return config->by_time || !strcmp(value, "name") ? 0 : -EINVAL;
}

static int set_spool(struct cli_config *config, const char *value)
{
	return copy(&config->spool, value);
}

static int set_append(struct cli_config *config, const char *value)
{
	config->append = true;
	return value ? copy(&config->append_file, value) : 0;
}

static int set_fsname(struct cli_config *config, const char *value)
{
	return copy(&config->fsname, value);
}

static int number(const char *value, int base, unsigned min, unsigned max, unsigned *ret)
{
	unsigned long n;
	char *end;

	if (*value < '0' || *value > '9') /* strtoul takes signs and spaces */
		return -EINVAL;
	errno = 0;
	n = strtoul(value, &end, base);
	if (errno || *end || n < min || n > max)
		return -EINVAL;
	*ret = (unsigned)n;
	return 0;
}

static int set_threads(struct cli_config *config, const char *value)
{
	return number(value, 10, 1, FS_THREADS_MAX, &config->threads);
}

/* The largest number means "none" to the kernel. */
static int set_uid(struct cli_config *config, const char *value)
{
	config->uid_given = true;
	return number(value, 10, 0, UINT_MAX - 1, &config->uid);
}

static int set_gid(struct cli_config *config, const char *value)
{
	config->gid_given = true;
	return number(value, 10, 0, UINT_MAX - 1, &config->gid);
}

/* A name, or the number of a user that has one: its group is needed, too. */
static int set_user(struct cli_config *config, const char *value)
{
	const struct passwd *user = getpwnam(value);
	unsigned uid;

	if (!user && !number(value, 10, 0, UINT_MAX - 1, &uid))
		user = getpwuid(uid);
	if (!user)
		return -EINVAL;
	config->change_user = true;
	config->user_uid = user->pw_uid;
	config->user_gid = user->pw_gid;
	return 0;
}

static int set_no_sandbox(struct cli_config *config, const char *value)
{
	(void)value;
	config->no_sandbox = true;
	return 0;
}

static int set_umask(struct cli_config *config, const char *value)
{
	return number(value, 8, 0, 0777, &config->umask);
}

/* Bytes, or with K, M or G behind it KiB, MiB or GiB. */
static int size_of(const char *value, uint64_t *ret)
{
	static const char units[] = "KMG";
	const char *unit = NULL;
	char *end;
	uint64_t size;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	size = strtoull(value, &end, 10);
	if (*end)
		unit = strchr(units, *end);
	if (errno || size == 0 || (*end && (!unit || end[1])))
		return -EINVAL;
	if (unit && !mul_ok(size, UINT64_C(1) << 10 * (unit - units + 1), &size))
		return -EINVAL;
	*ret = size;
	return 0;
}

static int set_sets(struct cli_config *config, const char *value)
{
	return size_of(value, &config->sets);
}

static int set_memory(struct cli_config *config, const char *value)
{
	return size_of(value, &config->memory);
}

static int set_index(struct cli_config *config, const char *value)
{
	config->no_index = !strcmp(value, "none");
	free(config->index_file);
	config->index_file = NULL;
	return config->no_index ? 0 : copy(&config->index_file, value);
}

static int set_index_min(struct cli_config *config, const char *value)
{
	return size_of(value, &config->index_min);
}

/* clang-format off */
#define COMMAND(letter, name, argument, help, set) \
	{CLI_COMMAND, letter, CLI_VALUE, name, argument, help, set}
#define ACTION(letter, name, argument, help, set) \
	{CLI_COMMAND, letter, CLI_OPERAND, name, argument, help, set}
#define OURS(name, argument, help, set) {CLI_OURS, 0, CLI_VALUE, name, argument, help, set}
#define OPTIONAL_OURS(name, argument, help, set) \
	{CLI_OURS, 0, CLI_OPTIONAL_VALUE, name, argument, help, set}
#define KERNEL(name, argument)		{CLI_KERNEL, 0, CLI_VALUE, name, argument, NULL, NULL}
#define HELPER_KERNEL(name)		{CLI_KERNEL, 0, CLI_VALUE, name, NULL, NULL, set_by_mount}
#define IGNORED(name)			{CLI_IGNORED, 0, CLI_VALUE, name, NULL, NULL, NULL}

const struct cli_option cli_options[] = {
	COMMAND('f', "foreground", NULL, "stay in the foreground", set_foreground),
	COMMAND('d', "debug", NULL, "print every request on standard error; implies -f", set_debug),
	COMMAND('s', "single", NULL, "answer requests with one thread, as -o threads=1",
	     set_single),
	COMMAND('o', "options", "OPTION,...", "mount options, see below", NULL),
	ACTION('u', "unmount", "MOUNTPOINT", "end a mount of pktfs", set_unmount),
	ACTION(0, "info", "FILE", "print the facts about a capture, without a mount", set_info),
	COMMAND(0, "json", NULL, "with --info: one JSON object", set_json),
	COMMAND('h', "help", NULL, "print this help", set_help),
	COMMAND('V', "version", NULL, "print the version", set_version),
	COMMAND('n', "no-mtab", NULL, "ignored; mount(8) passes it", NULL),
	COMMAND('v', "verbose", NULL, "ignored; mount(8) passes it", NULL),

	OURS("spool", "DIR", "where a compressed capture is unpacked to, if it must be"
	     " (default: $TMPDIR, or /var/tmp)", set_spool),
	OURS("order", "name|time", "of several files: as they are given, in a directory by name;"
	     " or by the time of their first packets (default: name)", set_order),
	OURS("noxattr", NULL, "no extended attributes", set_noxattr),
	OURS("nofollow", NULL, "show FILE as it is at the mount, even if another program goes on"
	     " writing it", set_nofollow),
	OURS("nopush", NULL, "give no packets to the kernel before it asks for them", set_nopush),
	OURS("nopin", NULL, "copy what is read of capture.*; no lease on FILE then", set_nopin),
	OURS("noparallel", NULL, "decompress with one thread, and nothing ahead; to compare",
	     set_noparallel),
	OURS("threads", "N", "threads that answer requests, 1 to 16 (default: 2)", set_threads),
	OURS("uid", "N", "owner of all files (default: who mounts)", set_uid),
	OURS("gid", "N", "group of all files (default: who mounts)", set_gid),
	OURS("setuid", "USER", "root only: mount for that user, and run as that user", set_user),
	OURS("umask", "OCTAL", "permissions to take off 0444 and 0555 (default: 0)", set_umask),
	OURS("fsname", "NAME", "source shown by findmnt(8) (default: the path of FILE)",
	     set_fsname),
	OURS("sets", "SIZE", "memory for evaluated filters and other sets, with K, M or G"
	     " (default: 32M)", set_sets),
	OURS("memory", "SIZE", "memory for the index (default: 1G); a capture that needs more is"
	     " shown up to there, see info/problem", set_memory),
	OURS("index", "FILE|none", "where the index of the capture is kept for the next mount;"
	     " none: nowhere (default: a file in $XDG_CACHE_HOME/pktfs, or ~/.cache/pktfs)",
	     set_index),
	OURS("index-min", "SIZE", "captures below this have no index kept (default: 64M, or any"
	     " size with index=FILE)", set_index_min),
	OURS("noscouts", NULL, "index with one walk from packet to packet, for comparison",
	     set_noscouts),
	OURS("nosandbox", NULL, "the daemon keeps all its rights", set_no_sandbox),
	OURS("ro", NULL, "have the kernel refuse all changes: no named filters either",
	     set_read_only),
	OURS("rw", NULL, "append to FILE what is written to append/; without it FILE is never"
	     " changed. mount(8) always passes it: there, give append", set_read_write),
	OPTIONAL_OURS("append", "[=FILE]", "as rw; with a value, append to that pcapng file"
	     " instead, which is made if absent, and shown behind FILE", set_append),
	OURS("repair", NULL, "with rw or append: cut off an incomplete last record, and keep it in"
	     " FILE.torn", set_repair),
	OURS("auto_unmount", NULL, "unmount also when the daemon is killed", set_auto_unmount),

	KERNEL("allow_other", NULL), KERNEL("allow_root", NULL),
	HELPER_KERNEL("dev"), HELPER_KERNEL("nodev"),
	HELPER_KERNEL("suid"), HELPER_KERNEL("nosuid"),
	KERNEL("exec", NULL), KERNEL("noexec", NULL), KERNEL("async", NULL), KERNEL("sync", NULL),
	KERNEL("dirsync", NULL), KERNEL("context", "CONTEXT"), KERNEL("fscontext", "CONTEXT"),
	KERNEL("defcontext", "CONTEXT"), KERNEL("rootcontext", "CONTEXT"),

	IGNORED("defaults"), IGNORED("auto"), IGNORED("noauto"), IGNORED("user"),
	IGNORED("nouser"), IGNORED("users"), IGNORED("owner"), IGNORED("group"),
	IGNORED("nofail"), IGNORED("_netdev"), IGNORED("comment"), IGNORED("x-*"),
	IGNORED("X-*"), IGNORED("default_permissions"), IGNORED("nonempty"), IGNORED("atime"),
	IGNORED("noatime"), IGNORED("diratime"), IGNORED("nodiratime"), IGNORED("relatime"),
	IGNORED("norelatime"), IGNORED("strictatime"), IGNORED("nostrictatime"),
	IGNORED("lazytime"), IGNORED("nolazytime"), IGNORED("silent"), IGNORED("loud"),
	{0},
};

const struct cli_option cli_helper_options[] = {
	COMMAND('f', "fake", NULL, NULL, set_fake),
	COMMAND('s', "sloppy", NULL, NULL, NULL),
	{0},
};
