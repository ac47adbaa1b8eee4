#!/usr/bin/env bash
# Is a file that cannot be appended to refused at the start, and repaired only when that was asked for?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"
mkdir mnt

# ---- without -o rw nothing can be changed
"$pktgen" --format pcapng --packets 20 a.pcapng
sum=$(sha256sum <a.pcapng)
for options in fsname=capture ro; do
	mount_capture a.pcapng -o $options
	wait_indexed
	expect_errno ENOENT "os.stat('$mnt/append')"
	! ls "$mnt" | grep -qx append || fail 'append/ is listed'
	for what in "os.mkdir('$mnt/append')" "open('$mnt/append', 'wb')" "open('$mnt/new', 'wb')" \
		"os.unlink('$mnt/packets/1')" "os.truncate('$mnt/packets/1', 0)" \
		"os.write(os.open('$mnt/packets/1', os.O_WRONLY), b'x')" \
		"os.utime('$mnt/packets/1')" "os.setxattr('$mnt/packets/1', 'user.pktfs.comment', b'b')" \
		"os.rename('$mnt/packets/1', '$mnt/packets/2')" "os.chmod('$mnt/info', 0o777)"; do
		expect_errno EROFS "$what"
	done
	! ls -l "/proc/$daemon/fd" | grep -q "l-w.*a.pcapng\|lrwx.*a.pcapng" || fail 'open for writing'
	unmount
done
same "$(sha256sum <a.pcapng)" "$sum"
# a mount with -o rw to which nothing was written changes nothing either
mount_capture a.pcapng -o rw
wait_indexed
[ -d "$mnt/append/0" ] || fail 'there is no append/0'
: >"$mnt/append/0/p"
unmount
same "$(sha256sum <a.pcapng)" "$sum" 'nothing was written'

# ---- one writer at a time
"$pktgen" --packets 3 other.pcap
mount_capture a.pcapng -o rw
mkdir second
expect 1 timeout 60 "$pktfs" -f -o rw a.pcapng second
grep -qw "$daemon" err || fail "which process holds it: $(cat err), it is $daemon"
same "$(wc -l <err)" 1
expect 1 timeout 60 "$pktfs" -f -o append=a.pcapng other.pcap second
grep -qw "$daemon" err || fail "which process holds it: $(cat err), it is $daemon"
ln a.pcapng link.pcapng
expect 1 timeout 60 "$pktfs" -f -o rw link.pcapng second
grep -qw "$daemon" err || fail "by another name: $(cat err)"
# others may read
"$pktfs" a.pcapng second
same "$(ls second/packets | wc -l)" 20
"$pktfs" -u second
appends
unmount
# in the background, the daemon is the one that holds it
"$pktfs" -o rw a.pcapng mnt
echo 'from the background' >mnt/append/0/p
same "$(cat mnt/packets/22)" 'from the background'
expect 1 timeout 60 "$pktfs" -f -o rw a.pcapng second
holder=$(grep -o 'process [0-9]*' err | cut -d' ' -f2)
grep -q pktfs "/proc/$holder/comm" || fail "process '$holder' holds it: $(cat err)"
grep -qF "$work" "/proc/$holder/cmdline" || grep -qa a.pcapng "/proc/$holder/cmdline" ||
	fail "process $holder is another"
"$pktfs" -u mnt
wait_until 60 "$pktfs" -o rw a.pcapng mnt
"$pktfs" -u mnt

# ---- files that may not be written
cp a.pcapng readonly.pcapng
chmod 444 readonly.pcapng
chmod 755 "$work"
as_other='setpriv --reuid=65534 --regid=65534 --clear-groups'
if [ "$(id -u)" != 0 ]; then
	start_refused readonly.pcapng 'ermission denied'
elif $as_other true 2>/dev/null; then
	mkdir -m 777 nobody
	expect 1 $as_other timeout 60 "$pktfs" -f -o rw readonly.pcapng nobody
	grep -q 'readonly.pcapng.*ermission denied' err || fail "says: $(cat err)"
	same "$(wc -l <err)" 1
	expect 1 $as_other timeout 60 "$pktfs" -f -o append=readonly.pcapng other.pcap nobody
	grep -q 'ermission denied' err || fail "says: $(cat err)"
fi
mkdir ro
cp a.pcapng ro
if mount --bind ro ro 2>/dev/null && mount -o remount,ro,bind ro 2>/dev/null; then
	start_refused ro/a.pcapng 'ead-only file system'
	umount ro
fi
expect 2 timeout 60 "$pktfs" -f -o rw - mnt
start_refused missing.pcapng 'o such file'
start_refused "$work" 'irectory'
: >empty
start_refused empty 'empty'
mkfifo fifo
cat a.pcapng >fifo &
writer=$!
start_refused fifo ''
kill $writer 2>/dev/null || true
wait $writer || true

# ---- torn tails
python3 -B - "$here" <<'PYTHON'
import subprocess, sys
sys.path.insert(0, sys.argv[1])
import append_reader
from captures import packets, pcap, pcapng
some = list(packets(20))
for name, data in (("torn.pcap", pcap(some)), ("torn.pcapng", pcapng(some)),
                   ("be.pcapng", pcapng(some, big=True))):
    at = append_reader.read_bytes(data).packets[19].offset
    for left in (1, 15, len(data) - at - 1):
        with open(f"{left}.{name}", "wb") as out:
            out.write(data[:at + left])
        print(f"{left}.{name}", at)
    for tool, end in (("zstd", "zst"), ("gzip", "gz")):
        with open(f"c.{name}.{end}", "wb") as out:
            # a whole frame whose record is torn
            out.write(subprocess.run([tool, "-qc"], input=data[:at + 15], capture_output=True,
                                     check=True).stdout)
        print(f"c.{name}.{end}", at)
PYTHON
# told FILE OFFSET: what the repair has cut off was said, on standard error and in
# info/log, and is so
told()
{
	local line at

	line=$(cat stderr)
	at=${2#* }
	: >stderr
	case $1 in
	*.zst | *.gz) at=0 ;; # the frame, which begins there
	esac
	[[ $line == "pktfs: $1: repaired: $(stat -c %s "$1.torn") bytes at offset $at are cut off, and kept in "*"$1.torn"* ]] ||
		fail "$1: said: $line"
	[[ $1 != *.zst && $1 != *.gz ]] || [[ $line == *'; the whole records of the frame there are written anew' ]] ||
		fail "$1: said: $line"
	grep -qF "${line#pktfs: }" "$mnt/info/log" || fail "$1: info/log: $(cat "$mnt/info/log")"
}
for name in *.torn.pcap *.torn.pcapng *.be.pcapng c.*.zst c.*.gz; do
	offset=$("$pktfs" --info "$name" | grep -o 'offset [0-9]*' | head -1)
	before=$(sha256sum <"$name")
	start_refused "$name" "$offset"
	same "$(sha256sum <"$name")" "$before" "$name that was refused"
	[ ! -e "$name.torn" ] || fail "$name.torn is there without -o repair"
	cp "$name" whole
	mount_capture "$name" -o rw,repair
	wait_indexed
	same "$(cat "$mnt/info/state")" complete "$name repaired"
	same "$(ls "$mnt/packets" | wc -l)" 19 "packets of $name repaired"
	told "$name" "$offset"
	appends
	unmount
	same "$(packets_in "$name")" 20 "packets in $name"
	[ -s "$name.torn" ] || fail "there is no $name.torn"
	case $name in
	*.zst | *.gz) ;;
	*)
		cat <(head -c "${offset#* }" "$name") "$name.torn" | cmp - whole ||
			fail "$name.torn holds other bytes" ;;
	esac
	rm -f "$name.torn"
	# what is whole is not touched
	before=$(sha256sum <"$name")
	mount_capture "$name" -o rw,repair
	wait_indexed
	unmount
	[ ! -s stderr ] || fail "$name is whole, and: $(cat stderr)"
	same "$(sha256sum <"$name")" "$before" "$name, repaired again"
	[ ! -e "$name.torn" ] || fail "$name.torn again"
done

# ---- damaged in the middle: nothing to repair
"$pktgen" --packets 20 middle.pcap
python3 -B -c 'd = bytearray(open("middle.pcap", "rb").read())
d[24 + 8:24 + 12] = b"\xff\xff\xff\xff"
open("middle.pcap", "wb").write(d)'
before=$(sha256sum <middle.pcap)
start_refused middle.pcap 24
start_refused middle.pcap 24 -o repair
same "$(sha256sum <middle.pcap)" "$before" 'damaged in the middle'
