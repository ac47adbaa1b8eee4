#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Patterns that give up each packet at the match limit only, over more packets
# than anybody waits for: other sets are evaluated all the same, and SIGTERM
# ends the daemon at once.
. "$(dirname "$0")/lib.sh"
python3 - a.pcap <<'END'
import struct, sys
data = b"a" * 1400
with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    for i in range(70000):
        out.write(struct.pack("<IIII", i, 0, len(data), len(data)) + data)
END
mount_capture a.pcap
wait_until 60 grep -qx complete "$mnt/info/state"
for pattern in '(a|aa)+[bc]' '(a|aa)+[bd]'; do
	timeout 2 ls "$mnt/by/match/$pattern/packets" >/dev/null 2>&1 && fail "$pattern: not slow"
done
# both threads of the pool are busy with what nobody waits for any more
[ "$(timeout 60 cat "$mnt/by/range/5-7/info/packets")" = 3 ] || fail 'another set'
timeout 2 ls "$mnt/by/match/(a|aa)+[be]/packets" >/dev/null 2>&1 || true
begun=$(date +%s)
kill -TERM "$daemon"
code=0
wait "$daemon" || code=$?
daemon=
[ "$code" = 0 ] || fail "SIGTERM: exit $code"
[ $(($(date +%s) - begun)) -le 60 ] || fail "SIGTERM took $(($(date +%s) - begun)) s"
