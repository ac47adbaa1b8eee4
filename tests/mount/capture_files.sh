#!/usr/bin/env bash
# Are capture.pcap and capture.pcapng the source's own bytes in its own format,
# and a right conversion in the other?
. "$(dirname "$0")/lib.sh"

# fields FILE: what tshark sees of each packet
fields()
{
	tshark -r "$1" -T fields -e frame.number -e frame.time_epoch -e frame.len -e frame.cap_len \
		-e frame.encap_type -e eth.addr 2>tshark.err || fail "tshark $1: $(cat tshark.err)"
}
for how in 'pcap' 'pcap --big-endian' 'pcap --micro' 'pcapng' 'pcapng --big-endian'; do
	read -r format options <<<"$how"
	# shellcheck disable=SC2086
	make_capture "$format" 200 "a.$format" $options
	mount_capture "a.$format"
	wait_indexed
	cmp "$mnt/capture.$format" "a.$format" || fail "$how: other bytes"
	same "$(stat -c %s "$mnt/capture.$format")" "$(stat -c %s "a.$format")"
	ls "$mnt" >names
	grep -qx capture.pcap names
	grep -qx capture.pcapng names
	fields "a.$format" >want
	for made in pcap pcapng; do
		cp "$mnt/capture.$made" copy
		same "$(stat -c %s copy)" "$(stat -c %s "$mnt/capture.$made")" "size of $made"
		fields copy >got
		cmp want got || fail "$how: capture.$made: $(diff want got | head -4)"
		# any piece, in any order, is a piece of the whole
		python3 - "$mnt/capture.$made" copy <<-'PYTHON'
		import os, random, sys
		whole = open(sys.argv[2], "rb").read()
		fd = os.open(sys.argv[1], os.O_RDONLY)
		chance = random.Random(1)
		for _ in range(300):
		    at, size = chance.randrange(len(whole) + 10), chance.randrange(1, 5000)
		    assert os.pread(fd, size, at) == whole[at:at + size], (at, size)
		PYTHON
	done
	expect 0 capinfos -c -M copy
	unmount
done
