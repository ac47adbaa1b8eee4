#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Questions without end: nests of sets as deep as a path can be, and more sets of
# each kind than are kept; memory stays bounded, and the answers stay right.
. "$(dirname "$0")/lib.sh"
. "$here/lies_lib.sh"
make_capture pcapng 2000 a.pcapng
mount_capture a.pcapng -o sets=1M
wait_indexed
limit=32

cat >ask.py <<'PYTHON'
import errno, os, sys
mnt, kind, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
refused = right = 0
if kind == "nest":
    # down by one directory at a time: a path has at most 4096 bytes, a working directory has no end
    os.chdir(mnt)
    for depth in range(1, count + 1):
        try:
            os.chdir(f"by/range/{depth}-")
            got = open("info/packets").read()
        except OSError as e:
            assert e.errno in (errno.ENOENT, errno.ENAMETOOLONG, errno.EIO, errno.E2BIG, errno.ESTALE), e
            refused += 1
            break
        assert got == f"{2000 - depth + 1}\n", (depth, got)
        right += 1
else:
    for n in range(count):
        name, want = {"filter": (f"len > {n + 10000}", 0), "match": (f"packet {n}$", None),
                      "range": (f"{n % 1999 + 1}-{n % 1999 + 1 + n // 1999}", None),
                      "time": (f"..@{1763721127 + n}.{n:09d}", None)}[kind]
        try:
            got = int(open(f"{mnt}/by/{kind}/{name}/info/packets").read())
        except OSError as e:
            assert e.errno in (errno.ENOENT, errno.EINVAL), (name, e)
            refused += 1
            continue
        if kind == "range":
            first = n % 1999 + 1
            want = min(2000, first + n // 1999) - first + 1
        assert want is None or got == want, (name, got, want)
        right += 1
print(right, refused)
PYTHON

# ask KIND COUNT WHAT
ask()
{
	read -r right refused < <(within 200 python3 ask.py "$mnt" "$1" "$2") || fail "$3"
	memory_below $limit "$3"
	kill -0 "$daemon" || fail "$3: the daemon is gone"
	tell "$2 $3: $right right, $refused refused, $memory MiB of $limit"
}
# (no more than shows it: where 130 others want the two cores, a second is a minute)
count=2000 few_sets=300
[ -z "$instrumented" ] || few_sets=100
ask nest 200 'ranges, each inside the other'
[ "$right" -ge 60 ] || fail "only $right deep"
ask range $count 'ranges'
same "$right" $count 'ranges'
ask filter $((few_sets * 2)) 'filters'
same "$right" $((few_sets * 2)) filters
ask match $few_sets 'patterns'
same "$right" $few_sets 'patterns'
ask time $few_sets 'spans of time'
same "$(cat "$mnt/by/range/5-7/info/packets")" 3 'a set made afterwards'
end_in_time sets
echo "1..$told"
