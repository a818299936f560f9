#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Command lines and what they must print: tests/e2e/cases/*.test.

    run.py SKEP CASES [FILE...]

A file of cases, each of them:

    == the sentence that is true when it passes
    $ a command line for sh; several of them follow each other
    what is expected on standard output, line by line
    2| what is expected on standard error
    -> 3        (the exit status of the last command; 0 when it is not there)

In an expected line * stands for any text; the line ... stands for any number of lines.  All
cases of a file share one empty folder, into which the FILEs are linked; skep is in PATH.
A line "# needs: kernel" skips the file (exit status 77) where programs cannot be loaded.
"""
import os
import re
import subprocess
import sys
import tempfile


def read_cases(path):
    cases = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if line.startswith("== "):
            cases.append({"name": line[3:], "line": number, "commands": [], "out": [], "err": [], "status": 0})
        elif not cases:
            continue
        elif line.startswith("$ "):
            cases[-1]["commands"].append(line[2:])
        elif line.startswith("-> "):
            cases[-1]["status"] = int(line[3:])
        elif line.startswith("2| "):
            cases[-1]["err"].append(line[3:])
        elif not line.startswith("#"):
            cases[-1]["out"].append(line)
    for case in cases:
        while case["out"] and not case["out"][-1]:
            case["out"].pop()
    return cases


def matches(expected, got):
    parts = [r"(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("*"))) + "\n"
             for line in expected]
    return re.fullmatch("".join(parts), got) is not None


def run_case(case, env, folder):
    run = subprocess.run(["sh", "-c", "\n".join(case["commands"])], cwd=folder, env=env, text=True,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=120, errors="replace", check=False)
    bad = []
    if run.returncode != case["status"]:
        bad.append(f"exit status {run.returncode}, wanted {case['status']}")
    if not matches(case["out"], run.stdout):
        bad.append("standard output; wanted:\n" + "\n".join(case["out"]))
    if not matches(case["err"], run.stderr):
        bad.append("standard error; wanted:\n" + "\n".join(case["err"]))
    if bad:
        bad.append(f"got:\n{run.stdout}{''.join('2| ' + l for l in run.stderr.splitlines(True))}-> {run.returncode}")
    return bad


def kernel_refuses(skep, path):
    """Why the cases cannot be run here, or None."""
    if not re.search(r"^# needs: kernel$", open(path, encoding="utf-8").read(), re.M):
        return None
    with tempfile.TemporaryDirectory() as folder:
        source = ".section socket\n.program p\nr0 = 0\nexit\n"
        subprocess.run([skep, "asm", "-", "-o", folder + "/p.o"], input=source, text=True, check=True)
        verify = subprocess.run([skep, "verify", folder + "/p.o"], capture_output=True, text=True, check=False)
    own = subprocess.run(["unshare", "-nm", "true"], capture_output=True, text=True, check=False)
    for tried in (verify, own):
        if tried.returncode:
            return (tried.stdout + tried.stderr).strip().splitlines()[-1].strip()
    return None


def main():
    skep, path, files = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    env = dict(os.environ, PATH=os.path.dirname(skep) + ":" + os.environ["PATH"], NO_COLOR="1", LC_ALL="C")
    failed = 0
    refused = kernel_refuses(skep, path)
    if refused:
        print(f"skipped: {refused}")
        return 77
    cases = read_cases(path)
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            os.symlink(os.path.abspath(file), os.path.join(folder, os.path.basename(file)))
        for case in cases:
            bad = run_case(case, env, folder)
            if bad:
                failed += 1
                commands = "\n".join("$ " + c for c in case["commands"])
                print(f"{path}:{case['line']}: not true: {case['name']}\n{commands}\n" + "\n".join(bad) + "\n")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return failed != 0 or not cases


if __name__ == "__main__":
    sys.exit(main())
