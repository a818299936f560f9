"""Add up the test logs of meson: what failed, what was skipped and why, and one line of totals.

	scripts/summary.py WAY=build-WAY/meson-logs/testlog.json ...

A test whose last line of output is "N passed, N failed" counts as that many; any other test counts as one.
A log that does not exist is a build that failed.  Exit status 1 when anything failed.
"""
import json
import os
import re
import sys

COUNTS = re.compile(r'^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$', re.M)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ''


def counts_of(test):
    """(passed, failed, skipped) of one test of meson."""
    if test['result'] == 'SKIP':
        return 0, 0, 1
    good = test['result'] in ('OK', 'EXPECTEDFAIL')
    found = COUNTS.findall(test.get('stdout', ''))
    if not found:
        return (1, 0, 0) if good else (0, 1, 0)
    passed, failed, skipped = (int(n or 0) for n in found[-1])
    return passed, max(failed, 0 if good else 1), skipped


def read_log(path):
    with open(path) as log:
        return [json.loads(line) for line in log]


def main(arguments):
    total = [0, 0, 0]
    notes = {}
    for argument in arguments:
        way, path = argument.split('=', 1)
        if not os.path.exists(path):
            print(f'{way}: did not build')
            total[1] += 1
            continue
        sums = [0, 0, 0]
        tests = read_log(path)
        for test in tests:
            counts = counts_of(test)
            sums = [a + b for a, b in zip(sums, counts)]
            if counts[1]:
                print(f"{way}: {test['name']} failed; repeat: meson test -C build-{way} -v '{test['name']}'")
            if counts[2]:
                reason = last_line(test.get('stdout', '')) if test['result'] == 'SKIP' else f'{counts[2]} inside'
                notes.setdefault((test['name'], reason.removeprefix('skipped: ')), []).append(way)
        total = [a + b for a, b in zip(total, sums)]
        print(f'{way}: {len(tests)} tests: {sums[0]} passed, {sums[1]} failed, {sums[2]} skipped')
    for (name, reason), ways in notes.items():
        print(f"{name} skipped: {reason} ({', '.join(ways)})")
    print(f'{total[0]} passed, {total[1]} failed, {total[2]} skipped')
    return 1 if total[1] or not total[0] else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
