#!/usr/bin/env bash
# Sets of a ring whose files are lost: are the packets of its only file passed over
# as those of one of several are, and is a set that failed while a file was cut, but
# not known to be, evaluated again?
. "$(dirname "$0")/lib.sh"
words_allowed=yes # errors of what is read while it is cut

packets_are()
{
	[ "$(cat "$mnt/info/packets")" = "$1" ]
}

# members_are N EXPRESSION
members_are()
{
	[ "$(cat "$mnt/by/filter/$2/info/packets")" = "$1" ] &&
		[ "$(ls "$mnt/by/filter/$2/packets" | wc -l)" = "$1" ]
}

make_capture pcap 3000 a.pcap --small
make_capture pcap 300 b.pcap --small
touch -d '1 hour ago' ./*.pcap

# the only file is removed
mkdir ring
cp -p a.pcap ring
mount_capture ring
wait_indexed
rm ring/a.pcap
wait_until 60 grep -q 'a.pcap: was removed' "$mnt/info/log"
members_are 0 'len > 1' || fail "a set of what is lost has members, or cannot be read"
cp b.pcap ring
wait_until 60 packets_are 3300
wait_until 60 members_are 300 'len > 1'
unmount

# a file is cut, and a set wanted before that is known, or just after
rm -r ring
mkdir ring
cp -p a.pcap b.pcap ring
mount_capture ring
wait_indexed
same "$(cat "$mnt/info/packets")" 3300
: >ring/a.pcap
ls "$mnt/by/filter/len > 1/packets" >list 2>&1 || true
wait_until 60 grep -q 'a.pcap: was cut or overwritten' "$mnt/info/log"
wait_until 60 members_are 300 'len > 1'
unmount
