/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_options.h"

#include <string.h>

#include "fs/fs.h"
#include "pktfs/version.h"

#define HELP_COLUMN 26
#define HELP_WIDTH  79

/* Words from `column` on, wrapped and indented to HELP_COLUMN. */
static void print_wrapped(FILE *out, int column, const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, " ");

		if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", length, text);
		column += length;
		text += length + (text[length] == ' ');
	}
	fputc('\n', out);
}

const char *cli_separator(const struct cli_option *option)
{
	if (!option->argument || option->kind == CLI_OPTIONAL_VALUE)
		return "";
	return option->kind == CLI_OPERAND ? " " : "=";
}

static void print_option(FILE *out, const struct cli_option *option)
{
	char left[80], letter[8] = "    ";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "  %s%s%s%s%s", option->group == CLI_COMMAND ? letter : "",
		 option->group == CLI_COMMAND ? "--" : "", option->name, cli_separator(option),
		 option->argument ? option->argument : "");
	fprintf(out, "%-*s", HELP_COLUMN, left);
	if (strlen(left) >= HELP_COLUMN)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	print_wrapped(out, HELP_COLUMN, option->help);
}

static void print_group(FILE *out, const char *title, enum cli_group group)
{
	const struct cli_option *option;

	fprintf(out, "\n%s:\n", title);
	for (option = cli_options; option->name; option++)
		if (option->group == group)
			print_option(out, option);
}

static void print_names(FILE *out, const char *title, enum cli_group group)
{
	const struct cli_option *option;
	int column = HELP_WIDTH, length;

	fprintf(out, "\n%s:", title);
	for (option = cli_options; option->name; option++) {
		if (option->group != group)
			continue;
		length = (int)strlen(option->name) + (option->argument ? 1 : 0);
		if (column + 1 + length > HELP_WIDTH) {
			fprintf(out, "\n ");
			column = 1;
		}
		fprintf(out, " %s%s", option->name, option->argument ? "=" : "");
		column += 1 + length;
	}
	fputc('\n', out);
}

void cli_help(FILE *out)
{
	fprintf(out,
		"Usage: pktfs [options] FILE... [MOUNTPOINT]\n"
		"       pktfs -u MOUNTPOINT\n"
		"       pktfs --info FILE [--json]\n"
		"\n"
		"Mounts a packet capture (pcap or pcapng, also compressed with zstd or gzip; - is\n"
		"standard input) as a directory tree. Several files, and the captures in a\n"
		"directory, are one capture. Without MOUNTPOINT a directory named after the file\n"
		"is made, and removed when the mount ends.\n");
	print_group(out, "Options", CLI_COMMAND);
	print_group(out, "Mount options, for -o", CLI_OURS);
	print_names(out, "Mount options that are passed on to the kernel", CLI_KERNEL);
	print_names(out, "Mount options that are accepted and ignored", CLI_IGNORED);
	fprintf(out, "\nSee pktfs(1).\n");
}

void cli_version(FILE *out)
{
	fprintf(out, "pktfs %s\nlibfuse %s\n", PKTFS_VERSION, fs_libfuse_version());
}
