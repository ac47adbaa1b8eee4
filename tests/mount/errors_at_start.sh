#!/usr/bin/env bash
# Does a wrong file or option end with one line that says why, and the right code?
. "$(dirname "$0")/lib.sh"
mkdir mnt

# refused FILE WORD...: exit 1, one line that begins with pktfs: FILE: and has the words
refused()
{
	local file=$1 word

	expect 1 "$pktfs" "$file" mnt
	same "$(wc -l <err)" 1 "lines about $file"
	same "$(wc -c <out)" 0 "bytes on standard output"
	[[ $(cat err) == "pktfs: $file: "* ]] || fail "not about $file: $(cat err)"
	shift
	for word; do
		grep -qi -- "$word" err || fail "no '$word' in: $(cat err)"
	done
	! is_mounted "$work/mnt" || fail "mounted $file"
}

echo 'this is a text and not a capture, long enough for any header' >text
: >empty
mkdir folder
printf 'snoop\0\0\0\0\0\0\002\0\0\0\004 and so on, a file of another program' >other.snoop
printf '<!DOCTYPE html><html><body>not found</body></html>' >page.pcap
make_capture pcap 3 a.pcap
head -c 20 a.pcap >short.pcap
bzip2 -k a.pcap 2>/dev/null || printf 'BZh91AY&SY-not-read' >a.pcap.bz2
refused text pcap
refused empty empty
refused folder directory
refused other.snoop snoop
refused page.pcap html
refused short.pcap
refused a.pcap.bz2 bzip2
refused /dev/null
refused missing 'no such file'

# a file that may not be read
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
	chmod 755 "$work"
	chmod 600 a.pcap
	mkdir -m 777 nobody
	expect 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$pktfs" a.pcap nobody
	grep -qi 'permission denied' err || fail "unreadable: $(cat err)"
	same "$(wc -l <err)" 1 "lines about an unreadable file"
	chmod 644 a.pcap
fi

# usage(WANTED ARGUMENT...): exit 2 and one line that names the option
usage()
{
	local want=$1

	shift
	expect 2 "$pktfs" "$@"
	same "$(wc -l <err)" 1 "lines about $*"
	grep -q -- "$want" err || fail "no '$want' in: $(cat err)"
	! is_mounted "$work/mnt" || fail "mounted in spite of $*"
}
usage noxattr -o noxatr a.pcap mnt       # the nearest one is named
usage allow_other -o alow_other a.pcap mnt
usage spool -o spol=/tmp a.pcap mnt
usage uid -o uid=x a.pcap mnt
usage umask -o umask=9 a.pcap mnt
usage --info --inf a.pcap
usage Z -Z a.pcap mnt

expect 2 "$pktfs" --info a.pcap third
expect 2 "$pktfs" -u
# the mountpoint is not a directory
expect 1 "$pktfs" a.pcap text
grep -q text err || fail "which mountpoint: $(cat err)"
expect 1 "$pktfs" -u folder
same "$(wc -l <err)" 1 "lines about what is not mounted"
expect 0 "$pktfs" --version
grep -q "$(sed -n 's/^.define PKTFS_VERSION "\(.*\)"/\1/p' "$top/include/pktfs/version.h")" out
expect 0 "$pktfs" -V
expect 0 "$pktfs" -h
same "$(wc -c <err)" 0 "bytes of --help on standard error"
