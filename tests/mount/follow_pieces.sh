#!/usr/bin/env bash
# A capture that is written in odd pieces, preallocated, rolled back, appended to by frames or by another pktfs, cut, renamed: is what is shown right?
. "$(dirname "$0")/lib.sh"
info()
{
	cat "$mnt/info/$1"
}

# Somebody has a.cap open for writing, who is not the daemon's parent: it would
# have it open, too.
hold_open()
{
	sleep 300 >>a.cap &
	holder=$!
}

let_go()
{
	kill $holder
	wait $holder || :
}
count=50
[ -z "${PKTFS_BIG:-}" ] || count=3000

for format in pcap pcapng; do
	make_capture $format $count whole --files disk
	set -- pieces closed zeros back
	while [ $# -gt 0 ]; do
		how=$1 code=0
		# a start that ends between two records; one in the middle of one below
		make_capture $format 3 a.cap
		[ $how != pieces ] || { head -c $(($(stat -c %s a.cap) + 20)) whole >b.cap && mv b.cap a.cap; }
		hold_open
		mount_capture a.cap
		wait_indexed
		python3 -B "$here/follow_pieces.py" $how whole a.cap "$mnt" $format || code=$?
		let_go
		unmount
		case $code in
		0) shift ;;
		3) echo "$how, $format: once more" ;;
		*) fail "$how, $format" ;;
		esac
	done
done

# frames and members; the capture is cut into them anywhere
split -b 800 -a 4 -d whole part.
for pack in 'zstd -q -k zst' 'gzip -k gz'; do
	suffix=${pack##* }
	${pack% *} part.????
	cp part.0000.$suffix a.cap
	hold_open
	mount_capture a.cap
	wait_indexed
	python3 -B "$here/follow_pieces.py" frames whole a.cap "$mnt" pcapng part.????.$suffix ||
		fail "frames of $suffix"
	let_go
	unmount
	rm part.????.$suffix
done

# another pktfs appends; what its close has said is soon here
make_capture pcapng 5 a.cap
mount_capture a.cap
wait_indexed
mkdir other
"$pktfs" -o rw a.cap other
for n in 6 7 8 9; do
	cp "disk/00000000$n" "other/append/0/$n" || fail "append $n"
	wait_until 60 cmp -s "disk/00000000$n" "$mnt/packets/$n"
done
same "$(info state)" growing 'while another has it open'
"$pktfs" -u other
wait_until 60 grep -q complete "$mnt/info/state"
cmp a.cap "$mnt/capture.pcapng"
unmount

# not followed
mount_capture a.cap -o nofollow
wait_indexed
head -c 1000 whole >>a.cap
sleep 0.3
same "$(info packets)" 9 'with nofollow'
same "$(info state)" complete 'with nofollow'
unmount

# a cut record is half there for as long as somebody writes, and some seconds more
make_capture pcapng 5 a.cap --cut 9
hold_open
mount_capture a.cap
wait_indexed
same "$(info state)" growing 'a writer has it open'
same "$(info packets)" 4
same "$(info progress)" 100.0
[ ! -e "$mnt/info/problem" ] || fail "half a record is a problem: $(info problem)"
[ "$(stat -c %s "$mnt/capture.pcapng")" -lt "$(stat -c %s a.cap)" ] || fail 'half a record is shown'
let_go
wait_until 60 grep -q truncated "$mnt/info/state"
grep -q 'cut at the end' "$mnt/info/problem" || fail "$(info problem)"
cmp a.cap "$mnt/capture.pcapng"
make_capture pcapng 5 all
tail -c 9 all >>a.cap
wait_until 60 grep -qx "growing\|complete" "$mnt/info/state"
wait_until 60 cmp -s disk/000000005 "$mnt/packets/5"
cmp all "$mnt/capture.pcapng"

# renamed, replaced, and back; it is followed all the time
mv a.cap b.cap
wait_until 60 grep -q 'a.cap was renamed or removed' "$mnt/info/problem"
cp all a.cap
wait_until 60 grep -q 'a.cap was replaced at 20.*; still showing the old one' "$mnt/info/problem"
make_capture pcapng 6 more
tail -c +$(($(stat -c %s all) + 1)) more >>b.cap
wait_until 60 cmp -s disk/000000006 "$mnt/packets/6"
mv b.cap a.cap
wait_until 60 test ! -e "$mnt/info/problem"

# cut below what was read: EIO for that, the rest is there, and it is said
truncate -s $(($(stat -c %s a.cap) - 200)) a.cap
wait_until 60 grep -q 'made shorter' "$mnt/info/problem"
same "$(info state)" truncated
cmp disk/000000002 "$mnt/packets/2"
expect_errno EIO "open('$mnt/packets/6.hex', 'rb').read()"
words_allowed=1 # that EIO
unmount
! grep -v 'request for inode' "$work/stderr" || fail 'other words'

last_is()
{
	[ "$(ls -U "$mnt/packets" | tail -1)" = "$(printf %09d "$1")" ]
}

# tail -f, through a pipe into another program, too
words_allowed=
: >"$work/stderr"
make_capture pcap 10 a.cap
make_capture pcap 40 whole
mount_capture a.cap
wait_indexed
tail -n +1 -f "$mnt/packets.tsv" >lines &
tails=$!
if command -v tshark >/dev/null; then
	tail -c +1 -f "$mnt/capture.pcap" >raw &
	tails="$tails $!"
fi
for end in 15 22 31 40; do
	make_capture pcap $end part
	tail -c +$(($(stat -c %s a.cap) + 1)) part >>a.cap
	wait_until 60 last_is $end
	sleep 0.3
done
wait_until 60 cmp -s lines "$mnt/packets.tsv"
if command -v tshark >/dev/null; then
	wait_until 60 cmp -s raw whole
	same "$(tshark -r - <raw 2>/dev/null | wc -l)" 40 'packets of tshark'
fi
kill $tails
wait $tails || :
