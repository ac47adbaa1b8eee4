#!/usr/bin/env bash
# mount -t fuse.pktfs, with the options that mount and fstab add
# mount(8) resets PATH, so pktfs is put where it looks, in a mount namespace of
# our own.
if [ "$(id -u)" = 0 ] && [ -z "${PKTFS_UNSHARED:-}" ] && unshare -m true; then
	PKTFS_UNSHARED=1 exec unshare -m --propagation private "$0"
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
wait_until 5 eval '! is_mounted "$mnt"'
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
wait_until 5 gone
cmp before.pcap <(head -c "$(stat -c %s before.pcap)" a.pcap)
same "$(capinfos -rTMc a.pcap | cut -f2)" 51
