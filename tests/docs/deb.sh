#!/usr/bin/env bash
# Does scripts/make-deb make a package that dpkg installs, whose program mounts, and that
# leaves nothing when it is removed? `PKTFS_BIG=1 tests/docs/deb.sh` also builds it as for
# Debian, and installs that on a clean one, which debootstrap makes (from the network, in
# some minutes).
if [ "$(id -u)" = 0 ] && [ -z "${PKTFS_UNSHARED:-}" ] && unshare -m true; then
	PKTFS_UNSHARED=1 exec "$(dirname "$0")/../tools/unshared" "$0"
fi
. "$(dirname "$0")/../mount/lib.sh"
command -v dpkg-shlibdeps >/dev/null || skip 'dpkg-dev is not installed'
[ "$(id -u)" = 0 ] || skip 'dpkg needs root'
version=$(sed -n 's/.*PKTFS_VERSION "\(.*\)"/\1/p' "$top/include/pktfs/version.h")
name=pktfs_${version}_$(dpkg --print-architecture).deb
make_capture pcap 50 trace.pcap --files disk
mkdir root deb

BUILT=$build "$top/scripts/make-deb" deb >log 2>&1 || fail "$(cat log)"
dpkg-deb --info "deb/$name" >info
for word in "Version: $version" 'Depends: .*libc6 (>= .*libfuse3-3 (>= .*fuse3$' 'Installed-Size: [1-9]'; do
	grep -q " $word" info || fail "the control file does not have: $word"
done
! dpkg-deb --contents "deb/$name" | grep -v ' root/root ' || fail 'files of others than root'
! dpkg-deb --contents "deb/$name" | grep -E ' \./(tmp|home|root|usr/local)' || fail 'files in odd places'

# into a directory, by dpkg; what it needs is taken to be there
mkdir -p root/var/lib/dpkg/{info,updates}
touch root/var/lib/dpkg/{status,available}
in_root()
{
	dpkg --root="$work/root" --log=/dev/null --force-depends "$@" >log 2>&1 || fail "dpkg: $(cat log)"
}
in_root --install "deb/$name"
in_root --verify pktfs
[ ! -s log ] || fail "changed files: $(cat log)"
root/usr/bin/pktfs --version | grep -x "pktfs $version" >/dev/null
gzip -dc root/usr/share/doc/pktfs/changelog.gz >changelog
same "$(dpkg-parsechangelog -l changelog -S Version)" "$version"
! nm root/usr/bin/pktfs 2>/dev/null | grep . >/dev/null || fail 'is not stripped'
gzip -dc root/usr/share/man/man3/pktfs_open.3.gz | grep '^.TH LIBPKTFS' >/dev/null || fail 'no page for pktfs_open'
mkdir -p "$mnt"
root/usr/bin/pktfs trace.pcap "$mnt"
diff -r disk "$mnt/packets"
root/usr/bin/pktfs -u "$mnt"
in_root --purge pktfs
[ ! -e root/usr ] || fail "left: $(find root/usr)"

[ -n "${PKTFS_BIG:-}" ] || exit 0
command -v debootstrap >/dev/null || skip 'debootstrap is not installed'
mkdir hardened again debian
"$top/scripts/make-deb" hardened >log 2>&1 || fail "$(cat log)"
readelf -d hardened/deb/pktfs | grep 'BIND_NOW' >/dev/null || fail 'is not hardened'
BUILT=$work/hardened/deb "$top/scripts/make-deb" again >log 2>&1 || fail "$(cat log)"
cmp "hardened/$name" "again/$name"
# debootstrap sometimes cannot reach the mirror; that is not what is tested
debootstrap --variant=minbase --include=tcpdump bookworm debian >log 2>&1 || skip "debootstrap: $(tail -1 log)"
cp -r "hardened/$name" trace.pcap disk debian/root/
mount -t proc proc debian/proc
[ -c debian/dev/fuse ] || mknod -m 666 debian/dev/fuse c 10 229
cat >debian/root/test.sh <<'CLEAN'
set -ex
cd /root
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y --no-install-recommends install ./pktfs_*.deb
ldconfig -p | grep libpktfs.so.0 >/dev/null
pktfs --version
pktfs trace.pcap mnt
diff -r disk mnt/packets
test "$(ls 'mnt/by/filter/greater 1/packets' | wc -l)" -gt 40
tcpdump -nr mnt/capture.pcap >/dev/null
cat mnt/info/log
pktfs -u mnt
mkdir mnt
for type in pktfs fuse.pktfs; do
	mount -t $type -o umask=077,append trace.pcap mnt
	cmp mnt/packets/42 disk/000000042
	cp disk/000000001 mnt/append/new
	pktfs -u mnt
done
pktfs --info trace.pcap | grep -x 'packets: 52'
apt-get -q -y purge pktfs
find / -xdev -path /proc -prune -o -path /root -prune -o -name '*pktfs*' -print >/root/left
test ! -s /root/left
echo all of it
CLEAN
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC chroot debian bash /root/test.sh >log 2>&1 || fail "$(tail -20 log)"
tail -1 log | grep -x 'all of it' >/dev/null || fail "$(tail -20 log)"
