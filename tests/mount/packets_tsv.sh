#!/usr/bin/env bash
# Is packets.tsv right, and is line N found by arithmetic?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 1234 a.pcapng --files disk
mount_capture a.pcapng
wait_indexed
python3 - "$mnt/packets.tsv" disk "$here" <<'PYTHON'
import datetime, os, sys
sys.path.insert(0, sys.argv[3])
import captures
path, disk = sys.argv[1:3]
text = open(path, "rb").read()
assert os.stat(path).st_size == len(text), "size"
head, rest = text.split(b"\n", 1)
lines = rest.splitlines(keepends=True)
assert len(lines) == 1234, len(lines)
length = len(lines[0])
assert {len(line) for line in lines} == {length}, "lines of different length"
names = head.decode().rstrip().split("\t")
assert len(names) == 6, names
with open(path, "rb") as f:
    for n in (1, 617, 1234):
        f.seek(len(head) + 1 + (n - 1) * length)
        assert f.read(length) == lines[n - 1], n
for n, (line, packet) in enumerate(zip(lines, captures.packets(1234)), 1):
    number, time, interface, link, captured, original = (c.strip() for c in line.decode().rstrip("\n").split("\t"))
    when = datetime.datetime.fromtimestamp(packet.sec, datetime.timezone.utc)
    assert int(number) == n, (n, number)
    assert time == f"{when:%Y-%m-%dT%H:%M:%S}.{packet.nsec:09d}Z", (n, time)
    assert int(interface) == 0 and link in ("ETHERNET", "1"), (n, interface, link)
    assert int(captured) == len(packet.data) and int(original) == packet.original, n
PYTHON
# as a table, with the tools of tables
same "$(awk -F'\t' 'NR > 1 {s += $5} END {print s}' "$mnt/packets.tsv")" "$(cat "$mnt/info/bytes")" 'sum of lengths'
same "$(sed -n 43p "$mnt/packets.tsv" | cut -f1 | sed 's/^[ 0]*//; s/ *$//')" 42
