#!/bin/sh
# Lines and branches of src/ that the tests reach; the pages are in build-cover/coverage.
set -eu
cd "$(dirname "$0")/.."
scripts/build.sh build-cover -Db_coverage=true -Dcommand=enabled -Dexamples=enabled >/dev/null
find build-cover -name '*.gcda' -delete
meson test -C build-cover --no-rebuild --quiet --print-errorlogs || echo "cover: some tests failed" >&2
mkdir -p build-cover/coverage
gcovr --root . --filter 'src/' --object-directory build-cover --exclude-unreachable-branches --branches >/dev/null || true
gcovr --root . --filter 'src/' --object-directory build-cover --html-details build-cover/coverage/index.html \
	--txt --print-summary
