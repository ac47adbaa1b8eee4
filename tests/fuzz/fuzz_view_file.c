/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree over any bytes as a capture: everything that can be listed is looked
 * up and read. What must hold: it ends; a name stands for the node that it was
 * listed with; a file gives as many bytes as it says to have, or an error.
 */
#include <sys/stat.h>

#include "input.h"
#include "pktfs/capture.h"
#include "view/view.h"

/* Nodes that are looked at, levels, and bytes of a file: a fuzzer wants many
 * small runs. */
#define NODES_MAX 600u
#define DEPTH_MAX 4u
#define BYTES_MAX (1 << 18)

struct walk {
	struct view *view;
	unsigned left;
	uint8_t bytes[BYTES_MAX];
};

static void read_file(struct walk *walk, const struct view_entry *entry)
{
	uint64_t size = (uint64_t)entry->st.st_size, at = 0;
	int64_t r = 0;
	unsigned tries = 0;

	while (at < MIN(size, (uint64_t)BYTES_MAX)) {
		r = view_read(walk->view, entry->st.st_ino, at, walk->bytes, BYTES_MAX);
		if (r == -EAGAIN && tries++ < 2000) {
			input_pause();
			continue;
		}
		if (r <= 0)
			break;
		at += (uint64_t)r;
	}
	assert(r != -EAGAIN && r >= -133);
	if (r >= 0 && size <= BYTES_MAX && !entry->live)
		assert(at == size);
	if (r >= 0 && !entry->live)
		assert(view_read(walk->view, entry->st.st_ino, size, walk->bytes, 10) <= 0);
}

static void read_attributes(struct walk *walk, uint64_t node)
{
	_cleanup_(text_free) struct text names = {0};
	_cleanup_(text_free) struct text value = {0};

	if (view_listxattr(walk->view, node, &names) < 0 || names.failed)
		return;
	for (size_t at = 0; at < names.size; at += strlen(names.bytes + at) + 1)
		view_getxattr(walk->view, node, names.bytes + at, &value);
}

#define ENTRIES_MAX 40u

struct listing {
	struct {
		uint64_t node;
		char name[256];
	} entries[ENTRIES_MAX];
	unsigned count;
};

static bool take_entry(void *context, const struct view_dirent *entry)
{
	struct listing *listing = context;

	if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
		return true;
	if (listing->count >= ENTRIES_MAX)
		return false;
	assert(*entry->name && strlen(entry->name) < 256 && !strchr(entry->name, '/'));
	strcpy(listing->entries[listing->count].name, entry->name);
	listing->entries[listing->count++].node = entry->entry.st.st_ino;
	return true;
}

static void visit_all(struct walk *walk, uint64_t node, unsigned depth);

/* Returns the node; 0: there is none. */
static uint64_t visit(struct walk *walk, uint64_t parent, const char *name, unsigned depth)
{
	struct view_entry entry;
	int r;

	while ((r = view_lookup(walk->view, parent, name, &entry, NULL)) == -EAGAIN)
		input_pause();
	assert(r == 0 || r == -ENOENT || r == -EIO);
	if (r < 0)
		return 0;
	if (!walk->left || depth > DEPTH_MAX)
		return entry.st.st_ino;
	walk->left--;
	read_attributes(walk, entry.st.st_ino);
	if (S_ISREG(entry.st.st_mode))
		read_file(walk, &entry);
	else if (S_ISDIR(entry.st.st_mode))
		visit_all(walk, entry.st.st_ino, depth + 1);
	return entry.st.st_ino;
}

static void visit_all(struct walk *walk, uint64_t node, unsigned depth)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	int r;

	assert(listing);
	while ((r = view_list(walk->view, node, 0, true, take_entry, listing)) == -EAGAIN) {
		listing->count = 0;
		input_pause();
	}
	assert(r == 0 || r == -EIO);
	for (unsigned i = 0; r == 0 && i < listing->count; i++) {
		uint64_t found = visit(walk, node, listing->entries[i].name, depth);

		assert(found == listing->entries[i].node);
	}
	free(listing);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const unlisted[] = {"1.json", "1.hex", "1.pcapng", "2.json", "2.hex",
					       "3.json", "3.pcapng"};
	const struct view_options options = {.path = "/a/trace"};
	static struct walk walk;
	struct view_entry packets;
	pktfs_capture *capture;

	if (size == 0 || pktfs_open_buffer(bytes, size, NULL, &capture, NULL) < 0)
		return 0;
	pktfs_wait(capture, UINT64_MAX, -1);
	walk.left = NODES_MAX;
	assert(view_open(capture, &options, &walk.view) == 0);
	visit_all(&walk, VIEW_ROOT, 0);
	if (view_lookup(walk.view, VIEW_ROOT, "packets", &packets, NULL) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(unlisted); i++)
			visit(&walk, packets.st.st_ino, unlisted[i], 1);
	view_close(walk.view);
	pktfs_close(capture);
	return 0;
}
