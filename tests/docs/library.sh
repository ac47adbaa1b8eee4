#!/usr/bin/env bash
# Does libpktfs(3) have every function of the headers, as it is declared there, and
# nothing else? Does its program compile without a warning, and do what it says?
. "$(dirname "$0")/../mount/lib.sh"
page=$top/include/pktfs/libpktfs.3
man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>man.err >/dev/null
[ ! -s man.err ] || fail "man: $(cat man.err)"
MANWIDTH=200 man --no-hyphenation -l "$page" | col -bx >text
python3 - "$top/include/pktfs" <<'PYTHON'
import glob, re, sys

def one_line(text):
    return re.sub(r"\s+", " ", text)

headers = "".join(open(path).read() for path in sorted(glob.glob(sys.argv[1] + "/*.h")))
page = one_line(open("text").read())
declared = [one_line(found) for found in re.findall(r"^PKTFS_API ([^;#]*;)", headers, re.M)]
if len(declared) < 50:
    sys.exit("the headers have few functions")
for prototype in declared:
    if prototype not in page:
        sys.exit(f"libpktfs(3) does not have: {prototype}")
for word in sorted(set(re.findall(r"\b(?:pktfs|PKTFS)_\w+", page))):
    if not re.search(rf"\b{word}\b", headers):
        sys.exit(f"libpktfs(3) has {word}, which no header has")
PYTHON

# the program: packets above 100 bytes, as the mount counts them
sed -n '/^\.EX/,/^\.EE/{/^\./d; s/\\-/-/g; s/\\e/\\/g; p}' "$page" >long.c
cc -std=c99 -Wall -Wextra -Werror -I"$top/include" -o long long.c -L"$build" -lpktfs
ln -s "$build/libpktfs.so" libpktfs.so.0
"$build/tests/tools/pktgen" --sample trace.pcapng
LD_LIBRARY_PATH=. ./long trace.pcapng
tshark -r trace.pcapng -Y 'frame.cap_len > 100' -T fields -e frame.time_epoch -e frame.cap_len >want 2>/dev/null
tshark -r long.pcapng -T fields -e frame.time_epoch -e frame.cap_len >got 2>/dev/null
[ "$(wc -l <want)" -gt 5 ] || fail 'the sample has no long packets'
cmp want got
expect 1 env LD_LIBRARY_PATH=. ./long trace.pcapng
grep -q 'File exists' err || fail "the cause: $(cat err)"
expect 1 env LD_LIBRARY_PATH=. ./long "$page"
