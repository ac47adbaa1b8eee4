#!/usr/bin/env bash
# Into the background: the parent's exit code, a mountpoint made and removed, -u.
. "$(dirname "$0")/lib.sh"
make_capture pcapng 100 trace.pcapng --files disk
zstd -q trace.pcapng

gone()
{
	! is_mounted "$1" && [ ! -e "$1" ]
}
# the parent returns 0 when the mount answers, at once
mkdir mnt
"$pktfs" trace.pcapng mnt >out 2>&1
is_mounted "$work/mnt" || fail 'returned before the mount was there'
cmp mnt/packets/42 disk/000000042
[ ! -s out ] || fail "said: $(cat out)"
findmnt -n -t fuse.pktfs -o SOURCE "$work/mnt" >source
same "$(cat source)" "$work/trace.pcapng" 'source of the mount'
findmnt -n -o OPTIONS "$work/mnt" | grep -qwE 'ro|noatime' || fail 'reading would change access times'
# nothing of the caller's is kept: standard streams, working directory
(cd / && cat "$work/mnt/packets/1" >/dev/null)
# a second one at the same place, or of the same file elsewhere
mkdir mnt2
"$pktfs" trace.pcapng mnt2
diff -r mnt/packets mnt2/packets
expect 0 "$pktfs" -u mnt2
expect 0 "$pktfs" -u mnt
wait_until 60 eval '! is_mounted "$work/mnt"'
[ -d mnt ] || fail 'removed a mountpoint that it did not make'

# without a mountpoint: one is made beside, named after the file, and removed
for file in trace.pcapng trace.pcapng.zst; do
	mkdir elsewhere && cd elsewhere
	before=$(ls)
	"$pktfs" ../$file >out 2>&1
	made=$(ls -d trace* 2>/dev/null | grep -v '\.' || ls -d ../trace 2>/dev/null)
	made=$(realpath "$made")
	is_mounted "$made" || fail "$file: nothing mounted at '$made'"
	cmp "$made/packets/42" "$work/disk/000000042"
	expect 0 "$pktfs" -u "$made"
	gone "$made" || fail "left behind: $made"
	cd .. && rm -rf elsewhere/out && rmdir elsewhere 2>/dev/null || rm -r elsewhere
done
# a mountpoint that does not exist is made, and removed again
"$pktfs" trace.pcapng made
is_mounted "$work/made"
"$pktfs" -u made
gone "$work/made" || fail 'left behind: made'
# also when it comes to nothing
expect 1 "$pktfs" disk/000000001 made
[ ! -e made ] || fail 'left a mountpoint behind'
expect 1 "$pktfs" trace.pcapng /proc/nowhere/mnt

# a relative path of the capture still means the same after chdir("/")
cd disk && "$pktfs" ../trace.pcapng ../mnt && cd ..
same "$(cat mnt/info/path)" "$work/trace.pcapng"
"$pktfs" -u mnt
wait_until 60 eval '! is_mounted "$work/mnt"'

# fusermount3 and umount do as well
"$pktfs" trace.pcapng mnt && fusermount3 -u mnt
wait_until 60 eval '! is_mounted "$work/mnt"'
# descriptors 0 to 2 closed by the caller
"$pktfs" trace.pcapng mnt <&- >&- 2>&-
cmp mnt/packets/42 disk/000000042
"$pktfs" -u mnt
