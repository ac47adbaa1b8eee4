/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_index.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_keeper.h"
#include "cli_log.h"
#include "cli_source.h"
#include "pktfs/index.h"

#define INDEX_MIN ((uint64_t)64 << 20)

/* ---- where */

static int find_named(const char *file, struct cli_index *index)
{
	int r = cli_index_place_named(file, &index->place);

	return r < 0 ? cli_fail(file, "index: %s", strerror(-r)) : 0;
}

static void find_in_cache(const struct stat *st, struct cli_index *index)
{
	int r = cli_index_place_in_cache(st, &index->place);

	if (r < 0 && index->size >= index->min)
		cli_log_note("index: not kept: there is no $XDG_CACHE_HOME, nor $HOME");
}

/* Who names a FILE for it wants an index, of what has none. Returns the exit code. */
static int refuse(const struct cli_config *config, const char *found)
{
	cli_fail(config->file, "-o index=FILE: found %s; accepted is one plain file, as only of "
			       "that an index is kept; see pktfs --help", found);
	return CLI_EXIT_USAGE;
}

/* Why there is none, as far as that is known before the file is looked into; NULL: it
 * is one plain file. */
static const char *what_has_none(const struct cli_source *source, struct stat *ret_st)
{
	if (source->ring)
		return "several files, or a directory";
	if (source->target)
		return "-o append=FILE, a second file";
	if (source->fd >= 0 || stat(source->path, ret_st) < 0 || !S_ISREG(ret_st->st_mode))
		return "a pipe or a device";
	return NULL;
}

int cli_index_find(const struct cli_config *config, const struct cli_source *source,
		   struct cli_index *ret)
{
	const char *found;
	struct stat st;

	*ret = (struct cli_index){.min = config->index_min ? config->index_min : INDEX_MIN};
	if (config->no_index)
		return 0;
	found = what_has_none(source, &st);
	if (found)
		return config->index_file ? refuse(config, found) : 0;
	ret->size = (uint64_t)st.st_size;
	if (config->index_file) {
		if (!config->index_min)
			ret->min = 0; /* who names one wants one */
		return find_named(config->index_file, ret);
	}
	/* Root's cache is not for what another user's daemon makes, nor is that
	 * user's home for root to write to. */
	if (!config->change_user)
		find_in_cache(&st, ret);
	return 0;
}

int cli_index_check(const struct cli_config *config, pktfs_capture *capture)
{
	struct pktfs_status status;

	if (!config->index_file)
		return 0;
	pktfs_status_get(capture, &status);
	return status.compression == PKTFS_COMPRESSION_NONE
		       ? 0
		       : refuse(config, "a compressed capture");
}

/* ---- what is said of it */

static void note(const struct cli_index *index, const char *what, const char *why)
{
	cli_log_note("index %s/%s%s: %s: %s", index->place.directory,
		     index->place.cache ? "pktfs/" : "", index->place.name, what, why);
}

static const char *words_for(int code)
{
	switch (code) {
	case -EPERM:
		return "it or its directory is not this user's own, or others may write to it or "
		       "read it; accepted a file of mode 0600";
	case -EEXIST:
		return "what has this name is no index of this user's own";
	default:
		return strerror(-code);
	}
}

/* Once, when it is known what became of it. */
static void tell(struct cli_index *index)
{
	struct pktfs_index_status status;

	pktfs_index_status_get(index->capture, &status);
	if (index->told || status.use == PKTFS_INDEX_PENDING)
		return;
	index->told = true;
	if (status.use == PKTFS_INDEX_TAKEN)
		index->kept = status.end;
	if (status.use == PKTFS_INDEX_IGNORED)
		note(index, "not used", status.reason.text);
}

/* ---- the start */

int cli_index_take(struct cli_index *index, struct cli_keeper *keeper,
		   struct pktfs_open_options *options)
{
	int fd;

	index->keeper = keeper;
	if (!index->place.directory || index->size < index->min)
		return -1;
	fd = cli_keeper_index_open(keeper);
	if (fd < 0) {
		if (fd != -ENOENT)
			note(index, "not used", words_for(fd));
		return -1;
	}
	options->flags |= PKTFS_OPEN_INDEX;
	options->index_fd = fd;
	return fd;
}

/* ---- keeping it */

static int save(struct cli_index *index, struct pktfs_error *error)
{
	int fd = cli_keeper_index_make(index->keeper), r, saved;

	if (fd < 0)
		return error_set(error, fd, "%s", words_for(fd));
	saved = pktfs_index_save(index->capture, fd, error);
	close(fd);
	r = cli_keeper_index_finish(index->keeper, saved == 0);
	if (saved == 0 && r < 0)
		error_set(error, r, "%s", words_for(r));
	return saved < 0 ? saved : r;
}

/* If more is known than what is kept tells. A capture that has none is not spoken of. */
static void keep(struct cli_index *index)
{
	struct pktfs_status status;
	struct pktfs_error error;
	int r;

	tell(index);
	pktfs_status_get(index->capture, &status);
	if (status.file_size < index->min || status.indexed_bytes <= index->kept ||
	    status.compression != PKTFS_COMPRESSION_NONE || status.packets == 0)
		return;
	r = save(index, &error);
	if (r == 0)
		index->kept = status.indexed_bytes;
	else if (r != -EOPNOTSUPP)
		note(index, "not kept", error.text);
}

static void *index_main(void *context)
{
	struct cli_index *index = context;

	if (pktfs_wait(index->capture, UINT64_MAX, -1) == 0)
		keep(index);
	return NULL;
}

void cli_index_start(struct cli_index *index, pktfs_capture *capture)
{
	int r;

	if (!index->place.directory)
		return;
	index->capture = capture;
	r = pthread_create(&index->thread, NULL, index_main, index);
	index->started = r == 0;
	if (r == 0)
		pthread_setname_np(index->thread, "pktfs-keep");
	else
		note(index, "not kept", strerror(r));
}

/* It was taken, and has turned out wrong. */
static bool is_wrong(const struct cli_index *index)
{
	struct pktfs_index_status status;

	pktfs_index_status_get(index->capture, &status);
	return status.use == PKTFS_INDEX_WRONG;
}

void cli_index_stop(struct cli_index *index)
{
	if (index->started) {
		pktfs_cancel(index->capture);
		pthread_join(index->thread, NULL);
		if (is_wrong(index))
			cli_keeper_index_drop(index->keeper);
		else
			keep(index);
	}
	cli_index_place_free(&index->place);
	index->started = false;
}
