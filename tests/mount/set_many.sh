#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# More sets than are kept: a day, an hour and a minute each for a capture of
# weeks. find meets them all, twice, and what was given up comes back.
. "$(dirname "$0")/lib.sh"
minutes=40000
python3 - $minutes a.pcap <<'END'
import struct, sys
with open(sys.argv[2], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for i in range(int(sys.argv[1])):
        out.write(struct.pack("<IIII", 1800000000 + i * 60, 0, 20, 20) + bytes(12) + b"\x08\x06" + bytes(6))
END
mount_capture a.pcap
wait_until 60 grep -qx complete "$mnt/info/state"
for round in first second; do
	found=$(timeout 100 find "$mnt/by/time" -mindepth 3 -maxdepth 3 -type d -regex '.*/[0-9][0-9]' | wc -l)
	[ "$found" = $minutes ] || fail "$round: $found of $minutes minutes"
done
# 2027-01-15T08:00:00Z is the first
[ "$(ls "$mnt/by/time/2027-01-15/08/00/packets")" = 000000001 ] || fail 'the first minute'
[ "$(cat "$mnt/by/range/5-7/info/packets")" = 3 ] || fail 'a set made afterwards'
[ "$(cat "$mnt/by/filter/arp/info/packets")" = $minutes ] || fail 'a filter made afterwards'
