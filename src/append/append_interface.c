/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an interface of the capture to one of the section that packets go into,
 * and interfaces that are added by name.
 *
 * An interface of the last section has its number there. One of an earlier
 * section, or of another file, goes to an interface of the last section that
 * is equal, or a copy of it is made there. A section that the writer begins has
 * the same interfaces as the one before, with the same numbers: what was found
 * once stays so.
 */
#include "append_internal.h"

#include <stdlib.h>
#include <string.h>

#define OPT_IF_NAME 2
#define FIRST_ROOM  8u
#define NAMED_LIMIT 255u

/* ---- where packets go */

/* The writer's copy of the name may be cut. */
static bool same_name(const struct pktfs_interface *interface, const char *name)
{
	struct pktfs_option option = {0};
	size_t length = strlen(name);

	pktfs_option_find(interface->options, OPT_IF_NAME, 0, &option);
	if (option.length < sizeof(((struct pktfs_writer_interface *)0)->name))
		return option.length == length && (!length || !memcmp(option.value, name, length));
	return length && !memcmp(option.value, name, length);
}

static bool is_equal(const struct pktfs_interface *interface,
		     const struct pktfs_writer_interface *other)
{
	return interface->link_type == other->link_type && interface->snaplen == other->snaplen &&
	       interface->resolution == other->resolution &&
	       interface->offset_seconds == other->offset_seconds &&
	       same_name(interface, other->name);
}

/* Of the last section: the same number, or else the first. */
static int find_equal(struct append *append, const struct pktfs_interface *interface,
		      uint32_t *ret_number)
{
	struct pktfs_writer_interface other;
	uint32_t number = interface->number_in_section;

	if (pktfs_writer_interface_get(append->writer, number, &other) == 0 &&
	    is_equal(interface, &other)) {
		*ret_number = number;
		return 0;
	}
	for (number = 0; pktfs_writer_interface_get(append->writer, number, &other) == 0;
	     number++) {
		if (is_equal(interface, &other)) {
			*ret_number = number;
			return 0;
		}
	}
	return -ENOENT;
}

static int find_or_copy(struct append *append, uint64_t number, uint32_t *ret,
			struct pktfs_error *ret_error)
{
	struct pktfs_interface interface;
	int r = pktfs_interface_get(append->capture, number, &interface, ret_error), s;

	if (r < 0)
		return r;
	r = find_equal(append, &interface, ret);
	if (r == -ENOENT)
		r = pktfs_writer_copy_interface(append->writer, &interface, ret, ret_error);
	s = pktfs_interface_release(&interface);
	if (r == 0 && s < 0)
		r = error_set(ret_error, s, "the capture was changed by another program");
	return r;
}

static int make_target_room(struct append *append, uint64_t interface)
{
	size_t room = MAX(append->target_room, FIRST_ROOM);
	struct append_target *targets;

	while (room <= interface)
		room *= 2;
	if (room == append->target_room)
		return 0;
	targets = reallocarray(append->targets, room, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	memset(targets + append->target_room, 0, (room - append->target_room) * sizeof(*targets));
	append->targets = targets;
	append->target_room = room;
	return 0;
}

/* With map_lock. */
static int set_target(struct append *append, uint64_t interface, uint32_t number)
{
	struct pktfs_writer_interface found;
	int r = make_target_room(append, interface);

	if (r == 0)
		r = pktfs_writer_interface_get(append->writer, number, &found);
	if (r == 0)
		append->targets[interface] = (struct append_target){
			.known = true,
			.number = number,
			.link_type = found.link_type,
			.resolution = found.resolution,
			.offset_seconds = found.offset_seconds,
		};
	return r;
}

int append_target_get(struct append *append, uint64_t interface, struct append_target *ret,
		      struct pktfs_error *ret_error)
{
	UTIL_LOCK_SCOPE(&append->map_lock);
	uint32_t number;
	int r;

	if (interface >= append->target_room || !append->targets[interface].known) {
		r = find_or_copy(append, interface, &number, ret_error);
		if (r < 0)
			return r;
		r = set_target(append, interface, number);
		if (r < 0)
			return error_set(ret_error, r, "no memory");
	}
	*ret = append->targets[interface];
	return 0;
}

/* ---- which there are */

int append_interface_check(struct append *append, uint64_t interface)
{
	struct pktfs_writer_status writer;
	struct pktfs_status status;
	struct append_base base;

	if (interface < atomic_load(&append->interfaces))
		return 0;
	pktfs_status_get(append->capture, &status);
	atomic_store(&append->interfaces, status.interfaces);
	if (interface < status.interfaces)
		return 0;
	if (append_base_get(append, &base) < 0)
		return -EAGAIN;
	pktfs_writer_status_get(append->writer, &writer);
	return interface - base.interfaces < writer.interfaces_before + writer.interfaces ? -EAGAIN
											  : -ENXIO;
}

/* What is in the file of a separate target is there for the capture's one. */
static int only_of_separate(struct append *append)
{
	struct pktfs_interface interface;
	uint32_t number;
	struct append_base base;
	int r = append_base_get(append, &base);

	if (r < 0)
		return r;
	if (base.interfaces != 1 || append->interfaces_first > 1)
		return 0;
	if (!append->interfaces_first)
		return 1;
	r = pktfs_interface_get(append->capture, 0, &interface, NULL);
	if (r < 0)
		return r;
	r = find_equal(append, &interface, &number);
	pktfs_interface_release(&interface);
	return r == 0;
}

int append_only_check(struct append *append)
{
	bool named;

	pthread_mutex_lock(&append->lock);
	named = append->named_count > 0;
	pthread_mutex_unlock(&append->lock);
	if (named)
		return 0;
	return append->separate ? only_of_separate(append) : append->interfaces_first == 1;
}

bool append_has_only(struct append *append)
{
	return append_only_check(append) == 1;
}

/* ---- by name */

static const struct append_named *find_named(const struct append *append, const char *name)
{
	for (size_t i = 0; i < append->named_count; i++)
		if (!strcmp(append->named[i].name, name))
			return &append->named[i];
	return NULL;
}

static int compare_named(const void *a, const void *b)
{
	const struct append_named *left = a, *right = b;

	return (left->interface > right->interface) - (left->interface < right->interface);
}

/* Each flush asks. They are in the order of their numbers, as they were added. */
const char *append_name_of(const struct append *append, uint64_t interface)
{
	const struct append_named key = {.interface = interface}, *found = NULL;

	if (append->named_count)
		found = bsearch(&key, append->named, append->named_count, sizeof(key),
				compare_named);
	return found ? found->name : NULL;
}

int append_named_interface(struct append *append, const char *name, uint64_t *ret_interface)
{
	UTIL_LOCK_SCOPE(&append->lock);
	const struct append_named *named = find_named(append, name);

	if (!named)
		return -ENOENT;
	*ret_interface = named->interface;
	return 0;
}

int append_named_at(struct append *append, uint64_t position, uint64_t *ret_interface, char *name)
{
	UTIL_LOCK_SCOPE(&append->lock);

	if (position >= append->named_count)
		return -ENOENT;
	*ret_interface = append->named[position].interface;
	strcpy(name, append->named[position].name);
	return 0;
}

/* Room for one more, and whether the name is free. */
static int prepare_named(struct append *append, const char *name)
{
	const struct append_place only = {.kind = APPEND_ONLY};
	size_t room = append->named_room ? append->named_room * 2 : FIRST_ROOM;
	struct append_named *list;
	UTIL_LOCK_SCOPE(&append->lock);

	if (!strcmp(name, "blocks") || find_named(append, name) ||
	    append_table_by_name(&append->table, &only, name))
		return -EEXIST;
	if (append->named_count < append->named_room)
		return 0;
	list = reallocarray(append->named, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	append->named = list;
	append->named_room = room;
	return 0;
}

/* That of the first interface: 0, -EAGAIN, -EINVAL. */
static int first_link_type(struct append *append, uint16_t *ret, struct pktfs_error *ret_error)
{
	struct pktfs_interface first;
	int r = append_interface_check(append, 0);

	if (r == 0)
		r = pktfs_interface_get(append->capture, 0, &first, ret_error);
	if (r == -ENXIO)
		return error_set(ret_error, -EINVAL,
				 "link type: found none, and no interface to take it from; "
				 "accepted NAME@LINKTYPE");
	if (r < 0)
		return r;
	*ret = first.link_type;
	return pktfs_interface_release(&first);
}

/* NAME or NAME@LINKTYPE, taken apart: `name` is cut. */
static int parse_name(struct append *append, char *name, uint16_t *ret,
		      struct pktfs_error *ret_error)
{
	char *at = strrchr(name, '@');
	int r;

	if (at)
		*at++ = '\0';
	if (!*name || strspn(name, "0123456789") == strlen(name))
		return error_set(ret_error, -EINVAL,
				 "interface: found a number or nothing; accepted a name");
	if (!at)
		return first_link_type(append, ret, ret_error);
	r = pktfs_linktype_by_name(at);
	if (r < 0)
		return error_set(ret_error, -EINVAL,
				 "link type: found %s; accepted a name of "
				 "LINKTYPE_ or a number",
				 at);
	*ret = (uint16_t)r;
	return 0;
}

/* With map_lock: so the numbers are the next ones. */
static int add_interface(struct append *append, const char *name, char *owned,
			 uint64_t *ret_interface, struct pktfs_error *ret_error)
{
	struct pktfs_new_interface new = {.name = name};
	char if_name[NAMED_LIMIT + 1];
	struct pktfs_writer_status status;
	struct append_base base;
	uint32_t number;
	int r = append_base_get(append, &base);

	strcpy(if_name, name);
	new.name = if_name;
	if (r == 0)
		r = parse_name(append, if_name, &new.link_type, ret_error);
	if (r == 0)
		r = prepare_named(append, name);
	if (r == 0)
		r = pktfs_writer_interface(append->writer, &new, &number, ret_error);
	if (r < 0)
		return r;
	pktfs_writer_status_get(append->writer, &status);
	*ret_interface = base.interfaces + status.interfaces_before + number;
	r = set_target(append, *ret_interface, number);
	if (r < 0)
		return r;
	UTIL_LOCK_SCOPE(&append->lock);
	append->named[append->named_count++] = (struct append_named){*ret_interface, owned};
	return 0;
}

int append_add_interface(struct append *append, const char *name, uint64_t *ret_interface,
			 uint64_t *ret_end)
{
	const struct append_place only = {.kind = APPEND_ONLY};
	struct pktfs_error error = {0};
	struct pktfs_writer_status status;
	char *owned;
	int r;

	if (strlen(name) > NAMED_LIMIT)
		return -ENAMETOOLONG;
	if (!append->pcapng) {
		append_log_file(append, &only, name,
				"no interface added to %s: a pcap file has one", append->path);
		return -EOPNOTSUPP;
	}
	owned = strdup(name);
	if (!owned)
		return -ENOMEM;
	pthread_mutex_lock(&append->map_lock);
	r = add_interface(append, name, owned, ret_interface, &error);
	pthread_mutex_unlock(&append->map_lock);
	if (r < 0)
		free(owned);
	if (r < 0 && *error.text)
		append_log_file(append, &only, name, "no interface added to %s: %s",
				append->path, error.text);
	if (r < 0)
		return r;
	pktfs_writer_status_get(append->writer, &status);
	*ret_end = status.end;
	append_written(append, status.end);
	return 0;
}
