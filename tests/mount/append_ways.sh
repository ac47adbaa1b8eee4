#!/usr/bin/env bash
# Does each way to write a file append exactly one packet, which everybody sees at once?
. "$(dirname "$0")/lib.sh"
pktgen=$build/tests/tools/pktgen
[ -x "$pktgen" ] || skip 'pktgen is not built (make tests)'
failed=

# ways FILE PLACE INTERFACE TICK [PATTERN...]: all of them, on a mount of FILE
ways()
{
	local file=$1

	mount_capture "$file" -o rw
	wait_indexed
	python3 "$here/append_ways.py" "$mnt" "$work/$file" "${@:2}" || failed=yes
	unmount
	rm -rf ways
	"$pktfs" --info "$file" >info.txt || fail "$file cannot be read afterwards"
	grep -qx 'state: complete' info.txt || fail "$file afterwards: $(grep -E 'state|problem' info.txt)"
}

# one command, several packets; and names that are taken again
several()
{
	local to=$mnt/append/0 before name

	before=$(cat "$mnt/info/packets")
	mkdir several
	for name in a b c; do
		printf 'packet %s' $name >several/$name
	done
	cp several/a several/b several/c "$to/"
	same "$(cat "$to/a" "$to/b" "$to/c")" 'packet apacket bpacket c'
	same "$(readlink "$to/c")" "../../packets/$(printf %09d $((before + 3)))" 'in order'
	cp --remove-destination several/b "$to/a"
	install several/c "$to/a"
	rsync several/a "$to/a"
	same "$(readlink "$to/a")" "../../packets/$(printf %09d $((before + 6)))" 'the newest'
	same "$(cat "$to/a")" 'packet a'
	tar -C several -cf - a b c | tar -C "$to" --unlink-first -xf -
	same "$(cat "$mnt/info/packets")" $((before + 9))
	same "$(tail -9 "$mnt/info/appended" | cut -f2 | tr -d ' ' | tr '\n' ' ')" \
		"$(seq -s ' ' $((before + 1)) $((before + 9))) "
	rm "$to"/[abc]
	same "$(ls "$to")" '' 'names that are left'
	same "$(cat "$mnt/info/packets")" $((before + 9)) 'after rm'
	rm -r several
}

"$pktgen" --format pcapng --packets 12 --start 2026-11-21T10:32:07Z two.pcapng --interfaces 2 --nanosecond
"$pktgen" --packets 12 --start 2026-11-21T10:32:07Z micro.pcap
"$pktgen" --packets 12 --start 2026-11-21T10:32:07Z --format pcapng one.pcapng --nanosecond
ways two.pcapng 1 1 1
# the folder itself, where there is one interface
ways one.pcapng '' 0 1 cat cp rsync 'open, write' 'descriptor 3' tar mv
# a pcap holds no attributes
ways micro.pcap 0 0 1000 cat 'cp [' 'cp -' 'open,' rsync touch dd mv tar install

"$pktgen" --packets 3 --nanosecond several.pcap
mount_capture several.pcap -o rw
wait_indexed
several
unmount
[ -z "$failed" ]
