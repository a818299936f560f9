#!/usr/bin/env python3
"""Compare skep's verdicts with the kernel's, and with what the sources of the tests say.

parity.py --skep FILE --errors FILE --kernel FILE|"" --out FOLDER --sources N --least N OBJECT...

FILEs are what skep verify --json printed.  Writes FOLDER/wrongly-accepted and FOLDER/wrongly-rejected.  Exit status 1
when fewer than --least objects could be read, or verdicts differ on more than half a percent of the programs.
"""
import argparse
import collections
import json
import os
import struct
import sys

# Reasons that are the machine's: the same program is accepted elsewhere, or needs what is not there.
MACHINE = {
    "NO_KSYM": "kernel functions or variables that this kernel does not have",
    "KERN_NO_SYMBOL": "kernel functions or variables that this kernel does not have",
    "KERN_NO_TARGET": "hooks that this kernel does not have",
    "KERN_STRUCT_OPS": "structs of operations that this kernel does not have",
    "KERN_NO_PROG_TARGET": "programs that replace functions of another one",
    "KERN_NO_MEMBER": "programs that are no member of any struct of operations",
    "REFUSED_BY_POLICY": "types that the policy of this kernel forbids",
    "KERN_MAP": "maps that Linux refuses",
    "KERN_MAP_EMPTY": "maps whose size their loader sets first",
    "KERN_NO_BPFFS": "maps that want to be pinned",
    "KERN_NO_TYPE": "sections that do not name a program type",
    "KERN_NOT_LOADED": "refused without a word",
    "UNRESOLVED": "symbols of other objects",
    "NO_KCONFIG": "settings that the configuration of this kernel does not have",
}
AGREEMENT = 99.5


def read(path):
    return {(row["object"], row["program"]): row for row in map(json.loads, open(path))}


class Btf:
    """The declaration tags of an object's functions."""
    EXTRA = {1: 4, 3: 12, 14: 4, 17: 4}  # bytes after a type, by kind
    PER_ITEM = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}

    def __init__(self, data):
        _, _, _, hdr, toff, tlen, soff, slen = struct.unpack_from("<HBBIIIII", data)
        self.strings = data[hdr + soff:hdr + soff + slen]
        types = data[hdr + toff:hdr + toff + tlen]
        self.names, self.tags, at = {}, collections.defaultdict(list), 0
        tid = 0
        while at < len(types):
            tid += 1
            name, info, ref = struct.unpack_from("<III", types, at)
            kind, vlen = info >> 24 & 31, info & 0xffff
            at += 12
            if kind == 12:
                self.names[tid] = self.text(name)
            if kind == 17 and struct.unpack_from("<i", types, at)[0] == -1:
                self.tags[ref].append(self.text(name))
            at += self.EXTRA.get(kind, 0) + self.PER_ITEM.get(kind, 0) * vlen

    def text(self, off):
        return self.strings[off:self.strings.index(b"\0", off)].decode(errors="replace")

    def by_name(self):
        return {name: self.tags[tid] for tid, name in self.names.items() if self.tags[tid]}


def sections(path):
    data = open(path, "rb").read()
    shoff, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQ", data, shoff + i * size) for i in range(count)]
    at = rows[names][4]
    for name, _, _, _, offset, length in rows:
        yield data[at + name:data.index(b"\0", at + name)].decode(), data[offset:offset + length]


def annotations(path):
    """{program: "accepted" or "rejected"}, as far as the test says so, for no special flags."""
    wanted = {}
    for name, data in sections(path):
        if name != ".BTF":
            continue
        for func, tags in Btf(data).by_name().items():
            if any(t.startswith(("comment:test_prog_flags=", "comment:test_arch=")) and "X86_64" not in t for t in tags):
                continue
            if "comment:test_expect_failure" in tags:
                wanted[func] = "rejected"
            elif "comment:test_expect_success" in tags:
                wanted[func] = "accepted"
    return wanted


def compare(title, rows, wanted, out):
    """rows, wanted: {program: row}; prints the agreement, returns it in percent."""
    known = [k for k in wanted if k in rows]
    differ = [k for k in known if rows[k]["verdict"] != wanted[k]["verdict"]]
    both = len(known)
    percent = 100.0 * (both - len(differ)) / both if both else 100.0
    print(f"{title}: {both - len(differ)} of {both} programs, {percent:.2f} %")
    for kind, name in (("accepted", "wrongly-accepted"), ("rejected", "wrongly-rejected"),
                       ("unsupported", "not-judged")):
        these = [k for k in differ if rows[k]["verdict"] == kind]
        print(f"  {name.replace('-', ' '):18} {len(these):6}")
        with open(os.path.join(out, f"{name}.{title.split()[-1]}"), "w") as f:
            for k in sorted(these):
                theirs, ours = wanted[k].get("message", ""), rows[k].get("message", "")
                f.write(f"{os.path.basename(k[0])} {k[1]}: ours: {rows[k].get('reason', '')} {ours} "
                        f"[{rows[k].get('insn', '')}]; theirs: {theirs}\n")
    return percent


def costs(ours, theirs):
    """Work and time of what both accept."""
    both = [k for k in theirs if k in ours and ours[k]["verdict"] == theirs[k]["verdict"] == "accepted"
            and theirs[k].get("insns_processed") and ours[k].get("insns_processed")]
    if not both:
        return
    ratios = sorted(ours[k]["insns_processed"] / theirs[k]["insns_processed"] for k in both)
    near = sum(1 for r in ratios if 0.5 <= r <= 2)
    mine, its = (sum(rows[k]["time_us"] for k in both) for rows in (ours, theirs))
    slow = sorted(((ours[k]["time_us"] / max(theirs[k]["time_us"], 1), ours[k]["time_us"], k) for k in both
                   if ours[k]["time_us"] > 200), reverse=True)[:5]
    print(f"instructions processed: within a factor of 2 for {100 * near / len(both):.1f} % of {len(both)} programs "
          f"(median {ratios[len(ratios) // 2]:.2f}, most {ratios[-1]:.2f})")
    print(f"time: {mine / 1000:.1f} ms, Linux {its / 1000:.1f} ms: ratio {mine / max(its, 1):.2f}")
    for ratio, us, k in slow:
        print(f"  {ratio:6.2f} times Linux' time, {us} us: {os.path.basename(k[0])} {k[1]}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--skep", "--errors", "--kernel", "--out", "--sources", "--least"):
        parser.add_argument(name, required=True)
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()
    ours = read(args.skep)
    unread = [line for line in open(args.errors) if line.startswith("skep: /")]
    n_read = len(args.objects) - len(unread)
    print(f"sources                    {int(args.sources):6}")
    print(f"objects compiled           {len(args.objects):6}")
    print(f"objects read               {n_read:6}  ({len({k[0] for k in ours})} of them with programs)")
    print(f"programs                   {len(ours):6}")
    count = collections.Counter(row["verdict"] for row in ours.values())
    print(f"  skep: {count['accepted']} accepted, {count['rejected']} rejected, {count['unsupported']} unsupported")
    percent = 100.0
    if args.kernel:
        theirs = read(args.kernel)
        count = collections.Counter(row["verdict"] for row in theirs.values())
        print(f"  Linux: {count['accepted']} accepted, {count['rejected']} rejected, "
              f"{count['unsupported']} refused for the machine's reasons")
        reasons = collections.Counter(MACHINE.get(row["reason"], row["reason"]) for row in theirs.values()
                                      if row["verdict"] == "unsupported")
        for reason, n in reasons.most_common():
            print(f"    {n:5} {reason}")
        judged = {k: row for k, row in theirs.items() if row["verdict"] != "unsupported"}
        percent = compare("agreement with Linux", ours, judged, args.out)
        costs(ours, theirs)
    said = {}
    for path in args.objects:
        for program, verdict in annotations(path).items():
            said[path, program] = {"verdict": verdict, "message": "the annotation"}
    if args.kernel:  # only what the kernel could not say
        said = {k: v for k, v in said.items() if k not in judged}
    compare("agreement with the annotations", ours, said, args.out)
    for line in unread:
        print(line.strip())
    return n_read < int(args.least) or percent < AGREEMENT


sys.exit(main())
