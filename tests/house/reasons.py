#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Has every reason of reasons.def a case that the verifier rejects for it?

    reasons.py REASONS_DEF CASES EXCEPTIONS

CASES: the folder, and those in it, with *.case and *.bpf.c files, which run-cases holds
against the verifier and the kernel, and with tests in C that have rows "{REASON_ID, ...".
EXCEPTIONS: lines "ID why no case can provoke it"; one that has a case, or no row, is an
error, too.
"""
import pathlib
import re
import sys


def wanted(folder):
    """The reasons that the cases say."""
    found = set()
    for path in pathlib.Path(folder).rglob("*"):
        if path.suffix not in (".case", ".c"):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".case":
            found.update(re.findall(r"^-- reject (\w+)", text, re.M))
        else:
            found.update(re.findall(r'(?:CASE\("reject |^\t\{REASON_)(\w+)', text, re.M))
    return found


def main(reasons_def, cases, exceptions):
    with open(reasons_def, encoding="utf-8") as lines:
        rows = re.findall(r"^V\((\w+),", lines.read(), re.M)
    with open(exceptions, encoding="utf-8") as lines:
        excused = dict(l.split(None, 1) for l in lines if l.strip() and l[0] != "#")
    found = wanted(cases)
    bad = [f"no case provokes {row}" for row in rows if row not in found and row not in excused]
    bad += [f"{row} has a case: it is no exception" for row in excused if row in found]
    bad += [f"{row}, an exception, is no reason" for row in excused if row not in rows]
    print(f"{sum(row in found for row in rows)} of {len(rows)} reasons have cases")
    print("\n".join(bad), file=sys.stderr, end="\n" if bad else "")
    return 1 if bad else 0


sys.exit(main(*sys.argv[1:]))
