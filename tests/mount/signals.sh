#!/usr/bin/env bash
# SIGTERM, SIGINT, SIGHUP with files open: a lazy unmount, exit 0, no word.
. "$(dirname "$0")/lib.sh"
make_capture pcap 100 a.pcap --files disk
for signal in TERM INT HUP; do
	for how in foreground background; do
		mkdir -p mnt
		if [ $how = foreground ]; then
			mount_capture a.pcap
		else
			# (what was started in the background by a shell ignores SIGINT)
			env --default-signal=INT "$pktfs" "$work/a.pcap" mnt
			daemon=
		fi
		wait_indexed
		exec 5<"$mnt/packets/7" 6<"$mnt/packets"
		if [ $how = foreground ]; then
			# a shell's background job ignores SIGINT unless told otherwise
			kill -$signal $daemon
			code=0
			wait $daemon || code=$?
			daemon=
			same $code 0 "exit code after SIG$signal"
		else
			pid=$(daemon_of "$work/a.pcap" mnt)
			[ -n "$pid" ] || fail 'no daemon in the background'
			kill -$signal "$pid"
			wait_until 60 is_ended "$pid"
		fi
		wait_until 60 eval '! is_mounted "$mnt"'
		[ ! -s stderr ] || fail "SIG$signal: $(cat stderr)"
		same "$(ls mnt | wc -l)" 0
		exec 5<&- 6<&-
	done
done
