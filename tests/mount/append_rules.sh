#!/usr/bin/env bash
# Does exactly the last close commit: two mounts, files of the same name, bind mounts, handles of others, threads, and the end?
. "$(dirname "$0")/lib.sh"
. "$here/append_lib.sh"

# python STATEMENT...: `d` is append/0/ of the mount
python()
{
	python3 - "$mnt/append/0/" <<-PYTHON || fail "$1"
	import errno, os, signal, socket, subprocess, sys, threading
	d = sys.argv[1]
	def gives(want, call, *args):
	    got = 0
	    try:
	        call(*args)
	    except OSError as e:
	        got = e.errno
	    assert got == want, (errno.errorcode.get(got, got), want)
	$2
	PYTHON
}

# The newest packet has these bytes, and there are so many.
newest()
{
	same "$(cat "$mnt/info/packets")" "$1" packets
	same "$(cat "$mnt/packets/$1")" "$2" "packet $1"
}

"$pktgen" --packets 3 a.pcap
"$pktgen" --packets 3 --format pcapng b.pcapng
mount_capture a.pcap -o rw
wait_indexed

# ---- another mount, where ids and paths are the same; one refuses
mkdir n
"$pktfs" -o rw b.pcapng n
snaplen=$(cat "$mnt/interfaces/0/snaplen")
head -c $((snaplen + 1)) /dev/zero >long
python 'two mounts' "
n = '$work/n/append/0/'
for first, second in ((d, n), (n, d)):
    a, b = (os.open(x + 't', os.O_CREAT | os.O_WRONLY) for x in (first, second))
    for fd in (a, b):
        os.write(fd, open('long', 'rb').read())
    gives(errno.EMSGSIZE if first == d else 0, os.close, a)
    gives(errno.EMSGSIZE if second == d else 0, os.close, b)
    os.unlink(n + 't')
"
same "$(cat "$mnt/info/packets")" 3 'packets of the one that refuses'
same "$(cat n/info/packets)" 5 'packets of the other'
got=0
tee "$mnt/append/0/t" <long >n/append/0/t 2>err || got=$?
[ $got != 0 ] || fail 'tee did not say it'
same "$(cat n/info/packets)" 6 'packets of the other, by tee'
"$pktfs" -u n

# ---- a removed file of the same name, held by the same process
python 'a removed file' "
f = os.open(d + 'p', os.O_CREAT | os.O_WRONLY)
os.write(f, b'x')
os.unlink(d + 'p')
g = os.open(d + 'p', os.O_CREAT | os.O_WRONLY)
os.write(g, open('long', 'rb').read())
gives(errno.EMSGSIZE, os.close, g)
g = os.open(d + 'p', os.O_CREAT | os.O_WRONLY)
os.write(g, b'second')
os.close(g)
assert os.readlink(d + 'p') == '../../packets/000000004'
os.close(f)
"
newest 4 second

# ---- through a bind mount of append/0
mkdir bound
if mount --bind "$mnt/append/0" bound 2>/dev/null; then
	{ printf aaa; (printf bbb); /bin/echo -n ccc; } >bound/q || fail 'a group in a bind mount'
	newest 5 aaabbbccc
	umount bound
else
	echo 'no bind mounts here'
	{ printf aaa; (printf bbb); /bin/echo -n ccc; } >"$mnt/append/0/q" || fail 'a group'
	newest 5 aaabbbccc
fi

# ---- somebody else's close, while a writer goes on
python touch "
f = open(d + 'u', 'wb')
f.write(b'aaa')
f.flush()
subprocess.run(['touch', '-d', '2020-01-01T00:00:00Z', d + 'u'], check=True)
f.write(b'bbb')
f.close()
assert os.stat(d + 'u').st_mtime == 1577836800, os.stat(d + 'u').st_mtime
"
newest 6 aaabbb
python 'two handles of a process' "
a = os.open(d + 'v', os.O_CREAT | os.O_WRONLY)
b = os.open(d + 'v', os.O_WRONLY)
os.write(a, b'aaa')
os.close(a)
os.pwrite(b, b'bbb', 3)
os.close(b)
assert os.readlink(d + 'v') == '../../packets/000000007'
"
newest 7 aaabbb
python 'the last of two handles is refused' "
a = os.open(d + 'w', os.O_CREAT | os.O_WRONLY)
b = os.open(d + 'w', os.O_WRONLY)
os.write(a, open('long', 'rb').read())
gives(0, os.close, b)
gives(errno.EMSGSIZE, os.close, a)
"
newest 7 aaabbb

# ---- the thread that opened it has ended
python 'a thread' "
fds = []
t = threading.Thread(target=lambda: fds.append(os.open(d + 'x', os.O_CREAT | os.O_WRONLY)))
t.start()
t.join()
subprocess.run(['printf', 'aaa'], stdout=fds[0], check=True)
os.write(fds[0], b'bbb')
os.close(fds[0])
"
newest 8 aaabbb

# ---- many descriptors: bounded time
python 'many descriptors' "
import resource, time
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
null = os.open('/dev/null', os.O_RDONLY)
try:
    for fd in range(100, 19000):
        os.dup2(null, fd)
except OSError:
    pass
for i in range(10):
    f = os.open(d + 'm%d' % i, os.O_CREAT | os.O_WRONLY)
    os.write(f, b'm')
    os.close(f)
"
newest 18 m
unmount

# ---- the lock, at once after the end
for _ in $(seq 10); do
	"$pktfs" -o rw b.pcapng n || fail 'refused after the end of a mount'
	umount n 2>/dev/null || fusermount3 -u n
done

# ---- SIGTERM: what is closed is appended, what is open is not
mount_capture b.pcapng -o rw
wait_indexed
before=$(cat "$mnt/info/packets")
python3 - "$mnt/append/0/" "$daemon" <<-'PYTHON' || fail 'SIGTERM'
import errno, os, signal, sys, time
d, pid = sys.argv[1], int(sys.argv[2])
f = os.open(d + '.q.AbC012', os.O_CREAT | os.O_EXCL | os.O_RDWR)
os.write(f, b'closed')
os.close(f)
f = os.open(d + 'p', os.O_CREAT | os.O_WRONLY)
os.write(f, b'partial')
time.sleep(0.1)
os.kill(pid, signal.SIGTERM)
end = time.monotonic() + 60
while os.path.ismount(os.path.dirname(os.path.dirname(os.path.dirname(d)))) and time.monotonic() < end:
    time.sleep(0.01)
for _ in range(6000):
    try:
        os.write(f, b'more')
    except OSError as e:
        assert e.errno in (errno.ENOTCONN, errno.ECONNABORTED), e
        break
    time.sleep(0.01)
else:
    sys.exit('no error')
PYTHON
got=0
wait "$daemon" || got=$?
daemon=
same $got 0 'exit code after SIGTERM'
mount_capture b.pcapng -o rw
wait_indexed
newest $((before + 1)) closed
unmount

# ---- a helper of mount(8) is not asked by rw
ln -s "$pktfs" mount.pktfs
sum=$(sha256sum <b.pcapng)
./mount.pktfs b.pcapng n -o rw
! [ -e n/append ] || fail 'mount.pktfs appends by rw'
"$pktfs" -u n
./mount.pktfs b.pcapng n -o rw,append
[ -d n/append ] || fail 'mount.pktfs -o append'
"$pktfs" -u n
same "$(sha256sum <b.pcapng)" "$sum" 'nothing was written'
