#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is payload/N of each known capture what tshark calls the payload of that
packet? And of packets made here, of each link type and protocol that the
captures lack? Nowhere may one give bytes and the other none without a reason.

    test_payload.py --seeds     writes the packets made here to tests/fuzz/corpus/payload
"""
import json
import os
import re
import shutil
import struct
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mount"))
import facts  # noqa: E402
from captures import Packet, pcap  # noqa: E402
from facts import expect  # noqa: E402
from mounted import Mounted  # noqa: E402

# ---- where the two differ: (FILE, frame): why

NO_TSHARK = "tshark gives none: "
DIFFERENT = {
    ("gopacket__test901.pcapng", 2): NO_TSHARK + "it ends at the second section, whose version it does not know;"
                                     " we go on at the third (see facts.KEPT)",
    ("made-ethernet", "PPTP"): "not looked into: version 1 of GRE",
    ("made-ethernet", "UDP length 0 over IPv4"): NO_TSHARK + "a UDP length of 0 is bad there; we take what IP says",
    ("made-ethernet", "UDP length within"): "its udp.payload ignores the UDP length, which we respect, as sockets do",
    ("made-null", "Linux"): NO_TSHARK + "it does not know Linux' AF_INET6 there",
    ("made-ethernet", "SCTP, cut"): NO_TSHARK + "it does not show the data of a chunk that is cut",
    ("made-ethernet", "SCTP with several, cut"): "the same",
    ("made-ethernet", "SCTP I-DATA, cut"): "the same",
    ("made-nflog", "little-endian, cut"): NO_TSHARK + "an attribute that is cut is bad there; we take what there is",
    ("made-nflog-be", "big-endian, cut"): "the same",
    ("made-ethernet", "IPv6 length 0"): NO_TSHARK + "it believes the 0 (ipv6.tso_support is off); see set_payload.h",
}

# What tshark is asked: nothing reassembled, nothing guessed over several packets.
TSHARK = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
          "tcp.desegment_tcp_streams:FALSE", "-o", "sctp.reassembly:FALSE"]
TRANSPORTS = ("tcp", "udp", "udplite", "sctp", "icmp", "icmpv6")
compared, explained = {}, set()


def run_tshark(path, *arguments):
    return facts.ask([*TSHARK, "-r", path, *arguments], path).stdout.decode()


def first_of_each(pairs):
    found = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def tshark_payloads(path):
    """{frame: (transport, payload in hex)}; the outermost transport counts: of
    a tunnel over UDP the UDP payload, of an ICMP error the ICMP payload.

    tshark has tcp.payload and udp.payload. It has no such field for ICMP:
    data.data is what is left of an echo after the time stamp that some ping
    programs put in front, of other types there is none. So of ICMP the whole is
    taken, as tshark delimits it, less 8 bytes; and data.data must be its end."""
    columns = ["frame.number", "frame.protocols", "tcp.payload", "udp.payload", "data.data"]
    rows, icmp = {}, []
    for line in run_tshark(path, "-T", "fields", "-E", "occurrence=a",
                           *(a for c in columns for a in ("-e", c))).splitlines():
        number, protocols, tcp, udp, data = line.split("\t")
        transport = next((p for p in protocols.split(":") if p in TRANSPORTS), None)
        payload = {"tcp": tcp, "udp": udp, "udplite": udp}.get(transport, "").split(",")[0]
        if transport == "sctp":  # one data.data for each chunk of an unknown protocol
            payload = data.replace(",", "")
        elif transport in ("icmp", "icmpv6"):
            icmp.append((int(number), transport, data.split(",")[-1]))
        rows[int(number)] = (transport, payload)
    if icmp:
        layers = {int(p["_source"]["layers"]["frame"]["frame.number"]): p["_source"]["layers"] for p in
                  json.loads(run_tshark(path, "-Y", "icmp or icmpv6", "-T", "json", "-x", "-J", "frame icmp icmpv6"),
                             object_pairs_hook=first_of_each)}
    for number, transport, data in icmp:
        # where its header is cut it is not there
        whole = layers.get(number, {}).get(transport + "_raw", [""])[0]
        expect(whole[16:].endswith(data), f"frame {number}: data.data is not the end of {transport}")
        rows[number] = (transport, whole[16:])
    return rows


def our_payloads(mnt):
    """{frame: payload in hex}, "" for a packet that payload/ does not have."""
    listed, found = sorted(os.listdir(f"{mnt}/payload")), {}
    for name in os.listdir(f"{mnt}/packets"):
        found[int(os.getxattr(f"{mnt}/packets/{name}", "user.pktfs.frame"))] = name
    expect(set(listed) <= set(found.values()), "payload/ lists packets that are not there")
    payloads = dict.fromkeys(found, "")
    for frame, name in found.items():
        path = f"{mnt}/payload/{name}"
        if name not in listed:
            expect(not os.path.exists(path), f"payload/{name} is there but not listed")
            continue
        with open(path, "rb") as file:
            payloads[frame] = file.read().hex()
        st = os.stat(path)
        expect(0 < st.st_size == len(payloads[frame]) // 2, f"payload/{name}: st_size {st.st_size}")
        expect(st.st_mtime_ns == os.stat(f"{mnt}/packets/{name}").st_mtime_ns, f"payload/{name}: st_mtime")
    return payloads


def explain(capture_name, name):
    """Whether a difference is known, of a packet or of its cuts."""
    name, cut, _ = name.partition(", cut") if isinstance(name, str) else (name, "", "")
    known = [key for key in ((capture_name, name), (capture_name, f"{name}{cut}")) if key in DIFFERENT]
    explained.update(known)
    return bool(known)


def compare(capture_name, path, mnt, names=None):
    """Both have the same frames with the same bytes, but for DIFFERENT."""
    theirs, ours = tshark_payloads(path), our_payloads(mnt)
    for frame, payload in ours.items():
        transport, want = theirs.get(frame, (None, ""))
        name = names[frame - 1] if names else frame
        if payload != want and explain(capture_name, name):
            continue
        key = f"{capture_name}, {name}"
        expect(payload == want, f"{key}: {transport}: {payload[:80] or 'nothing'} instead of {want[:80] or 'nothing'}")
        word = transport if want else "no payload"
        compared[word] = compared.get(word, 0) + 1
    return theirs, ours


def check(capture):
    if capture.refused:
        return "refused: " + facts.REFUSED[capture.name][:60]
    if capture.row["wiretap_error"] != "-":
        return "Wireshark does not read it: " + capture.row["wiretap_error"][:80]
    with Mounted(capture.path) as mount:
        theirs, ours = compare(capture.name, capture.path, mount.mnt)
    # frames that are no packets (journal, sysdig) have no payload either
    for frame in set(theirs) - set(ours):
        expect(not theirs[frame][1], f"frame {frame} has a payload for tshark and is no packet for us")
    return None


# ---- packets made here

DATA = b"the payload"
MAC = bytes.fromhex("001b21000001 001b21000002")  # of a known vendor, or tshark doubts it behind MPLS


def word(*values):
    return struct.pack(f">{len(values)}H", *values)


def udp(data=DATA, length=None):
    return word(40000, 40001, len(data) + 8 if length is None else length, 0) + data


def udp_lite(data=DATA):
    return word(40000, 40001, 8, 0) + data  # the checksum covers the header


def tcp(data=DATA, options=b""):
    return word(40000, 40001) + bytes(8) + word((5 + len(options) // 4) << 12 | 0x18, 8192, 0, 0) + options + data


def chunk(kind, body):
    return struct.pack(">BBH", kind, 3, len(body) + 4) + body + bytes(-len(body) % 4)


def sctp(*chunks):
    return word(40000, 40001) + bytes(8) + b"".join(chunks)


def icmp(kind=8, data=DATA, code=0):
    return struct.pack(">BBHHH", kind, code, 0, 1, 1) + data


def ipv4(inner=None, protocol=17, options=b"", fragment=0, total=None):
    inner = udp() if inner is None else inner
    size = 20 + len(options) + len(inner)
    return struct.pack(">BBHHHBBHII", 0x45 + len(options) // 4, 0, size if total is None else total, 1, fragment, 64,
                       protocol, 0, 0x0a000001, 0x0a000002) + options + inner


def ipv6(inner=None, protocol=17, length=None):
    inner = udp() if inner is None else inner
    return struct.pack(">IHBB", 6 << 28, len(inner) if length is None else length, protocol, 64) + bytes(
        15) + b"\1" + bytes(15) + b"\2" + inner


def extension(protocol, size=8, inner=None):
    return bytes([protocol, size // 8 - 1, 1, size - 4]) + bytes(size - 4) + (udp() if inner is None else inner)


def ethernet(kind, rest):
    return MAC + word(kind) + rest


def snap(inner, kind=0x0800):
    return b"\xaa\xaa\3\0\0\0" + word(kind) + inner


def wlan(inner, control=b"\x08\x01", more=b"", protocol=0x0800):
    return control + bytes(22) + more + snap(inner, protocol)


def radiotap(inner, present, fields):
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), present) + fields + inner


def nflog(inner, order):
    def attribute(kind, value):
        return struct.pack(order + "HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)
    return b"\2\0\0\0" + attribute(1, b"\x08\0\3\0") + attribute(10, b"prefix\0") + attribute(9, inner)


def pktap(inner, link, size=108):
    return struct.pack("<III", size, 1, link) + bytes(size - 12) + inner


JUMBO = b"\x11\0\xc2\4"
LABEL = bytes.fromhex("00010040")
BOTTOM = bytes.fromhex("00011140")
FLAGS_PAD = struct.pack("<QB", 0, 0x20)  # TSFT, flags
MADE = {
    ("ethernet", 1): {
        "UDP": ethernet(0x0800, ipv4()),
        "TCP with options": ethernet(0x0800, ipv4(tcp(options=b"\1" * 12), 6, b"\1" * 8)),
        "TCP without payload": ethernet(0x0800, ipv4(tcp(b""), 6) + bytes(6)),
        "padding": ethernet(0x0800, ipv4() + bytes(18)),
        "TSO": ethernet(0x0800, ipv4(tcp(), 6, total=0)),
        "IP length below its header": ethernet(0x0800, ipv4(tcp(), 6, total=19)),
        "IP length beyond": ethernet(0x0800, ipv4(tcp(), 6, total=1400)),
        "UDP length within": ethernet(0x0800, ipv4(udp(length=12))),
        "UDP length beyond": ethernet(0x0800, ipv4(udp(length=500)) + bytes(6)),
        "UDP length 7": ethernet(0x0800, ipv4(udp(length=7))),
        "UDP length 0 over IPv4": ethernet(0x0800, ipv4(udp(length=0))),
        "UDP-Lite": ethernet(0x0800, ipv4(udp_lite(), 136)),
        "UDP-Lite over IPv6": ethernet(0x86dd, ipv6(udp_lite(), 136)),
        "first fragment": ethernet(0x0800, ipv4(udp(length=3000), fragment=0x2000)),
        "later fragment": ethernet(0x0800, ipv4(udp(), fragment=0x2010)),
        "last fragment": ethernet(0x0800, ipv4(udp(), fragment=0x0010)),
        "SCTP": ethernet(0x0800, ipv4(sctp(chunk(0, bytes(12) + DATA)), 132)),
        "SCTP with several": ethernet(0x0800, ipv4(sctp(chunk(3, bytes(12)), chunk(0, bytes(12) + DATA),
                                                         chunk(0, bytes(12) + b"and more")), 132)),
        "SCTP without data": ethernet(0x86dd, ipv6(sctp(chunk(4, b"\0\1\0\x08abcd")), 132)),
        "SCTP I-DATA": ethernet(0x0800, ipv4(sctp(chunk(64, bytes(16) + DATA)), 132)),
        "echo": ethernet(0x0800, ipv4(icmp(), 1)),
        "unreachable": ethernet(0x0800, ipv4(icmp(3, ipv4(), 3), 1)),
        "echo over IPv6": ethernet(0x86dd, ipv6(icmp(128), 58)),
        "too big over IPv6": ethernet(0x86dd, ipv6(icmp(2, ipv6()), 58)),
        "IPv6": ethernet(0x86dd, ipv6(tcp(), 6) + bytes(4)),
        "IPv6 hop-by-hop": ethernet(0x86dd, ipv6(extension(17), 0)),
        "IPv6 all extensions": ethernet(0x86dd, ipv6(extension(60, 16, extension(43, 8, b"\x2c\0\0\0\0\0\0\0" + (
            b"\x06\0\0\1\0\0\0\1" + tcp()))), 0)),
        "IPv6 authentication": ethernet(0x86dd, ipv6(b"\x11\4" + bytes(22) + udp(), 51)),
        "IPv4 authentication": ethernet(0x0800, ipv4(b"\x11\4" + bytes(22) + udp(), 51)),
        "IPv6 later fragment": ethernet(0x86dd, ipv6(b"\x11\0\0\x11\0\0\0\1" + udp(), 44)),
        "IPv6 first fragment": ethernet(0x86dd, ipv6(b"\x11\0\0\1\0\0\0\1" + udp(length=3000), 44)),
        "IPv6 length 0": ethernet(0x86dd, ipv6(tcp(), 6, length=0)),
        "jumbogram": ethernet(0x86dd, ipv6(JUMBO + struct.pack(">I", 70008) + tcp(bytes(range(250)) * 280)[:70000],
                                           0, length=0)).replace(JUMBO, b"\x06\0\xc2\4"),
        "IP in IP": ethernet(0x0800, ipv4(ipv4(), 4)),
        "6in4": ethernet(0x0800, ipv4(ipv6(), 41)),
        "GRE": ethernet(0x0800, ipv4(word(0, 0x0800) + ipv4(), 47)),
        "GRE with key and sequence": ethernet(0x0800, ipv4(word(0x3000, 0x86dd) + bytes(8) + ipv6(), 47)),
        "GRE with Ethernet": ethernet(0x0800, ipv4(word(0, 0x6558) + ethernet(0x0800, ipv4()), 47)),
        "PPTP": ethernet(0x0800, ipv4(word(0x3001, 0x880b, 50, 1, 0, 1) + b"\xff\3\0\x21" + ipv4(), 47)),
        "VXLAN is UDP": ethernet(0x0800, ipv4(word(40000, 4789, 16 + 14 + 39, 0) + b"\x08" + bytes(7) +
                                              ethernet(0x0800, ipv4()))),
        "VLAN": ethernet(0x8100, word(5, 0x0800) + ipv4()),
        "QinQ": ethernet(0x88a8, word(5, 0x8100, 6, 0x86dd) + ipv6()),
        "QinQ of old": ethernet(0x9100, word(5, 0x8100, 6, 0x0800) + ipv4()),
        "VLAN with LLC": ethernet(0x8100, word(5, 8 + 39) + snap(ipv4()) + bytes(6)),
        "MPLS": ethernet(0x8847, LABEL * 2 + BOTTOM + ipv4()),
        "MPLS with IPv6": ethernet(0x8848, BOTTOM + ipv6()),
        "MPLS with Ethernet": ethernet(0x8847, BOTTOM + bytes(4) + ethernet(0x0800, ipv4())),
        "PPPoE": ethernet(0x8864, b"\x11\0\0\1" + word(41, 0x0021) + ipv4()),
        "PPPoE with IPv6": ethernet(0x8864, b"\x11\0\0\1" + word(61, 0x0057) + ipv6()),
        "PPPoE in QinQ": ethernet(0x88a8, word(1, 0x8100, 2, 0x8864) + b"\x11\0\0\1" + word(41, 0x0021) + ipv4()),
        "VN-tag": ethernet(0x8926, bytes(4) + word(0x8100, 5, 0x0800) + ipv4()),
        "SNAP": ethernet(8 + 39, snap(ipv4()) + bytes(9)),
        "SAP of IP": ethernet(3 + 39, b"\6\6\3" + ipv4() + bytes(9)),
        "Cisco's SNAP": ethernet(8 + 39, b"\xaa\xaa\3\0\0\x0c\x08\0" + ipv4()),
        "ARP": ethernet(0x0806, bytes(46)),
    },
    ("null", 0): {
        "little-endian": b"\2\0\0\0" + ipv4(), "big-endian": b"\0\0\0\2" + ipv4(), "Darwin": b"\x1e\0\0\0" + ipv6(),
        "FreeBSD": b"\x1c\0\0\0" + ipv6(), "OpenBSD": b"\x18\0\0\0" + ipv6(), "Linux": b"\x0a\0\0\0" + ipv6(),
        "EtherType": b"\0\x08\0\0" + ipv4(), "other": b"\7\0\0\0" + ipv4()},
    ("loop", 108): {"IPv4": b"\0\0\0\2" + ipv4(), "IPv6": b"\0\0\0\x18" + ipv6()},
    ("raw", 101): {"IPv4": ipv4(), "IPv6": ipv6(tcp(), 6), "neither": b"\x10" + bytes(60)},
    ("raw-ipv4", 228): {"IPv4": ipv4()},
    ("raw-ipv6", 229): {"IPv6": ipv6()},
    ("ppp", 9): {"IPv4": b"\xff\3\0\x21" + ipv4(), "no address": b"\0\x57" + ipv6(), "short": b"\x21" + ipv4(),
                 "MPLS": b"\xff\3\2\x81" + BOTTOM + ipv4(), "LCP": b"\xff\3\xc0\x21\1\1\0\4"},
    ("ppp-hdlc", 50): {"PPP": b"\xff\3\0\x21" + ipv4(), "Cisco": b"\x0f\0\x08\0" + ipv4()},
    ("ppp-ether", 51): {"IPv4": b"\x11\0\0\1" + word(41, 0x0021) + ipv4()},
    ("ppp-direction", 204): {"IPv4": b"\0\xff\3\0\x21" + ipv4(), "IPv6": b"\1\0\x57" + ipv6()},
    ("c-hdlc", 104): {"IPv4": b"\x0f\0\x08\0" + ipv4(), "IPv6": b"\x8f\0\x86\xdd" + ipv6()},
    ("sll", 113): {"IPv4": word(0, 1, 6, 0, 0, 0, 0, 0x0800) + ipv4(), "IPv6": word(4, 1, 6, 0, 0, 0, 0, 0x86dd) + ipv6(),
                   "VLAN": word(0, 1, 6, 0, 0, 0, 0, 0x8100, 5, 0x0800) + ipv4(),
                   "LLC": word(0, 1, 6, 0, 0, 0, 0, 4) + snap(ipv4()),
                   "PPPoE": word(0, 1, 6, 0, 0, 0, 0, 0x8864) + b"\x11\0\0\1" + word(41, 0x0021) + ipv4()},
    ("sll2", 276): {"IPv4": word(0x0800, 0, 0, 1, 1, 6) + bytes(8) + ipv4(),
                    "VLAN": word(0x8100, 0, 0, 1, 1, 6) + bytes(8) + word(5, 0x86dd) + ipv6()},
    ("wlan", 105): {
        "IPv4": wlan(ipv4()), "QoS": wlan(ipv4(), b"\x88\1", bytes(2)), "4 addresses": wlan(ipv4(), b"\x08\3", bytes(6)),
        "IPv6": wlan(ipv6(tcp(), 6), b"\x08\2", protocol=0x86dd), "frame check": wlan(ipv4()) + b"\1\2\3\4",
        "HT control": wlan(ipv4(), b"\x88\x81", bytes(6)), "encrypted": wlan(ipv4(), b"\x08\x41"),
        "no data": b"\x48\1" + bytes(22), "management": b"\x80\0" + bytes(50)},
    ("radiotap", 127): {
        "no fields": radiotap(wlan(ipv4()), 0, b""),
        "flags": radiotap(wlan(ipv4(), b"\x88\1", bytes(2)), 3, struct.pack("<QB", 0, 0)),
        "data pad": radiotap(wlan(ipv4(), b"\x88\1", bytes(4)), 3, FLAGS_PAD),
        "data pad, extended": radiotap(wlan(ipv4(), b"\x88\1", bytes(4)), 0xa0000003, bytes(8) + FLAGS_PAD),
        "data pad of nothing": radiotap(wlan(ipv4()), 3, FLAGS_PAD)},
    ("prism", 119): {
        "prism": struct.pack("<II", 0x44, 144) + bytes(136) + wlan(ipv4()),
        "AVS": struct.pack(">II", 0x80211001, 64) + bytes(56) + wlan(ipv4())},
    ("avs", 163): {"IPv4": struct.pack(">II", 0x80211001, 64) + bytes(56) + wlan(ipv4())},
    ("ppi", 192): {"802.11": struct.pack("<BBHI", 0, 0, 8, 105) + wlan(ipv4()),
                   "Ethernet": struct.pack("<BBHIHH", 0, 0, 16, 1, 30000, 4) + bytes(4) + ethernet(0x0800, ipv4())},
    ("pktap", 258): {"Ethernet": pktap(ethernet(0x0800, ipv4()), 1), "raw": pktap(ipv6(), 12)},
    ("nflog", 239): {"little-endian": nflog(ipv4(), "<")},
    ("nflog-be", 239): {"big-endian": nflog(ipv4(), ">")},
    ("ipoib", 242): {"IPv4": bytes(40) + word(0x0800, 0) + ipv4(), "IPv6": bytes(40) + word(0x86dd, 0) + ipv6()},
    ("atm-rfc1483", 100): {"IPv4": snap(ipv4())},
    ("enc", 109): {"IPv4": struct.pack("<III", 2, 1, 1) + ipv4()},
    ("ieee1394", 138): {"IPv4": bytes(16) + word(0x0800) + ipv4()},
    ("pflog", 117): {"OpenBSD": bytes([61, 2]) + bytes(62) + ipv4(), "IPv6": bytes([61, 24]) + bytes(62) + ipv6()},
}


def cut_everywhere(packets):
    """Each made packet as a short snapshot length leaves it."""
    return {f"{name}, cut to {size}": (data[:size], len(data)) for name, data in packets.items() if len(data) < 1000
            for size in range(1, len(data))}


def check_made(name, link, packets):
    with tempfile.TemporaryDirectory(prefix="pktfs-payload.") as folder:
        path = os.path.join(folder, "made.pcap")
        with open(path, "wb") as file:
            file.write(pcap([Packet(1700000000 + n, 0, *(data if isinstance(data, tuple) else (data,)))
                             for n, data in enumerate(packets.values())], link=link, big=name.endswith("-be")))
        with Mounted(path) as mount:
            compare("made-" + name, path, mount.mnt, list(packets))


def check_counts():
    print("# the same: " + ", ".join(f"{count} {what}" for what, count in sorted(compared.items())))
    for key, why in DIFFERENT.items():
        print(f"# different: {key[0]}, {key[1]}: {why}")
    expect(explained == set(DIFFERENT), f"not seen: {set(DIFFERENT) - explained}")
    expect(compared.get("tcp", 0) > 20000 and compared.get("udp", 0) > 5000 and compared.get("icmp", 0) > 100,
           "hardly anything was compared")


def cases():
    for (name, link), packets in MADE.items():
        yield f"made {name}", lambda name=name, link=link, packets=packets: check_made(name, link, packets)
        cut = cut_everywhere(packets)
        yield f"made {name}, cut", lambda name=name, link=link, packets=cut: check_made(name, link, packets)
    for capture in facts.captures():
        yield capture.name, lambda capture=capture: check(capture)
    yield "counts", check_counts


def write_seeds():
    folder = os.path.join(facts.TOP, "tests/fuzz/corpus/payload")
    os.makedirs(folder, exist_ok=True)
    for (kind, link), packets in MADE.items():
        for name, data in packets.items():
            name = re.sub("[^a-z0-9]+", "-", f"seed-{kind}-{name}".lower())
            if len(data) < 1000:
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(struct.pack("<H", link) + data)


if sys.argv[1:] == ["--seeds"]:
    sys.exit(write_seeds())
facts.need_shared()
if not shutil.which("tshark"):
    print("SKIP: tshark is not installed")
    sys.exit(77)
sys.exit(facts.run_cases(cases()))
