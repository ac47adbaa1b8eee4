#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does by/filter/EXPRESSION hold the packets that `tcpdump -r FILE EXPRESSION`
selects? Where libpcap does not read the file, what tcpdump selects of the same
packets in a marked copy for each link type."""
import concurrent.futures
import os
import sys
import time

import facts
import marked
from facts import expect
from mounted import Mounted

EXPRESSIONS = """
host 192.168.1.1
host 10.0.0.1 or host 10.1.1.1
src host 192.168.0.1
dst host 255.255.255.255
src net 192.168.0.0/16
net 10.0.0.0/8
dst net 224.0.0.0/4
net 172.16.0.0 mask 255.240.0.0
ip6 net fe80::/10
port 80
src port 443
dst port 53
tcp port 80
udp port 53
portrange 1-1023
dst portrange 1024-65535
tcp src portrange 20-80
proto 17
ip proto 6
ip6 proto 58
ip protochain 6
ip
ip6
arp
rarp
tcp
udp
icmp
icmp6
igmp
sctp
esp or ah or vrrp or pim
ether host ff:ff:ff:ff:ff:ff
ether src 00:00:00:00:00:00
ether[0] & 1 != 0
ether proto 0x0800
ether proto 0x86dd
ether multicast
ether broadcast
ip broadcast
ip multicast
ip6 multicast
vlan
vlan 10
vlan and tcp
vlan and vlan
mpls
mpls 1 and ip
pppoed
pppoes
pppoes and ip
llc
stp
tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn
tcp[13] = 0x12
tcp[tcpflags] & (tcp-rst|tcp-fin) != 0
tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)
tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420
ip[0] & 0xf != 5
ip[6:2] & 0x1fff != 0
ip[8] < 64
ip6[6] = 58
udp[4:2] > 100
icmp[icmptype] = icmp-echo
icmp[0] = 8 or icmp[0] = 0
link[0] != 0
link[0] = 2
len > 100
len <= 60
less 80
greater 1000
len % 2 = 1
not ip
not (tcp or udp)
tcp and not port 80
(tcp or udp) and net 192.168.0.0/16 and greater 100
(host 192.168.0.1 or ip6) and not arp and not icmp
udp and (port 67 or port 68)
ip and udp[8:2] != 0
inbound
outbound
wlan type mgt
type data
ifname eth0
iso or aarp or decnet
wlan host 00:11:22:33:44:55
ether[12:4] > 0x08004500
tcp or udp or icmp or arp or ip6 or len >= 0
""".strip().splitlines()

POOL = concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2))


def tcpdump(path, expression):
    """(records selected, None) or (None, why it refuses)."""
    argv = ["tcpdump", "-r", path, "-w", "-", *([expression] if expression else [])]
    done = facts.ask(argv, path, marked.ENV)
    if done.returncode != 0:
        return None, done.stderr.decode(errors="replace").strip().splitlines()[-1]
    return marked.records(done.stdout), None


class Direct:
    """The capture itself, read by libpcap: a record is known by all that it is."""

    def __init__(self, path, count):
        self.path = path
        self.all, self.why = tcpdump(path, None)
        self.good = self.all is not None and len(self.all) == count

    def select(self, expression):
        found, why = tcpdump(self.path, expression)
        return found, why

    def same(self, got, found):
        return [self.all[n - 1] for n in got] == found

    def numbers(self, found):
        numbers, at = [], 0
        for record in found:
            at = self.all.index(record, at) + 1
            numbers.append(at)
        return numbers


class Copies:
    """A marked copy for each link type."""

    def __init__(self, mnt, rows, folder):
        types = marked.link_types(mnt)
        self.paths = []
        for link_type in sorted(set(types)):
            path = os.path.join(folder, f"marked.{link_type}")
            with open(path, "wb") as out:
                out.write(marked.pcap(link_type, (
                    (row.number, row.original, marked.bytes_of(mnt, row.number))
                    for row in rows if types[row.interface] == link_type)))
            self.paths.append(path)

    def select(self, expression):
        numbers, whys = [], []
        for path in self.paths:
            found, why = tcpdump(path, expression)
            if found is None:
                whys.append(why)
            else:
                numbers += [record[0] for record in found]
        if self.paths and len(whys) == len(self.paths):
            return None, whys[0]
        return sorted(numbers), None

    def same(self, got, found):
        return got == found

    def numbers(self, found):
        return found


def reference(case, mnt, rows, folder):
    plain = marked.own_file(case, mnt, folder)
    direct = Direct(plain, len(rows)) if plain and rows else None
    if direct and direct.good:
        return direct, "file"
    copies = Copies(mnt, rows, folder)
    # more than libpcap takes is left out by it, of a copy as of the file
    whole, why = copies.select("")
    if copies.paths and not why and len(whole) != len(rows):
        return None, "tcpdump does not read all of the packets"
    if not copies.paths:
        return None, "no interface, so no link type"
    return copies, "copy" if not why else f"copy; without filter: {why}"


def said(mount, expression):
    """Whether info/log has the reason; a text that was read just now stays for some ms."""
    for _ in range(20):
        if f"'{marked.name_of(expression).decode()}': filter: " in mount.info("log"):
            return True
        time.sleep(0.002)
    return False


class Sum:
    compared = refused = some = 0


def check(case, folder):
    with Mounted(case.path) as mount:
        mnt, rows = mount.mnt, marked.rows(mount.mnt)
        judge, how = reference(case, mnt, rows, folder)
        if not judge:
            return how
        # all of them first: a signal, even one that is ignored, may end a call that
        # waits for a set with EINTR
        wanted = list(POOL.map(judge.select, EXPRESSIONS))
        wrong, refused, some = [], 0, 0
        for expression, want in zip(EXPRESSIONS, wanted):
            got = marked.members(mnt, "filter", expression)
            found, why = want
            if found is None:
                refused += 1
                if got is not None:
                    wrong.append(f"'{expression}': {marked.told(got)}; tcpdump: {why}")
                elif not said(mount, expression):
                    wrong.append(f"'{expression}': no reason in info/log")
            elif got is None:
                wrong.append(f"'{expression}': refused: {mount.info('log').splitlines()[-1]}; tcpdump: "
                             f"{marked.told(judge.numbers(found))}")
            elif not judge.same(got, found):
                wrong.append(f"'{expression}': {marked.told(got)}; tcpdump: "
                             f"{marked.told(judge.numbers(found))}")
            else:
                some += 0 < len(got) < len(rows)
        print(f"# {case.name}: {len(rows)} packets, {len(EXPRESSIONS)} expressions ({how}): "
              f"{some} of them select some, {refused} refused by both")
        expect(not wrong, f"{len(wrong)} of {len(EXPRESSIONS)} differ: " + "; ".join(wrong))
        Sum.compared += len(EXPRESSIONS)
        Sum.refused += refused
        Sum.some += some
    return None


def main():
    with marked.Captures() as captures:
        code = facts.run_cases((case.name, lambda case=case: check(case, captures.folder))
                               for case in captures.cases)
    print(f"# {Sum.compared} comparisons, {Sum.some} select some packets and not all, "
          f"{Sum.refused} refused by both")
    return code


sys.exit(main())
