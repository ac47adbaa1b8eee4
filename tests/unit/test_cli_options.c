/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: what is taken, and what is said of what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/cli_options.h"
#include "fs/fs.h"
#include "util/util_base.h"

#define ARGS_MAX 12

/* Parses `line`, split at spaces, as if we were called `program`. */
static int parse_as(const char *program, const char *line, struct cli_config *config,
		    struct pktfs_error *error)
{
	static char copy[512];
	char *argv[ARGS_MAX + 1], *saved, *word;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s %s", program, line);
	for (word = strtok_r(copy, " ", &saved); word && argc < ARGS_MAX;
	     word = strtok_r(NULL, " ", &saved))
		argv[argc++] = word;
	argv[argc] = NULL;
	error->text[0] = '\0';
	return cli_parse(argc, argv, config, error);
}

static int parse(const char *line, struct cli_config *config, struct pktfs_error *error)
{
	return parse_as("pktfs", line, config, error);
}

static struct cli_config good(const char *line)
{
	struct cli_config config;
	struct pktfs_error error;

	if (parse(line, &config, &error) != 0)
		fail_msg("%s: %s", line, error.text);
	return config;
}

static void defaults(void **state)
{
	struct cli_config config = good("a.pcap mnt");

	(void)state;
	assert_int_equal(config.action, CLI_MOUNT);
	assert_string_equal(config.file, "a.pcap");
	assert_string_equal(config.mountpoint, "mnt");
	assert_false(config.foreground || config.debug || config.json || config.noxattr);
	assert_int_equal(config.threads, FS_THREADS_DEFAULT);
	assert_int_equal(config.uid, getuid());
	assert_int_equal(config.gid, getgid());
	assert_int_equal(config.umask, 0);
	assert_null(config.spool);
	assert_int_equal(config.mount_options.size, 0);
	cli_config_free(&config);
}

static void several(void **state)
{
	struct cli_config config = good("a b -o order=time c m");

	(void)state;
	assert_int_equal(config.file_count, 3);
	assert_string_equal(config.file, "a");
	assert_string_equal(config.files[1], "b");
	assert_string_equal(config.files[2], "c");
	assert_string_equal(config.mountpoint, "m");
	assert_true(config.by_time);
	cli_config_free(&config);
	config = good("a");
	assert_int_equal(config.file_count, 1);
	assert_null(config.mountpoint);
	assert_false(config.by_time);
	cli_config_free(&config);
}

static void letters(void **state)
{
	struct cli_config config = good("-fs a.pcap -onoxattr,uid=7 mnt -o gid=8 -o umask=027");

	(void)state;
	assert_true(config.foreground);
	assert_int_equal(config.threads, 1);
	assert_true(config.noxattr);
	assert_int_equal(config.uid, 7);
	assert_int_equal(config.gid, 8);
	assert_int_equal(config.umask, 027);
	assert_string_equal(config.mountpoint, "mnt");
	cli_config_free(&config);
	config = good("-d a.pcap");
	assert_true(config.foreground && config.debug);
	assert_null(config.mountpoint);
	cli_config_free(&config);
	config = good("-- -f -d");
	assert_string_equal(config.file, "-f");
	assert_string_equal(config.mountpoint, "-d");
	cli_config_free(&config);
}

static void actions(void **state)
{
	struct cli_config config = good("-u mnt");

	(void)state;
	assert_int_equal(config.action, CLI_UNMOUNT);
	assert_string_equal(config.mountpoint, "mnt");
	cli_config_free(&config);
	config = good("--info a.pcap --json");
	assert_int_equal(config.action, CLI_INFO);
	assert_true(config.json);
	assert_string_equal(config.file, "a.pcap");
	cli_config_free(&config);
	config = good("--info -");
	assert_string_equal(config.file, "-");
	cli_config_free(&config);
	config = good("-h");
	assert_int_equal(config.action, CLI_HELP);
	cli_config_free(&config);
	config = good("--version");
	assert_int_equal(config.action, CLI_VERSION);
	cli_config_free(&config);
}

/* -f and -s are others where mount(8) calls us. */
static void helper_letters(void **state)
{
	struct cli_config config;
	struct pktfs_error error;

	(void)state;
	assert_int_equal(parse_as("/sbin/mount.pktfs", "a mnt -sfnv -o rw", &config, &error), 0);
	assert_true(config.fake && !config.foreground && !config.append);
	assert_int_equal(config.threads, FS_THREADS_DEFAULT);
	cli_config_free(&config);
	config = good("a mnt -sf");
	assert_true(!config.fake && config.foreground);
	assert_int_equal(config.threads, 1);
	cli_config_free(&config);
	assert_int_equal(parse_as("mount.pktfs", "a mnt -f -o fake", &config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "unknown option"));
	cli_config_free(&config);
	assert_int_equal(parse("a --sloppy", &config, &error), -EINVAL);
	cli_config_free(&config);
}

/* As mount(8), mount.fuse3 and autofs pass them. */
static void mount_helpers(void **state)
{
	struct cli_config config = good("a.pcap mnt -n -v -o rw,nofail,_netdev,noauto,user,"
					"x-systemd.automount,x-gvfs-hide,X-a=b,comment=c,,dev,"
					"suid,allow_other,defaults,relatime");

	(void)state;
	assert_string_equal(config.mount_options.bytes, ",dev,suid,allow_other");
	cli_config_free(&config);
	config = good("a.pcap mnt -o spool=/a\\,b\\\\c,context=\"x,y\",fsname=n,threads=16");
	assert_string_equal(config.spool, "/a,b\\c");
	assert_string_equal(config.fsname, "n");
	assert_string_equal(config.mount_options.bytes, ",context=\"x,y\"");
	assert_int_equal(config.threads, 16);
	cli_config_free(&config);
}

/* What makes append/ appear, and what does not. */
static void appending(void **state)
{
	static const struct {
		const char *line, *file;
		bool append, repair, read_only;
	} cases[] = {
		{"a mnt", NULL, false, false, false},
		{"a mnt -o rw", NULL, true, false, false},
		{"a mnt -o append", NULL, true, false, false},
		{"a mnt -o append=b.pcapng", "b.pcapng", true, false, false},
		{"a mnt -o append=b\\,c,noxattr", "b,c", true, false, false},
		{"a mnt -o rw,append=b,repair", "b", true, true, false},
		{"a mnt -o repair,rw", NULL, true, true, false},
		{"a mnt -o ro", NULL, false, false, true},
		{"a mnt -o rw,ro", NULL, false, false, true},
		{"a mnt -o ro,rw", NULL, true, false, false},
		/* as mount(8) passes it: not asked for */
		{"a mnt -o rw,dev,suid", NULL, false, false, false},
		{"a mnt -o nosuid,rw", NULL, false, false, false},
		{"a mnt -o nodev -o rw", NULL, false, false, false},
		{"a mnt -o rw,nosuid,nodev,append", NULL, true, false, false},
		{"a mnt -o rw,dev,append=b,repair", "b", true, true, false},
		{"--info a -o rw", NULL, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli_config config = good(cases[i].line);

		if (config.append != cases[i].append || config.repair != cases[i].repair ||
		    config.read_only != cases[i].read_only ||
		    strcmp(config.append_file ? config.append_file : "",
			   cases[i].file ? cases[i].file : "") != 0)
			fail_msg("%s", cases[i].line);
		cli_config_free(&config);
	}
}

/* A helper of mount(8) always gets -o rw or ro. */
static void helper(void **state)
{
	static const struct {
		const char *program, *line;
		bool append;
	} cases[] = {
		{"/sbin/mount.pktfs", "a mnt -o rw", false},
		{"mount.fuse.pktfs", "a mnt -o rw", false},
		{"mount.pktfs", "a mnt -o rw,append", true},
		{"/mount.d/pktfs", "a mnt -o rw", true},
		{"./mount.d/umount.pktfs", "a mnt -o rw", true},
	};
	struct cli_config config;
	struct pktfs_error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse_as(cases[i].program, cases[i].line, &config, &error), 0);
		if (config.append != cases[i].append)
			fail_msg("%s %s", cases[i].program, cases[i].line);
		cli_config_free(&config);
	}
	assert_int_equal(cli_parse(0, (char *[]){NULL}, &config, &error), -EINVAL);
	cli_config_free(&config);
}

static void refusals(void **state)
{
	/* the line, what the message begins with, what else is in it */
	static const char *const cases[][3] = {
		{"", "no FILE given; ", "--help"},
		{"--info a b", "b: one argument too many; ", ""},
		{"a b m -o rw", "-o rw: not with more than one FILE", "append=FILE2"},
		{"a -o order=size", "-o order=size: bad value", ""},
		{"-u", "-u: no MOUNTPOINT given; ", ""},
		{"-u a b", "b: one argument too many; ", ""},
		{"--info", "--info: no FILE given; ", ""},
		{"--json a.pcap", "--json: needs --info", ""},
		{"-", "-: standard input has no name", ""},
		{"-x a.pcap", "-x: unknown option", "--help"},
		{"-fx a.pcap", "-x: unknown option", ""},
		{"--inof a.pcap", "--inof: unknown option", "nearest is --info FILE;"},
		{"--spool=/x a", "--spool: unknown option", "nearest is -o spool=DIR;"},
		{"--jsn a", "--jsn: unknown option", "nearest is --json;"},
		{"--json=1 --info a", "--json: takes no value", ""},
		{"a -o", "-o: needs a value", ""},
		{"a --options", "--options: needs a value", ""},
		{"a -o spol=/x", "-o spol: unknown option", "nearest is -o spool=DIR;"},
		{"a -o noxatr", "-o noxatr: unknown option", "nearest is -o noxattr;"},
		{"a -o allow-other", "-o allow-other: unknown option", "is -o allow_other;"},
		{"a -o Nofail", "-o Nofail: unknown option", "nearest is -o nofail;"},
		{"a -o x", "-o x: unknown option; see pktfs --help", ""},
		{"a -o =x", "-o : unknown option; see pktfs --help", ""},
		{"a -o w", "-o w: unknown option; the nearest is -o rw; ", ""},
		{"a -o xattr", "-o xattr: unknown option; the nearest is -o noxattr; ", ""},
		{"a -o bpf=tcp", "-o bpf: unknown option; see pktfs --help", ""},
		{"a -o filter=tcp", "-o filter: unknown option; see pktfs --help", ""},
		{"a -o snapshots", "-o snapshots: unknown option; see pktfs --help", ""},
		{"--recursive a", "--recursive: unknown option; see pktfs --help", ""},
		{"--x a", "--x: unknown option; see pktfs --help", ""},
		{"a -o noxattr=1", "-o noxattr: takes no value", ""},
		{"a -o allow_other=1", "-o allow_other: takes no value", ""},
		{"a -o spool", "-o spool: needs a value, as in -o spool=DIR", ""},
		{"a -o context", "-o context: needs a value", ""},
		{"a -o setuid=no-such-user", "-o setuid=no-such-user: bad value", ""},
		{"a -o spool=", "-o spool=: bad value", ""},
		{"a -o append=", "-o append=: bad value; append[=FILE]: ", "--help"},
		{"a -o rw=1", "-o rw: takes no value", ""},
		{"a -o ro,append", "-o append: not together with -o ro", "--help"},
		{"a -o ro -o append=b", "-o append=FILE: not together with -o ro", ""},
		{"a -o repair", "-o repair: needs -o rw or -o append", "--help"},
		{"a -o ro,repair", "-o repair: needs -o rw or -o append", ""},
		{"a -o rw,dev,repair", "-o repair: needs -o append", "mount(8)"},
		{"- m -o rw", "-o rw: standard input cannot be appended to", "--help"},
		{"- m -o append=b", "-o append=FILE: standard input cannot be", ""},
		{"a -o apend=b", "-o apend: unknown option", "nearest is -o append[=FILE];"},
		{"a -o threads=0", "-o threads=0: bad value", "1 to 16"},
		{"a -o threads=17", "-o threads=17: bad value", ""},
		{"a -o threads=2x", "-o threads=2x: bad value", ""},
		{"a -o uid=-1", "-o uid=-1: bad value", ""},
		{"a -o uid=4294967295", "-o uid=4294967295: bad value", ""},
		{"a -o gid=99999999999999999999", "-o gid=99999999999999999999: bad value", ""},
		{"a -o umask=8", "-o umask=8: bad value", ""},
		{"a -o umask=1000", "-o umask=1000: bad value", ""},
		{"a -o umask=", "-o umask=: bad value", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli_config config;
		struct pktfs_error error;

		assert_int_equal(parse(cases[i][0], &config, &error), -EINVAL);
		if (strncmp(error.text, cases[i][1], strlen(cases[i][1])) != 0 ||
		    !strstr(error.text, cases[i][2]) || strchr(error.text, '\n'))
			fail_msg("%s: %s", cases[i][0], error.text);
		cli_config_free(&config);
	}
}

static void long_names_stay_in_one_line(void **state)
{
	char line[400];
	struct cli_config config;
	struct pktfs_error error;

	(void)state;
	snprintf(line, sizeof(line), "a -o %0300d", 1);
	assert_int_equal(parse(line, &config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "see pktfs --help"));
	cli_config_free(&config);
}

/* Each entry of the table is understood as --help shows it. */
static void table_is_parsed(void **state)
{
	const struct cli_option *option;

	(void)state;
	for (option = cli_options; option->name; option++) {
		bool number = option->argument && strcmp(option->argument, "N") == 0;
		const char *value = !option->argument || option->kind != CLI_VALUE ? ""
				    : number || !strcmp(option->argument, "OCTAL") ||
						      !strcmp(option->argument, "SIZE")
					    ? "=1"
				    : !strcmp(option->argument, "USER")      ? "=root"
				    : !strcmp(option->argument, "name|time") ? "=time"
									     : "=ro";
		struct cli_config config;
		char line[120];

		if (option->group == CLI_COMMAND && !strcmp(option->name, "json"))
			continue;
		if (!strcmp(option->name, "setuid") && geteuid() != 0)
			continue;
		snprintf(line, sizeof(line), "a %s%s%s",
			 option->group == CLI_COMMAND      ? "--"
			 : strcmp(option->name, "repair") ? "-o "
							  : "-o rw,", /* it needs a target */
			 option->name, value);
		config = good(line);
		cli_config_free(&config);
		if (option->group != CLI_COMMAND)
			assert_int_equal(option->letter, 0);
		if (option->group == CLI_COMMAND || option->group == CLI_OURS)
			assert_non_null(option->help);
	}
}

/* Whose the files are: said, or of who it is mounted for, or of who mounts. */
static void owners(void **state)
{
	static const struct {
		const char *line;
		unsigned uid, gid;
	} cases[] = {
		{"a -o setuid=root", 0, 0},
		{"a -o setuid=0,uid=5", 5, 0},
		{"a -o gid=6,setuid=root", 0, 6},
		{"a -o uid=5,gid=6", 5, 6},
	};
	struct cli_config config;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strstr(cases[i].line, "setuid") && geteuid() != 0)
			continue;
		config = good(cases[i].line);
		assert_int_equal(config.uid, cases[i].uid);
		assert_int_equal(config.gid, cases[i].gid);
		assert_int_equal(config.change_user, strstr(cases[i].line, "setuid") != NULL);
		cli_config_free(&config);
	}
	config = good("a");
	assert_int_equal(config.uid, getuid());
	assert_int_equal(config.gid, getgid());
	assert_false(config.no_sandbox);
	cli_config_free(&config);
	config = good("a -o nosandbox");
	assert_true(config.no_sandbox);
	cli_config_free(&config);
}

static void help_has_every_option(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	const struct cli_option *option;

	(void)state;
	cli_help(out);
	fclose(out);
	for (option = cli_options; option->name; option++)
		assert_non_null(strstr(text, option->name));
	for (char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),        cmocka_unit_test(letters),
		cmocka_unit_test(actions),         cmocka_unit_test(mount_helpers),
		cmocka_unit_test(refusals),        cmocka_unit_test(long_names_stay_in_one_line),
		cmocka_unit_test(table_is_parsed), cmocka_unit_test(help_has_every_option),
		cmocka_unit_test(appending),       cmocka_unit_test(owners),
		cmocka_unit_test(helper),          cmocka_unit_test(helper_letters),
		cmocka_unit_test(several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
