#!/usr/bin/env bash
# pcapng to pcap: one file while there is one link type, one for each otherwise,
# and none that would say something false.
. "$(dirname "$0")/lib.sh"
cat >make.py <<PYTHON
import sys
sys.path.insert(0, "$here")
from captures import *
some = list(packets(60))
for n, p in enumerate(some):
    p.interface = n % 3
open("two.pcapng", "wb").write(
    shb() + idb(1, 0, option(9, b"\\x09")) + idb(101, 0, option(9, b"\\x09")) +
    idb(1, 0, option(9, b"\\x09")) + b"".join(epb(p) for p in some))
for p in some:
    p.interface = 0
open("untimed.pcapng", "wb").write(shb() + idb(1) + b"".join(spb(p.data) for p in some))
open("sections.pcapng", "wb").write(
    pcapng(some[:20]) + pcapng(some[20:40], big=True) + pcapng(some[40:]))
open("none.pcapng", "wb").write(shb())
PYTHON
python3 make.py
mount_capture two.pcapng
wait_indexed
ls "$mnt" >names
! grep -qx capture.pcap names || fail 'one pcap for two link types'
grep -qx capture.ETHERNET.pcap names
grep -qx capture.RAW.pcap names
tshark -r "$mnt/capture.ETHERNET.pcap" -T fields -e frame.encap_type -e frame.time_epoch \
	-e frame.cap_len -e frame.len >got
tshark -r two.pcapng -T fields -e frame.encap_type -e frame.time_epoch -e frame.cap_len \
	-e frame.len | grep '^1' >want
same "$(wc -l <got)" 40
cmp want got
same "$(tshark -r "$mnt/capture.RAW.pcap" 2>/dev/null | wc -l)" 20
cmp two.pcapng "$mnt/capture.pcapng"
unmount

# a change of byte order half way
mount_capture sections.pcapng
wait_indexed
cmp sections.pcapng "$mnt/capture.pcapng"
same "$(ls "$mnt/packets" | wc -l)" 60
same "$(ls "$mnt/sections" | wc -l)" 3
same "$(ls "$mnt/interfaces" | wc -l)" 3
same "$(cat "$mnt/sections/1/byte_order")" big-endian
fields='-T fields -e frame.time_epoch -e frame.cap_len -e frame.len'
# shellcheck disable=SC2086
cmp <(tshark -r sections.pcapng $fields) <(tshark -r "$mnt/capture.pcap" $fields)
unmount

# packets without a time
mount_capture untimed.pcapng
wait_indexed
same "$(ls "$mnt/packets" | wc -l)" 60
same "$(stat -c %Y "$mnt/packets/5")" "$(stat -c %Y untimed.pcapng)" 'time of a packet without one'
cmp untimed.pcapng "$mnt/capture.pcapng"
unmount

mount_capture none.pcapng
wait_indexed
same "$(ls "$mnt/packets" | wc -l)" 0
same "$(cat "$mnt/info/packets")" 0
cmp none.pcapng "$mnt/capture.pcapng"
