# SPDX-License-Identifier: BSD-2-Clause
"""A strict reader of captures for the tests of append/, which shares nothing with pktfs.

    capture = read("a.pcapng.zst")      raises Bad when a record is not whole
    capture.packets[0].data, .time (nanoseconds since 1970, rounded down), ...
    capture.blocks                      of a pcapng: (offset, type, bytes, big)

Compressed files are read by zstd(1) and gzip(1), which must accept all of them.
"""
import struct
import subprocess

PCAP = {0xa1b2c3d4: (1000, 16), 0xa1b23c4d: (1, 16), 0xa1b2cd34: (1000, 24)}
SHB, IDB, PB, SPB, NRB, EPB = 0x0a0d0d0a, 1, 2, 3, 4, 6


class Bad(Exception):
    pass


class Interface:
    def __init__(self, section, number, link, snaplen, options):
        self.section, self.number, self.link, self.snaplen = section, number, link, snaplen
        self.options = options
        code = options.get(9, [b"\x06"])[0][0]
        self.ticks = 2 ** (code & 0x7f) if code & 0x80 else 10 ** code
        self.offset = options.get(14, [0])[0]
        self.name = options.get(2, [b""])[0].decode()

    def time(self, ticks):
        return self.offset * 10**9 + ticks * 10**9 // self.ticks


class Packet:
    """interface: its number in the whole file; options: {code: [value, ...]}"""
    def __init__(self, offset, interface, time, data, original, options):
        self.offset, self.interface, self.time = offset, interface, time
        self.data, self.original, self.options = data, original, options

    def key(self):
        return (self.interface, self.time, self.data, self.original,
                sorted((c, tuple(v)) for c, v in self.options.items()))

    @property
    def comments(self):
        return [c.decode() for c in self.options.get(1, [])]

    @property
    def flags(self):
        return self.options.get(2, [None])[0]


class Capture:
    def __init__(self):
        self.packets, self.blocks, self.interfaces = [], [], []
        self.sections = 0


def decoded(path):
    """The bytes of a file; of a compressed one, as others decompress it."""
    with open(path, "rb") as file:
        data = file.read()
    tool = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip"}
    for magic, name in tool.items():
        if data.startswith(magic):
            done = subprocess.run([name, "-dcq"], input=data, capture_output=True, check=False)
            if done.returncode:
                raise Bad(f"{name}: {done.stderr.decode().strip()}")
            return done.stdout
    return data


def read_pcap(data):
    capture = Capture()
    for order in "<>":
        unit, head = PCAP.get(struct.unpack(order + "I", data[:4])[0], (0, 0))
        if unit:
            break
    else:
        raise Bad("no magic")
    if len(data) < 24:
        raise Bad("header cut")
    snaplen, link = struct.unpack(order + "II", data[16:24])
    capture.interfaces.append(Interface(0, 0, link & 0xffff, snaplen,
                                        {9: [b"\x06" if unit == 1000 else b"\x09"]}))
    at = 24
    while at < len(data):
        if len(data) - at < head:
            raise Bad(f"record header cut at {at}")
        sec, fraction, size, original = struct.unpack(order + "IIII", data[at:at + 16])
        if len(data) - at - head < size:
            raise Bad(f"record cut at {at}")
        if fraction * unit >= 10**9:
            raise Bad(f"fraction {fraction} at {at}")
        capture.packets.append(Packet(at, 0, sec * 10**9 + fraction * unit,
                                      data[at + head:at + head + size], original, {}))
        at += head + size
    return capture


def read_options(data, order, numbers):
    """`numbers`: {code: format} of those that are numbers."""
    options, at = {}, 0
    while at < len(data):
        if len(data) - at < 4:
            raise Bad("option cut")
        code, size = struct.unpack(order + "HH", data[at:at + 4])
        if code == 0:
            break
        value = data[at + 4:at + 4 + size]
        if len(value) != size:
            raise Bad("option longer than its block")
        if code in numbers:
            value = struct.unpack(order + numbers[code], value)[0]
        options.setdefault(code, []).append(value)
        at += 4 + size + -size % 4
    return options


def read_pcapng(data, fixed=True):
    """`fixed`: a section that says how long it is must be that long."""
    capture, at, order, first, left = Capture(), 0, None, 0, None
    while at < len(data):
        if len(data) - at < 12:
            raise Bad(f"block cut at {at}")
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            if left:
                raise Bad(f"section at {at} begins {left} bytes early")
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        if order is None:
            raise Bad("no section header")
        kind, size = struct.unpack(order + "II", data[at:at + 8])
        if size < 12 or size % 4 or len(data) - at < size:
            raise Bad(f"block at {at} of {size} bytes, {len(data) - at} are there")
        if struct.unpack(order + "I", data[at + size - 4:at + size])[0] != size:
            raise Bad(f"block at {at}: lengths differ")
        body = data[at + 8:at + size - 4]
        if kind == SHB:
            length = struct.unpack(order + "q", body[8:16])[0]
            left = None if length < 0 or not fixed else length
            capture.sections += 1
            first = len(capture.interfaces)
        elif left is not None:
            left -= size
            if left < 0:
                raise Bad(f"block at {at} is outside of its section")
        if kind == IDB:
            link, _, snaplen = struct.unpack(order + "HHI", body[:8])
            capture.interfaces.append(
                Interface(capture.sections - 1, len(capture.interfaces) - first, link, snaplen,
                          read_options(body[8:], order, {14: "q"})))
        elif kind in (EPB, PB, SPB):
            capture.packets.append(read_packet(capture, at, kind, body, order, first))
        capture.blocks.append((at, kind, data[at:at + size], order == ">"))
        at += size
    if left:
        raise Bad(f"the last section has {left} bytes less than it says")
    return capture


def read_packet(capture, at, kind, body, order, first):
    if kind == SPB:
        interface = capture.interfaces[first]
        original = struct.unpack(order + "I", body[:4])[0]
        size = min(original, interface.snaplen or original)
        return Packet(at, first, None, body[4:4 + size], original, {})
    if kind == EPB:
        number, high, low, size, original = struct.unpack(order + "IIIII", body[:20])
    else:
        number, _, high, low, size, original = struct.unpack(order + "HHIIII", body[:20])
    if size > len(body) - 20:
        raise Bad(f"packet at {at} is longer than its block")
    if first + number >= len(capture.interfaces):
        raise Bad(f"packet at {at} is of interface {number}, which is not there")
    options = read_options(body[20 + size + -size % 4:], order, {2: "I", 4: "Q", 5: "Q", 6: "I"})
    time = capture.interfaces[first + number].time(high << 32 | low)
    return Packet(at, first + number, time, body[20:20 + size], original, options)


def read_bytes(data):
    return read_pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else read_pcap(data)


def read(path):
    return read_bytes(decoded(path))
