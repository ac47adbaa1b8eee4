/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The facts are read from the view, as a mount would serve them: the same
 * names and the same words.
 *
 *	interfaces/0/name: eth0          {"interfaces": [{"name": "eth0", ...
 */
#include "cli_info.h"

#include <string.h>
#include <time.h>

#include "cli_log.h"
#include "cli_source.h"

#define INFO_DEPTH_MAX 4
#define RETRY_NSEC     2000000L

/* Of the view's values these are numbers in JSON; all others are strings, also
 * if they look like numbers (the name of an interface, say). */
static const char *const numbers[] = {
	"size",
	"packets",
	"bytes",
	"section",
	"section_length",
	"number_in_section",
	"link_type_number",
	"snaplen",
	"speed",
	"transmit_speed",
	"receive_speed",
	"fcs_length",
	"timestamp_offset",
	"timezone",
	"received",
	"dropped",
	"filter_accepted",
	"os_dropped",
	"delivered",
};

/* These may have several lines: always an array in JSON. */
static const char *const lists[] = {"link_types", "problem", "comment", "ipv4", "ipv6", "options"};

/* Of info/: what is about a mount and not about the capture. */
static const char *const skipped[] = {"log", "progress", "version"};

struct info {
	struct view *view;
	FILE *out;
	bool json;
	int failed;
};

#define IS_ONE_OF(name, list) is_one_of(name, list, ARRAY_SIZE(list))

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* A number as JSON writes it, which must not begin with a zero. */
static bool is_number(const char *text)
{
	text += *text == '-';
	if (text[0] == '0')
		return !text[1];
	return *text && !text[strspn(text, "0123456789")];
}

/* Texts may hold what a hostile capture says to a terminal. */
static void print_line(FILE *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		/* U+0080 to U+009F, which some terminals obey too */
		bool control = byte == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] < 0xa0;

		if (byte < ' ' || byte == 0x7f)
			fprintf(out, "\\x%02x", byte);
		else if (control)
			fprintf(out, "\\x%02x", (unsigned char)text[++i]);
		else
			fputc(byte, out);
	}
}

static void print_json(struct info *info, const char *text, size_t length)
{
	_cleanup_(text_free) struct text quoted = {0};

	text_json(&quoted, text, length);
	if (quoted.failed)
		info->failed = quoted.failed;
	else
		fwrite(quoted.bytes, 1, quoted.size, info->out);
}

static void pause_shortly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = RETRY_NSEC}, NULL);
}

/* Without the newline at its end. */
static int read_value(struct info *info, uint64_t node, size_t size, struct text *ret)
{
	size_t done = 0;
	int64_t n = 1;

	while (done < size && n) {
		uint8_t *bytes = text_grow(ret, size - done);

		if (!bytes)
			return ret->failed;
		n = view_read(info->view, node, done, bytes, size - done);
		ret->size = done += n > 0 ? (size_t)n : 0;
		if (n == -EAGAIN)
			pause_shortly();
		else if (n < 0)
			return (int)n;
	}
	if (ret->size && ret->bytes[ret->size - 1] == '\n')
		ret->size--;
	text_append(ret, "", 0);
	return ret->failed;
}

/* Calls `print` for each line. */
static void each_line(struct info *info, const struct text *value, const char *prefix,
		      const char *name,
		      void (*print)(struct info *info, const char *prefix, const char *name,
				    const char *line, size_t length, bool first))
{
	const char *line = value->bytes ? value->bytes : "", *end = line + value->size;
	bool first = true;

	do {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);

		print(info, prefix, name, line, length, first);
		first = false;
		line += length + 1;
	} while (line < end);
}

static void text_item(struct info *info, const char *prefix, const char *name, const char *line,
		      size_t length, bool first)
{
	(void)first;
	fprintf(info->out, "%s%s: ", prefix, name);
	print_line(info->out, line, length);
	fputc('\n', info->out);
}

static void json_item(struct info *info, const char *prefix, const char *name, const char *line,
		      size_t length, bool first)
{
	(void)prefix;
	(void)name;
	fputs(first ? "" : ", ", info->out);
	print_json(info, line, length);
}

static void print_value(struct info *info, const char *prefix, const char *name,
			const struct text *value)
{
	const char *bytes = value->bytes ? value->bytes : "";

	if (!info->json) {
		each_line(info, value, prefix, name, text_item);
	} else if (IS_ONE_OF(name, lists)) {
		fputc('[', info->out);
		if (value->size)
			each_line(info, value, prefix, name, json_item);
		fputc(']', info->out);
	} else if (IS_ONE_OF(name, numbers) && strlen(bytes) == value->size && is_number(bytes)) {
		fputs(bytes, info->out);
	} else {
		print_json(info, bytes, value->size);
	}
}

static bool take_name(void *context, const struct view_dirent *entry)
{
	struct text *names = context;

	if (strcmp(entry->name, ".") && strcmp(entry->name, ".."))
		text_append(names, entry->name, strlen(entry->name) + 1);
	return !names->failed;
}

static void walk(struct info *info, uint64_t node, const char *prefix, bool *first, int depth);

static int look(struct info *info, uint64_t node, const char *name, struct view_entry *ret)
{
	int r;

	while ((r = view_lookup(info->view, node, name, ret, NULL)) == -EAGAIN)
		pause_shortly();
	return r;
}

/* sections/ and interfaces/ hold numbers: an array. */
static void print_directory(struct info *info, uint64_t node, const char *prefix, const char *name,
			    int depth)
{
	bool array = IS_ONE_OF(name, ((const char *const[]){"sections", "interfaces"}));
	bool first = true;
	char path[256];

	snprintf(path, sizeof(path), "%s%s/", prefix, name);
	if (info->json)
		fputc(array ? '[' : '{', info->out);
	walk(info, node, path, &first, depth + 1);
	if (info->json)
		fputc(array ? ']' : '}', info->out);
}

static void print_entry(struct info *info, uint64_t parent, const char *prefix, const char *name,
			bool *first, int depth)
{
	_cleanup_(text_free) struct text value = {0};
	struct view_entry entry;
	bool directory;
	int r = look(info, parent, name, &entry);

	directory = !r && S_ISDIR(entry.st.st_mode);
	if (!r && !directory)
		r = read_value(info, entry.st.st_ino, (size_t)entry.st.st_size, &value);
	if (r < 0) {
		info->failed = r == -ENOENT ? info->failed : r;
		return;
	}
	if (info->json) {
		fputs(*first ? "\n" : ",\n", info->out);
		fprintf(info->out, "%*s", 2 * (depth + 1), "");
		if (!is_number(name)) {
			print_json(info, name, strlen(name));
			fputs(": ", info->out);
		}
	}
	*first = false;
	if (directory)
		print_directory(info, entry.st.st_ino, prefix, name, depth);
	else
		print_value(info, prefix, name, &value);
}

static void walk(struct info *info, uint64_t node, const char *prefix, bool *first, int depth)
{
	_cleanup_(text_free) struct text names = {0};
	const char *name;
	int r;

	if (depth > INFO_DEPTH_MAX)
		return;
	while ((r = view_list(info->view, node, 0, false, take_name, &names)) == -EAGAIN) {
		names.size = 0;
		pause_shortly();
	}
	if (r < 0 || names.failed) {
		info->failed = r < 0 ? r : names.failed;
		return;
	}
	for (name = names.bytes; name && name < names.bytes + names.size; name += strlen(name) + 1)
		if (depth || !IS_ONE_OF(name, skipped))
			print_entry(info, node, prefix, name, first, depth);
}

int cli_info_print(struct view *view, bool json, FILE *out)
{
	static const char *const directories[] = {"sections", "interfaces"};
	struct info info = {.view = view, .out = out, .json = json};
	struct view_entry entry;
	bool first = true;
	int r = look(&info, VIEW_ROOT, "info", &entry);

	if (r < 0)
		return r;
	if (json)
		fputc('{', out);
	walk(&info, entry.st.st_ino, "", &first, 0);
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		print_entry(&info, VIEW_ROOT, "", directories[i], &first, 0);
	if (json)
		fputs("\n}\n", out);
	return info.failed;
}

int cli_info(const struct cli_config *config)
{
	struct view_options options = {
		.uid = config->uid, .gid = config->gid, .umask = config->umask};
	struct cli_source source;
	struct view *view = NULL;
	int r = cli_source_find(config, &source);

	if (!r)
		r = cli_source_open(config, &source, NULL, NULL);
	if (r) {
		cli_source_close(&source);
		return r;
	}
	options.path = source.path;
	r = pktfs_wait(source.capture, UINT64_MAX, -1);
	if (!r)
		r = view_open(source.capture, &options, &view);
	if (!r)
		r = cli_info_print(view, config->json, stdout);
	if (!r && (fflush(stdout) || ferror(stdout)))
		r = -errno;
	view_close(view);
	cli_source_close(&source);
	return r ? cli_fail(config->file, "%s", strerror(-r)) : 0;
}
