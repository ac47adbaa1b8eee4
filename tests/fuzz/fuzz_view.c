/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree, by a script of calls as a hostile kernel could make them: any name, any
 * node number, any offset and cookie, in any order. What must hold: it ends;
 * errors are those of errno.h; what was looked up has the attributes that it was
 * looked up with; a read gives no more than was asked for, and nothing behind
 * the size; a name that is listed can be looked up.
 */
#include <sys/stat.h>

#include "input.h"
#include "sample.h"
#include "view/view.h"

#define NODES 16u

struct play {
	struct input input;
	struct view *view;
	uint64_t nodes[NODES]; /* that were found, and that the input made up */
	unsigned met;
};

static uint64_t some_node(struct play *play)
{
	return play->nodes[input_number(&play->input, 1) % NODES];
}

static void keep_node(struct play *play, uint64_t node)
{
	play->nodes[++play->met % NODES] = node;
}

static void plausible(int64_t r)
{
	assert(r > -134 && r != -EFAULT && r != -ENOSYS);
}

/* A set is evaluated meanwhile; the capture is indexed, so that all ends. */
#define ANSWER(call)                                                                               \
	({                                                                                         \
		int64_t r_;                                                                        \
		while ((r_ = (call)) == -EAGAIN)                                                   \
			input_pause();                                                             \
		plausible(r_);                                                                     \
		r_;                                                                                \
	})

static void found(struct play *play, const struct view_entry *entry)
{
	struct view_entry now;
	int64_t r = ANSWER(view_getattr(play->view, entry->st.st_ino, &now));

	assert(r == 0 && now.st.st_ino == entry->st.st_ino);
	assert((now.st.st_mode & S_IFMT) == (entry->st.st_mode & S_IFMT));
	if (!now.live && !entry->live)
		assert(now.st.st_size == entry->st.st_size);
	keep_node(play, entry->st.st_ino);
}

static void look_up(struct play *play)
{
	uint64_t parent = some_node(play);
	struct view_entry entry;
	char name[256];
	bool final;

	input_name(&play->input, name);
	if (strchr(name, '/'))
		return;
	if (ANSWER(view_lookup(play->view, parent, name, &entry, &final)) == 0)
		found(play, &entry);
}

static void read_some(struct play *play)
{
	uint64_t node = some_node(play), offset = input_number(&play->input, 8);
	size_t size = (size_t)input_number(&play->input, 2);
	uint8_t *bytes = malloc(size + 1);
	struct view_entry entry;
	int64_t r;

	assert(bytes);
	r = ANSWER(view_read(play->view, node, offset, bytes, size));
	assert(r <= (int64_t)size);
	free(bytes);
	if (r <= 0 || ANSWER(view_getattr(play->view, node, &entry)) < 0 || entry.live)
		return;
	assert(!S_ISDIR(entry.st.st_mode)); /* the target of a link is its bytes */
	assert(offset + (uint64_t)r <= (uint64_t)entry.st.st_size);
}

struct listing {
	struct play *play;
	char name[256];
	uint64_t node, parent;
	unsigned left;
	bool any;
};

static bool take_entry(void *context, const struct view_dirent *entry)
{
	struct listing *listing = context;

	assert(*entry->name && strlen(entry->name) < 256 && !strchr(entry->name, '/'));
	listing->any = *entry->name != '.';
	strcpy(listing->name, entry->name);
	listing->node = entry->entry.st.st_ino;
	return listing->left-- > 0;
}

static void list(struct play *play)
{
	struct listing listing = {.play = play, .parent = some_node(play)};
	uint64_t cookie = input_number(&play->input, input_number(&play->input, 1) & 8);
	uint8_t how = (uint8_t)input_number(&play->input, 1);
	struct view_entry entry;

	listing.left = how >> 1;
	if (ANSWER(view_list(play->view, listing.parent, cookie, how & 1, take_entry,
			     &listing)) < 0)
		return;
	view_list_live(play->view, listing.parent);
	if (!listing.any)
		return;
	assert(ANSWER(view_lookup(play->view, listing.parent, listing.name, &entry, NULL)) == 0);
	assert(entry.st.st_ino == listing.node);
	found(play, &entry);
}

static void attributes(struct play *play)
{
	_cleanup_(text_free) struct text text = {0};
	uint64_t node = some_node(play);
	char name[256];

	input_name(&play->input, name);
	ANSWER(view_getxattr(play->view, node, name, &text));
	if (ANSWER(view_listxattr(play->view, node, &text)) == 0)
		assert(!text.size || text.bytes[text.size - 1] == '\0' || text.failed);
	ANSWER(view_readlink(play->view, node, &text));
}

static void change(struct play *play)
{
	uint64_t node = some_node(play), other = some_node(play), end;
	char name[256], value[256];
	struct view_entry entry;
	struct view_setattr set = {.what = (unsigned)input_number(&play->input, 1) & 15};
	size_t size;

	input_name(&play->input, name);
	size = input_name(&play->input, value);
	if (!*name || strchr(name, '/'))
		return;
	switch (set.what % 8) {
	case 0:
		if (ANSWER(view_mkdir(play->view, node, name, &entry, &end)) == 0)
			found(play, &entry);
		break;
	case 1:
		if (ANSWER(view_symlink(play->view, node, name, value, &entry)) == 0)
			keep_node(play, entry.st.st_ino);
		break;
	case 2:
		ANSWER(view_remove(play->view, node, name, size & 1));
		break;
	case 3:
		if (*value && !strchr(value, '/'))
			ANSWER(view_rename(play->view, node, name, other, value, size & 1, &end));
		break;
	case 4:
		ANSWER(view_write(play->view, node, size & 1, value, size));
		break;
	case 5:
		ANSWER(view_setattr(play->view, node, &set, &entry));
		break;
	case 6:
		ANSWER(view_setxattr(play->view, node, name, value, size));
		break;
	default:
		view_never(play->view, node);
	}
}

static void step(struct play *play)
{
	struct view_entry entry;

	switch (input_number(&play->input, 1) % 8) {
	case 0:
	case 1:
		look_up(play);
		break;
	case 2:
		read_some(play);
		break;
	case 3:
		list(play);
		break;
	case 4:
		attributes(play);
		break;
	case 5:
		change(play);
		break;
	case 6: /* a number that nobody gave out */
		keep_node(play, input_number(&play->input, 8));
		break;
	default:
		if (ANSWER(view_getattr(play->view, some_node(play), &entry)) == 0)
			found(play, &entry);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct view_options options = {.path = "/a/trace", .sets_memory = 1 << 20};
	struct play play = {.input = {bytes, size}};
	pktfs_capture *capture = sample_open();
	int r = view_open(capture, &options, &play.view), steps = 0;

	assert(r == 0);
	for (unsigned i = 0; i < NODES; i++)
		play.nodes[i] = VIEW_ROOT;
	while (play.input.size && steps++ < 64)
		step(&play);
	view_close(play.view);
	pktfs_close(capture);
	return 0;
}
