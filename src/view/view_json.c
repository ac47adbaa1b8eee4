/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets/N.json: everything that is known of a packet, one object.
 *
 * Options are under "options" by the names of the draft without their prefix:
 * what may be repeated is a list. What is not known, or has a length that it
 * cannot have, or comes twice where it may not, is in "other" as code and hex.
 * Integers that may exceed 2^53 are strings, as programs that read numbers of
 * JSON as floating point would change them.
 */
#include <inttypes.h>
#include <string.h>

#include "util/util_cursor.h"
#include "util/util_time.h"
#include "view_option.h"
#include "view_private.h"

/* Where options are cut: a block may be full of them. */
#define JSON_LIMIT ((size_t)8 << 20)

/* Comma (unless it is the first of its object), a new line, and the key. */
static void key(struct text *text, const char *name)
{
	bool first = text->size && text->bytes[text->size - 1] == '{';

	text_printf(text, "%s\n  \"%s\": ", first ? "" : ",", name);
}

static void key_u64(struct text *text, const char *name, uint64_t number)
{
	key(text, name);
	text_printf(text, "%" PRIu64, number);
}

static void key_string(struct text *text, const char *name, const char *string)
{
	key(text, name);
	if (string)
		text_json(text, string, strlen(string));
	else
		text_string(text, "null");
}

/* A bit field as the draft numbers it (section 4.3.1). */
static void flag_errors(struct text *text, uint32_t flags)
{
	static const char *const names[] = {
		"crc",
		"packet_too_long",
		"packet_too_short",
		"wrong_inter_frame_gap",
		"unaligned_frame",
		"start_frame_delimiter",
		"preamble",
		"symbol",
	};
	bool any = false;
	unsigned bit;

	text_string(text, ", \"link_layer_errors\": [");
	for (bit = 16; bit < 32; bit++) {
		if (!(flags >> bit & 1))
			continue;
		if (bit >= 24)
			text_printf(text, "%s\"%s\"", any ? ", " : "", names[bit - 24]);
		else
			text_printf(text, "%s\"bit_%u\"", any ? ", " : "", bit);
		any = true;
	}
	text_string(text, "]");
}

static const char *boolean(bool value)
{
	return value ? "true" : "false";
}

static void flags(struct text *text, uint32_t value)
{
	static const char *const directions[] = {"unknown", "inbound", "outbound", "reserved"};
	static const char *const receptions[] = {
		"not_specified", "unicast", "multicast", "broadcast", "promiscuous",
	};
	unsigned reception = value >> 2 & 7, fcs = value >> 5 & 15;

	text_printf(text, "{\"value\": %" PRIu32 ", \"direction\": \"%s\", \"reception\": \"%s\"",
		    value, directions[value & 3],
		    reception < ARRAY_SIZE(receptions) ? receptions[reception] : "reserved");
	if (fcs)
		text_printf(text, ", \"fcs_length\": %u", fcs);
	else
		text_string(text, ", \"fcs_length\": null");
	text_printf(text,
		    ", \"checksum_not_ready\": %s, \"checksum_valid\": %s"
		    ", \"tcp_segmentation_offloaded\": %s",
		    boolean(value >> 9 & 1), boolean(value >> 10 & 1), boolean(value >> 11 & 1));
	flag_errors(text, value);
	text_string(text, "}");
}

static void hex_member(struct text *text, const uint8_t *bytes, size_t size)
{
	text_string(text, ", \"hex\": \"");
	text_hex(text, bytes, size);
	text_string(text, "\"}");
}

static void hash(struct text *text, const struct pktfs_option *option)
{
	uint8_t algorithm = option->value[0];
	const char *name = view_hash_name(algorithm);

	text_printf(text, "{\"algorithm\": \"%s\", \"algorithm_number\": %u",
		    name ? name : "unknown", algorithm);
	hex_member(text, option->value + 1, option->length - 1u);
}

/* Kinds 1 and 2 are 64-bit return values of eBPF programs; what a hardware
 * says is its own affair. */
static void verdict(struct text *text, const struct pktfs_options *options,
		    const struct pktfs_option *option)
{
	uint8_t kind = option->value[0];
	const char *name = view_verdict_name(kind);

	text_printf(text, "{\"kind\": \"%s\", \"kind_number\": %u", name ? name : "unknown", kind);
	if ((kind == 1 || kind == 2) && option->length == 9)
		text_printf(text, ", \"value\": \"%" PRId64 "\"",
			    (int64_t)bytes_u64(option->value + 1, options->big_endian));
	hex_member(text, option->value + 1, option->length - 1u);
}

static void custom(struct text *text, const struct pktfs_options *options,
		   const struct pktfs_option *option, bool string)
{
	text_printf(text, "{\"code\": %u, \"pen\": %" PRIu32 ", \"copy\": %s", option->code,
		    pktfs_option_u32(options, option), boolean(option->code < 0x4000));
	if (string) {
		text_string(text, ", \"string\": ");
		text_json(text, option->value + 4, option->length - 4u);
	}
	hex_member(text, option->value + 4, option->length - 4u);
}

static void value(struct text *text, const struct view_option *known,
		  const struct pktfs_options *options, const struct pktfs_option *option)
{
	switch (known->form) {
	case OPTION_STRING:
		text_json(text, option->value, option->length);
		break;
	case OPTION_FLAGS:
		flags(text, pktfs_option_u32(options, option));
		break;
	case OPTION_HASH:
		hash(text, option);
		break;
	case OPTION_VERDICT:
		verdict(text, options, option);
		break;
	case OPTION_CUSTOM_STRING:
	case OPTION_CUSTOM_BYTES:
		custom(text, options, option, known->form == OPTION_CUSTOM_STRING);
		break;
	case OPTION_PROCESS:
		text_printf(text, "{\"process_id\": %" PRIu32 ", \"thread_id\": %" PRIu32 "}",
			    bytes_u32(option->value, options->big_endian),
			    bytes_u32(option->value + 4, options->big_endian));
		break;
	case OPTION_U64:
		text_printf(text, "\"%" PRIu64 "\"", pktfs_option_u64(options, option));
		break;
	default:
		view_option_text(text, known, options, option);
		break;
	}
}

/* The four custom codes are one list. */
static bool same(const struct view_option *a, const struct view_option *b)
{
	return a == b || (a && b && !strcmp(a->name, b->name));
}

static void separator(struct text *text, bool first_of_all, bool first_of_key, const char *name)
{
	if (first_of_key)
		text_printf(text, "%s\n    \"%s\": ", first_of_all ? "" : ",", name);
	else
		text_string(text, ", ");
}

/* All options that are `known`, under one key. Whether there was one. */
static bool group(struct text *text, struct pktfs_options options, const struct view_option *known,
		  bool first_of_all)
{
	const char *name = strchr(known->name, '_') + 1;
	struct pktfs_option option;
	bool any = false;

	while (text->size < JSON_LIMIT && pktfs_option_next(&options, &option) == 1) {
		const struct view_option *found =
			view_option_find(&view_options_packet, option.code);

		if (!same(found, known) || !view_option_fits(found, &option))
			continue;
		separator(text, first_of_all, !any, name);
		if (!any && known->many)
			text_string(text, "[");
		value(text, found, &options, &option);
		any = true;
		if (!known->many)
			break;
	}
	if (any && known->many)
		text_string(text, "]");
	return any;
}

static void others(struct text *text, struct pktfs_options options, bool first_of_all)
{
	struct pktfs_option option;
	uint64_t seen = 0; /* codes that may come once are all below 64 */
	bool any = false;

	while (text->size < JSON_LIMIT && pktfs_option_next(&options, &option) == 1) {
		const struct view_option *found =
			view_option_find(&view_options_packet, option.code);

		if (view_option_fits(found, &option)) {
			if (found->many || !(seen >> option.code & 1)) {
				seen |= UINT64_C(1) << (option.code & 63);
				continue;
			}
		}
		separator(text, first_of_all, !any, "other");
		text_printf(text, "%s{\"code\": %u", any ? "" : "[", option.code);
		hex_member(text, option.value, option.length);
		any = true;
	}
	if (any)
		text_string(text, "]");
}

static void add_options(struct text *text, struct pktfs_options options)
{
	static const uint16_t order[] = {1, 2, 3, 4, 5, 6, 7, 8, 2988};
	bool first = true;
	unsigned i;

	key(text, "options");
	text_string(text, "{");
	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (group(text, options, view_option_find(&view_options_packet, order[i]), first))
			first = false;
	others(text, options, first);
	text_string(text, "}");
	if (text->size >= JSON_LIMIT) {
		key(text, "options_cut");
		text_string(text, "true");
	}
}

static void add_time(struct text *text, const struct pktfs_packet *packet)
{
	char form[TIME_TEXT_ROOM];

	time_format(packet->time, form);
	key_string(text, "time", packet->has_time ? form : NULL);
	if (packet->has_time) {
		key(text, "time_seconds");
		text_printf(text, "%" PRId64, packet->time.sec);
		key_u64(text, "time_nanoseconds", packet->time.nsec);
		key(text, "ticks");
		text_printf(text, "\"%" PRIu64 "\"", packet->ticks);
	}
	key(text, "resolution");
	view_option_resolution(text, packet->resolution);
}

static int add_interface(struct view *view, const struct pktfs_packet *packet, struct text *text)
{
	struct pktfs_interface interface;
	struct pktfs_option name;
	int r = pktfs_interface_get(view->capture, packet->interface, &interface, NULL);

	key_u64(text, "interface", packet->interface);
	key_u64(text, "interface_in_section", packet->interface_in_section);
	key(text, "interface_name");
	if (!r && pktfs_option_find(interface.options, 2, 0, &name) == 1)
		text_json(text, name.value, name.length);
	else
		text_string(text, "null");
	return r < 0 ? r : pktfs_interface_release(&interface);
}

/* The drop counter of an obsolete Packet Block: 0xffff is "not known". */
static void add_drops(struct text *text, const struct pktfs_packet *packet)
{
	struct cursor c =
		cursor_over(packet->block, packet->block_length, packet->options.big_endian);
	uint16_t drops;

	if (packet->block_type != 2 || !cursor_skip(&c, 10) || !cursor_u16(&c, &drops) ||
	    drops == 0xffff)
		return;
	key_u64(text, "drops_count", drops);
}

int view_json_packet(struct view *view, const struct pktfs_packet *packet, struct text *text)
{
	int r;

	text_string(text, "{");
	key_u64(text, "number", packet->number);
	key_u64(text, "frame", packet->frame);
	key_u64(text, "block_number", packet->block_number);
	key_u64(text, "block_type", packet->block_type);
	key_u64(text, "block_length", packet->block_length);
	key_u64(text, "offset", packet->offset);
	key_u64(text, "section", packet->section);
	r = add_interface(view, packet, text);
	if (r < 0)
		return r;
	key_string(text, "link_type", pktfs_linktype_name(packet->link_type));
	key_u64(text, "link_type_number", packet->link_type);
	add_time(text, packet);
	key_u64(text, "captured_length", packet->captured_length);
	key_u64(text, "original_length", packet->original_length);
	add_drops(text, packet);
	add_options(text, packet->options);
	text_string(text, "\n}\n");
	return text->failed;
}
