#!/usr/bin/env bash
# Is a target that somebody removes, replaces, cuts or extends left alone, and does the mount live on?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
# The frame of a file that is gone cannot be ended: the daemon may say so, and end with 1.
ended()
{
	local code=0

	"$pktfs" -u "$mnt" || fail "unmount of $1"
	wait "$daemon" || code=$?
	daemon=
	[ $code -le 1 ] || fail "the daemon ended with $code, $1"
	case $1 in
	*.zst* | *.gz*) : >stderr ;;
	*) [ ! -s stderr ] || fail "the daemon said something, $1" ;;
	esac
}

for kind in pcap pcapng pcap.zst pcapng.gz; do
	options=
	[[ $kind != pcapng* ]] || options='--format pcapng'
	[[ $kind != *.zst ]] || options+=' --zstd single'
	[[ $kind != *.gz ]] || options+=' --gzip'
	make="$pktgen --packets 20 $options"

	$make "removed.$kind"
	mount_capture "removed.$kind" -o rw
	wait_indexed
	appends
	same "$(cat "$mnt/info/packets")" 21
	rm "removed.$kind"
	close_gives ESTALE 0/p
	same "$(cat "$mnt/info/packets")" 21 "packets of $kind that was removed"
	grep -qi 'removed' "$mnt/info/log" || fail "info/log says: $(cat "$mnt/info/log")"
	same "$(cat "$mnt/packets/21")" 'some bytes' "packet 21 of $kind that was removed"
	[ ! -e "removed.$kind" ] || fail "removed.$kind is back"
	ended "$kind that was removed"

	$make "replaced.$kind"
	mount_capture "replaced.$kind" -o rw
	wait_indexed
	appends
	$make --seed 2 new
	sum=$(sha256sum <new)
	mv new "replaced.$kind"
	close_gives ESTALE 0/p
	close_gives ESTALE 0/p
	same "$(cat "$mnt/packets/21")" 'some bytes' "packet 21 of $kind that was replaced"
	ended "$kind that was replaced"
	same "$(sha256sum <"replaced.$kind")" "$sum" "$kind that replaced it"

	$make "cut.$kind"
	mount_capture "cut.$kind" -o rw
	wait_indexed
	appends
	wait_until 60 grep -qx complete "$mnt/info/state" # the frame has ended
	size=$(stat -c %s "cut.$kind")
	truncate -s -3 "cut.$kind"
	close_gives ESTALE 0/p
	same "$(stat -c %s "cut.$kind")" $((size - 3)) "bytes of $kind that was cut"
	grep -q . "$mnt/info/log"
	ls "$mnt/packets" >/dev/null
	cat "$mnt/packets/1" >/dev/null || fail "packet 1 of $kind that was cut"
	ended "$kind that was cut"
	same "$(stat -c %s "cut.$kind")" $((size - 3)) "bytes of $kind after the unmount"

	$make "longer.$kind"
	mount_capture "longer.$kind" -o rw
	wait_indexed
	appends
	wait_until 60 grep -qx complete "$mnt/info/state" # the frame has ended
	echo more >>"longer.$kind"
	sum=$(sha256sum <"longer.$kind")
	close_gives ESTALE 0/p
	cat "$mnt/packets/21" >/dev/null || fail "packet 21 of $kind that was extended"
	ended "$kind that was extended"
	same "$(sha256sum <"longer.$kind")" "$sum" "$kind that was extended"
done
