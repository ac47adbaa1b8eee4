#!/usr/bin/env bash
# Sets in sets: their packets, inodes, info/, packets.tsv and capture files; and listings end.
. "$(dirname "$0")/lib.sh"
pktgen=$build/tests/tools/pktgen
[ -x "$pktgen" ] || skip 'pktgen is not built (make tests)'
for program in tshark capinfos editcap tcpdump; do
	command -v $program >/dev/null || skip "$program is not installed"
done
shared=${PKTFS_SHARED:-$top/../shared}/captures/files
export PKTFS_BUILD_DIR=$build PYTHONPATH=$top/tests/corpus PYTHONDONTWRITEBYTECODE=1

cat >check.py <<'PYTHON'
"""check.py MNT SET...: each set's directory against the root's."""
import glob
import hashlib
import os
import random
import re
import subprocess
import sys

import marked
from facts import expect
from mounted import Mounted

mnt, sets = sys.argv[1], sys.argv[2:]
rows = {row.number: row for row in marked.rows(mnt)}
types = marked.link_types(mnt)
with open(f"{mnt}/packets.tsv") as table:
    lines = table.readlines()
head, lines = lines[0], dict(zip(sorted(rows), lines[1:]))
exports = 0
libpcap_reads = subprocess.run(["tcpdump", "-r", f"{mnt}/capture.pcapng", "-w", "/dev/null"],
                               capture_output=True).returncode == 0


def text(path):
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return file.read().removesuffix("\n")


def check_info(path, numbers):
    times = [rows[n].time for n in numbers if rows[n].time is not None]
    said = {name: text(f"{path}/info/{name}") for name in os.listdir(f"{path}/info")}
    want = {"packets": str(len(numbers)), "bytes": str(sum(rows[n].captured for n in numbers))}
    if times:
        span = max(times) - min(times)
        texts = [rows[n].text for n in numbers if rows[n].text]
        want |= {"first_time": texts[0], "last_time": texts[-1],
                 "duration": f"{span // 10**9}.{span % 10**9:09d}"}
    state = text(f"{mnt}/info/state")
    want |= {"state": state, "progress": said["progress"] if state != "complete" else "100.0"}
    expect(said == want, f"{path}/info: {said} instead of {want}")


def check_table(path, numbers):
    with open(f"{path}/packets.tsv") as table:
        got = table.readlines()
        size = os.fstat(table.fileno()).st_size
    expect(got == [head] + [lines[n] for n in numbers], f"{path}/packets.tsv")
    expect(size == len(head) * (len(numbers) + 1), f"{path}/packets.tsv: size {size}")
    with open(f"{path}/packets.tsv", "rb") as table:
        for rank in random.sample(range(len(numbers)), min(20, len(numbers))):
            table.seek((rank + 1) * len(head))
            expect(table.read(len(head)).decode() == lines[numbers[rank]], f"{path}: line {rank + 1}")


def check_inodes(path, numbers):
    """packets/ and payload/: hard links to those of the root, in order."""
    found = list(os.scandir(f"{path}/packets"))
    expect([int(e.name) for e in found] == numbers, f"{path}/packets")
    for entry in found[:200] + found[-200:]:
        root = os.stat(f"{mnt}/packets/{entry.name}")
        here = os.stat(entry.path)
        expect(entry.inode() == here.st_ino == root.st_ino, f"{entry.path}: inode")
        expect((here.st_size, here.st_mtime_ns, here.st_mode) == (root.st_size, root.st_mtime_ns, root.st_mode),
               f"{entry.path}: attributes")
    other = next((n for n in rows if n not in set(numbers)), None)
    expect(other is None or not os.path.exists(f"{path}/packets/{other}"), f"{path}/packets/{other} is there")
    if numbers:
        expect(os.stat(f"{path}/packets/{numbers[0]}").st_ino == os.stat(f"{mnt}/packets/{numbers[0]}").st_ino,
               "by number")
        expect(os.path.exists(f"{path}/packets/{numbers[0]}.json"), f"{numbers[0]}.json")
    mine = set(numbers)
    want = [(e.name, e.inode()) for e in os.scandir(f"{mnt}/payload") if int(e.name) in mine]
    got = [(e.name, e.inode()) for e in os.scandir(f"{path}/payload")]
    expect(got == want, f"{path}/payload: {got[:5]} instead of {want[:5]}")


def attribute(path, name):
    try:
        return os.getxattr(path, f"user.pktfs.{name}")
    except OSError:
        return None


def packet(where, number, pcapng):
    """What a packet is, wherever it stands."""
    path = f"{where}/packets/{number}"
    with open(path, "rb") as file:
        stat, data = os.fstat(file.fileno()), file.read()
    interface = f"{where}/interfaces/{int(attribute(path, 'interface'))}"
    facts = [hashlib.sha256(data).hexdigest(), attribute(path, "original_length"),
             text(f"{interface}/link_type_number")]
    if rows and attribute(path, "time") is not None:
        facts.append(stat.st_mtime_ns)
    if pcapng:
        facts += [attribute(path, "comment"), text(f"{interface}/name"), text(f"{interface}/description")]
    return facts


def programs(path, count, pcapng, one_link):
    """Each reads it without a word, and counts the same."""
    def run(*argv, lines=True):
        done = subprocess.run(argv, capture_output=True, env=marked.ENV)
        words = [l for l in done.stderr.decode().splitlines() if
                 not l.startswith(("reading from file", "Running as user"))]
        expect(done.returncode == 0 and not words, f"{path}: {argv[0]}: {done.returncode}: {words[:3]}")
        return done.stdout.decode(errors="replace")

    frames = run("tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.number", "-e", "frame.comment").splitlines()
    expect(len(frames) == count, f"{path}: tshark: {len(frames)} of {count}")
    told = run("capinfos", "-TrcM", path).split("\t")
    expect(int(told[1]) == count, f"{path}: capinfos: {told}")
    run("editcap", path, "edited")
    if one_link and count:
        run("tcpdump", "-r", path, "-w", "dumped")
        with open("dumped", "rb") as file:
            expect(len(marked.records(file.read())) == count, f"{path}: tcpdump")
    return [frame.split("\t")[1] for frame in frames if pcapng and not frame.endswith("\t")]


def check_export(path, name, numbers):
    global exports
    file, pcapng = f"{path}/{name}", name.endswith("pcapng")
    with open(file, "rb") as source:
        data, size = source.read(), os.fstat(source.fileno()).st_size
        expect(len(data) == size, f"{file}: size {size}, {len(data)} bytes")
        for _ in range(60):
            at = random.randrange(size + 1)
            length = random.choice((1, 7, 100, 5000, 70000))
            got = os.pread(source.fileno(), length, at)
            expect(got == data[at:at + length], f"{file}: {length} bytes at {at}")
    out = "out.pcapng" if pcapng else "out.pcap"
    with open(out, "wb") as copy:
        copy.write(data)
    link_types = {types[rows[n].interface] for n in numbers}
    # libpcap takes no pcapng of several link types or, in a released version,
    # byte orders: where it refuses the whole, it may refuse the part
    comments = programs(out, len(numbers), pcapng, len(link_types) == 1 and (not pcapng or libpcap_reads))
    with Mounted(out) as again:
        expect(again.info("state") == "complete", f"{file}: {again.info('state')}")
        expect(again.info("packets") == str(len(numbers)), f"{file}: {again.info('packets')} packets")
        for new, old in enumerate(numbers, 1):
            want, got = packet(mnt, old, pcapng), packet(again.mnt, new, pcapng)
            expect(got == want, f"{file}: packet {new} (of {old}): {got} instead of {want}")
        if pcapng and comments:
            own = [attribute(f"{mnt}/packets/{n}", "comment") for n in numbers]
            expect(len([c for c in own if c]) == len(comments), f"{file}: {len(comments)} comments")
        if pcapng and numbers:
            used = len({rows[n].interface for n in numbers})
            expect(len(os.listdir(f"{again.mnt}/interfaces")) == used, f"{file}: interfaces")
    exports += 1


for path in sets:
    numbers = [int(n) for n in os.listdir(f"{path}/packets")]
    check_inodes(path, numbers)
    check_table(path, numbers)
    check_info(path, numbers)
    listed = os.listdir(path)
    expect(sorted(set(listed) - {"expression"} - set(n for n in listed if re.match(r"capture|\d\d$", n))) ==
           ["info", "packets", "packets.tsv", "payload"], f"{path}: {listed}")
    expect("capture.pcapng" in listed, f"{path}: {listed}")
    for name in (n for n in listed if n.startswith("capture.")):
        mine = numbers
        link = re.fullmatch(r"capture\.(.+)\.pcap", name)
        if link:
            mine = [n for n in numbers if lines[n].split("\t")[3].strip() == link.group(1)]
            expect(mine, f"{path}/{name} has no packets")
        check_export(path, name, mine)
    links = {types[rows[n].interface] for n in numbers}
    pcaps = [n for n in listed if n.endswith(".pcap")]
    expect(len(pcaps) == max(1, len(links)), f"{path}: {pcaps} for {links}")
print(f"{len(sets)} sets, {exports} capture files")
PYTHON

# ---- four levels deep
"$pktgen" --format pcapng --packets 3000 --sections 2 --interfaces 2 --mixed-endian --nanosecond a.pcapng
mount_capture a.pcapng
wait_indexed
deep="$mnt/by/interface/1/by/filter/udp/by/range/1-2500/by/filter/len > 100"
same "$(ls "$deep/packets")" "$(ls "$mnt/by/filter/len > 100 and udp/by/interface/1/by/range/-2500/packets")" 'another order'
comm -12 <(ls "$mnt/by/interface/1/packets") <(ls "$mnt/by/filter/udp and len > 100/packets") |
	awk '$1 <= 2500' >want
ls "$deep/packets" | cmp - want
[ -s want ] || fail 'nothing in the deep set'
comm -12 want <(ls "$mnt/by/match/\x00\x11/packets") >want5
ls "$deep/by/match/\x00\x11/packets" | cmp - want5
name=$(ls "$mnt/by/interface" | grep -v '^[0-9]*$' | head -1) || true
[ -z "$name" ] || same "$(readlink "$mnt/by/interface/$name" | tr -d '0-9')" '' 'the target of an interface name'
day=$(ls "$mnt/by/time")
hour=$(ls "$mnt/by/time/$day" | grep -x '[0-9][0-9]')
python3 check.py "$mnt" "$deep" "$deep/by/time/$day" "$mnt/by/interface/2" "$mnt/by/range/7,9,2000-2004" \
	"$mnt/by/time/$day/$hour" "$mnt/by/filter/len > 100000" "$mnt/by/range/5000-" "$mnt/by/filter/ip6"

# the way back up is the way that one came
(cd "$deep/packets" && [ "$(cd .. && ls packets | wc -l)" = "$(wc -l <"$work/want")" ])
(cd "$deep/packets" && cd -P ../../.. && ls range >/dev/null && cd -P .. &&
	same "$(ls packets | wc -l)" "$(ls "$mnt/by/interface/1/by/filter/udp/by/range/1-2500/packets" | wc -l)")

# ---- an empty set is a valid empty everything
empty="$mnt/by/filter/len > 100000"
same "$(ls "$empty/packets" "$empty/payload" | grep -v ':$' | tr -d '\n')" '' 'an empty set lists'
same "$(cat "$empty/info/packets") $(cat "$empty/info/bytes") $(cat "$empty/info/state")" '0 0 complete'
expect_errno ENOENT "os.stat('$empty/info/first_time')"
same "$(wc -l <"$empty/packets.tsv")" 1
for file in "$empty"/capture.*; do
	same "$(capinfos -TrcM "$file" | cut -f2)" 0 "packets of $file"
	same "$(tshark -r "$file" 2>&1 | sed '/^Running as user/d')" ''
	expect 0 editcap "$file" edited
done
expect 0 tcpdump -r "$empty/capture.pcap"

# ---- listings end, and nothing is listed inside itself
mkdir "$mnt/by/filter/named" "$mnt/by/interface/0/by/filter/inner"
echo udp >"$mnt/by/filter/named/expression"
echo tcp >"$mnt/by/interface/0/by/filter/inner/expression"
timeout 60 find "$mnt" -printf '%y %i %p\n' >found || fail 'find does not end'
python3 - found "$mnt" <<'PYTHON'
import os, sys
above, seen = {}, set()
for line in open(sys.argv[1]):
    kind, inode, path = line.rstrip("\n").split(" ", 2)
    assert path not in seen, f"{path} is listed twice"
    seen.add(path)
    if kind != "d":
        continue
    above[path] = inode
    at = os.path.dirname(path)
    while at.startswith(sys.argv[2]):
        assert above[at] != inode, f"{path} is inside itself"
        at = os.path.dirname(at)
    inner = path[len(sys.argv[2]):].split("/")
    assert inner.count("by") <= 1, f"by/ is listed in a set: {path}"
    assert len(inner) < 10, f"too deep: {path}"
PYTHON
grep -q "/by/filter/named/packets/" found || fail 'the named set was not visited'
! grep -q "/inner" found || fail 'a set in a set is listed'
# a packet has one inode, however many names
same "$(awk '$3 ~ /\/packets\/000000007$/ {print $2}' found | sort -u | wc -l)" 1 'inodes of packet 7'
[ "$(grep -c '/packets/000000007$' found)" -gt 3 ] || fail 'packet 7 is in few sets'
timeout 60 find -L "$mnt/by" -name 000000007 >/dev/null || fail 'find -L does not end'
timeout 60 du -s "$mnt" >/dev/null || fail 'du'
timeout 60 grep -rl 'no such bytes at all' "$mnt/by" && fail 'found'
unmount

# ---- several sections, link types and interfaces; comments; what else there is
check_file()
{
	local file=$1

	shift
	mount_capture "$file"
	wait_indexed
	local sets=() name
	for name in "$@"; do
		sets+=("$mnt/by/$name")
	done
	python3 check.py "$mnt" "${sets[@]}" | sed "s|^|$(basename "$file"): |"
	unmount
}
"$pktgen" --sample --format pcapng sample.pcapng
check_file sample.pcapng 'filter/ip' 'filter/udp' 'filter/ip6/by/filter/udp' 'range/2-' 'range/1' 'match/\x00' \
	'interface/0' 'filter/not ip'
"$pktgen" --packets 800 --nanosecond --big-endian nano.pcap
check_file nano.pcap 'filter/tcp' 'range/800' 'range/1-100,300-400' 'filter/len > 100000' 'time/2026-11-21'
"$pktgen" --packets 500 --modified --disorder modified.pcap
check_file modified.pcap 'filter/tcp' 'interface/0'
"$pktgen" --packets 500 --link-type 101 --zstd frames:4 raw.pcap.zst
check_file raw.pcap.zst 'filter/ip and udp' 'range/-499'
if [ -d "$shared" ]; then
	check_file "$shared/fpcap__many_interfaces-1.pcapng" 'filter/ip' 'range/3-9' 'interface/2' 'range/1-' \
		'filter/udp/by/interface/3'
	check_file "$shared/gopacket__epb.pcapng" 'filter/ip or not ip' 'range/2-' 'range/1'
	check_file "$shared/PcapPlusPlus__ldap.pcapng" 'filter/tcp' 'range/5,6,7' 'filter/len > 0'
	check_file "$shared/brimcap__extra.pcapng" 'filter/tcp' 'range/2-5'
	check_file "$shared/LightPcapNg__test_write_decryption_block.pcapng" 'filter/len > 0' 'filter/len < 0'
	check_file "$shared/ptcpdump__tcp.pcapng" 'filter/tcp' 'range/3-' 'match/(?i)http'
	check_file "$shared/gopacket__test901.pcapng" 'range/2' 'range/1-'
fi
