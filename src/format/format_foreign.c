/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file is that is not a capture: said by name, because the person who
 * mounts it wants to know what went wrong, and "unknown format" does not help.
 */
#include "format.h"

#include <ctype.h>
#include <stdio.h>

#include "format_private.h"

struct foreign {
	const char *bytes;
	size_t size;
	const char *name;
};

/* The bytes must be a string literal: its NUL is not compared. */
#define FOREIGN(literal, what)                                              \
	{                                                                   \
		.bytes = literal, .size = sizeof(literal) - 1, .name = what \
	}

static const struct foreign foreigns[] = {
	FOREIGN("snoop\0\0\0", "a snoop capture (editcap -F pcap converts it)"),
	FOREIGN("btsnoop\0", "a btsnoop capture (editcap -F pcap converts it)"),
	FOREIGN("TRSNIFF data    \x1a", "a Network General Sniffer capture"),
	FOREIGN("XCP\0", "a Network Associates Sniffer capture"),
	FOREIGN("GMBU", "a Microsoft Network Monitor capture"),
	FOREIGN("RTSS", "a Microsoft Network Monitor capture"),
	FOREIGN("iptrace ", "an AIX iptrace capture"),
	FOREIGN("\x05VNF", "a Visual Networks capture"),
	FOREIGN("\xcb\xc3\xb2\xa1", "a BPF savefile (a compiled filter, not packets)"),
	FOREIGN("\xa1\xb2\xc3\xcb", "a BPF savefile (a compiled filter, not packets)"),
	FOREIGN("\xcd\x34\xb2\xa1", "a pcap of Mesquita's variant (magic a1b234cd)"),
	FOREIGN("\xa1\xb2\x34\xcd", "a pcap of Mesquita's variant (magic a1b234cd)"),
	FOREIGN("\x4d\x3c\x2b\xa1", "a pcap of Navtel's variant (magic a12b3c4d)"),
	FOREIGN("\xa1\x2b\x3c\x4d", "a pcap of Navtel's variant (magic a12b3c4d)"),
	/* What is left of a pcap magic after a transfer that was not binary. */
	FOREIGN("\x54\x43\x32\x21", "a pcap that lost its eighth bits in a 7-bit transfer"),
	FOREIGN("\x21\x32\x43\x54", "a pcap that lost its eighth bits in a 7-bit transfer"),
	FOREIGN("\xef\xbf\xbd\xc3\xb2\xef\xbf\xbd", "a pcap damaged by a conversion to UTF-8"),
	FOREIGN("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "a file damaged by a conversion to UTF-8"),
	FOREIGN("\xc3\x94\xc3\x83\xc2\xb2\xc2\xa1", "a pcap damaged by a conversion to UTF-8"),
	FOREIGN("\xc2\xa1\xc2\xb2\xc3\x83\xc3\x94", "a pcap damaged by a conversion to UTF-8"),
	/* Compressed: by another program, or once more inside zstd or gzip. */
	FOREIGN("\x1f\x8b", "a gzip file inside a compressed file"),
	FOREIGN("\x28\xb5\x2f\xfd", "a zstd file inside a compressed file"),
	FOREIGN("\3757zXZ", "an xz file (decompress it first)"),
	FOREIGN("BZh", "a bzip2 file (decompress it first)"),
	FOREIGN("\x04\x22\x4d\x18", "an lz4 file (decompress it first)"),
	FOREIGN("\x1f\x9d", "a compress(1) file (decompress it first)"),
	FOREIGN("PK\x03\x04", "a ZIP archive (unpack it first)"),
	FOREIGN("7z\xbc\xaf\x27\x1c", "a 7z archive (unpack it first)"),
	FOREIGN("Rar!\x1a\x07", "a RAR archive (unpack it first)"),
	FOREIGN("\177ELF", "an ELF program"),
	FOREIGN("MZ", "a Windows program"),
	FOREIGN("%PDF", "a PDF document"),
	FOREIGN("\x89PNG", "a PNG picture"),
	FOREIGN("SQLite format 3", "an SQLite database"),
	FOREIGN("version https://git-lfs", "a Git LFS pointer (git lfs pull fetches the file)"),
	FOREIGN("{\\rtf", "an RTF document"),
	FOREIGN("\xff\xfe", "UTF-16 text"),
	FOREIGN("\xfe\xff", "UTF-16 text"),
	FOREIGN("\xef\xbb\xbf", "UTF-8 text"),
};

static bool starts_with(struct cursor head, const char *bytes, size_t size)
{
	const uint8_t *found = cursor_take(&head, size);

	return found && !memcmp(found, bytes, size);
}

/* A Section Header Block starts with LF CR CR LF for this purpose: transfers
 * as text change that, but leave the byte-order magic behind it. */
static bool is_ascii_damaged(struct cursor head)
{
	const uint8_t *bytes;
	uint8_t first;

	if (!cursor_u8(&head, &first) || (first != '\n' && first != '\r'))
		return false;
	while (head.left >= 4) {
		struct cursor rest = head;

		bytes = cursor_take(&rest, 4);
		if (format_byte_order(bytes, PCAPNG_BYTE_ORDER_MAGIC) >= 0)
			return true;
		cursor_skip(&head, 1);
	}
	return false;
}

static bool all_bytes(struct cursor head, bool (*test)(uint8_t byte))
{
	uint8_t byte;

	while (cursor_u8(&head, &byte))
		if (!test(byte))
			return false;
	return true;
}

static bool is_text(uint8_t byte)
{
	return (byte >= ' ' && byte < 0x7f) || (byte >= '\t' && byte <= '\r');
}

static bool is_zero(uint8_t byte)
{
	return byte == 0;
}

static bool is_html(struct cursor head)
{
	uint8_t byte;

	while (cursor_u8(&head, &byte))
		if (!is_text(byte) || !isspace(byte))
			return byte == '<';
	return false;
}

static const char *name_of(struct cursor head)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreigns); i++)
		if (starts_with(head, foreigns[i].bytes, foreigns[i].size))
			return foreigns[i].name;
	if (is_ascii_damaged(head))
		return "a pcapng damaged by a transfer in ASCII mode (line ends were changed)";
	if (is_html(head))
		return "HTML or XML (a download that went wrong?)";
	if (all_bytes(head, is_text))
		return "text";
	if (all_bytes(head, is_zero))
		return "nothing but zero bytes";
	return NULL;
}

_cold_ int format_not_a_capture(struct cursor head, struct pktfs_error *ret_error)
{
	const char *name = name_of(head);
	char hex[3 * 8 + 1] = "";
	uint8_t byte;

	if (name)
		return error_at(ret_error, -EBADMSG, 0, "found %s; " FORMAT_ACCEPTED, name);
	for (size_t i = 0; i < sizeof(hex) - 3 && cursor_u8(&head, &byte); i += 3)
		snprintf(hex + i, 4, " %02x", byte);
	return error_at(ret_error, -EBADMSG, 0, "file header: found bytes%s; " FORMAT_ACCEPTED,
			hex);
}
