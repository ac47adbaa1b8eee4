#!/usr/bin/env bash
# Are files that appear in a directory added at the end, as dumpcap -b and
# tcpdump -C leave them; does the last one grow; are removed files let go of, and
# is what was overwritten an error?
. "$(dirname "$0")/lib.sh"

packets_are()
{
	[ "$(cat "$mnt/info/packets")" = "$1" ]
}

# packets A B: packets A to B are those that captures.py made from 1 on
check_packets()
{
	local from=$1 to=$2 n

	for ((n = from; n <= to; n++)); do
		cmp "$mnt/packets/$n" "want/$(printf %09d $((n - from + 1)))" || fail "packet $n"
	done
}

# dumpcap takes an empty packet for the end of a pipe
make_capture pcap 3000 all.pcap --small --files want
mkdir ring
make_capture pcapng 10 ring/a.pcapng
touch -d '1 minute ago' ring/a.pcapng
words_allowed=1 # of reads that fail
mount_capture ring
wait_indexed
packets_are 10

# a real ring: dumpcap writes 30 files while we look (31)
python3 - all.pcap <<-'PYTHON' | dumpcap -q -i - -b packets:99 -w ring/dump.pcapng 2>dumpcap.err
	import sys, time
	data, out = open(sys.argv[1], "rb").read(), sys.stdout.buffer
	for at in range(0, len(data), len(data) // 50 + 1):
	    out.write(data[at:at + len(data) // 50 + 1])
	    out.flush()
	    time.sleep(0.04)
PYTHON
wait_until 60 packets_are 3010
same "$(find ring -name 'dump*' | wc -l)" 31
wait_until 60 eval '[ "$(ls "$mnt/files" | wc -l)" = 32 ]'
check_packets 11 3010
diff <(ls ring) <(ls "$mnt/files")
[ ! -e "$mnt/info/problem" ] || fail "$(cat "$mnt/info/problem")"
last=$(ls ring | tail -1)
same "$(cat "$mnt/files/$last/info/last_packet")" 3010
same "$(ls "$mnt/by/file/$last/packets" | tail -1)" 000003010
tshark -r "$mnt/capture.pcapng" 2>tshark.err >lines || fail "$(cat tshark.err)"
same "$(wc -l <lines)" 3010

# a file that is written in odd pieces is the last and grows; the next one waits
python3 - ring all.pcap <<-'PYTHON'
	import sys, time
	ring, data = sys.argv[1], open(sys.argv[2], "rb").read()
	with open(f"{ring}/x1.pcap", "wb", buffering=0) as first:
	    first.write(data[:10])          # half a head
	    time.sleep(0.3)
	    first.write(data[10:1000])
	    time.sleep(0.3)
	    first.write(data[1000:5000])
	    open(f"{ring}/x2.pcap", "wb").write(data[:24])
	    time.sleep(0.5)
	    first.write(data[5000:])
PYTHON
wait_until 60 packets_are 6010
check_packets 3011 4000
wait_until 60 test -d "$mnt/files/x2.pcap"
same "$(cat "$mnt/files/x1.pcap/info/state")" complete

# removed: it is let go of. (Packets that were read are in the page cache, not what
# they are as a pcapng.)
first=$(ls ring | grep dump | head -1)
number=$(cat "$mnt/files/$first/info/last_packet")
has_open() { # has_open NAME: does the daemon, or its keeper, still have it?
	ls -l "/proc/$daemon/fd" "/proc/$(pgrep -P "$daemon")/fd" >fds
	grep -q "/$1" fds
}
has_open "$first" || fail "$first is not open"
rm "ring/$first"
wait_until 60 grep -q "ring/$first: was removed" "$mnt/info/log"
grep -q 'was removed' "$mnt/files/$first/info/problem"
expect_errno EIO "open('$mnt/packets/$number.pcapng', 'rb').read()"
! has_open "$first" || fail "$first is still open"
! grep -q "/$first" "/proc/$daemon/maps" || fail "$first is still mapped"
same "$(cat "$mnt/files/$first/info/packets")" "$((number - $(cat "$mnt/files/$first/info/first_packet") + 1))"
# what cannot be read is no member of a set that is asked for now
same "$(ls "$mnt/by/filter/len > 1/packets" | wc -l)" "$((6010 - $(cat "$mnt/files/$first/info/packets")))"
# renamed is not removed
mv ring/a.pcapng elsewhere
[ ! -e "$mnt/files/a.pcapng/info/problem" ]

# what is no capture is left out with a word, and becomes one later
echo hello >ring/y.txt
wait_until 60 grep -q 'ring/y.txt: left out' "$mnt/info/log"
cp all.pcap ring/y.txt
wait_until 60 packets_are 9010
check_packets 6011 6020

# tcpdump -C: z, z1, z2 ...
make_capture pcap 30000 large.pcap --small
tcpdump -r large.pcap -w ring/z -C 1 -Z "$(id -un)" 2>/dev/null
wait_until 60 packets_are 39010
check_packets 9011 9020
same "$(ls "$mnt/by/file/z2/packets" | tail -1)" 000039010

# (5000 was not read before, so that no page cache has it)
# overwritten in place, as tcpdump -W does: what it held is gone, what it gets is new
make_capture pcap 5 five.pcap --small
cat five.pcap >"ring/x1.pcap"
wait_until 60 packets_are 39015
expect_errno EIO "open('$mnt/packets/5000', 'rb').read()"
grep -q 'was overwritten or cut' "$mnt/files/x1.pcap/info/problem"
check_packets 9011 9020
same "$(cat "$mnt/files/x1.pcap-2/info/packets")" 5
cmp "$mnt/packets/39015" want/000000005
unmount
