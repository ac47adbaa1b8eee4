#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Root can map a packet for writing: the write is refused, and what it changed
# in the kernel's cache does not stay.
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
wait_until 3 same_again
