#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Root can map a packet for writing: the write is refused, and what it changed
# in the kernel's cache does not stay. To forget it the kernel waits for the
# pages of reads that wait themselves, and everything answers meanwhile.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip 'others cannot open it for writing'
make_capture pcap 10 a.pcap
mount_capture a.pcap
before=$(sha256sum <"$mnt/packets/5")
python3 - "$mnt/packets/5" <<'END'
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
pages = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
pages[:3] = b"XYZ"
try:
    pages.flush()
    sys.exit("FAIL: a write through a mapping was taken")
except OSError:
    pass
END
same_again()
{
	[ "$(sha256sum <"$mnt/packets/5")" = "$before" ]
}
wait_until 60 same_again

# each of many is forgotten
python3 - "$mnt/packets" <<'END'
import mmap, os, sys
for number in range(1, 11):
    fd = os.open(f"{sys.argv[1]}/{number}", os.O_RDWR)
    if os.fstat(fd).st_size < 3:
        continue
    pages = mmap.mmap(fd, 0)
    pages[:3] = b"XYZ"
    try:
        pages.flush()
        sys.exit("FAIL: a write through a mapping was taken")
    except OSError:
        pass
END
clean()
{
	! grep -q XYZ "$mnt"/packets/*
}
wait_until 60 clean
unmount

# ---- while reads far into a set's capture file are parked
pktgen=$build/tests/tools/pktgen
[ -x "$pktgen" ] || skip 'pktgen is not built (make tests)'
"$pktgen" --format pcapng --packets 1000000 --size tiny b.pcapng
mount_capture b.pcapng
wait_indexed
timeout 60 cat "$mnt/by/filter/len > 1/info/packets" >/dev/null
timeout -s KILL 120 python3 - "$mnt/by/filter/len > 1/capture.pcapng" <<'END' &
import mmap, os, sys, threading, time
path = sys.argv[1]
fd = os.open(path, os.O_RDWR)
size = os.fstat(fd).st_size
pages = mmap.mmap(fd, 4096)
first = pages[0]
done = threading.Event()
def far():
    for k in range(20):
        other = os.open(path, os.O_RDONLY)
        os.posix_fadvise(other, 0, 0, os.POSIX_FADV_RANDOM)
        assert len(os.pread(other, 4096, size - size // 25 * (k + 1))) == 4096
        os.close(other)
    done.set()
threading.Thread(target=far, daemon=True).start()
end = time.time() + 100
while not done.is_set() and time.time() < end:
    pages[1] = 1
    try:
        pages.flush()
    except OSError:
        pass
    time.sleep(0.002)
os._exit(0 if done.is_set() else 1)
END
writer=$!
# what else is parked has its answer too
while kill -0 $writer 2>/dev/null; do
	timeout -s KILL 60 cat "$mnt/by/filter/len > $((RANDOM % 40 + 2))/info/packets" >/dev/null ||
		fail 'a parked request has no answer'
	sleep 0.05
done
wait $writer || fail 'reads are stuck while a mapped write is refused'
