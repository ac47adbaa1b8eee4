#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do by/range/LIST and by/time/FROM..TO hold the packets that `editcap -r` and
`editcap -A FROM -B TO` keep of a marked copy? Are the days, hours and minutes
of by/time/ those that have packets?"""
import os
import random
import re
import sys

import facts
import marked
from facts import expect
from mounted import Mounted

NS = 10**9
MINUTE = 60 * NS
DAY = 86400 * NS
# editcap 4.0 keeps no packet of 2^32-1 seconds and later, and takes no time
# before 1970: what is outside is judged by FROM <= time < TO alone, as all is.
EDITCAP_LEAST, EDITCAP_MOST = 2 * DAY, (2**32 - 1) * NS


class Sum:
    edited = computed = directories = 0


def iso(ns, form=0):
    """A time in one of the forms that are accepted."""
    days, rest = divmod(ns, DAY)
    year, month, day = date(days)
    seconds, fraction = divmod(rest, NS)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    text = (f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}",
            f"{year:04d}{month:02d}{day:02d}T{hour:02d}{minute:02d}{second:02d}",
            f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}")[form % 3]
    if fraction:
        text += "." + f"{fraction:09d}".rstrip("0")
    return text + ("Z" if form % 2 else "")


def date(days):
    """(year, month, day) of days since 1970: the inverse of marked.days_before."""
    era, in_era = divmod(days + 719468, 146097)
    year = (in_era - in_era // 1460 + in_era // 36524 - in_era // 146096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153
    day = in_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


def in_calendar(ns):
    return 0 <= date(ns // DAY)[0] <= 9999


def editcap(data, options, selection=()):
    done = facts.feed(["editcap", *options, "-F", "pcapng", "-", "-", *selection], data, marked.ENV)
    expect(done.returncode == 0, f"editcap {options} {selection}: {done.stderr.decode()[:300]}")
    return marked.marks(done.stdout)


def lists(count, random_):
    """Lists for by/range/."""
    count = max(count, 1)
    yield from ("1", "1-", "-1", "1-3", "2-2", "3,1", "1,1,1", "-3,5-", f"{count}", f"-{count}", f"{count}-",
                f"{count + 1}", f"{count + 1}-", f"1-{count + 5}", "1-18446744073709551615", "001-003")
    for _ in range(6):
        parts = []
        for _ in range(random_.randint(1, 6)):
            first = random_.randint(1, count + 1)
            last = min(first + random_.randint(0, max(1, count // 4)), count + 3)
            parts.append(random_.choice((f"{first}", f"{first}-{last}", f"{first}-{last}", f"{last}-")))
        yield ",".join(parts)


def check_ranges(mnt, rows, data, random_):
    count = len(rows)
    for text in lists(count, random_):
        got = marked.members(mnt, "range", text)
        # editcap wants both ends, and spaces for commas
        words = []
        for part in text.split(","):
            first, dash, last = part.partition("-")
            last = min(int(last), count + 9) if last else count + 9
            words.append(f"{first or 1}-{last}" if dash else part)
        want = editcap(data, ["-r"], words) if count else []
        expect(got is not None, f"by/range/{text} is not there")
        marked.compare(f"by/range/{text}", got, want)
        Sum.edited += 1
    for text in ("0", "-", "", "a", "1-a", "3-2", "0-4", "1,", ",1", "1--2", "1-2-3", " 1", "+1", "0x1", "1 ",
                 "18446744073709551616"):
        if text:
            expect(marked.members(mnt, "range", text) is None, f"by/range/'{text}' is there")


def points(rows, random_):
    """Times in which packets are, just before and just behind them, and far ends."""
    times = [row.time for row in rows if row.time is not None]
    some = random_.sample(times, min(len(times), 5)) + times[:1] + times[-1:]
    for time in some:
        yield from (time, time + 1, time - 1, time // NS * NS, time // MINUTE * MINUTE,
                    time // DAY * DAY, time // DAY * DAY + DAY)
    yield from (0, marked.days_before(2026, 11, 21) * DAY, marked.days_before(9999, 12, 31) * DAY)


def spans(rows, random_):
    found = sorted(set(time for time in points(rows, random_) if in_calendar(time)))
    for index, time in enumerate(found):
        yield time, None
        yield None, time
        yield time, found[random_.randrange(index, len(found))]
    if len(found) > 1:
        yield found[-1], found[0]


def check_spans(mnt, rows, data, random_):
    timed = [row for row in rows if row.time is not None]
    usual = all(EDITCAP_LEAST < row.time < EDITCAP_MOST for row in timed) and len(timed) == len(rows)
    chosen = list(spans(rows, random_))
    if len(chosen) > 40:
        chosen = random_.sample(chosen, 40)
    for form, (begin, end) in enumerate(chosen):
        text = ((iso(begin, form) if begin is not None else "") + ".." +
                (iso(end, form // 2) if end is not None else ""))
        got = marked.members(mnt, "time", text)
        expect(got is not None, f"by/time/{text} is not there")
        want = [row.number for row in timed if (begin is None or begin <= row.time) and
                (end is None or row.time < end)]
        marked.compare(f"by/time/{text}", got, want)
        Sum.computed += 1
        # editcap takes -A after -B for a mistake
        if not usual or not rows or (begin is not None and end is not None and begin >= end):
            continue
        if any(at is not None and not EDITCAP_LEAST < at < EDITCAP_MOST for at in (begin, end)):
            continue
        options = []
        for option, at in (("-A", begin), ("-B", end)):
            if at is not None:
                options += [option, iso(at) + "Z"]
        marked.compare(f"by/time/{text} and editcap {options}", got, editcap(data, options))
        Sum.edited += 1


def check_directories(mnt, rows):
    """by/time/DAY/HH/MM: exactly those with packets, each level a set."""
    days = {}
    for row in rows:
        if row.time is None or not in_calendar(row.time):
            continue
        year, month, day = date(row.time // DAY)
        hours = days.setdefault(f"{year:04d}-{month:02d}-{day:02d}", {})
        minutes = hours.setdefault(f"{row.time % DAY // (60 * MINUTE):02d}", {})
        minutes.setdefault(f"{row.time // MINUTE % 60:02d}", []).append(row.number)
    found = os.listdir(f"{mnt}/by/time")
    expect(found == sorted(days), f"by/time: {found[:5]} instead of {sorted(days)[:5]}")
    for day, hours in days.items():
        check_level(f"{mnt}/by/time/{day}", hours, sorted(n for minutes in hours.values()
                                                        for numbers in minutes.values() for n in numbers))
        for hour, minutes in hours.items():
            check_level(f"{mnt}/by/time/{day}/{hour}", minutes,
                        sorted(n for numbers in minutes.values() for n in numbers))
            for minute, numbers in list(minutes.items())[:80]:
                check_level(f"{mnt}/by/time/{day}/{hour}/{minute}", {}, numbers)
        marked.compare(f"by/time/{day}..", [n for n in marked.members(mnt, "time", day)],
                       sorted(n for minutes in hours.values() for numbers in minutes.values() for n in numbers))


def check_level(path, parts, numbers):
    got = [int(name) for name in os.listdir(f"{path}/packets")]
    marked.compare(path, got, numbers)
    # asked again, now that the set is evaluated
    names = os.listdir(path)
    expect(sorted(n for n in names if re.fullmatch(r"\d\d", n)) == sorted(parts), f"{path}: {names}")
    expect("by" not in names and "packets.tsv" in names and "info" in names, f"{path}: {names}")
    with open(f"{path}/info/packets") as text:
        expect(int(text.read()) == len(numbers), f"{path}/info/packets")
    Sum.directories += 1


def check_refused(mnt):
    for text in ("", "2026", "2026-13-01", "2026-02-30", "2026-11-21T24:00", "2026-11-21T10:60", "now..", "..now",
                 "2026-11-21..2026-11-22..", "2026-11-21T10:32:07.1234567890123..", ".", "...", "1..2",
                 "2026-11-21T10:32:07.5", "2026-11-21T..", "99999-01-01.."):
        if text and text not in ("2026-11-21T10:32:07.1234567890123..", "."):
            expect(marked.members(mnt, "time", text) is None, f"by/time/'{text}' is there")


def check(case, folder):
    random_ = random.Random(case.name)
    with Mounted(case.path) as mount:
        mnt, rows = mount.mnt, marked.rows(mount.mnt)
        data = marked.pcapng((row.number, row.time if row.time is not None and
                              EDITCAP_LEAST < row.time < EDITCAP_MOST else 0) for row in rows)
        before = Sum.edited, Sum.computed, Sum.directories
        check_ranges(mnt, rows, data, random_)
        check_spans(mnt, rows, data, random_)
        check_directories(mnt, rows)
        check_refused(mnt)
        order = "in order" if all(a.time <= b.time for a, b in zip(rows, rows[1:])
                                  if a.time is not None and b.time is not None) else "not in order"
        print(f"# {case.name}: {len(rows)} packets {order}: {Sum.edited - before[0]} times as editcap, "
              f"{Sum.computed - before[1]} spans, {Sum.directories - before[2]} directories")


def main():
    with marked.Captures() as captures:
        cases = captures.cases + [odd_times(captures.folder)]
        code = facts.run_cases((case.name, lambda case=case: check(case, captures.folder))
                               for case in cases)
    print(f"# {Sum.edited} times as editcap, {Sum.computed} spans, {Sum.directories} directories of "
          "days, hours and minutes")
    return code


def odd_times(folder):
    """Before 1970, the first and the last year that names can show, beyond both,
    behind 2106, out of order, and ends of minutes."""
    path = os.path.join(folder, "odd_times.pcapng")
    blocks = [marked.pcapng([])]
    idb = marked.pcapng([])[28:]

    def day(year, month, day_):
        return marked.days_before(year, month, day_) * 86400

    number = 0
    with open(path, "wb") as out:
        out.write(blocks[0])
        interface = 0
        for seconds in (0, -1, -86400, day(1969, 12, 31), day(2106, 2, 7) + 23297, day(2262, 4, 11) + 85636,
                        day(2262, 4, 12), day(9999, 12, 31) + 86399, day(9999, 12, 31) + 86400,
                        day(0, 1, 1), day(0, 1, 1) - 1, day(2026, 11, 21) + 59, day(2026, 11, 21) + 60,
                        day(2000, 2, 29) + 43199, day(1900, 2, 28) + 86399, -10**12, 10**12,
                        day(2026, 11, 21) + 58):
            # an interface of its own, whose if_tsoffset is the time
            offset = seconds.to_bytes(8, "little", signed=True)
            out.write(marked.block(1, idb[8:16] + b"\x09\0\x01\0\x09\0\0\0" + b"\x0e\0\x08\0" + offset +
                                   b"\0\0\0\0"))
            interface += 1
            for fraction in (999999999, 0, 1):
                number += 1
                out.write(marked.block(6, b"".join(v.to_bytes(4, "little") for v in (
                    interface, 0, fraction, 4, 4, number))))
    return marked.Case("odd_times.pcapng", path)


sys.exit(main())
