#!/usr/bin/env bash
# Do many readers at once, of packets and of whole captures, all read the same right bytes?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 3000 a.pcapng --files disk
split -b 200000 a.pcapng part.
for part in part.*; do
	zstd -q -c "$part"
done >a.zst
for file in a.pcapng a.zst; do
	mount_capture $file
	readers=()
	for i in 1 2 3 4; do
		(cd "$mnt/packets" && ls | sort -R --random-source=<(yes $i) |
			xargs -n 200 sha256sum | sort -k2 >"$work/sums.$i") &
		readers+=($!)
		cmp a.pcapng "$mnt/capture.pcapng" >"$work/cmp.$i" 2>&1 &
		readers+=($!)
		find "$mnt" -ls >/dev/null &
		readers+=($!)
	done
	for pid in "${readers[@]}"; do
		wait "$pid" || fail "a reader of $file"
	done
	wait_indexed
	(cd disk && sha256sum -- * | sort -k2) >want
	for i in 1 2 3 4; do
		# early listings may have seen fewer packets, never wrong ones
		! comm -13 <(sort want) <(sort "sums.$i") | grep . || fail "wrong bytes from $file"
		[ ! -s "cmp.$i" ] || fail "$(cat "cmp.$i")"
	done
	diff -r disk "$mnt/packets"
	unmount
done
