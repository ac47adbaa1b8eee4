#!/usr/bin/env bash
# A ring with files that are cut, damaged, empty, no captures, removed, of one name,
# without a name for a directory, and too many; and the words for what is refused.
. "$(dirname "$0")/lib.sh"

facts()
{
	tshark -r "$1" -T fields -e frame.number -e frame.time_epoch -e frame.len 2>tshark.err ||
		fail "tshark $1: $(cat tshark.err)"
}

# cut and damaged in the middle
mkdir ring
for i in 1 2 3 4 5; do
	make_capture pcapng 20 "ring/$i.pcapng"
done
make_capture pcap 20 ring/6.pcap
truncate -s -101 ring/2.pcapng # its statistics, and more
python3 - ring/4.pcapng <<-'PYTHON'
	import sys
	data = bytearray(open(sys.argv[1], "rb").read())
	data[len(data) // 2:] = b"\xff" * (len(data) - len(data) // 2)
	open(sys.argv[1], "wb").write(data)
PYTHON
: >ring/5a.pcapng
touch -d '1 hour ago' ring/*
mount_capture ring
wait_indexed
same "$(cat "$mnt/info/state")" damaged
same "$(cat "$mnt/files/1.pcapng/info/state")" complete
same "$(cat "$mnt/files/2.pcapng/info/state")" truncated
same "$(cat "$mnt/files/3.pcapng/info/state")" complete
same "$(cat "$mnt/files/4.pcapng/info/state")" damaged
same "$(cat "$mnt/files/6.pcap/info/state")" complete
same "$(wc -l <"$mnt/info/problem")" 2
grep -q 'file 2: .*cut' "$mnt/info/problem"
grep -q 'file 4: ' "$mnt/info/problem"
# of the file itself: the offset in it, and not its number
grep -q '^offset [0-9]*: record cut' "$mnt/files/2.pcapng/info/problem"
offset=$(sed 's/^offset \([0-9]*\).*/\1/' "$mnt/files/4.pcapng/info/problem")
[ "$offset" -gt 0 ] && [ "$offset" -lt "$(stat -c %s ring/4.pcapng)" ] || fail "offset $offset"
sum=0
for name in $(ls "$mnt/files"); do
	first=$(cat "$mnt/files/$name/info/first_packet")
	same "$first" $((sum + 1)) "$name"
	sum=$((sum + $(cat "$mnt/files/$name/info/packets")))
done
same "$sum" "$(cat "$mnt/info/packets")"
# the files behind are whole, and so is what is made of all of them
for i in 1 3 5; do
	facts "ring/$i.pcapng" | cut -f2- >want
	facts "$mnt/by/file/$i.pcapng/capture.pcapng" | cut -f2- >got
	cmp want got || fail "$i.pcapng"
done
facts "$mnt/capture.pcapng" >got
same "$(wc -l <got)" "$sum"
unmount

# names: of one name, odd ones, all of them given
mkdir -p a b 'c,d'
make_capture pcap 3 a/x.pcap
make_capture pcap 4 b/x.pcap
make_capture pcap 5 'c,d/ä b%.pcap'
"$pktfs" -f a/x.pcap b/x.pcap a/x.pcap 'c,d/ä b%.pcap' "$mnt" 2>>stderr &
daemon=$!
mkdir -p "$mnt"
wait_until 60 test -d "$mnt/files"
wait_indexed
same "$(ls "$mnt/files" | tr '\n' ' ')" '%C3%A4%20b%25.pcap x.pcap x.pcap-2 x.pcap-3 '
same "$(cat "$mnt/info/packets")" 15
same "$(cat "$mnt/files/x.pcap-2/info/first_packet")" 4
same "$(cat "$mnt/files/x.pcap-3/info/first_packet")" 8
same "$(ls "$mnt/by/file/%C3%A4%20b%25.pcap/packets" | wc -l)" 5
same "$(cat "$mnt/files/%C3%A4%20b%25.pcap/info/path")" "$work/c,d/ä b%.pcap"
unmount

# the order of the first packets
mkdir times
for i in 3 1 2; do
	python3 - $i >"times/$((9 - i)).pcap" <<-PYTHON
		import os, sys
		sys.path.insert(0, "$here")
		from captures import *
		i = int(sys.argv[1])
		sys.stdout.buffer.write(pcap([Packet(i * 1000, 5, bytes([i]) * 60)]))
	PYTHON
done
mount_capture times
wait_indexed
same "$(xxd -p -l1 "$mnt/packets/1")$(xxd -p -l1 "$mnt/packets/2")$(xxd -p -l1 "$mnt/packets/3")" 030201
unmount
mount_capture times -o order=time
wait_indexed
same "$(xxd -p -l1 "$mnt/packets/1")$(xxd -p -l1 "$mnt/packets/2")$(xxd -p -l1 "$mnt/packets/3")" 010203
unmount

# one file in a directory is a ring, too; without MOUNTPOINT it is NAME.mnt
mkdir one
cp a/x.pcap one
"$pktfs" one
same "$(ls one.mnt/files)" x.pcap
"$pktfs" -u one.mnt
[ ! -e one.mnt ]
(cd one && expect 1 "$pktfs" .)
grep -q 'give a MOUNTPOINT' err

# what is refused, in one line, with nothing mounted
refused()
{
	local code=$1 words=$2

	shift 2
	expect "$code" "$pktfs" "$@"
	same "$(wc -l <err)" 1
	grep -q -- "$words" err || fail "'$words' is not in: $(cat err)"
	! is_mounted "$mnt" || fail 'mounted'
}
echo hello >text
mkdir none
refused 1 'nosuch: No such file' a/x.pcap nosuch "$mnt"
refused 1 'text: .*accepted' a/x.pcap text "$mnt"
refused 1 'found no capture among 0 files' none "$mnt"
cp text none
refused 1 'found no capture among 1 files' none "$mnt"
refused 1 'directory' -o rw one "$mnt"
refused 2 'append=FILE2' -o rw a/x.pcap b/x.pcap "$mnt"
refused 2 'order' -o order=size one "$mnt"
# an empty file that was given is left out, with a word
: >empty
"$pktfs" -f empty a/x.pcap "$mnt" 2>>stderr &
daemon=$!
wait_until 60 test -d "$mnt/files"
grep -q 'empty: left out' "$mnt/info/log"
unmount
# behind several files there may be one that is appended to
"$pktfs" -f -o append=new.pcapng a/x.pcap b/x.pcap "$mnt" 2>>stderr &
daemon=$!
wait_until 60 test -d "$mnt/append"
wait_indexed
interface=$(ls "$mnt/append" | grep -v blocks | tail -1)
head -c 60 /dev/zero >"$mnt/append/$interface/p"
same "$(cat "$mnt/info/packets")" 8
same "$(ls "$mnt/files" | wc -l)" 3
unmount
same "$(capinfos -Mc new.pcapng | awk '/Number of packets/ {print $NF}')" 1

# a thousand files; and fewer descriptors than that takes
mkdir many
for i in $(seq -w 0 999); do
	ln a/x.pcap "many/$i.pcap"
done
mount_capture many
wait_indexed
same "$(cat "$mnt/info/packets")" 3000
same "$(ls "$mnt/files" | wc -l)" 1000
cmp "$mnt/packets/2999" "$mnt/packets/2"
unmount
rm -rf "$mnt"
(
	ulimit -n 1024
	expect 1 "$pktfs" many "$mnt"
	same "$(wc -l <err)" 1
	grep -q 'many: found 1000 files, which need .* descriptors; this process may have 1024' err ||
		fail "$(cat err)"
)
