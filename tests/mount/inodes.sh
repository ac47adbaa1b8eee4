#!/usr/bin/env bash
# Is the inode of each file the same at the next mount, and one for all of its names?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 300 a.pcapng
mount_capture a.pcapng
wait_indexed
same "$(stat -c '%i %s %Y' "$mnt/packets/42")" "$(stat -c '%i %s %Y' "$mnt/packets/000000042")" 'packets/42'
same "$(stat -c %i "$mnt/packets/0042")" "$(stat -c %i "$mnt/packets/42")" 'packets/0042'
find "$mnt" -path "$mnt/by" -prune -o -printf '%i %P\n' | sort >before
ls -i "$mnt/packets" | awk '{print $1}' | sort -n | uniq -d >twice
[ ! -s twice ] || fail "inodes used twice: $(cat twice)"
cut -d' ' -f1 before | sort | uniq -d >twice
[ ! -s twice ] || fail "inodes used twice: $(grep -wf twice before | head)"
# they rise with the number, since grep and find open in this order
ls -i "$mnt/packets" | sort -n -C || fail 'inodes do not rise'
unmount
mount_capture a.pcapng
wait_indexed
find "$mnt" -path "$mnt/by" -prune -o -printf '%i %P\n' | sort >after
cmp before after
# one that is in sets, too, has more than one link: then du and tar count it once
same "$(stat -c %h "$mnt/packets/1")" 2 "links of a packet"
du -sc -B1 "$mnt/packets" >once
du -sc -B1 "$mnt/packets" "$mnt/by/interface/0/packets" "$mnt/by/range/1-/packets" >thrice
[ $(($(tail -1 thrice | cut -f1) - $(tail -1 once | cut -f1))) -le 16384 ] || fail "du counts links: $(cat once thrice)"
