#!/usr/bin/env bash
# Are the commands in README.md true, and do they print what it says?
# UPDATE=1 tests/docs/readme.sh writes what they print into README.md.
. "$(dirname "$0")/../mount/lib.sh"
export PATH=$build:$PATH
"$build/tests/tools/pktgen" --sample trace.pcapng
python3 "$top/tests/docs/commands.py" readme "$top/README.md" || fail 'README.md is not true'
[ "$(wc -l <"$top/README.md")" -le 190 ] || fail 'README.md is long'
