#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is every row of diag.def provoked by some test?

    provoked.py start LOG                before all other tests: an empty log
    provoked.py end LOG DIAG_DEF SKEP    after them: fails for each row that is not in it

tests/base/provoked.c writes the log.  It stays, so that after all tests have run once a test that is new can be run
with this one alone: meson test -C BUILD NAME provoked.  What depends on the running kernel, its version, its
configuration and the rights of whoever runs the tests (the rows of the folder kern), is
only told.  Exit status 77 where the other tests did not run.
"""
import os
import re
import subprocess
import sys


def rows_of(path):
    """The names in diag.def, each with the folder that its heading says."""
    folder, rows = "", {}
    for line in open(path, encoding="utf-8"):
        heading = re.match(r"/\* (\w+).* \*/$", line)
        row = re.match(r"D\((\w+),", line)
        if heading:
            folder = heading[1]
        elif row:
            rows[row[1]] = folder
    return rows


def start(log):
    with open(log, "w", encoding="utf-8"):
        pass
    os.chmod(log, 0o666)  # some tests give up their rights
    return 0


def kernel_refuses(skep, folder):
    source, path = ".section socket\n.program p\nr0 = 0\nexit\n", os.path.join(folder, "provoked.o")
    subprocess.run([skep, "asm", "-", "-o", path], input=source, text=True, check=True)
    return subprocess.run([skep, "verify", path], capture_output=True, check=False).returncode != 0


def end(log, diag_def, skep):
    if not os.path.exists(log):
        print("run all tests: this one looks at what they did")
        return 77
    with open(log, encoding="utf-8") as lines:
        provoked = set(lines.read().split())
    rows = rows_of(diag_def)
    missing = [name for name in rows if name not in provoked]
    of_kernel = [name for name in missing if rows[name] == "kern"]
    others = [name for name in missing if rows[name] != "kern"]
    print(f"{len(rows) - len(missing)} of {len(rows)} diagnostics are provoked")
    if of_kernel:
        print("not on this machine:", " ".join(of_kernel))
    for name in others:
        print(f"no test provokes {name} ({rows[name]})", file=sys.stderr)
    if others and kernel_refuses(skep, os.path.dirname(log)):
        print("these may need the kernel, which loads no programs for this user")
        return 77
    return 1 if others else 0


sys.exit(start(*sys.argv[2:]) if sys.argv[1] == "start" else end(*sys.argv[2:]))
