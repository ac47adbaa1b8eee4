#!/usr/bin/env bash
# Does the demo run to its end, and leave nothing behind?
. "$(dirname "$0")/../mount/lib.sh"
export TMPDIR=$work
"$top/scripts/demo" >shown 2>words || fail "$(tail -n 3 shown words)"
[ ! -s words ] || fail "the demo said: $(cat words)"
[ "$(grep -c '^\$ ' shown)" -ge 10 ] || fail 'the demo shows little'
! grep -qF " $work/" /proc/self/mounts || fail 'something is still mounted'
[ -z "$(ls -d pktfs-demo.* 2>/dev/null)" ] || fail 'the directory is still there'
# ended half way, it unmounts, too
"$top/scripts/demo" >shown 2>words &
demo=$!
wait_until 60 grep -q '^\$ ls' shown
kill -TERM $demo
wait $demo || true
! grep -qF " $work/" /proc/self/mounts || fail 'a demo that was ended is still mounted'
