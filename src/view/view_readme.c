/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * README.txt: what the tree is, for somebody who finds it mounted. The commands
 * that it proposes are run by tests/docs/readme.sh.
 */
#include <string.h>

#include "set/set_payload.h"
#include "view_file.h"

static const char head[] =
	"This directory is a packet capture. Nothing in it is a copy: each file is\n"
	"read from the capture when it is opened, and nothing here changes it";

static const char try[] =
	".\n"
	"\n"
	"TRY (in this directory)\n"
	"\n"
	"    cat info/packets                       # how many packets there are\n"
	"    ls -l --full-time packets | head       # size: its length; date: its time\n"
	"    xxd packets/1                          # the bytes of the first packet\n"
	"    cat packets/1.json                     # all that is known of it\n"
	"    grep -rl HTTP packets                  # which packets hold these bytes\n"
	"    ls 'by/filter/ip and len > 100/packets'   # which a filter selects\n"
	"    cat by/filter/tcp/payload/* | head -20 # what TCP carries, no headers\n"
	"    ls 'by/match/(?i)passw(or)?d/packets'  # which match a Perl pattern\n"
	"    tshark -r by/filter/udp/capture.pcapng # those of a filter as a capture\n"
	"    ls by/time/*                           # hours and minutes that have some\n"
	"    ln -s 'udp port 53' by/filter/dns      # a filter with a name of its own\n";

static const char rest[] =
	"\n"
	"WHAT IS HERE\n"
	"\n"
	"info/        Facts of the capture, one value a file. size: bytes of the file\n"
	"             as it is stored; bytes: sum of all captured lengths; first_time,\n"
	"             last_time: of the first and the last packet that has a time;\n"
	"             duration: seconds from the earliest to the latest; state:\n"
	"             indexing, growing, complete, truncated or damaged; problem: what\n"
	"             is wrong, and at which offset; progress: percent of the bytes\n"
	"             (that have come so far) that are indexed; log: what went wrong\n"
	"             since the mount, and why a filter was refused.\n"
	"packets/     One file a packet: its bytes, exactly as captured. 000000042 may\n"
	"             be typed as 42. Beside each, not listed: 42.json (all that is\n"
	"             known, one object), 42.hex (for text2pcap and for Wireshark's\n"
	"             \"Import from Hex Dump\"), 42.pcapng (a capture of it alone).\n"
	"             Extended attributes user.pktfs.*: number, frame (as Wireshark\n"
	"             counts), interface, link_type, original_length, time, comment\n"
	"             (up to 4000 bytes), flags (epb_flags).\n"
	"payload/     The same packets without their headers: what TCP, UDP, SCTP or\n"
	"             ICMP carries. Packets that carry nothing are not listed.\n"
	"by/          Sets of packets, see below.\n"
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
	"    while grep -q indexing info/state; do sleep 1; done\n"
	"\n"
	"SETS\n"
	"\n"
	"A name below by/ is a question, and its directory the answer: info/ packets/\n"
	"payload/ packets.tsv capture.pcapng capture.pcap, and by/ again, of those\n"
	"packets alone. So sets nest: by/interface/0/by/filter/udp/packets.\n"
	"\n"
	"by/filter/EXPRESSION   as tcpdump takes it, see pcap-filter(7)\n"
	"by/match/PATTERN       a Perl-compatible regular expression over the bytes of\n"
	"                       each packet; ^ and $ match at each line, (?i) ignores\n"
	"                       case, \\xFF is a byte\n"
	"by/interface/0         an interface, by number or name\n"
	"by/time/2026-11-21/10  a day, an hour of it, a minute; or not listed, FROM..TO:\n"
	"                       2026-11-21T10:32:07.5..2026-11-21T10:33 or one open end\n"
	"by/range/1-3,7,20-     packets by number\n"
	"\n"
	"In a name, / is written %2F and % is %25: 'by/filter/net 10.0.0.0%2F8'. Names\n"
	"are found, not listed. If one is refused, info/log says why. Those that are\n"
	"made are listed, until the mount ends:\n"
	"    mkdir by/filter/web\n"
	"    echo 'tcp port 80' > by/filter/web/expression\n"
	"    ls by/filter/web/packets\n"
	"    rmdir by/filter/web\n"
	"In by/match nearly each word is a pattern and there already: begin such names\n"
	"with a +.\n"
	"\n"
	"payload/ knows these link types:";

static const char appending[] =
	"\n"
	"APPENDING\n"
	"\n"
	"What is written to a file in append/ becomes a packet at the end of the\n"
	"capture when the file is closed, and is then everywhere else. The file becomes\n"
	"a link to it. An error is told by the close; info/log says why.\n"
	"    cp -p frame.bin append/0/p1            # to interface 0, with the file's time\n"
	"    echo 00112233445566778899aabb0800 | xxd -r -p > append/0/p2\n"
	"    readlink append/0/p2                   # which packet it is\n"
	"    touch -d 2026-11-21T10:00:00.5 append/0/p3; cat x >> append/0/p3\n"
	"    cp --preserve=timestamps,xattr packets/1 append/0/   # and the comment\n"
	"    rm append/0/p1                         # the name; the packet stays\n"
	"append/NAME          without a number where there is one interface\n"
	"append/blocks/NAME   pcapng: a whole raw block (not SHB, IDB, PB)\n"
	"mkdir append/NAME    pcapng: another interface, of the link type of the first;\n"
	"                     mkdir 'append/NAME@RAW': of that one\n"
	"info/appended        name, packet number and offset of each\n"
	"An fsync, of a file or of append/, returns when the packets are on the disk.\n";

static const char several[] =
	"\n"
	"FILES\n"
	"\n"
	"This capture is several files, one behind the other. files/NAME/info/ has, of\n"
	"each: path, format, compression, size, packets, first_packet, last_packet,\n"
	"first_time, last_time, state, problem. by/file/NAME/ is the set of its packets.\n"
	"    grep . files/*/info/packets            # how many each has\n";

#define README_WIDTH  79u
#define README_INDENT 4u

/* The names of the link types that payload/ knows, wrapped. */
static void link_types(struct text *text)
{
	size_t column = README_WIDTH;
	char room[VIEW_LINK_TYPE_ROOM];
	unsigned type;

	for (type = 0; type < PAYLOAD_LINK_TYPES; type++) {
		const char *name;

		if (!payload_knows((uint16_t)type))
			continue;
		name = view_link_type((uint16_t)type, room);
		if (column + 1 + strlen(name) > README_WIDTH) {
			text_printf(text, "\n%*s", (int)README_INDENT - 1, "");
			column = README_INDENT - 1;
		}
		text_printf(text, " %s", name);
		column += 1 + strlen(name);
	}
	text_string(text, "\n");
}

static int readme_render(struct view *view, uint64_t node, struct text *text)
{
	(void)node;
	text_string(text, head);
	if (view->append)
		text_string(text, ",\nbut for append/");
	text_string(text, try);
	text_string(text, rest);
	link_types(text);
	if (view_files_shown(view))
		text_string(text, several);
	if (view->append)
		text_string(text, appending);
	return 0;
}

const struct view_kind view_kind_readme = {
	.render = readme_render,
};
