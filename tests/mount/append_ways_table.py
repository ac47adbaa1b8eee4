# SPDX-License-Identifier: BSD-2-Clause
"""The ways of append_ways.py.

In the scripts: $S the bytes of the packet as a file, $A and $B its two parts, $HEX $OCT
$OCTA $OCTB the same as text (for printf %b), $T the file to write, $D its folder, $N its
name, $W a folder on another file system, $M the mount. Python has S A B T D M data a b.
"""
import shutil


class Way:
    """packet: "S" or "A" (the bytes of that file), other bytes, or None (no packet);
    time: "now" (while the script ran), "source" (of $S), or nanoseconds;
    data: what $S is to hold"""
    def __init__(self, title, shell, script, packet="S", time="now", data=None,
                 original=None, comment=None, flags=None, needs=()):
        self.title, self.shell, self.script = f"{title} [{shell}]", shell, script
        self.packet, self.time, self.data = packet, time, data
        self.original, self.comment, self.flags = original, comment, flags
        self.needs = needs

    def skip(self):
        for tool in (*self.needs, self.shell):
            if not shutil.which(tool if tool != "python" else "python3"):
                return f"there is no {tool}"
        return None


WAYS = []


def way(title, shells, script, **how):
    for shell in shells.split():
        WAYS.append(Way(title, shell, script, **how))


def python(title, script, **how):
    way(title, "python", script, **how)


BOTH = "bash dash"
T = 1795258805 * 10**9 + 5 * 10**8
TOUCH = "touch -d '2026-11-21T11:00:05.5Z'"
HOLES = b"begin" + bytes(8192) + b"middle" + bytes(16384)

# ---- shells: who opens, who writes, who closes
way("cat", BOTH, 'cat "$S" >"$T"')
way("cat to the end", BOTH, 'cat "$S" >>"$T"')
way("cat, noclobber", BOTH, 'set -C; cat "$S" >"$T"')
way("cat, read and write", BOTH, 'cat "$S" 1<>"$T"')
way("echo into xxd", BOTH, 'echo "$HEX" | xxd -r -p >"$T"', needs=["xxd"])
way("printf of the shell", BOTH, 'printf %b "$OCT" >"$T"')
way("group of commands", BOTH, '{ cat "$A"; cat "$B"; } >"$T"')
way("group of builtins", BOTH, '{ printf %b "$OCTA"; printf %b "$OCTB"; } >"$T"')
way("subshell", BOTH, '(cat "$A"; cat "$B") >"$T"')
way("subshell of builtins", BOTH, '(printf %b "$OCTA"; printf %b "$OCTB") >"$T"')
way("function", BOTH, 'f() { cat "$A"; printf %b "$OCTB"; }; f >"$T"')
way("pipe into a group", BOTH, 'cat "$A" | { cat; cat "$B"; } >"$T"')
way("a job in the background of a group", BOTH,
    '{ cat "$A"; { sleep 0.05; cat "$B"; } & wait; } >"$T"')
way("exec of the output", BOTH, 'exec >"$T"; cat "$A"; cat "$B"')
way("descriptor 3, one command", BOTH, 'exec 3>"$T"; cat "$S" >&3; exec 3>&-')
way("descriptor 3, two commands", BOTH, 'exec 3>"$T"; cat "$A" >&3; cat "$B" >&3; exec 3>&-')
way("descriptor 3, builtins", BOTH,
    'exec 3>"$T"; printf %b "$OCTA" >&3; printf %b "$OCTB" >&3; exec 3>&-')
way("descriptor 3, closed by the exit", BOTH, 'exec 3>"$T"; printf %b "$OCTA" >&3; cat "$B" >&3')
way("two descriptors, the first closed first", BOTH,
    'exec 3>"$T" 4>&3; printf %b "$OCTA" >&3; exec 3>&-; printf %b "$OCTB" >&4; exec 4>&-')
way("two opens, to the end", BOTH,
    'exec 3>"$T" 4>>"$T"; printf %b "$OCTA" >&3; cat "$B" >&4; exec 3>&- 4>&-')
way("loop of builtins, descriptor 3", BOTH, 'while read -r part; do printf %b "$part" >&3; done '
    '3>"$T" <<END\n$OCTA\n$OCTB\nEND')
way("loop of builtins, output", BOTH, 'while read -r part; do printf %b "$part"; done '
    '>"$T" <<END\n$OCTA\n$OCTB\nEND')
way("loop of echo", BOTH, 'while read -r part; do echo $part >&3; done 3>"$T" <<END\none\ntwo\n'
    'three\nEND', packet=b"one\ntwo\nthree\n")
way("loop of commands", BOTH, 'for part in "$A" "$B"; do cat "$part"; done >"$T"')
way("command substitution that writes", BOTH,
    '{ x=$(printf %b "$OCTA" >&3); cat "$B" >&3; } 3>"$T"')
way("eval", BOTH, 'eval "cat \\"\\$A\\"; cat \\"\\$B\\"" >"$T"')
way("head", BOTH, 'head -c 100000 "$S" >"$T"')
way("a job in the background", BOTH, 'cat "$S" >"$T" & wait $!')
way("a child inherits, the parent exits before it writes", BOTH,
    """sh -c 'exec 3>"$T"; { sleep 0.1; cat "$S" >&3; : >"$W/done"; } & exit 0'
    until [ -e "$W/done" ]; do sleep 0.02; done; rm "$W/done"; sleep 0.05""")
way("the opener exits half way: that is the close", BOTH,
    """sh -c 'exec 3>"$T"; cat "$A" >&3
    { sleep 0.1; cat "$B" >&3; : >"$W/done"; } 2>/dev/null & exit 0'
    until [ -e "$W/done" ]; do sleep 0.02; done; rm "$W/done"; sleep 0.05""", packet="A")
way("the opener is killed: that is the close", BOTH,
    """exec 2>/dev/null; sh -c 'exec 3>"$T"; cat "$A" >&3; kill -9 $$' || true""", packet="A")
way("nothing written", BOTH, ': >"$T"; [ -f "$T" ]; [ ! -s "$T" ]; rm "$T"; [ ! -e "$T" ]',
    packet=None)
way("a second time to the same name is refused", BOTH,
    'cat "$S" >"$T"; if (cat "$S" >"$T") 2>/dev/null; then exit 3; fi')
way("the same name after rm", BOTH, ': >"$T"; rm "$T"; cat "$S" >"$T"')
way("closed empty, then filled", BOTH, ': >"$T"; : >>"$T"; cat "$S" >>"$T"')
way("touch, then filled", BOTH, TOUCH + ' "$T"; cat "$S" >>"$T"', time=T)
way("touch, then filled by >", BOTH, TOUCH + ' "$T"; cat "$S" >"$T"', time=T)
way("filled, then touched, while it is open", BOTH,
    'exec 3>"$T"; cat "$A" >&3; ' + TOUCH + ' "$T"; cat "$B" >&3; exec 3>&-', time=T)
way("mv of an empty one", BOTH, ': >"$D/other"; mv "$D/other" "$T"; cat "$S" >"$T"')
way("mv of a committed one", BOTH, 'cat "$S" >"$D/other"; mv "$D/other" "$T"')

# ---- tools
way("cp", "bash", 'cp "$S" "$T"')
way("cp into the folder", "bash", 'cp "$S" "$W/$N"; cp "$W/$N" "$D/"')
way("cp -p", "bash", 'cp -p "$S" "$T"', time="source")
way("cp -a", "bash", 'cp -a "$S" "$T"', time="source")
way("cp --sparse=always", "bash", 'cp --sparse=always "$S" "$T"', data=HOLES)
way("cp --preserve=xattr of a file", "bash",
    'setfattr -n user.pktfs.comment -v "from a file" "$S"; '
    'setfattr -n user.pktfs.original_length -v 4000 "$S"; cp --preserve=xattr "$S" "$T"',
    original=4000, comment="from a file", needs=["setfattr"])
way("cp -a of a file with attributes", "bash",
    'setfattr -n user.pktfs.comment -v "from a file" "$S"; '
    'setfattr -n user.pktfs.flags -v 1 "$S"; cp -a "$S" "$T"',
    time="source", comment="from a file", flags=1, needs=["setfattr"])
way("tee", BOTH, 'tee "$T" <"$S" >/dev/null')
way("tee -a", BOTH, 'cat "$S" | tee -a "$T" >/dev/null')
way("tee in the middle", BOTH, 'cat "$A" "$B" | tee "$T" | cmp - "$S"')
for how in ("bs=1", "bs=7", "bs=4096", "bs=1M", "bs=7 conv=fsync", "conv=fdatasync",
            "bs=64 conv=notrunc", "bs=5 oflag=append conv=notrunc", "bs=1M oflag=sync"):
    way(f"dd {how}", "bash", f'dd if="$S" of="$T" status=none {how}')
way("dd from a pipe", BOTH, 'cat "$A" "$B" | dd status=none >"$T"')
way("dd conv=sparse", "bash", 'dd if="$S" of="$T" status=none bs=4096 conv=sparse', data=HOLES)
way("install", "bash", 'install "$S" "$T"')
way("install -m", "bash", 'install -m 600 "$S" "$T"')
way("install into the folder", "bash", 'cp "$S" "$W/$N"; install -t "$D" "$W/$N"')
way("rsync", "bash", 'rsync "$S" "$T"', needs=["rsync"])
way("rsync -t", "bash", 'rsync -t "$S" "$T"', time="source", needs=["rsync"])
way("rsync -a", "bash", 'rsync -a "$S" "$T"', time="source", needs=["rsync"])
way("rsync -a into the folder", "bash", 'cp -p "$S" "$W/$N"; rsync -a "$W/$N" "$D/"',
    time="source", needs=["rsync"])
# (and then wants to set the permissions of what has become a link: 23)
way("rsync --inplace", "bash", 'rsync --inplace "$S" "$T" 2>/dev/null || [ $? = 23 ]',
    needs=["rsync"])
way("rsync -W --no-whole-file", "bash", 'rsync --no-whole-file "$S" "$T"', needs=["rsync"])
way("mv", "bash", 'mv "$S" "$T"; [ ! -e "$S" ]', time="source")
way("mv into the folder", "bash", 'cp -p "$S" "$W/$N"; mv "$W/$N" "$D/"', time="source")
way("tar", "bash", 'cp -p "$S" "$W/$N"; tar --format=posix -C "$W" -cf - "$N" | tar -C "$D" -xf -',
    time="source")
way("tar -m", "bash", 'cp -p "$S" "$W/$N"; tar -C "$W" -cf - "$N" | tar -C "$D" -xmf -')
way("setfattr before the bytes", "bash",
    ': >"$T"; setfattr -n user.pktfs.original_length -v 5000 "$T"; '
    'setfattr -n user.pktfs.comment -v "ünlike" "$T"; setfattr -n user.pktfs.flags -v 2 "$T"; '
    'cat "$S" >>"$T"', original=5000, comment="ünlike", flags=2, needs=["setfattr"])
way("setfattr while it is open", "bash",
    'exec 3>"$T"; cat "$S" >&3; setfattr -n user.pktfs.comment -v late "$T"; exec 3>&-',
    comment="late", needs=["setfattr"])
way("setfattr, and taken back", "bash",
    ': >"$T"; setfattr -n user.pktfs.comment -v no "$T"; setfattr -x user.pktfs.comment "$T"; '
    'cat "$S" >>"$T"', needs=["setfattr"])
way("setfattr of the time", "bash", ': >"$T"; setfattr -n user.pktfs.time -v '
    '2026-11-21T11:00:05.500000000Z "$T"; cat "$S" >>"$T"', time=T, needs=["setfattr"])

# ---- programs
python("open, write", "with open(T, 'wb') as f: f.write(data)")
python("open, write, not closed by hand", "f = open(T, 'wb'); f.write(data)")
python("buffering=0", "with open(T, 'wb', buffering=0) as f:\n f.write(a)\n f.write(b)")
python("append mode", "with open(T, 'ab') as f: f.write(data)")
python("exclusive mode", "with open(T, 'xb') as f: f.write(data)")
python("seek", "with open(T, 'wb') as f:\n f.seek(len(a))\n f.write(b)\n f.seek(0)\n f.write(a)")
python("pwrite backwards", "fd = os.open(T, os.O_CREAT | os.O_WRONLY)\n"
       "for at in reversed(range(0, len(data), 100)): os.pwrite(fd, data[at:at + 100], at)\n"
       "os.close(fd)")
python("truncate", "with open(T, 'wb') as f:\n f.write(data + b'too much')\n f.flush()\n"
       " f.truncate(len(data))")
python("hole", "with open(T, 'wb') as f:\n f.seek(100)\n f.write(b'end')",
       packet=bytes(100) + b"end")
python("os.open", "fd = os.open(T, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)\n"
       "assert os.write(fd, data) == len(data)\nos.close(fd)")
python("writev", "fd = os.open(T, os.O_CREAT | os.O_WRONLY)\nos.writev(fd, [a, b])\nos.close(fd)")
python("sendfile", "i = os.open(S, os.O_RDONLY)\no = os.open(T, os.O_CREAT | os.O_WRONLY)\n"
       "assert os.sendfile(o, i, 0, len(data)) == len(data)\nos.close(o)")
python("read back while it is open", "f = open(T, 'w+b', buffering=0)\nf.write(data)\n"
       "assert os.stat(T).st_size == len(data)\nf.seek(0)\nassert f.read() == data\n"
       "assert open(T, 'rb').read() == data\nf.close()")
python("fsync, then close", "f = open(T, 'wb')\nf.write(data)\nf.flush()\nos.fsync(f.fileno())\n"
       "f.close()")
python("dup, the first closed first", "fd = os.open(T, os.O_CREAT | os.O_WRONLY)\nd = os.dup(fd)\n"
       "os.write(fd, a)\nos.close(fd)\nos.write(d, b)\nos.close(d)")
python("dup many times", "fd = os.open(T, os.O_CREAT | os.O_WRONLY)\n"
       "for at in range(len(data)):\n d = os.dup(fd)\n os.write(d, data[at:at + 1])\n os.close(d)\n"
       "os.close(fd)")
python("closed by another thread", "import threading\nf = open(T, 'wb', buffering=0)\n"
       "f.write(a)\ndef go():\n f.write(b)\n f.close()\n"
       "t = threading.Thread(target=go)\nt.start()\nt.join()")
python("opened by a thread that has ended", "import threading\nfds = []\n"
       "t = threading.Thread(target=lambda: fds.append(os.open(T, os.O_CREAT | os.O_WRONLY)))\n"
       "t.start()\nt.join()\nd = os.dup(fds[0])\nos.write(d, a)\nos.close(d)\n"
       "os.write(fds[0], b)\nos.close(fds[0])")
python("output of a child", "import subprocess\nwith open(T, 'wb') as f:\n"
       " subprocess.run(['cat', A], stdout=f, check=True)\n"
       " subprocess.run(['cat', B], stdout=f, check=True)")
python("a fork writes half", "fd = os.open(T, os.O_CREAT | os.O_WRONLY)\nif os.fork() == 0:\n"
       " os.write(fd, a)\n os._exit(0)\nos.wait()\nos.write(fd, b)\nos.close(fd)")
python("a fork writes all, the parent closes first", "fd = os.open(T, os.O_CREAT | os.O_WRONLY)\n"
       "r, w = os.pipe()\nif os.fork() == 0:\n os.close(w)\n os.read(r, 1)\n os.write(fd, data)\n"
       " os.close(fd)\n os._exit(0)\nos.close(fd)\nos.close(w)\nos.wait()")
python("a fork that forks writes", "fd = os.open(T, os.O_CREAT | os.O_WRONLY)\nif os.fork() == 0:\n"
       " if os.fork() == 0:\n  os.write(fd, a)\n  os._exit(0)\n os.wait()\n os.write(fd, b)\n"
       " os._exit(0)\nos.wait()\nos.close(fd)")
python("utime while it is open", f"f = open(T, 'wb')\nf.write(data)\nf.flush()\n"
       f"os.utime(f.fileno(), ns=(0, {T}))\nf.close()", time=T)
python("attributes while it is open", "f = open(T, 'wb', buffering=0)\nf.write(data)\n"
       "os.setxattr(f.fileno(), 'user.pktfs.comment', b'of python')\n"
       "os.setxattr(f.fileno(), 'user.pktfs.flags', b'0x20')\n"
       "os.setxattr(f.fileno(), 'user.pktfs.original_length', b'65535')\nf.close()",
       original=65535, comment="of python", flags=0x20)
python("attributes are shown", "f = open(T, 'wb', buffering=0)\nf.write(data)\n"
       "os.setxattr(T, 'user.pktfs.comment', b'seen')\n"
       "assert os.getxattr(T, 'user.pktfs.comment') == b'seen'\n"
       "assert 'user.pktfs.comment' in os.listxattr(T)\n"
       "os.setxattr(T, 'user.pktfs.number', b'7')\nf.close()", comment="seen")
python("shutil.copyfile", "import shutil\nshutil.copyfile(S, T)")
python("shutil.copy", "import shutil\nshutil.copy(S, T)")
python("pathlib", "import pathlib\npathlib.Path(T).write_bytes(data)")
python("a temporary name, then rename", "f = open(D + '/new.tmp', 'wb')\nf.write(data)\nf.close()\n"
       "os.rename(D + '/new.tmp', T)")
python("chmod and chown before and after", "f = open(T, 'wb')\nos.fchmod(f.fileno(), 0o600)\n"
       "f.write(data)\nf.flush()\nos.fchown(f.fileno(), os.getuid(), os.getgid())\nf.close()\n"
       "os.chmod(T, 0o644)\nos.chown(T, os.getuid(), os.getgid())")
python("removed while it is open: nothing is appended", "f = open(T, 'wb')\nf.write(data)\nf.flush()\n"
       "os.unlink(T)\nf.close()\nassert not os.path.lexists(T)", packet=None)
python("truncated to nothing: nothing is appended", "f = open(T, 'wb', buffering=0)\nf.write(data)\n"
       "f.truncate(0)\nf.close()\nassert os.stat(T).st_size == 0\nos.unlink(T)", packet=None)
python("60,000 bytes", "with open(T, 'wb') as f: f.write(data)", data=bytes(range(256)) * 240)
way("open, print, close", "perl", "open(my $f, '>:raw', $ENV{T}) or die; open(my $i, '<:raw', "
    "$ENV{S}); local $/; print {$f} (<$i>) or die; close($f) or die")
way("syswrite in parts", "perl", "open(my $i, '<:raw', $ENV{S}); local $/; my $d = <$i>; "
    "open(my $f, '>:raw', $ENV{T}) or die; syswrite($f, $_) for split(//, $d); close($f) or die")
