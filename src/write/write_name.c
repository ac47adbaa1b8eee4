/* SPDX-License-Identifier: BSD-2-Clause */
/* Format and compression by the name of a file. */
#include "write_private.h"

#include <string.h>
#include <strings.h>

/* Takes `suffix`, in any case, off the end of a name of `*size` bytes. */
static bool take_suffix(const char *name, size_t *size, const char *suffix)
{
	size_t length = strlen(suffix);

	if (*size <= length || strncasecmp(name + *size - length, suffix, length) != 0)
		return false;
	*size -= length;
	return true;
}

void writer_by_name(const char *path, enum pktfs_writer_format *ret_format,
		    enum pktfs_writer_compression *ret_compression)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t size = strlen(name);

	*ret_compression = PKTFS_WRITER_PLAIN;
	if (take_suffix(name, &size, ".zst") || take_suffix(name, &size, ".zstd"))
		*ret_compression = PKTFS_WRITER_ZSTD;
	else if (take_suffix(name, &size, ".gz"))
		*ret_compression = PKTFS_WRITER_GZIP;
	*ret_format = PKTFS_WRITER_PCAPNG;
	if (take_suffix(name, &size, ".pcap") || take_suffix(name, &size, ".cap") ||
	    take_suffix(name, &size, ".dmp"))
		*ret_format = PKTFS_WRITER_PCAP;
}
