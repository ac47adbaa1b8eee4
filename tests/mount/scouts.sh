#!/usr/bin/env bash
# A capture that is long enough for scouts and a thread of theirs, in the sandbox: the
# same with them, and with -o noscouts.
. "$(dirname "$0")/lib.sh"

# what FILE: all that is said of it, but its path
what()
{
	"$pktfs" --info --json "$@" | python3 -c '
import json, sys
facts = json.load(sys.stdin)
facts.pop("path")
print(json.dumps(facts, indent=1))'
}

for kind in '--format pcap --nanosecond' '--format pcapng --interfaces 3 --sections 40 --mixed-endian' \
	    '--format pcapng --interfaces 2 --disorder --big-endian' '--format pcap --size tiny --modified'; do
	# shellcheck disable=SC2086
	"$build/tests/tools/pktgen" $kind --packets 130000 a.cap
	what a.cap >with
	what -o noscouts a.cap >without
	cmp with without || fail "$kind"
done

"$build/tests/tools/pktgen" --format pcap --packets 130000 a.cap
for option in '' noscouts; do
	mount_capture a.cap ${option:+-o $option}
	wait_indexed 60
	same "$(cat "$mnt/info/packets")" 130000
	same "$(cat "$mnt/info/state")" complete
	cmp "$mnt/capture.pcap" a.cap
	cp "$mnt"/packets/0000[0-9]0000 .
	sha256sum 0* >"sums.${option:-scouts}"
	unmount
done
cmp sums.scouts sums.noscouts
