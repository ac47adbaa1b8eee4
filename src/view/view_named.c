/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_named.h"

#include <string.h>

#define NAME_ROOM 256u

/*
 * The ordinal of a node: how often its slot was used before, and the slot's
 * number in the table. So a slot serves again, and a node that is gone stays
 * gone.
 */
#define SLOT_BITS      16
#define GENERATION_MAX (VIEW_ORDINAL_MAX >> SLOT_BITS)
_Static_assert(VIEW_NAMED_MAX <= 1u << SLOT_BITS, "slots must fit their bits");

/* One slot: a thing that was made, or `gone`. */
struct named {
	bool gone;
	uint64_t generation;
	struct view_place place;
	char name[NAME_ROOM];
	char *target;     /* a link; NULL: a named set */
	struct set *set;  /* of the expression in force, if there is one */
	char *refused;    /* what was written last and refused, or NULL */
	struct pktfs_error refusal;
	struct pktfs_time written;
};

struct view_named_table {
	pthread_mutex_t lock; /* of everything */
	struct named *entries;
	uint64_t count, room;
};

struct view_named_table *view_named_new(void)
{
	struct view_named_table *table = calloc(1, sizeof(*table));

	if (table)
		pthread_mutex_init(&table->lock, NULL);
	return table;
}

static void clear(struct named *named)
{
	set_unref(named->set);
	free(named->target);
	free(named->refused);
	*named = (struct named){.gone = true, .generation = named->generation + 1};
}

void view_named_free(struct view_named_table *table)
{
	uint64_t i;

	if (!table)
		return;
	for (i = 0; i < table->count; i++)
		clear(&table->entries[i]);
	pthread_mutex_destroy(&table->lock);
	free(table->entries);
	free(table);
}

static bool same_place(struct view_place a, struct view_place b)
{
	return a.set == b.set && a.kind == b.kind;
}

/* Under the lock. */
static struct named *find(struct view_named_table *table, struct view_place place,
			  const char *name)
{
	uint64_t i;

	for (i = 0; i < table->count; i++)
		if (!table->entries[i].gone && same_place(table->entries[i].place, place) &&
		    !strcmp(table->entries[i].name, name))
			return &table->entries[i];
	return NULL;
}

static struct named *of_node(struct view_named_table *table, uint64_t node)
{
	uint64_t ordinal = view_node_ordinal(node);
	uint64_t slot = ordinal & ((UINT64_C(1) << SLOT_BITS) - 1);
	struct named *named = slot < table->count ? &table->entries[slot] : NULL;

	if (!named || named->gone || named->generation != ordinal >> SLOT_BITS)
		return NULL;
	return named;
}

static uint64_t node_of(const struct view_named_table *table, const struct named *named)
{
	return view_node(named->target ? NODE_LINK : NODE_NAMED,
			 named->generation << SLOT_BITS | (uint64_t)(named - table->entries));
}

int view_named_find(struct view *view, struct view_place place, const char *name,
		    uint64_t *ret_node)
{
	struct named *named;

	UTIL_LOCK_SCOPE(&view->named->lock);
	named = find(view->named, place, name);
	if (named)
		*ret_node = node_of(view->named, named);
	return named ? 0 : -ENOENT;
}

int view_named_next(struct view *view, struct view_place place, uint64_t *number,
		    struct view_child *ret)
{
	struct view_named_table *table = view->named;

	UTIL_LOCK_SCOPE(&table->lock);
	for (; *number < table->count; (*number)++) {
		const struct named *named = &table->entries[*number];

		if (named->gone || !same_place(named->place, place))
			continue;
		memcpy(ret->name, named->name, sizeof(named->name));
		ret->node = node_of(table, named);
		return 0;
	}
	return -ENOENT;
}

int view_named_set(struct view *view, uint64_t node, struct set **ret)
{
	struct named *named;

	UTIL_LOCK_SCOPE(&view->named->lock);
	named = of_node(view->named, node);
	if (named)
		*ret = named->set;
	return named ? 0 : -ENOENT;
}

static int grow(struct view_named_table *table)
{
	uint64_t room = MAX(table->room * 2, UINT64_C(16));
	struct named *entries;

	if (table->count >= VIEW_NAMED_MAX)
		return -ENOSPC;
	if (table->count < table->room)
		return 0;
	entries = realloc(table->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	table->room = room;
	return 0;
}

/* A slot for something new; all but its generation is to be written. */
static int take_slot(struct view_named_table *table, struct named **ret)
{
	uint64_t i;
	int r;

	for (i = 0; i < table->count; i++) {
		*ret = &table->entries[i];
		if ((*ret)->gone && (*ret)->generation <= GENERATION_MAX)
			return 0;
	}
	r = grow(table);
	if (r < 0)
		return r;
	*ret = &table->entries[table->count++];
	(*ret)->generation = 0;
	return 0;
}

/* The kernel goes where a link points to: to a name beside it, or nowhere. */
static int check_target(struct view *view, struct view_place place, const char *target)
{
	struct set *parent = set_by_id(view->sets, place.set), *set;
	const char *wrong = NULL;
	int r;

	if (strchr(target, '/'))
		wrong = "a '/'; accepted a name, in which / is written as %2F";
	else if (!strcmp(target, ".") || !strcmp(target, ".."))
		wrong = "a directory; accepted a name beside it, in which . is written as %2E";
	else if (strlen(target) >= NAME_ROOM)
		wrong = "more than 255 bytes; accepted a name";
	if (wrong) {
		view_log(view, "link to '%.200s': found %s", target, wrong);
		return -EINVAL;
	}
	r = parent ? view_set_open(view, parent, place.kind, target, &set) : -ENOENT;
	return r == -ENOENT ? -EINVAL : r;
}

int view_named_add(struct view *view, struct view_place place, const char *name,
		   const char *target, uint64_t *ret_node)
{
	struct view_named_table *table = view->named;
	struct named *named;
	char *copy = NULL;
	int r = target ? check_target(view, place, target) : 0;

	if (r < 0)
		return r;
	if (strlen(name) >= NAME_ROOM)
		return -ENAMETOOLONG;
	if (target && !(copy = strdup(target)))
		return -ENOMEM;
	UTIL_LOCK_SCOPE(&table->lock);
	r = find(table, place, name) ? -EEXIST : take_slot(table, &named);
	if (r < 0) {
		free(copy);
		return r;
	}
	*named = (struct named){.place = place, .target = copy, .generation = named->generation};
	strcpy(named->name, name);
	*ret_node = node_of(table, named);
	return 0;
}

int view_named_remove(struct view *view, struct view_place place, const char *name,
		      bool directory)
{
	struct named *named;

	UTIL_LOCK_SCOPE(&view->named->lock);
	named = find(view->named, place, name);
	if (!named)
		return -ENOENT;
	if (directory && named->target)
		return -ENOTDIR;
	if (!directory && !named->target)
		return -EISDIR;
	clear(named);
	return 0;
}

/* What is there under the new name is replaced, as rename(2) does. A named set
 * keeps its set only in the same place: elsewhere it would be of another. */
int view_named_rename(struct view *view, struct view_place from, const char *name,
		      struct view_place to, const char *new_name)
{
	struct view_named_table *table = view->named;
	struct named *named, *old;

	if (!same_place(from, to))
		return -EXDEV;
	if (strlen(new_name) >= NAME_ROOM)
		return -ENAMETOOLONG;
	UTIL_LOCK_SCOPE(&table->lock);
	named = find(table, from, name);
	old = find(table, to, new_name);
	if (!named)
		return -ENOENT;
	if (named == old)
		return 0;
	if (old && !old->target != !named->target)
		return old->target ? -ENOTDIR : -EISDIR;
	if (old)
		clear(old);
	strcpy(named->name, new_name);
	return 0;
}

int view_named_target(struct view *view, uint64_t node, struct text *ret)
{
	struct named *named;

	UTIL_LOCK_SCOPE(&view->named->lock);
	named = of_node(view->named, node);
	if (!named || !named->target)
		return -ENOENT;
	text_string(ret, named->target);
	return ret->failed;
}

/* Takes the outcome of an expression that was written down. */
static void settle(struct named *named, struct set *set, char *refused,
		   const struct pktfs_error *error)
{
	free(named->refused);
	named->refused = refused;
	if (set) {
		set_ref(set);
		set_unref(named->set);
		named->set = set;
	} else {
		named->refusal = *error;
	}
}

int view_named_write(struct view *view, uint64_t node, const char *expression)
{
	struct pktfs_error error = {0};
	struct set *parent, *set = NULL;
	struct view_place place;
	struct named *named;
	char *refused = NULL;
	int r;

	pthread_mutex_lock(&view->named->lock);
	named = of_node(view->named, node);
	if (named)
		place = named->place;
	pthread_mutex_unlock(&view->named->lock);
	if (!named)
		return -ENOENT;
	parent = set_by_id(view->sets, place.set);
	r = parent ? set_open(view->sets, parent, place.kind, expression, &set, &error) : -ENOENT;
	if (r == -EAGAIN || r == -ENOMEM)
		return r;
	if (r < 0) {
		view_log(view, "expression '%.200s': %s", expression, error.text);
		refused = strdup(expression);
	}
	UTIL_LOCK_SCOPE(&view->named->lock);
	named = of_node(view->named, node);
	if (!named) {
		free(refused);
		return -ENOENT;
	}
	settle(named, r < 0 ? NULL : set, refused, &error);
	return r < 0 ? -EINVAL : 0;
}

/* A comment line for each line of `text`. */
static void comment(struct text *text, const char *comment)
{
	size_t length;

	for (; *comment; comment += length + (comment[length] == '\n')) {
		length = strcspn(comment, "\n");
		text_printf(text, "# %.*s\n", (int)length, comment);
	}
}

/*
 * `expression`: the one in force; behind it, as comments, one that was refused,
 * with a caret where it is wrong (as far as that is known) and the reason.
 */
static int expression_render(struct view *view, uint64_t node, struct text *text)
{
	const struct named *named;

	UTIL_LOCK_SCOPE(&view->named->lock);
	named = of_node(view->named, node);
	if (!named)
		return -ENOENT;
	if (named->set)
		text_printf(text, "%s\n", set_expression(named->set));
	if (!named->refused)
		return 0;
	text_string(text, "# refused:\n");
	comment(text, named->refused);
	if (named->refusal.has_offset)
		text_printf(text, "# %*s^\n", (int)MIN(named->refusal.offset, UINT64_C(4096)), "");
	else
		text_string(text, "# ^\n");
	comment(text, named->refusal.text);
	return 0;
}

static bool expression_live(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return true;
}

const struct view_kind view_kind_expression = {
	.writable = true,
	.render = expression_render,
	.live = expression_live,
};

/* The directory of a named set: `expression`, then what the set has. */

static int named_root(struct view *view, uint64_t node, uint64_t *ret_root)
{
	struct set *set;
	int r = view_named_set(view, node, &set);

	if (r == 0 && set)
		*ret_root = view_set_root(set);
	return r < 0 ? r : set != NULL;
}

static int named_check(struct view *view, uint64_t node)
{
	uint64_t root;
	int r = named_root(view, node, &root);

	return MIN(r, 0);
}

static int named_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	uint64_t root;
	int r = named_root(view, node, &root);

	if (r >= 0 && !strcmp(name, "expression")) {
		*ret_child = view_node(NODE_EXPRESSION, view_node_ordinal(node));
		return 0;
	}
	if (r != 1)
		return r < 0 ? r : -ENOENT;
	return view_kind_root.find(view, root, name, ret_child);
}

static uint64_t named_count(struct view *view, uint64_t node)
{
	uint64_t root;

	return named_root(view, node, &root) == 1 ? 1 + view_kind_root.count(view, root) : 1;
}

static int named_child(struct view *view, uint64_t node, uint64_t position,
		       struct view_child *ret)
{
	uint64_t root;
	int r = named_root(view, node, &root);

	if (position == 0) {
		strcpy(ret->name, "expression");
		ret->node = view_node(NODE_EXPRESSION, view_node_ordinal(node));
		return MIN(r, 0);
	}
	return r == 1 ? view_kind_root.child(view, root, position - 1, ret) : -ENOENT;
}

static bool named_changing(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return true;
}

const struct view_kind view_kind_named = {
	.directory = true,
	.check = named_check,
	.find = named_find,
	.count = named_count,
	.child = named_child,
	.changing = named_changing,
};

static int link_render(struct view *view, uint64_t node, struct text *text)
{
	return view_named_target(view, node, text);
}

const struct view_kind view_kind_link = {
	.link = true,
	.render = link_render,
	.live = expression_live,
};
