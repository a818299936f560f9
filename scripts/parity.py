#!/usr/bin/env python3
"""Count what skep verify --json said of many objects: parity.py VERDICTS ERRORS COMPILED SOURCES LEAST

Exit status 1 when fewer than LEAST objects could be read.
"""
import collections
import json
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


def main():
    verdicts, errors, compiled, sources, least = sys.argv[1:]
    compiled = int(compiled)
    rows = [json.loads(line) for line in open(verdicts)]
    unread = [line for line in open(errors) if line.startswith("skep: /")]
    count = collections.Counter(row["verdict"] for row in rows)
    reasons = collections.Counter(MACHINE.get(row["reason"], row["reason"]) for row in rows
                                  if row["verdict"] == "unsupported")
    seen = len({row["object"] for row in rows})
    print(f"sources                    {int(sources):6}")
    print(f"objects compiled           {compiled:6}")
    print(f"objects read               {compiled - len(unread):6}  ({seen} of them with programs)")
    print(f"programs                   {len(rows):6}")
    print(f"  accepted by Linux        {count['accepted']:6}")
    print(f"  rejected by its verifier {count['rejected']:6}")
    print(f"  refused for the machine  {count['unsupported']:6}")
    for reason, n in reasons.most_common():
        print(f"    {n:5} {reason}")
    for line in unread:
        print(line.strip())
    return compiled - len(unread) < int(least)


sys.exit(main())
