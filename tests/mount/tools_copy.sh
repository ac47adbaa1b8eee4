#!/usr/bin/env bash
# Do the tools that copy and measure behave on packets/ as on files on a disk?
. "$(dirname "$0")/lib.sh"
make_capture pcap 500 a.pcap --files disk
mount_capture a.pcap
wait_indexed
(cd disk && sha256sum -- *) >sums

# listing FOLDER: names, sizes and times to the nanosecond
listing()
{
	(cd "$1" && find . -type f -printf '%P %s %T@\n' | sort)
}
listing disk >want
listing "$mnt/packets" >got
cmp want got

checked()
{
	(cd "$2" && sha256sum --quiet -c "$work/sums") || fail "$1: other bytes"
	listing "$2" >got
	cmp want got || fail "$1: $(diff want got | head -3)"
}
cp -a "$mnt/packets" cp-a
checked 'cp -a' cp-a
rsync -a "$mnt/packets/" rsync-a
checked 'rsync -a' rsync-a
rsync -ain "$mnt/packets/" rsync-a | grep '^>' >again || true
[ ! -s again ] || fail "rsync would copy again: $(head -1 again)"
mkdir tar && tar --format=posix -C "$mnt/packets" -cf - . 2>tar.err | tar -C tar -xf -
[ ! -s tar.err ] || fail "tar: $(cat tar.err)"
checked tar tar
(cd "$mnt/packets" && sha256sum --quiet -c "$work/sums")
cp -rp "$mnt/packets" "cp-rp"
checked 'cp -rp' cp-rp

# a copy of everything there is but the sets, without a word
mkdir everything
find "$mnt" -mindepth 1 -maxdepth 1 -not -name by -exec cp -a -t everything {} + 2>cp.err || fail "cp -a of the mount: $(cat cp.err)"
[ ! -s cp.err ] || fail "cp -a: $(cat cp.err)"
cmp everything/capture.pcap a.pcap
tar -C "$mnt" --exclude=./by -cf - . 2>tar.err | tar -tf - >names
[ ! -s tar.err ] || fail "tar of the mount: $(cat tar.err)"
diff -r --no-dereference --exclude=by "$mnt" everything >differ || grep -v '/info/' differ >differ.rest || true
[ ! -s differ.rest ] || fail "differs: $(head -3 differ.rest)"

# every file's size is what a read returns
find "$mnt" -path "$mnt/by" -prune -o -type f -printf '%s %p\n' | while read -r size path; do
	read=$(wc -c <"$path")
	case $path in
	*/info/*) ;;
	*) same "$size" "$(cat "$path" | wc -c)" "size of $path" ;;
	esac
	[ -n "$read" ]
done

# du and df tell the truth
want=$(find disk -type f -printf '%s\n' | awk '{s += $1} END {print s}')
same "$(du -sb --apparent-size "$mnt/packets" | cut -f1 | awk -v d="$(stat -c %s "$mnt/packets")" '{print $1 - d}')" "$want" 'du -b'
[ "$(du -s "$mnt/packets" | cut -f1)" -gt 0 ] || fail 'du says 0'
same "$(find "$mnt/packets" -type f -size +0 -printf '%b\n' | sort -n | head -1)" 1 'st_blocks of a small packet'
df "$mnt" | grep -q "$work/a.pcap\|mnt" || fail "df: $(df "$mnt")"
[ "$(stat -f -c %b "$mnt")" -gt 0 ] || fail 'statfs: no blocks'
[ "$(stat -f -c %c "$mnt")" -ge 500 ] || fail 'statfs: fewer files than packets'
