/* SPDX-License-Identifier: BSD-2-Clause */
/* Which capture an index was made of. */
#include "index_saved.h"

#include <string.h>
#include <sys/stat.h>

int index_key_read(struct index *index, struct index_key *ret)
{
	struct stat st;
	int r = source_stat(index->source, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return -EOPNOTSUPP;
	*ret = (struct index_key){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.modified_sec = st.st_mtim.tv_sec,
		.modified_nsec = st.st_mtim.tv_nsec,
		.changed_sec = st.st_ctim.tv_sec,
		.changed_nsec = st.st_ctim.tv_nsec,
	};
	return 0;
}

static uint64_t hash_bytes(const uint8_t *bytes, size_t size)
{
	uint64_t hash = size, word;
	size_t at, n;

	for (at = 0; at < size; at += n) {
		n = MIN(size - at, sizeof(word));
		word = 0;
		memcpy(&word, bytes + at, n);
		hash = saved_hash(hash, le64toh(word));
	}
	return hash;
}

static int hash_at(struct index *index, uint64_t offset, uint64_t size, uint64_t *ret)
{
	_cleanup_free_ uint8_t *bytes = malloc(size ? size : 1);
	int64_t n;

	if (!bytes)
		return -ENOMEM;
	n = source_read(index->source, offset, bytes, (size_t)size);
	if (n < 0)
		return (int)n;
	if ((uint64_t)n < size)
		return -ENODATA;
	*ret = hash_bytes(bytes, (size_t)size);
	return 0;
}

int index_key_hash(struct index *index, uint64_t end, struct index_key *key)
{
	uint64_t size = MIN(end, SAVED_HASHED);
	int r = hash_at(index, 0, size, &key->head);

	return r < 0 ? r : hash_at(index, end - size, size, &key->tail);
}
