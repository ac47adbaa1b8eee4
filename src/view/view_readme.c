/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * README.txt: what the tree is, for somebody who finds it mounted. Names and
 * commands in it are those of this capture.
 */
#include "view_private.h"

static const char head[] =
	"This directory is a packet capture. Nothing in it is a copy: each file is\n"
	"read from the capture when it is opened, and nothing here changes it.\n"
	"\n"
	"TRY (in this directory)\n"
	"\n"
	"    cat info/packets                      # how many packets there are\n"
	"    ls -l --full-time packets | head -20  # size: its length; date: its time\n"
	"    xxd packets/1                         # the bytes of the first packet\n"
	"    cat packets/1.json                    # all that is known of it\n"
	"    text2pcap -q packets/1.hex /tmp/a.pcapng\n"
	"    tshark -V -r packets/1.pcapng         # a capture of it alone\n"
	"    grep -rl password packets             # which packets hold these bytes\n"
	"    find packets -size +1000c             # which are longer than 1000 bytes\n"
	"    tail -n +2 packets.tsv | sort -k 5n   # one line a packet, by length\n";

static const char own_pcapng[] =
	"    wireshark capture.pcapng              # the whole capture, as it is\n";
static const char own_pcap[] =
	"    wireshark capture.pcap                # the whole capture, as it is\n";

static const char rest[] =
	"\n"
	"WHAT IS HERE\n"
	"\n"
	"info/        Facts of the capture, one value a file. size: bytes of the file\n"
	"             as it is stored; bytes: sum of all captured lengths; first_time,\n"
	"             last_time: of the first and the last packet that has a time;\n"
	"             duration: seconds from the earliest to the latest; state:\n"
	"             indexing, complete, truncated or damaged; problem: what is wrong,\n"
	"             and at which offset; progress: percent of the bytes (that have\n"
	"             come so far) that are indexed; log: what went wrong since\n"
	"             the mount.\n"
	"packets/     One file a packet: its bytes, exactly as captured. 000000042 may\n"
	"             be typed as 42. Beside each, not listed: 42.json (all that is\n"
	"             known, one object), 42.hex (for text2pcap and for Wireshark's\n"
	"             \"Import from Hex Dump\"), 42.pcapng (a capture of it alone).\n"
	"             Extended attributes user.pktfs.*: number, frame (as Wireshark\n"
	"             counts), interface, link_type, original_length, time, comment.\n"
	"sections/    pcapng: one directory a section, with what its header says; a\n"
	"             pcap file has section 0. options: all of them, one a line.\n"
	"interfaces/  One directory an interface, numbered over the whole capture: all\n"
	"             that the capture says of it; statistics/: its counters, if any.\n"
	"             Speeds are bits per second, snaplen is bytes (0: no limit),\n"
	"             timestamp_resolution and timestamp_offset are seconds.\n"
	"blocks/      pcapng: each block that is not a packet, raw, in file order.\n"
	"names/       Name resolution records: hosts as in hosts(5), ethers as in\n"
	"             ethers(5). There when the index is complete.\n"
	"secrets/     Secrets for decryption: tls.keylog can be used as SSLKEYLOGFILE.\n"
	"             There when the index is complete.\n"
	"capture.*    The whole capture as one file. In the format that it has: its\n"
	"             bytes, decompressed. In the other: converted; pcap holds one link\n"
	"             type, so a pcapng with several gives capture.LINKTYPE.pcap for\n"
	"             each. Listed when their size is known.\n"
	"packets.tsv  A header line, then a line a packet; columns of fixed width\n"
	"             between tabs: number, time, interface, link type, captured and\n"
	"             original length in bytes. Listed when the index is complete.\n"
	"\n"
	"Times are UTC, as 2026-11-21T10:32:07.123456789Z. A value that the capture\n"
	"does not have is a file that is not there. To wait for the index:\n"
	"    while grep -q indexing info/state; do sleep 1; done\n";

static int readme_render(struct view *view, uint64_t node, struct text *text)
{
	struct pktfs_status status;

	(void)node;
	pktfs_status_get(view->capture, &status);
	text_string(text, head);
	text_string(text, status.format == PKTFS_FORMAT_PCAPNG ? own_pcapng : own_pcap);
	text_string(text, rest);
	return 0;
}

const struct view_kind view_kind_readme = {
	.render = readme_render,
};
