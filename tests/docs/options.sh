#!/usr/bin/env bash
# Are the options of --help and those of the man page the same, both ways? Does the
# man page know the tree, and mandoc or man nothing to complain about?
. "$(dirname "$0")/../mount/lib.sh"
page=$top/src/cli/pktfs.1
[ -e "$page" ] || fail 'no man page'
MANWIDTH=200 man -l "$page" 2>man.err | col -bx >text
[ ! -s man.err ] || fail "man: $(cat man.err)"
"$pktfs" --help >help

# options FILE: letters, long names and -o names, one a line
dashed()
{
	grep -oE '(^|[ ,[|(])--?[A-Za-z][a-z0-9-]*' "$1" | grep -oE -- '--?[A-Za-z][a-z0-9-]*$' | sort -u
}
dashed help >help.options
dashed text >text.options
# lines of the man page that begin with a dash describe an option of pktfs;
# elsewhere stand those of other programs
sed -n 's/^  *\(-.*\)/\1/p' text | sed 's/   .*//' >described
dashed described >text.own
missing=$(comm -23 help.options text.options | tr '\n' ' ')
[ -z "$missing" ] || fail "in --help, not in the man page: $missing"
unknown=$(comm -13 help.options text.own | tr '\n' ' ')
[ -z "$unknown" ] || fail "in the man page, not in --help: $unknown"

# -o options: every word of the table in the program is in both
names=$(grep -oE '(OURS|KERNEL|IGNORED)\("[^"]+"' "$top/src/cli/cli_table.c" | cut -d'"' -f2)
[ "$(wc -w <<<"$names")" -gt 10 ] || fail 'cannot read the table of options'
for name in $names; do
	grep -qF -- "$name" help || fail "-o $name is not in --help"
	grep -qF -- "$name" text || fail "-o $name is not in the man page"
done
# each option of --help is accepted
for name in $(sed -n 's/.*OURS("\([a-z_]*\)", NULL.*/\1/p' "$top/src/cli/cli_table.c"); do
	make_capture pcap 3 a.pcap
	mount_capture a.pcap -o "$name"
	unmount
done
# the tree: whatever is listed in a mount is in the page
"$build/tests/tools/pktgen" --sample sample.pcapng
mount_capture sample.pcapng
wait_indexed
for name in $(cd "$mnt" && ls) $(cd "$mnt/info" && ls) $(cd "$mnt/interfaces" && ls */ | grep -v : | sort -u) \
	    $(cd "$mnt/sections" && ls */ | grep -v : | sort -u); do
	grep -qwF -- "${name%%.*}" text || fail "the man page does not know $name"
done
for word in .json .hex .pcapng user.pktfs packets.tsv; do
	grep -qF -- "$word" text || fail "the man page does not know $word"
done
