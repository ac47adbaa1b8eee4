# SPDX-License-Identifier: BSD-2-Clause
"""The commands in the documentation, run one after the other in the current
directory, which has the sample capture trace.pcapng.

    commands.py readme README.md     ```console blocks: a line "$ COMMAND" is
                                     run, what follows it is what it prints
    commands.py man pktfs.1          every line between .EX and .EE
    commands.py mounted README.txt   lines "    COMMAND   # what it does", run
                                     in the directory of README.txt

Each must end with 0. With UPDATE=1 in the environment, `readme` writes what the
commands print into README.md instead of comparing it.
"""
import os
import re
import subprocess
import sys
import time

# What cannot be run in a test: windows, other machines, root.
EXCEPTIONS = re.compile(r"^(wireshark|ssh|sudo|mount|umount) ")


def run(command, where="."):
    """What it prints; says why and ends when it fails. A person types slowly:
    the index is complete when the next command comes."""
    if EXCEPTIONS.match(command):
        return ""
    done = subprocess.run(["bash", "-c", command], cwd=where, stdin=subprocess.DEVNULL, timeout=60,
                          capture_output=True)
    text = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    if done.returncode:
        sys.exit(f"exit code {done.returncode}: {command}\n{text}{done.stderr.decode(errors='replace')}")
    while os.path.exists("mnt/info/state") and open("mnt/info/state").read() == "indexing\n":
        time.sleep(0.01)
    return text


def readme(path):
    text = open(path, encoding="utf-8").read()
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.S | re.M)
    count = 0
    for block in blocks:
        made = ""
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            count += 1
            got = run(command)
            got += "" if not got or got.endswith("\n") else "\n"
            made += f"$ {command}\n{got}"
            if got != output and not os.environ.get("UPDATE"):
                sys.exit(f"{path}: {command}\nprints:\n{got}instead of:\n{output}")
        text = text.replace(f"```console\n{block}```", f"```console\n{made}```")
    if os.environ.get("UPDATE"):
        open(path, "w", encoding="utf-8").write(text)
    for link in re.findall(r"\]\((?!http|#)([^)]+)\)", text):
        if not os.path.exists(os.path.join(os.path.dirname(path), link)):
            sys.exit(f"{path} links to {link}")
    return count


def man(path):
    escapes = {r"\-": "-", r"\e": "\\", r"\(aq": "'", r"\(ha": "^", r"\(ti": "~", r"\&": ""}
    text = open(path, encoding="utf-8").read()
    commands = "".join(re.findall(r"^\.EX\n(.*?)^\.EE$", text, re.S | re.M)).splitlines()
    for command in commands:
        run(re.sub(r"\\(?:\(..|.)", lambda m: escapes[m.group()], command))
    return len(commands)


def mounted(path):
    commands = re.findall(r"^    ([a-z].*?)(?:  +#.*| # .*)?$", open(path).read().split("\npayload/ knows")[0], re.M)
    for command in commands:
        run(command, os.path.dirname(path))
    return len(commands)


def main():
    count = {"readme": readme, "man": man, "mounted": mounted}[sys.argv[1]](sys.argv[2])
    if count < 10:
        sys.exit(f"{sys.argv[2]}: only {count} commands found")


main()
