#!/usr/bin/env bash
# Are packets that the kernel was given before it asked the right ones, in any order of
# reading, while memory is short, and while the capture grows? Do unmounts and interrupts end
# it all? And is nothing given with -o nopush?
. "$(dirname "$0")/lib.sh"
not_with nopush slow
make_capture pcap 3000 a.pcap --files right
words_allowed=1 # every request

# requests FILE: reads of the files in DIR since the log had so many lines
requests()
{
	tail -n +$(($1 + 1)) stderr | grep -c 'opcode: READ ' || :
}

given()
{
	[ "$(grep -c 'NOTIFY: code=4' stderr)" -ge "$1" ]
}

read_files()
{
	python3 -B "$here/pushed_read.py" "$mnt/packets" right "$@" || fail "read_files $*"
}

# three of a block, and the rest of it comes: of 1 to 63 seven are empty, and one in the
# middle is the marker
mount_capture a.pcap -d
ls -l "$mnt/packets" >/dev/null
cat "$mnt"/packets/00000000[124] >/dev/null
wait_until 60 given 52
lines=$(wc -l <stderr)
cat "$mnt"/packets/0000000{40..61} >got
cat right/0000000{40..61} | cmp - got
same "$(requests "$lines")" 0 'requests for what was given'
! given 53 || fail 'more was given than a block'
unmount
: >stderr

# a kernel that does not know the inodes is asked a few times only, and reads on
mount_capture a.pcap -d
cat "$mnt"/packets/{64..191} >got
cat right/000000{064..191} | cmp - got
unmount
: >stderr

mount_capture a.pcap -d -o nopush
read_files up 1
! given 1 || fail 'given in spite of nopush'
unmount
: >stderr
words_allowed=

for how in 'up 1' 'up 4 --map' 'down 2' 'random 2' 'up 2 --forget' 'random 3 --forget --map'; do
	mount_capture a.pcap
	read_files $how
	unmount
done
# the same inodes, of a set that has a part of them
mount_capture a.pcap
set="$mnt/by/filter/len > 80/packets"
ls -l "$mnt/packets" "$set" >listed
names=$(ls "$set")
[ "$(wc -l <<<"$names")" -gt 1000 ] || fail 'too small a set'
(cd "$set" && sha256sum -- $names) >got
(cd right && sha256sum -- $names) | cmp - got
diff -r right "$mnt/packets"
unmount

# what grows meanwhile; its packets are final all the same
make_capture pcap 6000 whole.pcap --files whole
head -c 77777 whole.pcap >growing.pcap
mount_capture growing.pcap
for n in $(seq $(($(stat -c %s whole.pcap) / 77777))); do
	dd if=whole.pcap bs=77777 skip="$n" count=1 status=none >>growing.pcap
	sleep 0.05
done &
writer=$!
while [ "$(cat "$mnt/info/packets")" -lt 6000 ]; do
	kill -0 $writer 2>/dev/null || wait_until 60 grep -qx 6000 "$mnt/info/packets"
	names=$(ls "$mnt/packets" | tail -n 300)
	(cd whole && sha256sum -- $names) >want
	(cd "$mnt/packets" && sha256sum -- $names) | cmp - want
done
wait $writer
diff -r whole "$mnt/packets"
unmount

# the end, whatever is under way
for n in $(seq 6); do
	mount_capture a.pcap
	ls -l "$mnt/packets" >/dev/null
	readers=()
	for order in up down random; do
		python3 -B "$here/pushed_read.py" "$mnt/packets" right $order 2 >"$work/reader.$order" 2>&1 &
		readers+=($!)
	done
	sleep 0.$((n % 4 + 1))
	# those that are still there
	[ $((n % 3)) = 0 ] || kill -TERM "${readers[@]}" 2>/dev/null || :
	if [ $((n % 2)) = 0 ]; then
		kill -TERM $daemon
		wait $daemon || fail "the daemon ended with $? at SIGTERM"
		daemon=
		wait "${readers[@]}" || : # ENOTCONN
	else
		wait "${readers[@]}" || :
		unmount
	fi
	[ ! -s stderr ] || fail 'the daemon said something'
done
