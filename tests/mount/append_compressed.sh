#!/usr/bin/env bash
# Compressed files: whole for other tools after quiet, fsync and unmount; nothing lost when the daemon is killed before.
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"

# whole FILE COUNT: other tools read so many packets
whole()
{
	cp "$1" "copy.${1#*.}"
	[ "$(packets_in "copy.${1#*.}" 2>/dev/null)" = "$2" ]
}

# sync_of PATH [BYTES]: writes them, if any, and fsync(2)
sync_of()
{
	python3 - "$@" <<-'PYTHON'
	import os, sys
	if len(sys.argv) > 2:
	    fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
	    os.write(fd, sys.argv[2].encode())
	else:
	    fd = os.open(sys.argv[1], os.O_RDONLY)
	os.fsync(fd)
	os.close(fd)
	PYTHON
}

# frames FILE
frames()
{
	case $1 in
	*.zst) zstd -lv "$1" 2>/dev/null | sed -n 's/^Number of Frames: *//p; s/^# Zstandard Frames: *//p' ;;
	*) python3 -B -c '
import sys, zlib
data, count = open(sys.argv[1], "rb").read(), 0
while data:
    d = zlib.decompressobj(31)
    d.decompress(data)
    data, count = d.unused_data, count + 1
print(count)' "$1" ;;
	esac
}

for kind in 'a.pcap.zst:--zstd single' 'b.pcapng.zst:--zstd frames:2 --format pcapng' \
	    'c.pcap.gz:--gzip' 'd.pcapng.gz:--gzip --format pcapng --big-endian'; do
	file=${kind%%:*}
	# shellcheck disable=SC2086
	"$pktgen" --packets 200 ${kind#*:} "$file"
	before=$(frames "$file")
	mount_capture "$file" -o rw
	wait_indexed

	# quiet
	appends
	wait_until 60 whole "$file" 201
	# fsync of a file, and of the folders
	sync_of "$mnt/append/0/synced" 'of a file'
	whole "$file" 202 || fail "$file after fsync of a file"
	same "$(cat "$mnt/append/0/synced")" 'of a file'
	appends
	sync_of "$mnt/append"
	whole "$file" 203 || fail "$file after fsync of append/"
	appends
	sync_of "$mnt/append/0"
	whole "$file" 204 || fail "$file after fsync of append/0/"
	# what comes close together shares a frame
	python3 - "$mnt/append/0" <<-'PYTHON'
	import sys
	for n in range(100):
	    with open(f"{sys.argv[1]}/near{n}", "wb") as file:
	        file.write(b"near %d" % n)
	PYTHON
	same "$(cat "$mnt/packets/304")" 'near 99' 'before the frame is ended'
	wait_until 60 whole "$file" 304
	now=$(frames "$file")
	[ "$now" -le $((before + 12)) ] || fail "$file: $now frames, $before before, 105 packets"
	# unmounted at once
	appends
	unmount
	whole "$file" 305 || fail "$file after the unmount"

	# killed at once: the reader takes what there is, -o repair ends the frame
	for turn in 1 2 3; do
		mount_capture "$file" -o rw
		wait_indexed
		for n in 1 2 3; do
			echo "turn $turn packet $n" >"$mnt/append/0/$n"
		done
		kill_daemon
		want=$((305 + turn * 3))
		same "$("$pktfs" --info "$file" | sed -n 's/^packets: //p')" $want "$file, killed, as it is read"
		mount_capture "$file"
		wait_indexed
		same "$(cat "$mnt/packets/$want")" "turn $turn packet 3" "$file, killed, as it is mounted"
		unmount
		if ! whole "$file" $want; then
			start_refused "$file" offset
		fi
		mount_capture "$file" -o rw,repair
		wait_indexed
		same "$(cat "$mnt/packets/$want")" "turn $turn packet 3" "$file, repaired"
		same "$(cat "$mnt/info/packets")" $want "$file, repaired"
		unmount
		whole "$file" $want || fail "$file, repaired and unmounted"
	done
	# killed with nothing to end
	mount_capture "$file" -o rw
	wait_indexed
	kill_daemon
	mount_capture "$file" -o rw
	wait_indexed
	unmount
	whole "$file" 314 || fail "$file in the end"
done
