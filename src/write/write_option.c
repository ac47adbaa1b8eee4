/* SPDX-License-Identifier: BSD-2-Clause */
#include "write_option.h"

#include <string.h>

#include "format/format.h"
#include "write_encode.h"

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_CUSTOM_STRING = 2988,
	OPT_CUSTOM_BINARY = 2989,
	OPT_CUSTOM_STRING_NO_COPY = 19372,
	OPT_CUSTOM_BINARY_NO_COPY = 19373,
};

#define VERDICT_U64_SIZE 9u /* a type octet and a number, types 1 and 2 */

/* What is in a value that has to be turned round for another byte order. */
enum shape {
	OCTETS,
	STRING,
	NUMBER,  /* the whole value is one number */
	PAIR,    /* two u32 */
	PEN,     /* u32, then octets */
	VERDICT, /* an octet, then for some kinds a u64 */
};

struct layout {
	uint32_t type; /* of the block; 0: all that have options */
	uint16_t code;
	uint16_t size; /* the only one allowed; 0: any */
	enum shape shape;
};

static const struct layout layouts[] = {
	{0, OPT_COMMENT, 0, STRING},
	{0, OPT_CUSTOM_STRING, 0, PEN},
	{0, OPT_CUSTOM_BINARY, 0, PEN},
	{0, OPT_CUSTOM_STRING_NO_COPY, 0, PEN},
	{0, OPT_CUSTOM_BINARY_NO_COPY, 0, PEN},
	{BLOCK_SHB, 2, 0, STRING},
	{BLOCK_SHB, 3, 0, STRING},
	{BLOCK_SHB, 4, 0, STRING},
	{BLOCK_IDB, 2, 0, STRING},
	{BLOCK_IDB, 3, 0, STRING},
	{BLOCK_IDB, 4, 8, OCTETS},   /* if_IPv4addr */
	{BLOCK_IDB, 5, 17, OCTETS},  /* if_IPv6addr */
	{BLOCK_IDB, 6, 6, OCTETS},   /* if_MACaddr */
	{BLOCK_IDB, 7, 8, OCTETS},   /* if_EUIaddr */
	{BLOCK_IDB, 8, 8, NUMBER},   /* if_speed */
	{BLOCK_IDB, 9, 1, OCTETS},   /* if_tsresol */
	{BLOCK_IDB, 10, 4, NUMBER},  /* if_tzone */
	{BLOCK_IDB, 12, 0, STRING},  /* if_os */
	{BLOCK_IDB, 13, 1, OCTETS},  /* if_fcslen */
	{BLOCK_IDB, 14, 8, NUMBER},  /* if_tsoffset */
	{BLOCK_IDB, 15, 0, STRING},  /* if_hardware */
	{BLOCK_IDB, 16, 8, NUMBER},  /* if_txspeed */
	{BLOCK_IDB, 17, 8, NUMBER},  /* if_rxspeed */
	{BLOCK_IDB, 18, 0, STRING},  /* if_iana_tzname */
	{BLOCK_EPB, 2, 4, NUMBER},   /* epb_flags */
	{BLOCK_EPB, 4, 8, NUMBER},   /* epb_dropcount */
	{BLOCK_EPB, 5, 8, NUMBER},   /* epb_packetid */
	{BLOCK_EPB, 6, 4, NUMBER},   /* epb_queue */
	{BLOCK_EPB, 7, 0, VERDICT},  /* epb_verdict */
	{BLOCK_EPB, 8, 8, PAIR},     /* epb_processid_threadid */
	{BLOCK_NRB, 2, 0, STRING},   /* ns_dnsname */
	{BLOCK_NRB, 3, 4, OCTETS},   /* ns_dnsIP4addr */
	{BLOCK_NRB, 4, 16, OCTETS},  /* ns_dnsIP6addr */
	{BLOCK_ISB, 2, 8, PAIR},     /* isb_starttime */
	{BLOCK_ISB, 3, 8, PAIR},     /* isb_endtime */
	{BLOCK_ISB, 4, 8, NUMBER},   /* isb_ifrecv, ... */
	{BLOCK_ISB, 5, 8, NUMBER},
	{BLOCK_ISB, 6, 8, NUMBER},
	{BLOCK_ISB, 7, 8, NUMBER},
	{BLOCK_ISB, 8, 8, NUMBER},
};

static const struct layout *layout_of(uint32_t type, uint16_t code)
{
	static const struct layout unknown = {.shape = OCTETS};

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].code == code && (!layouts[i].type || layouts[i].type == type))
			return &layouts[i];
	return &unknown;
}

static __attribute__((cold)) int list_fail(struct write_list *list, int code, uint16_t option,
					   const char *what)
{
	if (!list->failed)
		list->failed = error_set(list->error, code, "option %u: %s", option, what);
	return list->failed;
}

/* Turns `size` bytes round in place, if they are there. */
static void turn(uint8_t *bytes, size_t size)
{
	uint8_t kept;

	for (size_t i = 0; i < size / 2; i++) {
		kept = bytes[i];
		bytes[i] = bytes[size - 1 - i];
		bytes[size - 1 - i] = kept;
	}
}

static void turn_value(const struct layout *layout, uint8_t *value, size_t size)
{
	/* one of a wrong length means nothing in any order */
	if (layout->size && layout->size != size)
		return;
	switch (layout->shape) {
	case NUMBER:
		turn(value, size);
		break;
	case PAIR:
		turn(value, 4);
		turn(value + 4, 4);
		break;
	case PEN:
		if (size >= 4)
			turn(value, 4);
		break;
	case VERDICT:
		if (size == VERDICT_U64_SIZE && (value[0] == 1 || value[0] == 2))
			turn(value + 1, 8);
		break;
	case OCTETS:
	case STRING:
		break;
	}
}

static void add(struct write_list *list, uint16_t code, const void *value, size_t size,
		bool from_big_endian)
{
	size_t start = list->text->size;

	if (size > UINT16_MAX) {
		list_fail(list, -EMSGSIZE, code, "longer than 65,535 bytes");
		return;
	}
	write_option(list->text, code, value, size, list->big_endian);
	list->any = true;
	if (from_big_endian != list->big_endian && !list->text->failed)
		turn_value(layout_of(list->type, code), (uint8_t *)list->text->bytes + start + 4,
			   size);
}

static const bool host_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

void write_list_u32(struct write_list *list, uint16_t code, uint32_t value)
{
	add(list, code, &value, sizeof(value), host_big_endian);
}

void write_list_u64(struct write_list *list, uint16_t code, uint64_t value)
{
	add(list, code, &value, sizeof(value), host_big_endian);
}

void write_list_pair(struct write_list *list, uint16_t code, uint32_t first, uint32_t second)
{
	const uint32_t both[] = {first, second};

	add(list, code, both, sizeof(both), host_big_endian);
}

void write_list_octets(struct write_list *list, uint16_t code, const void *bytes, size_t size)
{
	add(list, code, bytes, size, list->big_endian);
}

void write_list_string(struct write_list *list, uint16_t code, int prefix, const char *string)
{
	uint8_t value[UINT16_MAX];
	size_t size, before = prefix >= 0;

	if (!string)
		return;
	size = strlen(string);
	if (size + before > sizeof(value)) {
		list_fail(list, -EMSGSIZE, code, "longer than 65,535 bytes");
		return;
	}
	if (!write_is_utf8(string, size)) {
		list_fail(list, -EILSEQ, code, "not UTF-8");
		return;
	}
	if (!before) {
		write_list_octets(list, code, string, size);
		return;
	}
	value[0] = (uint8_t)prefix;
	memcpy(value + before, string, size);
	write_list_octets(list, code, value, size + before);
}

void write_list_copy(struct write_list *list, struct pktfs_options options)
{
	struct pktfs_option option;

	while (pktfs_option_next(&options, &option) == 1)
		if (option.code != OPT_CUSTOM_STRING_NO_COPY &&
		    option.code != OPT_CUSTOM_BINARY_NO_COPY)
			add(list, option.code, option.value, option.length, options.big_endian);
}

static void add_new(struct write_list *list, const struct pktfs_new_option *option)
{
	const struct layout *layout = layout_of(list->type, option->code);

	if (option->code == OPT_END)
		list_fail(list, -EINVAL, option->code, "ends a list, and is written by itself");
	else if ((layout->size && option->size != layout->size) ||
		 (layout->shape == PEN && option->size < 4) ||
		 (layout->shape == VERDICT && option->size < 1))
		list_fail(list, -EINVAL, option->code, "not of the length that this one has");
	else if (layout->shape == STRING && !write_is_utf8(option->value, option->size))
		list_fail(list, -EILSEQ, option->code, "not UTF-8");
	else
		add(list, option->code, option->value, option->size, host_big_endian);
}

void write_list_new(struct write_list *list, const struct pktfs_new_options *options)
{
	if (!options)
		return;
	write_list_copy(list, options->copy);
	for (size_t i = 0; i < options->comment_count; i++)
		write_list_string(list, OPT_COMMENT, -1, options->comments[i]);
	for (size_t i = 0; i < options->list_count; i++)
		add_new(list, &options->list[i]);
}

int write_list_end(struct write_list *list)
{
	if (list->any)
		write_options_end(list->text, list->big_endian);
	return list->failed;
}

bool write_options_empty(const struct pktfs_new_options *options)
{
	return !options->copy.size && !options->comment_count && !options->list_count;
}

/* How many continuation bytes follow, and the range of the first of them
 * (RFC 3629, section 4); -1: no lead byte. */
static int utf8_tail(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead > 0 && lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
}

bool write_is_utf8(const void *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = at + size;
	uint8_t low, high;
	int tail;

	while (at < end) {
		tail = utf8_tail(*at++, &low, &high);
		if (tail < 0 || end - at < tail)
			return false;
		for (; tail > 0; tail--, at++, low = 0x80, high = 0xbf)
			if (*at < low || *at > high)
				return false;
	}
	return true;
}
