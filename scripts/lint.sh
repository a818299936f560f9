#!/bin/sh
# clang-tidy and cppcheck over src/; a finding is an error.
set -u
cd "$(dirname "$0")/.." || exit 1
CC=clang-19 scripts/build.sh build-lint -Dcommand=enabled libskep-core.a >/dev/null || exit 1
status=0

echo "== clang-tidy"
find src -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 8 clang-tidy -p build-lint --quiet 2>/dev/null || status=1

# Not asked: a run holds its context only while the engine runs; rows of .def files are no C by themselves.
echo "== cppcheck"
cppcheck --project=build-lint/compile_commands.json --file-filter='*src/*' --std=c11 -j "$(nproc)" --quiet \
	--suppress=autoVariables --suppress='syntaxError:*.def' --suppress=preprocessorErrorDirective \
	--enable=warning,performance,portability --inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
	--template='{file}:{line}: {severity}: {message} [{id}]' || status=1

[ $status = 0 ] && echo "lint: nothing found"
exit $status
