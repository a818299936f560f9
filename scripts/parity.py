#!/usr/bin/env python3
"""Compare skep's verdicts with the kernel's, and with what the sources of the tests say.

parity.py --skep FILE --errors FILE --kernel FILE|"" --out FOLDER --sources N --least N OBJECT...

FILEs are what skep verify --json printed.  Writes FOLDER/wrongly-accepted and FOLDER/wrongly-rejected.  --doc FILE keeps the
report there, with the causes of differences that --causes FILE knows ("object program: cause" a line).  Exit status 1
when fewer than --least objects could be read, or verdicts differ on more than half a percent of the programs.

Annotations are the declaration tags of the selftests' bpf_misc.h: what test_loader, which loads each program alone with
all privileges, expects.  Those for other machines, for strict alignment and with types from a file are left out.
"""
import argparse
import collections
import contextlib
import io
import json
import os
import re
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
    # the same, as skep says it
    "ATTACH_NOT_FOUND": "hooks that this kernel does not have",
    "KSYM_NO_ADDRESS": "kernel functions or variables that this kernel does not have",
    "HELPER_NOT_BUILT": "helpers that this kernel was built without",
    "PROG_TYPE_NOT_BUILT": "program types that this kernel was built without",
    "ATTACH_NOT_MODIFIABLE": "results that may not be replaced in this kernel",
    "ATTACH_NOT_SLEEPABLE": "hooks where this kernel does not let programs sleep",
}
# Helpers that kernel_lockdown(7) hides, and what Linux says then.
LOCKED = "cannot use helper bpf_probe_write_user"
LOCKDOWN = "helpers that lockdown hides"
AGREEMENT = 99.5


def machine_reason(row):
    """What the machine lacks for the program, or None: Linux judged it."""
    if LOCKED in row.get("message", ""):
        return LOCKDOWN
    return MACHINE.get(row["reason"], row["reason"]) if row["verdict"] == "unsupported" else None


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


def expectation(tags):
    """(verdict, None), or (None, why it is left out); None: nothing is said of the program."""
    tags = [t[len("comment:"):] for t in tags if t.startswith("comment:")]
    archs = [t for t in tags if t.startswith("test_arch=")]
    verdict = "rejected" if "test_expect_failure" in tags else "accepted" if "test_expect_success" in tags else None
    if "test_auxiliary" in tags or not verdict:
        return None  # loaded beside another one, or only without privileges
    if archs and "test_arch=X86_64" not in archs:
        return None, "for other machines"
    if "test_prog_flags=BPF_F_STRICT_ALIGNMENT" in tags:
        return None, "with strict alignment"  # other flags are no other verdict, where unaligned accesses are cheap
    if any(t.startswith("test_btf_path=") for t in tags):
        return None, "with types from a file"
    return verdict, None


def annotations(path):
    """{program: what expectation() says of it}"""
    for name, data in sections(path):
        if name == ".BTF":
            said = {func: expectation(tags) for func, tags in Btf(data).by_name().items()}
            return {func: e for func, e in said.items() if e}
    return {}


def read_causes(path):
    lines = open(path).read().splitlines() if path else []
    return dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith("#"))


def short(key):
    return f"{os.path.basename(key[0])} {key[1]}"


def compare(title, rows, wanted, args):
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
        with open(os.path.join(args.out, f"{name}.{title.split()[-1]}"), "w") as f:
            for k in sorted(these):
                theirs, ours = wanted[k].get("message", ""), rows[k].get("message", "")
                f.write(f"{short(k)}: ours: {rows[k].get('reason', '')} {ours} "
                        f"[{rows[k].get('insn', '')}]; theirs: {theirs}\n")
                print(f"    {short(k)}: {args.known.get(short(k), rows[k].get('reason', ''))}")
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


def compare_annotations(ours, judged, args):
    """judged: programs of which the kernel was asked, and gave an answer."""
    said, left_out = {}, collections.Counter()
    for path in args.objects:
        for program, (verdict, why) in annotations(path).items():
            row = ours.get((path, program))
            if not row or (path, program) in judged:
                continue
            why = why or MACHINE.get(row.get("reason"))
            if why:
                left_out[why] += 1
            else:
                said[path, program] = {"verdict": verdict, "message": f"the annotation: {verdict}"}
    compare("agreement with the annotations", ours, said, args)
    for reason, n in left_out.most_common():
        print(f"    {n:5} left out: {reason}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--skep", "--errors", "--kernel", "--out", "--sources", "--least"):
        parser.add_argument(name, required=True)
    parser.add_argument("--doc")
    parser.add_argument("--causes")
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()
    args.known = read_causes(args.causes)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        status = report(args)
    print(told.getvalue(), end="")
    if args.doc:
        keep(args.doc, told.getvalue())
    return status


def keep(path, text):
    with open(path, "w") as f:
        f.write("""# Agreement with Linux

What `make parity` said last: every program of the BPF selftests of Linux 6.12 (Debian's package linux-source-6.12, compiled with clang-19),
judged by skep and by the kernel that ran. `scripts/parity.sh BUILD OBJECT...` does it for other objects. *Wrongly accepted*, *wrongly
rejected* and *not judged* list every program on which the two differ, and the cause. How: [verifier.md](verifier.md).

```
""" + text + "```\n")


def report(args):
    ours = read(args.skep)
    unread = [line for line in open(args.errors) if line.startswith("skep: /")]
    n_read = len(args.objects) - len(unread)
    print(f"sources                    {int(args.sources):6}")
    print(f"objects compiled           {len(args.objects):6}")
    print(f"objects read               {n_read:6}  ({len({k[0] for k in ours})} of them with programs)")
    print(f"programs                   {len(ours):6}")
    count = collections.Counter(row["verdict"] for row in ours.values())
    print(f"  skep: {count['accepted']} accepted, {count['rejected']} rejected, {count['unsupported']} unsupported")
    percent, judged = 100.0, {}
    if args.kernel:
        theirs = read(args.kernel)
        count = collections.Counter(row["verdict"] for row in theirs.values())
        print(f"  Linux: {count['accepted']} accepted, {count['rejected']} rejected, "
              f"{count['unsupported']} refused for the machine's reasons")
        reasons = collections.Counter(filter(None, map(machine_reason, theirs.values())))
        for reason, n in reasons.most_common():
            print(f"    {n:5} {reason}")
        judged = {k: row for k, row in theirs.items() if not machine_reason(row)}
        percent = compare("agreement with Linux", ours, judged, args)
        costs(ours, theirs)
    compare_annotations(ours, judged, args)
    for line in unread:
        print(re.sub(r"/\S*/", "", line.strip()))
    return n_read < int(args.least) or percent < AGREEMENT


sys.exit(main())
