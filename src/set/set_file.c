/* SPDX-License-Identifier: BSD-2-Clause */
/* The packets of one file of a capture that is several, by its number among those
 * that were given. */
#include "set_predicate.h"

#include "util/util_number.h"

struct file {
	pktfs_capture *capture;
	uint64_t number;
};

/* The index need not have come to the file. */
static int file_open(pktfs_capture *capture, const char *expression, void **ret_state,
		     struct pktfs_error *ret_error)
{
	uint64_t number, files = pktfs_files(capture);
	struct file *file;

	if (!number_parse(expression, &number))
		return error_set(ret_error, -EINVAL, "file: found '%.40s'; accepted a number",
				 expression);
	if (number >= files)
		return error_set(ret_error, -ENOENT, "file %.40s: there are %llu", expression,
				 (unsigned long long)files);
	file = malloc(sizeof(*file));
	if (!file)
		return error_set(ret_error, -ENOMEM, "no memory");
	*file = (struct file){.capture = capture, .number = number};
	*ret_state = file;
	return 0;
}

static int file_matches(void *state, void *scratch, const struct pktfs_packet *packet)
{
	const struct file *file = state;
	struct pktfs_file found;
	int r = pktfs_file_of_packet(file->capture, packet->number, &found);

	(void)scratch;
	return r < 0 ? r : found.path == file->number;
}

static enum set_bound file_bound(void *state, const struct pktfs_span *span)
{
	const struct file *file = state;
	struct pktfs_file first, last;

	if (pktfs_file_of_packet(file->capture, span->first, &first) < 0 ||
	    pktfs_file_of_packet(file->capture, span->last, &last) < 0)
		return BOUND_SOME;
	return first.path > file->number || last.path < file->number ? BOUND_NONE : BOUND_SOME;
}

const struct set_predicate set_file_predicate = {
	.open = file_open,
	.close = free,
	.matches = file_matches,
	.bound = file_bound,
};
