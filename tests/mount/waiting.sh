#!/usr/bin/env bash
# A packet that is not there yet is waited for, by nobody else, and the wait can
# be interrupted.
. "$(dirname "$0")/lib.sh"
make_capture pcapng 4000 a.pcapng --files disk
mkdir -p mnt
mkfifo fifo
half=$(($(stat -c %s a.pcapng) / 2))
"$pktfs" -f fifo mnt 2>>stderr &
daemon=$!
exec 7>fifo
head -c $half a.pcapng >&7
wait_until 60 is_mounted "$mnt"
cmp "$mnt/packets/1" disk/000000001
cmp "$mnt/packets/1000" disk/000001000
same "$(cat "$mnt/info/state")" indexing

# three wait (without the writing end, which they would keep open): for a packet, for a conversion, for a table
cat "$mnt/packets/3999" >late 7>&- &
late=$!
cat "$mnt/capture.pcap" >late.pcap 7>&- &
late_pcap=$!
stat -c %s "$mnt/packets.tsv" >late.tsv 7>&- &
late_tsv=$!
sleep 0.3
for pid in $late $late_pcap $late_tsv; do
	kill -0 $pid 2>/dev/null || fail 'somebody did not wait'
done
# everybody else is answered
timeout 60 ls "$mnt" >names || fail 'ls waits'
! grep -qx 'capture.pcap' names || fail 'listed before its size is known'
! grep -qx 'packets.tsv' names || fail 'listed before its size is known'
[ "$(timeout 60 ls "$mnt/packets" | wc -l)" -ge 1000 ] || fail 'ls packets'
timeout 60 cmp "$mnt/packets/1500" disk/000001500
timeout 60 find "$mnt" -maxdepth 3 >/dev/null || fail 'find waits'
timeout 60 cat "$mnt/info/progress" "$mnt/info/packets" >/dev/null
timeout 60 cat "$mnt/README.txt" >/dev/null

# interrupted by each of these, at once
for signal in INT TERM KILL HUP; do
	python3 - "$mnt/packets/3998" $signal <<-'PYTHON'
	import os, signal, subprocess, sys, time
	child = subprocess.Popen(["cat", sys.argv[1]], stdout=subprocess.DEVNULL,
	                         stderr=subprocess.DEVNULL,
	                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
	time.sleep(0.2)
	assert child.poll() is None, "did not wait"
	child.send_signal(getattr(signal, "SIG" + sys.argv[2]))
	child.wait(60)
	PYTHON
done
timeout 60 cmp "$mnt/packets/1501" disk/000001501

# the rest comes
tail -c +$((half + 1)) a.pcapng >&7
exec 7>&-
wait $late $late_pcap $late_tsv
cmp late disk/000003999
wait_indexed
cmp late.pcap "$mnt/capture.pcap"
same "$(cat late.tsv)" "$(stat -c %s "$mnt/packets.tsv")"
ls "$mnt" >names
grep -qx 'capture.pcap' names
grep -qx 'packets.tsv' names
same "$(ls "$mnt/packets" | wc -l)" 4000
diff -r disk "$mnt/packets"
unmount

# unmounted while somebody waits
"$pktfs" -f fifo mnt 2>>stderr &
daemon=$!
exec 7>fifo
head -c $half a.pcapng >&7
wait_until 60 is_mounted "$mnt"
cat "$mnt/packets/3999" >late 2>late.err 7>&- &
late=$!
sleep 0.2
kill -TERM $daemon
code=0
wait $daemon || code=$?
daemon=
same $code 0 'exit code after SIGTERM'
! wait $late || fail 'a packet that was never there'
exec 7>&-
