#!/usr/bin/env bash
# Do the examples of the man page work?
. "$(dirname "$0")/../mount/lib.sh"
export PATH=$build:$PATH
"$build/tests/tools/pktgen" --sample trace.pcapng
python3 "$top/tests/docs/commands.py" man "$top/src/cli/pktfs.1" || fail 'an example of the man page is not true'
! is_mounted "$mnt" || fail 'the examples do not unmount what they mount'
