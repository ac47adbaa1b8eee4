#!/usr/bin/env bash
# mount -t pktfs and -t fuse.pktfs, with the options that mount and fstab add, and
# the lines of mount.pktfs(8).
# mount(8) looks for helpers in /sbin, and resets PATH: so pktfs is put where it
# looks, in a mount namespace of our own.
if [ "$(id -u)" = 0 ] && [ -z "${PKTFS_UNSHARED:-}" ] && unshare -m true; then
	PKTFS_UNSHARED=1 exec "$(dirname "$0")/../tools/unshared" "$0"
fi
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip 'mount(8) needs root'
[ -n "${PKTFS_UNSHARED:-}" ] || skip 'no mount namespaces here'
mount -t tmpfs none /usr/local/sbin
ln -s "$pktfs" /usr/local/sbin/pktfs
command -v mount.fuse3 >/dev/null || command -v mount.fuse >/dev/null || skip 'no mount.fuse'
make_capture pcap 50 a.pcap --files disk
mkdir mnt
mount -t fuse.pktfs "$work/a.pcap" mnt -o ro,nofail,_netdev,noauto,user,x-systemd.automount,x-foo=bar,comment=hello,noatime,nodev,nosuid,allow_other
is_mounted "$mnt"
diff -r disk mnt/packets
same "$(findmnt -n -o FSTYPE "$mnt")" fuse.pktfs
same "$(findmnt -n -o SOURCE "$mnt")" "$work/a.pcap"
umount mnt
wait_until 60 eval '! is_mounted "$mnt"'
if mount -t fuse.pktfs "$work/disk/000000001" mnt 2>err; then
	fail 'mounted what is no capture'
fi
grep -q 'pktfs: ' err || fail "no cause: $(cat err)"
# from a table
echo "$work/a.pcap $mnt fuse.pktfs ro,noauto,nofail,x-systemd.idle-timeout=5min,uid=12 0 0" >fstab
mount -T fstab "$mnt"
same "$(stat -c %u "$mnt/packets/1")" 12
umount "$mnt"
# mount(8) says rw by itself; append/ is for who says append
appends()
{
	test -d "$mnt/append"
}
cp a.pcap before.pcap
for options in defaults rw rw,nosuid,nodev; do
	mount -t fuse.pktfs -o $options "$work/a.pcap" "$mnt"
	! appends || fail "append/ with $options"
	umount "$mnt"
done
echo "$work/a.pcap $mnt fuse.pktfs noauto,append,repair 0 0" >fstab
mount -T fstab "$mnt"
appends || fail 'no append/'
cmp a.pcap before.pcap
cp disk/000000001 "$mnt/append/p"
cmp disk/000000001 "$mnt/packets/51"
umount "$mnt"
gone()
{
	flock -n a.pcap true
}
wait_until 60 gone
cmp before.pcap <(head -c "$(stat -c %s before.pcap)" a.pcap)
same "$(capinfos -rTMc a.pcap | cut -f2)" 51

# ---- the helpers that `make install` makes, in /sbin as mount(8) sees it: a copy
mkdir sbin captures captures/ring points
cp -a /sbin/mount.fuse* sbin/
ln -s "$pktfs" sbin/mount.pktfs
ln -s mount.pktfs sbin/mount.fuse.pktfs
mount --bind sbin "$(realpath /sbin)"
for type in pktfs fuse.pktfs; do
	mount -t $type -o allow_other,umask=022,nofail,x-foo=bar "$work/a.pcap" "$mnt"
	is_mounted "$mnt"
	same "$(findmnt -n -o SOURCE "$mnt")" "$work/a.pcap"
	same "$(stat -c %a "$mnt/packets/1")" 444
	! appends || fail 'append/ by mount -t pktfs'
	umount "$mnt"
	wait_until 60 eval '! is_mounted "$mnt"'
done
# -f mounts nothing, but complains; -s is no -s of pktfs
mount -f -t pktfs "$work/a.pcap" "$mnt"
! is_mounted "$mnt" || fail 'mount -f mounts'
expect 2 mount -f -t pktfs -o nosuch "$work/a.pcap" "$mnt"
grep -q 'pktfs: -o nosuch' err || fail "no cause: $(cat err)"
mount -sv -t pktfs "$work/a.pcap" "$mnt"
umount "$mnt"

# the lines of the manual page
make_capture pcapng 42 captures/day.pcapng
zstd -q captures/day.pcapng
cp captures/day.pcapng captures/ring/
sed -n '/^\.nf/,/^\.fi/{s/\\-/-/g; s|^/captures/\(.*\) /mnt/\([a-z]*\) pktfs |\1 \2 |p}' "$top/src/cli/mount.pktfs.8" >lines
[ "$(wc -l <lines)" -ge 5 ] || fail 'mount.pktfs(8) has no lines of fstab'
while read -r file point options; do
	mkdir -p "points/$point"
	echo "$work/captures/$file $work/points/$point pktfs $options" >fstab
	mount -T fstab "$work/points/$point" </dev/null || fail "$file $point $options"
	same "$(cat "$work/points/$point/info/packets")" 42
	case $options in
	*append*) test -d "$work/points/$point/append" ;;
	*) [ ! -e "$work/points/$point/append" ] || fail "append/ with $options" ;;
	esac
	"$pktfs" -u "$work/points/$point"
done <lines
