#!/usr/bin/env bash
# grep -r over a million-packet directory: no error, the right packets, once each.
. "$(dirname "$0")/lib.sh"
make_capture pcapng 1000000 a.pcapng --small
mount_capture a.pcapng
grep -rlE 'packet [0-9]*77777$' "$mnt/packets" 2>errors | sed 's,.*/,,' | sort >got || true
[ ! -s errors ] || fail "grep: $(head -1 errors)"
seq -f %09.0f 77777 100000 1000000 >want
cmp want got || fail "$(diff want got | head -4)"
[ "$(own_memory "$daemon")" -lt 65536 ] || fail "$(own_memory "$daemon") KiB of memory"
