/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_option.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/util_cursor.h"

static const struct view_option common[] = {
	{"opt_comment", 1, OPTION_STRING, .many = true},
	{"opt_custom", 2988, OPTION_CUSTOM_STRING, .least = 4, .many = true},
	{"opt_custom", 2989, OPTION_CUSTOM_BYTES, .least = 4, .many = true},
	{"opt_custom", 19372, OPTION_CUSTOM_STRING, .least = 4, .many = true},
	{"opt_custom", 19373, OPTION_CUSTOM_BYTES, .least = 4, .many = true},
};

static const struct view_option section[] = {
	{"shb_hardware", 2, OPTION_STRING, .length = 0},
	{"shb_os", 3, OPTION_STRING, .length = 0},
	{"shb_userappl", 4, OPTION_STRING, .length = 0},
};

static const struct view_option interface[] = {
	{"if_name", 2, OPTION_STRING, .length = 0},
	{"if_description", 3, OPTION_STRING, .length = 0},
	{"if_IPv4addr", 4, OPTION_IPV4, .length = 8, .many = true},
	{"if_IPv6addr", 5, OPTION_IPV6, .length = 17, .many = true},
	{"if_MACaddr", 6, OPTION_OCTETS, .length = 6},
	{"if_EUIaddr", 7, OPTION_OCTETS, .length = 8},
	{"if_speed", 8, OPTION_U64, .length = 8},
	{"if_tsresol", 9, OPTION_RESOLUTION, .length = 1},
	{"if_tzone", 10, OPTION_I32, .length = 4},
	{"if_filter", 11, OPTION_FILTER, .least = 1},
	{"if_os", 12, OPTION_STRING, .length = 0},
	{"if_fcslen", 13, OPTION_U8, .length = 1},
	{"if_tsoffset", 14, OPTION_I64, .length = 8},
	{"if_hardware", 15, OPTION_STRING, .length = 0},
	{"if_txspeed", 16, OPTION_U64, .length = 8},
	{"if_rxspeed", 17, OPTION_U64, .length = 8},
	{"if_iana_tzname", 18, OPTION_STRING, .length = 0},
};

/* EPB; pack_flags and pack_hash of the PB have the same codes and values. */
static const struct view_option packet[] = {
	{"epb_flags", 2, OPTION_FLAGS, .length = 4},
	{"epb_hash", 3, OPTION_HASH, .least = 1, .many = true},
	{"epb_dropcount", 4, OPTION_U64, .length = 8},
	{"epb_packetid", 5, OPTION_U64, .length = 8},
	{"epb_queue", 6, OPTION_U32, .length = 4},
	{"epb_verdict", 7, OPTION_VERDICT, .least = 1, .many = true},
	{"epb_processid_threadid", 8, OPTION_PROCESS, .length = 8},
};

static const struct view_option statistics[] = {
	{"isb_starttime", 2, OPTION_TIME, .length = 8},
	{"isb_endtime", 3, OPTION_TIME, .length = 8},
	{"isb_ifrecv", 4, OPTION_U64, .length = 8},
	{"isb_ifdrop", 5, OPTION_U64, .length = 8},
	{"isb_filteraccept", 6, OPTION_U64, .length = 8},
	{"isb_osdrop", 7, OPTION_U64, .length = 8},
	{"isb_usrdeliv", 8, OPTION_U64, .length = 8},
};

const struct view_option_list view_options_section = {section, ARRAY_SIZE(section)};
const struct view_option_list view_options_interface = {interface, ARRAY_SIZE(interface)};
const struct view_option_list view_options_packet = {packet, ARRAY_SIZE(packet)};
const struct view_option_list view_options_statistics = {statistics, ARRAY_SIZE(statistics)};

const struct view_option *view_option_find(const struct view_option_list *list, uint16_t code)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(common); i++)
		if (common[i].code == code)
			return &common[i];
	for (i = 0; i < list->count; i++)
		if (list->options[i].code == code)
			return &list->options[i];
	return NULL;
}

bool view_option_fits(const struct view_option *known, const struct pktfs_option *option)
{
	if (!known)
		return false;
	return known->length ? option->length == known->length : option->length >= known->least;
}

static const char *const hashes[] = {"2s-complement", "XOR", "CRC32", "MD5", "SHA-1", "Toeplitz"};
static const char *const verdicts[] = {"hardware", "linux_ebpf_tc", "linux_ebpf_xdp"};

const char *view_hash_name(uint8_t algorithm)
{
	return algorithm < ARRAY_SIZE(hashes) ? hashes[algorithm] : NULL;
}

const char *view_verdict_name(uint8_t kind)
{
	return kind < ARRAY_SIZE(verdicts) ? verdicts[kind] : NULL;
}

void view_option_octets(struct text *text, const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		text_printf(text, "%s%02x", i ? ":" : "", bytes[i]);
}

/* 2^-n has n decimals: 1 is halved n times, digit by digit. */
static void negative_power_of_two(struct text *text, unsigned n)
{
	char digits[128];
	unsigned i, k, rest;

	memset(digits, '0', sizeof(digits));
	digits[0] = '1'; /* 1.000... */
	for (k = 0; k < n; k++) {
		for (i = 0, rest = 0; i <= n; i++) {
			rest = rest * 10 + (unsigned)(digits[i] - '0');
			digits[i] = (char)('0' + rest / 2);
			rest %= 2;
		}
	}
	text_printf(text, "0.%.*s", (int)n, digits + 1);
}

void view_option_resolution(struct text *text, uint8_t resolution)
{
	unsigned n = resolution & 0x7f;

	if (!n)
		text_string(text, "1");
	else if (resolution & 0x80)
		negative_power_of_two(text, n);
	else
		text_printf(text, "0.%0*d", (int)n, 1);
}

static void ipv4(struct text *text, const uint8_t *value)
{
	uint32_t mask = bytes_u32(value + 4, true);
	char address[INET_ADDRSTRLEN], dotted[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, value, address, sizeof(address));
	inet_ntop(AF_INET, value + 4, dotted, sizeof(dotted));
	if (~mask & (~mask + 1))
		text_printf(text, "%s/%s", address, dotted);
	else
		text_printf(text, "%s/%d", address, __builtin_popcount(mask));
}

static void ipv6(struct text *text, const uint8_t *value)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, value, address, sizeof(address));
	text_printf(text, "%s/%u", address, value[16]);
}

/* The first octet says what the filter is (draft section 4.2): 0 a libpcap
 * string; anything else is shown as it is, 1 (BPF code) without the octet. */
static void filter(struct text *text, const uint8_t *value, size_t size)
{
	if (value[0] == 0)
		text_utf8(text, value + 1, size - 1);
	else if (value[0] == 1)
		text_hex(text, value + 1, size - 1);
	else
		text_hex(text, value, size);
}

static void custom(struct text *text, const struct pktfs_options *options,
		   const struct pktfs_option *option)
{
	text_printf(text, "%" PRIu32 " ", pktfs_option_u32(options, option));
	text_hex(text, option->value + 4, option->length - 4u);
}

static void number(struct text *text, const struct view_option *known,
		   const struct pktfs_options *options, const struct pktfs_option *option)
{
	switch (known->form) {
	case OPTION_U8:
		text_printf(text, "%u", option->value[0]);
		break;
	case OPTION_U32:
		text_printf(text, "%" PRIu32, pktfs_option_u32(options, option));
		break;
	case OPTION_I32:
		text_printf(text, "%" PRId32, (int32_t)pktfs_option_u32(options, option));
		break;
	case OPTION_U64:
		text_printf(text, "%" PRIu64, pktfs_option_u64(options, option));
		break;
	case OPTION_I64:
		text_printf(text, "%" PRId64, (int64_t)pktfs_option_u64(options, option));
		break;
	default:
		text_hex(text, option->value, option->length);
		break;
	}
}

void view_option_text(struct text *text, const struct view_option *known,
		      const struct pktfs_options *options, const struct pktfs_option *option)
{
	switch (known->form) {
	case OPTION_STRING:
		text_utf8(text, option->value, option->length);
		break;
	case OPTION_IPV4:
		ipv4(text, option->value);
		break;
	case OPTION_IPV6:
		ipv6(text, option->value);
		break;
	case OPTION_OCTETS:
		view_option_octets(text, option->value, option->length);
		break;
	case OPTION_RESOLUTION:
		view_option_resolution(text, option->value[0]);
		break;
	case OPTION_FILTER:
		filter(text, option->value, option->length);
		break;
	case OPTION_CUSTOM_STRING:
	case OPTION_CUSTOM_BYTES:
		custom(text, options, option);
		break;
	default:
		number(text, known, options, option);
		break;
	}
}
