#!/usr/bin/env bash
# Compressed captures that are cut, damaged, or lie about their size.
. "$(dirname "$0")/lib.sh"
make_capture pcapng 4000 a.pcapng --files disk
zstd -q -k --no-check a.pcapng -o a.zst
gzip -k a.pcapng
split -b 100000 a.pcapng part.
for part in part.*; do
	zstd -q -c "$part"
done >frames.zst

python3 - <<'PYTHON'
import struct
plain = open("a.zst", "rb").read()
size = len(open("a.pcapng", "rb").read())
descriptor = plain[4]
flag, single = descriptor >> 6, descriptor >> 5 & 1
width = {0: 1 if single else 0, 1: 2, 2: 4, 3: 8}[flag]
assert width == 4, "the frame declares its size in four bytes"
at = 5 if single else 6
assert struct.unpack_from("<I", plain, at)[0] == size
for name, claim in (("more", size + 5000000), ("less", size - 100), ("none", 0), ("huge", 0xffffffff)):
    open(f"claims-{name}.zst", "wb").write(plain[:at] + struct.pack("<I", claim) + plain[at + 4:])
# eight bytes of claim, and a window that would need 2 GiB
wide = bytes([descriptor & ~0xe0 | 3 << 6, 0xa8]) + struct.pack("<Q", 1 << 60)
open("claims-exabyte.zst", "wb").write(plain[:4] + wide + plain[at + 4:])
PYTHON
head -c $(($(stat -c %s a.zst) / 2)) a.zst >cut.zst
head -c $(($(stat -c %s a.pcapng.gz) / 2)) a.pcapng.gz >cut.gz
head -c $(($(stat -c %s frames.zst) - 10)) frames.zst >cut-frames.zst
cp frames.zst flipped.zst
printf '\377\377\377\377' | dd of=flipped.zst bs=1 seek=$(($(stat -c %s frames.zst) * 3 / 4)) \
	conv=notrunc status=none
cp a.pcapng.gz flipped.gz
printf '\377\377\377\377' | dd of=flipped.gz bs=1 seek=$(($(stat -c %s flipped.gz) * 3 / 4)) \
	conv=notrunc status=none
zstd -q a.pcapng -o flipped-single.zst
printf '\377\377\377\377' | dd of=flipped-single.zst bs=1 \
	seek=$(($(stat -c %s flipped-single.zst) / 2)) conv=notrunc status=none
zstd -q a.pcapng -o checksum.zst
printf '\377\377\377\377' | dd of=checksum.zst bs=1 \
	seek=$(($(stat -c %s checksum.zst) - 4)) conv=notrunc status=none
cat a.zst <(echo and something else behind it) >tail.zst

# keeps FILE PACKETS [RIGHT]: at least so many are there, and all of them are
# right (the first RIGHT: where only a checksum tells of the damage)
keeps()
{
	local file=$1 least=$2 right=${3:-} packets

	mount_capture "$file"
	wait_indexed
	case $(cat "$mnt/info/state") in
	truncated | damaged) ;;
	*) fail "$file: state $(cat "$mnt/info/state")" ;;
	esac
	[ -s "$mnt/info/problem" ] || fail "$file: says no problem"
	packets=$(cat "$mnt/info/packets")
	[ "$packets" -ge "$least" ] || fail "$file: only $packets packets"
	ls "$mnt/packets" >listed
	same "$(wc -l <listed)" "$packets" "$file: listed"
	(cd "$mnt/packets" && for n in $(head -n "${right:-$packets}" "$work/listed"); do cmp "$n" "$work/disk/$n" || exit 1; done) ||
		fail "$file: wrong packets"
	[ "$(own_memory "$daemon")" -lt 65536 ] || fail "$file: $(own_memory "$daemon") KiB of memory"
	unmount
}
keeps cut.zst 1000
keeps cut.gz 1000
keeps cut-frames.zst 3000
# in its tenth frame, which is given as a whole
keeps flipped.zst 3300 2950
keeps flipped.gz 1000
keeps flipped-single.zst 500
keeps claims-more.zst 4000
keeps claims-less.zst 4000
keeps claims-none.zst 4000
keeps checksum.zst 4000
keeps tail.zst 4000
# frames that libzstd itself refuses at their first byte may be refused here
for file in claims-huge.zst claims-exabyte.zst; do
	if "$pktfs" --info "$file" >/dev/null 2>info.err; then
		keeps "$file" 0
	else
		same "$(wc -l <info.err)" 1 "lines about $file"
	fi
done
