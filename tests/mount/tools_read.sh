#!/usr/bin/env bash
# Do tools that read in their own ways (less, xxd, mmap, pread, sendfile) get
# the same bytes as from a disk?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 200 a.pcapng --files disk
mount_capture a.pcapng
wait_indexed

for n in 000000001 000000006 000000013 000000200; do
	cmp <(xxd "disk/$n") <(xxd "$mnt/packets/$n")
	cmp <(less -f "disk/$n" </dev/null | cat) <(less -f "$mnt/packets/$n" </dev/null | cat)
	cmp <(od -c "disk/$n") <(od -c "$mnt/packets/$n")
	cmp <(tail -c 20 "disk/$n") <(tail -c 20 "$mnt/packets/$n")
	cmp <(head -c 20 "disk/$n") <(head -c 20 "$mnt/packets/$n")
	cmp <(dd if="disk/$n" bs=7 skip=3 count=2 status=none) \
	    <(dd if="$mnt/packets/$n" bs=7 skip=3 count=2 status=none)
done
python3 - disk "$mnt/packets" <<'PYTHON'
import mmap, os, shutil, sys, tempfile
disk, mnt = sys.argv[1:]

def facts(folder):
    with os.scandir(folder) as entries:
        return sorted((e.name, e.is_file(), e.is_dir(), e.stat().st_size, e.stat().st_mtime_ns)
                      for e in entries)
assert facts(disk) == facts(mnt), "scandir"
inodes = {}
with os.scandir(mnt) as entries:
    for e in entries:
        assert e.inode() == os.stat(e.path).st_ino, f"d_ino of {e.name}"
        assert e.inode() not in inodes, f"{e.name} has the inode of {inodes[e.inode()]}"
        inodes[e.inode()] = e.name
for name in os.listdir(disk):
    want = open(f"{disk}/{name}", "rb").read()
    with open(f"{mnt}/{name}", "rb") as f:
        assert f.read() == want, name
        for at in (0, 1, len(want) // 2, max(len(want) - 1, 0), len(want), len(want) + 5000):
            assert os.pread(f.fileno(), 100, at) == want[at:at + 100], (name, at)
        assert f.seek(0, os.SEEK_END) == len(want)
        if want:
            for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
                with mmap.mmap(f.fileno(), 0, flags, mmap.PROT_READ) as m:
                    assert m[:] == want, name
        out, path = tempfile.mkstemp(dir=".")
        sent = os.sendfile(out, f.fileno(), 0, 1 << 20)
        assert sent == len(want) and open(path, "rb").read() == want, "sendfile"
        os.close(out)
        os.unlink(path)
    shutil.copy2(f"{mnt}/{name}", "copy")
    assert os.stat("copy").st_mtime_ns == os.stat(f"{disk}/{name}").st_mtime_ns
PYTHON
for n in 1 6 10; do
	cmp "$mnt/packets/$n" "disk/$(printf %09d $n)"
	cmp <(grep -a packet "$mnt/packets/$n" || true) <(grep -a packet "disk/$(printf %09d $n)" || true)
done
