#!/usr/bin/env bash
# -o append=FILE: is the capture not touched, and does FILE hold what was appended, also alone and in the next mount?
# statfs and fsync are of FILE, too.
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"

# untouched FILE: its bytes and its times are those of FILE.was
untouched()
{
	same "$(sha256sum <"$1")" "$(cat "$1.sum")" "bytes of $1"
	same "$(stat -c '%Y %Z %s' "$1")" "$(cat "$1.stat")" "times of $1"
}

for kind in 'a.pcap:--nanosecond --link-type 101' 'b.pcapng:--format pcapng --interfaces 2 --sections 2' \
	    'c.pcapng:--format pcapng --big-endian' 'd.pcap.zst:--zstd single' 'e.pcapng.gz:--gzip --format pcapng'; do
	file=${kind%%:*}
	# shellcheck disable=SC2086
	"$pktgen" --packets 50 ${kind#*:} "$file"
	chmod 444 "$file"
	sha256sum <"$file" >"$file.sum"
	stat -c '%Y %Z %s' "$file" >"$file.stat"
	count=$(cat <("$pktfs" --info "$file") | sed -n 's/^packets: //p')
	mount_capture "$file" -o append=more.pcapng
	wait_indexed
	same "$(cat "$mnt/info/packets")" "$count" 'packets at first'
	! [ -e "$mnt/packets/$((count + 1))" ] || fail 'too many at first'
	last=$(($(ls "$mnt/append" | grep -cx '[0-9]*') - 1))
	# to the first and the last interface
	touch -d 2026-11-21T11:00:00.123456Z stamp
	printf 'to the first' >first
	touch -r stamp first
	cp -p first "$mnt/append/0/one"
	printf 'to the last' >"$mnt/append/$last/two"
	same "$(cat "$mnt/info/packets")" $((count + 2)) "packets of $file"
	same "$(cat "$mnt/packets/$((count + 1))" "$mnt/packets/$((count + 2))")" 'to the firstto the last'
	same "$(readlink "$mnt/append/$last/two")" "../../packets/$(printf %09d $((count + 2)))"
	same "$(stat -c %Y "$mnt/packets/$((count + 1))")" "$(stat -c %Y stamp)" 'time'
	same "$(ls "$mnt/packets" | wc -l)" $((count + 2))
	same "$(wc -l <"$mnt/packets.tsv")" $((count + 3))
	same "$(ls "$mnt/by/match/to the/packets" | tr '\n' ' ')" \
		"$(printf '%09d %09d ' $((count + 1)) $((count + 2)))" 'in a set'
	same "$(cat "$mnt/packets/1" | sha256sum)" "$(cat "$mnt/packets/000000001" | sha256sum)"
	link_type=$(getfattr --only-values -n user.pktfs.link_type "$mnt/packets/1" 2>/dev/null)
	same "$(getfattr --only-values -n user.pktfs.link_type "$mnt/packets/$((count + 1))" 2>/dev/null)" "$link_type"
	for capture in "$mnt"/capture.pcapng; do
		cp "$capture" whole.pcapng
		same "$(packets_in whole.pcapng)" $((count + 2)) "$(basename "$capture") of $file"
		capinfos -TmrcQ whole.pcapng | grep -q "$((count + 2))" || fail "capinfos whole.pcapng"
	done
	python3 -c "
import os
for path in ('$mnt/append', '$mnt/append/0', '$mnt/append/0/one'):
    os.fsync(os.open(path, os.O_RDONLY))"
	unmount
	untouched "$file"
	# FILE alone is a capture
	same "$(packets_in more.pcapng)" 2 'packets of FILE'
	same "$(capinfos -TmrcQ more.pcapng | cut -d, -f2 | tr -d '"')" 2 'FILE, capinfos'
	tshark -n -r more.pcapng -T fields -e frame.time_epoch 2>/dev/null | head -1 |
		grep -qx "$(stat -c %Y stamp).123456000" || fail 'FILE, tshark: the time'
	# both again, and FILE goes on
	mount_capture "$file" -o append=more.pcapng
	wait_indexed
	same "$(cat "$mnt/info/packets")" $((count + 2)) "packets of $file, again"
	same "$(cat "$mnt/packets/$((count + 2))")" 'to the last' "$file, again"
	printf 'and on' >"$mnt/append/0/three"
	same "$(cat "$mnt/packets/$((count + 3))")" 'and on' "$file, going on"
	# killed: what was closed is there
	kill_daemon
	mount_capture "$file" -o append=more.pcapng
	wait_indexed
	same "$(cat "$mnt/packets/$((count + 3))")" 'and on' "$file, after it was killed"
	unmount
	untouched "$file"
	same "$(packets_in more.pcapng)" 3 'packets of FILE, going on'
	rm -f more.pcapng "$file"*
done

# a torn FILE
"$pktgen" --packets 9 a.pcap
mount_capture a.pcap -o append=more.pcapng
wait_indexed
appends
appends
unmount
truncate -s -5 more.pcapng
mkdir -p mnt
expect 1 timeout 60 "$pktfs" -f -o append=more.pcapng a.pcap mnt
grep -q 'more.pcapng.*offset' err || fail "says: $(cat err)"
mount_capture a.pcap -o append=more.pcapng,repair
wait_indexed
same "$(cat "$mnt/info/packets")" 10 'FILE, repaired'
[ -s more.pcapng.torn ] || fail 'no more.pcapng.torn'
appends
unmount
# FILE where nothing can be made, or that is something else
expect 1 timeout 60 "$pktfs" -f -o append=nowhere/more.pcapng a.pcap mnt
grep -q 'nowhere/more.pcapng.*o such file' err || fail "says: $(cat err)"
echo 'a text that is no capture, long enough to be seen' >text
expect 1 timeout 60 "$pktfs" -f -o append=text a.pcap mnt
grep -q 'text: ' err || fail "says: $(cat err)"
expect 2 timeout 60 "$pktfs" -f -o append=a.pcap a.pcap mnt

# statfs is of what is appended to
mkdir disk
if mount -t tmpfs -o size=777k tmpfs disk 2>/dev/null; then
	mount_capture a.pcap -o append="$work/disk/more.pcapng"
	wait_indexed
	same "$(df --output=avail "$mnt" | tail -1)" "$(df --output=avail disk | tail -1)" 'df'
	head -c 300000 /dev/zero >disk/filler
	same "$(df --output=avail "$mnt" | tail -1)" "$(df --output=avail disk | tail -1)" 'df of a fuller disk'
	appends
	unmount
	rm -f disk/*
	cp a.pcap disk
	mount_capture disk/a.pcap -o rw
	same "$(stat -f -c '%a %f' "$mnt" | awk -v s="$(stat -f -c %S "$mnt")" '{print $1 * s, $2 * s}')" \
		"$(stat -f -c '%a %f' disk | awk -v s="$(stat -f -c %S disk)" '{print $1 * s, $2 * s}')" 'stat -f'
	unmount
	umount disk
else
	echo '# no tmpfs can be mounted here: statfs was not looked at'
fi
