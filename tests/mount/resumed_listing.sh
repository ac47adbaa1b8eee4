#!/usr/bin/env bash
# Is every directory listed the same however the listing is interrupted and resumed?
. "$(dirname "$0")/lib.sh"
make_capture pcapng 3000 a.pcapng
mount_capture a.pcapng
wait_indexed
find "$mnt" -type d | while read -r folder; do
	count=$("$build/tests/mount/dirlist" "$folder") || fail "$folder"
	same "$count" $(($(ls -A "$folder" | wc -l) + 2)) "entries of $folder"
done
# entries have their type, so that nobody must stat to know
python3 - "$mnt" <<'PYTHON'
import ctypes, os, stat, sys
for folder, dirs, files in os.walk(sys.argv[1]):
    with os.scandir(folder) as entries:
        for e in entries:
            mode = os.lstat(e.path).st_mode
            assert e.is_dir(follow_symlinks=False) == stat.S_ISDIR(mode), e.path
            assert e.is_file(follow_symlinks=False) == stat.S_ISREG(mode), e.path
PYTHON
