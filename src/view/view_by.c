/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * by/: which packets, as a path. Under by/KIND/ of a set, a name is a question
 * and its directory the answer: the root directory of another set. Names that
 * could be anything are not listed; those that users made are.
 *
 *	by/filter/EXPRESSION    by/match/PATTERN    by/range/1-100,200-
 *	by/interface/0          by/time/2026-11-21  by/time/FROM..TO
 *	by/file/NAME            where the capture is several files
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/util_number.h"
#include "util/util_time.h"
#include "view_file.h"
#include "view_named.h"

static const struct {
	const char *name;
	enum set_kind kind;
} kinds[] = {
	{"filter", SET_FILTER},
	{"match", SET_MATCH},
	{"interface", SET_INTERFACE},
	{"time", SET_TIME},
	{"range", SET_RANGE},
	{"file", SET_FILE},
};

static bool is_there(struct view *view, unsigned number)
{
	return kinds[number].kind != SET_FILE || view_files_shown(view);
}

static int by_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) || !is_there(view, i))
			continue;
		*ret_child = view_node_in_set(NODE_QUESTIONS, node, kinds[i].kind);
		return 0;
	}
	return -ENOENT;
}

static uint64_t by_count(struct view *view, uint64_t node)
{
	(void)view;
	(void)node;
	return ARRAY_SIZE(kinds);
}

static int by_child(struct view *view, uint64_t node, uint64_t position, struct view_child *ret)
{
	snprintf(ret->name, sizeof(ret->name), "%s", kinds[position].name);
	return by_find(view, node, ret->name, &ret->node);
}

const struct view_kind view_kind_by = {
	.directory = true,
	.find = by_find,
	.count = by_count,
	.child = by_child,
	.parent = view_parent_root,
};

static enum set_kind kind_of(uint64_t node)
{
	return (enum set_kind)view_node_set_ordinal(node);
}

/* The kernel may ask for a number that nobody gave out. */
static bool is_question(enum set_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return true;
	return false;
}

struct view_place view_place_of(uint64_t node)
{
	return (struct view_place){.set = view_node_set(node), .kind = kind_of(node)};
}

bool view_is_place(uint64_t node)
{
	return view_node_kind(node) == NODE_QUESTIONS &&
	       (kind_of(node) == SET_FILTER || kind_of(node) == SET_MATCH);
}

/* if_name of an interface as a name here; -ENOENT: it has none. */
static int interface_name(struct view *view, uint64_t number, char name[VIEW_NAME_ROOM])
{
	_cleanup_(text_free) struct text text = {0};
	struct pktfs_interface interface;
	struct pktfs_option option;
	int r = pktfs_interface_get(view->capture, number, &interface, NULL);

	if (r < 0)
		return r;
	r = pktfs_option_find(interface.options, 2, 0, &option) == 1 ? 0 : -ENOENT;
	if (r == 0)
		view_name_escape(&text, option.value, strnlen((const char *)option.value,
							     option.length));
	if (pktfs_interface_release(&interface) < 0)
		return -EIO;
	if (r == 0 && (text.failed || !text.size || text.size >= VIEW_NAME_ROOM ||
		       text.bytes[0] == '.' || (text.bytes[0] >= '0' && text.bytes[0] <= '9')))
		r = -ENOENT;
	if (r == 0)
		memcpy(name, text.bytes, text.size + 1);
	return r;
}

/* More interfaces than this get no links: uniqueness takes a comparison of
 * each name with each. */
#define LINKED_INTERFACES 1024u

/* The interface that alone has this name; -ENOENT: none or several. */
static int named_interface(struct view *view, const char *name, uint64_t *ret)
{
	char other[VIEW_NAME_ROOM];
	struct pktfs_status status;
	uint64_t i;
	int r, found = -ENOENT;

	pktfs_status_get(view->capture, &status);
	for (i = 0; i < MIN(status.interfaces, (uint64_t)LINKED_INTERFACES); i++) {
		r = interface_name(view, i, other);
		if (r == -ENOMEM)
			return r;
		if (r < 0 || strcmp(other, name))
			continue;
		if (found == 0)
			return -ENOENT;
		*ret = i;
		found = 0;
	}
	if (found < 0 && view_status_pending(&status))
		return -EAGAIN;
	return found;
}

static int find_interface(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct set *parent = view_set_of(view, node), *set;
	char plain[24];
	uint64_t number;
	int r;

	if (number_parse(name, &number)) {
		snprintf(plain, sizeof(plain), "%" PRIu64, number);
		r = set_open(view->sets, parent, SET_INTERFACE, plain, &set, NULL);
		if (r == 0)
			*ret_child = view_set_root(set);
		return r;
	}
	r = named_interface(view, name, &number);
	if (r == 0)
		*ret_child = view_node(NODE_INTERFACE_LINK, number);
	return r;
}

static int find_file(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct set *parent = view_set_of(view, node), *set;
	char plain[24];
	uint64_t number;
	int r = view_file_number(view, name, &number);

	if (r < 0)
		return r;
	snprintf(plain, sizeof(plain), "%" PRIu64, number);
	r = set_open(view->sets, parent, SET_FILE, plain, &set, NULL);
	if (r == 0)
		*ret_child = view_set_root(set);
	return r;
}

static int questions_find(struct view *view, uint64_t node, const char *name, uint64_t *ret_child)
{
	struct set *parent = view_set_of(view, node), *set;
	int r;

	if (!parent || !is_question(kind_of(node)))
		return -ENOENT;
	if (kind_of(node) == SET_INTERFACE)
		return find_interface(view, node, name, ret_child);
	if (kind_of(node) == SET_FILE)
		return find_file(view, node, name, ret_child);
	if (view_named_find(view, view_place_of(node), name, ret_child) == 0)
		return 0;
	r = view_set_open(view, parent, kind_of(node), name, &set);
	if (r == 0)
		*ret_child = view_set_root(set);
	return r;
}

/* Days before 1970-01-01 in the calendar that file names can show. */
#define DAYS_BEFORE 719528
#define DAYS	    (DAYS_BEFORE + 2932897) /* to 9999-12-31 */

/* The set whose minutes are known: that of all packets does not keep them. */
static int timed(struct view *view, uint64_t node, struct set **ret)
{
	struct set *set = view_set_of(view, node);

	if (!set)
		return -ENOENT;
	*ret = set;
	if (set_kind(set) != SET_ALL)
		return 0;
	return set_open(view->sets, set, SET_TIME, "..", ret, NULL);
}

static int next_day(struct view *view, uint64_t node, uint64_t *position)
{
	int64_t minute = ((int64_t)*position - DAYS_BEFORE) * 1440;
	struct set *set;
	int r = timed(view, node, &set);

	if (r == 0)
		r = set_next_minute(set, minute, &minute);
	if (r == -EAGAIN && view_still_fed(view))
		return -ENOENT; /* listed when it ends; nobody waits for that */
	if (r < 0)
		return r;
	minute += DAYS_BEFORE * INT64_C(1440);
	if (minute < 0 || minute / 1440 >= DAYS)
		return -ENOENT;
	*position = (uint64_t)(minute / 1440);
	return 0;
}

/* Positions in by/interface/: numbers of interfaces, and from here on names. */
#define INTERFACE_NAMES (UINT64_C(1) << 40)

static uint64_t questions_count(struct view *view, uint64_t node)
{
	struct pktfs_status status;

	switch (kind_of(node)) {
	case SET_INTERFACE:
		pktfs_status_get(view->capture, &status);
		return INTERFACE_NAMES + status.interfaces;
	case SET_TIME:
		return DAYS;
	case SET_RANGE:
		return 0;
	case SET_FILE:
		return pktfs_files(view->capture);
	default:
		return VIEW_NAMED_MAX;
	}
}

static int questions_next(struct view *view, uint64_t node, uint64_t *position)
{
	struct pktfs_status status;
	struct view_child child;

	if (kind_of(node) == SET_TIME)
		return next_day(view, node, position);
	if (kind_of(node) == SET_INTERFACE) {
		pktfs_status_get(view->capture, &status);
		if (*position >= status.interfaces)
			*position = MAX(*position, INTERFACE_NAMES);
	}
	if (view_is_place(node))
		return view_named_next(view, view_place_of(node), position, &child);
	return 0;
}

/* First the numbers, then the names that are unique. */
static int interface_child(struct view *view, uint64_t node, uint64_t position,
			   struct view_child *ret)
{
	struct pktfs_status status;
	uint64_t number;
	int r;

	if (position < INTERFACE_NAMES) {
		snprintf(ret->name, sizeof(ret->name), "%" PRIu64, position);
		return find_interface(view, node, ret->name, &ret->node);
	}
	pktfs_status_get(view->capture, &status);
	if (status.interfaces > LINKED_INTERFACES)
		return -ENOENT;
	r = interface_name(view, position - INTERFACE_NAMES, ret->name);
	if (r == 0)
		r = named_interface(view, ret->name, &number);
	if (r == 0)
		ret->node = view_node(NODE_INTERFACE_LINK, number);
	return r == -EAGAIN ? -ENOENT : r;
}

static int questions_child(struct view *view, uint64_t node, uint64_t position,
			   struct view_child *ret)
{
	struct pktfs_time time = {.sec = ((int64_t)position - DAYS_BEFORE) * 86400};
	char form[TIME_TEXT_ROOM];
	int r;

	switch (kind_of(node)) {
	case SET_INTERFACE:
		return interface_child(view, node, position, ret);
	case SET_FILE:
		r = view_file_name(view, position, ret->name);
		return r < 0 ? r : find_file(view, node, ret->name, &ret->node);
	case SET_TIME:
		time_format(time, form);
		snprintf(ret->name, sizeof(ret->name), "%.10s", form);
		return questions_find(view, node, ret->name, &ret->node);
	default:
		return view_named_next(view, view_place_of(node), &position, ret);
	}
}

/* Names come by mkdir, and days and interfaces while more packets come. */
static bool questions_changing(struct view *view, uint64_t node)
{
	return view_is_place(node) || view_changing(view, node);
}

static uint64_t questions_parent(struct view *view, uint64_t node)
{
	(void)view;
	return view_node_in_set(NODE_BY, node, 0);
}

const struct view_kind view_kind_questions = {
	.directory = true,
	.find = questions_find,
	.count = questions_count,
	.next = questions_next,
	.child = questions_child,
	.changing = questions_changing,
	.parent = questions_parent,
};

static int interface_link_render(struct view *view, uint64_t node, struct text *text)
{
	(void)view;
	text_printf(text, "%" PRIu64, view_node_ordinal(node));
	return 0;
}

const struct view_kind view_kind_interface_link = {
	.link = true,
	.render = interface_link_render,
};

/*
 * The hours of a day and the minutes of an hour, in their set's directory.
 * Their expressions are told by their length: "2026-11-21", "2026-11-21T10".
 */
unsigned view_time_parts(const struct set *set)
{
	const char *expression = set_expression(set);

	if (set_kind(set) != SET_TIME || strlen(expression) < 10 || expression[4] != '-' ||
	    strstr(expression, ".."))
		return 0;
	switch (strlen(expression)) {
	case 10:
		return 24;
	case 13:
		return 60;
	default:
		return 0;
	}
}

int view_time_find(struct view *view, struct set *set, const char *name, uint64_t *ret_child)
{
	unsigned parts = view_time_parts(set);
	char expression[24];
	struct set *part;
	uint64_t number;
	int r;

	if (!parts || strlen(name) != 2 || !number_parse(name, &number) || number >= parts)
		return -ENOENT;
	snprintf(expression, sizeof(expression), "%.13s%c%s", set_expression(set),
		 parts == 24 ? 'T' : ':', name);
	r = set_open(view->sets, set_parent(set), SET_TIME, expression, &part, NULL);
	if (r == 0)
		*ret_child = view_set_root(part);
	return r;
}

/* An hour is in its day, a minute in its hour, whatever way one came. */
uint64_t view_set_directory(struct view *view, struct set *set)
{
	size_t length = strlen(set_expression(set));
	char expression[24];
	struct set *whole;

	if (set_kind(set) == SET_TIME && (length == 13 || length == 16)) {
		snprintf(expression, sizeof(expression), "%.*s", (int)length - 3,
			 set_expression(set));
		if (!set_open(view->sets, set_parent(set), SET_TIME, expression, &whole, NULL) &&
		    view_time_parts(whole))
			return view_set_root(whole);
	}
	return view_node_of_set(NODE_QUESTIONS, set_id(set_parent(set)), set_kind(set));
}

/* Moves *part to the next hour or minute in which there is a packet. */
int view_time_next(struct set *set, uint64_t *part)
{
	unsigned parts = view_time_parts(set), minutes = parts == 24 ? 60 : 1;
	int64_t start, minute;
	int r;

	if (*part >= parts)
		return -ENOENT;
	r = set_next_minute(set, INT64_MIN, &minute);
	if (r < 0)
		return r;
	start = minute - (minute % (parts * minutes) + parts * minutes) % (parts * minutes);
	r = set_next_minute(set, start + (int64_t)*part * minutes, &minute);
	if (r == 0)
		*part = (uint64_t)(minute - start) / minutes;
	return r;
}
