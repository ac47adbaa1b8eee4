#!/usr/bin/env bash
# The index that lasts from mount to mount: a second mount walks nothing and shows the same; what is stale, damaged, somebody
# else's or in the way is not used and not followed; where it cannot be kept, the mount is as good.
. "$(dirname "$0")/lib.sh"
not_with noindex slow index
cache=$XDG_CACHE_HOME/pktfs
"$build/tests/tools/pktgen" --packets 60000 --seed 7 big.pcap >/dev/null
[ "$(stat -c %s big.pcap)" -gt 20000000 ] || fail 'the capture is too small'
name=$(printf '%x-%x.index' "$(stat -c %d big.pcap)" "$(stat -c %i big.pcap)")

# KiB of the capture that the daemon has looked at, through its map
looked_at()
{
	awk '/^[0-9a-f]+-/ {ours = $NF ~ /\/huge\.pcap$/} ours && $1 == "Rss:" {sum += $2; found = 1}
	     END {if (!found) exit 1; print sum}' "/proc/$daemon/smaps"
}

# what the mount says of the capture, without the file's words on itself
facts()
{
	(cd "$mnt" && cat info/{packets,bytes,first_time,last_time,duration,link_types,state} packets.tsv &&
		md5sum packets/00000000[1-9] packets/000030000 packets/000059999)
}

# the index is written by then
kept()
{
	[ -e "$1" ] && ! ls "$(dirname "$1")"/.*.new >/dev/null 2>&1
}

log_says()
{
	grep -q "$1" "$mnt/info/log"
}

# silent_log: nothing is wrong
silent_log()
{
	[ ! -s "$mnt/info/log" ] || fail "info/log: $(cat "$mnt/info/log")"
}

# ---- nothing for a small one, nor where it is turned off
for options in '' index=none,index-min=1K index-min=1G; do
	mount_capture big.pcap ${options:+-o $options}
	wait_indexed
	facts >facts
	silent_log
	unmount
	[ ! -e "$XDG_CACHE_HOME" ] || fail "an index is kept with -o $options"
done

# ---- the second mount
mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 kept "$cache/$name"
silent_log
unmount
same "$(stat -c '%a %F' "$cache")" '700 directory'
same "$(stat -c '%a %F' "$cache/$name")" '600 regular file'
same "$(ls -A "$cache")" "$name"
[ "$(stat -c %s "$cache/$name")" -lt $((60000 * 3 / 4)) ] || fail 'the index is large'
inode=$(stat -c '%i %y' "$cache/$name")

mount_capture big.pcap -o index-min=1M
wait_indexed
silent_log
facts | diff facts - || fail 'the second mount shows other things'
cmp big.pcap "$mnt/capture.pcap"
unmount
same "$(stat -c '%i %y' "$cache/$name")" "$inode" 'written again'

# ---- a large one, as it is by default: little of it is looked at. Pages may be mapped by 2 MiB, and 17 places are
"$build/tests/tools/pktgen" --packets 300000 --size fixed:400 huge.pcap >/dev/null
mount_capture huge.pcap
wait_indexed
huge=$cache/$(printf '%x-%x.index' "$(stat -c %d huge.pcap)" "$(stat -c %i huge.pcap)")
wait_until 60 kept "$huge"
silent_log
unmount
mount_capture huge.pcap
wait_indexed
looked=$(looked_at)
[ "$looked" -lt 60000 ] || fail "the second mount looks at $looked KiB of $(stat -c %s huge.pcap)"
same "$(cat "$mnt/info/packets")" 300000
unmount
rm huge.pcap "$huge"

# ---- two at once
mkdir other
"$pktfs" -f -o index-min=1M big.pcap other &
pid=$!
mount_capture big.pcap -o index-min=1M
wait_until 60 is_mounted "$work/other"
wait_indexed
"$pktfs" -u other
wait $pid
facts | diff facts - || fail 'two daemons at once'
unmount

# ---- damaged, cut, of another version
damage()
{
	case $1 in
	flip) printf 'X' | dd of="$cache/$name" bs=1 seek=5000 conv=notrunc status=none ;;
	cut) truncate -s -8 "$cache/$name" ;;
	text) echo 'PTFSIDX is what it begins with' >"$cache/$name" ;;
	esac
}
# said_once WORDS CASE: that is all that info/log says, and nothing else is different
said_once()
{
	wait_until 60 log_says "$1"
	same "$(wc -l <"$mnt/info/log")" 1 "lines of info/log $2"
	facts | diff facts - || fail "$2"
}
for how in flip cut; do
	damage $how
	mount_capture big.pcap -o index-min=1M
	wait_indexed
	said_once "index $cache/$name: not used: " "with an index that was damaged: $how"
	unmount
	mount_capture big.pcap -o index-min=1M
	wait_indexed
	silent_log
	unmount
done

# ---- what is not ours to replace, or not to be believed
damage text
mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 log_says 'not kept: .*no index'
facts | diff facts - || fail 'with a text for an index'
unmount
grep -q PTFSIDX "$cache/$name" || fail 'a file that is no index was replaced'
rm "$cache/$name"

mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 kept "$cache/$name"
unmount
chmod 644 "$cache/$name"
mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 log_says 'not used: .*0600'
unmount
same "$(stat -c %a "$cache/$name")" 600

mv "$cache/$name" "$cache/real"
ln -s real "$cache/$name"
mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 log_says 'not used: .*[Ss]ymbolic'
wait_until 60 log_says 'not kept'
unmount
[ -L "$cache/$name" ] || fail 'the symbolic link was replaced'
rm "$cache/$name"

mv "$cache" "$work/elsewhere"
ln -s "$work/elsewhere" "$cache"
mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 log_says 'not kept'
unmount
same "$(ls "$work/elsewhere")" real
rm "$cache"
mv "$work/elsewhere" "$cache"

if [ "$(id -u)" = 0 ]; then
	mv "$cache/real" "$cache/$name"
	chown 65534 "$cache/$name"
	mount_capture big.pcap -o index-min=1M
	wait_indexed
	wait_until 60 log_says 'not used: .*own'
	wait_until 60 log_says 'not kept: .*own'
	unmount
	same "$(stat -c %u "$cache/$name")" 65534
	rm "$cache/$name"
	chown 65534 "$cache"
	mount_capture big.pcap -o index-min=1M
	wait_indexed
	wait_until 60 log_says 'not kept: .*own'
	unmount
	same "$(ls -A "$cache")" ''
	# another user's daemon keeps none in root's cache
	chown 0 "$cache"
	chmod 755 "$work"
	mount_capture big.pcap -o index-min=1M,setuid=65534,allow_other
	wait_indexed
	silent_log
	unmount
	same "$(ls -A "$cache")" ''
fi

# ---- no place for it
rm -rf "$XDG_CACHE_HOME"
export XDG_CACHE_HOME=/proc/self/fdinfo
mount_capture big.pcap -o index-min=1M
wait_indexed
said_once 'not kept' 'without a place'
unmount
XDG_CACHE_HOME=relative HOME='' mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 log_says 'not kept: there is no'
unmount
[ ! -e relative ] || fail 'a relative XDG_CACHE_HOME'
unset XDG_CACHE_HOME
HOME=$work mount_capture big.pcap -o index-min=1M
wait_indexed
wait_until 60 kept "$work/.cache/pktfs/$name"
unmount
same "$(stat -c %a .cache .cache/pktfs | tr '\n' ' ')" '700 700 '
export XDG_CACHE_HOME=$work/cache

# ---- a FILE: of any size, beside the capture, and not over something else
make_capture pcapng 500 small.pcapng
mount_capture small.pcapng -o index=small.index
wait_indexed
wait_until 60 kept small.index
silent_log
unmount
inode=$(stat -c '%i %y' small.index)
mount_capture small.pcapng -o index=small.index
wait_indexed
silent_log
unmount
same "$(stat -c '%i %y' small.index)" "$inode" 'written again'
cp small.pcapng kept.pcapng
mount_capture small.pcapng -o index=kept.pcapng
wait_indexed
wait_until 60 log_says 'not kept: .*no index'
unmount
cmp small.pcapng kept.pcapng
mount_capture small.pcapng -o index=small.pcapng
wait_indexed
wait_until 60 log_says 'not kept: .*no index'
unmount
cmp small.pcapng kept.pcapng
expect 1 "$pktfs" -o index=not/there small.pcapng "$mnt"
expect 1 "$pktfs" -o index="$work" small.pcapng "$mnt"

# part OFFSET BYTES: of small.pcapng
part()
{
	dd if=small.pcapng bs=64K iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none
}

packets_are()
{
	[ "$(cat "$mnt/info/packets")" "$1" "$2" ]
}

# ---- what is added: while it is mounted, and between two mounts
: >small.index
chmod 600 small.index
size=$(stat -c %s small.pcapng)
head -c $((size / 2)) small.pcapng >grown.pcapng
mount_capture grown.pcapng -o index=small.index
wait_indexed
wait_until 60 test -s small.index
part $((size / 2)) $((size / 4)) >>grown.pcapng
wait_until 60 packets_are -gt 300
packets=$(cat "$mnt/info/packets")
unmount
part $((size / 2 + size / 4)) $size >>grown.pcapng
cmp small.pcapng grown.pcapng
mount_capture grown.pcapng -o index=small.index
wait_until 60 packets_are -eq 500
silent_log
[ "$packets" -lt 500 ] || fail 'grown too early'
unmount

# ---- a FILE for what has no index: before anything is mounted or made
mkdir ring
cp small.pcapng ring/a.pcapng
zstd -q small.pcapng -o small.zst
gzip -c small.pcapng >small.gz
mkfifo pipe

# refused WHAT OPTIONS CAPTURE...
refused()
{
	local what=$1 options=$2

	shift 2
	expect 2 "$pktfs" -o "index=none.index$options" "$@" "$work/none"
	grep -q -- "^pktfs: $1: -o index=FILE: found $what; accepted is one plain file" err ||
		fail "$what: $(cat err)"
	same "$(wc -l <err)" 1 "lines about $what"
	[ ! -e none.index ] && [ ! -e none ] || fail "$what: something is left"
}
refused 'several files, or a directory' '' ring
refused 'several files, or a directory' '' small.pcapng grown.pcapng
refused 'a compressed capture' '' small.zst
refused 'a compressed capture' '' small.gz
refused 'a compressed capture' ,append small.zst
refused '-o append=FILE, a second file' ,append=more.pcapng small.pcapng
[ ! -e more.pcapng ] || fail 'more.pcapng is left'
refused 'a pipe or a device' '' -
cat small.pcapng >pipe &
refused 'a pipe or a device' '' pipe
wait $! || true
