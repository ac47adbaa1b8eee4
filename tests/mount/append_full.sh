#!/usr/bin/env bash
# A full disk, a file-size limit, an I/O error: is it told by close, is nothing half written, does it go on afterwards?
# (The I/O errors are made by a library that is preloaded into the daemon; append_disk.sh has those of a device.)
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"

# until_refused ERRNO: appends packets until that comes; prints how many did
until_refused()
{
	python3 - "$1" "$mnt/append/0" $RANDOM <<-'PYTHON'
	import errno, os, sys
	want, folder, own = getattr(errno, sys.argv[1]), *sys.argv[2:]
	done = 0
	while True:
	    fd = os.open(f"{folder}/{own}.{done}", os.O_CREAT | os.O_WRONLY)
	    os.write(fd, os.urandom(700))
	    try:
	        os.close(fd)
	    except OSError as e:
	        if e.errno != want:
	            sys.exit(f"close() gave {e} instead of {sys.argv[1]}")
	        break
	    done += 1
	    if done > 5000:
	        sys.exit("never refused")
	print(done)
	PYTHON
}

# checked FILE COUNT: the mount has so many packets, and is well
checked()
{
	same "$(cat "$mnt/info/packets")" "$2" "packets of $1"
	same "$(ls "$mnt/packets" | wc -l)" "$2" "packets listed of $1"
	cat "$mnt/packets/"* >/dev/null
	[ -z "${3:-}" ] || grep -qi -- "$3" "$mnt/info/log" || fail "no '$3' in info/log: $(cat "$mnt/info/log")"
}

kinds='a.pcap:--nanosecond b.pcapng:--format=pcapng c.pcap.zst:--zstd=single d.pcapng.gz:--format=pcapng~--gzip'
make()
{
	local options=${1#*:}

	options=${options//'~'/ }
	# (a daemon that has just ended may still have the bytes of the last file)
	# shellcheck disable=SC2086
	wait_until 60 "$pktgen" --packets 20 ${options//=/ } "$2${1%%:*}"
}

# ---- a full disk
mkdir disk
if mount -t tmpfs -o size=192k tmpfs disk 2>/dev/null; then
	for kind in $kinds; do
		file=disk/${kind%%:*}
		make $kind disk/
		mount_capture "$file" -o rw
		wait_indexed
		head -c 100000 /dev/zero >disk/filler
		done=$(until_refused ENOSPC)
		[ "$done" -gt 0 ] || fail "$file: nothing was appended"
		checked "$file" $((20 + done)) 'space'
		close_gives ENOSPC 0/still '' 'os.urandom(9000)'
		rm disk/filler
		appends
		checked "$file" $((21 + done))
		same "$(df --output=avail "$mnt" | tail -1)" "$(df --output=avail disk | tail -1)" "free space"
		# what is left of the disk to the last byte
		more=$(until_refused ENOSPC)
		checked "$file" $((21 + done + more))
		end_mount
		rm -f disk/filler
		[[ $file == *.zst || $file == *.gz ]] && mount -o remount,size=1m disk &&
			mount_capture "$file" -o rw,repair && wait_indexed && unmount && mount -o remount,size=192k disk
		same "$(packets_in "$file")" $((21 + done + more)) "packets in $file"
		rm -f disk/*
	done
	umount disk
else
	echo '# no tmpfs can be mounted here: nothing of a full disk'
fi

# ---- a file-size limit of the daemon. It is one of the spool, too, so what is
# compressed must be larger than what it is decompressed to
cat >random.py <<PYTHON
import os, sys
sys.path.insert(0, "$here")
from captures import *
some = [Packet(START + n, 0, os.urandom(700)) for n in range(20)]
sys.stdout.buffer.write(pcapng(some) if "pcapng" in sys.argv[1] else pcap(some))
PYTHON
for kind in $kinds; do
	file=${kind%%:*}
	case $file in
	*.zst) python3 -B random.py "$file" | zstd -qc >"$file" ;;
	*.gz) python3 -B random.py "$file" | gzip -c >"$file" ;;
	*) python3 -B random.py "$file" >"$file" ;;
	esac
	limit=$(($(stat -c %s "$file") / 1024 + 30))
	printf '%s\n' '#!/bin/bash' "ulimit -S -f $limit" "exec '$pktfs' \"\$@\"" >limited
	chmod +x limited
	pktfs=$work/limited mount_capture "$file" -o rw
	wait_indexed
	done=$(until_refused EFBIG)
	[ "$done" -gt 10 ] || fail "$file: only $done were appended"
	close_gives EFBIG 0/still '' 'os.urandom(9000)'
	checked "$file" $((20 + done)) 'large'
	[ "$(stat -c %s "$file")" -le $((limit * 1024)) ]
	end_mount || true
	mount_capture "$file" -o rw,repair
	wait_indexed
	checked "$file" $((20 + done))
	appends
	unmount
	same "$(packets_in "$file")" $((21 + done)) "packets in $file"
	rm -f "$file"*
done

# ---- an I/O error: while the file FAIL is there, pwrite fails with what it says,
# and leaves half of the bytes
cat >fail.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
static int failure(int fd, char *what)
{
	char path[4096], link[64];
	ssize_t n;
	FILE *file = fopen(getenv("FAIL"), "r");
	int code = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d %9s", &code, what) != 2)
		code = 0;
	fclose(file);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = 0;
	return strstr(path, getenv("FAIL_OF")) ? code : 0;
}
static ssize_t put(const char *name, int fd, const void *bytes, size_t size, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, name);
	char what[10];
	int code = failure(fd, what);

	if (code && !strcmp(what, "write")) {
		/* a part, then, when the rest comes, the error */
		if (size > 16)
			return real(fd, bytes, size / 2, at);
		errno = code;
		return -1;
	}
	return real(fd, bytes, size, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	return put("pwrite", fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
	return put("pwrite64", fd, bytes, size, at);
}
int fdatasync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
	char what[10];
	int code = failure(fd, what);

	if (code && !strcmp(what, "sync")) {
		errno = code;
		return -1;
	}
	return real(fd);
}
C
if ! ${CC:-cc} -shared -fPIC -w -o fail.so fail.c -ldl 2>cc.err; then
	echo '# there is no compiler here: nothing of I/O errors'
	exit 0
fi
words_allowed=yes # of each request that fails with EIO
eio=$(python3 -c 'import errno; print(errno.EIO)')
for kind in $kinds; do
	file=${kind%%:*}
	make $kind ''
	export FAIL=$work/FAIL FAIL_OF=$work/$file LD_PRELOAD=$work/fail.so
	mount_capture "$file" -o rw,nosandbox # the library opens FAIL
	unset LD_PRELOAD
	wait_indexed
	appends
	wait_until 60 grep -qx complete "$mnt/info/state" # the frame has ended
	size=$(stat -c %s "$file")
	echo "$eio write" >FAIL
	close_gives EIO 0/p '' 'bytes(100)'
	close_gives EIO 0/p "$(echo 'os.utime(fd, ns=(0, 10**18))')"
	rm FAIL
	[[ $file == *.gz || $file == *.zst ]] || same "$(stat -c %s "$file")" "$size" "bytes of $file after an I/O error"
	checked "$file" 21 'error'
	appends
	echo "$eio sync" >FAIL
	expect_errno EIO "os.fsync(os.open('$mnt/append', os.O_RDONLY))"
	python3 - "$mnt/append/0/synced" <<-'PYTHON'
	import errno, os, sys
	fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
	os.write(fd, b"synced")
	try:
	    os.fsync(fd)
	    sys.exit("fsync() gave nothing instead of EIO")
	except OSError as e:
	    assert e.errno == errno.EIO, e
	try:
	    os.close(fd)
	except OSError:
	    pass
	PYTHON
	rm FAIL
	appends
	# after a failure nobody knows what is on the disk, and 0 would be a lie
	expect_errno EIO "os.fsync(os.open('$mnt/append', os.O_RDONLY))"
	end_mount
	count=$(packets_in "$file")
	[ "$count" = 24 ] || fail "$file: $count packets, 24 were appended"
	rm -f "$file"
done
