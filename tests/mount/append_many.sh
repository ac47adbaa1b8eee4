#!/usr/bin/env bash
# Eight processes append 10,000 packets each: are there 80,000, each once, each process's own in order?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
"$pktgen" --format pcapng --packets 100 --nanosecond a.pcapng
mount_capture a.pcapng -o rw
wait_indexed
ls "$mnt/packets" >/dev/null
start=$(processor_ms "$daemon")
timeout 200 "$build/tests/mount/append_load" "$mnt/append/0" 8 10000
took=$(($(processor_ms "$daemon") - start))
same "$(cat "$mnt/info/packets")" 80100 'info/packets at once'
same "$(ls "$mnt/packets" | wc -l)" 80100 'listed at once'
same "$(wc -l <"$mnt/packets.tsv")" 80101 'lines of packets.tsv at once'
same "$(ls "$mnt/append/0" | wc -l)" 80000 'links'
same "$(wc -l <"$mnt/info/appended")" 80000 'lines of info/appended'
same "$(ls "$mnt/by/match/process 3 packet/packets" | wc -l)" 10000 'found by a pattern'
cat >check.py <<'PYTHON'
import os, sys
sys.path.insert(0, sys.argv[1])
import append_reader
packets = append_reader.read("a.pcapng").packets
assert len(packets) == 80100, len(packets)
expected = [0] * 8
places = {}
for number, packet in enumerate(packets[100:], 101):
    words = packet.data.split(b"\n")[0].split()
    process, own = int(words[1]), int(words[3])
    assert own == expected[process], f"process {process}: {own}, {expected[process]} was due"
    expected[process] += 1
    places[f"p{process}.{own}"] = number
assert expected == [10000] * 8, expected
for line in open(f"{sys.argv[2]}/info/appended"):
    name, number, offset = line.split("\t")
    number = int(number)
    assert places[name.rsplit("/", 1)[-1]] == number, line
    assert packets[number - 1].offset == int(offset), line
for name in list(places)[::997]:
    path = f"{sys.argv[2]}/append/0/{name}"
    assert os.readlink(path) == f"../../packets/{places[name]:09d}", name
    assert open(path, "rb").read() == packets[places[name] - 1].data, name
PYTHON
python3 -B check.py "$here" "$mnt"
unmount
echo "# 80,000 packets by eight processes in $took ms of processors"
[ "$took" -lt 60000 ] || fail "it took $took ms"
