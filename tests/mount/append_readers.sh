#!/usr/bin/env bash
# While four processes append: does whoever looks see whole records only, all that was there before, and never less?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
cat >look.py <<'PYTHON'
"""look.py MNT WRITERS: looks at everything until the process WRITERS ends."""
import os, sys, time
sys.path.insert(0, os.environ["HERE"])
import append_reader
mnt, writers = sys.argv[1], int(sys.argv[2])

def read(name):
    with open(f"{mnt}/{name}", "rb") as file:
        return file.read()

def packets():
    return int(read("info/packets"))

def of(data):
    return [(p.time, p.data) for p in append_reader.read_bytes(data).packets]

def tsv(name):
    text = read(name).decode()
    assert text.endswith("\n"), "a cut line"
    lines = text.splitlines()[1:]
    assert [int(line.split("\t")[0]) for line in lines] == sorted(
        int(line.split("\t")[0]) for line in lines), "order"
    return len(lines)

kept, rounds, least = [], 0, {}
capture = next(n for n in os.listdir(mnt) if n.startswith("capture"))
while True:
    alive = os.path.exists(f"/proc/{writers}")
    before = packets()
    looks = {
        "listing": lambda: len(os.listdir(f"{mnt}/packets")),
        "packets.tsv": lambda: tsv("packets.tsv"),
        "by/range": lambda: len(os.listdir(f"{mnt}/by/range/1-1000000/packets")),
        "by/interface": lambda: tsv("by/interface/0/packets.tsv"),
        "by/match": lambda: BASE + len(os.listdir(f"{mnt}/by/match/process . packet/packets")),
        "by/filter": lambda: len(os.listdir(f"{mnt}/by/filter/greater 0/packets")),
        "info/packets": packets,
    }
    BASE = 50
    for name, look in looks.items():
        now = packets()
        got = look()
        assert now <= got <= packets(), f"{name}: {got}, there were {now}"
        assert got >= least.get(name, 0), f"{name}: {got} after {least[name]}"
        least[name] = got
    for name in ("capture.pcap", "capture.pcapng", "by/range/1-1000000/capture.pcapng"):
        now = packets()
        got = of(read(name))
        assert now <= len(got) <= packets(), f"{name}: {len(got)} packets, there were {now}"
        assert got[:len(kept)] == kept, f"{name}: other packets than before"
        if name == capture:
            kept = got
    number = packets()
    data = read(f"packets/{number}")
    assert len(data) == os.stat(f"{mnt}/packets/{number}").st_size, number
    assert data == of(read(capture))[number - 1][1], number
    rounds += 1
    if not alive:
        break
print(f"# {rounds} rounds, {packets()} packets in the end")
assert packets() == BASE + 4 * int(sys.argv[3]), packets()
PYTHON
export HERE=$here PYTHONDONTWRITEBYTECODE=1
each=600
for kind in 'a.pcapng:--format pcapng' 'b.pcap:--nanosecond' 'c.pcapng.zst:--format pcapng --zstd frames:4' \
	    'd.pcap.gz:--gzip'; do
	file=${kind%%:*}
	# shellcheck disable=SC2086
	"$pktgen" --packets 50 ${kind#*:} "$file"
	mount_capture "$file" -o rw
	wait_indexed
	"$build/tests/mount/append_load" -w 2000 "$mnt/append/0" 4 $each &
	load=$!
	timeout 60 python3 look.py "$mnt" $load $each || fail "$file"
	wait $load || fail "$file: append_load"
	unmount
	same "$(packets_in "$file")" $((50 + 4 * each)) "packets in $file"
done
