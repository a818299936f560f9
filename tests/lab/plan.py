#!/usr/bin/env python3
# What the lab runs: the tests of a suite of a build folder, as calls of tests/lab/run.sh's `check`.
#
#	tests/lab/plan.py FOLDER [SUITE]
#
# The list is meson's: a new test of the suite is in the lab without being named here.
import json
import os
import shlex
import subprocess
import sys

SLOWER = 10  # than the machine that emulates

folder = os.path.abspath(sys.argv[1])
suite = sys.argv[2] if len(sys.argv) > 2 else 'oracle'
tests = json.loads(subprocess.run(['meson', 'introspect', '--tests', folder], check=True, capture_output=True).stdout)
for test in tests:
    if suite not in [name.split(':')[-1] for name in test['suite']]:
        continue
    env = [f'{name}={value}' for name, value in test['env'].items()]
    words = [test['name'], str(test['timeout'] * SLOWER), test['workdir'] or folder, 'env', *env, *test['cmd']]
    print('check', shlex.join(words))
