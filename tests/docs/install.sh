#!/usr/bin/env bash
# Does `make install` put everything where a C program finds it by pkg-config, and
# does the example in the header's comment compile, run, and tell the truth? Are the
# unit and the desktop entry valid, and do they mount? Does `make uninstall` leave nothing?
. "$(dirname "$0")/../mount/lib.sh"
root=$work/root
version=$(sed -n 's/.*PKTFS_VERSION "\(.*\)"/\1/p' "$top/include/pktfs/version.h")
installed()
{
	make -s -C "$top" BUILD="$build" "$@" >log 2>&1 || fail "$(cat log)"
}
installed install DESTDIR="$root" PREFIX=/usr
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
cc -Wl,--as-needed -o static example.c "$root/usr/lib/libpktfs.a" $(pkg-config --static --cflags --libs libpktfs)
! readelf -d static | grep libpktfs >/dev/null || fail 'is linked with the shared library'
./static | cmp - disk/000000042
same "$(pkg-config --modversion libpktfs)" "$version"
"$root/usr/bin/pktfs" --version | grep -x "pktfs $version" >/dev/null
readelf -d "$root/usr/lib/libpktfs.so" | grep 'SONAME.*libpktfs.so.0' >/dev/null || fail 'no soname'
cmp "$root/usr/sbin/mount.pktfs" "$pktfs"
cmp "$root/usr/sbin/mount.fuse.pktfs" "$pktfs"
head -1 "$root/usr/share/doc/pktfs/NEWS" | grep "^pktfs $version, 20..-..-..$" >/dev/null || fail "NEWS is not of $version"

# the manual pages, each with the version; and those of the functions
for page in man1/pktfs.1 man3/libpktfs.3 man3/pktfs_open.3 man3/pktfs_writer_packet.3 man8/mount.pktfs.8; do
	man --warnings -E UTF-8 -l -Tutf8 "$root/usr/share/man/$page" >page 2>man.err
	[ ! -s man.err ] || fail "$page: $(cat man.err)"
	[ "$(wc -l <page)" -gt 50 ] || fail "$page is short"
	col -bx <page | tail -1 | grep "pktfs $version" >/dev/null || fail "$page is not of $version"
done
same "$(find "$root/usr/share/man/man3" -type l | wc -l)" \
	"$(nm -D --defined-only "$root/usr/lib/libpktfs.so" | grep -c ' T pktfs_')" 'numbers of functions'
! grep -rlE '@[A-Z]+@' "$root/usr" --exclude=pktfs --exclude='libpktfs.a' --exclude='libpktfs.so*' || fail 'a name is not filled in'
bash -n "$root/usr/share/bash-completion/completions/pktfs"

# what a file manager does: it mounts, opens, and the second time only opens
mkdir bin home
printf '#!/bin/sh\necho "$1" >>"%s/opened"\n' "$work" >bin/xdg-open
printf '#!/bin/sh\n' >bin/zenity # no window
chmod +x bin/*
xdg()
{
	HOME=$work/home PATH=$work/bin:$root/usr/bin:$PATH "$root/usr/libexec/pktfs/mount-capture" "$@"
}
cp trace.pcap 'a b.pcap'
xdg 'a b.pcap'
xdg 'a b.pcap'
same "$(cat opened)" "$work/home/pktfs/a b
$work/home/pktfs/a b"
cmp disk/000000042 "home/pktfs/a b/packets/42"
"$pktfs" -u 'home/pktfs/a b'
expect 1 xdg disk/000000001
grep -q 'pktfs: .*000000001' err || fail "no cause: $(cat err)"
[ -z "$(ls home/pktfs)" ] || fail 'something is left in ~/pktfs'
python3 - "$root/usr/share/mime/packages/pktfs.xml" <<'PYTHON'
import sys, xml.etree.ElementTree
tree = xml.etree.ElementTree.parse(sys.argv[1])
sys.exit(len(tree.getroot()) != 2)
PYTHON
entry=$root/usr/share/applications/pktfs.desktop
for type in $(sed -n 's/^MimeType=//p' "$entry" | tr ';' ' '); do
	grep -qF "\"$type\"" "$root/usr/share/mime/packages/pktfs.xml" || fail "no file has the type $type"
done
command -v desktop-file-validate >/dev/null || skip 'desktop-file-validate is not installed'
desktop-file-validate "$entry" >words 2>&1 || fail "$(cat words)"

# where it is uninstalled again, and what the unit does is there
installed install DESTDIR=/ PREFIX="$work/local"
unit=$work/local/lib/systemd/user/pktfs@.service
command -v systemd-analyze >/dev/null || skip 'systemd-analyze is not installed'
XDG_RUNTIME_DIR=$work systemd-analyze --user --man=no verify "$unit" >words 2>&1 || fail "$(cat words)"
[ ! -s words ] || fail "$(cat words)"
words_of_unit()
{
	sed -n "s/^$1=//p" "$unit" | sed "s|%h|$work/home|; s|\$PKTFS_OPTIONS||; s|\${PKTFS_FILE}|'$work/a b.pcap'|"
}
(cd home/pktfs && eval "$(words_of_unit ExecStartPre)" && eval "$(words_of_unit ExecStart)")
cmp disk/000000042 'home/pktfs/a b/packets/42'
"$pktfs" -u 'home/pktfs/a b'
touch local/lib/other local/share/doc/pktfs/other
installed uninstall DESTDIR=/ PREFIX="$work/local"
same "$(find local ! -type d | sort)" $'local/lib/other\nlocal/share/doc/pktfs/other'
! test -e local/include/pktfs && ! test -e local/libexec/pktfs || fail 'folders are left'
