#!/bin/sh
# Build and test skep in several ways; warnings are errors.  Ends with one line: N passed, N failed, N skipped.
#
#	scripts/check.sh [WAY...]		gcc clang asan aarch64 (the default), tsan
#
# Every way has its own folder build-WAY; a way that does not build counts as one failure.
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- gcc clang asan aarch64
version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" meson.build | head -n 1)
full='-Dcommand=enabled -Dexamples=enabled'

options_of() {
	case $1 in
	gcc) echo "$full" ;;
	clang) echo "$full" ;;
	asan) echo "$full -Db_sanitize=address,undefined -Dprovoked=true" ;;
	tsan) echo "$full -Db_sanitize=thread" ;;
	aarch64) echo "--cross-file=scripts/aarch64.ini -Dcommand=disabled -Dexamples=enabled" ;;
	*) echo "check.sh: no such way: $1" >&2; exit 2 ;;
	esac
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
export MESON_TESTTHREADS="${MESON_TESTTHREADS:-$(nproc)}"

logs=
for way; do
	folder=build-$way
	log=$folder/meson-logs/testlog.json
	logs="$logs $way=$log"
	mkdir -p "$folder"
	rm -f "$log"
	cc=gcc
	case $way in clang|tsan) cc=clang-19 ;; esac
	echo "== skep $version: $way: build"
	# shellcheck disable=SC2046
	CC=$cc scripts/build.sh "$folder" -Dwerror=true $(options_of "$way") >"$folder/build.log" 2>&1 || {
		grep -E 'error|FAILED|ERROR' "$folder/build.log" | head -n 40 >&2
		echo "== skep $version: $way: did not build; all of it: $folder/build.log" >&2
		continue
	}
	echo "== skep $version: $way: test"
	meson test -C "$folder" --no-rebuild --quiet --print-errorlogs --timeout-multiplier 4 |
		sed '/^$/d; /^[A-Z][A-Za-z ]*: *[0-9]* *$/d; /^Full log/d'
done
# shellcheck disable=SC2086
exec python3 scripts/summary.py $logs
