#!/usr/bin/env bash
# Are the commands in README.md true? Each ```sh block that follows a line
# <!-- tested --> is run, in a directory with a sample capture trace.pcapng, and
# what follows it in a ```text block must be what it prints.
. "$(dirname "$0")/../mount/lib.sh"
export PATH=$build:$PATH
"$build/tests/tools/pktgen" --sample trace.pcapng
python3 - "$top/README.md" <<'PYTHON'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
blocks = re.findall(r"<!-- tested -->\n```sh\n(.*?)```\n(?:\n[^`]*(?:`[^`]+`[^`]*)*\n\n```text\n(.*?)```\n)?", text, re.S)
assert blocks, "nothing in README.md is marked as tested"
for number, (commands, output) in enumerate(blocks):
    open(f"block{number}.sh", "w").write(commands)
    open(f"block{number}.want", "w").write(output)
for link in re.findall(r"\]\((?!http|#)([^)]+)\)", text):
    import os
    assert os.path.exists(os.path.join(os.path.dirname(sys.argv[1]), link)), f"README.md links to {link}"
PYTHON
for script in block*.sh; do
	bash -eu "$script" >got 2>got.err || fail "$(cat "$script"): $(cat got.err)"
	[ ! -s got.err ] || fail "$(cat "$script"): $(cat got.err)"
	want=${script%.sh}.want
	[ ! -s "$want" ] || cmp "$want" got || fail "$(cat "$script"): $(diff "$want" got)"
done
# the commands that the mount's own README.txt proposes
mkdir -p mnt
mount_capture trace.pcapng
wait_indexed
cd "$mnt"
sed -n 's/^    \([a-z].*\)$/\1/p' README.txt | sed 's/  \+#.*//' >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 5 ] || fail 'README.txt of the mount proposes little'
while read -r command; do
	case ${command%% *} in wireshark | less | SSLKEYLOGFILE*) continue ;; esac
	timeout 20 bash -c "cd '$mnt' && $command" >"$work/got" 2>"$work/got.err" </dev/null ||
		[ ! -s "$work/got.err" ] || fail "$command: $(cat "$work/got.err")"
done <"$work/commands"
cd "$work"
