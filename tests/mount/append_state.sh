#!/usr/bin/env bash
# Does info/ say that all is well between an append to a compressed file and the end of its frame?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
"$pktgen" --format pcapng --packets 5 a.pcapng
zstd -q a.pcapng
gzip -k a.pcapng

# watch COUNT: appends, and looks after each. Of what is seen while frames are ended
# nothing may be wrong, and "growing" must be among it.
watch()
{
	python3 - "$mnt" "$1" <<-'PYTHON'
	import os, sys, time
	mnt, count = sys.argv[1], int(sys.argv[2])
	seen = {}
	def look():
	    for name in ("info/state", "by/range/1-/info/state"):
	        state = open(f"{mnt}/{name}").read().strip()
	        seen[state] = seen.get(state, 0) + 1
	    try:
	        sys.exit("info/problem: " + open(f"{mnt}/info/problem").read())
	    except FileNotFoundError:
	        pass
	    assert "problem" not in os.listdir(f"{mnt}/info") or look_again()
	def look_again():
	    return not os.path.exists(f"{mnt}/info/problem")
	for i in range(count):
	    with open(f"{mnt}/append/0/p{i}", "wb") as f:
	        f.write(b"packet %d" % i)
	    end = time.monotonic() + (0.3 if i % 4 == 0 else 0.02)
	    look()
	    while time.monotonic() < end or (i % 4 == 0 and "complete" not in seen):
	        look()
	if set(seen) - {"evaluating"} != {"growing", "complete"}:
	    sys.exit(f"states: {seen}")
	PYTHON
}

is_complete()
{
	[ "$(cat "$mnt/info/state")" = complete ]
}

for file in a.pcapng.zst a.pcapng.gz; do
	mount_capture $file -o rw
	wait_indexed
	same "$(cat "$mnt/info/state")" complete
	# (again, if the frame has ended before this script gets to it)
	packets=5
	until
		packets=$((packets + 1))
		printf packet >"$mnt/append/0/$packets"
		cp $file torn.$file
		[ "$(cat "$mnt/info/state")" = growing ]
	do
		[ $packets -lt 50 ] || fail "$file: state"
	done
	[[ $file == *.gz ]] || torn_packets=$packets
	! [ -e "$mnt/info/problem" ] || fail "$file: $(cat "$mnt/info/problem")"
	wait_until 60 is_complete
	watch 20
	wait_until 60 is_complete
	unmount
done

# a plain file has no frames
mount_capture a.pcapng -o rw
wait_indexed
printf packet >"$mnt/append/0/p"
same "$(cat "$mnt/info/state")" complete 'state of a plain file'
unmount

# what is cut is cut, for who only looks
mount_capture torn.a.pcapng.zst
wait_indexed
same "$(cat "$mnt/info/state" "$mnt/info/packets")" $'truncated\n'$torn_packets 'a copy in between'
[ "$(wc -l <"$mnt/info/problem")" = 1 ] || fail 'no problem'
unmount

# a capture that is cut stays so, whatever is appended behind it
for torn in a.pcapng torn.a.pcapng.zst; do
	[ $torn != a.pcapng ] || truncate -s -3 $torn
	rm -f more.pcapng more.pcapng.zst
	"$pktgen" --format pcapng --packets 1 more.pcapng
	zstd -q --rm more.pcapng
	mount_capture $torn -o append=more.pcapng.zst
	wait_indexed
	before=$(cat "$mnt/info/problem")
	printf packet >"$mnt/append/0/p"
	same "$(cat "$mnt/info/state")" truncated "state of a cut one ($torn)"
	same "$(cat "$mnt/info/problem")" "$before" "problem of a cut one ($torn)"
	sleep 0.5
	same "$(cat "$mnt/info/state")" truncated "state of a cut one afterwards ($torn)"
	same "$(cat "$mnt/info/problem")" "$before" "problem of a cut one afterwards ($torn)"
	unmount
done

# a whole one before it
gunzip -kf a.pcapng.gz
mount_capture a.pcapng -o append=more.pcapng.zst
wait_indexed
watch 4
wait_until 60 is_complete
unmount
