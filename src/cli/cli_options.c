/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_options.h"

#include <string.h>
#include <unistd.h>

#include "cli_text.h"
#include "fs/fs.h"

#define SEE "see pktfs --help"

/* An option as it was typed, for messages. */
struct typed {
	const char *dashes; /* "--", "-o " */
	const char *name;
	size_t length;     /* of the name */
	const char *value; /* NULL: none was given */
};

static bool is_command(const struct cli_option *option)
{
	return option->group == CLI_COMMAND;
}

static bool needs_value(const struct cli_option *option)
{
	return option->argument && option->kind == CLI_VALUE;
}

static bool may_have_value(const struct cli_option *option)
{
	return option->argument ? option->kind != CLI_OPERAND : option->group == CLI_IGNORED;
}

static bool names(const struct cli_option *option, const struct typed *typed)
{
	size_t length = strlen(option->name);

	if (option->name[length - 1] == '*')
		return typed->length >= length - 1 &&
		       !strncmp(option->name, typed->name, length - 1);
	return length == typed->length && !strncmp(option->name, typed->name, length);
}

static const struct cli_option *find(const struct typed *typed, bool command)
{
	const struct cli_option *option;

	for (option = cli_options; option->name; option++)
		if (is_command(option) == command && names(option, typed))
			return option;
	return NULL;
}

static const struct cli_option *find_letter_in(const struct cli_option *option, char letter)
{
	while (option->name && option->letter != letter)
		option++;
	return option->name ? option : NULL;
}

static const struct cli_option *find_letter(const struct cli_config *config, char letter)
{
	const struct cli_option *option = NULL;

	if (config->is_helper)
		option = find_letter_in(cli_helper_options, letter);
	return option ? option : find_letter_in(cli_options, letter);
}

/* What may have been meant: at the most a third of the letters of the longer name are
 * wrong (rounded up). NULL: nothing is so near. */
static const struct cli_option *nearest_to(const struct typed *typed)
{
	const struct cli_option *option, *nearest = NULL;
	unsigned distance, rank, best = UINT32_MAX;

	for (option = cli_options; option->name; option++) {
		distance = cli_distance(typed->name, typed->length, option->name);
		if (distance > (MAX(typed->length, strlen(option->name)) + 2) / 3)
			continue;
		/* Of two that are equally near, the one of the same kind. */
		rank = 2 * distance + (is_command(option) != (typed->dashes[1] == '-'));
		if (rank < best) {
			best = rank;
			nearest = option;
		}
	}
	return nearest;
}

static int unknown(const struct typed *typed, struct pktfs_error *ret_error)
{
	const struct cli_option *nearest = nearest_to(typed);
	int length = (int)MIN(typed->length, 60u);

	if (!nearest)
		return error_set(ret_error, -EINVAL, "%s%.*s: unknown option; " SEE, typed->dashes,
				 length, typed->name);
	return error_set(ret_error, -EINVAL,
			 "%s%.*s: unknown option; the nearest is %s%s%s%s; " SEE, typed->dashes,
			 length, typed->name, is_command(nearest) ? "--" : "-o ", nearest->name,
			 cli_separator(nearest), nearest->argument ? nearest->argument : "");
}

static int apply(struct cli_config *config, const struct cli_option *option,
		 const struct typed *typed, struct pktfs_error *ret_error)
{
	int length = (int)MIN(typed->length, 60u), r;

	if (needs_value(option) && !typed->value)
		return error_set(ret_error, -EINVAL,
				 "%s%.*s: needs a value, as in %s%.*s%s%s; " SEE, typed->dashes,
				 length, typed->name, typed->dashes, length, typed->name,
				 typed->dashes[1] ? "=" : " ", option->argument);
	if (!may_have_value(option) && typed->value)
		return error_set(ret_error, -EINVAL, "%s%.*s: takes no value; " SEE, typed->dashes,
				 length, typed->name);
	r = option->set ? option->set(config, typed->value) : 0;
	if (r < 0)
		return error_set(ret_error, r, "%s%.*s=%.80s: bad value; %s%s%s: %s; " SEE,
				 typed->dashes, length, typed->name, typed->value, option->name,
				 cli_separator(option), option->argument, option->help);
	return 0;
}

/* `text`, of `length` bytes, is one mount option. */
static int parse_mount_option(struct cli_config *config, const char *text, size_t length,
			      struct pktfs_error *ret_error)
{
	_cleanup_free_ char *copy = strndup(text, length);
	struct typed typed = {.dashes = "-o ", .name = copy};
	const struct cli_option *option;
	char *equals, *from, *to;

	if (!copy)
		return error_set(ret_error, -ENOMEM, "%s", strerror(ENOMEM));
	equals = strchr(copy, '=');
	typed.length = equals ? (size_t)(equals - copy) : length;
	typed.value = equals ? equals + 1 : NULL;
	option = find(&typed, false);
	if (!option)
		return unknown(&typed, ret_error);
	if (option->group == CLI_KERNEL) {
		text_printf(&config->mount_options, ",%s", copy);
	} else if (equals) {
		/* Our own values lose their backslashes here; libfuse takes
		 * those of the others off. */
		for (from = to = equals + 1; *from; *to++ = *from++)
			if (*from == '\\' && from[1])
				from++;
		*to = '\0';
	}
	return apply(config, option, &typed, ret_error);
}

static int parse_mount_options(struct cli_config *config, const char *list,
			       struct pktfs_error *ret_error)
{
	size_t length;
	int r;

	while (*list) {
		length = cli_option_length(list);
		r = length ? parse_mount_option(config, list, length, ret_error) : 0;
		if (r < 0)
			return r;
		list += length + (list[length] == ',');
	}
	return 0;
}

struct arguments {
	int count, at;
	char *const *values;
	const char **operands; /* as many as there are values at the most */
	size_t operand_count;
};

static const char *next(struct arguments *args)
{
	return args->at < args->count ? args->values[args->at++] : NULL;
}

static int parse_long(struct cli_config *config, struct arguments *args, const char *text,
		      struct pktfs_error *ret_error)
{
	struct typed typed = {.dashes = "--", .name = text, .length = strcspn(text, "=")};
	const struct cli_option *option = find(&typed, true);
	int r;

	if (!option)
		return unknown(&typed, ret_error);
	if (text[typed.length])
		typed.value = text + typed.length + 1;
	else if (needs_value(option))
		typed.value = next(args);
	r = apply(config, option, &typed, ret_error);
	if (!r && option->letter == 'o')
		r = parse_mount_options(config, typed.value, ret_error);
	return r;
}

/* "-fs", "-osync", "-o sync": letters, the last of which may have a value. */
static int parse_letters(struct cli_config *config, struct arguments *args, const char *text,
			 struct pktfs_error *ret_error)
{
	struct typed typed = {.dashes = "-", .length = 1};
	const struct cli_option *option;
	int r = 0;

	for (; *text && !r; text++) {
		typed.name = text;
		option = find_letter(config, *text);
		if (!option)
			return error_set(ret_error, -EINVAL, "-%c: unknown option; " SEE, *text);
		if (option->letter == 'o') {
			typed.value = text[1] ? text + 1 : next(args);
			r = apply(config, option, &typed, ret_error);
			return r ? r : parse_mount_options(config, typed.value, ret_error);
		}
		r = apply(config, option, &typed, ret_error);
	}
	return r;
}

static int parse_arguments(struct cli_config *config, struct arguments *args,
			   struct pktfs_error *ret_error)
{
	bool options = true;
	const char *text;
	int r = 0;

	while (!r && (text = next(args))) {
		if (!options || text[0] != '-' || !text[1]) {
			args->operands[args->operand_count++] = text;
		} else if (text[1] != '-') {
			r = parse_letters(config, args, text + 1, ret_error);
		} else if (text[2]) {
			r = parse_long(config, args, text + 2, ret_error);
		} else {
			options = false;
		}
	}
	return r;
}

/* Whether, and what, may be appended; options contradict each other here only.
 * Nothing is changed unless that was asked for, and mount(8) asks for nothing. */
static int check_append(struct cli_config *config, struct pktfs_error *ret_error)
{
	const char *which = config->append_file ? "append=FILE" : config->append ? "append" : "rw";

	config->append |= config->read_write && !config->by_mount;
	if (config->repair && !config->append)
		return error_set(ret_error, -EINVAL, "-o repair: needs %s; " SEE,
				 config->read_write
					 ? "-o append (mount(8) adds rw, which does not count)"
					 : "-o rw or -o append");
	if (config->append && config->read_only)
		return error_set(ret_error, -EINVAL, "-o %s: not together with -o ro; " SEE, which);
	if (config->append && !config->append_file && config->file_count > 1)
		return error_set(ret_error, -EINVAL,
				 "-o %s: not with more than one FILE; use -o append=FILE2; " SEE,
				 which);
	if (config->append && !strcmp(config->file, "-"))
		return error_set(ret_error, -EINVAL,
				 "-o %s: standard input cannot be appended to; " SEE, which);
	return 0;
}

/* Whose the files are, unless that was said. */
static int check_user(struct cli_config *config, struct pktfs_error *ret_error)
{
	if (config->change_user && geteuid() != 0)
		return error_set(ret_error, -EINVAL, "-o setuid: only root can do that; " SEE);
	if (!config->uid_given)
		config->uid = config->change_user ? config->user_uid : getuid();
	if (!config->gid_given)
		config->gid = config->change_user ? config->user_gid : getgid();
	return 0;
}

/* What the operands are depends on the action. */
static int assign(struct cli_config *config, const struct arguments *args,
		  struct pktfs_error *ret_error)
{
	bool mount = config->action == CLI_MOUNT;

	if (config->action == CLI_HELP || config->action == CLI_VERSION)
		return 0;
	if (!args->operand_count)
		return error_set(ret_error, -EINVAL, "%s; " SEE,
				 mount                        ? "no FILE given"
				 : config->action == CLI_INFO ? "--info: no FILE given"
							      : "-u: no MOUNTPOINT given");
	if (!mount && args->operand_count > 1)
		return error_set(ret_error, -EINVAL, "%.80s: one argument too many; " SEE,
				 args->operands[1]);
	if (config->json && config->action != CLI_INFO)
		return error_set(ret_error, -EINVAL, "--json: needs --info; " SEE);
	if (config->action == CLI_UNMOUNT) {
		config->mountpoint = args->operands[0];
		return 0;
	}
	config->file_count = args->operand_count;
	if (mount && config->file_count > 1)
		config->mountpoint = args->operands[--config->file_count];
	config->file = config->files[0];
	if (mount && !config->mountpoint && !strcmp(config->file, "-"))
		return error_set(ret_error, -EINVAL,
				 "-: standard input has no name: a MOUNTPOINT is needed; " SEE);
	return mount ? check_append(config, ret_error) : 0;
}

/* A helper of mount(8), as /sbin/mount.pktfs. */
static bool is_helper(const char *program)
{
	const char *slash = program ? strrchr(program, '/') : NULL;

	return program && !strncmp(slash ? slash + 1 : program, "mount.", strlen("mount."));
}

int cli_parse(int argc, char *const argv[], struct cli_config *ret, struct pktfs_error *ret_error)
{
	struct arguments args = {.count = argc, .at = 1, .values = argv};
	int r;

	*ret = (struct cli_config){
		.action = CLI_MOUNT,
		.threads = FS_THREADS_DEFAULT,
		.is_helper = is_helper(argc > 0 ? argv[0] : NULL),
	};
	ret->by_mount = ret->is_helper;
	args.operands = calloc((size_t)argc + 1, sizeof(*args.operands));
	if (!args.operands)
		return error_set(ret_error, -ENOMEM, "%s", strerror(ENOMEM));
	ret->files = args.operands;
	r = parse_arguments(ret, &args, ret_error);
	if (r < 0)
		return r;
	if (ret->mount_options.failed)
		return error_set(ret_error, ret->mount_options.failed, "-o: %s",
				 strerror(-ret->mount_options.failed));
	r = check_user(ret, ret_error);
	return r < 0 ? r : assign(ret, &args, ret_error);
}

void cli_config_free(struct cli_config *config)
{
	free(config->files);
	free(config->spool);
	free(config->index_file);
	free(config->append_file);
	free(config->fsname);
	text_free(&config->mount_options);
}
