#!/usr/bin/env bash
# Do the commands work that README.txt of a mount proposes?
. "$(dirname "$0")/../mount/lib.sh"
"$build/tests/tools/pktgen" --sample trace.pcapng
mount_capture trace.pcapng
python3 "$top/tests/docs/commands.py" mounted "$mnt/README.txt" || fail 'README.txt is not true'
long=$(awk 'length > 79' "$mnt/README.txt")
[ -z "$long" ] || fail "README.txt has lines of 80 characters and more: $long"
! LC_ALL=C grep -q '[^ -~]' "$mnt/README.txt" || fail 'README.txt is not plain ASCII'
