#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Small compressed files that claim to be, or are, larger than any disk: mounted
# at once, what is before the lie is there, memory and spool stay bounded.
. "$(dirname "$0")/lib.sh"
. "$here/lies_lib.sh"

spool=$work
limit=192 # MiB: the frame cache (32), buffers, and half a byte for each packet that 4 s index
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=64M tmpfs small 2>/dev/null; then
	spool=$work/small
	trap 'cd /; umount -l "$work/small"; clean_up' EXIT
fi

# bomb KIND SECONDS WHAT [SPOOL]
bomb()
{
	local size spool=${4:-$spool}

	python3 "$lies" "$1" bomb >unpacked
	size=$(($(stat -c %s bomb) / 1024))
	lie bomb $limit "$2" "$1" -o "spool=$spool"
	[ "$(du -sk "$spool" | cut -f1)" -lt 65536 ] || [ "$spool" = "$work" ] || fail "$1: the spool is full"
	tell "$3: $size KiB: $found packets, $state${problem:+ ($problem)}, $memory MiB of $limit"
	rm bomb
}
bomb zstd_claims 10 "zstd, 100 frames that claim 1 TiB each"
bomb zstd_claims_most 10 "zstd, 100 frames that claim 2^64 - 2 bytes each"
bomb zstd_kibibytes 30 "zstd, 12 undeclared frames that give 8 MiB of zeros each, between skippable ones" "$work"
bomb zstd_frames 4 "zstd, 131072 declared frames that give 1 TiB, for 4 s"
if [ "$spool" != "$work" ]; then
	bomb zstd_one 60 "zstd, one undeclared frame that gives 256 GiB, spool of 64 MiB"
	bomb gzip_bomb 60 "gzip, 128 members that give 8 GiB, spool of 64 MiB"
else
	tell "gzip and zstd of one frame # SKIP only root mounts a small spool"
fi
echo "1..$told"
