#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Would the tests notice?  Breaks the verifier in one place at a time, and runs them.

    mutants.py FOLDER [NAME...]

FOLDER is made: a clone of this tree's last commit, and its build.  NAMEs are those of
mutants.txt, default all.  Of each it prints who noticed it first: does-not-build, cases
(tests/cases/verify and exec), domains (tests/verify/domains.c), unsafe (generated programs
that must be refused), claims (generated programs, and whether what is claimed of them is
true), verdicts (the same programs changed a little, against the running kernel, as root).
Exit status 1 when one lives, 2 when the tests fail without any of them.
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = ["tests/run-cases", "tests/oracle/oracle-programs", "tests/verify/test-verify-domains"]
SKIPPED = 77  # by who may not ask the kernel
ORACLE = "build/tests/oracle/oracle-programs"
CLAIMS = [ORACLE, "--no-kernel", "--claims", "--inputs", "8", "--engines", "checked,jit"]
TESTS = {
    "cases": ["build/tests/run-cases", "tests/cases/verify", "tests/cases/exec"],
    "domains": ["build/tests/verify/test-verify-domains"],
    "unsafe": [ORACLE, "--no-kernel", "--unsafe", "--small", "--count", "20000"],
    "claims": CLAIMS + ["--small", "--count", "4000"],
    "verdicts": [ORACLE, "--mutate", "--claims", "--inputs", "4", "--count", "150"],
}


def mutants():
    """name, file, old and new lines."""
    for block in (HERE / "mutants.txt").read_text(encoding="utf-8").split("\n== ")[1:]:
        lines = block.rstrip().split("\n")
        yield (lines[0].split()[0], lines[1], "\n".join(l[1:] for l in lines if l[0] == "-"),
               "\n".join(l[1:] for l in lines if l[0] == "+"))


def run(folder, command, seconds=600):
    """None: it takes too long."""
    try:
        done = subprocess.run(command, cwd=folder, timeout=seconds, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.returncode


def prepare(folder):
    if not folder.exists():
        top = subprocess.run(["git", "rev-parse", "--show-toplevel"], cwd=HERE, text=True, check=True,
                             capture_output=True).stdout.strip()
        subprocess.run(["git", "clone", "-q", top, folder], check=True)
        subprocess.run(["meson", "setup", "build", "--buildtype=release", "-Doptimization=1",
                        "-Db_ndebug=false"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", "build"] + TARGETS, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def noticed_by(folder):
    if run(folder, ["ninja", "-C", "build"] + TARGETS):
        return "does-not-build"
    for name, command in TESTS.items():
        if run(folder, command) not in (0, SKIPPED):
            return name
    return "LIVES"


def main(folder, names):
    lives = 0

    prepare(folder)
    result = noticed_by(folder)
    if result != "LIVES":
        print(f"{result} fails as things are")
        return 2
    for name, file, old, new in mutants():
        path = folder / file
        text = path.read_text(encoding="utf-8")

        if names and name not in names:
            continue
        if text.count(old) != 1:
            print(f"{name}: {text.count(old)} places in {file}", flush=True)
            lives += 1
            continue
        try:
            path.write_text(text.replace(old, new), encoding="utf-8")
            result = noticed_by(folder)
        finally:
            path.write_text(text, encoding="utf-8")
        print(f"{name}: {result}", flush=True)
        lives += result == "LIVES"
    return 1 if lives else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
