#!/usr/bin/env bash
# Does `make install` put everything where a C program finds it by pkg-config, and
# does the example in the header's comment compile, run, and tell the truth?
. "$(dirname "$0")/../mount/lib.sh"
root=$work/root
make -s -C "$top" install DESTDIR="$root" PREFIX=/usr >log 2>&1 || fail "$(cat log)"
export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_SYSTEM_INCLUDE_PATH=/none PKG_CONFIG_SYSTEM_LIBRARY_PATH=/none
make_capture pcap 50 trace.pcap --files disk
{
	echo '#include <err.h>'
	echo '#include <stdio.h>'
	echo '#include <pktfs/capture.h>'
	echo 'int main(void) {'
	# the lines of the comment that begin with a tab are the program
	sed -n '1,/\*\//s/^ \*\t//p' "$top/include/pktfs/capture.h" | sed 's/trace.pcapng.zst/trace.pcap/'
	echo 'return 0; }'
} >example.c
grep -q pktfs_packet_get example.c || fail 'the header has no example'
# shellcheck disable=SC2046
cc -o example example.c $(pkg-config --cflags --libs libpktfs)
LD_LIBRARY_PATH=$root/usr/lib ./example | cmp - disk/000000042
# shellcheck disable=SC2046
cc -o static example.c $(pkg-config --cflags libpktfs) "$root/usr/lib/libpktfs.a" -lzstd -lz -pthread
./static | cmp - disk/000000042
same "$(pkg-config --modversion libpktfs)" "$("$root/usr/bin/pktfs" --version | grep -o '[0-9][0-9.]*' | head -1)"
readelf -d "$root/usr/lib/libpktfs.so" | grep -q 'SONAME.*libpktfs.so.0' || fail 'no soname'
man -l "$root/usr/share/man/man1/pktfs.1" >page 2>man.err || fail "$(cat man.err)"
[ "$(wc -l <page)" -gt 50 ] || fail 'a short man page'
