#!/usr/bin/env bash
# tcpdump and dumpcap write 50,000 packets per second, from a veth pair in a network namespace: is what is mounted meanwhile right, whole and not late?
[ "$(id -u)" = 0 ] || { echo 'SKIP: a network namespace needs root'; exit 77; }
if [ -z "${FOLLOW_NAMESPACE:-}" ]; then
	unshare -n true 2>/dev/null || { echo 'SKIP: no network namespace'; exit 77; }
	FOLLOW_NAMESPACE=1 exec unshare -n "$0"
fi
. "$(dirname "$0")/lib.sh"
seconds=1
[ -z "${PKTFS_BIG:-}" ] || seconds=60
send=$build/tests/mount/follow_send
[ -x "$send" ] || skip 'follow_send is not built (make tests)'
command -v ip >/dev/null || skip 'no ip(8)'
ip link add v0 type veth peer name v1 2>/dev/null || skip 'no veth here'
for link in v0 v1; do
	echo 1 >/proc/sys/net/ipv6/conf/$link/disable_ipv6 2>/dev/null || :
	ip link set $link up
done

# the same of one that another mount shows: all that does not tell of the time
remember()
{
	(cd "$mnt" && cksum packets.tsv "capture.$1" info/{packets,bytes,size,duration,first_time,last_time,link_types} \
		interfaces/*/statistics/* by/interface/0/packets.tsv) >"$2" 2>&1 || :
	(cd "$mnt/packets" && find . -type f -printf '%P %s %T@\n' | sort) >>"$2"
}

# follow FORMAT COMMAND...: which writes ./a.FORMAT
follow()
{
	local format=$1 writer sender

	shift
	rm -f a.*
	"$@" >tool.log 2>&1 &
	writer=$!
	wait_until 60 test -e "a.$format"
	sleep 0.3
	"$send" v0 50000 $seconds >sent &
	sender=$!
	# a buffered header comes with the first packets
	wait_until 60 grep -q . "a.$format"
	mount_capture "a.$format"
	wait_until 60 grep -q growing "$mnt/info/state"
	# as a listing that is kept, of what is there
	ls -U "$mnt/packets" >/dev/null
	(wait_until $((seconds * 20 + 60)) test ! -d /proc/$sender; sleep 0.2; kill -INT $writer) &
	python3 -B "$here/follow_watch.py" "$mnt" "a.$format" "$format" $writer >watched ||
		fail "$*: $(cat tool.log)"
	wait $writer || :
	wait
	echo "$*: $(cat sent) packets sent; $(cat watched)"
	[ "$(cat "$mnt/info/packets")" -gt $((seconds * 10000)) ] || fail 'too few packets came'
	remember "$format" followed
	[ -n "${quiet_seen:-}" ] || wait_until 60 grep -q complete "$mnt/info/state"
	quiet_seen=1
	unmount
	mount_capture "a.$format" -o nofollow
	wait_indexed
	remember "$format" finished
	cmp followed finished || { diff followed finished | head >&2; fail "$*: not as the finished file"; }
	unmount
}

# the daemon of a mount is a job, too
wait()
{
	local pid

	[ $# = 0 ] || { builtin wait "$@"; return; }
	for pid in $(jobs -p); do
		[ "$pid" = "$daemon" ] || builtin wait "$pid" || :
	done
}
follow pcap tcpdump -Z root -i v1 -B 32768 -U -w a.pcap ether proto 0x88b5
follow pcap tcpdump -Z root -i v1 -B 32768 --time-stamp-precision nano -w a.pcap ether proto 0x88b5
if command -v dumpcap >/dev/null; then
	follow pcapng dumpcap -q -i v1 -B 32 -f 'ether proto 0x88b5' -w a.pcapng
else
	echo 'no dumpcap here'
fi
