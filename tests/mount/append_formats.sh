#!/usr/bin/env bash
# Is what was appended to each kind of file read back by pktfs, Wireshark and libpcap, and nothing else changed?
. "$(dirname "$0")/lib.sh"
pktgen=$build/tests/tools/pktgen
[ -x "$pktgen" ] || skip 'pktgen is not built (make tests)'
formats="python3 -B $here/append_formats.py"
failed=

# appended FILE: to it, mounted; then as another mount and other programs see it
appended()
{
	local file=$1

	cp "$file" "$file.orig"
	mount_capture "$file" -o rw
	wait_indexed
	$formats append "$mnt" "$file" || return 1
	unmount
	mount_capture "$file"
	wait_indexed
	same "$(cat "$mnt/info/state")" complete "state of $file"
	$formats check "$mnt" "$file" || return 1
	unmount
}

$formats make "$pktgen" >names
number=0
while read -r file; do
	number=$((number + 1))
	if (trap - EXIT ERR; set -e; appended "$file") >said 2>&1; then
		echo "ok $number - $file"
	else
		echo "not ok $number - $file"
		failed=yes
	fi
	cat said
	: >"$work/stderr"
	# (what a test that failed left mounted)
	! is_mounted "$mnt" || fusermount3 -uz "$mnt"
done <names
[ -z "$failed" ]
