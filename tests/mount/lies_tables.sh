#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Captures with ten million interfaces, a million sections, options of 64 KiB,
# lengths near 2^32, times at all ends: what is before is there, memory is bounded,
# and an index that would take too much says so.
. "$(dirname "$0")/lib.sh"
not_with scouts # ten million interfaces, which are none of a scout's, by scouts of 500 bytes
. "$here/lies_lib.sh"
seconds=300 # at most: a machine may have much else to do

count=$(python3 "$lies" interfaces many)
# 128 bytes an interface are in the index; 1280 MiB would be above -o memory
lie many 1100 $seconds interfaces
same "$state" damaged "state of $count interfaces"
[[ $problem == *"-o memory"* ]] || fail "interfaces: $problem"
tell "$count interfaces: 1 GiB by default: $state ($problem), $memory MiB of 1100"
lie many 150 $seconds interfaces -o memory=64M
same "$state" damaged "state with 64 MiB"
tell "$count interfaces: -o memory=64M: $state, $memory MiB of 150"
lie many 1400 $seconds interfaces -o memory=2G
same "$state" complete "state with 2 GiB"
mount_capture many -o memory=2G
wait_indexed $seconds
same "$(cat "$mnt/info/packets")" $few 'packets among interfaces'
for number in 0 1 4999999 $count; do
	same "$(within 60 cat "$mnt/interfaces/$number/link_type")" ETHERNET "link type of $number"
done
! [ -e "$mnt/interfaces/$((count + 1))" ] || fail 'an interface that is not there'
same "$(within 60 stat -c %s "$mnt/blocks/$(printf %09d $count).idb")" 20 'size of a block'
memory_below 1400 'interfaces, asked'
end_in_time interfaces
tell "$count interfaces: -o memory=2G: $state, each can be asked for, $memory MiB of 1400"

count=$(python3 "$lies" sections many)
lie many 300 $seconds sections
same "$state" complete "state of $count sections"
same "$found" $((count + few)) "packets of $count sections"
mount_capture many
wait_indexed $seconds
same "$(within 60 cat "$mnt/packets/$((count + few))")" 'of a section' 'the last packet'
same "$(within 60 cat "$mnt/sections/$count/byte_order")" little-endian 'the last section'
same "$(within 60 cat "$mnt/by/interface/$count/info/packets")" 1 'packets of the last interface'
memory_below 300 'sections, asked'
end_in_time sections
tell "$count sections of an interface and a packet: $state, $memory MiB of 300"

count=$(python3 "$lies" options many)
lie many 150 $seconds options
same "$state" complete 'state with long options'
mount_capture many
wait_indexed $seconds
for name in packets/31.json packets/31.hex packets.tsv sections/1/options interfaces/1/name interfaces/1/description \
	interfaces/1/comment; do
	within 60 cat "$mnt/$name" >/dev/null || fail "options: $name"
done
python3 - "$mnt/packets/31" <<'PYTHON'
import errno, os, sys
for name in os.listxattr(sys.argv[1]):
    try:
        os.getxattr(sys.argv[1], name)
    except OSError as e:
        assert e.errno in (errno.E2BIG, errno.ERANGE, errno.ENOSPC), (name, e)
PYTHON
within 60 cat "$mnt/by/filter/len > 1/capture.pcapng" | tail -c 4 | od -An -tu4 >/dev/null
memory_below 150 'options, asked'
end_in_time options
tell "$count blocks of four options of 65535 bytes: $state, $memory MiB of 150"

count=$(python3 "$lies" lengths many.d)
most=0
for file in many.d/*; do
	"$pktfs" --info "$file" >info 2>info.err || fail "$file: $(cat info.err)"
	same "$(awk '$1 ~ /^packets:?$/ {print $2}' info)" $few "packets of $file"
	grep -q 'damaged\|truncated' info || fail "$file: $(grep state info)"
done
for file in many.d/*fff*-6-* many.d/80000000* many.d/*.pcap; do
	lie "$file" 32 20 "$file"
	same "$found" $few "packets of $file"
	[ "$memory" -le $most ] || most=$memory
done
tell "$count files with a length from 2^28 to 2^32 - 1: $few packets and a problem in each, $most MiB of 32"

count=$(python3 "$lies" times many)
lie many 32 $seconds times
same "$state" complete 'state with odd times'
same "$found" $((count + few)) 'packets with odd times'
mount_capture many
wait_indexed
within 60 ls -l --full-time "$mnt/packets" >listed || fail 'odd times: ls'
same "$(wc -l <listed)" $((count + few + 1)) 'packets listed'
within 60 cat "$mnt/packets.tsv" "$mnt/info/first_time" "$mnt/info/last_time" "$mnt/info/duration" >/dev/null
within 60 find "$mnt/by/time" -maxdepth 2 >/dev/null
within 60 cat "$mnt/by/time/..2026-01-01/info/packets" "$mnt/by/time/2100-01-01../info/packets" >/dev/null
within 60 cat "$mnt/capture.pcapng" | cmp - many
end_in_time times
tell "$count packets at the ends of 256 resolutions and 4 offsets: $state, $memory MiB of 32"
echo "1..$told"
