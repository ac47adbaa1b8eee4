#!/usr/bin/env bash
# Is growth seen where inotify says nothing: on a network or FUSE file system (here: the
# capture file of another mount, which the other daemon makes longer), and of what is
# written through a map?
. "$(dirname "$0")/lib.sh"

# what inotify says of a file while a command runs
events_of()
{
	local file=$1

	shift
	python3 - "$file" "$@" <<-'PYTHON'
	import ctypes, os, subprocess, sys
	libc = ctypes.CDLL(None, use_errno=True)
	fd = libc.inotify_init1(os.O_NONBLOCK)
	assert libc.inotify_add_watch(fd, sys.argv[1].encode(), 2) >= 0  # IN_MODIFY
	subprocess.run(sys.argv[2:], check=True)
	try:
	    print(len(os.read(fd, 4096)))
	except BlockingIOError:
	    print(0)
	PYTHON
}

packets_are()
{
	[ "$(cat "$mnt/info/packets")" = "$1" ]
}

mkdir other
for format in pcap pcapng; do
	make_capture $format 300 whole.$format --files disk
	make_capture $format 10 a.$format
	"$pktfs" a.$format other
	shown=other/capture.$format
	mount_capture $shown
	wait_indexed
	packets_are 10
	for n in 11 12 40 41 299; do
		make_capture $format $n to
		export more=to grown=a.$format shown
		# until the other mount shows it, which the kernel has told nobody
		same "$(events_of $shown bash -c 'tail -c +$(($(stat -c %s $grown) + 1)) $more >>$grown
			until cmp -s $more $shown; do sleep 0.02; done')" 0 'words of inotify'
		wait_until 60 packets_are $n
		cmp "disk/$(printf %09d $n)" "$mnt/packets/$n"
		cmp to "$mnt/capture.$format"
		[ ! -e "$mnt/info/problem" ] || fail "$(cat "$mnt/info/problem")"
	done
	wait_until 60 grep -q complete "$mnt/info/state"
	unmount
	"$pktfs" -u other
done

# made longer, and then filled through a map: nothing says so, not even the size
cat >fill.py <<-'PYTHON'
	import mmap, sys
	whole = open("whole.pcap", "rb").read()
	with open("a.pcap", "r+b") as f:
	    room = mmap.mmap(f.fileno(), 0)
	    start, end = int(sys.argv[1]), int(sys.argv[2])
	    room[start:end] = whole[start:end]
PYTHON
make_capture pcap 10 a.pcap
start=$(stat -c %s a.pcap)
truncate -s 1M a.pcap
mount_capture a.pcap
wait_indexed
packets_are 10
for n in 20 150 300; do
	make_capture pcap $n to.pcap
	end=$(stat -c %s to.pcap)
	same "$(events_of a.pcap python3 fill.py "$start" "$end")" 0 'words of inotify'
	wait_until 60 packets_are $n
	cmp "disk/$(printf %09d $n)" "$mnt/packets/$n"
	start=$end
done
truncate -s "$start" a.pcap
wait_until 60 grep -q complete "$mnt/info/state"
cmp whole.pcap "$mnt/capture.pcap"
