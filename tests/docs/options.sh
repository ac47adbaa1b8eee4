#!/usr/bin/env bash
# Are the options of --help, of the man page and of the completion the same, both
# ways? Does the man page know the tree, and man nothing to complain about?
. "$(dirname "$0")/../mount/lib.sh"
page=$top/src/cli/pktfs.1
[ -e "$page" ] || fail 'no man page'
man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>man.err >/dev/null
MANWIDTH=200 man --no-hyphenation -l "$page" | col -bx >text
[ ! -s man.err ] || fail "man: $(cat man.err)"
"$pktfs" --help >help

# both_ways WHAT A B: the two files hold the same lines
both_ways()
{
	local only

	only=$(comm -23 "$2" "$3" | tr '\n' ' ')
	[ -z "$only" ] || fail "$1: only in $2: $only"
	only=$(comm -13 "$2" "$3" | tr '\n' ' ')
	[ -z "$only" ] || fail "$1: only in $3: $only"
}

# dashed FILE: -x and --long options, one a line
dashed()
{
	grep -oE '(^|[ ,[|(])--?[A-Za-z][a-z0-9-]*' "$1" | grep -oE -- '--?[A-Za-z][a-z0-9-]*$' | sort -u
}
# In the man page, options of pktfs begin a line of the section OPTIONS.
sed -n '/^OPTIONS/,/^THE TREE/s/^  *\(-.*\)/\1/p' text | sed 's/   .*//' >described
sed -n '/^Options:/,/^Mount options, for/s/^  *\(-.*\)/\1/p' help | sed 's/   .*//' >named
dashed named >help.options
dashed described >page.options
both_ways options help.options page.options

# -o options. help: two indents; the page: .BI or .B behind .TP, and .BR lists
{
	sed -n '/^Mount options, for -o:/,/^$/s/^  \([a-z_-]*=\{0,1\}\).*/\1/p' help
	sed -n '/^Mount options that/,/^$/{/^  /{s/^  //;s/ /\n/g;p}}' help
} | grep . | sort -u >help.mount
sed -n '/^\.SS Mount options/,/^\.SH/{s/\\-/-/g;p}' "$page" >mount.section
{
	sed -n '/^\.TP/{n;s/^\.BI\{0,1\} \([a-z_-]*=\{0,1\}\).*/\1/p}' mount.section
	sed -n '/^Passed on to the kernel/,/^see/s/^\.BR \([a-z_]*=\{0,1\}\).*/\1/p' mount.section
	sed -n '/^Accepted and ignored/,/^Permissions/s/^\.BR \([^ ]*\) .*/\1/p' mount.section | sed 's/\\-/-/g'
} | sort -u >page.mount
[ "$(wc -l <help.mount)" -gt 40 ] || fail 'cannot read the mount options of --help'
both_ways 'mount options' help.mount page.mount

# the table in the program has no more than that
grep -oE '(OURS|KERNEL|IGNORED)\("[^"]+"(, "[A-Za-z|]+")?' "$top/src/cli/cli_table.c" |
	sed 's/^[^"]*"\([^"]*\)"\(, "\)\{0,1\}.*/\1\2/; s/, "/=/' | sort -u >table.mount
both_ways 'mount options' help.mount table.mount

# the completion
cat >complete.sh <<-'BASH'
	. "$1"
	compopt() { :; }
	COMP_LINE="pktfs ${*:2}" COMP_POINT=${#COMP_LINE} COMP_WORDBREAKS=${breaks:- =:}
	_pktfs
	printf '%s\n' "${COMPREPLY[@]}"
BASH
completion()
{
	PATH=$build:$PATH breaks=${breaks:-} bash complete.sh "$top/src/cli/pktfs.bash" "$@" | sort -u
}
grep -o -- '^--.*' help.options >help.long
completion -- >complete.long
both_ways completion help.long complete.long
completion -o '' >complete.mount
sed 's/\*$//' help.mount >help.mount.plain
both_ways completion help.mount.plain complete.mount
same "$(completion -o ro,sp)" ro,spool=
# values, as bash and a user have it who has = in COMP_WORDBREAKS, and who has not
mkdir values values/empty
same "$(completion -o order=t)" time
same "$(completion -o order=name,thr)" name,threads=
same "$(completion -o ro,spool=values/e)" values/empty
same "$(completion -o append=complete.s)" complete.sh
same "$(completion -o setuid=roo)" root
same "$(breaks=' ' completion -o order=name,thr)" order=name,threads=
same "$(breaks=' ' completion -o ro,order=)" $'ro,order=name\nro,order=time'
same "$(completion --inf)" --info

# each option of --help is accepted
make_capture pcap 3 a.pcap
for name in $(sed -n 's/.*OURS("\([a-z_-]*\)", NULL.*/\1/p' "$top/src/cli/cli_table.c") \
	    "spool=$work" sets=1M sets=100K sets=2G sets=65536 memory=64M threads=1 uid=0 gid=0 umask=077 fsname=x \
	    index=none index=x.index index-min=1K append append=b.pcapng; do
	[ "$name" != repair ] || name=rw,repair # it takes something to repair
	mount_capture a.pcap -o "$name"
	unmount
done
for bad in sets=0 sets=1T sets=M sets=-1 sets= memory=0 memory=1T index= index-min=0 index-min=x; do
	expect 2 "$pktfs" -o $bad a.pcap "$mnt"
done

# the tree: whatever is listed in a mount is in the page
"$build/tests/tools/pktgen" --sample sample.pcapng
mount_capture sample.pcapng
wait_indexed
for name in $(cd "$mnt" && ls; ls by; ls info; ls by/filter/arp; ls by/filter/arp/info; cd interfaces &&
	    ls */ | grep -v : | sort -u; cd ../sections && ls */ | grep -v : | sort -u); do
	grep -qwF -- "${name%%.*}" text || fail "the man page does not know $name"
done
for word in .json .hex .pcapng user.pktfs packets.tsv expression %2F; do
	grep -qF -- "$word" text || fail "the man page does not know $word"
done
# payload/ knows these link types: the program says so in README.txt
sed '1,/^payload\/ knows/d' "$mnt/README.txt" | tr -s ' ' '\n' | grep . | sort -u >readme.links
sed -n '/begin link types/,/end link types/{/^[^.]/p}' "$page" | sed 's/([^)]*)//g' |
	tr -s ' ,.' '\n' | grep -v '^and$' | grep . | sort -u >page.links
both_ways 'link types of payload/' readme.links page.links
