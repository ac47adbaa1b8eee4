#!/usr/bin/env bash
# Are the values of info/ right at each moment while a capture comes in slowly?
. "$(dirname "$0")/lib.sh"
make_capture pcap 3000 a.pcap --files disk
mkdir -p mnt
mkfifo fifo
"$pktfs" -f fifo mnt 2>>stderr &
daemon=$!
python3 - a.pcap fifo <<'PYTHON' &
import sys, time
whole = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "wb", buffering=0) as out:
    for at in range(0, len(whole), 9973):
        out.write(whole[at:at + 9973])
        time.sleep(0.01)
PYTHON
wait_until 60 is_mounted "$mnt"
python3 - "$mnt" disk <<'PYTHON'
import os, sys, time
mnt, disk = sys.argv[1:]
sizes = [os.stat(f"{disk}/{name}").st_size for name in sorted(os.listdir(disk))]

def info(name):
    with open(f"{mnt}/info/{name}") as f:
        text = f.read()
    assert text.endswith("\n") and "\0" not in text, (name, text)
    return text[:-1]
last, seen = 0, set()
end = time.monotonic() + 60
while True:
    state = info("state")
    listed = len(os.listdir(f"{mnt}/packets"))
    packets = int(info("packets"))
    seen.add(packets)
    assert packets >= last, (packets, last)
    assert listed <= int(info("packets")), "more listed than counted"
    assert os.path.exists(f"{mnt}/packets/{max(packets, 1):09d}")
    if packets:
        assert os.stat(f"{mnt}/packets/{packets}").st_size == sizes[packets - 1], packets
    last = packets
    if state != "indexing":
        break
    assert time.monotonic() < end, "never complete"
    time.sleep(0.005)
assert state == "complete", state
assert info("packets") == str(len(sizes)) and int(info("bytes")) == sum(sizes)
assert len(os.listdir(f"{mnt}/packets")) == len(sizes)
assert len(seen) > 5, f"the count jumped: {sorted(seen)}"
print(len(seen), "values of info/packets seen")
PYTHON
diff -r disk "$mnt/packets"
