#!/usr/bin/env bash
# zstd in each of its framings and gzip: the same packets as from the plain file.
. "$(dirname "$0")/lib.sh"
make_capture pcapng 4000 a.pcapng --files disk
size=$(stat -c %s a.pcapng)
zstd -q -k a.pcapng -o single.zst
zstd -q -c <a.pcapng >undeclared.zst
zstd -q -k --no-check -19 a.pcapng -o nocheck.zst
split -b 100000 a.pcapng part.
for part in part.*; do
	zstd -q -c "$part"
done >frames.zst
for part in part.*; do
	zstd -q -c <"$part"
done >frames-undeclared.zst
gzip -k -c a.pcapng >single.gz
for part in part.*; do
	gzip -c "$part"
done >members.gz
python3 - <<'PYTHON'
import struct, subprocess, glob
parts = [open(p, "rb").read() for p in sorted(glob.glob("part.*"))]
frames = [subprocess.run(["zstd", "-q", "-c"], input=p, capture_output=True).stdout for p in parts]
# skippable frames before, between and behind, one of them empty
skip = struct.pack("<II", 0x184d2a53, 5) + b"hello"
open("skippable.zst", "wb").write(skip + b"".join(f + skip + struct.pack("<II", 0x184d2a50, 0)
                                                   for f in frames))
# the seekable format: a table of frames in a last skippable frame
entries = b"".join(struct.pack("<II", len(f), len(p)) for f, p in zip(frames, parts))
footer = struct.pack("<IBI", len(frames), 0, 0x8f92eab1)
table = struct.pack("<II", 0x184d2a5e, len(entries) + len(footer)) + entries + footer
open("seekable.zst", "wb").write(b"".join(frames) + table)
# a table that lies
lies = b"".join(struct.pack("<II", 7, 0xffffffff) for _ in frames)
open("seekable-lies.zst", "wb").write(
    b"".join(frames) + struct.pack("<II", 0x184d2a5e, len(lies) + 9) + lies + footer)
PYTHON
for file in single.zst undeclared.zst nocheck.zst frames.zst frames-undeclared.zst skippable.zst \
	    seekable.zst seekable-lies.zst single.gz members.gz; do
	# not by name but by content
	cp $file capture.bin
	mount_capture capture.bin
	cmp "$mnt/packets/3999" disk/000003999 || fail "$file: packet 3999"
	wait_indexed
	same "$(cat "$mnt/info/state")" complete "$file: state"
	same "$(cat "$mnt/info/packets")" 4000 "$file: packets"
	case $file in *.gz) want=gzip ;; *) want=zstd ;; esac
	same "$(cat "$mnt/info/compression")" $want "$file: compression"
	cmp a.pcapng "$mnt/capture.pcapng" || fail "$file: capture.pcapng"
	same "$(stat -c %s "$mnt/capture.pcapng")" "$size" "$file: size of capture.pcapng"
	for n in 1 4000 17 2222 3; do
		cmp "$mnt/packets/$n" "disk/$(printf %09d $n)" || fail "$file: packet $n"
	done
	diff -r disk "$mnt/packets" >/dev/null || fail "$file: other bytes"
	unmount
done
