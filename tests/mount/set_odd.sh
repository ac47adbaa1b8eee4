#!/usr/bin/env bash
# Sets under bad input: odd expressions, ten thousand of them, interruption, damage, a file that is cut, a
# pattern that explodes, many readers.
. "$(dirname "$0")/lib.sh"
pktgen=$build/tests/tools/pktgen
[ -x "$pktgen" ] || skip 'pktgen is not built (make tests)'
instrumented=
! grep -qa __asan_init "$pktfs" || instrumented=1

alive()
{
	kill -0 "$daemon" 2>/dev/null || fail "the daemon is gone after $1"
}

# ---- names of 255 bytes, and every byte
"$pktgen" --packets 20000 a.pcap
mount_capture a.pcap
wait_indexed
python3 - "$mnt" <<'PYTHON'
import errno, os, sys
by = os.fsencode(sys.argv[1]) + b"/by/"

def look(name):
    """The packets of a set, or None where there is no such set."""
    try:
        return os.listdir(by + name + b"/packets")
    except OSError as e:
        assert e.errno in (errno.ENOENT, errno.ENOTDIR), (name, e)
        return None

# as long as a name can be, right and wrong
long = b"tcp" + b" or tcp" * 36
assert len(long) == 255
assert look(b"filter/" + long) == look(b"filter/tcp"), "255 bytes"
# (%20 takes three bytes of a name and one of an expression)
assert look(b"filter/" + (b"tcp" + b"%20" * 84)) == look(b"filter/tcp")
assert look(b"filter/" + b"x" * 255) is None
assert look(b"filter/" + b"%" * 255) is None
assert look(b"filter/" + b"(" * 255) is None
assert look(b"match/" + b"x" * 255) == []
assert look(b"match/" + b"(" * 255) is None
assert look(b"match/" + b"(" * 127 + b")" * 127) is not None
assert look(b"match/" + b"[^a]{1}" * 36) is not None
assert look(b"range/" + b"1," * 127 + b"1") == ["000000001".encode()]
assert look(b"range/" + b"9" * 255) is None
assert look(b"time/" + b"2" * 255) is None
assert look(b"interface/" + b"0" * 255) in (None, look(b"interface/0"))
for kind in (b"filter/", b"match/", b"range/", b"time/", b"interface/"):
    try:
        os.stat(by + kind + b"x" * 256)
    except OSError as e:
        assert e.errno == errno.ENAMETOOLONG, e
    else:
        sys.exit("256 bytes")

# every byte, raw and as %XX, alone, in the middle, at the end
count = 0
for byte in range(1, 256):
    raw = bytes([byte])
    for form in (raw, b"%%%02X" % byte, b"%%%02x" % byte):
        if b"/" in form:
            continue
        for kind, word in ((b"filter/", b"tcp"), (b"match/", b"GET"), (b"range/", b"1"), (b"interface/", b"0"),
                           (b"time/", b"2026-11-21")):
            for name in (form, word + form, form + word, word + form + word):
                if name not in (b".", b".."):
                    look(kind + name)
                    count += 1
    # the byte as it is, however it is written
    assert look(b"match/\\x%02x" % byte) == look(b"match/[%%5c%%%02X]" % byte if byte in b"\\]^-" else
                                                 b"match/[%%%02X]" % byte) or byte in b"\\]^-", byte
assert look(b"filter/%00") is None and look(b"match/%00") is None
# blanks and comments do not matter to libpcap
assert look(b"filter/ \ttcp%0a ") == look(b"filter/tcp")
assert look(b"filter/" + b" ") is not None, "an expression of blanks selects all"
print(f"{count} names")
PYTHON
alive 'odd names'
tail -c 1 "$mnt/info/log" | cmp - <(echo) || fail 'info/log does not end with a newline'

# ---- ten thousand different filters in a row: in time and in memory
number=10000
[ -z "$instrumented" ] || number=1000
begin=$(processor_ms "$daemon")
python3 - "$mnt" $number <<'PYTHON'
import os, sys
mnt, number = sys.argv[1], int(sys.argv[2])
lengths = {}
with open(f"{mnt}/packets.tsv") as table:
    for line in table.readlines()[1:]:
        columns = line.split("\t")
        lengths.setdefault(int(columns[5]), []).append(columns[0].strip().zfill(9))

def check(i):
    got = os.listdir(f"{mnt}/by/filter/len = {i}/packets")
    assert got == lengths.get(i, []), f"len = {i}: {len(got)} packets instead of {len(lengths.get(i, []))}"

for i in range(number):
    check(i)
# those whose results were dropped meanwhile are the same again
for i in list(range(0, number, 97)) + [60, 62, 590, 1514]:
    check(i)
PYTHON
took=$(($(processor_ms "$daemon") - begin))
memory=$(own_memory "$daemon")
echo "$number filters over 20000 packets: $took ms, RssAnon $memory KiB"
[ -n "$instrumented" ] || [ "$memory" -lt 131072 ] || fail "RssAnon $memory KiB"
[ "$took" -lt 60000 ] || fail "$took ms for $number filters"
alive 'many filters'

# ---- eight readers of different sets at once, each as it would be alone
cat >reader.py <<'PYTHON'
import hashlib, os, sys
mnt, which = sys.argv[1], int(sys.argv[2])
questions = ["filter/udp", "filter/tcp", "match/\\x00\\x00", "range/100-15000", "interface/0",
             "time/2026-11-21", "filter/len > 500", "match/(?i)[a-z]{8}"]
hashed = hashlib.sha256()
for turn in range(12):
    question = questions[(which + turn) % 8]
    size = f"{which}" if turn % 2 else "0"
    path = f"{mnt}/by/{question}/by/filter/len != 5{size}"
    hashed.update(" ".join(os.listdir(f"{path}/packets")).encode())
    for name in ("packets.tsv", "info/packets", "info/bytes", "capture.pcap"):
        with open(f"{path}/{name}", "rb") as file:
            hashed.update(file.read())
print(hashed.hexdigest())
PYTHON
for which in 0 1 2 3 4 5 6 7; do
	python3 reader.py "$mnt" $which >together.$which 2>&1 &
	pids[which]=$!
done
for which in 0 1 2 3 4 5 6 7; do
	wait "${pids[which]}" || fail "reader $which: $(cat together.$which)"
done
unmount
mount_capture a.pcap
wait_indexed
for which in 0 3 7; do
	python3 reader.py "$mnt" $which | cmp - together.$which || fail "reader $which reads something else alone"
done
unmount

# ---- a pattern that explodes is given up, in each packet, and soon
python3 - "$here" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from captures import *
some = [Packet(START, n, b"x" * 1400) for n in range(40)] + [Packet(START, 50, b"xxy")]
open("x.pcap", "wb").write(pcap(some))
PYTHON
mount_capture x.pcap
wait_indexed
for pattern in '(x+x+)+y' '(x|x)*y$' '^(?:x?){1400}x{1400}yz' '(?R)?x(?1)?(x*)*z' '((x{1,700}){1,700}){1,9}z'; do
	begin=$(processor_ms "$daemon")
	timeout 120 ls "$mnt/by/match/$pattern/packets" >found || [ $? = 2 ] || fail "'$pattern' does not end"
	took=$(($(processor_ms "$daemon") - begin))
	echo "'$pattern': $(wc -l <found) packets, $took ms"
	[ -n "$instrumented" ] || [ $took -lt 10000 ] || fail "'$pattern' takes long"
	alive "$pattern"
done
same "$(ls "$mnt/by/match/(x+x+)+y/packets")" 000000041 'the packet in which it does not explode'
unmount

# ---- an evaluation that waits for the rest of the capture can be interrupted, and is right afterwards
"$pktgen" --packets 3000 whole.pcap
mkfifo feed
exec 7<>feed
head -c 300000 whole.pcap >&7 &
feeder=$!
mkdir -p "$mnt"
"$pktfs" -f - "$mnt" <feed 2>>stderr 7>&- &
daemon=$!
wait_until 60 is_mounted "$mnt"
wait $feeder
wait_until 60 eval '[ "$(cat "$mnt/info/packets")" -gt 100 ]'
for signal in INT TERM KILL; do
	env --default-signal=INT cat "$mnt/by/filter/udp/packets.tsv" >partial 2>&1 7>&- &
	reader=$!
	wait_until 60 grep -qx cat "/proc/$reader/comm" # before that it ignores SIGINT
	sleep 0.3
	kill -0 $reader || fail "cat did not wait: $(cat partial)"
	kill -$signal $reader
	begin=$SECONDS
	wait $reader 2>/dev/null && fail "cat ended well after SIG$signal"
	[ $((SECONDS - begin)) -lt 60 ] || fail "SIG$signal took long"
done
# what does not need the rest answers now: a listing is of what has come, a lookup is about one packet
timeout 60 ls "$mnt/by/filter/udp/packets" >begun || fail 'ls waits for the rest'
timeout 60 stat "$mnt/by/range/1-50/packets/7" >/dev/null || fail 'a packet of a set waits for the rest'
[ "$(cat "$mnt/by/filter/udp/info/state")" != complete ] || fail 'complete before the capture is'
# three that wait at once
for n in 1 2 3; do
	# (without the writing end, which it would keep open)
	timeout 60 cat "$mnt/by/filter/udp/packets.tsv" >waited.$n 7>&- &
	pids[n]=$!
done
sleep 0.2
tail -c +300001 whole.pcap >&7 &
feeder=$!
wait $feeder
exec 7>&-
for n in 1 2 3; do
	wait "${pids[n]}" || fail 'cat failed'
done
cmp waited.1 waited.2
cmp waited.1 waited.3
unmount
mount_capture whole.pcap
cmp "$mnt/by/filter/udp/packets.tsv" waited.1
ls "$mnt/by/filter/udp/packets" >whole
same "$(comm -23 begun whole)" '' 'listed before the end and not at the end'
unmount

# ---- damaged and cut captures: what is before the damage is in the sets
make_capture pcapng 100 b.pcapng
for cut in 1 40 2000; do
	head -c $(($(stat -c %s b.pcapng) - cut)) b.pcapng >cut.pcapng
	mount_capture cut.pcapng
	wait_indexed
	packets=$(cat "$mnt/info/packets")
	same "$(ls "$mnt/by/filter/len >= 0/packets" | wc -l)" "$packets" "cut by $cut"
	same "$(ls "$mnt/by/match/packet/packets" | wc -l)" "$(grep -l packet "$mnt"/packets/* | wc -l)"
	same "$(cat "$mnt/by/filter/len >= 0/info/packets")" "$packets"
	same "$(cat "$mnt/by/filter/len >= 0/info/state")" "$(cat "$mnt/info/state")" 'state of a set'
	if command -v capinfos >/dev/null; then
		same "$(capinfos -TrcM "$mnt/by/filter/len >= 0/capture.pcapng" 2>&1 | cut -f2)" "$packets"
		same "$(capinfos -TrcM "$mnt/by/range/1-9/capture.pcap" 2>&1 | cut -f2)" 9
	fi
	unmount
done
{ head -c 3000 b.pcapng; printf '\6\0\0\0\377\377\377\177'; tail -c 3000 b.pcapng; } >damaged.pcapng
mount_capture damaged.pcapng
wait_indexed
[ "$(cat "$mnt/info/state")" != complete ] || fail 'not damaged'
same "$(ls "$mnt/by/filter/len >= 0/packets" | wc -l)" "$(cat "$mnt/info/packets")" 'damaged'
unmount

# ---- the file is cut under an evaluation: an error for what is gone, and the rest goes on
words_allowed=1
"$pktgen" --packets 200000 big.pcap
mount_capture big.pcap
wait_indexed
ls "$mnt/by/filter/tcp/packets" >before
truncate -s $(($(stat -c %s big.pcap) / 2)) big.pcap
timeout 60 ls "$mnt/by/filter/udp/packets" >after 2>err || [ $? = 2 ] || fail 'ls of a set does not end'
grep -q 'Input/output error' err || fail "no error for what is gone: $(cat err | head -3)"
timeout 60 cat "$mnt/by/filter/udp/packets.tsv" >/dev/null 2>err && fail 'a table of what is gone'
alive 'a cut file'
same "$(ls "$mnt/by/range/1-100/packets" | wc -l)" 100 'before the cut'
timeout 60 ls "$mnt/by/range/1-100/by/filter/udp/packets" >/dev/null || fail 'a set before the cut'
timeout 60 ls "$mnt/by/match/abc/packets" >/dev/null 2>&1 || true
# what was evaluated before is known
timeout 60 ls "$mnt/by/filter/tcp/packets" | cmp - before
truncate -s 0 big.pcap
timeout 60 ls "$mnt/by/filter/icmp/packets" >/dev/null 2>&1 && fail 'a set of nothing'
cat "$mnt/info/state" >/dev/null
alive 'a file that is empty now'
